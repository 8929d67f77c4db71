//! Files of intervals become events: what temporal JSON, edge lists, TSV and DeepGNN's binary folders have in common.
//!
//! What the lives of a file come to is said in `timeweft_source::interval_format`; here it is done one by one, in maps.

mod assembly;
mod edges;

use timeweft_graph::{Event, Place, Reject, Schema, Sink, TimeUnit};

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
    pub fn collect<E>(unit: TimeUnit, read: impl FnOnce(&mut dyn Sink) -> Result<(), E>) -> Result<Intervals, E> {
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
