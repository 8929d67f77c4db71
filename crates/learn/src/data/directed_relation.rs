//! A relation together with the end of it that asks.

use timeweft_graph::{Direction, EdgeTypeId};

use crate::data::schema_map::SchemaMap;

/// A relation as the asking node sees it: an edge type, outwards or inwards.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct DirectedRelation(u32);

impl DirectedRelation {
    /// From an edge type and the side that the asking node is on.
    pub(crate) fn new(edge_type: EdgeTypeId, direction: Direction) -> DirectedRelation {
        DirectedRelation(2 * u32::from(edge_type.0) + u32::from(direction == Direction::In))
    }

    /// The same edges asked for from their other end.
    pub(crate) fn reversed(self) -> DirectedRelation {
        DirectedRelation(self.0 ^ 1)
    }

    /// The same with its edge type as a model numbers it.
    pub(crate) fn known(self, types: &SchemaMap) -> DirectedRelation {
        let EdgeTypeId(edge_type) = types.edge(EdgeTypeId((self.0 / 2) as u16));
        DirectedRelation(2 * u32::from(edge_type) + self.0 % 2)
    }

    /// Its number, from 0.
    pub(crate) fn at(self) -> usize {
        self.0 as usize
    }
}
