//! Neighborhoods: what each root may read, strictly before its time.
//!
//! Equations: `docs/model.md#neighborhood-attention`.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use timeweft_graph::{NodeIndex, Time};
use timeweft_index::Neighbor;

use crate::data::time_encoder::gap;
use crate::model::batch::{push_edge_features, push_node_features};
use crate::model::versions::{self, MemoryRow, lay_out};
use crate::{FeatureRows, GraphContext, ModelConfig, Tokens, VectorStore};

/// A node whose embedding is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Root {
    /// Which node.
    pub node: NodeIndex,
    /// What is known of it: everything strictly before.
    pub as_of: Time,
}

/// The neighborhoods of Q roots. The memory table has the stored rows first, then the starts of the node types, then
/// the tokens of the batch; an entry is one (node, version) that a root or a neighbor reads.
///
/// With two layers the neighbors of the roots that were asked for are roots as well, behind these, as of the same time.
#[derive(Clone, Debug, Default)]
pub struct Neighborhood {
    /// Q: the roots.
    pub roots: Vec<Root>,
    /// How many of them were asked for: the first.
    pub asked: usize,
    /// With two layers, the root that each neighbor of the roots asked for is.
    pub neighbor_root: Vec<u32>,
    /// For a co-operative model, Q: edges at each root so far.
    pub root_degree: Vec<f64>,
    /// For a co-operative model, E: ticks since each neighbor's last message, as its root is read.
    pub neighbor_idle: Vec<f64>,
    /// For a co-operative model, E: edges at each neighbor so far.
    pub neighbor_degree: Vec<f64>,
    /// Whose stored memory is read.
    pub stored_of: Vec<NodeIndex>,
    /// Their stored vectors, d floats each.
    pub stored: Vec<f32>,
    /// V: row of the memory table of each entry.
    pub entry_row: Vec<u32>,
    /// 2 V: identity slots of each entry.
    pub entry_slots: Vec<u32>,
    /// Features of the entries, by node type.
    pub entry_features: FeatureRows,
    /// Q: entry of each root.
    pub root_entry: Vec<u32>,
    /// Q: type of each root.
    pub root_type: Vec<u32>,
    /// Q: when something last happened at the root, its last message or newest neighbor; gaps of its neighbors are counted
    /// to here. So an embedding is one of a node's versions, whenever it is asked for.
    pub root_read: Vec<Option<Time>>,
    /// For a co-operative model, Q: ticks from the root's last message to there.
    pub root_idle: Vec<f64>,
    /// Q + 1: (root, relation) pairs of each root.
    pub root_pairs: Vec<u32>,
    /// P: relation of each pair.
    pub pair_relation: Vec<u32>,
    /// P: root of each pair.
    pub pair_root: Vec<u32>,
    /// P + 1: neighbors of each pair.
    pub pair_neighbors: Vec<u32>,
    /// E: entry of each neighbor.
    pub neighbor_entry: Vec<u32>,
    /// E: ticks since the edge appeared, as its root is read.
    pub neighbor_gap: Vec<f64>,
    /// E: the neighbors themselves, for explanations.
    pub neighbors: Vec<Neighbor>,
    /// Features of the neighbors' edges, by edge type.
    pub edge_features: FeatureRows,
}

/// Roots that are read sooner than another thread wakes up.
const FEW: usize = 16;

/// Reads the neighborhoods of `roots`, which are distinct: the most recent edges strictly before each root's `as_of`. Of `store`
/// only times are read.
pub(crate) fn read(graph: &GraphContext, roots: &[Root], tokens: &Tokens, store: &VectorStore) -> Neighborhood {
    let sample_all = |roots: &[Root]| -> Vec<Vec<Neighbor>> {
        roots.par_iter().with_min_len(FEW).map(|root| sample(graph, *root)).collect()
    };
    let mut sampled = sample_all(roots);
    let mut all = roots.to_vec();
    let mut neighbor_root = Vec::new();
    if graph.config().layers == 2 {
        let mut known: FxHashMap<Root, u32> = roots.iter().copied().zip(0..).collect();
        for (root, neighbors) in roots.iter().zip(&sampled) {
            neighbor_root.extend(neighbors.iter().map(|neighbor| {
                let reached = Root { node: neighbor.node, as_of: root.as_of };
                *known.entry(reached).or_insert_with(|| {
                    all.push(reached);
                    all.len() as u32 - 1
                })
            }));
        }
        sampled.extend(sample_all(&all[roots.len()..]));
    }
    let mut builder = Builder {
        graph,
        tokens,
        store,
        entries: FxHashMap::default(),
        out: Neighborhood { asked: roots.len(), neighbor_root, ..Neighborhood::default() },
        rows: Vec::new(),
    };
    builder.out.edge_features = FeatureRows::new(graph.relations.n_edge_types());
    builder.out.entry_features = FeatureRows::new(graph.relations.n_node_types());
    builder.out.root_pairs.push(0);
    builder.out.pair_neighbors.push(0);
    for (root, neighbors) in all.iter().zip(&sampled) {
        builder.push_root(root, neighbors);
    }
    builder.out.roots = all;
    builder.finish()
}

impl Neighborhood {
    /// Reads the neighborhoods of distinct roots, where a batch has these tokens.
    pub fn read(graph: &GraphContext, roots: &[Root], tokens: &Tokens, store: &VectorStore) -> Neighborhood {
        let mut neighborhood = read(graph, roots, tokens, store);
        neighborhood.recall(store);
        neighborhood
    }

    /// Fills in the memory that is read: all else depends on what happened alone, and on no weights.
    pub(crate) fn recall(&mut self, store: &VectorStore) {
        self.stored = versions::recall(&self.stored_of, store);
    }

    /// How many neighbors the first roots have.
    pub(crate) fn n_neighbors(&self, n_roots: usize) -> usize {
        self.pair_neighbors[self.root_pairs[n_roots] as usize] as usize
    }

    /// The root of each of the first `n` neighbors.
    pub(crate) fn root_of_neighbors(&self, n: usize) -> Vec<u32> {
        let mut root_of = Vec::with_capacity(n);
        for (ends, &root) in self.pair_neighbors.windows(2).zip(&self.pair_root) {
            root_of.resize((ends[1] as usize).min(n), root);
        }
        root_of
    }
}

fn relation_of(graph: &GraphContext, neighbor: &Neighbor) -> u32 {
    graph.relation(neighbor.edge_type, neighbor.direction)
}

/// The neighbors that a root reads, by relation.
pub(crate) fn sample(graph: &GraphContext, root: Root) -> Vec<Neighbor> {
    let ModelConfig { neighbors: k, deletes, gnn, .. } = *graph.config();
    if !gnn.reads_neighbors() {
        return Vec::new();
    }
    let mut neighbors = graph.known.last_neighbors(root.node, root.as_of, k, deletes);
    neighbors.sort_by_key(|neighbor| relation_of(graph, neighbor));
    neighbors
}

struct Builder<'a> {
    graph: &'a GraphContext,
    tokens: &'a Tokens,
    store: &'a VectorStore,
    entries: FxHashMap<MemoryRow, u32>,
    rows: Vec<MemoryRow>,
    out: Neighborhood,
}

impl Builder<'_> {
    fn push_root(&mut self, root: &Root, neighbors: &[Neighbor]) {
        let row = self.out.root_entry.len() as u32;
        let entry = self.entry(root.node, root.as_of);
        self.out.root_entry.push(entry);
        self.out.root_type.push(u32::from(self.graph.node_type(root.node).0));
        let read = neighbors.iter().map(|neighbor| neighbor.created).chain(self.row_time(entry)).max();
        self.out.root_read.push(read);
        if self.graph.config().gnn.reads_activity() {
            self.out.root_idle.push(read.map_or(0.0, |read| gap(self.row_time(entry), read)));
            self.out.root_degree.push(self.graph.known.degree_before(root.node, root.as_of) as f64);
        }
        let graph = self.graph;
        for pair in neighbors.chunk_by(|a, b| relation_of(graph, a) == relation_of(graph, b)) {
            self.out.pair_relation.push(relation_of(graph, &pair[0]));
            self.out.pair_root.push(row);
            for neighbor in pair {
                self.push_neighbor(root, read, neighbor);
            }
            self.out.pair_neighbors.push(self.out.neighbors.len() as u32);
        }
        self.out.root_pairs.push(self.out.pair_relation.len() as u32);
    }

    fn push_neighbor(&mut self, root: &Root, read: Option<Time>, neighbor: &Neighbor) {
        let row = self.out.neighbors.len() as u32;
        let entry = self.entry(neighbor.node, root.as_of);
        self.out.neighbor_entry.push(entry);
        let read = read.unwrap_or(neighbor.created);
        self.out.neighbor_gap.push(gap(Some(neighbor.created), read));
        if self.graph.config().gnn.reads_activity() {
            self.out.neighbor_idle.push(gap(self.row_time(entry), read));
            self.out.neighbor_degree.push(self.graph.known.degree_before(neighbor.node, root.as_of) as f64);
        }
        self.out.neighbors.push(*neighbor);
        let edge = (neighbor.edge_type, neighbor.edge);
        push_edge_features(self.graph, &mut self.out.edge_features, edge, root.as_of.before(), row);
    }

    /// The entry of a node as of a time: its last token before, else its stored row, else the start of its type.
    fn entry(&mut self, node: NodeIndex, as_of: Time) -> u32 {
        let row = MemoryRow::of(node, as_of, self.tokens, self.store);
        let next = self.rows.len() as u32;
        let entry = *self.entries.entry(row).or_insert(next);
        if entry == next {
            self.rows.push(row);
            self.out.entry_slots.extend(self.graph.slots(node));
            // A node's features change only by a fact of its own, which makes a token: the version says which hold.
            if let Some(time) = self.row_time(entry) {
                push_node_features(self.graph, &mut self.out.entry_features, node, time, entry);
            }
        }
        entry
    }

    /// Time of the last message that an entry has seen.
    fn row_time(&self, entry: u32) -> Option<Time> {
        self.rows[entry as usize].time(self.tokens, self.store)
    }

    /// Lays out the memory table once all versions are known. Without memory it is the starts of the types.
    fn finish(mut self) -> Neighborhood {
        if !self.graph.config().memory {
            self.rows.iter_mut().for_each(|row| *row = MemoryRow::Start(row.node()));
        }
        (self.out.stored_of, self.out.entry_row) = lay_out(self.graph, &self.rows);
        self.out
    }
}
