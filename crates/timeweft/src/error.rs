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
    /// The format cannot be told from the name of the source.
    #[error("the format of `{source_name}` is not known: give {choices}")]
    UnknownFormat {
        /// The source as it was given.
        source_name: String,
        /// The formats that can be named.
        choices: &'static str,
    },
}
