//! One change of one row.

use timeweft_graph::Time;

use super::position::Position;

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// It is there, as the image after the change shows.
    There,
    /// It is gone.
    Gone,
}

/// A change, beside the images that show the row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) outcome: Outcome,
    pub(super) time: Time,
    pub(super) position: Position,
    /// The names by which the table of the row may be called, from the shortest to the longest.
    pub(super) tables: Vec<String>,
}

impl Change {
    /// Whether its row is one of a table of the mapping.
    pub(super) fn is_of(&self, table: &str) -> bool {
        self.tables.iter().any(|name| name == table)
    }
}
