use std::ops::Range;
use std::sync::Arc;

use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::offsets::{check_offsets, segment};
use super::tape::Gradient;
use super::tensor::Tensor;
use super::typed_linear::{Matrix, Product, multiply};

/// The inputs of [`gated_recurrence`]: T tokens, D channels, S segments.
#[derive(Clone, Debug)]
pub struct RecurrenceInput<'a> {
    /// `[T, 3 D]`: what each token brings to the reset gate, the keep gate and the candidate, biases included.
    pub x: Tensor<2>,
    /// `[D, 3 D]`: what the state brings to the same.
    pub u: Tensor<2>,
    /// `[D]`: bias of the state's part of the candidate.
    pub bias: Tensor<1>,
    /// `[S, D]`: the state of each segment before its first token.
    pub h0: Tensor<2>,
    /// S + 1 offsets into the tokens; a segment holds the tokens of one node in order of time.
    pub segments: &'a [u32],
}

/// The segmented gated recurrent unit (Cho et al. 2014, with the reset gate behind the product):
///
/// `r = sigma(x_r + h U_r)`, `z = sigma(x_z + h U_z)`, `n = tanh(x_n + r (h U_n + bias))`, `h = (1 - z) n + z h` for each
/// token of a segment, from `h0`. Returns h after every token `[T, D]`; gradients flow back to every input.
///
/// # Panics
/// If the shapes or offsets do not agree.
pub fn gated_recurrence(input: RecurrenceInput<'_>) -> Tensor<2> {
    let RecurrenceInput { x, u, bias, h0, segments } = input;
    let ([tokens, wide], [channels, _]) = (x.dims(), u.dims());
    check_offsets("gated_recurrence", segments, tokens);
    assert_eq!(wide, 3 * channels, "gated_recurrence: the width of x");
    assert_eq!(u.dims(), [channels, 3 * channels], "gated_recurrence: the shape of u");
    assert_eq!(bias.dims(), [channels], "gated_recurrence: the shape of bias");
    assert_eq!(h0.dims(), [segments.len() - 1, channels], "gated_recurrence: the shape of h0");
    let kernel = Recurrence { channels, segments: segments.into(), steps: Steps::of(segments).into() };
    apply(kernel, [x.any(), u.any(), bias.any(), h0.any()], [tokens, channels])
}

/// Segments go side by side, one token of each a step: the longest first, so that those still running are a prefix.
#[derive(Debug)]
struct Steps {
    /// Segments by falling length.
    order: Vec<usize>,
    /// How many segments have a token at each step.
    running: Vec<usize>,
}

impl Steps {
    fn of(segments: &[u32]) -> Steps {
        let length = |s: usize| segment(segments, s).len();
        let mut order: Vec<usize> = (0..segments.len() - 1).collect();
        order.sort_by_key(|&s| std::cmp::Reverse(length(s)));
        let longest = order.first().map_or(0, |&s| length(s));
        let running = (0..longest).map(|step| order.partition_point(|&s| length(s) > step)).collect();
        Steps { order, running }
    }
}

struct Recurrence {
    channels: usize,
    segments: Arc<[u32]>,
    steps: Arc<Steps>,
}

/// What the backward pass needs of every token.
#[derive(Debug, Default)]
struct Gates {
    /// `[T, D]` each: reset gate, keep gate, candidate, and the state's part of the candidate.
    reset: Vec<f32>,
    keep: Vec<f32>,
    candidate: Vec<f32>,
    part: Vec<f32>,
    /// `[T, D]`: the state before the token.
    before: Vec<f32>,
}

impl Recurrence {
    fn tokens(&self) -> usize {
        self.segments.last().map_or(0, |last| *last as usize)
    }

    /// The tokens of a step, in the order of the running segments.
    fn at(&self, step: usize) -> impl Iterator<Item = usize> {
        let running = &self.steps.order[..self.steps.running[step]];
        running.iter().map(move |&s| self.segments[s] as usize + step)
    }

    fn row(&self, token: usize) -> Range<usize> {
        token * self.channels..(token + 1) * self.channels
    }

    /// The state of every segment, in the order of the steps.
    fn start(&self, h0: &[f32]) -> Vec<f32> {
        self.steps.order.iter().flat_map(|&s| &h0[self.row(s)]).copied().collect()
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl Kernel for Recurrence {
    type Saved = Gates;

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, Gates) {
        let [x, u, bias, h0] = inputs else { return (Buffer::zeros(0), Gates::default()) };
        let (d, size) = (self.channels, self.tokens() * self.channels);
        let row = || vec![0.0; size];
        let mut gates = Gates { reset: row(), keep: row(), candidate: row(), part: row(), before: row() };
        let mut out = row();
        let mut state = self.start(h0);
        let mut brought = vec![0.0; self.steps.order.len() * 3 * d];
        for (step, &n) in self.steps.running.iter().enumerate() {
            let left = Matrix { values: &state, row: d, column: 1 };
            let right = Matrix { values: u, row: 3 * d, column: 1 };
            let product = Product { values: &mut brought, row: 3 * d, adds: false };
            multiply([n, d, 3 * d], left, right, product);
            for (i, token) in self.at(step).enumerate() {
                let (x, brought) = (&x[token * 3 * d..][..3 * d], &brought[i * 3 * d..][..3 * d]);
                for c in 0..d {
                    let at = token * d + c;
                    let before = state[i * d + c];
                    let part = brought[2 * d + c] + bias[c];
                    let (reset, keep) = (sigmoid(x[c] + brought[c]), sigmoid(x[d + c] + brought[d + c]));
                    let candidate = (x[2 * d + c] + reset * part).tanh();
                    let after = (1.0 - keep) * candidate + keep * before;
                    (gates.reset[at], gates.keep[at], gates.candidate[at]) = (reset, keep, candidate);
                    (gates.part[at], gates.before[at], out[at]) = (part, before, after);
                    state[i * d + c] = after;
                }
            }
        }
        (out.into(), gates)
    }

    fn backward(&self, inputs: &[&[f32]], gates: &Gates, grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let (d, n_tokens, n_segments) = (self.channels, self.tokens(), self.steps.order.len());
        let mut dx = vec![0.0; n_tokens * 3 * d];
        // As dx, but the last part is that of `h U_n + bias`.
        let mut dbrought = vec![0.0; n_tokens * 3 * d];
        let mut dbias = vec![0.0; d];
        let mut carried = vec![0.0; n_segments * d];
        let mut rows = vec![0.0; n_segments * 3 * d];
        for (step, &n) in self.steps.running.iter().enumerate().rev() {
            for (i, token) in self.at(step).enumerate() {
                for c in 0..d {
                    let at = token * d + c;
                    let (reset, keep, candidate) = (gates.reset[at], gates.keep[at], gates.candidate[at]);
                    let dh = grad[at] + carried[i * d + c];
                    let dcandidate = dh * (1.0 - keep) * (1.0 - candidate * candidate);
                    let dreset = dcandidate * gates.part[at] * reset * (1.0 - reset);
                    let dkeep = dh * (gates.before[at] - candidate) * keep * (1.0 - keep);
                    let all = [dreset, dkeep, dcandidate];
                    (0..3).for_each(|k| dx[token * 3 * d + k * d + c] = all[k]);
                    let all = [dreset, dkeep, dcandidate * reset];
                    (0..3).for_each(|k| rows[i * 3 * d + k * d + c] = all[k]);
                    dbias[c] += dcandidate * reset;
                    carried[i * d + c] = dh * keep;
                }
                dbrought[token * 3 * d..][..3 * d].copy_from_slice(&rows[i * 3 * d..][..3 * d]);
            }
            let left = Matrix { values: &rows, row: 3 * d, column: 1 };
            let right = Matrix { values: inputs[1], row: 1, column: 3 * d };
            let product = Product { values: &mut carried, row: d, adds: true };
            multiply([n, 3 * d, d], left, right, product);
        }
        let mut du = vec![0.0; d * 3 * d];
        let left = Matrix { values: &gates.before, row: 1, column: d };
        let right = Matrix { values: &dbrought, row: 3 * d, column: 1 };
        let product = Product { values: &mut du, row: 3 * d, adds: false };
        multiply([d, n_tokens, 3 * d], left, right, product);
        let mut dh0 = vec![0.0; n_segments * d];
        for (&s, row) in self.steps.order.iter().zip(carried.chunks_exact(d.max(1))) {
            dh0[self.row(s)].copy_from_slice(row);
        }
        vec![dx.into(), du.into(), dbias.into(), dh0.into()]
    }
}
