mod borders;
mod pass;
mod pieces;
mod shape;
mod token;

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use self::borders::{gradients_at_borders, states_at_borders};
use self::pass::{Back, Parts, Shared, Start, scan, scan_backward};
use self::pieces::Pieces;
use self::shape::{A, H0, Shape, from_scratch, into_scratch};
use self::token::Pass;
use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::offsets::{check_offsets, cut};
use super::tape::Gradient;
use super::tensor::Tensor;

/// The inputs of [`selective_scan`]: T tokens, D channels, N states a channel, S segments.
#[derive(Clone, Debug)]
pub struct ScanInput<'a> {
    /// `[T, D]`: what is written.
    pub x: Tensor<2>,
    /// `[T, D]`, positive: the selective part of the step.
    pub delta: Tensor<2>,
    /// `[T, N]`: where it is written.
    pub b: Tensor<2>,
    /// `[T, N]`: how it is read.
    pub c: Tensor<2>,
    /// `[T, D]`: the write gate; tied to `delta` if absent.
    pub g: Option<Tensor<2>>,
    /// T elapsed times before each token in normalised units, constant.
    pub gap: &'a [f32],
    /// `[D]`, positive: decay by elapsed time.
    pub kappa: Tensor<1>,
    /// `[D, N]`, positive: decay rates.
    pub a: Tensor<2>,
    /// `[D]`: the part of x that passes by.
    pub dskip: Tensor<1>,
    /// `[S, D, N]`: the state of each segment before its first token.
    pub h0: Tensor<3>,
    /// S + 1 offsets into the tokens; a segment holds the tokens of one node in order of time.
    pub segments: &'a [u32],
}

/// The segmented selective scan (Gu and Dao 2023) with a second, physical part of the step:
///
/// `s = delta + kappa gap`, `H = exp(-s a) H + (g x) b^T`, `y = H c + dskip x` for each token of a segment, from `h0`.
///
/// Segments longer than two pieces of 512 tokens are cut into pieces that threads go through side by side. For the backward
/// pass the state before every eighth token is kept, not that of every token.
///
/// Returns `y [T, D]` and the states after the last tokens `[S, D, N]` (`h0` for an empty segment). Gradients flow
/// back from both to every input but `gap`.
///
/// # Panics
/// If the shapes or offsets do not agree.
pub fn selective_scan(input: ScanInput<'_>) -> (Tensor<2>, Tensor<3>) {
    let shape = check(&input);
    let of_y = [shape.tokens, shape.channels];
    let last = Arc::new(LastState::default());
    let kernel = Scan {
        shape,
        gated: input.g.is_some(),
        gap: input.gap.to_vec(),
        pieces: Pieces::new(input.segments),
        last: last.clone(),
    };
    let ScanInput { x, delta, b, c, g, kappa, a, dskip, h0, .. } = input;
    let (x, delta, b, c) = (x.any(), delta.any(), b.any(), c.any());
    let (kappa, a, dskip) = (kappa.any(), a.any(), dskip.any());
    let y: Tensor<2> = match g {
        None => apply(kernel, [x, delta, b, c, kappa, a, dskip, h0.any()], of_y),
        Some(g) => apply(kernel, [x, delta, b, c, kappa, a, dskip, h0.any(), g.any()], of_y),
    };
    let h_last = apply(ReadLastState { last }, [y.clone().any()], [shape.segments, shape.channels, shape.states]);
    (y, h_last)
}

fn check(input: &ScanInput<'_>) -> Shape {
    let ([tokens, channels], [_, states]) = (input.x.dims(), input.b.dims());
    let shape = Shape { tokens, channels, states, segments: input.segments.len().saturating_sub(1) };
    check_offsets("selective_scan", input.segments, tokens);
    assert_eq!(input.delta.dims(), [tokens, channels], "selective_scan: the shape of delta");
    assert_eq!(input.b.dims(), [tokens, states], "selective_scan: the shape of b");
    assert_eq!(input.c.dims(), [tokens, states], "selective_scan: the shape of c");
    if let Some(g) = &input.g {
        assert_eq!(g.dims(), [tokens, channels], "selective_scan: the shape of g");
    }
    assert_eq!(input.gap.len(), tokens, "selective_scan: the length of gap");
    assert_eq!(input.kappa.dims(), [channels], "selective_scan: the shape of kappa");
    assert_eq!(input.a.dims(), [channels, states], "selective_scan: the shape of a");
    assert_eq!(input.dskip.dims(), [channels], "selective_scan: the shape of dskip");
    assert_eq!(input.h0.dims(), [shape.segments, channels, states], "selective_scan: the shape of h0");
    shape
}

/// The second output of the scan on its way into the graph, and its gradient on the way back.
///
/// Operations have one output. The final state is therefore an operation of its own that hangs on `y`: its
/// backward pass runs before that of `y`, leaves the gradient here and adds nothing to the gradient of `y`.
#[derive(Default)]
struct LastState {
    value: Mutex<Option<Buffer>>,
    grad: Mutex<Option<Buffer>>,
}

fn take<T: Default>(cell: &Mutex<T>) -> T {
    std::mem::take(&mut *cell.lock().unwrap_or_else(PoisonError::into_inner))
}

fn put<T>(cell: &Mutex<T>, value: T) {
    *cell.lock().unwrap_or_else(PoisonError::into_inner) = value;
}

struct ReadLastState {
    last: Arc<LastState>,
}

impl Kernel for ReadLastState {
    type Saved = ();

    fn forward(&self, _: &[&[f32]], _: bool) -> (Buffer, ()) {
        (take(&self.last.value).unwrap_or_else(|| Buffer::stale(0)), ())
    }

    fn backward(&self, inputs: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let mut copy = Buffer::stale(grad.len());
        copy.copy_from_slice(grad);
        put(&self.last.grad, Some(copy));
        vec![Buffer::zeros(inputs[0].len()).into()]
    }
}

struct Scan {
    shape: Shape,
    gated: bool,
    gap: Vec<f32>,
    pieces: Pieces,
    last: Arc<LastState>,
}

/// What the backward pass needs besides the inputs, in scratch layout.
struct Saved {
    /// The state before every chunk but the first of each piece.
    kept: Buffer,
    /// The state at every border.
    borders: Buffer,
}

impl Scan {
    /// Decay rates in scratch layout.
    fn rates(&self, a: &[f32]) -> Vec<f32> {
        let mut rates = vec![0.0; self.shape.scratch()];
        into_scratch(&mut rates, a, self.shape);
        rates
    }

    /// Lengths of what tasks write, by rows of tokens.
    fn rows(&self, width: usize) -> impl Iterator<Item = usize> + '_ {
        self.pieces.tasks.iter().map(move |task| self.pieces.tokens(task).len() * width)
    }
}

impl Kernel for Scan {
    type Saved = Saved;

    fn forward(&self, inputs: &[&[f32]], keep: bool) -> (Buffer, Saved) {
        let (shape, pieces) = (self.shape, &self.pieces);
        let pass = Pass { shape, inputs, gap: &self.gap, rates: &self.rates(inputs[A]) };
        let borders = states_at_borders(pass, pieces);
        let size = |task| if keep { pieces.n_kept(task) * shape.scratch() } else { 0 };
        let mut y = Buffer::stale(shape.tokens * shape.channels);
        let mut last = Buffer::stale(inputs[H0].len());
        let mut kept = Buffer::stale(pieces.tasks.iter().map(size).sum());
        let parts = cut(&mut y, self.rows(shape.channels)).into_par_iter();
        let parts = parts.zip(cut(&mut last, pieces.tasks.iter().map(|task| pieces.n_lasts(task) * shape.state())));
        let parts = parts.zip(cut(&mut kept, pieces.tasks.iter().map(size))).zip(&pieces.tasks);
        parts.for_each(|(((y, last), kept), task)| scan(pass, pieces.of(task), &borders, (y, last, kept)));
        put(&self.last.value, Some(last));
        (y, Saved { kept, borders })
    }

    fn backward(&self, inputs: &[&[f32]], saved: &Saved, grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let (shape, pieces) = (self.shape, &self.pieces);
        let last_grad = take(&self.last.grad);
        let last_grad = last_grad.as_deref();
        let pass = Pass { shape, inputs, gap: &self.gap, rates: &self.rates(inputs[A]) };
        let lams = gradients_at_borders(pass, pieces, grad, last_grad);
        let mut grads: Vec<Buffer> = inputs.iter().map(|input| Buffer::stale(input.len())).collect();
        let mut unused = Buffer::stale(0);
        let [dx, ddelta, db, dc, dkappa, da, ddskip, dh0, rest @ ..] = grads.as_mut_slice() else { return Vec::new() };
        let dg = rest.first_mut().unwrap_or(&mut unused);
        let gate = if self.gated { shape.channels } else { 0 };
        let kept = pieces.tasks.iter().scan(0, |end, task| {
            let start = *end;
            *end += pieces.n_kept(task) * shape.scratch();
            Some(&saved.kept[start..*end])
        });
        let kept: Vec<&[f32]> = kept.collect();
        let parts = cut(dx, self.rows(shape.channels)).into_par_iter();
        let parts = parts.zip(cut(ddelta, self.rows(shape.channels))).zip(cut(dg, self.rows(gate)));
        let parts = parts.zip(cut(db, self.rows(shape.states))).zip(cut(dc, self.rows(shape.states)));
        let parts = parts.zip(cut(dh0, pieces.tasks.iter().map(|task| pieces.n_firsts(task) * shape.state())));
        let parts = parts.zip(&pieces.tasks).zip(kept);
        let shared = parts.map(|(((((((x, delta), g), b), c), h0), task), kept)| {
            let mut shared = Shared::zeros(shape);
            let out = Parts { x, delta, g, b, c, h0, shared: &mut shared };
            let start = Start { kept, borders: &saved.borders };
            let back = Back { start, grad, last_grad, lams: &lams };
            scan_backward(pass, pieces.of(task), back, out);
            shared
        });
        let shared = shared.collect::<Vec<_>>();
        let total = Shared::total(&shared, shape);
        from_scratch(da, &total.a, shape);
        dkappa.copy_from_slice(&total.kappa[..shape.channels]);
        ddskip.copy_from_slice(&total.dskip[..shape.channels]);
        grads.into_iter().map(Gradient::from).collect()
    }
}
