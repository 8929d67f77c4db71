//! Numbers about a graph.

use std::collections::BTreeMap;

use timeweft_graph::{At, Commit, Counts, GraphView};

use crate::{Error, Graph, View};

/// What a graph holds at a time, and what it costs on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stats {
    /// Commit of the view that was counted.
    pub commit: Commit,
    /// Elements shown at the time.
    pub counts: Counts,
    /// Nodes by type, in the order of the schema; types without a node at the time are there with 0.
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
    /// Bytes of the whole graph on disk, at its newest commit.
    pub disk_bytes: u64,
}

/// How many elements of one type there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TypeCount {
    /// Name of the type.
    pub name: String,
    /// Number of elements.
    pub count: usize,
}

impl Stats {
    pub(crate) fn of(graph: &Graph, view: &View, at: At) -> Result<Stats, Error> {
        let schema = view.schema();
        let mut nodes: BTreeMap<_, usize> = BTreeMap::new();
        for node in view.nodes(None, at) {
            *nodes.entry(node.key.node_type).or_default() += 1;
        }
        let mut edges: BTreeMap<_, usize> = BTreeMap::new();
        for edge in view.edges(None, at) {
            let key = edge.key;
            *edges.entry((key.source.node_type, key.relation, key.destination.node_type)).or_default() += 1;
        }
        let node_types = schema
            .node_types()
            .iter()
            .map(|node| TypeCount { name: node.name.to_string(), count: nodes.get(&node.name).copied().unwrap_or(0) });
        let edge_types = schema.edge_types().iter().map(|edge| {
            let (source, destination) = (schema.node_type_name(edge.source), schema.node_type_name(edge.destination));
            TypeCount {
                name: format!("{source} -{}-> {destination}", edge.relation),
                count: edges.get(&(source, edge.relation.clone(), destination)).copied().unwrap_or(0),
            }
        });
        let loads = graph.loads().iter().filter(|load| load.commit <= view.commit());
        Ok(Stats {
            commit: view.commit(),
            counts: view.counts(at),
            node_types: node_types.collect(),
            edge_types: edge_types.collect(),
            nodes_ever: view.n_nodes(),
            edge_lives_ever: view.n_edges(),
            events: loads.clone().map(|load| load.events).sum(),
            loads: loads.count(),
            disk_bytes: graph.size_on_disk()?,
        })
    }
}
