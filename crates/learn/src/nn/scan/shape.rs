use crate::nn::lanes::LANES;

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

/// `[D, N]` to `[N, padded D]`.
pub(super) fn into_scratch(scratch: &mut [f32], state: &[f32], shape: Shape) {
    let padded = shape.padded();
    for (i, channel) in state.chunks_exact(shape.states.max(1)).enumerate() {
        for (n, value) in channel.iter().enumerate() {
            scratch[n * padded + i] = *value;
        }
    }
}

/// `[N, padded D]` to `[D, N]`.
pub(super) fn from_scratch(state: &mut [f32], scratch: &[f32], shape: Shape) {
    let padded = shape.padded();
    for (i, channel) in state.chunks_exact_mut(shape.states.max(1)).enumerate() {
        for (n, value) in channel.iter_mut().enumerate() {
            *value = scratch[n * padded + i];
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
