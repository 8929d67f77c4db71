//! The events of a source, gathered to be sorted by time.

use rustc_hash::FxHashMap;
use timeweft_graph::{Dangling, Element, Event, NodeKey, Place, Reason, Record, Reject, Schema, Sink, Time};

use crate::StoreError;
use crate::folder::log_dir;
use crate::load::content_hash::EventHasher;
use crate::load::ingest::is_birth;
use crate::load::{LoadRequest, OrderReport};
use crate::log::sorter::{MEMORY, Sorted, Sorter};
use crate::store::Store;

/// The sink that gathers events.
pub(crate) struct Gathered<'a> {
    request: &'a LoadRequest,
    schema: Schema,
    place: Place,
    hasher: EventHasher,
    events: Sorter,
    /// When the source first creates each node that it creates: kept only if stubs may stand in for them.
    creates: FxHashMap<NodeKey, Time>,
    rejects: Vec<Reject>,
    n_rejected: u64,
    latest: Time,
    is_disordered: bool,
    failed: Option<StoreError>,
}

/// Events in order of time.
pub(crate) struct InOrder {
    /// Hash of the events as they came.
    pub(crate) hash: String,
    pub(crate) events: Sorted,
    pub(crate) creates: FxHashMap<NodeKey, Time>,
    /// The first of the records that cannot be read, and how many there are.
    pub(crate) rejects: Vec<Reject>,
    pub(crate) n_rejected: u64,
    pub(crate) order: OrderReport,
}

impl<'a> Gathered<'a> {
    pub(crate) fn new(store: &Store, request: &'a LoadRequest) -> Gathered<'a> {
        Gathered {
            request,
            schema: store.schema().clone(),
            place: Place::default(),
            hasher: EventHasher::default(),
            events: Sorter::new(&log_dir(&store.dir), MEMORY),
            creates: FxHashMap::default(),
            rejects: Vec::new(),
            n_rejected: 0,
            latest: Time::MIN,
            is_disordered: false,
            failed: None,
        }
    }

    /// Keeps a record; the features of an event are in order.
    pub(crate) fn keep(&mut self, record: &Record<'_>, line: u64) {
        self.place.line = line;
        match record {
            Record::Event(event) => self.event(event),
            Record::File(name) => self.place.file.clone_from(name),
            Record::Reject(reason) => self.reject_here(reason.clone()),
            // It was said when the source was read before.
            Record::Warning(_) => {}
            other => self.reject_here(other.unfit("a stream of events")),
        }
    }

    fn event(&mut self, event: &Event) {
        self.hasher.add(event);
        self.is_disordered |= event.time < self.latest;
        self.latest = self.latest.max(event.time);
        // The row of a node that is there already, as a stub is, updates it.
        let are_births = self.request.dangling == Dangling::Stub && self.request.rows.is_none();
        if let (Element::Node(node), true, true) = (&event.element, is_birth(event), are_births) {
            let first = self.creates.entry(node.clone()).or_insert(event.time);
            *first = (*first).min(event.time);
        }
        let pushed = self.events.push(event.time, 0, &self.place, Some(event));
        self.failed = self.failed.take().or(pushed.err());
    }

    fn reject_here(&mut self, reason: Reason) {
        self.n_rejected += 1;
        if self.rejects.len() < self.request.kept_rejects {
            self.rejects.push(Reject { place: self.place.clone(), reason });
        }
    }

    /// An error if there was no room for the events: then some of them are lost.
    pub(crate) fn check(&mut self) -> Result<(), StoreError> {
        self.failed.take().map_or(Ok(()), Err)
    }

    pub(crate) fn sort(mut self) -> Result<InOrder, StoreError> {
        self.check()?;
        let Gathered { hasher, events, creates, rejects, n_rejected, is_disordered, .. } = self;
        let order = OrderReport { sorted: is_disordered, ..OrderReport::default() };
        Ok(InOrder { hash: hasher.finish(), events: events.sort(), creates, rejects, n_rejected, order })
    }
}

impl Sink for Gathered<'_> {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }

    fn record(&mut self, mut record: Record<'_>, line: u64) {
        if let Record::Event(event) = &mut record {
            event.sort_features();
        }
        self.keep(&record, line);
    }

    fn is_closed(&self) -> bool {
        self.failed.is_some()
    }
}
