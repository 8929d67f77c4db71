//! Numbers about a graph.

use timeweft_graph::{At, Commit, Counts, EdgeTypeId, NodeTypeId, Owner};

use crate::{Graph, Result, View};

/// What a graph holds at a time, and what it costs on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stats {
    /// Commit of the view that was counted.
    pub commit: Commit,
    /// Elements shown at the time.
    pub counts: Counts,
    /// Nodes by type, in the order of the schema; types without a node at the time are there with 0, but not
    /// those of loads that were taken back.
    pub node_types: Vec<TypeCount>,
    /// Edges by type (`source -relation-> destination`), in the order of the schema.
    pub edge_types: Vec<TypeCount>,
    /// Nodes that the log ever named, alive or not.
    pub nodes_ever: usize,
    /// Lives of edges that the log ever created.
    pub edge_lives_ever: usize,
    /// Events in the log up to this commit.
    pub events: u64,
    /// Loads up to this commit.
    pub loads: usize,
    /// Bytes of the catalogue and the log on disk, at the newest commit.
    pub disk_bytes: u64,
    /// Bytes of the snapshots beside them, which may be deleted.
    pub snapshot_bytes: u64,
}

/// How many elements of one type there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TypeCount {
    /// Name of the type.
    pub name: String,
    /// Number of elements.
    pub count: usize,
}

impl Graph {
    /// Counts what a view shows at a time.
    pub fn stats(&self, view: &View, at: At) -> Result<Stats> {
        let (schema, unused) = (view.schema(), view.index().unused(&self.types_taken_back(view)?));
        let (nodes, edges) = view.index().counts_by_type(at);
        let counts =
            Counts { nodes: nodes.iter().sum(), edges: edges.iter().sum(), merges: view.index().n_merges(at.time) };
        let nodes = (0..).map(|id| Owner::Node(NodeTypeId(id))).zip(nodes);
        let edges = (0..).map(|id| Owner::Edge(EdgeTypeId(id))).zip(edges);
        let shown = |(owner, _): &(Owner, usize)| !unused.contains(&(*owner, None));
        let count = |(owner, count)| TypeCount { name: schema.owner_name(owner), count };
        let (node_types, edge_types) = (nodes.filter(shown).map(count), edges.filter(shown).map(count));
        let loads = self.loads().iter().filter(|load| load.commit <= view.commit());
        Ok(Stats {
            commit: view.commit(),
            counts,
            node_types: node_types.collect(),
            edge_types: edge_types.collect(),
            nodes_ever: view.index().n_nodes(),
            edge_lives_ever: view.index().n_edges(),
            events: loads.clone().map(|load| load.events).sum(),
            loads: loads.count(),
            disk_bytes: self.size_on_disk()?,
            snapshot_bytes: self.size_of_snapshots()?,
        })
    }
}
