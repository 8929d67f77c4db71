//! Stage 2: the messages that a node receives at one exact time are a set; their sum, or the heterogeneous transformer
//! convolution, makes one token of it.
//!
//! Equations: `docs/model.md#aggregation`.

use crate::model::identity::{self, IdentityTable};
use crate::model::layers::{Init, Linear};
use crate::model::relations::{RelationHeads, RelationTensors};
use crate::nn::{self, NeighborhoodInput, Neighbors, Outlet, Param, Tensor, module};
use crate::{Aggregation, GraphContext, ModelConfig, Tokens};

/// Sums each set, or attends over it with per-relation keys and values and a query of the receiver's type. The receiver's
/// own memory is absent on purpose: the scan over tokens stays a linear recurrence with known inputs.
#[derive(Clone, Debug)]
pub struct Aggregator {
    /// `[node types, d]`
    types: Param<2>,
    identity: Option<Linear>,
    reduction: SetReduction,
    output: Linear,
    /// Weight of `log1p(n)`: the count that the softmax removes. `[1, d]`
    count: Param<2>,
    norm: Param<1>,
}

/// How a set becomes one vector.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has one")]
enum SetReduction {
    /// The sum of its messages.
    Sum(Sum),
    /// Attention over its messages.
    Attention(SetAttention),
}

/// Has no weights.
#[derive(Clone, Debug)]
struct Sum {}

module!(Sum {});

/// A query for each set, and keys and values of each relation.
#[derive(Clone, Debug)]
struct SetAttention {
    query: Linear,
    heads: RelationHeads,
}

module!(SetAttention { query, heads });

impl SetAttention {
    /// What the sets read of their messages `[M, d]`, each of which is read once.
    fn read(&self, query: Tensor<2>, messages: Tensor<2>, tokens: &Tokens) -> Tensor<2> {
        let each: Vec<u32> = (0..messages.dims()[0] as u32).collect();
        if each.is_empty() {
            return Tensor::zeros(query.dims());
        }
        let RelationTensors { keys, values, prior } = self.heads.tensors();
        let neighbors = Neighbors {
            entry: &each,
            root_pairs: &tokens.token_pairs,
            pair_neighbors: &tokens.pair_messages,
            pair_relation: &tokens.pair_relation,
        };
        nn::neighborhood_attention(NeighborhoodInput {
            entries: messages,
            query,
            keys,
            values,
            prior,
            outlet: Outlet::None,
            edges: None,
            neighbors,
            ages: None,
        })
    }
}
module!(one of SetReduction { Sum, Attention });

impl SetReduction {
    /// One vector for each token `[G, d]`, from messages `[M, d]`, their means and the receivers `[G, d]`.
    fn forward(&self, messages: Tensor<2>, mean: &Tensor<2>, receiver: &Tensor<2>, tokens: &Tokens) -> Tensor<2> {
        match self {
            SetReduction::Attention(attention) => {
                let query = attention.query.forward(mean.clone() + receiver.clone());
                attention.read(query, messages, tokens)
            }
            SetReduction::Sum(_) => nn::segment_sum(messages, &tokens.messages),
        }
    }
}

/// G: messages of each token.
fn n_messages(tokens: &Tokens) -> impl Iterator<Item = f32> + '_ {
    tokens.messages.windows(2).map(|ends| (ends[1] - ends[0]) as f32)
}

impl Aggregator {
    /// The aggregator that a configuration asks for.
    pub fn new(init: &mut Init, config: &ModelConfig, graph: &GraphContext) -> Aggregator {
        let relations = graph.relations;
        let ModelConfig { width: d, heads: n_heads, .. } = *config;
        let attends = config.aggregation == Aggregation::Attention;
        let query = attends.then(|| Linear::new(init, d, d));
        let types = init.normal([relations.n_node_types(), d], 0.5);
        let identity = IdentityTable::role(init, config, graph);
        let mut heads = || RelationHeads::new(init, (relations, relations.len()), n_heads, [d / n_heads, d]);
        Aggregator {
            reduction: match query {
                Some(query) => SetReduction::Attention(SetAttention { query, heads: heads() }),
                None => SetReduction::Sum(Sum {}),
            },
            types,
            identity,
            output: Linear::new(init, d, d),
            count: init.normal([1, d], 0.1),
            norm: init.constant([d], 1.0),
        }
    }

    /// Messages `[M, d]` to tokens `[G, d]`. Without attention a set speaks by its sum.
    pub fn forward(&self, messages: Tensor<2>, tokens: &Tokens, identity: Option<&IdentityTable>) -> Tensor<2> {
        let g = tokens.node.len();
        let receiver = nn::gather(self.types.val(), &tokens.node_type);
        let receiver = identity::add(receiver, identity, self.identity.as_ref(), &tokens.slots);
        let mean = nn::segment_mean(messages.clone(), &tokens.messages);
        let reduced = self.reduction.forward(messages, &mean, &receiver, tokens);
        let attended = self.output.forward(reduced);
        let sizes: Vec<f32> = n_messages(tokens).map(f32::ln_1p).collect();
        let sizes = nn::linear(Tensor::new(sizes, [g, 1]), self.count.val(), None);
        nn::rms_norm(attended + mean + receiver + sizes, self.norm.val())
    }
}

module!(Aggregator { types, identity, reduction, output, count, norm });
