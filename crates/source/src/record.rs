//! An event with the place that it came from.

use timeweft_graph::{Event, Place};

/// One event read from a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The fact.
    pub event: Event,
    /// Where it stands.
    pub place: Place,
}
