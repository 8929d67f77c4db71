//! Streams of events: in any order of time, and with events that are earlier than what the graph knows already.
//!
//! A stream is taken in as it is read, as long as that leads where its events in order of time would lead. If not, what
//! was taken in is given up, the source is read again into a sorter, and the events come in order of time. If some of
//! them are late, what the graph has from their time on is taken in again together with them, in order of time.

use timeweft_graph::{Dangling, Event, Place, Reason, Record, Reject, Schema, Sink, Time};
use timeweft_index::{Births, Index};

use crate::StoreError;
use crate::load::content_hash;
use crate::load::gathered::{Gathered, InOrder};
use crate::load::ingest::{Ingest, Whole, is_birth};
use crate::load::read_ahead::read_ahead;
use crate::load::source::{ReadError, done};
use crate::load::{Late, LoadReport, LoadRequest, Repeats};
use crate::log::codec;
use crate::log::effective::{Effective, effective, unit_at};
use crate::log::sorter::{Item, SortedReader};
use crate::splice::{Guest, Splice, Together};
use crate::store::Store;

/// Parts of what late events derive anew begin here: far behind those of the load itself.
const DERIVED: u32 = 1 << 16;

impl Store {
    /// Takes in events, in their order, as one commit.
    ///
    /// Records that are refused are left out and reported. Nothing is committed if every record was refused, if more
    /// than the allowed number was, or if a policy refuses the load. A version that the namespace has with the same
    /// content is not loaded again. A source in any order of time, or with late events, is for [`Store::load_stream`].
    pub fn load(
        &mut self,
        request: LoadRequest,
        read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError>,
    ) -> Result<LoadReport, StoreError> {
        if self.registered(&request).is_some() {
            return self.known(&request, &content_hash::hash_of_events(read)?);
        }
        let mut pass = Pass::default();
        let feed = |intake: &mut Intake<'_, '_>| done(read(intake), &request.stop);
        self.attempt_to(|store| store.pass(&request, &mut pass, feed))?.ok_or(StoreError::Poisoned)
    }

    /// Takes in a stream of events as one commit, as if it were sorted by time; events of one time come in their order.
    /// `read` pushes the events and runs on a thread of its own; if `can_reread`, as a file can and a pipe cannot, it begins
    /// again with the first one when it is called again.
    ///
    /// An event that is earlier than the latest one of its element, or than the birth of a node that it needs, is put
    /// where it belongs in time, unless the request rejects late events; then only interactions (with stubs or parallel
    /// edges) are sorted, and all else is taken in as it comes. Everything else is as in [`Store::load`].
    ///
    /// A stream in order of time is read once, in constant memory. Sorting takes 128 MiB of memory and, for more, room
    /// beside the log. A load with late events costs the replay of the log.
    ///
    /// Events may be rows of tables ([`LoadRequest::rows`]): each says what an element is from its time on, and becomes the
    /// events that lead there from what the graph is at that time, in order of time.
    pub fn load_stream(
        &mut self,
        request: LoadRequest,
        can_reread: bool,
        mut read: impl FnMut(&mut dyn Sink) -> Result<(), ReadError> + Send,
    ) -> Result<LoadReport, StoreError> {
        if self.registered(&request).is_some() {
            return self.known(&request, &content_hash::hash_of_events(read)?);
        }
        let mut read = |sink: &mut dyn Sink| done(read(sink), &request.stop);
        // What cannot be read again is kept while it is read.
        let mut kept = (!can_reread).then(|| Gathered::new(self, &request));
        let mut pass = Pass::new(&request, None);
        let feed = |intake: &mut Intake<'_, '_>| {
            read_ahead(&mut read, intake, kept.as_mut(), |intake| intake.has_given_up)?;
            kept.as_mut().map_or(Ok(()), Gathered::check)
        };
        if let Some(report) = self.attempt_to(|store| store.pass(&request, &mut pass, feed))? {
            return Ok(report);
        }
        let gathered = match kept {
            Some(kept) => kept,
            None => {
                let mut gathered = Gathered::new(self, &request);
                read(&mut gathered)?;
                gathered
            }
        };
        self.load_sorted(&request, &gathered.sort()?, pass)
    }

    /// Takes in events that were sorted, after a first try to take them in as they came.
    fn load_sorted(&mut self, request: &LoadRequest, all: &InOrder, first: Pass<'_>) -> Result<LoadReport, StoreError> {
        let mut late = first.late;
        if all.order.sorted || late.is_none() {
            if let (false, Some(error)) = (all.order.sorted, first.error) {
                return Err(error);
            }
            let mut pass = Pass::new(request, Some(all));
            if let Some(report) = self.attempt_to(|store| store.pass_sorted(request, &mut pass))? {
                return Ok(report);
            }
            late = pass.late;
        }
        if let Some(late) = late
            && let Some(report) = self.attempt_to(|store| store.place(request, all, late))?
        {
            return Ok(report);
        }
        // No late event fits at its time either.
        let mut pass = Pass { may_place: false, ..Pass::new(request, Some(all)) };
        self.attempt_to(|store| store.pass_sorted(request, &mut pass))?.ok_or(StoreError::Poisoned)
    }

    fn pass_sorted<'r>(
        &mut self,
        request: &'r LoadRequest,
        pass: &mut Pass<'r>,
    ) -> Result<Option<LoadReport>, StoreError> {
        let Some(all) = pass.sorted else { return Ok(None) };
        let mut events = all.events.read()?;
        let mut read = |sink: &mut dyn Sink| {
            while !(sink.is_closed() || request.stop.is_asked())
                && let Some(Item { event: Some(event), place, .. }) = events.next()?
            {
                sink.file(&place.file);
                sink.record(Record::Event(event), place.line);
            }
            Ok(())
        };
        self.pass(request, pass, |intake| read_ahead(&mut read, intake, None, |_| false))
    }

    /// Takes in events behind everything that the graph has, unless they must come in another order. `feed` pushes them.
    fn pass<'r>(
        &mut self,
        request: &'r LoadRequest,
        pass: &mut Pass<'r>,
        feed: impl FnOnce(&mut Intake<'_, 'r>) -> Result<(), StoreError>,
    ) -> Result<Option<LoadReport>, StoreError> {
        // What was set aside may fit again, once this is there before it; and a version says of every element what it is.
        let aside = self.loads.iter().filter_map(|load| load.aside).max();
        let settled = aside.max(self.newest_version(&request.namespace)).filter(|_| pass.may_place);
        let mut ingest = Ingest::begin(self, request);
        pass.begin(&mut ingest);
        let index = self.writable(request);
        let (schema, place, has_given_up, failed) = (index.schema().clone(), Place::default(), false, None);
        let mut intake = Intake { index, ingest, pass, settled, schema, place, has_given_up, failed };
        let fed = feed(&mut intake);
        let Intake { mut ingest, has_given_up, failed, .. } = intake;
        failed.map_or(Ok(()), Err)?;
        fed?;
        if has_given_up {
            return Ok(None);
        }
        ingest.loading.report.rejects.sort_by_key(|reject| reject.place.line);
        let (loading, outcome) = ingest.finish(self.schema(), pass.hash())?;
        loading.publish(self, outcome).map(Some)
    }

    /// Takes events in among those that the graph has, from the first load on that has events after a time. None if no
    /// late event fits there.
    fn place(&mut self, request: &LoadRequest, all: &InOrder, late: Time) -> Result<Option<LoadReport>, StoreError> {
        let log = effective(&self.loads, self.commit());
        let Some(first) = self.first_after(&log, late)? else { return Ok(None) };
        let (whole, aside) = (self.current.clone(), self.loads.iter().any(|load| load.aside.is_some()));
        let mut trial = self.sound_log(&log[..first], self.schema().clone())?;
        let has_version = self.has_version(&log[first..])?;
        let original = has_version.then(|| trial.clone());
        trial.declare(&request.schema);
        let mut ingest = Ingest::begin(self, request);
        Pass::new(request, Some(all)).begin(&mut ingest);
        let births: Births<'_> = whole.births();
        let newest = self.newest_version(&request.namespace);
        ingest.whole = Some(Whole { graph: &whole, births, newest });
        let mut guest = Arrivals { ingest, events: all.events.read()? };
        let id = guest.ingest.loading.report.load;
        let splice = Splice::new(self, id, &request.namespace, trial, original);
        let mut splice = splice.with_parts_from(DERIVED).stopped_by(&request.stop);
        let guest_of: &mut dyn Guest = &mut guest;
        splice.together(&log[first..], &mut Together { guest: Some(guest_of), ..Together::default() })?;
        let Arrivals { mut ingest, .. } = guest;
        if ingest.loading.report.order.placed == 0 && !aside {
            return Ok(None);
        }
        ingest.loading.report.rejects.sort_by_key(|reject| reject.place.line);
        ingest.loading.check()?;
        let spliced = splice.finish();
        let (loading, outcome) = ingest.finish(spliced.graph.schema(), &all.hash)?;
        let since = log.get(first).map(|entry| entry.load);
        loading.publish_among(self, outcome, spliced, |record| record.since = since).map(Some)
    }

    /// When the newest version of a namespace took effect.
    fn newest_version(&self, namespace: &str) -> Option<Time> {
        self.in_effect().filter(|load| load.is_version_of(namespace)).filter_map(|load| load.timestamp).max()
    }

    /// Where the first loads begin, of those that are taken in together, that have an event after a time.
    fn first_after(&self, log: &[Effective], time: Time) -> Result<Option<usize>, StoreError> {
        for (at, entry) in log.iter().enumerate() {
            let own = Effective { written_by: entry.load, ..*entry };
            for segment in self.segments_of(own).chain(self.segments_of(*entry)) {
                let (bytes, place) = self.segment_bytes(segment)?;
                let mut latest = None;
                segment.batches(&bytes, &place, |batch| {
                    latest = latest.max(codec::latest_time(&batch));
                    Ok(())
                })?;
                if latest > Some(time) {
                    return Ok(Some(unit_at(log, at).start));
                }
            }
        }
        Ok(None)
    }
}

/// The sink of a load of events: each is taken in as it comes.
struct Intake<'a, 'r> {
    index: &'a mut Index,
    ingest: Ingest<'r>,
    pass: &'a mut Pass<'r>,
    /// Events before this time must come in another order.
    settled: Option<Time>,
    schema: Schema,
    /// The place of the record taken in last.
    place: Place,
    /// Whether the records must come in another order.
    has_given_up: bool,
    failed: Option<StoreError>,
}

impl Intake<'_, '_> {
    fn event(&mut self, event: Event) -> Result<(), StoreError> {
        let (time, creates) = (event.time, is_birth(&event));
        self.pass.see(time);
        if self.settled.is_some_and(|settled| time < settled) {
            self.ingest.late.get_or_insert(time);
        }
        let misfits = self.ingest.misfits;
        let taken = self.ingest.event(self.index, event, &self.place);
        self.pass.is_premature |=
            creates && self.ingest.misfits > misfits && self.ingest.loading.request.dangling == Dangling::Stub;
        self.settle(taken)
    }

    fn rejected(&mut self, reason: Reason) -> Result<(), StoreError> {
        let rejected = self.ingest.reject(Reject { place: self.place.clone(), reason });
        self.settle(rejected)
    }

    /// Looks whether the records must come in another order; an error ends the load if that would not help.
    fn settle(&mut self, taken: Result<(), StoreError>) -> Result<(), StoreError> {
        self.has_given_up = self.pass.must_stop(&self.ingest);
        match taken {
            Err(_) if self.has_given_up => Ok(()),
            // In order of time fewer records may be refused.
            Err(error) if self.pass.may_sort && self.ingest.misfits > 0 => {
                self.pass.error = Some(error);
                self.has_given_up = true;
                Ok(())
            }
            taken => taken,
        }
    }
}

impl Sink for Intake<'_, '_> {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        if self.is_closed() {
            return;
        }
        self.place.line = line;
        let taken = match record {
            Record::Event(event) => self.event(event),
            Record::File(name) => {
                self.place.file = name;
                Ok(())
            }
            Record::Warning(message) => {
                self.ingest.loading.report.warnings.push((self.place.clone(), message));
                Ok(())
            }
            Record::Reject(reason) => self.rejected(reason),
            other => self.rejected(other.unfit("a stream of events")),
        };
        self.failed = taken.err();
    }

    fn is_closed(&self) -> bool {
        self.has_given_up || self.failed.is_some()
    }
}

/// One way through the records of a load; by default it takes them as they come, whatever their order.
#[derive(Default)]
struct Pass<'a> {
    /// The records in order of time, where they were sorted.
    sorted: Option<&'a InOrder>,
    /// Whether the records may be sorted.
    may_sort: bool,
    /// Whether late events may be placed.
    may_place: bool,
    /// Whether already the order of the records makes a difference.
    is_eager: bool,
    /// The latest time so far.
    latest: Option<Time>,
    /// Whether an event was earlier than one before it.
    is_disordered: bool,
    /// Time of the first late event.
    late: Option<Time>,
    /// Whether a stub may have been born in place of a node that the source creates.
    is_premature: bool,
    /// What ended the pass.
    error: Option<StoreError>,
}

impl<'a> Pass<'a> {
    fn new(request: &LoadRequest, sorted: Option<&'a InOrder>) -> Pass<'a> {
        // Stubs are born and repeats are numbered as they come, and what a row changes depends on those before it.
        let of_interactions = request.dangling == Dangling::Stub || request.repeats == Repeats::Parallel;
        let is_eager = of_interactions || request.rows.is_some();
        let may_place = request.late == Late::Place;
        let may_sort = sorted.is_none() && (may_place || is_eager);
        Pass { sorted, may_sort, may_place, is_eager, ..Pass::default() }
    }

    /// What is known of sorted records before they are taken in.
    fn begin(&self, ingest: &mut Ingest<'a>) {
        if let Some(all) = self.sorted {
            ingest.hasher = None;
            let report = &mut ingest.loading.report;
            report.rejects.clone_from(&all.rejects);
            report.n_rejected = all.n_rejected;
            report.order = all.order;
            ingest.creates = Some(&all.creates);
        }
    }

    fn see(&mut self, time: Time) {
        self.is_disordered |= Some(time) < self.latest;
        self.latest = self.latest.max(Some(time));
    }

    /// Whether the records must come in another order.
    fn must_stop(&mut self, ingest: &Ingest<'_>) -> bool {
        self.late = ingest.late.filter(|_| self.may_place);
        let in_vain = self.may_sort && self.is_disordered && (self.is_eager || ingest.misfits > 0);
        self.late.is_some() || in_vain || (self.may_sort && self.is_premature)
    }

    fn hash(&self) -> &str {
        self.sorted.map_or("", |all| &all.hash)
    }
}

/// The events of a new load among those of others.
struct Arrivals<'a> {
    ingest: Ingest<'a>,
    events: SortedReader<'a>,
}

impl Guest for Arrivals<'_> {
    fn time(&self) -> Option<Time> {
        self.events.time()
    }

    fn take(&mut self, graph: &mut Index) -> Result<(), StoreError> {
        match self.events.next()? {
            Some(item) => item.event.map_or(Ok(()), |event| self.ingest.event(graph, event, &item.place)),
            None => Ok(()),
        }
    }
}
