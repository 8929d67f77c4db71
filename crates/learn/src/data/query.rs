//! What a model is asked.

use timeweft_graph::{Direction, EdgeTypeId, NodeIndex, Time};

use crate::data::directed_relation::DirectedRelation;

/// One question: would `source` reach `destination` at `time`, knowing what was before `as_of`?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Query {
    /// Relation asked about.
    pub edge_type: EdgeTypeId,
    /// The side that the asking node is on: `In` asks for the node that an edge would come from.
    pub direction: Direction,
    /// Asking node.
    pub source: NodeIndex,
    /// Candidate answer.
    pub destination: NodeIndex,
    /// When.
    pub time: Time,
    /// What may be known: everything strictly before.
    pub as_of: Time,
}

impl Query {
    /// Whether another candidate is asked about in the same question.
    pub(crate) fn is_same_question(&self, other: &Query) -> bool {
        Query { destination: other.destination, ..*self } == *other
    }

    pub(crate) fn relation(&self) -> DirectedRelation {
        DirectedRelation::new(self.edge_type, self.direction)
    }
}
