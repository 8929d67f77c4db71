//! What of a node's memory came from which of its past messages: given its gates, the state of a Mamba
//! cell is linear in what was written, so its read-out is a sum over past tokens, exactly.
//!
//! Equations: `docs/model.md#explanations`.

use timeweft_graph::{NodeIndex, Time};

use crate::model::batch::expand_for;
use crate::nn::{self, Tensor};
use crate::{Bucket, GraphContext, Htgn, Selected, Tokens};

/// A past token of a root and its part in the score.
#[derive(Clone, PartialEq, Debug)]
pub struct Recalled {
    /// Whether the root is the source of the link (else its destination).
    pub at_source: bool,
    /// When its messages were.
    pub time: Time,
    /// Positions of their facts.
    pub facts: Vec<usize>,
    /// Signed contribution: the first-order share of the margin that came through the memory of this token.
    pub contribution: f64,
}

/// The parts of one node's read-out, and what they are parts of.
#[derive(Clone, PartialEq, Debug)]
pub struct ReadOut {
    /// L: the node's tokens, oldest first.
    pub times: Vec<Time>,
    /// L: the facts of each token.
    pub facts: Vec<Vec<usize>>,
    /// L: `<weights, part of y>` of each token.
    pub parts: Vec<f64>,
    /// `<weights, y>`, by running the cell.
    pub whole: f64,
}

/// Shares `<dlogit/dm, m>` of a node out among the tokens that its memory has seen before `as_of`. `gradient` is dlogit/dm
/// `[d]`. `None` for a cell that is not linear in its past, without a past, or if messages carry
/// their peers' memory. Costs a look at all facts.
pub fn attribute(
    model: &Htgn,
    graph: &GraphContext,
    node: NodeIndex,
    as_of: Time,
    gradient: &[f32],
) -> Option<ReadOut> {
    let config = &graph.statistics.config;
    // A set of a whole batch has no time of its own to stand for, and what peers remembered is not replayed here.
    let stands_alone = config.bucket == Bucket::Exact && config.sweeps == 0;
    let memory = (config.memory && stands_alone).then_some(&model.memory)?;
    let until = graph.n_facts_before(as_of);
    let touches = |&at: &usize| graph.facts()[at].source == node || graph.facts()[at].destination == node;
    let positions: Vec<usize> = (0..until).filter(touches).collect();
    let (messages, tokens) = expand_for(graph, &positions, node);
    // Of several lives only the last is remembered.
    let last_life = *tokens.segments.len().checked_sub(2).and_then(|at| tokens.segments.get(at))? as usize;
    if tokens.node.is_empty() || tokens.gone.last() == Some(&true) {
        return None;
    }
    let time_encoder = &graph.statistics.time_encoder;
    let encoded = model.encoder.forward(&messages, None, time_encoder, model.identity.as_ref());
    let aggregated = model.aggregator.forward(encoded, &tokens, model.identity.as_ref());
    let selected = memory.cell().select(aggregated.clone(), &tokens, time_encoder)?;
    let n = tokens.node.len();
    let weights = read_out_gradient(model, &aggregated, &selected, last_life..n, gradient);
    let (parts, whole) = shares(&Plain::of(&selected, last_life..n), &weights);
    Some(ReadOut {
        times: tokens.time[last_life..].to_vec(),
        facts: facts_of(graph, &positions, &tokens).split_off(last_life),
        parts,
        whole,
    })
}

/// The facts behind each token, by time: a token holds all messages to its receiver of one time.
fn facts_of(graph: &GraphContext, positions: &[usize], tokens: &Tokens) -> Vec<Vec<usize>> {
    let mut rest = positions;
    let take = |&time: &Time| {
        let n = rest.partition_point(|&at| graph.facts()[at].time <= time);
        let (mine, later) = rest.split_at(n);
        rest = later;
        mine.to_vec()
    };
    tokens.time.iter().map(take).collect()
}

/// dlogit/dy `[D]` at the last token, through `m = rms_norm(W_r c + W_out (y z))`.
fn read_out_gradient(
    model: &Htgn,
    tokens: &Tensor<2>,
    selected: &Selected,
    life: std::ops::Range<usize>,
    gradient: &[f32],
) -> Vec<f64> {
    let plain = Plain::of(selected, life.clone());
    let [channels, _] = selected.shape();
    let last = life.end - 1;
    let row = |tensor: &Tensor<2>| nn::rows(tensor.clone(), last, 1);
    let y: Vec<f32> = plain.read_outs().last().map(|y| y.iter().map(|y| *y as f32).collect()).unwrap_or_default();
    let y = Tensor::new(y, [1, channels]).tracked();
    let m = model.memory.read_out(row(tokens), y.clone() * row(&selected.z));
    let gradient = Tensor::new(gradient.to_vec(), [1, gradient.len()]);
    let scored = nn::total(m * gradient);
    let dy = y.gradient(&scored.backward());
    dy.iter().flat_map(|dy| dy.values()).map(|x| f64::from(*x)).collect()
}

fn in_f64(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}

/// The inputs of a scan over one life, in `f64`.
struct Plain {
    channels: usize,
    states: usize,
    x: Vec<f64>,
    delta: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
    kappa: Vec<f64>,
    a: Vec<f64>,
    skip: Vec<f64>,
    gap: Vec<f64>,
}

impl Plain {
    fn of(selected: &Selected, life: std::ops::Range<usize>) -> Plain {
        let [channels, states] = selected.shape();
        let rows = |tensor: &Tensor<2>| {
            let [_, width] = tensor.dims();
            in_f64(&tensor.values()[life.start * width..life.end * width])
        };
        let gap = selected.gap[life.clone()].iter().map(|gap| f64::from(*gap)).collect();
        Plain {
            channels,
            states,
            x: rows(&selected.x),
            delta: rows(&selected.delta),
            b: rows(&selected.b),
            c: rows(&selected.c),
            kappa: in_f64(selected.kappa.values()),
            a: in_f64(selected.a.values()),
            skip: in_f64(selected.skip.values()),
            gap,
        }
    }

    fn len(&self) -> usize {
        self.gap.len()
    }

    /// exp of the decay of one state at one token.
    fn decay(&self, token: usize, channel: usize, state: usize) -> f64 {
        let step = self.delta[token * self.channels + channel] + self.kappa[channel] * self.gap[token];
        (-step * self.a[channel * self.states + state]).exp()
    }

    /// y of every token, by the recurrence.
    fn read_outs(&self) -> Vec<Vec<f64>> {
        let mut h = vec![0.0; self.channels * self.states];
        let mut rows = Vec::with_capacity(self.len());
        for token in 0..self.len() {
            let read = |channel: usize| {
                let at = token * self.channels + channel;
                let mut y = self.skip[channel] * self.x[at];
                for state in 0..self.states {
                    let h = &mut h[channel * self.states + state];
                    let b = self.b[token * self.states + state];
                    *h = self.decay(token, channel, state) * *h + self.delta[at] * self.x[at] * b;
                    y += *h * self.c[token * self.states + state];
                }
                y
            };
            rows.push((0..self.channels).map(read).collect());
        }
        rows
    }
}

/// `<weights, y_L>` as a sum over tokens: `y_L = sum_i C_L (prod_{i<l<=L} Abar_l) B_i delta_i x_i`, and the skip of the last.
fn shares(plain: &Plain, weights: &[f64]) -> (Vec<f64>, f64) {
    let last = plain.len() - 1;
    let mut parts = vec![0.0; plain.len()];
    for (channel, weight) in weights.iter().enumerate() {
        for state in 0..plain.states {
            let mut kept = weight * plain.c[last * plain.states + state];
            for token in (0..=last).rev() {
                let at = token * plain.channels + channel;
                parts[token] += kept * plain.b[token * plain.states + state] * plain.delta[at] * plain.x[at];
                kept *= plain.decay(token, channel, state);
            }
        }
        parts[last] += weight * plain.skip[channel] * plain.x[last * plain.channels + channel];
    }
    let whole = plain.read_outs()[last].iter().zip(weights).map(|(y, weight)| y * weight).sum();
    (parts, whole)
}
