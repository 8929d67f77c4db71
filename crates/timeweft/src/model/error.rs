//! Why a model could not be made, found or asked.

use std::path::PathBuf;

use timeweft_graph::{Name, NodeKey};
use timeweft_learn::{LearnError, Predict};

/// Why a model could not be made, found or asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The learning itself failed.
    #[error(transparent)]
    Learn(#[from] LearnError),
    /// The folder of models could not be read or made.
    #[error("{}: {source}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A name that is no file name.
    #[error("`{0}` is no name for a model: use letters, digits, `-`, `_` and `.`")]
    Name(String),
    /// No such model.
    #[error("no model `{name}` in {}: {}", folder.display(), known_models(known))]
    NoModel {
        /// Asked for.
        name: String,
        /// Where models lie.
        folder: PathBuf,
        /// What there is.
        known: Vec<String>,
    },
    /// A model in memory whose file is another one's by now.
    #[error("another model was trained under the name `{0}` meanwhile: load it again")]
    Replaced(String),
    /// A memory that has taken in more than the graph has.
    #[error(
        "the memory of `{name}` has taken in {facts} facts of events that the graph does not have, and cannot be kept: load these \
         events, update the model, and keep it then"
    )]
    NotLoaded {
        /// The model.
        name: String,
        /// How many.
        facts: usize,
    },
    /// A relation that does not start at the source's type, or does not end at the destination's.
    #[error("no relation `{asked}` in this graph: it has {}", known.join(", "))]
    UnknownRelation {
        /// Asked for, with the types of its ends where they are known.
        asked: String,
        /// All relations, with the types of their ends.
        known: Vec<String>,
    },
    /// A relation that the model was not trained to predict.
    #[error("the model does not predict `{asked}`, only {}: train one with the target {asked}", known.join(", "))]
    NotTrained {
        /// Asked for.
        asked: Name,
        /// What the model predicts.
        known: Vec<String>,
    },
    /// A type that came to the graph after the model was trained.
    #[error("the model does not know {asked}, which came to the graph after its training: it knows {}. Train again to take it in", known.join(", "))]
    NotKnown {
        /// Asked for.
        asked: String,
        /// Types of the graph that the model knows.
        known: Vec<String>,
    },
    /// A question of another kind than the model was trained for.
    #[error("the model predicts {}, not {asked}: train one with `predict = \"{}\"` in [train]", predicts.name(), wanted.name())]
    OtherQuestion {
        /// What the model predicts.
        predicts: Predict,
        /// Asked for.
        asked: &'static str,
        /// What a model must predict to be asked that.
        wanted: Predict,
    },
    /// A type of nodes that the graph does not have.
    #[error("no type of nodes `{asked}` in this graph: it has {}", known.join(", "))]
    UnknownType {
        /// Asked for.
        asked: String,
        /// All types.
        known: Vec<String>,
    },
    /// A relation that ends at several types of nodes.
    #[error("`{relation}` ends at {}: say which type of destination is meant", types.join(", "))]
    SeveralTypes {
        /// Asked for.
        relation: Name,
        /// Types that it ends at.
        types: Vec<String>,
    },
    /// An id that nodes of several types have.
    #[error("nodes of several types have the id `{id}`: {}: give the type as well", types.join(", "))]
    SeveralNodes {
        /// The id.
        id: String,
        /// Types of nodes that have it.
        types: Vec<String>,
    },
    /// An edge that is to be removed, but is not there.
    #[error("there is no edge {edge} just before {time} that could be removed")]
    #[allow(missing_docs)]
    NoEdge { edge: String, time: String },
    /// A node that is not there at the time of the question.
    #[error("node {node} is not alive just before {time}: ask for a time at which it is, or for another node")]
    NotAlive {
        /// The node.
        node: NodeKey,
        /// Time of the question.
        time: String,
    },
}

fn known_models(known: &[String]) -> String {
    if known.is_empty() { "train one first".into() } else { format!("there are {}", known.join(", ")) }
}
