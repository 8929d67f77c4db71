use super::shape::{B, C, DELTA, DSKIP, G, KAPPA, Shape, X};
use crate::nn::lanes::{exp, madd, sum};

/// What every pass over tokens reads.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub(super) shape: Shape,
    pub(super) inputs: &'a [&'a [f32]],
    /// Elapsed time before each token.
    pub(super) gap: &'a [f32],
    /// Decay rates in scratch layout.
    pub(super) rates: &'a [f32],
}

impl<'a> Pass<'a> {
    /// Where token t writes and how it is read, `[N]` each.
    #[inline(always)]
    pub(super) fn directions(&self, t: usize) -> (&'a [f32], &'a [f32]) {
        let lanes = t * self.shape.states..(t + 1) * self.shape.states;
        (&self.inputs[B][lanes.clone()], &self.inputs[C][lanes])
    }

    /// A row of token t, `[D]`.
    #[inline(always)]
    pub(super) fn row<'b>(&self, of: &'b [f32], t: usize) -> &'b [f32] {
        &of[t * self.shape.channels..(t + 1) * self.shape.channels]
    }
}

/// One token's channels in padded rows: pads are 0, so that a padded lane decays by 1, writes 0 and reads 0.
pub(super) struct Token {
    pub(super) x: Vec<f32>,
    pub(super) delta: Vec<f32>,
    /// The whole step, `delta + kappa gap`.
    pub(super) step: Vec<f32>,
    /// The write, `g x`.
    pub(super) write: Vec<f32>,
    pub(super) kappa: Vec<f32>,
    pub(super) dskip: Vec<f32>,
}

impl Token {
    pub(super) fn new(pass: Pass<'_>) -> Self {
        let row = || vec![0.0; pass.shape.padded()];
        let mut token = Self { x: row(), delta: row(), step: row(), write: row(), kappa: row(), dskip: row() };
        token.kappa[..pass.shape.channels].copy_from_slice(pass.inputs[KAPPA]);
        token.dskip[..pass.shape.channels].copy_from_slice(pass.inputs[DSKIP]);
        token
    }

    #[inline(always)]
    pub(super) fn load<const FMA: bool>(&mut self, pass: Pass<'_>, t: usize) {
        let channels = pass.shape.channels;
        self.x[..channels].copy_from_slice(pass.row(pass.inputs[X], t));
        self.delta[..channels].copy_from_slice(pass.row(pass.inputs[DELTA], t));
        let gap = pass.gap[t];
        for ((step, delta), kappa) in self.step.iter_mut().zip(&self.delta).zip(&self.kappa) {
            *step = madd::<FMA>(*kappa, gap, *delta);
        }
        let gate = pass.inputs.get(G).map_or(&self.delta[..channels], |g| pass.row(g, t));
        for ((write, gate), x) in self.write.iter_mut().zip(gate).zip(&self.x) {
            *write = gate * x;
        }
    }
}

/// One state of every channel through one token.
#[inline(always)]
pub(super) fn step<const FMA: bool>(h: &mut [f32], y: &mut [f32], token: &Token, rates: &[f32], b: f32, c: f32) {
    let rows = h.iter_mut().zip(y).zip(&token.step).zip(&token.write).zip(rates);
    for ((((h, y), step), write), rate) in rows {
        *h = madd::<FMA>(exp::<FMA>(-step * rate), *h, write * b);
        *y = madd::<FMA>(*h, c, *y);
    }
}

/// The same without reading it.
#[inline(always)]
pub(super) fn advance<const FMA: bool>(h: &mut [f32], token: &Token, rates: &[f32], b: f32) {
    for (((h, step), write), rate) in h.iter_mut().zip(&token.step).zip(&token.write).zip(rates) {
        *h = madd::<FMA>(exp::<FMA>(-step * rate), *h, write * b);
    }
}

/// The same into another row, and the decay beside it.
#[inline(always)]
pub(super) fn advance_kept<const FMA: bool>(
    before: &[f32],
    (after, decay): (&mut [f32], &mut [f32]),
    token: &Token,
    rates: &[f32],
    b: f32,
) {
    let count = before.len();
    let (after, decay, rates) = (&mut after[..count], &mut decay[..count], &rates[..count]);
    let (step, write) = (&token.step[..count], &token.write[..count]);
    for i in 0..count {
        decay[i] = exp::<FMA>(-step[i] * rates[i]);
        after[i] = madd::<FMA>(decay[i], before[i], write[i] * b);
    }
}

/// The gradient of one state of every channel from after a token to before it, by what is read of it alone.
#[inline(always)]
pub(super) fn retreat<const FMA: bool>(lam: &mut [f32], grad: &[f32], token: &Token, rates: &[f32], c: f32) {
    for (((lam, grad), step), rate) in lam.iter_mut().zip(grad).zip(&token.step).zip(rates) {
        *lam = madd::<FMA>(*grad, c, *lam) * exp::<FMA>(-step * rate);
    }
}

/// Sums over the states of one token, and room for the terms of a sum over its channels.
pub(super) struct Row {
    pub(super) grad: Vec<f32>,
    /// Lambda b: the gradient of the write.
    pub(super) dwrite: Vec<f32>,
    /// The gradient of the step.
    pub(super) dstep: Vec<f32>,
    db: Vec<f32>,
    dc: Vec<f32>,
}

impl Row {
    pub(super) fn new(shape: Shape) -> Self {
        let row = || vec![0.0; shape.padded()];
        Self { grad: row(), dwrite: row(), dstep: row(), db: row(), dc: row() }
    }

    pub(super) fn clear(&mut self, grad: &[f32]) {
        self.grad[..grad.len()].copy_from_slice(grad);
        self.dwrite.fill(0.0);
        self.dstep.fill(0.0);
    }
}

/// One state of every channel at one token, on the way back.
pub(super) struct State<'a> {
    pub(super) rates: &'a [f32],
    pub(super) decay: &'a [f32],
    pub(super) before: &'a [f32],
    pub(super) after: &'a [f32],
    pub(super) lam: &'a mut [f32],
    pub(super) da: &'a mut [f32],
    pub(super) b: f32,
    pub(super) c: f32,
}

/// Carries the gradient of the state over one token; returns the gradients of b and c.
#[inline(always)]
pub(super) fn step_backward<const FMA: bool>(state: State<'_>, row: &mut Row, token: &Token) -> (f32, f32) {
    let count = row.grad.len();
    let State { rates, decay, before, after, lam, da, b, c } = state;
    let (rates, decay, before, after) = (&rates[..count], &decay[..count], &before[..count], &after[..count]);
    let (lam, da) = (&mut lam[..count], &mut da[..count]);
    let (step, write) = (&token.step[..count], &token.write[..count]);
    let (grad, dwrite, dstep) = (&row.grad[..count], &mut row.dwrite[..count], &mut row.dstep[..count]);
    let (db, dc) = (&mut row.db[..count], &mut row.dc[..count]);
    for i in 0..count {
        let slope = madd::<FMA>(grad[i], c, lam[i]);
        dc[i] = grad[i] * after[i];
        db[i] = slope * write[i];
        dwrite[i] = madd::<FMA>(slope, b, dwrite[i]);
        let carried = slope * decay[i];
        let e = carried * before[i];
        dstep[i] = madd::<FMA>(-e, rates[i], dstep[i]);
        da[i] = madd::<FMA>(-e, step[i], da[i]);
        lam[i] = carried;
    }
    (sum(db), sum(dc))
}
