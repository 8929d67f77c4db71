//! Temporal attention over the neighbors of each root, with weights of each relation and a sink.
//!
//! Equations: `docs/model.md#neighborhood-attention`.

use super::layer_input::{LayerInput, Share};
use crate::model::layers::{FeedForward, Init, Linear, TypedProjection};
use crate::model::relations::{RelationHeads, RelationTensors};
use crate::nn::{self, Ages, NeighborhoodInput, Neighbors, Outlet, Param, Tensor, module};
use crate::{GraphContext, ModelConfig, Neighborhood, TrainStatistics};

/// Width that edge features are projected to.
const EDGE_WIDTH: usize = 16;

/// Attention with a sink: "no useful neighbor" and degree 0 are well defined.
#[derive(Clone, Debug)]
pub struct TemporalAttention {
    edges: TypedProjection,
    query: Linear,
    /// Query of each root's type `[node types, d]`.
    types: Param<2>,
    /// Sink score of each root type and head `[node types, H]`.
    sink: Param<2>,
    heads: RelationHeads,
    output: Linear,
    pub(super) feed_forward: FeedForward,
}

module!(TemporalAttention { edges, query, types, sink, heads, output, feed_forward });

impl TemporalAttention {
    /// Over the relations that are edges.
    pub(super) fn new(init: &mut Init, config: &ModelConfig, graph: &GraphContext) -> TemporalAttention {
        let ModelConfig { width: d, heads: n_heads, .. } = *config;
        let (relations, TrainStatistics { featurizer, time_encoder, .. }) = (graph.relations, &graph.statistics);
        let edges = TypedProjection::new(init, &featurizer.edge_widths(), EDGE_WIDTH);
        let f = d + time_encoder.width() + if edges.is_empty() { 0 } else { EDGE_WIDTH };
        TemporalAttention {
            edges,
            query: Linear::new(init, d, d),
            types: init.normal([relations.n_node_types(), d], 0.1),
            sink: init.constant([relations.n_node_types(), n_heads], 0.0),
            heads: RelationHeads::new(init, (relations, relations.n_edges()), n_heads, [d / n_heads, f]),
            output: Linear::new(init, d, d),
            feed_forward: FeedForward::new(init, d),
        }
    }

    /// What the roots read, o `[Q, d]`, each neighbor through its gate `[E, 1]`, if there are gates.
    pub(super) fn attend(&self, input: &LayerInput<'_>, gate: Option<Tensor<2>>) -> Tensor<2> {
        let read = self.read(input, gate);
        let heads = if read.neighbors.entry.is_empty() {
            Tensor::zeros(read.query.dims())
        } else {
            nn::neighborhood_attention(read)
        };
        self.output.forward(heads)
    }

    fn read<'a>(&self, input: &LayerInput<'a>, gate: Option<Tensor<2>>) -> NeighborhoodInput<'a> {
        let LayerInput { own, entries, neighbor_row, neighborhood, time_encoder, .. } = input;
        let (q, e) = (own.dims()[0], neighbor_row.len());
        let root_type = &neighborhood.root_type[..q];
        let query = self.query.forward(own.clone()) + nn::gather(self.types.val(), root_type);
        let sink = nn::gather(self.sink.val(), root_type);
        let outlet = match gate {
            Some(gate) => Outlet::Gated { sink, gate },
            None => Outlet::Sink(sink),
        };
        let edges = (!self.edges.is_empty()).then(|| {
            let edges = self.edges.forward(&neighborhood.edge_features, neighborhood.neighbors.len());
            let edges = edges.map(|edges| nn::rows(edges, 0, e));
            edges.unwrap_or_else(|| Tensor::zeros([e, EDGE_WIDTH]))
        });
        let RelationTensors { keys, values, prior } = self.heads.tensors();
        NeighborhoodInput {
            entries: entries.clone(),
            query,
            keys,
            values,
            prior,
            outlet,
            edges,
            neighbors: neighborhood.first(q, neighbor_row),
            ages: Some(Ages {
                gap: &neighborhood.neighbor_gap[..e],
                frequencies: &time_encoder.frequencies,
                scale: time_encoder.scale,
            }),
        }
    }

    /// `c_j = <gradient, W_O concat_h(alpha_jh W_V f_j)>` of every neighbor j.
    pub(super) fn shares(&self, input: &LayerInput<'_>, gate: Option<Tensor<2>>, gradient: &[f32]) -> Vec<Share> {
        let read = self.read(input, gate);
        let neighbors = read.neighbors;
        if neighbors.entry.is_empty() {
            return Vec::new();
        }
        let tokens = tokens(&read, input);
        let through = Through::new(gradient, &self.output.weight.val(), self.heads.value_weights());
        let attention = nn::neighborhood_weights(read).neighbors;
        let [_, n_heads, f, _] = through.shape;
        let mut shares = Vec::with_capacity(neighbors.entry.len());
        for (pair, ends) in neighbors.pair_neighbors.windows(2).enumerate() {
            let (relation, root) = (neighbors.pair_relation[pair], input.neighborhood.pair_root[pair]);
            for j in ends[0] as usize..ends[1] as usize {
                let attention = attention[j * n_heads..(j + 1) * n_heads].to_vec();
                let token = &tokens[j * f..(j + 1) * f];
                let contribution = through.contribution(root, relation, &attention, token);
                shares.push(Share { attention, actions: None, contribution });
            }
        }
        shares
    }
}

/// The tokens of the neighbors `[E, F]`: only explanations look at one.
fn tokens(read: &NeighborhoodInput<'_>, input: &LayerInput<'_>) -> Vec<f32> {
    let [_, d] = read.entries.dims();
    let entries = read.entries.values();
    let ages = input.time_encoder.encode(&input.neighborhood.neighbor_gap[..read.neighbors.entry.len()]);
    let edges = read.edges.as_ref().map(Tensor::values).unwrap_or_default();
    let mut tokens = Vec::new();
    for (j, (&entry, age)) in read.neighbors.entry.iter().zip(ages.chunks(input.time_encoder.width())).enumerate() {
        tokens.extend_from_slice(&entries[entry as usize * d..(entry as usize + 1) * d]);
        tokens.extend_from_slice(age);
        tokens.extend_from_slice(edges.get(j * EDGE_WIDTH..(j + 1) * EDGE_WIDTH).unwrap_or_default());
    }
    tokens
}

/// `W_V^T W_O^T gradient`, formed for a (root, relation) only when it is asked for.
struct Through {
    /// The gradient of each root before the output projection `[Q, d]`.
    gradient: Vec<f32>,
    /// W_V `[relations, H, F, d_h]`
    values: Vec<f32>,
    shape: [usize; 4],
}

impl Through {
    /// From the gradient `[Q, d]`, W_O `[d, d]` and W_V.
    fn new(gradient: &[f32], output: &Tensor<2>, values: Tensor<4>) -> Through {
        let [d, _] = output.dims();
        let weights = output.values();
        let gradient = gradient
            .chunks(d)
            .flat_map(|row| {
                weights.chunks(d).map(move |weight| row.iter().zip(weight).map(|(g, w)| g * w).sum::<f32>())
            })
            .collect();
        let shape = values.dims();
        Through { gradient, values: values.values().to_vec(), shape }
    }

    fn contribution(&self, root: u32, relation: u32, attention: &[f32], token: &[f32]) -> f32 {
        let [_, n_heads, f, d_h] = self.shape;
        let gradient = &self.gradient[root as usize * n_heads * d_h..];
        let values = &self.values[relation as usize * n_heads * f * d_h..];
        let mut sum = 0.0;
        for (h, alpha) in attention.iter().enumerate() {
            let gradient = &gradient[h * d_h..(h + 1) * d_h];
            for (i, x) in token.iter().enumerate() {
                let row = &values[(h * f + i) * d_h..(h * f + i + 1) * d_h];
                sum += alpha * x * row.iter().zip(gradient).map(|(v, g)| v * g).sum::<f32>();
            }
        }
        sum
    }
}

impl Neighborhood {
    /// Who the first `n` roots read, by rows of their neighbors.
    fn first<'a>(&'a self, n: usize, neighbor_row: &'a [u32]) -> Neighbors<'a> {
        let n_pairs = self.root_pairs[n] as usize;
        Neighbors {
            entry: neighbor_row,
            root_pairs: &self.root_pairs[..=n],
            pair_neighbors: &self.pair_neighbors[..=n_pairs],
            pair_relation: &self.pair_relation[..n_pairs],
        }
    }
}
