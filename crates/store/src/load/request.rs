//! What is asked of a load.

use serde::{Deserialize, Serialize};
use timeweft_graph::{Dangling, Link, Name, Schema, Stop, Time};

/// The rejected records that a report keeps in full unless a load asks for more; all are counted.
pub const KEPT_REJECTS: usize = 1_000;

/// What to do with an edge that is created again while it lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Repeats {
    /// It is a rejected record.
    #[default]
    Reject,
    /// It is a parallel edge: one without a key gets the first free key of `2`, `3`, ...
    Parallel,
}

/// What to do with an event that is earlier than the latest one of its element.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Late {
    /// It is put where it belongs in time: what came later is taken in again behind it.
    #[default]
    Place,
    /// It is a rejected record.
    Reject,
}

/// One load: what it brings, for which namespace, and under which policies.
#[derive(Clone, Debug)]
pub struct LoadRequest {
    /// Owner of everything that the load creates.
    pub namespace: Name,
    /// Version that the load brings; with it, the same load again is no load.
    pub version: Option<Name>,
    /// When the version takes effect; required for a whole version.
    pub timestamp: Option<Time>,
    /// When its source released it.
    pub release_timestamp: Option<Time>,
    /// Name of the source for the registry, such as a file name.
    pub source: Name,
    /// Types that the source declares; merged into the store's schema.
    pub schema: Schema,
    /// What to do with edges at missing nodes. A whole version takes it from its delta options.
    pub dangling: Dangling,
    /// What to do with repeated edges.
    pub repeats: Repeats,
    /// What to do with late events of a stream ([`crate::Store::load_stream`]).
    pub late: Late,
    /// The load is refused as soon as more records than this are rejected.
    pub max_rejects: Option<u64>,
    /// How many rejected records the report keeps; all are counted.
    pub kept_rejects: usize,
    /// Whether a version may take effect before versions of its namespace that are there already.
    pub back_dated: bool,
    /// Whether the events are rows of tables ([`timeweft_index::Index::steps_of_row`]), and the foreign keys of these.
    pub rows: Option<Vec<Link>>,
    /// Ends the load when it is asked for: nothing of it is kept then ([`crate::StoreError::Stopped`]).
    pub stop: Stop,
}

impl LoadRequest {
    /// A load without version and with the default policies.
    pub fn new(namespace: &str, source: &str) -> LoadRequest {
        LoadRequest {
            namespace: namespace.into(),
            version: None,
            timestamp: None,
            release_timestamp: None,
            source: source.into(),
            schema: Schema::default(),
            dangling: Dangling::default(),
            repeats: Repeats::default(),
            late: Late::default(),
            max_rejects: None,
            kept_rejects: KEPT_REJECTS,
            back_dated: false,
            rows: None,
            stop: Stop::default(),
        }
    }

    /// The same load of a version that takes effect at `timestamp`.
    pub fn version(mut self, version: &str, timestamp: Time) -> LoadRequest {
        self.version = Some(version.into());
        self.timestamp = Some(timestamp);
        self
    }
}
