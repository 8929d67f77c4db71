//! Stage 4: the transformer over the graph as of now: each root reads its most recent neighbours (specification 2.5).

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::identity::Identity;
use crate::layers::{FeedForward, Init, Linear, TypedProjection, constant};
use crate::relations::{RelationHeads, Structure};
use crate::{Clock, Neighborhood, Relations, nn};

/// Width that edge features are projected to.
const EDGE_WIDTH: usize = 16;

/// One layer of temporal attention with a sink: "no useful neighbour" and degree 0 are well defined.
#[derive(Module, Debug)]
pub struct Gnn {
    nodes: TypedProjection,
    edges: TypedProjection,
    query: Linear,
    /// Query of each root's type `[node types, d]`.
    types: Param<Tensor<2>>,
    /// Sink score of each root type and head `[node types, H]`.
    sink: Param<Tensor<2>>,
    heads: RelationHeads,
    output: Linear,
    feed_forward: FeedForward,
}

/// The roots of a neighbourhood before they attend, and what they attend to.
#[derive(Clone, Debug)]
pub struct Read {
    /// n: own vector of each root `[Q, d]`.
    pub own: Tensor<2>,
    /// Queries `[Q, d]`.
    pub query: Tensor<2>,
    /// Tokens of the neighbours `[E, F]`.
    pub tokens: Tensor<2>,
    /// Sink scores `[Q, H]`.
    pub sink: Tensor<2>,
}

impl Gnn {
    /// For embeddings of width d.
    pub fn new(
        init: &mut Init,
        d: usize,
        n_heads: usize,
        relations: Relations,
        widths: [&[usize]; 2],
        clock: &Clock,
    ) -> Gnn {
        let edges = TypedProjection::new(init, widths[1], EDGE_WIDTH);
        let f = d + clock.width() + if edges.is_empty() { 0 } else { EDGE_WIDTH };
        Gnn {
            nodes: TypedProjection::new(init, widths[0], d),
            edges,
            query: Linear::new(init, d + clock.width(), d),
            types: init.normal([relations.n_node_types(), d], 0.1),
            sink: init.constant([relations.n_node_types(), n_heads], 0.0),
            heads: RelationHeads::new(init, relations.len(), n_heads, d / n_heads, f),
            output: Linear::new(init, d, d),
            feed_forward: FeedForward::new(init, d),
        }
    }

    /// Embeddings of the roots `[Q, d]` from the memory table `[rows, d]`.
    pub fn forward(
        &self,
        table: Tensor<2>,
        hood: &Neighborhood,
        clock: &Clock,
        identity: Option<&Identity>,
    ) -> Tensor<2> {
        let read = self.read(table, hood, clock, identity);
        let attended = self.attend(&read, hood);
        self.finish(read.own, attended)
    }

    /// Gathers roots and neighbour tokens from the memory table.
    pub fn read(&self, table: Tensor<2>, hood: &Neighborhood, clock: &Clock, identity: Option<&Identity>) -> Read {
        let entries = self.entries(table, hood, identity);
        let (q, e) = (hood.root_entry.len(), hood.neighbor_entry.len());
        let device = entries.device();
        let own = nn::gather(entries.clone(), &hood.root_entry);
        let since = constant(clock.encode(&hood.root_gap), [q, clock.width()], &device);
        let query = self.query.forward(Tensor::cat(vec![own.clone(), since], 1))
            + nn::gather(self.types.val(), &hood.root_type);
        let age = constant(clock.encode(&hood.neighbor_gap), [e, clock.width()], &device);
        let mut parts = vec![nn::gather(entries, &hood.neighbor_entry), age];
        if !self.edges.is_empty() {
            let edges = self.edges.forward(&hood.edge_features, e);
            parts.push(edges.unwrap_or_else(|| constant(vec![0.0; e * EDGE_WIDTH], [e, EDGE_WIDTH], &device)));
        }
        Read { own, query, tokens: Tensor::cat(parts, 1), sink: nn::gather(self.sink.val(), &hood.root_type) }
    }

    /// What the roots hear from their neighbours, o `[Q, d]`.
    pub fn attend(&self, read: &Read, hood: &Neighborhood) -> Tensor<2> {
        let heads =
            self.heads.attend(read.query.clone(), read.tokens.clone(), Some(read.sink.clone()), &structure(hood));
        self.output.forward(heads)
    }

    /// Embeddings z `[Q, d]` from own vectors and what was heard.
    pub fn finish(&self, own: Tensor<2>, attended: Tensor<2>) -> Tensor<2> {
        self.feed_forward.forward(own + attended)
    }

    /// The attention's weights, for explanations.
    pub fn heads(&self) -> &RelationHeads {
        &self.heads
    }

    /// W_O, for explanations.
    pub fn output(&self) -> &Linear {
        &self.output
    }

    /// Vectors of the entries `[V, d]`: memory, features, identity.
    fn entries(&self, table: Tensor<2>, hood: &Neighborhood, identity: Option<&Identity>) -> Tensor<2> {
        let v = hood.entry_row.len();
        let mut entries = nn::gather(table, &hood.entry_row);
        // As it is, without a role: a root is to be recognised among the neighbours of another.
        if let Some(identity) = identity {
            entries = entries + identity.read(&hood.entry_slots);
        }
        match self.nodes.forward(&hood.entry_features, v) {
            Some(features) => entries + features,
            None => entries,
        }
    }
}

/// The pairs of a neighbourhood as attention reads them.
pub(crate) fn structure(hood: &Neighborhood) -> Structure<'_> {
    Structure { root_pairs: &hood.root_pairs, pair_tokens: &hood.pair_neighbors, pair_relation: &hood.pair_relation }
}
