//! The events of a source, gathered to be sorted by time.

use rustc_hash::FxHashMap;
use timeweft_graph::{Dangling, Element, Event, Name, NodeKey, Place, Reason, Record, Reject, Schema, Sink, Time};

use crate::StoreError;
use crate::folder::log_dir;
use crate::load::content::EventHasher;
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

    /// Adds an event with its features in order.
    pub(crate) fn event(&mut self, event: &Event, line: u64) {
        self.hasher.add(event);
        self.is_disordered |= event.time < self.latest;
        self.latest = self.latest.max(event.time);
        if let (Element::Node(node), true, Dangling::Stub) = (&event.element, is_birth(event), self.request.dangling) {
            let first = self.creates.entry(node.clone()).or_insert(event.time);
            *first = (*first).min(event.time);
        }
        self.place.line = line;
        let pushed = self.events.push(event.time, 0, &self.place, Some(event));
        self.failed = self.failed.take().or(pushed.err());
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

    fn file(&mut self, name: &Name) {
        self.place.file.clone_from(name);
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        match record {
            Record::Event(mut event) => {
                event.sort_features();
                self.event(&event, line);
            }
            other => self.reject(line, other.unfit("a stream of events")),
        }
    }

    fn reject(&mut self, line: u64, reason: Reason) {
        self.n_rejected += 1;
        if self.rejects.len() < self.request.kept_rejects {
            self.rejects.push(Reject { place: Place::new(&self.place.file, line), reason });
        }
    }

    /// It was said when the source was read before.
    fn warn(&mut self, _: u64, _: String) {}

    fn is_closed(&self) -> bool {
        self.failed.is_some()
    }
}
