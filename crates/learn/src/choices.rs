//! What a configuration may choose for each stage of the model.

use serde::{Deserialize, Serialize};

/// The recurrent cell of the memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemoryCellKind {
    /// A selective state space with decay by physical time.
    #[default]
    Mamba,
    /// A gated recurrent unit whose gate is biased towards keeping.
    Gru,
}

/// How the messages of one set become a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// A sum, without attention.
    #[default]
    Sum,
    /// The heterogeneous transformer convolution.
    Attention,
    /// Only the last message of the set: by time, then by relation and peer.
    KeepLast,
}

/// Which messages of a node are one set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bucket {
    /// Those of one exact time: order between times is left to the memory.
    #[default]
    Exact,
    /// All of a batch: order inside a batch is lost, and the batch size changes the model.
    Batch,
}

/// How a root reads the graph as of now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GnnKind {
    /// Attention over the most recent neighbors.
    #[default]
    Transformer,
    /// The same, where every node decides whether it listens and whether it speaks.
    Cooperative,
    /// Not at all: an embedding is made of the root's own memory and features.
    None,
}

/// What happens next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Predict {
    /// New edges: which end each has.
    #[default]
    Created,
    /// Removals of edges: which of those that are there.
    Removed,
    /// Deletions and merges of nodes: which of those that are there.
    Gone,
}

impl Predict {
    /// As it stands in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Predict::Created => "created",
            Predict::Removed => "removed",
            Predict::Gone => "gone",
        }
    }
}

/// What state training answers may read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrainFreshness {
    /// Everything strictly before the answer's own time.
    #[default]
    Event,
    /// Everything before the answer's batch. Memory learns by running the batch before once more.
    Batch,
}
