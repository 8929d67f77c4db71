//! Stage 4: the graph network over the graph as of now. Each root reads its most recent neighbors.
//!
//! Equations: `docs/model.md#neighborhood-attention`.

pub(crate) mod attention;
pub(crate) mod cooperation;
pub(crate) mod distinct_roots;
pub(crate) mod layer;
pub(crate) mod layer_input;
pub(crate) mod neighborhood;

use crate::model::identity::IdentityTable;
use crate::model::layers::{Init, TypedProjection};
use crate::nn::{self, Tensor, module};
use crate::{GraphContext, ModelConfig, Neighborhood, TimeEncoder};
use layer::Layer;
use layer_input::LayerInput;

/// The layers that make an embedding of a root's own vector and of its neighbors.
#[derive(Clone, Debug)]
pub struct Gnn {
    nodes: TypedProjection,
    /// Layers whose results are read by the last one.
    lower: Vec<Layer>,
    /// The layer whose results are the embeddings.
    pub last: Layer,
}

module!(Gnn { nodes, lower, last });

/// What the graph network reads.
#[derive(Clone, Debug)]
pub struct GnnInput<'a> {
    /// The memory table `[rows, d]`.
    pub table: Tensor<2>,
    /// Roots and neighbors, with the rows of the table that they read.
    pub neighborhood: &'a Neighborhood,
    /// Encodes gaps of time.
    pub time_encoder: &'a TimeEncoder,
    /// The identity of nodes, where the model has one.
    pub identity: Option<&'a IdentityTable>,
    /// The key of a training step's noise; without it a layer decides by its logits alone.
    pub noise: Option<u64>,
}

impl Gnn {
    /// The layers that a configuration asks for.
    pub fn new(init: &mut Init, config: &ModelConfig, graph: &GraphContext) -> Gnn {
        // Where no neighbors are read, a second layer has nothing to add.
        let n_lower = if config.gnn.reads_neighbors() { config.layers - 1 } else { 0 };
        let nodes = TypedProjection::new(init, &graph.statistics.featurizer.node_widths(), config.width);
        let mut layer = || Layer::new(init, config, graph);
        Gnn { nodes, lower: (0..n_lower).map(|_| layer()).collect(), last: layer() }
    }

    /// Embeddings of the roots that were asked for `[Q, d]`.
    pub fn forward(&self, input: GnnInput<'_>) -> Tensor<2> {
        self.last.forward(self.last_input(input))
    }

    /// What the last layer reads.
    pub fn last_input<'a>(&self, input: GnnInput<'a>) -> LayerInput<'a> {
        let GnnInput { neighborhood, time_encoder, noise, .. } = input;
        let entries = self.entries(input);
        // Lower layers make vectors of all roots, the last of those that were asked for.
        let n_roots = if self.lower.is_empty() { neighborhood.asked } else { neighborhood.roots.len() };
        let own = nn::gather(entries.clone(), &neighborhood.root_entry[..n_roots]);
        let neighbor_row = &neighborhood.neighbor_entry[..neighborhood.n_neighbors(n_roots)];
        let mut read = LayerInput { own, entries, neighbor_row, neighborhood, time_encoder, noise };
        for layer in &self.lower {
            let made = layer.forward(read.clone());
            let asked: Vec<u32> = (0..neighborhood.asked as u32).collect();
            read.own = nn::gather(made.clone(), &asked);
            (read.entries, read.neighbor_row) = (made, &neighborhood.neighbor_root);
        }
        read
    }

    /// Vectors of the entries `[V, d]`: memory, features, identity.
    fn entries(&self, input: GnnInput<'_>) -> Tensor<2> {
        let GnnInput { table, neighborhood, identity, .. } = input;
        let v = neighborhood.entry_row.len();
        let mut entries = nn::gather(table, &neighborhood.entry_row);
        // As it is, without a role: a root is to be recognised among the neighbors of another.
        if let Some(identity) = identity {
            entries = entries + identity.read(&neighborhood.entry_slots);
        }
        match self.nodes.forward(&neighborhood.entry_features, v) {
            Some(features) => entries + features,
            None => entries,
        }
    }
}
