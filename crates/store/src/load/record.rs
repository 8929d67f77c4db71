//! What the registry keeps of a load.

use serde::{Deserialize, Serialize};
use timeweft_graph::delta::Fields;
use timeweft_graph::{Commit, LoadId, Name, Time};

use super::EventCounts;

/// A load in the registry.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LoadRecord {
    /// Its number, from 1.
    pub id: LoadId,
    /// The commit that made it visible.
    pub commit: Commit,
    /// Owner of what it created.
    pub namespace: Name,
    /// The version it brought.
    pub version: Option<Name>,
    /// When the version took effect.
    pub timestamp: Option<Time>,
    /// When its source released it.
    pub release_timestamp: Option<Time>,
    /// Name of the source.
    pub source: Name,
    /// Hash of the content, in hexadecimal: of a version's elements in any order, or of events in their order.
    pub content_hash: String,
    /// Numbers of accepted events.
    pub counts: EventCounts,
    /// Accepted events.
    pub events: u64,
    /// Rejected records.
    pub rejected: u64,
    /// What read the version.
    #[serde(default)]
    pub format: Option<Name>,
    /// The features that the versions of the namespace have after this one; none if they follow from the data.
    #[serde(default)]
    pub fields: Option<Fields>,
    /// The load that this commit took back.
    #[serde(default)]
    pub undoes: Option<LoadId>,
    /// The load before which this one took effect, if it was back-dated.
    #[serde(default)]
    pub before: Option<LoadId>,
    /// Whether its version might end edges of other namespaces.
    #[serde(default)]
    pub end_foreign_edges: bool,
    /// Loads whose events this one replaced, because it was put before them or among them, or took back one before them.
    #[serde(default)]
    pub replaced: Vec<LoadId>,
    /// The load from which on all loads up to this one are taken in together, in order of time, because this one brought
    /// late events.
    #[serde(default)]
    pub since: Option<LoadId>,
    /// The latest time of an event of another load that does not fit since this load. It is kept, and fits again when what
    /// it lacks comes.
    #[serde(default)]
    pub aside: Option<Time>,
    /// Wall clock at the start, milliseconds since the epoch.
    pub started: i64,
    /// Wall clock at the end, milliseconds since the epoch.
    pub completed: i64,
}

impl LoadRecord {
    /// Whether it brought a whole version of a namespace.
    pub fn is_version_of(&self, namespace: &str) -> bool {
        self.is_version() && *self.namespace == *namespace
    }

    /// Whether it brought a whole version.
    pub fn is_version(&self) -> bool {
        self.version.is_some() && self.timestamp.is_some()
    }
}
