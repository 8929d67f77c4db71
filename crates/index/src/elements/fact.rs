//! A fact: one accepted event as a model reads it.

use timeweft_graph::{Action, EdgeIndex, EdgeTypeId, NodeIndex, Time};

/// One accepted event without names. A node delete stands after the deletes of the edges that it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fact {
    /// When it happens.
    pub time: Time,
    /// What happens.
    pub action: Action,
    /// The node, or where the edge starts.
    pub source: NodeIndex,
    /// The node again, or where the edge ends.
    pub destination: NodeIndex,
    /// The edge's type and life; `None` for a node's fact.
    pub edge: Option<(EdgeTypeId, EdgeIndex)>,
    /// Position of the event in [`timeweft_graph::GraphView::events`].
    pub log: u32,
}
