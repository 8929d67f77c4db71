use crate::nn::lanes::{LANES, multiversion};

#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) tokens: usize,
    pub(super) channels: usize,
    pub(super) states: usize,
    pub(super) segments: usize,
}

impl Shape {
    /// Channels in a scratch row: channels are the lanes, states the rows.
    pub(super) fn padded(&self) -> usize {
        self.channels.next_multiple_of(LANES)
    }

    /// Elements of the state of one segment.
    pub(super) fn state(&self) -> usize {
        self.channels * self.states
    }

    /// The state of one segment, among those of all.
    pub(super) fn state_of<'a>(&self, states: &'a [f32], segment: usize) -> &'a [f32] {
        &states[segment * self.state()..(segment + 1) * self.state()]
    }

    /// Elements of the state of one segment in scratch layout, `[N, padded D]`.
    pub(super) fn scratch(&self) -> usize {
        self.states * self.padded()
    }
}

multiversion! {
    /// `[D, N]` to `[N, padded D]`.
    pub(super) fn into_scratch(scratch: &mut [f32], state: &[f32], shape: Shape) = into_scratch_body
}

#[inline(always)]
fn into_scratch_body<const FMA: bool>(scratch: &mut [f32], state: &[f32], shape: Shape) {
    turn(scratch, shape.padded(), state, shape.states, [shape.channels, shape.states]);
}

multiversion! {
    /// `[N, padded D]` to `[D, N]`.
    pub(super) fn from_scratch(state: &mut [f32], scratch: &[f32], shape: Shape) = from_scratch_body
}

#[inline(always)]
fn from_scratch_body<const FMA: bool>(state: &mut [f32], scratch: &[f32], shape: Shape) {
    turn(state, shape.states, scratch, shape.padded(), [shape.states, shape.channels]);
}

/// Side of the blocks that are turned in registers.
const SIDE: usize = 8;

/// `to[j, i] = from[i, j]` for `from [rows, columns]`, each with the distance between its rows.
#[inline(always)]
fn turn(to: &mut [f32], to_row: usize, from: &[f32], from_row: usize, [rows, columns]: [usize; 2]) {
    let whole = [rows - rows % SIDE, columns - columns % SIDE];
    for i in (0..whole[0]).step_by(SIDE) {
        for j in (0..whole[1]).step_by(SIDE) {
            let mut block = [[0.0; SIDE]; SIDE];
            for a in 0..SIDE {
                let row: &[f32] = &from[(i + a) * from_row + j..][..SIDE];
                for b in 0..SIDE {
                    block[b][a] = row[b];
                }
            }
            for b in 0..SIDE {
                to[(j + b) * to_row + i..][..SIDE].copy_from_slice(&block[b]);
            }
        }
    }
    for i in 0..rows {
        let rest = if i < whole[0] { whole[1] } else { 0 };
        for j in rest..columns {
            to[j * to_row + i] = from[i * from_row + j];
        }
    }
}

/// Positions of the inputs.
pub(super) const X: usize = 0;
pub(super) const DELTA: usize = 1;
pub(super) const B: usize = 2;
pub(super) const C: usize = 3;
pub(super) const KAPPA: usize = 4;
pub(super) const A: usize = 5;
pub(super) const DSKIP: usize = 6;
pub(super) const H0: usize = 7;
pub(super) const G: usize = 8;
