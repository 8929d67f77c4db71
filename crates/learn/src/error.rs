//! What can go wrong in learning.

use std::path::PathBuf;

use crate::{ConfigError, DeleteRule};

/// A learning task that cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearnError {
    /// The configuration is wrong.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// A target that the graph does not have.
    #[error("no {what} `{name}` in this graph: it has {}", known.join(", "))]
    UnknownTarget {
        /// What is missing: a relation, or a type of nodes.
        what: &'static str,
        /// Asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Nothing to learn from.
    #[error("only {links} links to learn from: give a graph with more of what is predicted, or other targets")]
    TooLittle {
        /// Number of links.
        links: usize,
    },
    /// The loss is not a number any more.
    #[error("the loss became {loss} in epoch {epoch}: lower train.learning_rate")]
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// The loss.
        loss: f32,
    },
    /// Training goes on with another configuration than it began with.
    #[error("the model was trained with another configuration: only train.epochs and train.patience may differ")]
    OtherConfig,
    /// Deletes are asked to be read otherwise than in training.
    #[error("the model was trained with {} deletes and cannot answer with {} ones: train another", trained.name(), asked.name())]
    Deletes {
        /// The setting of the model.
        trained: DeleteRule,
        /// The setting that is asked for.
        asked: DeleteRule,
    },
    /// A model of another graph, or a file that is no model.
    #[error("{}: {reason}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
