//! Streams of events: in any order of time, and with events that are earlier than what the graph knows already.
//!
//! A stream is taken in as it is read, as long as that leads where its events in order of time would lead. If not, what
//! was taken in is given up, the source is read again into a sorter, and the events come in order of time. If some of
//! them are late, what the graph has from their time on is taken in again together with them, in order of time.

use rustc_hash::FxHashMap;
use timeweft_graph::{Action, Dangling, Element, Event, NodeKey, Reject, Time};
use timeweft_index::{Births, Index};

use crate::StoreError;
use crate::folder::log_dir;
use crate::load::content::EventHasher;
use crate::load::ingest::{Ingest, Whole, sort_features};
use crate::load::read_ahead::{Read, read_ahead};
use crate::load::source::{EventSource, SourceRecord};
use crate::load::{Late, LoadReport, LoadRequest, OrderReport, Repeats};
use crate::log::codec;
use crate::log::effective::{Effective, effective, unit_at};
use crate::log::sorter::{MEMORY, Sorted, SortedReader, Sorter};
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
        mut events: impl Iterator<Item = SourceRecord>,
    ) -> Result<LoadReport, StoreError> {
        if self.registered(&request).is_some() {
            let mut hasher = EventHasher::default();
            for (mut event, _) in events.flatten() {
                sort_features(&mut event.features);
                hasher.add(&event);
            }
            return self.known(&request, &hasher.finish());
        }
        self.attempt(|store| {
            let mut ingest = Ingest::begin(store, &request);
            let index = store.writable(&request);
            events.try_for_each(|record| ingest.record(index, record))?;
            let (loading, outcome) = ingest.finish(store.schema(), "")?;
            loading.publish(store, outcome)
        })
    }

    /// Takes in a stream of events as one commit, as if it were sorted by time; events of one time come in their order.
    ///
    /// An event that is earlier than the latest one of its element, or than the birth of a node that it needs, is put
    /// where it belongs in time, unless the request rejects late events; then only interactions (with stubs or parallel
    /// edges) are sorted, and all else is taken in as it comes. Everything else is as in [`Store::load`].
    ///
    /// A stream in order of time is read once, in constant memory. Sorting takes 128 MiB of memory and, for more, room
    /// beside the log. A load with late events costs the replay of the log.
    pub fn load_stream(
        &mut self,
        request: LoadRequest,
        source: &mut dyn EventSource,
    ) -> Result<LoadReport, StoreError> {
        if self.registered(&request).is_some() {
            let mut hasher = EventHasher::default();
            while let Some(record) = next(source)? {
                record.iter().for_each(|(event, _)| hasher.add(event));
            }
            return self.known(&request, &hasher.finish());
        }
        // What cannot be read again is kept while it is read.
        let mut kept = if source.can_rewind() { None } else { Some(Gathered::new(self)) };
        let mut pass = Pass::new(&request, None);
        let mut is_over = false;
        let mut read = || {
            let record = if is_over { None } else { next(source)? };
            is_over = record.is_none();
            if let (Some(kept), Some(record)) = (&mut kept, &record) {
                kept.add(record, &request)?;
            }
            Ok(record)
        };
        let (loaded, unseen) =
            read_ahead(&mut read, |records| self.attempt_to(|store| store.pass(&request, &mut pass, records)));
        if let Some(report) = loaded? {
            return Ok(report);
        }
        if let Some(error) = unseen {
            return Err(error);
        }
        let mut gathered = match kept {
            Some(kept) => kept,
            None => {
                source.rewind().map_err(StoreError::Source)?;
                is_over = false;
                Gathered::new(self)
            }
        };
        while !is_over && let Some(record) = next(source)? {
            gathered.add(&record, &request)?;
        }
        self.load_sorted(&request, &gathered.sort(), pass)
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

    fn pass_sorted(&mut self, request: &LoadRequest, pass: &mut Pass<'_>) -> Result<Option<LoadReport>, StoreError> {
        let Some(all) = pass.sorted else { return Ok(None) };
        let mut events = all.events.read()?;
        let mut read = || Ok(events.next()?.and_then(|item| item.event.map(|event| Ok((event, item.place)))));
        read_ahead(&mut read, |records| self.pass(request, pass, records)).0
    }

    /// Takes in records behind everything that the graph has, unless they must come in another order.
    fn pass(
        &mut self,
        request: &LoadRequest,
        pass: &mut Pass<'_>,
        records: &mut Read<'_>,
    ) -> Result<Option<LoadReport>, StoreError> {
        // What was set aside may fit again, once this is there before it; and a version says of every element what it is.
        let aside = self.loads.iter().filter_map(|load| load.aside).max();
        let settled = aside.max(self.newest_version(&request.namespace)).filter(|_| pass.may_place);
        let mut ingest = Ingest::begin(self, request);
        pass.begin(&mut ingest);
        let index = self.writable(request);
        while let Some(record) = records()? {
            let mut creates = false;
            if let Ok((event, _)) = &record {
                pass.see(event.time);
                creates = is_birth(event);
                if settled.is_some_and(|settled| event.time < settled) {
                    ingest.late.get_or_insert(event.time);
                }
            }
            let misfits = ingest.misfits;
            let taken = ingest.record(index, record);
            pass.is_premature |= creates && ingest.misfits > misfits && request.dangling == Dangling::Stub;
            if pass.must_stop(&ingest) {
                return Ok(None);
            }
            if let Err(error) = taken {
                // In order of time fewer records may be refused.
                if !(pass.may_sort && ingest.misfits > 0) {
                    return Err(error);
                }
                pass.error = Some(error);
                return Ok(None);
            }
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
        let mut splice = splice.with_parts_from(DERIVED);
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

fn is_birth(event: &Event) -> bool {
    matches!((&event.element, event.action), (Element::Node(_), Action::Create))
}

fn next(source: &mut dyn EventSource) -> Result<Option<SourceRecord>, StoreError> {
    let mut record = source.next().map_err(StoreError::Source)?;
    if let Some(Ok((event, _))) = &mut record {
        sort_features(&mut event.features);
    }
    Ok(record)
}

/// One way through the records of a load.
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
    latest: Time,
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
        // Stubs are born and repeats are numbered as they come.
        let is_eager = request.dangling == Dangling::Stub || request.repeats == Repeats::Parallel;
        let may_place = request.late == Late::Place;
        let may_sort = sorted.is_none() && (may_place || is_eager);
        let (latest, is_disordered) = (Time::MIN, false);
        Pass {
            sorted,
            may_sort,
            may_place,
            is_eager,
            latest,
            is_disordered,
            late: None,
            is_premature: false,
            error: None,
        }
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
        self.is_disordered |= time < self.latest;
        self.latest = self.latest.max(time);
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

/// Records that are gathered to be sorted.
struct Gathered {
    hasher: EventHasher,
    events: Sorter,
    /// When the source first creates each node that it creates: kept only if stubs may stand in for them.
    creates: FxHashMap<NodeKey, Time>,
    rejects: Vec<Reject>,
    n_rejected: u64,
    latest: Time,
    is_disordered: bool,
}

/// Records in order of time.
struct InOrder {
    /// Hash of the events as they came.
    hash: String,
    events: Sorted,
    creates: FxHashMap<NodeKey, Time>,
    /// The first of those that cannot be read, and how many there are.
    rejects: Vec<Reject>,
    n_rejected: u64,
    order: OrderReport,
}

impl Gathered {
    fn new(store: &Store) -> Gathered {
        let (hasher, events) = (EventHasher::default(), Sorter::new(&log_dir(&store.dir), MEMORY));
        let (creates, rejects) = (FxHashMap::default(), Vec::new());
        Gathered { hasher, events, creates, rejects, n_rejected: 0, latest: Time::MIN, is_disordered: false }
    }

    fn add(&mut self, record: &SourceRecord, request: &LoadRequest) -> Result<(), StoreError> {
        match record {
            Ok((event, place)) => {
                self.hasher.add(event);
                self.is_disordered |= event.time < self.latest;
                self.latest = self.latest.max(event.time);
                if let (Element::Node(node), true, Dangling::Stub) = (&event.element, is_birth(event), request.dangling)
                {
                    let first = self.creates.entry(node.clone()).or_insert(event.time);
                    *first = (*first).min(event.time);
                }
                self.events.push(event.time, 0, place, Some(event))
            }
            Err(reject) => {
                self.n_rejected += 1;
                if self.rejects.len() < request.kept_rejects {
                    self.rejects.push(reject.clone());
                }
                Ok(())
            }
        }
    }

    fn sort(self) -> InOrder {
        let Gathered { hasher, events, creates, rejects, n_rejected, is_disordered, .. } = self;
        let order = OrderReport { sorted: is_disordered, ..OrderReport::default() };
        InOrder { hash: hasher.finish(), events: events.sort(), creates, rejects, n_rejected, order }
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
            Some(item) => item.event.map_or(Ok(()), |event| self.ingest.record(graph, Ok((event, item.place)))),
            None => Ok(()),
        }
    }
}
