//! Files of intervals become events: what temporal JSON, edge lists, TSV and DeepGNN's binary folders have in common.
//!
//! **Names.** Node types, relations and features are named by their numbers: node type `0`, relation `0`, feature `0`.
//! Node ids are one space over all types. Weights become the f32 feature `weight`. A node that edges name and no record
//! describes becomes a node of type `unknown`, alive from time 0 (or from its first edge, if that is earlier) for ever.
//!
//! **Times** are half open, `[created, removed)`; a removal of -1 is "never", 0 is an end like any other. A node lives from
//! 0 for ever where nothing else is given. An empty or reversed interval refuses its node or edge.
//!
//! **Features.** At any time the interval holds that began last among those that contain it; outside of all of them the
//! feature has no value. What reaches over the owner's life is cut.
//!
//! **Edges** are bounded by both ends: an edge that outlives an end is cut at its removal and counted, and so is one whose
//! begin is only that of its source, where its destination begins later; one that begins outside the life of an end by a
//! begin of its own is refused. Repeats of (source, destination, type) are lives of one edge where they do not
//! overlap, else parallel edges with the keys `2`, `3`, ...

mod assembly;
mod edges;

use timeweft_graph::{Event, Place, Reject, Schema, SpanSink, TimeUnit};

use self::assembly::Assembly;
use crate::ReferenceGraph;

/// A file of intervals as events.
#[derive(Clone, Debug)]
pub struct Intervals {
    /// Every type and feature of the file.
    pub schema: Schema,
    /// Events in order of time; at equal times deletes of edges, deletes of nodes, creates and updates of nodes, creates
    /// and updates of edges. Applied in this order to an empty graph, all are accepted.
    pub records: Vec<(Event, Place)>,
    /// Nodes and edges that were refused, in order of lines.
    pub rejects: Vec<Reject>,
    /// Edges that were cut to the life of an end.
    pub clipped: u64,
    /// Intervals of features that were cut to the life of their owner.
    pub clipped_features: u64,
    /// Whether there are more types or features than a schema takes.
    pub too_many_types: bool,
}

impl Intervals {
    /// What a reader pushes, as events. `unit` is what one tick of the file's times means.
    pub fn collect<E>(unit: TimeUnit, read: impl FnOnce(&mut dyn SpanSink) -> Result<(), E>) -> Result<Intervals, E> {
        let mut assembly = Assembly::new(unit);
        read(&mut assembly)?;
        Ok(assembly.finish())
    }

    /// The graph that the events make.
    ///
    /// # Panics
    ///
    /// If an event is refused, or needs a type or feature that the schema does not have.
    pub fn replay(&self) -> ReferenceGraph {
        let mut closed = self.schema.clone();
        closed.close();
        let mut graph = ReferenceGraph::new(closed);
        for (event, place) in &self.records {
            graph.apply(event).unwrap_or_else(|reason| panic!("{place}: {reason}: {event:?}"));
        }
        graph
    }
}
