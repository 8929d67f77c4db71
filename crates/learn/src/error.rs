//! What can go wrong in learning.

use std::path::PathBuf;

use timeweft_graph::Deletes;

use crate::{ConfigError, NonFiniteFeature};

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
    /// The loss is not a number any more, or a weight.
    #[error(
        "the loss became {loss} in epoch {epoch}, with finite inputs: lower train.learning_rate, which is {learning_rate}{}",
        in_inputs(non_finite)
    )]
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// The loss.
        loss: f32,
        /// The step size at the start.
        learning_rate: f64,
        /// Features with values that were read as missing.
        non_finite: Vec<NonFiniteFeature>,
    },
    /// Training was stopped before an epoch was over, so there are no weights to keep.
    #[error("training was interrupted before its first epoch was over: nothing is kept")]
    Interrupted,
    /// A question, or the taking in of facts, was asked to end early.
    #[error("it was asked to stop before it was done")]
    Stopped,
    /// More state than there is memory for.
    #[error("{setting} takes about {gigabytes:.1} GB for {what}, and {there:.1} GB is all there is: make it smaller")]
    NoRoom {
        /// The settings that make it large.
        setting: String,
        /// What takes it.
        what: String,
        /// How much it takes, as estimated.
        gigabytes: f64,
        /// How much this process may have.
        there: f64,
    },
    /// Training goes on with another configuration than it began with.
    #[error("the model was trained with another configuration: only train.epochs and train.patience may differ")]
    OtherConfig,
    /// Deletes are asked to be read otherwise than in training.
    #[error("the model was trained with {} deletes and cannot answer with {} ones: train another", trained.name(), asked.name())]
    Deletes {
        /// The setting of the model.
        trained: Deletes,
        /// The setting that is asked for.
        asked: Deletes,
    },
    /// A model of another graph: its file.
    #[error("{}: the model was trained on another graph: it knows none of the types of this one. Train again", .0.display())]
    OtherGraph(PathBuf),
    /// A file that is no model, or not one that this timeweft can use.
    #[error("{}: {reason}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A model could not be written.
    #[error("{}: {source}: the model is not kept, and one of that name that was there is as it was: train again once this is mended", path.display())]
    Unsaved {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The model is there, but the name of its file may not be durable.
    #[error("{}: {source}: the model is written, but it is not known whether it outlasts a power cut: look with `timeweft evaluate`, and train again only if it is not there", path.display())]
    Unsynced {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

fn in_inputs(non_finite: &[NonFiniteFeature]) -> String {
    let missing: Vec<String> = non_finite.iter().map(ToString::to_string).collect();
    if missing.is_empty() { String::new() } else { format!(" (read as missing: {})", missing.join("; ")) }
}
