//! Loading: one atomic commit, or nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustc_hash::FxHashMap;
use timeweft_graph::delta::{Baseline, Canonical, Delta};
use timeweft_graph::{
    At, Commit, Dangling, DeltaOptions, DeltaReport, EdgeKey, Event, GraphView, LoadId, Name, NodeKey, Place, Reject,
    Schema, Time, Version, delta,
};
use timeweft_index::Index;

use crate::content::{self, EventHasher};
use crate::ingest::{Ingest, sort_features};
use crate::load::{EventCounts, LoadRecord, LoadReport, LoadRequest};
use crate::segment::SegmentWriter;
use crate::store::{Store, log_dir};
use crate::{StoreError, catalogue};

impl Store {
    /// Takes in events, in their order, as one commit.
    ///
    /// Records that are refused are left out and reported. Nothing is committed if every record was refused, if more
    /// than the allowed number was, or if a policy refuses the load. A version that the namespace has with the same
    /// content is not loaded again.
    pub fn load(
        &mut self,
        request: LoadRequest,
        events: impl Iterator<Item = Result<(Event, Place), Reject>>,
    ) -> Result<LoadReport, StoreError> {
        self.load_whole(request, events, &|| true)
    }

    /// The same for a source that may break off: `whole` is asked after the last record, and unless it says that the
    /// source was read to its end, nothing is committed.
    pub fn load_whole(
        &mut self,
        request: LoadRequest,
        mut events: impl Iterator<Item = Result<(Event, Place), Reject>>,
        whole: &dyn Fn() -> bool,
    ) -> Result<LoadReport, StoreError> {
        if self.registered(&request).is_some() {
            let hash = hash_of(&mut events);
            if !whole() {
                return Err(StoreError::BrokenOff);
            }
            return self.known(&request, &hash).unwrap_or(Err(StoreError::Poisoned));
        }
        let intake = Intake {
            dangling: request.dangling,
            declared: &[&request.schema],
            hash: None,
            delta: None,
            empty_is_sound: false,
            whole,
        };
        self.attempt(|store| store.take_in(&request, intake, &mut events))
    }

    /// Brings the namespace to a whole version, as one commit: what the version does not list is deleted.
    ///
    /// Content that the namespace has already under another version makes a load record and no event.
    pub fn load_version(
        &mut self,
        request: LoadRequest,
        version: Version,
        options: DeltaOptions,
    ) -> Result<LoadReport, StoreError> {
        let hash = content::of_version(&version, Canonical::new(self.schema(), &version.schema));
        if let Some(known) = self.known(&request, &hash) {
            return known;
        }
        let planned = self.plan_version(&request, &version, &options)?;
        let intake = Intake {
            dangling: Dangling::Drop,
            declared: &[&request.schema, &version.schema],
            hash: Some(hash),
            delta: Some(planned.report),
            empty_is_sound: true,
            whole: &|| true,
        };
        let Version { rejects, .. } = version;
        let mut records = (rejects.into_iter().chain(planned.rejects).map(Err))
            .chain(planned.events.into_iter().zip(planned.places).map(Ok));
        self.attempt(|store| store.take_in(&request, intake, &mut records))
    }

    /// What [`Store::load_version`] would do: a dry run.
    pub fn plan_version(
        &self,
        request: &LoadRequest,
        version: &Version,
        options: &DeltaOptions,
    ) -> Result<Delta, StoreError> {
        let at = request.timestamp.ok_or(StoreError::Incomplete("a timestamp"))?;
        request.version.as_ref().ok_or(StoreError::Incomplete("the name of the version"))?;
        let newest = self.loads.iter().filter(|load| load.namespace == request.namespace);
        let newest = newest.filter_map(|load| load.timestamp).max();
        let before = Before { index: &self.current, namespace: &request.namespace, newest };
        Ok(delta(&before, version, at, options)?)
    }

    /// The load that brought the request's version.
    fn registered(&self, request: &LoadRequest) -> Option<&LoadRecord> {
        let version = request.version.as_ref()?;
        self.loads.iter().find(|load| load.namespace == request.namespace && load.version.as_ref() == Some(version))
    }

    /// The answer to a version that is registered already.
    fn known(&self, request: &LoadRequest, hash: &str) -> Option<Result<LoadReport, StoreError>> {
        let load = self.registered(request)?;
        if load.content_hash != hash {
            let (namespace, version) = (load.namespace.clone(), load.version.clone().unwrap_or_else(|| "".into()));
            return Some(Err(StoreError::VersionTaken { namespace, version, load: load.id }));
        }
        Some(Ok(LoadReport { unchanged: true, ..empty_report(load.id, load.commit) }))
    }

    /// Runs a load and, if it fails, brings memory back to what the disk holds.
    fn attempt(
        &mut self,
        load: impl FnOnce(&mut Store) -> Result<LoadReport, StoreError>,
    ) -> Result<LoadReport, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        // With a reader, the load works on a copy and this keeps the original. Without one it works in place.
        let pinned = (Arc::strong_count(&self.current) > 1).then(|| self.current.clone());
        let result = load(self);
        if let Err(error) = &result {
            self.poisoned = error.is_failed_write();
            self.restore(pinned);
        }
        result
    }

    /// After a failed write the catalogue is read afresh, for only the disk knows what it holds. If that fails too, the
    /// graph shows empty and takes no load until it is opened again.
    fn restore(&mut self, pinned: Option<Arc<Index>>) {
        if let (Some(pinned), false) = (pinned, self.poisoned) {
            self.current = pinned;
            self.poisoned = self.remove_unreferenced().is_err();
            return;
        }
        let read = if self.poisoned { self.catalogue.reopen() } else { Ok(()) };
        if read.and_then(|()| self.recover()).is_err() {
            self.poisoned = true;
            self.current = Arc::default();
        }
    }

    fn take_in(
        &mut self,
        request: &LoadRequest,
        intake: Intake<'_>,
        records: &mut dyn Iterator<Item = Result<(Event, Place), Reject>>,
    ) -> Result<LoadReport, StoreError> {
        let started = now();
        let id = self.next_load();
        let commit = Commit(self.commit().0 + 1);
        let known_schema = self.current.schema().clone();
        let log = SegmentWriter::new(&log_dir(&self.dir), id, metadata(id, request, &known_schema));
        let index = Arc::make_mut(&mut self.current);
        intake.declared.iter().for_each(|schema| index.declare(schema));
        let mut ingest = Ingest {
            request,
            dangling: intake.dangling,
            index,
            log,
            report: LoadReport { delta: intake.delta, ..empty_report(id, commit) },
            hasher: intake.hash.is_none().then(EventHasher::default),
            next_keys: FxHashMap::default(),
        };
        for record in records {
            ingest.record(record)?;
        }
        if !(intake.whole)() {
            return Err(StoreError::BrokenOff);
        }
        let Ingest { log, report, hasher, .. } = ingest;
        check_outcome(&report, intake.empty_is_sound)?;

        let written = log.finish()?;
        let content_hash = intake.hash.or_else(|| hasher.map(EventHasher::finish)).unwrap_or_default();
        let record = record(request, &report, content_hash, started);
        let schema = self.current.schema();
        self.catalogue.publish(&record, &written, (*schema != known_schema).then_some(schema))?;
        self.loads.push(record);
        self.segments.extend(written.segments);
        Ok(report)
    }
}

/// What a load of events and a load of a version do differently.
struct Intake<'a> {
    dangling: Dangling,
    declared: &'a [&'a Schema],
    hash: Option<String>,
    delta: Option<DeltaReport>,
    /// A version may change nothing, beside some rejected records.
    empty_is_sound: bool,
    /// Whether the source was read to its end.
    whole: &'a dyn Fn() -> bool,
}

fn check_outcome(report: &LoadReport, empty_is_sound: bool) -> Result<(), StoreError> {
    let nothing = match &report.delta {
        Some(delta) if empty_is_sound => delta.nodes.listed + delta.edges.listed == 0,
        _ => report.accepted == 0,
    };
    if nothing && report.n_rejected > 0 {
        return Err(StoreError::NothingAccepted(Box::new(report.clone())));
    }
    Ok(())
}

fn hash_of(events: &mut dyn Iterator<Item = Result<(Event, Place), Reject>>) -> String {
    let mut hasher = EventHasher::default();
    for (mut event, _) in events.flatten() {
        sort_features(&mut event.features);
        hasher.add(&event);
    }
    hasher.finish()
}

fn empty_report(load: LoadId, commit: Commit) -> LoadReport {
    LoadReport {
        load,
        commit,
        accepted: 0,
        counts: EventCounts::default(),
        rejects: Vec::new(),
        n_rejected: 0,
        delta: None,
        unchanged: false,
    }
}

fn record(request: &LoadRequest, report: &LoadReport, content_hash: String, started: i64) -> LoadRecord {
    LoadRecord {
        id: report.load,
        commit: report.commit,
        namespace: request.namespace.clone(),
        version: request.version.clone(),
        timestamp: request.timestamp,
        release_timestamp: request.release_timestamp,
        source: request.source.clone(),
        content_hash,
        counts: report.counts,
        events: report.accepted,
        rejected: report.n_rejected,
        started,
        completed: now(),
    }
}

/// What a segment file says about itself to other tools.
fn metadata(load: LoadId, request: &LoadRequest, schema: &Schema) -> HashMap<String, String> {
    HashMap::from([
        ("timeweft.format".into(), catalogue::FORMAT.to_string()),
        ("timeweft.unit".into(), schema.unit().to_string()),
        ("timeweft.load".into(), load.0.to_string()),
        ("timeweft.namespace".into(), request.namespace.to_string()),
    ])
}

/// Milliseconds since the epoch, on the wall clock.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A namespace of the index, as a delta asks for it.
struct Before<'a> {
    index: &'a Index,
    namespace: &'a Name,
    newest: Option<Time>,
}

impl Baseline for Before<'_> {
    fn graph(&self) -> &dyn GraphView {
        self.index
    }

    fn newest(&self) -> Option<Time> {
        self.newest
    }

    fn nodes(&self) -> Vec<NodeKey> {
        self.index.live_nodes_of(self.namespace).map(|node| node.key.clone()).collect()
    }

    fn edges(&self) -> Vec<EdgeKey> {
        self.index.live_edges_of(self.namespace).map(|edge| edge.to_key()).collect()
    }

    fn node_owner(&self, node: &NodeKey) -> Option<Name> {
        self.index.node(node, At::now())?;
        self.index.namespace_of(node).cloned()
    }

    fn edge_owner(&self, edge: &EdgeKey) -> Option<Name> {
        self.index.edge(edge, At::now())?;
        self.index.namespace_of_edge(edge).cloned()
    }
}
