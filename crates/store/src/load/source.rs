//! What goes wrong while a source is read.

use timeweft_graph::Stop;

use crate::StoreError;

/// Why a reader gave up.
pub type ReadError = Box<dyn std::error::Error + Send + Sync>;

/// What reading came to. Of a load that was stopped it is no matter what its reader made of the rest.
pub(crate) fn done(read: Result<(), ReadError>, stop: &Stop) -> Result<(), StoreError> {
    if stop.is_asked() { Err(StoreError::Stopped) } else { read.map_err(StoreError::Source) }
}
