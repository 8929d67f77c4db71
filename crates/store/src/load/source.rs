//! What goes wrong while a source is read.

/// Why a reader gave up.
pub type ReadError = Box<dyn std::error::Error + Send + Sync>;
