//! Neighbourhoods: what each root may read, strictly before its time.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use timeweft_graph::{Deletes, Direction, EdgeIndex, NodeIndex, Owner, Time};
use timeweft_index::Neighbor;

use crate::batch::{Context, FeatureRows, Tokens, gap, push_node_features};
use crate::{Relations, VectorStore};

/// A node whose embedding is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Root {
    /// Which node.
    pub node: NodeIndex,
    /// When the answer is for: gaps are counted to here.
    pub time: Time,
    /// What the answer may know: everything strictly before. Never later than `time`.
    pub as_of: Time,
}

/// Where a row of the memory table comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Version {
    /// The node has never received a message: the learned start of its type.
    Start(NodeIndex),
    /// The vector store's row of the node.
    Stored(NodeIndex),
    /// A token of the batch at hand.
    Token(usize),
}

/// The neighbourhoods of Q roots. The memory table has the stored rows first, then the starts of the node types, then
/// the tokens of the batch; an entry is one (node, version) that a root or a neighbour reads.
#[derive(Clone, Debug, Default)]
pub struct Neighborhood {
    /// Stored memory vectors that are read, d floats each.
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
    /// Q: ticks since the root's last message.
    pub root_gap: Vec<f64>,
    /// Q + 1: (root, relation) pairs of each root.
    pub root_pairs: Vec<u32>,
    /// P: relation of each pair.
    pub pair_relation: Vec<u32>,
    /// P: root of each pair.
    pub pair_root: Vec<u32>,
    /// P + 1: neighbours of each pair.
    pub pair_neighbors: Vec<u32>,
    /// E: entry of each neighbour.
    pub neighbor_entry: Vec<u32>,
    /// E: ticks since the edge appeared.
    pub neighbor_gap: Vec<f64>,
    /// E: the neighbours themselves, for explanations.
    pub neighbors: Vec<Neighbor>,
    /// Features of the neighbours' edges, by edge type.
    pub edge_features: FeatureRows,
}

/// Reads the neighbourhoods of `roots`: the `k` most recent live edges strictly before each root's `as_of`.
pub(crate) fn read(
    context: &Context<'_>,
    roots: &[Root],
    k: usize,
    deletes: Deletes,
    tokens: &Tokens,
    store: &VectorStore,
) -> Neighborhood {
    let sampled: Vec<Vec<Neighbor>> = roots.par_iter().map(|root| sample(context, root, k, deletes)).collect();
    let mut builder = Builder {
        context,
        tokens,
        store,
        entries: FxHashMap::default(),
        out: Neighborhood::default(),
        versions: Vec::new(),
    };
    builder.out.edge_features = FeatureRows::new(context.relations.n_edge_types());
    builder.out.entry_features = FeatureRows::new(context.relations.n_node_types());
    builder.out.root_pairs.push(0);
    builder.out.pair_neighbors.push(0);
    for (root, neighbors) in roots.iter().zip(&sampled) {
        builder.push_root(root, neighbors);
    }
    builder.finish()
}

fn relation_of(relations: Relations, neighbor: &Neighbor) -> u32 {
    match neighbor.direction {
        Direction::Out => relations.outward(neighbor.edge_type),
        Direction::In => relations.inward(neighbor.edge_type),
    }
}

fn sample(context: &Context<'_>, root: &Root, k: usize, deletes: Deletes) -> Vec<Neighbor> {
    let mut neighbors = Vec::with_capacity(k);
    context.index.last_neighbors(root.node, root.as_of, k, deletes, &mut neighbors);
    neighbors.sort_by_key(|neighbor| relation_of(context.relations, neighbor));
    neighbors
}

struct Builder<'a> {
    context: &'a Context<'a>,
    tokens: &'a Tokens,
    store: &'a VectorStore,
    entries: FxHashMap<(NodeIndex, Version), u32>,
    versions: Vec<Version>,
    out: Neighborhood,
}

impl Builder<'_> {
    fn push_root(&mut self, root: &Root, neighbors: &[Neighbor]) {
        let row = self.out.root_entry.len() as u32;
        let entry = self.entry(root.node, root.as_of);
        self.out.root_entry.push(entry);
        self.out.root_type.push(u32::from(self.context.index.node_type(root.node).0));
        self.out.root_gap.push(gap(self.version_time(self.versions[entry as usize]), root.time));
        let relations = self.context.relations;
        for pair in neighbors.chunk_by(|a, b| relation_of(relations, a) == relation_of(relations, b)) {
            self.out.pair_relation.push(relation_of(relations, &pair[0]));
            self.out.pair_root.push(row);
            for neighbor in pair {
                self.push_neighbor(root, neighbor);
            }
            self.out.pair_neighbors.push(self.out.neighbors.len() as u32);
        }
        self.out.root_pairs.push(self.out.pair_relation.len() as u32);
    }

    fn push_neighbor(&mut self, root: &Root, neighbor: &Neighbor) {
        let row = self.out.neighbors.len() as u32;
        let entry = self.entry(neighbor.node, root.as_of);
        self.out.neighbor_entry.push(entry);
        self.out.neighbor_gap.push(gap(Some(neighbor.created), root.time));
        self.out.neighbors.push(*neighbor);
        self.push_edge_features(neighbor, neighbor.edge, root.as_of, row);
    }

    fn push_edge_features(&mut self, neighbor: &Neighbor, edge: EdgeIndex, as_of: Time, row: u32) {
        let owner = Owner::Edge(neighbor.edge_type);
        if self.context.featurizer.width(owner) > 0 {
            let (rows, targets) = &mut self.out.edge_features.by_type[neighbor.edge_type.at()];
            self.context.featurizer.append(owner, self.context.index.edge_features(edge, as_of.before()), rows);
            targets.push(row);
        }
    }

    /// The entry of a node as of a time: its last token before, else its stored row, else the start of its type.
    fn entry(&mut self, node: NodeIndex, as_of: Time) -> u32 {
        let version = match self.tokens.version(node, as_of) {
            Some(token) => Version::Token(token),
            None if self.store.last(node).is_some() => Version::Stored(node),
            None => Version::Start(node),
        };
        let next = self.versions.len() as u32;
        let entry = *self.entries.entry((node, version)).or_insert(next);
        if entry == next {
            self.versions.push(version);
            self.out.entry_slots.extend(self.context.slots(node));
            // A node's features change only by a fact of its own, which makes a token: the version says which hold.
            if let Some(time) = self.version_time(version) {
                push_node_features(self.context, &mut self.out.entry_features, node, time, entry);
            }
        }
        entry
    }

    fn version_time(&self, version: Version) -> Option<Time> {
        match version {
            Version::Start(_) => None,
            Version::Stored(node) => self.store.last(node),
            Version::Token(token) => self.tokens.time.get(token).copied(),
        }
    }

    /// Lays out the memory table once all versions are known.
    fn finish(mut self) -> Neighborhood {
        let n_stored = self.versions.iter().filter(|version| matches!(version, Version::Stored(_))).count();
        let mut next = 0;
        for version in &self.versions {
            let row = match *version {
                Version::Stored(node) => {
                    self.out.stored.extend_from_slice(self.store.memory(node).unwrap_or_default());
                    next += 1;
                    next - 1
                }
                Version::Start(node) => n_stored + self.context.index.node_type(node).at(),
                Version::Token(token) => n_stored + self.context.relations.n_node_types() + token,
            };
            self.out.entry_row.push(row as u32);
        }
        self.out
    }
}
