//! What the modules share: records applied to the reference graph, and real data.

use std::path::PathBuf;

use timeweft_graph::{At, EdgeKey, GraphView, NodeKey, Schema, Time, Value};
use timeweft_oracle::ReferenceGraph;
use timeweft_source::Record;

/// The graph that the records make. Every record must be accepted, and the schema must not grow.
pub(crate) fn replay(schema: &Schema, records: &[Record]) -> ReferenceGraph {
    let mut closed = schema.clone();
    closed.close();
    let mut graph = ReferenceGraph::new(closed);
    for record in records {
        if let Err(reason) = graph.apply(&record.event) {
            panic!("{}: {reason}: {:?}", record.place, record.event);
        }
    }
    graph
}

/// A node by type and id.
pub(crate) fn node(node_type: &str, id: u64) -> NodeKey {
    NodeKey::new(node_type, id)
}

/// An edge.
pub(crate) fn edge(source: NodeKey, relation: &str, destination: NodeKey, key: Option<&str>) -> EdgeKey {
    EdgeKey { source, relation: relation.into(), destination, key: key.map(Into::into) }
}

/// A feature of a node at a time.
pub(crate) fn node_feature(graph: &ReferenceGraph, key: &NodeKey, name: &str, time: i64) -> Option<Value> {
    graph.node(key, At::time(Time(time)))?.features.remove(name)
}

/// A feature of an edge at a time.
pub(crate) fn edge_feature(graph: &ReferenceGraph, key: &EdgeKey, name: &str, time: i64) -> Option<Value> {
    graph.edge(key, At::time(Time(time)))?.features.remove(name)
}

/// A file of the real data, or `None` with one line that says which test was left out.
pub(crate) fn data(test: &str, path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TIMEWEFT_DATA").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| "../../../shared/data".into());
    let found = folder.join(path);
    if !found.exists() {
        // Not by a macro: the runner keeps back what macros print in a test that passes.
        let line = format!("left out: {test} (no data folder)\n");
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
        return None;
    }
    Some(found)
}
