use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::lanes::{axpy, dot, exp, exp_row, madd, multiversion};
use super::offsets::{check_offsets, cut, groups, segment};
use super::tape::Gradient;
use super::tensor::Tensor;

/// Tokens in one task.
const TOKENS: usize = 256;

/// Which tokens a root attends to: a root owns a run of pairs, a pair (root, relation) owns a run of tokens.
#[derive(Clone, Debug)]
pub struct AttentionLayout {
    /// Q + 1 offsets into the pairs.
    pub root_pairs: Arc<[u32]>,
    /// P + 1 offsets into the tokens.
    pub pair_tokens: Arc<[u32]>,
}

/// The weights of [`attention_weights`].
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionWeights {
    /// The weight of every token and head, `[E, H]`.
    pub tokens: Vec<f32>,
    /// The weight of the sink of every root and head, `[Q, H]`; 0 without a sink.
    pub sinks: Vec<f32>,
    /// With gates, the weight of every token and head before its gate, `[E, H]`; else empty.
    pub open: Vec<f32>,
}

/// Attention of a root over its neighbor tokens of all relations, in absorbed form and with a sink.
///
/// - `qa [P, H, F]`: one query a pair (root, relation) and head, already multiplied by the key map of the relation and
///   scaled;
/// - `tokens [E, F]`;
/// - `mu [P, H]`: a bias a pair and head;
/// - `outlet`: with a sink, the score of attending to nothing; without it a root without tokens has context 0.
///
/// With the softmax taken over all tokens of the root and its sink, `alpha_jh = softmax(qa_ph . f_j + mu_ph)`, the
/// result is `ctx [P, H, F]`, `ctx_ph = sum over j in p of alpha_jh f_j`. Without a sink and with one root a group this
/// is the attention of set aggregation.
///
/// # Panics
/// If the shapes or offsets do not agree.
pub fn temporal_attention(
    qa: Tensor<3>,
    tokens: Tensor<2>,
    mu: Tensor<2>,
    outlet: Outlet,
    layout: &AttentionLayout,
) -> Tensor<3> {
    let kernel = Attention::new(&qa, &tokens, &mu, &outlet, layout);
    let shape = qa.dims();
    let (qa, tokens, mu) = (qa.any(), tokens.any(), mu.any());
    match outlet {
        Outlet::None => apply(kernel, [qa, tokens, mu], shape),
        Outlet::Sink(sink) => apply(kernel, [qa, tokens, mu, sink.any()], shape),
        Outlet::Gated { sink, gate } => apply(kernel, [qa, tokens, mu, sink.any(), gate.any()], shape),
    }
}

/// Where attention may go besides the tokens.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "made once a pass and taken apart")]
pub enum Outlet {
    /// Nowhere: the weights of a root's tokens sum to 1.
    None,
    /// `[Q, H]`: the score of attending to nothing.
    Sink(Tensor<2>),
    /// A sink, and a gate a token `[E, 1]` that multiplies its `exp(score)`: 0 shuts it out, and its gradient is defined
    /// there too, so a shut token can open again.
    Gated {
        /// `[Q, H]`
        sink: Tensor<2>,
        /// `[E, 1]`
        gate: Tensor<2>,
    },
}

impl Outlet {
    /// The sink and the gates.
    pub(super) fn parts(self) -> (Option<Tensor<2>>, Option<Tensor<2>>) {
        match self {
            Outlet::None => (None, None),
            Outlet::Sink(sink) => (Some(sink), None),
            Outlet::Gated { sink, gate } => (Some(sink), Some(gate)),
        }
    }
}

/// The weights that [`temporal_attention`] gives on the same inputs, by the same code.
///
/// # Panics
/// As [`temporal_attention`].
pub fn attention_weights(
    qa: Tensor<3>,
    tokens: Tensor<2>,
    mu: Tensor<2>,
    outlet: Outlet,
    layout: &AttentionLayout,
) -> AttentionWeights {
    let kernel = Attention::new(&qa, &tokens, &mu, &outlet, layout);
    let (sink, gate) = outlet.parts();
    let inputs = [qa.values(), tokens.values(), mu.values()].into_iter();
    let inputs: Vec<&[f32]> = inputs.chain([&sink, &gate].into_iter().flatten().map(Tensor::values)).collect();
    kernel.forward(&inputs, true).1
}

/// Position of the gate among the inputs.
const GATE: usize = 4;

struct Attention {
    heads: usize,
    width: usize,
    layout: AttentionLayout,
}

impl Attention {
    fn new(qa: &Tensor<3>, tokens: &Tensor<2>, mu: &Tensor<2>, outlet: &Outlet, layout: &AttentionLayout) -> Self {
        let ([pairs, heads, width], [count, token_width]) = (qa.dims(), tokens.dims());
        assert_eq!(token_width, width, "temporal_attention: the width of qa and tokens");
        assert_eq!(mu.dims(), [pairs, heads], "temporal_attention: the shape of mu");
        check_offsets("temporal_attention", &layout.root_pairs, pairs);
        check_offsets("temporal_attention", &layout.pair_tokens, count);
        if let Outlet::Gated { gate, .. } = outlet {
            assert_eq!(gate.dims(), [count, 1], "temporal_attention: the shape of gate");
        }
        if let Outlet::Sink(sink) | Outlet::Gated { sink, .. } = outlet {
            assert_eq!(sink.dims(), [layout.root_pairs.len() - 1, heads], "temporal_attention: the shape of sink");
        }
        Self { heads, width, layout: layout.clone() }
    }

    fn pairs(&self, roots: &Range<usize>) -> Range<usize> {
        let pairs = &self.layout.root_pairs;
        pairs[roots.start] as usize..pairs[roots.end] as usize
    }

    fn tokens(&self, roots: &Range<usize>) -> Range<usize> {
        let (pairs, tokens) = (self.pairs(roots), &self.layout.pair_tokens);
        tokens[pairs.start] as usize..tokens[pairs.end] as usize
    }

    /// How many tokens of some roots have a gate: all or none.
    fn gates(&self, roots: &Range<usize>, inputs: &[&[f32]]) -> usize {
        if inputs.len() > GATE { self.tokens(roots).len() } else { 0 }
    }

    /// Groups of whole roots of similar work.
    fn tasks(&self) -> Vec<Range<usize>> {
        let tokens = &self.layout.pair_tokens;
        let work: Vec<u32> = self
            .layout
            .root_pairs
            .iter()
            .enumerate()
            .map(|(root, &pair)| tokens[pair as usize] + root as u32)
            .collect();
        groups(&work, TOKENS)
    }
}

impl Kernel for Attention {
    type Saved = AttentionWeights;

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, AttentionWeights) {
        let (heads, width, tasks) = (self.heads, self.width, self.tasks());
        let (roots, pairs) = (self.layout.root_pairs.len() - 1, self.layout.pair_tokens.len() - 1);
        let mut ctx = Buffer::zeros(pairs * heads * width);
        let mut alpha = vec![0.0; self.tokens(&(0..roots)).len() * heads];
        let mut sinks = vec![0.0; roots * heads];
        let ctxs = cut(&mut ctx, tasks.iter().map(|roots| self.pairs(roots).len() * heads * width));
        let mut open = vec![0.0; if inputs.len() > GATE { alpha.len() } else { 0 }];
        let sink_parts = cut(&mut sinks, tasks.iter().map(|roots| roots.len() * heads));
        let opens = cut(&mut open, tasks.iter().map(|roots| self.gates(roots, inputs) * heads));
        let alphas = cut(&mut alpha, tasks.iter().map(|roots| self.tokens(roots).len() * heads));
        let parts = tasks.into_par_iter().zip(ctxs).zip(alphas).zip(sink_parts).zip(opens);
        parts.for_each(|((((roots, ctx), alpha), sinks), open)| {
            attend(self, roots, inputs, ctx, Weights { alpha, sinks, open });
        });
        (ctx, AttentionWeights { tokens: alpha, sinks, open })
    }

    fn backward(&self, inputs: &[&[f32]], saved: &AttentionWeights, grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let (heads, width, tasks) = (self.heads, self.width, self.tasks());
        let mut grads: Vec<Buffer> = inputs.iter().map(|input| Buffer::zeros(input.len())).collect();
        let mut unused = [Buffer::zeros(0), Buffer::zeros(0)];
        let [dqa, df, dmu, rest @ ..] = grads.as_mut_slice() else { return Vec::new() };
        let [no_sink, no_gate] = &mut unused;
        let (dsink, dgate) = match rest {
            [] => (no_sink, no_gate),
            [sink] => (sink, no_gate),
            [sink, gate, ..] => (sink, gate),
        };
        let with_sink = !dsink.is_empty();
        let dqas = cut(dqa, tasks.iter().map(|roots| self.pairs(roots).len() * heads * width));
        let dfs = cut(df, tasks.iter().map(|roots| self.tokens(roots).len() * width));
        let dmus = cut(dmu, tasks.iter().map(|roots| self.pairs(roots).len() * heads));
        let dsinks = cut(dsink, tasks.iter().map(|roots| if with_sink { roots.len() * heads } else { 0 }));
        let dgates = cut(dgate, tasks.iter().map(|roots| self.gates(roots, inputs)));
        let parts = tasks.into_par_iter().zip(dqas).zip(dfs).zip(dmus).zip(dsinks).zip(dgates);
        parts.for_each(|(((((roots, qa), tokens), mu), sink), gate)| {
            attend_backward(self, roots, inputs, saved, grad, Parts { qa, tokens, mu, sink, gate });
        });
        grads.into_iter().map(Gradient::Dense).collect()
    }
}

/// The gradients of the inputs of some roots.
struct Parts<'a> {
    qa: &'a mut [f32],
    tokens: &'a mut [f32],
    mu: &'a mut [f32],
    sink: &'a mut [f32],
    gate: &'a mut [f32],
}

/// The weights of some roots.
struct Weights<'a> {
    alpha: &'a mut [f32],
    sinks: &'a mut [f32],
    open: &'a mut [f32],
}

multiversion! {
    fn attend(
        a: &Attention, roots: Range<usize>, inputs: &[&[f32]], ctx: &mut [f32], weights: Weights<'_>,
    ) = attend_body
}

#[inline(always)]
fn attend_body<const FMA: bool>(
    a: &Attention,
    roots: Range<usize>,
    inputs: &[&[f32]],
    ctx: &mut [f32],
    weights: Weights<'_>,
) {
    let (heads, width) = (a.heads, a.width);
    let Weights { alpha, sinks, open } = weights;
    let (qa, f, mu, sink, gate) = (inputs[0], inputs[1], inputs[2], inputs.get(3), inputs.get(GATE));
    let (first_pair, first_token) = (a.pairs(&roots).start, a.tokens(&roots).start);
    for (i, root) in roots.enumerate() {
        let tokens = a.tokens(&(root..root + 1));
        let alpha = &mut alpha[(tokens.start - first_token) * heads..(tokens.end - first_token) * heads];
        for pair in segment(&a.layout.root_pairs, root) {
            for j in segment(&a.layout.pair_tokens, pair) {
                let token = &f[j * width..][..width];
                for h in 0..heads {
                    let at = pair * heads + h;
                    alpha[(j - tokens.start) * heads + h] = dot::<FMA>(&qa[at * width..][..width], token) + mu[at];
                }
            }
        }
        let scores = sink.map(|sink| &sink[root * heads..][..heads]);
        let sinks = &mut sinks[i * heads..][..heads];
        match gate {
            None => softmax::<FMA>(alpha, scores, sinks, None),
            Some(gate) => {
                let own = (tokens.start - first_token) * heads..(tokens.end - first_token) * heads;
                softmax::<FMA>(alpha, scores, sinks, Some((&gate[tokens.clone()], &mut open[own])));
            }
        }
        for pair in segment(&a.layout.root_pairs, root) {
            let ctx = &mut ctx[(pair - first_pair) * heads * width..][..heads * width];
            for j in segment(&a.layout.pair_tokens, pair) {
                let alpha = &alpha[(j - tokens.start) * heads..][..heads];
                for (ctx, &alpha) in ctx.chunks_exact_mut(width.max(1)).zip(alpha) {
                    axpy::<FMA>(ctx, alpha, &f[j * width..][..width]);
                }
            }
        }
    }
}

/// Turns scores `[tokens, heads]` into weights a head, together with the score of the sink. With gates, the weights before
/// the gates are kept beside.
#[inline(always)]
fn softmax<const FMA: bool>(
    scores: &mut [f32],
    sink: Option<&[f32]>,
    sink_weights: &mut [f32],
    gates: Option<(&[f32], &mut [f32])>,
) {
    let heads = sink_weights.len();
    for (h, sink_weight) in sink_weights.iter_mut().enumerate() {
        let mut top = sink.map_or(f32::NEG_INFINITY, |sink| sink[h]);
        for score in scores.iter().skip(h).step_by(heads) {
            // A NaN must survive: `max` would hide it.
            top = if *score <= top { top } else { *score };
        }
        // With every score at minus infinity there is nothing to attend to: all weights are 0, not NaN.
        let top = if top == f32::NEG_INFINITY { 0.0 } else { top };
        for score in scores.iter_mut().skip(h).step_by(heads) {
            *score -= top;
        }
        *sink_weight = sink.map_or(0.0, |sink| exp::<FMA>(sink[h] - top));
    }
    exp_row::<FMA>(scores);
    let mut open = gates.map(|(gates, open)| {
        open.copy_from_slice(scores);
        for (scores, gate) in scores.chunks_exact_mut(heads).zip(gates) {
            scores.iter_mut().for_each(|score| *score *= gate);
        }
        open
    });
    for (h, sink_weight) in sink_weights.iter_mut().enumerate() {
        let total: f32 = scores.iter().skip(h).step_by(heads).sum::<f32>() + *sink_weight;
        let scale = if total == 0.0 { 0.0 } else { 1.0 / total };
        *sink_weight *= scale;
        for score in scores.iter_mut().skip(h).step_by(heads) {
            *score *= scale;
        }
        if let Some(open) = &mut open {
            open.iter_mut().skip(h).step_by(heads).for_each(|open| *open *= scale);
        }
    }
}

multiversion! {
    fn attend_backward(
        a: &Attention, roots: Range<usize>, inputs: &[&[f32]], saved: &AttentionWeights, grad: &[f32], out: Parts<'_>,
    ) = attend_backward_body
}

#[inline(always)]
fn attend_backward_body<const FMA: bool>(
    a: &Attention,
    roots: Range<usize>,
    inputs: &[&[f32]],
    saved: &AttentionWeights,
    grad: &[f32],
    out: Parts<'_>,
) {
    let (heads, width) = (a.heads, a.width);
    let (qa, f) = (inputs[0], inputs[1]);
    let (first_pair, first_token) = (a.pairs(&roots).start, a.tokens(&roots).start);
    let mut mean = vec![0.0; heads];
    let mut slopes = Vec::new();
    for (i, root) in roots.enumerate() {
        let tokens = a.tokens(&(root..root + 1));
        slopes.clear();
        slopes.resize(tokens.len() * heads, 0.0);
        mean.fill(0.0);
        for pair in segment(&a.layout.root_pairs, root) {
            for j in segment(&a.layout.pair_tokens, pair) {
                let token = &f[j * width..][..width];
                for (h, mean) in mean.iter_mut().enumerate() {
                    let slope = dot::<FMA>(&grad[(pair * heads + h) * width..][..width], token);
                    slopes[(j - tokens.start) * heads + h] = slope;
                    *mean = madd::<FMA>(saved.tokens[j * heads + h], slope, *mean);
                }
            }
        }
        if !out.sink.is_empty() {
            let dsink = &mut out.sink[i * heads..][..heads];
            for ((dsink, alpha), mean) in dsink.iter_mut().zip(&saved.sinks[root * heads..]).zip(&mean) {
                *dsink = -alpha * mean;
            }
        }
        for pair in segment(&a.layout.root_pairs, root) {
            for j in segment(&a.layout.pair_tokens, pair) {
                let token = &f[j * width..][..width];
                let dtoken = &mut out.tokens[(j - first_token) * width..][..width];
                if let Some(dgate) = out.gate.get_mut(j - first_token) {
                    for (h, mean) in mean.iter().enumerate() {
                        let slope = slopes[(j - tokens.start) * heads + h] - mean;
                        *dgate = madd::<FMA>(saved.open[j * heads + h], slope, *dgate);
                    }
                }
                for (h, mean) in mean.iter().enumerate() {
                    let (at, here) = (pair * heads + h, (pair - first_pair) * heads + h);
                    let alpha = saved.tokens[j * heads + h];
                    let ds = alpha * (slopes[(j - tokens.start) * heads + h] - mean);
                    out.mu[here] += ds;
                    axpy::<FMA>(&mut out.qa[here * width..][..width], ds, token);
                    let (grad, qa) = (&grad[at * width..][..width], &qa[at * width..][..width]);
                    for ((d, grad), qa) in dtoken.iter_mut().zip(grad).zip(qa) {
                        *d = madd::<FMA>(ds, *qa, madd::<FMA>(alpha, *grad, *d));
                    }
                }
            }
        }
    }
}
