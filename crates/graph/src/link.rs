//! Foreign keys: edges that a row of a table has, one of a kind at most.

use crate::{EdgeKey, Name};

/// Which end of an edge it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LinkEnd {
    /// The node that the edge leaves: `order -placed_by-> customer`, in a table of orders.
    Source,
    /// The node that the edge reaches: `customer -placed-> order`, in a table of orders.
    Destination,
}

/// A foreign key of a table whose rows are nodes: an edge type of which a node has one edge at most at any time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Type of the sources.
    pub source: Name,
    /// Relation of the edges.
    pub relation: Name,
    /// Type of the destinations.
    pub destination: Name,
    /// The end whose row has the foreign key.
    pub of: LinkEnd,
}

impl Link {
    /// Whether an edge is one of these.
    pub fn holds(&self, edge: &EdgeKey) -> bool {
        self.relation == edge.relation
            && self.source == edge.source.node_type
            && self.destination == edge.destination.node_type
    }
}
