//! A namespace as the documents that a delta loader of a document database keeps of it (KBase's relation engine).
//!
//! Such a loader writes a document a version of a node, and binds edges to documents: an edge whose end was re-versioned is
//! expired and written anew. Here an edge binds to a node and nothing is rewired; the documents are derived, one by one,
//! from lives and from the registry, and never stored.
//!
//! What several namespaces hold is in the documents of each, with what the namespace itself says of it.
//!
//! Their closed `[created, expired]` is `[created, expired + 1)` here, and [`OPEN`] stands for an open end. Three things
//! differ from theirs on purpose: a merge that ended is expired, where theirs lives on; the last version of a merge is the
//! last one in which it holds, where theirs stays the first; and a merge into a node that no version ever listed is kept,
//! without `_to`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use timeweft_graph::{EdgeKey, Interval, Life, Name, NodeKey, Time};
use timeweft_index::Index;
use timeweft_source::VersionFormat;
use timeweft_store::{LoadRecord, Store};

/// `expired` of what was never removed: the largest whole number that a JSON reader of doubles keeps.
pub const OPEN: i64 = 9_007_199_254_740_991;

/// Fields of a document, sorted by name.
pub type Document = Map<String, Json>;

/// Which collections there are, and how edges get their ids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DocumentOptions {
    /// Collection of the nodes.
    pub nodes: Name,
    /// Collection of a relation; the relation's own name where it is not here.
    pub edges: BTreeMap<Name, Name>,
    /// Collection of the merges; they are left out without one.
    pub merges: Option<Name>,
}

impl Default for DocumentOptions {
    fn default() -> DocumentOptions {
        DocumentOptions { nodes: "v".into(), edges: BTreeMap::new(), merges: Some("m".into()) }
    }
}

/// A version of the namespace.
struct VersionOf {
    name: Name,
    release: i64,
    format: Option<VersionFormat>,
}

/// The namespace while its documents are written.
struct Writer<'a> {
    index: &'a Index,
    namespace: &'a str,
    options: &'a DocumentOptions,
    /// The versions in effect, by timestamp.
    versions: BTreeMap<Time, VersionOf>,
}

/// Hands over every document of a namespace at the latest commit with the name of its collection: nodes, edges, merges.
pub(crate) fn documents(
    store: &Store,
    namespace: &str,
    options: &DocumentOptions,
    each: &mut dyn FnMut(&str, Document),
) {
    let view = store.view();
    let writer = Writer { index: &view, namespace, options, versions: versions_of(store, namespace) };
    for (key, life) in view.node_lives_of(namespace) {
        let cuts = cuts(&life);
        cuts.iter().for_each(|&interval| each(&options.nodes, writer.node(&key, &life, interval)));
    }
    for (edge, life) in view.edge_lives_of(namespace) {
        let key = view.edge_key(edge);
        let collection = options.edges.get(&key.relation).unwrap_or(&key.relation);
        for interval in writer.edge_cuts(&key, &life) {
            each(collection, writer.edge(&key, &life, interval));
        }
    }
    let Some(collection) = &options.merges else { return };
    for (from, into, life) in view.merge_lives_of(namespace) {
        cuts(&life).iter().for_each(|&interval| each(collection, writer.merge((&from, &into), &life, interval)));
    }
}

/// The registry of a namespace: one document a version in effect, newest first.
pub(crate) fn registry(store: &Store, namespace: &str, options: &DocumentOptions) -> Vec<Document> {
    let view = store.view();
    let relations = view.edge_lives_of(namespace).map(|(edge, _)| view.edge_key(edge).relation);
    let collections = relations.map(|relation| options.edges.get(&relation).cloned().unwrap_or(relation));
    let collections: BTreeSet<Name> = collections.chain(options.edges.values().cloned()).collect();
    let mut loads: Vec<_> = store.in_effect().filter(|load| load.is_version_of(namespace)).collect();
    loads.sort_by_key(|load| std::cmp::Reverse(load.timestamp));
    let document = |load: &LoadRecord| {
        let version = load.version.as_deref().unwrap_or_default();
        object(json!({
            "_key": format!("{namespace}_{version}"),
            "load_namespace": namespace,
            "load_version": version,
            "load_timestamp": load.timestamp.map(|time| time.0),
            "release_timestamp": load.release_timestamp.or(load.timestamp).map(|time| time.0),
            "start_time": load.started,
            "completion_time": load.completed,
            "state": "complete",
            "vertex_collection": options.nodes,
            "merge_collection": options.merges,
            "edge_collections": collections,
        }))
    };
    loads.into_iter().map(document).collect()
}

fn versions_of(store: &Store, namespace: &str) -> BTreeMap<Time, VersionOf> {
    let loads = store.in_effect().filter(|load| load.is_version_of(namespace));
    let version = |load: &LoadRecord| {
        let time = load.timestamp?;
        let release = load.release_timestamp.unwrap_or(time).0;
        Some((
            time,
            VersionOf {
                name: load.version.clone()?,
                release,
                format: load.format.as_ref().and_then(|name| name.parse().ok()),
            },
        ))
    };
    loads.filter_map(version).collect()
}

impl Writer<'_> {
    fn node(&self, key: &NodeKey, life: &Life, interval: Interval) -> Document {
        let id = key.id.to_string();
        let mut document = self.document(&id, life, interval);
        document.insert("id".into(), id.into());
        document
    }

    fn edge(&self, key: &EdgeKey, life: &Life, interval: Interval) -> Document {
        let id = self.edge_id(key, interval);
        let mut document = self.document(&id, life, interval);
        let (from, to) = (&key.source, &key.destination);
        document.insert("id".into(), id.into());
        self.ends(&mut document, (from, interval.created), (to, interval.created));
        document
    }

    fn merge(&self, (from, into): (&NodeKey, &NodeKey), life: &Life, interval: Interval) -> Document {
        let mut document = self.document("", life, interval);
        let kind = document.get("type").and_then(Json::as_str).unwrap_or("merge").to_string();
        let given = document.get("id").and_then(Json::as_str).map(str::to_string);
        let id = given.unwrap_or_else(|| match self.has_single_edges(interval.created) {
            true => from.id.to_string(),
            false => format!("{}::{}::{kind}", from.id, into.id),
        });
        document.insert("_key".into(), format!("{id}_{}", self.version_at(interval.created)).into());
        document.insert("id".into(), id.into());
        self.ends(&mut document, (from, life.interval.created.before()), (into, life.interval.created));
        document
    }

    /// What documents of all kinds have, and the features.
    fn document(&self, id: &str, life: &Life, interval: Interval) -> Document {
        let Interval { created, removed } = interval;
        let held = life.features.iter().filter(|span| span.interval.contains(created));
        let mut document: Document = held.map(|span| (span.name.to_string(), span.value.to_json())).collect();
        let first = self.version_at(created);
        let last =
            self.versions.range(..removed).next_back().map_or_else(|| first.clone(), |(_, last)| last.name.to_string());
        let (expired, release_expired) = match removed {
            Time::FOREVER => (OPEN, OPEN),
            Time(removed) => (removed - 1, self.release_at(Time(removed)) - 1),
        };
        let own = json!({
            "_key": format!("{id}_{first}"),
            "first_version": first,
            "last_version": last,
            "created": created.0,
            "expired": expired,
            "release_created": self.release_at(created),
            "release_expired": release_expired,
        });
        document.extend(object(own));
        document
    }

    fn ends(&self, document: &mut Document, from: (&NodeKey, Time), to: (&NodeKey, Time)) {
        document.insert("from".into(), from.0.id.to_string().into());
        document.insert("to".into(), to.0.id.to_string().into());
        for (field, (node, time)) in [("_from", from), ("_to", to)] {
            if let Some(reference) = self.reference(node, time) {
                document.insert(field.into(), reference.into());
            }
        }
    }

    /// The document of a node at a time, or its last one before.
    fn reference(&self, node: &NodeKey, time: Time) -> Option<String> {
        let life = self.index.node_life_by(node, time, self.namespace)?;
        let cut = cuts(&life).into_iter().rfind(|cut| cut.created <= time)?;
        Some(format!("{}/{}_{}", self.options.nodes, node.id, self.version_at(cut.created)))
    }

    /// An edge has a new document where its own features change and where a document of one of its ends begins.
    fn edge_cuts(&self, key: &EdgeKey, life: &Life) -> Vec<Interval> {
        let mut times: BTreeSet<Time> = cuts(life).into_iter().map(|cut| cut.created).collect();
        for end in [&key.source, &key.destination] {
            let end = self.index.node_life_by(end, life.interval.created, self.namespace);
            times.extend(end.iter().flat_map(cuts).map(|cut| cut.created));
        }
        let inside = times.into_iter().filter(|time| life.interval.contains(*time) && *time != Time::FOREVER);
        between(inside.collect(), life.interval)
    }

    fn edge_id(&self, key: &EdgeKey, interval: Interval) -> String {
        match &key.key {
            Some(id) => id.to_string(),
            None if self.has_single_edges(interval.created) => key.source.id.to_string(),
            None => format!("{}::{}::{}", key.source.id, key.destination.id, key.relation),
        }
    }

    fn has_single_edges(&self, time: Time) -> bool {
        let version = self.versions.range(..=time).next_back();
        // A taxon has one parent, so its edge has the taxon's id.
        version.and_then(|(_, version)| version.format).is_some_and(VersionFormat::is_taxonomy)
    }

    /// Name of the version at a time; the time itself where an event changed the element.
    fn version_at(&self, time: Time) -> String {
        self.versions.get(&time).map_or_else(|| time.0.to_string(), |version| version.name.to_string())
    }

    fn release_at(&self, time: Time) -> i64 {
        self.versions.get(&time).map_or(time.0, |version| version.release)
    }
}

/// The intervals of a life in which no feature changes.
fn cuts(life: &Life) -> Vec<Interval> {
    let spans = life.features.iter().flat_map(|span| [span.interval.created, span.interval.removed]);
    let inside = spans.filter(|time| *time != Time::FOREVER && life.interval.contains(*time));
    between(inside.chain([life.interval.created]).collect(), life.interval)
}

/// The intervals that begin at these times and fill a life.
fn between(times: BTreeSet<Time>, life: Interval) -> Vec<Interval> {
    let ends = times.iter().copied().skip(1).chain([life.removed]);
    times.iter().zip(ends).filter_map(|(&created, removed)| Interval::new(created, removed)).collect()
}

fn object(json: Json) -> Document {
    match json {
        Json::Object(object) => object,
        _ => Document::new(),
    }
}
