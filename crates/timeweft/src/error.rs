//! The one error of the library: those of its parts, widened.

use timeweft_graph::TimeError;
use timeweft_learn::{ConfigError, LearnError};
use timeweft_source::SourceError;
use timeweft_store::StoreError;

/// Why something could not be done. Messages say what, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A source could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A learning task could not be done.
    #[error(transparent)]
    Learn(#[from] LearnError),
    /// A configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A text is no time of this graph.
    #[error(transparent)]
    Time(#[from] TimeError),
}
