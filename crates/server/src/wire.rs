//! What all answers share: times, nodes, edges, counts.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use timeweft::{At, Commit, Deletes, EdgeKey, Interval, NodeKey, Time, TimeUnit};
use utoipa::ToSchema;

/// A 64-bit whole number, in decimal: a JSON number would lose digits beyond 2^53.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ToSchema)]
#[schema(value_type = String, examples("1709251200"))]
pub(crate) struct Tick(pub(crate) i64);

impl From<Time> for Tick {
    fn from(time: Time) -> Tick {
        Tick(time.0)
    }
}

impl Serialize for Tick {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Tick {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tick, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Tick).map_err(|_| serde::de::Error::custom(format!("expected ticks, got `{text}`")))
    }
}

/// A time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = Time)]
pub(crate) struct Moment {
    pub(crate) tick: Tick,
    /// RFC 3339 in UTC; null in a graph of steps, and outside the years 1 to 9999.
    pub(crate) iso: Option<String>,
}

impl Moment {
    pub(crate) fn of(unit: TimeUnit, time: Time) -> Moment {
        let has_calendar = unit.nanos().is_some();
        let iso = has_calendar.then(|| unit.format(time)).filter(|text| text.ends_with('Z'));
        Moment { tick: time.into(), iso }
    }

    /// The same; none for the end of time.
    pub(crate) fn open(unit: TimeUnit, time: Time) -> Option<Moment> {
        (time != Time::FOREVER).then(|| Moment::of(unit, time))
    }
}

/// When something lives: half-open; `removed` null: open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(crate) struct Life {
    pub(crate) created: Moment,
    pub(crate) removed: Option<Moment>,
}

impl Life {
    pub(crate) fn of(unit: TimeUnit, life: Interval) -> Life {
        Life { created: Moment::of(unit, life.created), removed: Moment::open(unit, life.removed) }
    }
}

/// A node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(crate) struct NodeRef {
    #[serde(rename = "type")]
    pub(crate) node_type: String,
    /// Text, also where it is a whole number.
    pub(crate) id: String,
    /// The newest text of the first of the features `name`, `label`, `title` that the node ever had.
    pub(crate) name: Option<String>,
}

impl NodeRef {
    pub(crate) fn new(key: &NodeKey, name: Option<String>) -> NodeRef {
        NodeRef { node_type: key.node_type.to_string(), id: key.id.to_string(), name }
    }
}

/// An edge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(crate) struct EdgeRef {
    pub(crate) source: NodeRef,
    pub(crate) relation: String,
    pub(crate) destination: NodeRef,
    /// What tells it apart from parallel edges.
    pub(crate) key: Option<String>,
}

impl EdgeRef {
    pub(crate) fn new(key: &EdgeKey, name: impl Fn(&NodeKey) -> Option<String>) -> EdgeRef {
        EdgeRef {
            source: NodeRef::new(&key.source, name(&key.source)),
            relation: key.relation.to_string(),
            destination: NodeRef::new(&key.destination, name(&key.destination)),
            key: key.key.as_ref().map(ToString::to_string),
        }
    }
}

/// Whether deleted elements are gone or shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeletesText {
    /// They are gone.
    #[default]
    Hard,
    /// They are shown, marked and with their last values.
    Soft,
}

impl From<DeletesText> for Deletes {
    fn from(text: DeletesText) -> Deletes {
        match text {
            DeletesText::Hard => Deletes::Hard,
            DeletesText::Soft => Deletes::Soft,
        }
    }
}

impl From<Deletes> for DeletesText {
    fn from(deletes: Deletes) -> DeletesText {
        match deletes {
            Deletes::Hard => DeletesText::Hard,
            Deletes::Soft => DeletesText::Soft,
        }
    }
}

/// What an answer was read at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub(crate) struct Head {
    pub(crate) commit: u64,
    /// Null: the end of time.
    pub(crate) at: Option<Moment>,
    pub(crate) deletes: DeletesText,
}

impl Head {
    pub(crate) fn new(unit: TimeUnit, commit: Commit, at: At) -> Head {
        Head { commit: commit.0, at: Moment::open(unit, at.time), deletes: at.deletes.into() }
    }
}

/// Numbers of changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Counts {
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) removed: u64,
}

/// The same of all kinds of elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub(crate) struct AllCounts {
    pub(crate) nodes: Counts,
    pub(crate) edges: Counts,
    pub(crate) merges: Counts,
}
