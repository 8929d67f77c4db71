//! The slot for layers: what every layer of the graph network can be asked.

use super::attention::TemporalAttention;
use super::cooperation::Cooperative;
use super::layer_input::{LayerInput, Share};
use crate::model::layers::{FeedForward, Init};
use crate::nn::{Tensor, module};
use crate::{GnnKind, GraphContext, ModelConfig};

/// One layer: from the vectors of roots and of their neighbors to new vectors of the roots.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has one or two")]
pub enum Layer {
    /// Attention over the neighbors.
    Transformer(TemporalAttention),
    /// The same, over those neighbors that both sides agree on.
    Cooperative(Cooperative),
    /// The roots' own vectors alone.
    Own(Own),
}

/// Reads no neighbors.
#[derive(Clone, Debug)]
pub struct Own {
    feed_forward: FeedForward,
}

module!(one of Layer { Transformer, Cooperative, Own });
module!(Own { feed_forward });

impl GnnKind {
    /// Whether roots read their neighbors.
    pub fn reads_neighbors(self) -> bool {
        match self {
            GnnKind::Transformer | GnnKind::Cooperative => true,
            GnnKind::None => false,
        }
    }

    /// Whether a layer reads how many edges nodes have, and how long they are idle.
    pub(crate) fn reads_activity(self) -> bool {
        match self {
            GnnKind::Cooperative => true,
            GnnKind::Transformer | GnnKind::None => false,
        }
    }
}

impl Layer {
    /// The layer that a configuration asks for.
    pub(crate) fn new(init: &mut Init, config: &ModelConfig, graph: &GraphContext) -> Layer {
        match config.gnn {
            GnnKind::Transformer => Layer::Transformer(TemporalAttention::new(init, config, graph)),
            GnnKind::Cooperative => Layer::Cooperative(Cooperative::new(init, config, graph)),
            GnnKind::None => Layer::Own(Own { feed_forward: FeedForward::new(init, config.width) }),
        }
    }

    /// New vectors of the roots `[Q, d]`.
    pub fn forward(&self, input: LayerInput<'_>) -> Tensor<2> {
        match self {
            Layer::Own(layer) => layer.feed_forward.forward(input.own),
            Layer::Transformer(_) | Layer::Cooperative(_) => {
                let attended = self.attend(&input);
                self.finish(input.own, attended)
            }
        }
    }

    /// What the roots read from their neighbors, o `[Q, d]`.
    pub fn attend(&self, input: &LayerInput<'_>) -> Tensor<2> {
        match self {
            Layer::Transformer(layer) => layer.attend(input, None),
            Layer::Cooperative(layer) => layer.attend(input),
            Layer::Own(_) => Tensor::zeros(input.own.dims()),
        }
    }

    /// New vectors `[Q, d]` from own ones and what was read.
    pub fn finish(&self, own: Tensor<2>, attended: Tensor<2>) -> Tensor<2> {
        let feed_forward = match self {
            Layer::Transformer(layer) => &layer.feed_forward,
            Layer::Cooperative(layer) => &layer.attention.feed_forward,
            Layer::Own(layer) => &layer.feed_forward,
        };
        feed_forward.forward(own + attended)
    }

    /// How `<gradient, o>`, with a gradient `[Q, d]`, is shared out among the E neighbors; nothing for a layer that reads
    /// none. Given the attention, o is linear in the neighbors.
    pub(crate) fn shares(&self, input: &LayerInput<'_>, gradient: &[f32]) -> Vec<Share> {
        match self {
            Layer::Transformer(layer) => layer.shares(input, None, gradient),
            Layer::Cooperative(layer) => layer.shares(input, gradient),
            Layer::Own(_) => Vec::new(),
        }
    }
}
