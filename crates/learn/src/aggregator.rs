//! Stage 2: the messages that a node receives at one exact time are a set; the heterogeneous transformer convolution
//! makes one token of it (specification 2.2).

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::identity::{self, Identity};
use crate::layers::{Init, Linear, constant};
use crate::relations::{RelationHeads, Structure};
use crate::{Relations, Tokens, nn};

/// Attends over each set with per-relation keys and values and a query of the receiver's type. The receiver's own
/// memory is absent on purpose: the scan over tokens stays a linear recurrence with known inputs.
#[derive(Module, Debug)]
pub struct Aggregator {
    query: Linear,
    /// `[node types, d]`
    types: Param<Tensor<2>>,
    identity: Option<Linear>,
    heads: RelationHeads,
    output: Linear,
    /// Weight of `log1p(n)`: the count that the softmax removes. `[1, d]`
    count: Param<Tensor<2>>,
    norm: Param<Tensor<1>>,
}

impl Aggregator {
    /// For messages of width d.
    pub fn new(init: &mut Init, d: usize, n_heads: usize, relations: Relations, slots: usize) -> Aggregator {
        Aggregator {
            query: Linear::new(init, d, d),
            types: init.normal([relations.n_node_types(), d], 0.5),
            identity: Identity::role(init, slots, d),
            heads: RelationHeads::new(init, relations.len(), n_heads, d / n_heads, d),
            output: Linear::new(init, d, d),
            count: init.normal([1, d], 0.1),
            norm: init.constant([d], 1.0),
        }
    }

    /// Messages `[M, d]` to tokens `[G, d]`.
    pub fn forward(&self, messages: Tensor<2>, tokens: &Tokens, identity: Option<&Identity>) -> Tensor<2> {
        let g = tokens.node.len();
        let receiver = nn::gather(self.types.val(), &tokens.node_type);
        let receiver = identity::add(receiver, identity, self.identity.as_ref(), &tokens.slots);
        let mean = nn::segment_mean(messages.clone(), &tokens.messages);
        let query = self.query.forward(mean.clone() + receiver.clone());
        let structure = Structure {
            root_pairs: &tokens.token_pairs,
            pair_tokens: &tokens.pair_messages,
            pair_relation: &tokens.pair_relation,
        };
        let attended = self.output.forward(self.heads.attend(query, messages, None, &structure));
        let sizes = tokens.messages.windows(2).map(|ends| f64::from(ends[1] - ends[0]).ln_1p() as f32).collect();
        let sizes = constant(sizes, [g, 1], &attended.device());
        nn::rms_norm(attended + mean + receiver + sizes.matmul(self.count.val()), self.norm.val())
    }
}
