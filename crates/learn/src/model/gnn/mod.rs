//! Stage 4: the transformer over the graph as of now: each root reads its most recent neighbours (specification 2.5),
//! if asked so only those that both sides agree on (2.8).

pub(crate) mod cooperation;
pub(crate) mod neighborhood;

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::model::gnn::cooperation::{Cooperation, Decisions};
use crate::model::identity::IdentityTable;
use crate::model::layers::{FeedForward, Init, Linear, TypedProjection, constant};
use crate::model::relations::{RelationHeads, Structure};
use crate::nn::Outlet;
use crate::{GnnKind, ModelConfig, Neighborhood, RelationIds, TimeEncoder, nn};

/// Width that edge features are projected to.
const EDGE_WIDTH: usize = 16;

/// The layers that make an embedding of a root's own vector and of what its neighbours tell.
#[derive(Module, Debug)]
pub struct Gnn {
    nodes: TypedProjection,
    layers: Vec<Layer>,
    /// In place of layers, for a model that reads no neighbours.
    alone: Option<FeedForward>,
}

/// One layer of temporal attention with a sink: "no useful neighbour" and degree 0 are well defined.
#[derive(Module, Debug)]
pub struct Layer {
    edges: TypedProjection,
    query: Linear,
    /// Query of each root's type `[node types, d]`.
    types: Param<Tensor<2>>,
    /// Sink score of each root type and head `[node types, H]`.
    sink: Param<Tensor<2>>,
    heads: RelationHeads,
    output: Linear,
    feed_forward: FeedForward,
    cooperation: Option<Cooperation>,
}

/// The roots of a layer before they attend, and what they attend to.
#[derive(Clone, Debug)]
pub struct Read {
    /// Queries `[Q, d]`.
    pub query: Tensor<2>,
    /// Tokens of the neighbours `[E, F]`.
    pub tokens: Tensor<2>,
    /// Sink scores `[Q, H]`, and the gates of a co-operative model.
    pub outlet: Outlet,
    /// What the gates were made of.
    pub decisions: Option<Decisions>,
}

impl Gnn {
    /// The layers that a configuration asks for.
    pub fn new(
        init: &mut Init,
        config: &ModelConfig,
        relations: RelationIds,
        widths: [&[usize]; 2],
        clock: &TimeEncoder,
    ) -> Gnn {
        let d = config.width;
        let n_layers = if config.gnn == GnnKind::None { 0 } else { config.layers };
        Gnn {
            nodes: TypedProjection::new(init, widths[0], d),
            layers: (0..n_layers).map(|_| Layer::new(init, config, relations, widths[1], clock)).collect(),
            alone: (n_layers == 0).then(|| FeedForward::new(init, d)),
        }
    }

    /// Embeddings of the roots that were asked for `[Q, d]`, from the memory table `[rows, d]`. `draw` is the key of a
    /// training step's noise; without it a co-operative model decides by its logits alone.
    pub fn forward(
        &self,
        table: Tensor<2>,
        neighborhood: &Neighborhood,
        clock: &TimeEncoder,
        identity: Option<&IdentityTable>,
        draw: Option<u64>,
    ) -> Tensor<2> {
        let (own, read) = self.read(table, neighborhood, clock, identity, draw);
        match (self.layers.last(), read) {
            (Some(layer), Some(read)) => {
                let attended = layer.attend(&read, neighborhood);
                layer.finish(own, attended)
            }
            _ => self.finish(own),
        }
    }

    /// The own vectors of the roots `[Q, d]` and what the last layer reads; nothing for a model without layers.
    pub fn read(
        &self,
        table: Tensor<2>,
        neighborhood: &Neighborhood,
        clock: &TimeEncoder,
        identity: Option<&IdentityTable>,
        draw: Option<u64>,
    ) -> (Tensor<2>, Option<Read>) {
        let entries = self.entries(table, neighborhood, identity);
        let n_layers = self.layers.len();
        let own = |n: usize| nn::gather(entries.clone(), &neighborhood.root_entry[..n]);
        let peers = |n: usize| nn::gather(entries.clone(), &neighborhood.neighbor_entry[..n]);
        let Some((last, first)) = self.layers.split_last() else { return (own(neighborhood.asked), None) };
        let (mut z, mut heard) =
            (own(neighborhood.n_roots(n_layers == 1)), peers(neighborhood.n_neighbors(n_layers == 1)));
        for layer in first {
            let read = layer.read(z.clone(), heard, neighborhood, clock, draw);
            let told = layer.finish(z, layer.attend(&read, neighborhood));
            (z, heard) =
                (nn::gather(told.clone(), &neighborhood.asked_roots()), nn::gather(told, &neighborhood.neighbor_root));
        }
        let read = last.read(z.clone(), heard, neighborhood, clock, draw);
        (z, Some(read))
    }

    /// Embeddings z `[Q, d]` from own vectors alone.
    pub fn finish(&self, own: Tensor<2>) -> Tensor<2> {
        match &self.alone {
            Some(alone) => alone.forward(own),
            None => own,
        }
    }

    /// The layer whose output is the embedding, for explanations.
    pub fn last(&self) -> Option<&Layer> {
        self.layers.last()
    }

    /// Vectors of the entries `[V, d]`: memory, features, identity.
    fn entries(&self, table: Tensor<2>, neighborhood: &Neighborhood, identity: Option<&IdentityTable>) -> Tensor<2> {
        let v = neighborhood.entry_row.len();
        let mut entries = nn::gather(table, &neighborhood.entry_row);
        // As it is, without a role: a root is to be recognised among the neighbours of another.
        if let Some(identity) = identity {
            entries = entries + identity.read(&neighborhood.entry_slots);
        }
        match self.nodes.forward(&neighborhood.entry_features, v) {
            Some(features) => entries + features,
            None => entries,
        }
    }
}

impl Layer {
    fn new(
        init: &mut Init,
        config: &ModelConfig,
        relations: RelationIds,
        edge_widths: &[usize],
        clock: &TimeEncoder,
    ) -> Layer {
        let ModelConfig { width: d, heads: n_heads, .. } = *config;
        let edges = TypedProjection::new(init, edge_widths, EDGE_WIDTH);
        let f = d + clock.width() + if edges.is_empty() { 0 } else { EDGE_WIDTH };
        Layer {
            edges,
            query: Linear::new(init, d + clock.width(), d),
            types: init.normal([relations.n_node_types(), d], 0.1),
            sink: init.constant([relations.n_node_types(), n_heads], 0.0),
            heads: RelationHeads::new(init, (relations, relations.n_edges()), n_heads, [d / n_heads, f]),
            output: Linear::new(init, d, d),
            feed_forward: FeedForward::new(init, d),
            cooperation: (config.gnn == GnnKind::Cooperative).then(|| Cooperation::new(init, d, clock)),
        }
    }

    /// Makes queries of own vectors `[Q, d]` and tokens of the neighbours' vectors `[E, d]`: the first Q roots of a
    /// neighbourhood and all of their neighbours.
    fn read(
        &self,
        own: Tensor<2>,
        peers: Tensor<2>,
        neighborhood: &Neighborhood,
        clock: &TimeEncoder,
        draw: Option<u64>,
    ) -> Read {
        let (q, e) = (own.dims()[0], peers.dims()[0]);
        let device = own.device();
        let root_type = &neighborhood.root_type[..q];
        let since = constant(clock.encode(&neighborhood.root_gap[..q]), [q, clock.width()], &device);
        let query =
            self.query.forward(Tensor::cat(vec![own.clone(), since], 1)) + nn::gather(self.types.val(), root_type);
        let sink = nn::gather(self.sink.val(), root_type);
        let decide =
            |cooperation: &Cooperation| cooperation.decide(own.clone(), peers.clone(), neighborhood, clock, draw);
        let decisions = self.cooperation.as_ref().map(decide);
        let outlet = match &decisions {
            Some(decisions) => Outlet::Gated { sink, gate: decisions.gate() },
            None => Outlet::Sink(sink),
        };
        let age = constant(clock.encode(&neighborhood.neighbor_gap[..e]), [e, clock.width()], &device);
        let mut parts = vec![peers, age];
        if !self.edges.is_empty() {
            let n = neighborhood.neighbors.len();
            let edges =
                self.edges.forward(&neighborhood.edge_features, n).map(|edges| edges.slice([0..e, 0..EDGE_WIDTH]));
            parts.push(edges.unwrap_or_else(|| constant(vec![0.0; e * EDGE_WIDTH], [e, EDGE_WIDTH], &device)));
        }
        Read { query, tokens: Tensor::cat(parts, 1), outlet, decisions }
    }

    /// What the roots hear from their neighbours, o `[Q, d]`.
    pub fn attend(&self, read: &Read, neighborhood: &Neighborhood) -> Tensor<2> {
        let structure = neighborhood.structure(read.query.dims()[0]);
        let heads = self.heads.attend(read.query.clone(), read.tokens.clone(), read.outlet.clone(), &structure);
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
}

impl Neighborhood {
    /// The attention structure of the first `n` roots.
    pub(crate) fn structure(&self, n: usize) -> Structure<'_> {
        let n_pairs = self.root_pairs[n] as usize;
        Structure {
            root_pairs: &self.root_pairs[..=n],
            pair_tokens: &self.pair_neighbors[..=n_pairs],
            pair_relation: &self.pair_relation[..n_pairs],
        }
    }
}
