use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::lanes::{LANES, add, exp, madd, multiversion, sum};
use super::offsets::{check_offsets, cut, groups, segment};
use super::tape::Gradient;
use super::tensor::Tensor;

/// Tokens in one task.
const TOKENS: usize = 32;

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
        gap: input.gap.into(),
        segments: input.segments.into(),
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

#[derive(Clone, Copy, Debug)]
struct Shape {
    tokens: usize,
    channels: usize,
    states: usize,
    segments: usize,
}

impl Shape {
    /// Channels in a scratch row: channels are the lanes, states the rows.
    fn padded(&self) -> usize {
        self.channels.next_multiple_of(LANES)
    }

    /// Elements of the state of one segment.
    fn state(&self) -> usize {
        self.channels * self.states
    }

    /// Elements of the state of one segment in scratch layout, `[N, padded D]`.
    fn scratch(&self) -> usize {
        self.states * self.padded()
    }
}

/// The second output of the scan on its way into the graph, and its gradient on the way back.
///
/// Operations have one output. The final state is therefore an operation of its own that hangs on `y`: its
/// backward pass runs before that of `y`, leaves the gradient here and adds nothing to the gradient of `y`.
#[derive(Debug, Default)]
struct LastState {
    value: Mutex<Vec<f32>>,
    grad: Mutex<Option<Vec<f32>>>,
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
        (take(&self.last.value).into(), ())
    }

    fn backward(&self, inputs: &[&[f32]], (): &(), grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        put(&self.last.grad, Some(grad.to_vec()));
        vec![Buffer::zeros(inputs[0].len()).into()]
    }
}

struct Scan {
    shape: Shape,
    gated: bool,
    gap: Arc<[f32]>,
    segments: Arc<[u32]>,
    last: Arc<LastState>,
}

/// Positions of the inputs.
const X: usize = 0;
const DELTA: usize = 1;
const B: usize = 2;
const C: usize = 3;
const KAPPA: usize = 4;
const A: usize = 5;
const DSKIP: usize = 6;
const H0: usize = 7;
const G: usize = 8;

impl Scan {
    fn tasks(&self) -> Vec<Range<usize>> {
        groups(&self.segments, TOKENS)
    }

    /// The tokens of some segments.
    fn tokens(&self, segments: &Range<usize>) -> Range<usize> {
        self.segments[segments.start] as usize..self.segments[segments.end] as usize
    }

    /// Decay rates in scratch layout.
    fn rates(&self, a: &[f32]) -> Vec<f32> {
        let mut rates = vec![0.0; self.shape.scratch()];
        into_scratch(&mut rates, a, self.shape);
        rates
    }
}

/// `[D, N]` to `[N, padded D]`.
fn into_scratch(scratch: &mut [f32], state: &[f32], shape: Shape) {
    let padded = shape.padded();
    for (i, channel) in state.chunks_exact(shape.states.max(1)).enumerate() {
        for (n, value) in channel.iter().enumerate() {
            scratch[n * padded + i] = *value;
        }
    }
}

/// `[N, padded D]` to `[D, N]`.
fn from_scratch(state: &mut [f32], scratch: &[f32], shape: Shape) {
    let padded = shape.padded();
    for (i, channel) in state.chunks_exact_mut(shape.states.max(1)).enumerate() {
        for (n, value) in channel.iter_mut().enumerate() {
            *value = scratch[n * padded + i];
        }
    }
}

impl Kernel for Scan {
    /// The states after every token in scratch layout, a vector a task.
    type Saved = Vec<Vec<f32>>;

    fn forward(&self, inputs: &[&[f32]], keep: bool) -> (Buffer, Vec<Vec<f32>>) {
        let (shape, tasks) = (self.shape, self.tasks());
        let mut y = vec![0.0; shape.tokens * shape.channels];
        let mut last = inputs[H0].to_vec();
        let pass = Pass { scan: self, inputs, rates: &self.rates(inputs[A]) };
        let ys = cut(&mut y, tasks.iter().map(|task| self.tokens(task).len() * shape.channels));
        let lasts = cut(&mut last, tasks.iter().map(|task| task.len() * shape.state()));
        let parts = tasks.into_par_iter().zip(ys).zip(lasts);
        let kept = parts.map(|((task, y), last)| {
            let mut kept = Vec::with_capacity(if keep { self.tokens(&task).len() * shape.scratch() } else { 0 });
            scan(pass, task, y, last, keep.then_some(&mut kept));
            kept
        });
        let kept = kept.collect();
        put(&self.last.value, last);
        (y.into(), kept)
    }

    fn backward(&self, inputs: &[&[f32]], kept: &Vec<Vec<f32>>, grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let (shape, tasks) = (self.shape, self.tasks());
        let last_grad = take(&self.last.grad);
        let pass = Pass { scan: self, inputs, rates: &self.rates(inputs[A]) };
        let mut grads: Vec<Vec<f32>> = inputs.iter().map(|input| vec![0.0; input.len()]).collect();
        let mut unused = Vec::new();
        let [dx, ddelta, db, dc, dkappa, da, ddskip, dh0, rest @ ..] = grads.as_mut_slice() else { return Vec::new() };
        let dg = rest.first_mut().unwrap_or(&mut unused);
        let gate = if self.gated { shape.channels } else { 0 };
        let rows = |width: usize| tasks.iter().map(move |task| self.tokens(task).len() * width);
        let parts = cut(dx, rows(shape.channels)).into_par_iter();
        let parts = parts.zip(cut(ddelta, rows(shape.channels))).zip(cut(dg, rows(gate)));
        let parts = parts.zip(cut(db, rows(shape.states))).zip(cut(dc, rows(shape.states)));
        let parts = parts.zip(cut(dh0, tasks.iter().map(|task| task.len() * shape.state())));
        let parts = parts.zip(&tasks).zip(kept);
        let shared = parts.map(|(((((((x, delta), g), b), c), h0), task), kept)| {
            let mut shared = Shared::zeros(shape);
            let out = Parts { x, delta, g, b, c, h0, shared: &mut shared };
            let back = Back { kept, grad, last_grad: last_grad.as_deref() };
            scan_backward(pass, task.clone(), back, out);
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

/// Gradients of the parameters that every token shares, in scratch layout: one task's part of the sum.
struct Shared {
    a: Vec<f32>,
    kappa: Vec<f32>,
    dskip: Vec<f32>,
}

impl Shared {
    fn zeros(shape: Shape) -> Self {
        let row = || vec![0.0; shape.padded()];
        Self { a: vec![0.0; shape.scratch()], kappa: row(), dskip: row() }
    }

    /// The sum in the order of the tasks.
    fn total(parts: &[Self], shape: Shape) -> Self {
        let mut total = Self::zeros(shape);
        for part in parts {
            add(&mut total.a, &part.a);
            add(&mut total.kappa, &part.kappa);
            add(&mut total.dskip, &part.dskip);
        }
        total
    }
}

/// What a task reads, on the way there and back.
#[derive(Clone, Copy)]
struct Pass<'a> {
    scan: &'a Scan,
    inputs: &'a [&'a [f32]],
    /// Decay rates in scratch layout.
    rates: &'a [f32],
}

/// What a task reads on the way back alone.
struct Back<'a> {
    /// The states after every token of the task.
    kept: &'a [f32],
    /// The gradient of y.
    grad: &'a [f32],
    /// The gradient of the last states, if they are read.
    last_grad: Option<&'a [f32]>,
}

/// The gradients that one task writes.
struct Parts<'a> {
    x: &'a mut [f32],
    delta: &'a mut [f32],
    g: &'a mut [f32],
    b: &'a mut [f32],
    c: &'a mut [f32],
    h0: &'a mut [f32],
    shared: &'a mut Shared,
}

/// One token's channels in padded rows: pads are 0, so that a padded lane decays by 1, writes 0 and reads 0.
struct Token {
    x: Vec<f32>,
    delta: Vec<f32>,
    /// The whole step, `delta + kappa gap`.
    step: Vec<f32>,
    /// The write, `g x`.
    write: Vec<f32>,
    kappa: Vec<f32>,
    dskip: Vec<f32>,
}

impl Token {
    fn new(shape: Shape, inputs: &[&[f32]]) -> Self {
        let row = || vec![0.0; shape.padded()];
        let mut token = Self { x: row(), delta: row(), step: row(), write: row(), kappa: row(), dskip: row() };
        token.kappa[..shape.channels].copy_from_slice(inputs[KAPPA]);
        token.dskip[..shape.channels].copy_from_slice(inputs[DSKIP]);
        token
    }

    #[inline(always)]
    fn load<const FMA: bool>(&mut self, scan: &Scan, inputs: &[&[f32]], t: usize) {
        let channels = scan.shape.channels;
        let row = t * channels..(t + 1) * channels;
        self.x[..channels].copy_from_slice(&inputs[X][row.clone()]);
        self.delta[..channels].copy_from_slice(&inputs[DELTA][row.clone()]);
        let gap = scan.gap[t];
        for ((step, delta), kappa) in self.step.iter_mut().zip(&self.delta).zip(&self.kappa) {
            *step = madd::<FMA>(*kappa, gap, *delta);
        }
        let gate = inputs.get(G).map_or(&self.delta[..channels], |g| &g[row]);
        for ((write, gate), x) in self.write.iter_mut().zip(gate).zip(&self.x) {
            *write = gate * x;
        }
    }
}

multiversion! {
    fn scan(
        pass: Pass<'_>, task: Range<usize>, y: &mut [f32], last: &mut [f32], kept: Option<&mut Vec<f32>>,
    ) = scan_body
}

#[inline(always)]
fn scan_body<const FMA: bool>(
    pass: Pass<'_>,
    task: Range<usize>,
    y: &mut [f32],
    last: &mut [f32],
    mut kept: Option<&mut Vec<f32>>,
) {
    let Pass { scan, inputs, rates } = pass;
    let Shape { channels, states, .. } = scan.shape;
    let padded = scan.shape.padded();
    let first = scan.tokens(&task).start;
    let mut token = Token::new(scan.shape, inputs);
    let mut h = vec![0.0; scan.shape.scratch()];
    let mut out = vec![0.0; padded];
    for (last, s) in last.chunks_exact_mut(scan.shape.state().max(1)).zip(task) {
        into_scratch(&mut h, last, scan.shape);
        for t in segment(&scan.segments, s) {
            token.load::<FMA>(scan, inputs, t);
            for ((out, dskip), x) in out.iter_mut().zip(&token.dskip).zip(&token.x) {
                *out = dskip * x;
            }
            let (b, c) = (&inputs[B][t * states..][..states], &inputs[C][t * states..][..states]);
            for (n, h) in h.chunks_exact_mut(padded).enumerate() {
                step::<FMA>(h, &mut out, &token, &rates[n * padded..][..padded], b[n], c[n]);
            }
            y[(t - first) * channels..][..channels].copy_from_slice(&out[..channels]);
            if let Some(kept) = &mut kept {
                kept.extend_from_slice(&h);
            }
        }
        from_scratch(last, &h, scan.shape);
    }
}

/// One state of every channel through one token.
#[inline(always)]
fn step<const FMA: bool>(h: &mut [f32], y: &mut [f32], token: &Token, rates: &[f32], b: f32, c: f32) {
    let rows = h.iter_mut().zip(y).zip(&token.step).zip(&token.write).zip(rates);
    for ((((h, y), step), write), rate) in rows {
        *h = madd::<FMA>(exp::<FMA>(-step * rate), *h, write * b);
        *y = madd::<FMA>(*h, c, *y);
    }
}

multiversion! {
    fn scan_backward(pass: Pass<'_>, task: Range<usize>, back: Back<'_>, out: Parts<'_>) = scan_backward_body
}

/// The backward pass of a token needs the state before it, which is kept: dividing by the decay would lose it.
#[inline(always)]
fn scan_backward_body<const FMA: bool>(pass: Pass<'_>, task: Range<usize>, back: Back<'_>, out: Parts<'_>) {
    let (Pass { scan, inputs, rates }, Back { kept, grad, last_grad }) = (pass, back);
    let shape = scan.shape;
    let (size, padded) = (shape.scratch(), shape.padded());
    let first = scan.tokens(&task).start;
    let mut token = Token::new(shape, inputs);
    let mut row = Row::new(shape);
    let mut start = vec![0.0; size];
    let mut lam = vec![0.0; size];
    for (dh0, s) in out.h0.chunks_exact_mut(shape.state().max(1)).zip(task) {
        let state = s * shape.state()..(s + 1) * shape.state();
        into_scratch(&mut start, &inputs[H0][state.clone()], shape);
        match last_grad {
            Some(grad) => into_scratch(&mut lam, &grad[state], shape),
            None => lam.fill(0.0),
        }
        let run = segment(&scan.segments, s);
        for t in run.clone().rev() {
            let i = t - first;
            token.load::<FMA>(scan, inputs, t);
            row.clear(&grad[t * shape.channels..][..shape.channels]);
            let after = &kept[i * size..][..size];
            let before = if t == run.start { &start } else { &kept[(i - 1) * size..][..size] };
            for n in 0..shape.states {
                let (at, lanes) = (t * shape.states + n, n * padded..(n + 1) * padded);
                let state = State {
                    rates: &rates[lanes.clone()],
                    before: &before[lanes.clone()],
                    after: &after[lanes.clone()],
                    lam: &mut lam[lanes.clone()],
                    da: &mut out.shared.a[lanes],
                    b: inputs[B][at],
                    c: inputs[C][at],
                };
                let (db, dc) = step_backward::<FMA>(state, &mut row, &token);
                out.b[i * shape.states + n] = db;
                out.c[i * shape.states + n] = dc;
            }
            let lanes = i * shape.channels..(i + 1) * shape.channels;
            let gate = inputs.get(G).map(|g| (&g[t * shape.channels..][..shape.channels], lanes.clone()));
            let grads = TokenGrads {
                shared: out.shared,
                x: &mut out.x[lanes.clone()],
                delta: &mut out.delta[lanes],
                gate: gate.map(|(g, lanes)| (g, &mut out.g[lanes])),
            };
            finish_token::<FMA>(&row, &token, scan.gap[t], grads);
        }
        from_scratch(dh0, &lam, shape);
    }
}

/// Sums over the states of one token, and room for the terms of a sum over its channels.
struct Row {
    grad: Vec<f32>,
    /// Lambda b: the gradient of the write.
    dwrite: Vec<f32>,
    /// The gradient of the step.
    dstep: Vec<f32>,
    db: Vec<f32>,
    dc: Vec<f32>,
}

impl Row {
    fn new(shape: Shape) -> Self {
        let row = || vec![0.0; shape.padded()];
        Self { grad: row(), dwrite: row(), dstep: row(), db: row(), dc: row() }
    }

    fn clear(&mut self, grad: &[f32]) {
        self.grad[..grad.len()].copy_from_slice(grad);
        self.dwrite.fill(0.0);
        self.dstep.fill(0.0);
    }
}

/// One state of every channel at one token, on the way back.
struct State<'a> {
    rates: &'a [f32],
    before: &'a [f32],
    after: &'a [f32],
    lam: &'a mut [f32],
    da: &'a mut [f32],
    b: f32,
    c: f32,
}

/// Carries the gradient of the state over one token; returns the gradients of b and c.
#[inline(always)]
fn step_backward<const FMA: bool>(state: State<'_>, row: &mut Row, token: &Token) -> (f32, f32) {
    let count = row.grad.len();
    let State { rates, before, after, lam, da, b, c } = state;
    let (rates, before, after) = (&rates[..count], &before[..count], &after[..count]);
    let (lam, da) = (&mut lam[..count], &mut da[..count]);
    let (step, write) = (&token.step[..count], &token.write[..count]);
    let (grad, dwrite, dstep) = (&row.grad[..count], &mut row.dwrite[..count], &mut row.dstep[..count]);
    let (db, dc) = (&mut row.db[..count], &mut row.dc[..count]);
    for i in 0..count {
        let slope = madd::<FMA>(grad[i], c, lam[i]);
        dc[i] = grad[i] * after[i];
        db[i] = slope * write[i];
        dwrite[i] = madd::<FMA>(slope, b, dwrite[i]);
        let carried = slope * exp::<FMA>(-step[i] * rates[i]);
        let e = carried * before[i];
        dstep[i] = madd::<FMA>(-e, rates[i], dstep[i]);
        da[i] = madd::<FMA>(-e, step[i], da[i]);
        lam[i] = carried;
    }
    (sum(db), sum(dc))
}

/// The gradients of one token's rows.
struct TokenGrads<'a> {
    shared: &'a mut Shared,
    x: &'a mut [f32],
    delta: &'a mut [f32],
    /// The write gate, and its gradient; none where it is tied to `delta`.
    gate: Option<(&'a [f32], &'a mut [f32])>,
}

/// Turns the sums of a token into the gradients of its rows.
#[inline(always)]
fn finish_token<const FMA: bool>(row: &Row, token: &Token, gap: f32, grads: TokenGrads<'_>) {
    let TokenGrads { shared, x: dx, delta: ddelta, gate } = grads;
    let g = gate.as_ref().map_or(&token.delta[..], |(g, _)| g);
    for i in 0..dx.len() {
        dx[i] = madd::<FMA>(g[i], row.dwrite[i], token.dskip[i] * row.grad[i]);
        ddelta[i] = row.dstep[i];
        shared.kappa[i] = madd::<FMA>(gap, row.dstep[i], shared.kappa[i]);
        shared.dskip[i] = madd::<FMA>(token.x[i], row.grad[i], shared.dskip[i]);
    }
    let dgate = match gate {
        Some((_, dg)) => dg,
        None => ddelta,
    };
    for ((dgate, x), dwrite) in dgate.iter_mut().zip(&token.x).zip(&row.dwrite) {
        *dgate = madd::<FMA>(*x, *dwrite, *dgate);
    }
}
