//! Loading: one atomic commit, or nothing.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use timeweft_graph::delta::Fields;
use timeweft_graph::{Commit, DeltaError, DeltaOptions, Event, LoadId, Name, Place, Reject, Schema, Sink, Time};
use timeweft_index::Index;

use crate::StoreError;
use crate::folder::log_dir;
use crate::load::content::EventHasher;
use crate::load::ingest::{Ingest, sort_features};
use crate::load::source::ReadError;
use crate::load::version::{self, Reader};
use crate::load::{LoadRecord, LoadReport, LoadRequest};
use crate::log::effective::{Effective, effective, unit_at};
use crate::log::segment::{SegmentWriter, Written, metadata};
use crate::splice::{Splice, Together};
use crate::store::Store;

impl Store {
    /// Takes in events, in their order, as one commit.
    ///
    /// Records that are refused are left out and reported. Nothing is committed if every record was refused, if more
    /// than the allowed number was, or if a policy refuses the load. A version that the namespace has with the same
    /// content is not loaded again. A source in any order of time, or with late events, is for [`Store::load_stream`].
    pub fn load(
        &mut self,
        request: LoadRequest,
        mut events: impl Iterator<Item = Result<(Event, Place), Reject>>,
    ) -> Result<LoadReport, StoreError> {
        if self.registered(&request).is_some() {
            let hash = hash_of(&mut events);
            return self.known(&request, &hash).unwrap_or(Err(StoreError::Poisoned));
        }
        self.attempt(|store| store.take_in(&request, &mut events))
    }

    /// Brings the namespace to a whole version, as one commit: what the version does not list is deleted.
    ///
    /// `read` pushes the version into the sink and runs on a thread of its own. Content that the namespace has already
    /// under another version makes a load record and no event.
    pub fn load_version(
        &mut self,
        request: LoadRequest,
        options: DeltaOptions,
        read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError> + Send,
    ) -> Result<LoadReport, StoreError> {
        if self.registered(&request).is_some() {
            let hash = version::hash_of(&self.schema_before(&request)?, read)?;
            return self.known(&request, &hash).unwrap_or(Err(StoreError::Poisoned));
        }
        match self.check_version(&request)? {
            (at, None) => self.attempt(|store| store.take_in_version(&request, at, options, read)),
            (at, Some(before)) => self.attempt(|store| store.take_in_before(&request, (at, before), options, read)),
        }
    }

    /// What [`Store::load_version`] would do: a dry run, on a copy of the index.
    pub fn plan_version(
        &self,
        request: &LoadRequest,
        options: DeltaOptions,
        read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError> + Send,
    ) -> Result<LoadReport, StoreError> {
        let (at, before) = self.check_version(request)?;
        let mut log = effective(&self.loads, self.commit());
        let mut index = match before.and_then(|before| log.iter().position(|entry| entry.load == before)) {
            None => (*self.sound_view()?).clone(),
            Some(place) => {
                let index = self.graph_before(&log, place, at)?;
                log.truncate(place);
                index
            }
        };
        let fields = self.fields_of(&request.namespace, &log);
        let taken = version::take_in(&mut index, request, at, options, fields, None, read)?;
        let mut report = LoadReport::empty(self.next_load(), self.commit());
        taken.fill(&mut report, request);
        check_outcome(&report, request, true)?;
        Ok(report)
    }

    /// The timestamp of a version, if it may be loaded, and the load before which it takes effect.
    fn check_version(&self, request: &LoadRequest) -> Result<(Time, Option<LoadId>), StoreError> {
        let at = request.timestamp.ok_or(StoreError::Incomplete("a timestamp"))?;
        request.version.as_ref().ok_or(StoreError::Incomplete("the name of the version"))?;
        if at == Time::FOREVER {
            return Err(DeltaError::NoMoment.into());
        }
        let own = || self.in_effect().filter(|load| load.namespace == request.namespace);
        let newest = own().filter_map(|load| load.timestamp).max().filter(|&newest| at <= newest);
        let (namespace, unit) = (request.namespace.clone(), self.schema().unit());
        if let Some(taken) = own().find(|load| load.timestamp == Some(at)) {
            let version = taken.version.clone().unwrap_or_else(|| "".into());
            return Err(StoreError::TimestampTaken { namespace, version, at: unit.format(at) });
        }
        let is_next = own().any(|load| load.is_version() && load.timestamp.is_some_and(|time| at < time));
        match newest {
            Some(newest) if !request.back_dated || !is_next => {
                Err(StoreError::TooEarly { namespace, at: unit.format(at), newest: unit.format(newest) })
            }
            _ if request.back_dated => Ok((at, self.next_version(&request.namespace, at))),
            _ => Ok((at, None)),
        }
    }

    /// The load before which a back-dated version stands: the first later version of any namespace behind its own last one,
    /// for namespaces may share elements.
    fn next_version(&self, namespace: &Name, at: Time) -> Option<LoadId> {
        let versions: Vec<_> = self.in_effect().filter(|load| load.is_version()).collect();
        let is_before = |load: &&LoadRecord| load.namespace == *namespace && load.timestamp < Some(at);
        let behind = versions.iter().rposition(is_before).map_or(0, |last| last + 1);
        versions[behind..].iter().find(|load| load.timestamp > Some(at)).map(|load| load.id)
    }

    /// Puts a version before a later one of its namespace.
    fn take_in_before(
        &mut self,
        request: &LoadRequest,
        (at, before): (Time, LoadId),
        options: DeltaOptions,
        read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError> + Send,
    ) -> Result<LoadReport, StoreError> {
        let (started, end_foreign_edges) = (now(), options.end_foreign_edges);
        let id = self.next_load();
        let log = effective(&self.loads, self.commit());
        let place = log.iter().position(|entry| entry.load == before).ok_or(StoreError::UnknownLoad(before))?;
        self.let_go();
        let mut trial = self.graph_before(&log, place, at)?;
        let original = Some(trial.clone());
        trial.declare(&request.schema);
        let fields = self.fields_of(&request.namespace, &log[..place]);
        let segments = SegmentWriter::new(&log_dir(&self.dir), id, metadata(id, &request.namespace, self.schema()));
        let taken = version::take_in(&mut trial, request, at, options, fields, Some(segments), read)?;
        let mut report = LoadReport::empty(id, Commit(self.commit().0 + 1));
        let (hash, written, reader) = taken.fill(&mut report, request);
        check_outcome(&report, request, true)?;
        let mut splice = Splice::new(self, id, &request.namespace, trial, original, written);
        let unit = unit_at(&log, place);
        if unit.len() > 1 {
            let from = Some((at, (place - unit.start) as u32));
            splice.together(&log[unit.clone()], &mut Together { from, ..Together::default() })?;
            splice.later(&log[unit.end..])?;
        } else {
            splice.later(&log[place..])?;
        }
        let Splice { trial, written, report: later, reordered, aside, .. } = splice;
        let record = record(request, &report, hash, Some(reader), started);
        let (before, replaced) = (Some(before), later.replaced.clone());
        let record = LoadRecord { before, replaced, aside, end_foreign_edges, ..record };
        self.publish_graph(record, written, (Arc::new(trial), reordered))?;
        Ok(LoadReport { later, ..report })
    }

    /// The graph into which a version goes that takes effect at a time, before the load at a place in the log.
    fn graph_before(&self, log: &[Effective], place: usize, at: Time) -> Result<Index, StoreError> {
        let unit = unit_at(log, place);
        let mut graph = self.sound_log(&log[..unit.start], self.schema().clone())?;
        if unit.len() > 1 {
            let until = Some((at, (place - unit.start) as u32));
            self.replay_together(&log[unit], until, &mut graph)?;
        }
        Ok(graph)
    }

    fn take_in_version(
        &mut self,
        request: &LoadRequest,
        at: Time,
        options: DeltaOptions,
        read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError> + Send,
    ) -> Result<LoadReport, StoreError> {
        let (started, end_foreign_edges) = (now(), options.end_foreign_edges);
        let id = self.next_load();
        let known_schema = self.current.schema().clone();
        let log = SegmentWriter::new(&log_dir(&self.dir), id, metadata(id, &request.namespace, &known_schema));
        let fields = self.fields_of(&request.namespace, &effective(&self.loads, self.commit()));
        let index = Arc::make_mut(&mut self.current);
        index.declare(&request.schema);
        let taken = version::take_in(index, request, at, options, fields, Some(log), read)?;
        let mut report = LoadReport::empty(id, Commit(self.commit().0 + 1));
        let (hash, written, reader) = taken.fill(&mut report, request);
        check_outcome(&report, request, true)?;
        let record = record(request, &report, hash, Some(reader), started);
        self.publish(LoadRecord { end_foreign_edges, ..record }, written, &known_schema)?;
        Ok(report)
    }

    /// The fields of a namespace after the last of its versions in a log.
    fn fields_of(&self, namespace: &str, log: &[Effective]) -> Option<Fields> {
        let mut records = log.iter().rev().filter_map(|entry| self.record(entry.load).ok());
        records.find(|record| record.is_version_of(namespace))?.fields.clone()
    }

    /// The types before the load that brought the request's version: read over them, the same version has the same values,
    /// whatever became wider later.
    fn schema_before(&self, request: &LoadRequest) -> Result<Schema, StoreError> {
        let load = self.registered(request).map_or(self.commit(), |load| load.commit);
        self.catalogue.schema(Commit(load.0.saturating_sub(1)))
    }

    /// The load that brought the request's version.
    pub(crate) fn registered(&self, request: &LoadRequest) -> Option<&LoadRecord> {
        let version = request.version.as_ref()?;
        self.in_effect().find(|load| load.namespace == request.namespace && load.version.as_ref() == Some(version))
    }

    /// The answer to a version that is registered already.
    pub(crate) fn known(&self, request: &LoadRequest, hash: &str) -> Option<Result<LoadReport, StoreError>> {
        let load = self.registered(request)?;
        if load.content_hash != hash {
            let (namespace, version) = (load.namespace.clone(), load.version.clone().unwrap_or_else(|| "".into()));
            return Some(Err(StoreError::VersionTaken { namespace, version, load: load.id }));
        }
        Some(Ok(LoadReport::unchanged(load.id, load.commit)))
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
        // What is written follows from what is in memory, so nothing of that may be damaged.
        self.make_sound()?;
        // With a reader, the load works on a copy and this keeps the original. Without one it works in place.
        let pinned = (Arc::strong_count(&self.current) > 1).then(|| self.current.clone());
        let (before, result) = (self.commit(), load(self));
        let error = match result {
            Ok(Some(done)) => return Ok(Some(done)),
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
        let read = if self.poisoned { self.catalogue.reopen() } else { Ok(()) };
        let known = read.and_then(|()| self.recover()).is_ok();
        if !known {
            self.poisoned = true;
            self.current = Arc::default();
        }
        known
    }

    fn take_in(
        &mut self,
        request: &LoadRequest,
        records: &mut dyn Iterator<Item = Result<(Event, Place), Reject>>,
    ) -> Result<LoadReport, StoreError> {
        let started = now();
        let known_schema = self.schema().clone();
        let mut ingest = self.ingest(request);
        let index = Arc::make_mut(&mut self.current);
        index.declare(&request.schema);
        for record in records {
            ingest.record(index, record)?;
        }
        let Ingest { log, report, hasher, .. } = ingest;
        check_outcome(&report, request, false)?;
        let hash = hasher.map(EventHasher::finish).unwrap_or_default();
        self.publish(record(request, &report, hash, None, started), log.finish(self.schema())?, &known_schema)?;
        Ok(report)
    }

    /// Lets the graph in memory go, but for its types: another one takes its place, and both take twice the memory. If that
    /// fails, [`Store::attempt`] brings it back.
    pub(crate) fn let_go(&mut self) {
        self.current = Arc::new(Index::new(self.schema().clone()));
    }

    /// The intake of the next load.
    pub(crate) fn ingest<'a>(&self, request: &'a LoadRequest) -> Ingest<'a> {
        let id = self.next_load();
        let log = SegmentWriter::new(&log_dir(&self.dir), id, metadata(id, &request.namespace, self.schema()));
        Ingest::new(request, log, LoadReport::empty(id, Commit(self.commit().0 + 1)))
    }

    /// Makes a load visible that was applied to the current graph.
    pub(crate) fn publish(
        &mut self,
        record: LoadRecord,
        written: Written,
        known_schema: &Schema,
    ) -> Result<(), StoreError> {
        self.prove(&written)?;
        self.publish_proven(record, written, known_schema)
    }

    fn publish_proven(
        &mut self,
        record: LoadRecord,
        written: Written,
        known_schema: &Schema,
    ) -> Result<(), StoreError> {
        let schema = self.current.schema();
        self.catalogue.publish(&record, &written, (schema != known_schema).then_some(schema))?;
        self.loads.push(record);
        self.segments.extend(written.segments);
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
        self.publish_proven(record, written, &known_schema)?;
        if reordered {
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

pub(crate) fn check_outcome(
    report: &LoadReport,
    request: &LoadRequest,
    empty_is_sound: bool,
) -> Result<(), StoreError> {
    if let Some(max) = request.max_rejects.filter(|&max| report.n_rejected > max) {
        return Err(StoreError::TooManyRejects { max, report: Box::new(report.clone()) });
    }
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

pub(crate) fn record(
    request: &LoadRequest,
    report: &LoadReport,
    content_hash: String,
    reader: Option<Reader>,
    started: i64,
) -> LoadRecord {
    let (format, fields) = reader.map_or((None, None), |reader| (Some(reader.format), reader.fields));
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
        format: format.filter(|name| !name.is_empty()),
        fields,
        undoes: None,
        before: None,
        end_foreign_edges: false,
        replaced: Vec::new(),
        since: None,
        aside: None,
        started,
        completed: now(),
    }
}

/// Milliseconds since the epoch, on the wall clock.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
