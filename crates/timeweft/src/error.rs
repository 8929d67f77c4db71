//! The one error of the library: those of its parts, widened.

use std::path::PathBuf;

use timeweft_graph::{NodeKey, TimeError, TimeUnit};
use timeweft_index::query::QueryError;
use timeweft_index::sample::SampleError;
use timeweft_learn::{ConfigError, LearnError};
use timeweft_source::SourceError;
use timeweft_store::StoreError;

use crate::model::ModelError;

/// What functions of this library return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done. Messages say what, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store refused or failed.
    #[error(transparent)]
    Store(StoreError),
    /// A source could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A load was stopped: by its own progress, or by what was given to [`crate::load::Load::stopped_by`].
    #[error("the load was stopped: nothing was loaded")]
    Stopped,
    /// The graph counts in another unit.
    #[error("{}: the graph counts in {known}, not in {asked}", dir.display())]
    #[allow(missing_docs)]
    OtherUnit { dir: PathBuf, known: TimeUnit, asked: TimeUnit },
    /// A text is no time of this graph.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A node that the graph never had.
    #[error("the graph has no node {0}, at no time")]
    UnknownNode(NodeKey),
    /// Samples, walks or ranks cannot be taken so.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// A question of a hierarchy cannot be asked so.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A model could not be made, found or asked.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        match error {
            StoreError::Stopped => Error::Stopped,
            other => Error::Store(other),
        }
    }
}

impl From<LearnError> for Error {
    fn from(error: LearnError) -> Error {
        Error::Model(error.into())
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Error {
        LearnError::from(error).into()
    }
}
