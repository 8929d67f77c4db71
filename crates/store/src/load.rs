//! Loads: what is asked, what came of it, and what the registry keeps.

pub(crate) mod content;
pub(crate) mod ingest;
mod intervals;
pub(crate) mod publish;
mod read_ahead;
pub(crate) mod stream;
pub(crate) mod version;

use serde::{Deserialize, Serialize};
use timeweft_graph::delta::Fields;
use timeweft_graph::{Action, Commit, Dangling, DeltaReport, Element, LoadId, Name, Place, Reject, Schema, Time};

use self::publish::empty_report;
use crate::splice::SpliceReport;

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

/// One load: who brings what, and under which policies.
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
    /// So many rejected records are kept in the report; all are counted.
    pub kept_rejects: usize,
    /// Whether a version may take effect before versions of its namespace that are there already.
    pub back_dated: bool,
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
        }
    }

    /// The same load of a version that takes effect at `timestamp`.
    pub fn version(mut self, version: &str, timestamp: Time) -> LoadRequest {
        self.version = Some(version.into());
        self.timestamp = Some(timestamp);
        self
    }
}

/// Numbers of accepted events of one kind of element.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ActionCounts {
    /// Creates.
    pub created: u64,
    /// Updates.
    pub updated: u64,
    /// Deletes.
    pub deleted: u64,
}

/// Numbers of accepted events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct EventCounts {
    /// Of nodes.
    pub nodes: ActionCounts,
    /// Of edges.
    pub edges: ActionCounts,
    /// Of merges.
    pub merges: ActionCounts,
    /// Nodes created in place of missing ones; they count among the nodes created.
    pub stubs: u64,
    /// Edges that got a key because they repeat one that lives; they count among the edges created.
    pub parallel: u64,
}

impl EventCounts {
    pub(crate) fn count_created(&mut self, edges: bool, count: u64) {
        let of = if edges { &mut self.edges } else { &mut self.nodes };
        of.created += count;
    }

    pub(crate) fn count(&mut self, action: Action, element: &Element) {
        let of = match element {
            Element::Node(_) => &mut self.nodes,
            Element::Edge(_) => &mut self.edges,
            Element::Merge { .. } => &mut self.merges,
        };
        match action {
            Action::Create => of.created += 1,
            Action::Update => of.updated += 1,
            Action::Delete => of.deleted += 1,
        }
    }
}

/// So many rejected records are kept in full unless a load asks for more; all are counted.
pub const KEPT_REJECTS: usize = 1_000;

/// What came of a load.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadReport {
    /// Its number in the registry; of the earlier load where this one is `unchanged`.
    pub load: LoadId,
    /// The commit that made it visible.
    pub commit: Commit,
    /// Events accepted.
    pub accepted: u64,
    /// The same by action and kind of element.
    pub counts: EventCounts,
    /// The first rejected records, as many as the request keeps, in the order of the source.
    pub rejects: Vec<Reject>,
    /// All rejected records.
    pub n_rejected: u64,
    /// What a whole version changed.
    pub delta: Option<DeltaReport>,
    /// What was taken in although it looks odd, with its place.
    pub warnings: Vec<(Place, String)>,
    /// How the source was read where it leaves that open, for people. The store adds nothing to it.
    pub notes: Vec<String>,
    /// The namespace has this version with the same content already: nothing was written.
    pub unchanged: bool,
    /// What a back-dated version, or late events, changed in other loads.
    pub later: SpliceReport,
    /// How the events stood in time.
    pub order: OrderReport,
    /// What was cut in a source of intervals.
    pub clipped: ClippedCounts,
}

impl LoadReport {
    /// Nothing was written, for an earlier load brought it all.
    pub fn unchanged(load: LoadId, commit: Commit) -> LoadReport {
        LoadReport { unchanged: true, ..empty_report(load, commit) }
    }
}

/// How the events of a load stood in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OrderReport {
    /// The source was not in order of time, and was sorted.
    pub sorted: bool,
    /// Late events that were put where they belong.
    pub placed: u64,
    /// Late events that were refused.
    pub refused: u64,
}

/// What lasted longer than something it belongs to, and was cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClippedCounts {
    /// Edges, to the life of an end.
    pub edges: u64,
    /// Intervals of values, to the life of their owner.
    pub features: u64,
}

/// A load in the registry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
