//! The co-operative layer (Finkelshtein et al. 2024): every node decides whether it listens and whether it speaks, and an
//! edge is read where both sides agree.
//!
//! Equations: `docs/model.md#neighborhood-attention`.

use timeweft_graph::{NodeIndex, Time};

use super::attention::TemporalAttention;
use super::layer_input::{Actions, LayerInput, Share};
use crate::model::layers::{Init, Linear};
use crate::nn::{self, Tensor, module};
use crate::{GraphContext, ModelConfig, TimeEncoder, splitmix64};

/// Attention whose neighbors are read through gates.
#[derive(Clone, Debug)]
pub struct Cooperative {
    pub(super) attention: TemporalAttention,
    cooperation: Cooperation,
}

impl Cooperative {
    /// Gates in front of the attention of a transformer.
    pub(super) fn new(init: &mut Init, config: &ModelConfig, graph: &GraphContext) -> Cooperative {
        let attention = TemporalAttention::new(init, config, graph);
        Cooperative { attention, cooperation: Cooperation::new(init, config.width, &graph.statistics.time_encoder) }
    }

    /// What the roots read, o `[Q, d]`.
    pub(super) fn attend(&self, input: &LayerInput<'_>) -> Tensor<2> {
        self.attention.attend(input, Some(self.cooperation.decide(input).gate()))
    }

    /// The shares of the neighbors, with the decisions behind each.
    pub(super) fn shares(&self, input: &LayerInput<'_>, gradient: &[f32]) -> Vec<Share> {
        let decisions = self.cooperation.decide(input);
        let shares = self.attention.shares(input, Some(decisions.gate()), gradient);
        let actions = decisions.actions().map(Some);
        shares.into_iter().zip(actions).map(|(share, actions)| Share { actions, ..share }).collect()
    }
}

/// Logits of the two decisions of a node, from its vector, the time since its last message and its degree.
///
/// A decision between two actions needs one logit: the difference of two. In training noise is added, the difference of two
/// Gumbel draws, and the gradient goes straight through the decision; in evaluation the larger logit wins.
#[derive(Clone, Debug)]
pub struct Cooperation {
    up: Linear,
    /// `[d, 2]`: listening, speaking.
    down: Linear,
}

module!(Cooperative { attention, cooperation });
module!(Cooperation { up, down });

/// The two decisions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Action {
    Listen,
    Speak,
}

impl Cooperation {
    /// For nodes' vectors of width d.
    pub fn new(init: &mut Init, d: usize, time_encoder: &TimeEncoder) -> Cooperation {
        let mut down = Linear::new(init, d, 2);
        // Gates start open: a shut neighbor has little to learn from.
        down.bias = Some(init.constant([2], 1.0));
        Cooperation { up: Linear::new(init, d + time_encoder.width() + 1, d), down }
    }

    /// What the roots and their neighbors decide.
    pub fn decide(&self, input: &LayerInput<'_>) -> Decisions {
        let LayerInput { own, entries, neighbor_row, neighborhood, time_encoder, noise: draw } = input;
        let (q, e) = (own.dims()[0], neighbor_row.len());
        let root_of = neighborhood.root_of_neighbors(e);
        let noise = |action: Action, node: NodeIndex, root: usize| {
            draw.map_or(0.0, |draw| logistic(draw, action, node, neighborhood.root_read[root]))
        };
        let listens: Vec<f32> = (0..q).map(|i| noise(Action::Listen, neighborhood.roots[i].node, i)).collect();
        let speaks = |j: usize| noise(Action::Speak, neighborhood.neighbors[j].node, root_of[j] as usize);
        let speaks: Vec<f32> = (0..e).map(speaks).collect();
        let root = [&neighborhood.root_idle[..q], &neighborhood.root_degree[..q]];
        let peer = [&neighborhood.neighbor_idle[..e], &neighborhood.neighbor_degree[..e]];
        let listens = self.act(Action::Listen, own.clone(), root, time_encoder, &listens);
        let peers = nn::gather(entries.clone(), neighbor_row);
        let speaks = self.act(Action::Speak, peers, peer, time_encoder, &speaks);
        Decisions { listens: nn::gather(listens, &root_of), speaks }
    }

    /// One decision `[n, 1]` of nodes with vectors `x [n, d]`, idle times, degrees and noise.
    fn act(
        &self,
        action: Action,
        x: Tensor<2>,
        [idle, degree]: [&[f64]; 2],
        time_encoder: &TimeEncoder,
        noise: &[f32],
    ) -> Tensor<2> {
        let n = idle.len();
        let idle = Tensor::new(time_encoder.encode(idle), [n, time_encoder.width()]);
        let degree: Vec<f32> = degree.iter().map(|degree| degree.ln_1p() as f32).collect();
        let read = nn::beside(nn::beside(x, idle), Tensor::new(degree, [n, 1]));
        let hidden = nn::silu(self.up.forward(read));
        let column = action as usize;
        let logits = nn::columns(self.down.forward(hidden), column, 1);
        nn::straight_through(logits, noise)
    }
}

/// The two decisions behind each of E neighbors, 0 or 1.
#[derive(Clone, Debug)]
pub struct Decisions {
    /// `[E, 1]`: its root listens.
    pub listens: Tensor<2>,
    /// `[E, 1]`: it speaks.
    pub speaks: Tensor<2>,
}

impl Decisions {
    /// The gate of every neighbor `[E, 1]`: both agree.
    pub fn gate(&self) -> Tensor<2> {
        self.listens.clone() * self.speaks.clone()
    }

    /// The decisions behind every neighbor.
    fn actions(&self) -> impl Iterator<Item = Actions> + use<> {
        let yes = |tensor: &Tensor<2>| tensor.values().iter().map(|x| *x > 0.5).collect::<Vec<bool>>();
        let both = yes(&self.listens).into_iter().zip(yes(&self.speaks));
        both.map(|(listens, speaks)| Actions { listens, speaks })
    }
}

/// The difference of two Gumbel draws, by a counter: the same for a node and a version of its root whatever the batch.
fn logistic(key: u64, action: Action, node: NodeIndex, read: Option<Time>) -> f32 {
    let bits = [read.map_or(0, |read| read.0 as u64), u64::from(node.0), action as u64]
        .into_iter()
        .fold(splitmix64(key), |hash, part| splitmix64(hash ^ part));
    let unit = ((bits >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    (unit / (1.0 - unit)).ln() as f32
}
