//! The stable JSON shapes of elements. Times are ticks of the graph's unit; `removed` is null while the end is open.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value as Json};
use timeweft::read::{EdgeState, ExternalId, FeatureSpan, MergeRecord, NodeState};
use timeweft::{EdgeKey, Interval, Name, NodeKey, Time, Value};

/// A node by name.
#[derive(Serialize)]
pub(crate) struct NodeJson<'a> {
    r#type: &'a str,
    id: &'a ExternalId,
}

impl<'a> From<&'a NodeKey> for NodeJson<'a> {
    fn from(key: &'a NodeKey) -> Self {
        NodeJson { r#type: &key.node_type, id: &key.id }
    }
}

/// An edge by name.
#[derive(Serialize)]
pub(crate) struct EdgeJson<'a> {
    source: NodeJson<'a>,
    relation: &'a str,
    key: Option<&'a str>,
    destination: NodeJson<'a>,
}

impl<'a> From<&'a EdgeKey> for EdgeJson<'a> {
    fn from(key: &'a EdgeKey) -> Self {
        EdgeJson {
            source: (&key.source).into(),
            relation: &key.relation,
            key: key.key.as_deref(),
            destination: (&key.destination).into(),
        }
    }
}

/// An interval.
#[derive(Serialize)]
pub(crate) struct IntervalJson {
    created: i64,
    removed: Option<i64>,
}

impl From<Interval> for IntervalJson {
    fn from(interval: Interval) -> Self {
        let removed = (interval.removed != Time::FOREVER).then_some(interval.removed.0);
        IntervalJson { created: interval.created.0, removed }
    }
}

/// An element as a view shows it.
#[derive(Serialize)]
pub(crate) struct StateJson<K> {
    #[serde(flatten)]
    key: K,
    #[serde(flatten)]
    life: IntervalJson,
    deleted: bool,
    features: Map<String, Json>,
}

/// Features by name.
pub(crate) fn features(features: &BTreeMap<Name, Value>) -> Map<String, Json> {
    features.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect()
}

impl<'a> From<&'a NodeState> for StateJson<NodeJson<'a>> {
    fn from(state: &'a NodeState) -> Self {
        let features = features(&state.features);
        StateJson { key: (&state.key).into(), life: state.life.into(), deleted: state.deleted, features }
    }
}

impl<'a> From<&'a EdgeState> for StateJson<EdgeJson<'a>> {
    fn from(state: &'a EdgeState) -> Self {
        let features = features(&state.features);
        StateJson { key: (&state.key).into(), life: state.life.into(), deleted: state.deleted, features }
    }
}

/// A value of a feature while it held.
#[derive(Serialize)]
pub(crate) struct SpanJson<'a> {
    feature: &'a str,
    value: Json,
    #[serde(flatten)]
    interval: IntervalJson,
}

impl<'a> From<&'a FeatureSpan> for SpanJson<'a> {
    fn from(span: &'a FeatureSpan) -> Self {
        SpanJson { feature: &span.name, value: span.value.to_json(), interval: span.interval.into() }
    }
}

/// A merge with what was said of it.
#[derive(Serialize)]
pub(crate) struct MergeJson<'a> {
    from: NodeJson<'a>,
    into: NodeJson<'a>,
    #[serde(flatten)]
    interval: IntervalJson,
    features: Map<String, Json>,
}

impl<'a> From<&'a MergeRecord> for MergeJson<'a> {
    fn from(merge: &'a MergeRecord) -> Self {
        let (from, into) = ((&merge.from).into(), (&merge.into).into());
        MergeJson { from, into, interval: merge.interval.into(), features: features(&merge.features) }
    }
}
