//! What the modules share: records applied to the reference graph, and real data.

use timeweft_graph::{At, EdgeKey, Event, GraphView, NodeKey, Place, Schema, Sink, Time, Value};
use timeweft_oracle::{EventRecord, ReferenceGraph, events};

/// The graph that the records make. Every record must be accepted, and the schema must not grow.
pub(crate) fn replay(schema: &Schema, records: &[(Event, Place)]) -> ReferenceGraph {
    let mut closed = schema.clone();
    closed.close();
    let mut graph = ReferenceGraph::new(closed);
    for (event, place) in records {
        if let Err(reason) = graph.apply(event) {
            panic!("{place}: {reason}: {event:?}");
        }
    }
    graph
}

/// All that a reader of events pushes; it must come to the end of its source.
pub(crate) fn whole<E: std::fmt::Debug>(read: impl FnOnce(&mut dyn Sink) -> Result<(), E>) -> Vec<EventRecord> {
    let (records, end) = events(read);
    end.unwrap();
    records
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
