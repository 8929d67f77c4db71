//! What a load reads.

use timeweft_graph::{Event, Place, Reject};

/// Why a reader gave up.
pub type ReadError = Box<dyn std::error::Error + Send + Sync>;

/// A record of a source: an event with its place, or why there is none.
pub type SourceRecord = Result<(Event, Place), Reject>;

/// Where a stream of events comes from: it is read on a thread of its own.
pub trait EventSource: Send {
    /// The next record; none at the end. An error is the end of the load: nothing of it is committed.
    fn next(&mut self) -> Result<Option<SourceRecord>, ReadError>;

    /// Whether the source can be read again, as a file can and a pipe cannot.
    fn can_rewind(&self) -> bool;

    /// Begins again with the first record. Asked only of sources that can.
    fn rewind(&mut self) -> Result<(), ReadError>;
}
