//! How much an answer may know.

use serde::{Deserialize, Serialize};

/// How fresh the state is that an answer may use. Always stated beside a figure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    /// Everything strictly before the answer's own time.
    Event,
    /// Everything before the batch of this many events (counted over the whole stream) that the answer lies in.
    Batch(usize),
}

impl std::fmt::Display for Freshness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Freshness::Event => f.write_str("event"),
            Freshness::Batch(size) => write!(f, "batch {size}"),
        }
    }
}
