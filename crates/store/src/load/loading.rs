//! The skeleton of every load: it begins, takes in what its source has, and becomes visible as one commit, or leaves nothing.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use timeweft_graph::delta::Fields;
use timeweft_graph::{Commit, Name, Rejects, Schema};
use timeweft_index::Index;

use crate::StoreError;
use crate::catalogue::Catalogue;
use crate::folder::log_dir;
use crate::load::{LoadRecord, LoadReport, LoadRequest};
use crate::log::segment::{SegmentWriter, Written, metadata};
use crate::splice::Spliced;
use crate::store::Store;

/// A load on its way.
pub(crate) struct Loading<'a> {
    pub(crate) request: &'a LoadRequest,
    pub(crate) report: LoadReport,
    /// The types before it.
    known_schema: Schema,
    started: i64,
}

/// What a load came to, beside its report.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Hash of what the source has.
    pub(crate) hash: String,
    pub(crate) written: Written,
    /// What read a version.
    pub(crate) format: Option<Name>,
    /// The fields of the namespace after a version.
    pub(crate) fields: Option<Fields>,
    /// Whether a version might end edges of other namespaces.
    pub(crate) end_foreign_edges: bool,
}

impl<'a> Loading<'a> {
    pub(crate) fn begin(store: &Store, request: &'a LoadRequest) -> Loading<'a> {
        let (load, commit) = (store.next_load(), Commit(store.commit().0 + 1));
        let report = LoadReport { load, commit, ..LoadReport::default() };
        Loading { request, report, known_schema: store.schema().clone(), started: now() }
    }

    /// Where it writes its part of the log.
    pub(crate) fn log(&self, store: &Store) -> SegmentWriter {
        let load = self.report.load;
        SegmentWriter::new(&log_dir(&store.dir), load, metadata(load, &self.request.namespace, &self.known_schema))
    }

    /// Notes all rejected records.
    pub(crate) fn reject(&mut self, rejects: Rejects) {
        self.report.n_rejected = rejects.count();
        self.report.rejects = rejects.into_kept();
        self.report.rejects.truncate(self.request.kept_rejects);
    }

    /// Ends a load that was stopped: this is asked for the last time when nothing but the commit is left to do.
    fn go_on(&self) -> Result<(), StoreError> {
        if self.request.stop.is_asked() { Err(StoreError::Stopped) } else { Ok(()) }
    }

    /// Refuses a load with more rejected records than it may have, or with nothing else.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.go_on()?;
        let report = &self.report;
        if let Some(max) = self.request.max_rejects.filter(|&max| report.n_rejected > max) {
            return Err(StoreError::TooManyRejects { max, report: Box::new(report.clone()) });
        }
        let nothing = match &report.delta {
            Some(delta) => delta.nodes.listed + delta.edges.listed == 0,
            // A row of a table that changes nothing is taken in.
            None => report.accepted + report.rows.unchanged + report.rows.absent == 0,
        };
        if nothing && report.n_rejected > 0 {
            return Err(StoreError::NothingAccepted(Box::new(report.clone())));
        }
        Ok(())
    }

    /// Makes it visible: it was applied to the current graph.
    pub(crate) fn publish(self, store: &mut Store, outcome: Outcome) -> Result<LoadReport, StoreError> {
        self.check()?;
        store.prove(&outcome.written)?;
        self.go_on()?;
        let (record, written) = self.record(outcome);
        store.publish(record, written, &self.known_schema)?;
        Ok(self.report)
    }

    /// Makes it visible among other loads, which it changed; `place` says in the record where it stands.
    pub(crate) fn publish_among(
        mut self,
        store: &mut Store,
        outcome: Outcome,
        spliced: Spliced,
        place: impl FnOnce(&mut LoadRecord),
    ) -> Result<LoadReport, StoreError> {
        self.go_on()?;
        let (mut record, mut written) = self.record(outcome);
        place(&mut record);
        record.aside = spliced.aside;
        record.replaced.clone_from(&spliced.report.replaced);
        written.segments.extend(spliced.written.segments);
        written.batches.extend(spliced.written.batches);
        store.publish_graph(record, written, (Arc::new(spliced.graph), spliced.reordered))?;
        self.report.later = spliced.report;
        Ok(self.report)
    }

    fn record(&self, outcome: Outcome) -> (LoadRecord, Written) {
        let (request, report) = (self.request, &self.report);
        let record = LoadRecord {
            id: report.load,
            commit: report.commit,
            namespace: request.namespace.clone(),
            version: request.version.clone(),
            timestamp: request.timestamp,
            release_timestamp: request.release_timestamp,
            source: request.source.clone(),
            content_hash: outcome.hash,
            counts: report.counts,
            events: report.accepted,
            rejected: report.n_rejected,
            format: outcome.format.filter(|name| !name.is_empty()),
            fields: outcome.fields,
            end_foreign_edges: outcome.end_foreign_edges,
            started: self.started,
            completed: now(),
            ..LoadRecord::default()
        };
        (record, outcome.written)
    }
}

impl Store {
    /// The load that brought the request's version.
    pub(crate) fn registered(&self, request: &LoadRequest) -> Option<&LoadRecord> {
        let version = request.version.as_ref()?;
        self.in_effect().find(|load| load.namespace == request.namespace && load.version.as_ref() == Some(version))
    }

    /// The answer to a version that is registered already, by the hash of what is offered now.
    pub(crate) fn known(&self, request: &LoadRequest, hash: &str) -> Result<LoadReport, StoreError> {
        if request.stop.is_asked() {
            return Err(StoreError::Stopped);
        }
        let load = self.registered(request).ok_or(StoreError::Poisoned)?;
        if load.content_hash != hash {
            let (namespace, version) = (load.namespace.clone(), load.version.clone().unwrap_or_default());
            return Err(StoreError::VersionTaken { namespace, version, load: load.id });
        }
        Ok(LoadReport::unchanged(load.id, load.commit))
    }

    /// The graph to be changed by a load, with the types that its request declares.
    pub(crate) fn writable(&mut self, request: &LoadRequest) -> &mut Index {
        let index = Arc::make_mut(&mut self.current);
        index.declare(&request.schema);
        index
    }

    /// Runs a load and, if it fails, brings memory back to what the disk holds.
    pub(crate) fn attempt<T>(
        &mut self,
        load: impl FnOnce(&mut Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.attempt_to(|store| load(store).map(Some))?.ok_or(StoreError::Poisoned)
    }

    /// The same for a load that may give up, and then comes to nothing.
    pub(crate) fn attempt_to<T>(
        &mut self,
        load: impl FnOnce(&mut Store) -> Result<Option<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        self.ledger.writable()?;
        // What is written follows from what is in memory, so nothing of that may be damaged.
        self.make_sound()?;
        // With a reader, the load works on a copy and this keeps the original. Without one it works in place.
        let pinned = (Arc::strong_count(&self.current) > 1).then(|| self.current.clone());
        let (before, result) = (self.commit(), load(self));
        let error = match result {
            Ok(Some(done)) => {
                if self.rehearsal.is_some() {
                    self.restore(pinned);
                }
                return Ok(Some(done));
            }
            Ok(None) => {
                self.restore(pinned);
                return Ok(None);
            }
            Err(error) => error,
        };
        let failed_write = error.is_failed_write();
        self.poisoned = failed_write;
        let known = self.restore(pinned);
        if !failed_write {
            return Err(error);
        }
        Err(StoreError::Unwritten { cause: Box::new(error), kept: !known || self.commit() != before })
    }

    /// After a failed write the catalogue is read afresh, for only the disk knows what it holds. If that fails too, the
    /// graph shows empty and takes no load until it is opened again. Gives whether it is known what the disk holds.
    fn restore(&mut self, pinned: Option<Arc<Index>>) -> bool {
        if let (Some(pinned), false) = (pinned, self.poisoned) {
            self.current = pinned;
            self.poisoned = self.remove_unreferenced().is_err();
            return true;
        }
        let read = if self.poisoned { self.ledger.writable().and_then(Catalogue::reopen) } else { Ok(()) };
        let known = read.and_then(|()| self.recover()).is_ok();
        if !known {
            self.poisoned = true;
            self.current = Arc::default();
        }
        known
    }

    /// Lets the graph in memory go, but for its types: another one takes its place, and both take twice the memory. If that
    /// fails, [`Store::attempt`] brings it back.
    pub(crate) fn let_go(&mut self) {
        self.current = Arc::new(Index::new(self.schema().clone()));
    }

    /// Makes a load visible whose log is proven.
    fn publish(&mut self, record: LoadRecord, written: Written, known_schema: &Schema) -> Result<(), StoreError> {
        if let Some(rehearsal) = &mut self.rehearsal {
            rehearsal.graph = Some(self.current.clone());
            return Ok(());
        }
        let schema = self.current.schema();
        let schema = (schema != known_schema).then_some(schema);
        self.ledger.writable()?.publish(&record, &written, schema)?;
        self.loads.push(record);
        self.segments.extend(written.segments);
        self.publish_manifest();
        Ok(())
    }

    /// Makes a load visible together with the graph that it leads to, and whether that took in events in another order than
    /// the log has them: then the graph is made anew, for in memory is what the log replays to.
    pub(crate) fn publish_graph(
        &mut self,
        record: LoadRecord,
        written: Written,
        (graph, reordered): (Arc<Index>, bool),
    ) -> Result<(), StoreError> {
        let known_schema = self.schema().clone();
        self.prove_readable(&written, graph.schema())?;
        self.current = graph;
        self.publish(record, written, &known_schema)?;
        if reordered && self.rehearsal.is_none() {
            match self.replay(self.commit()) {
                Ok(replayed) => self.current = Arc::new(replayed),
                // It is committed, whatever becomes of memory: answers are right, but nothing is built on it.
                Err(_) => self.poisoned = true,
            }
        }
        // What was written in vain is removed at the next opening at the latest.
        let _ = self.remove_unreferenced();
        Ok(())
    }
}

/// Milliseconds since the epoch, on the wall clock.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
