//! What is to be predicted.

use timeweft_graph::{Direction, EdgeTypeId, NodeIndex, Time};

use crate::data::directed_relation::DirectedRelation;
use crate::data::query::Query;

/// What is to be predicted: a new edge, one that is removed, or a node that goes, which is both ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    /// Type of the edge; of a node that goes the first that the model knows.
    pub edge_type: EdgeTypeId,
    /// The side that the asking node is on: `Out` asks where an edge goes, `In` where it comes from.
    pub direction: Direction,
    /// The asking node: the edge's source, or its destination if it is asked for the other way round.
    pub source: NodeIndex,
    /// The node at the other end: the answer.
    pub destination: NodeIndex,
    /// When it appears, is removed or goes.
    pub time: Time,
    /// Position of its fact among all facts.
    pub fact: usize,
}

impl Link {
    /// The relation as the asking node sees it.
    pub(crate) fn relation(&self) -> DirectedRelation {
        DirectedRelation::new(self.edge_type, self.direction)
    }

    /// The question that this link answers, about a candidate, with the knowledge of before `as_of`.
    pub fn question(&self, destination: NodeIndex, as_of: Time) -> Query {
        let Link { edge_type, direction, source, time, .. } = *self;
        Query { edge_type, direction, source, destination, time, as_of }
    }
}
