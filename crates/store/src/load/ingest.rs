//! Takes in the records of a load, one by one, under its policies.

use rustc_hash::FxHashMap;
use timeweft_graph::{
    Action, Dangling, EdgeKey, Element, Event, Features, Link, Name, NodeKey, Place, Reason, Reject, Schema, Time,
    TimeUnit, Value,
};
use timeweft_index::{Births, Index};

use crate::StoreError;
use crate::load::content_hash::EventHasher;
use crate::load::loading::{Loading, Outcome};
use crate::load::{LoadRequest, Repeats};
use crate::log::segment::SegmentWriter;
use crate::store::Store;

/// The intake of one load: applies to the index, writes what was accepted, reports what was not.
pub(crate) struct Ingest<'a> {
    pub(crate) loading: Loading<'a>,
    log: SegmentWriter,
    /// Hash of what was offered; none where it is known from elsewhere.
    pub(crate) hasher: Option<EventHasher>,
    /// The key after the last one given to a parallel edge.
    next_keys: FxHashMap<EdgeKey, u64>,
    /// When the source itself first creates each node that it creates, where that is known beforehand.
    pub(crate) creates: Option<&'a FxHashMap<NodeKey, Time>>,
    /// The graph with all later events, where this load is taken in among them.
    pub(crate) whole: Option<Whole<'a>>,
    /// Refused records that might fit in another order.
    pub(crate) misfits: u64,
    /// Time of the first refused record that is late.
    pub(crate) late: Option<Time>,
}

/// A graph into the middle of which a load goes.
pub(crate) struct Whole<'a> {
    pub(crate) graph: &'a Index,
    pub(crate) births: Births<'a>,
    /// The newest version of the namespace, which says of each of its elements what it is from then on.
    pub(crate) newest: Option<Time>,
}

impl Whole<'_> {
    fn is_late(&self, event: &Event) -> bool {
        self.newest > Some(event.time) || self.graph.is_late(event)
    }
}

impl<'a> Ingest<'a> {
    pub(crate) fn begin(store: &Store, request: &'a LoadRequest) -> Ingest<'a> {
        let loading = Loading::begin(store, request);
        let (log, hasher, next_keys) = (loading.log(store), Some(EventHasher::default()), FxHashMap::default());
        Ingest { loading, log, hasher, next_keys, creates: None, whole: None, misfits: 0, late: None }
    }

    /// Writes the rest of the log; `hash` is that of what was offered, where it is known from elsewhere.
    pub(crate) fn finish(self, schema: &Schema, hash: &str) -> Result<(Loading<'a>, Outcome), StoreError> {
        let hash = self.hasher.map_or_else(|| hash.to_owned(), EventHasher::finish);
        Ok((self.loading, Outcome { hash, written: self.log.finish(schema)?, ..Outcome::default() }))
    }

    /// Takes in the next event.
    pub(crate) fn event(&mut self, index: &mut Index, mut event: Event, place: &Place) -> Result<(), StoreError> {
        event.sort_features();
        if let Some(hasher) = &mut self.hasher {
            hasher.add(&event);
        }
        match &self.loading.request.rows {
            Some(links) => self.row(index, event, links, place),
            None => self.take(index, event, place),
        }
    }

    /// Takes in a row of a table: the events by which the graph comes to what it says.
    fn row(&mut self, index: &mut Index, row: Event, links: &[Link], place: &Place) -> Result<(), StoreError> {
        let link = match &row.element {
            Element::Edge(edge) => links.iter().find(|link| link.holds(edge)),
            _ => None,
        };
        match index.steps_of_row(&row, link) {
            Ok(steps) => {
                if steps.is_empty() {
                    // Late is what could not be told from the graph as it is in the end.
                    let late = self.whole.as_ref().is_some_and(|whole| whole.graph.steps_of_row(&row, link).is_err());
                    self.loading.report.order.placed += u64::from(late);
                    let counts = &mut self.loading.report.rows;
                    let is_delete = row.action == Action::Delete && link.is_none();
                    *(if is_delete { &mut counts.absent } else { &mut counts.unchanged }) += 1;
                }
                steps.into_iter().try_for_each(|step| self.take(index, step, place))
            }
            // What comes later says nothing of what was before it.
            Err(reason) => {
                self.note_misfit(index, &row, &reason, true);
                self.reject(Reject { place: place.clone(), reason })
            }
        }
    }

    /// Takes in one event, if it fits.
    fn take(&mut self, index: &mut Index, mut event: Event, place: &Place) -> Result<(), StoreError> {
        let late = self.whole.as_ref().is_some_and(|whole| whole.is_late(&event));
        let refused = match unsound(&event.features) {
            Some(reason) => Some(reason),
            None => match self.apply(index, &event) {
                Ok(()) => None,
                Err(reason) => self.retry(index, &mut event, reason)?,
            },
        };
        match refused {
            None => {
                self.loading.report.order.placed += u64::from(late);
                self.accept(index, &event)
            }
            Some(reason) => {
                self.note_misfit(index, &event, &reason, late);
                let reject = Reject { place: place.clone(), reason };
                if self.loading.request.dangling == Dangling::Reject && is_dangling(&event, &reject.reason) {
                    return Err(StoreError::Dangling(Box::new(reject)));
                }
                self.reject(reject)
            }
        }
    }

    /// Notes a record that is refused for what came before it, and not for what it says.
    fn note_misfit(&mut self, index: &Index, event: &Event, reason: &Reason, late: bool) {
        // The first value of a feature decides its kind. In another order of the same records it may be another one, but
        // what the graph has stays.
        self.misfits += u64::from(is_misfit(reason) || matches!(reason, Reason::WrongKind { .. }));
        if !is_misfit(reason) {
            return;
        }
        if late || (self.whole.is_none() && index.is_late(event)) {
            self.loading.report.order.refused += 1;
            self.late.get_or_insert(event.time);
        }
    }

    /// Applies an event. Among later ones, an interaction leaves the names of their edges to them.
    fn apply(&self, index: &mut Index, event: &Event) -> Result<(), Reason> {
        match &event.element {
            Element::Edge(edge) if edge.key.is_none() && self.is_taken_later(event, edge) => {
                match index.missing_nodes(event)?.into_iter().next() {
                    Some(node) => Err(Reason::UnknownNode(node)),
                    None => Err(Reason::EdgeExists(Box::new(edge.clone()))),
                }
            }
            _ => index.apply(event, &self.loading.request.namespace),
        }
    }

    /// Whether a later edge has the name that an edge without a key, or the key that a repeat, would get.
    fn is_taken_later(&self, event: &Event, edge: &EdgeKey) -> bool {
        event.action == Action::Create
            && self.loading.request.repeats == Repeats::Parallel
            && self.whole.as_ref().is_some_and(|whole| whole.graph.edge_latest(edge) > Some(event.time))
    }

    /// Tries again what a policy lets in; gives the reason if it stays refused.
    fn retry(&mut self, index: &mut Index, event: &mut Event, reason: Reason) -> Result<Option<Reason>, StoreError> {
        match reason {
            Reason::UnknownNode(_) if self.loading.request.dangling == Dangling::Stub && wants_stub(event) => {
                self.stub(index, event)
            }
            Reason::EdgeExists(_) if self.loading.request.repeats == Repeats::Parallel => {
                Ok(self.parallel(index, event))
            }
            reason => Ok(Some(reason)),
        }
    }

    /// Creates the missing nodes of an event that fits with them. One that does not leaves none behind.
    fn stub(&mut self, index: &mut Index, event: &mut Event) -> Result<Option<Reason>, StoreError> {
        let (unit, time) = (index.schema().unit(), event.time);
        let missing = match index.missing_nodes(event).and_then(|missing| self.may_begin(unit, time, missing)) {
            Ok(missing) => missing,
            Err(reason) => return Ok(Some(reason)),
        };
        for node in missing {
            let stub = Event::new(event.time, Action::Create, Element::Node(node));
            if let Err(reason) = index.apply(&stub, &self.loading.request.namespace) {
                return Ok(Some(reason));
            }
            self.loading.report.counts.stubs += 1;
            self.accept(index, &stub)?;
        }
        match self.apply(index, event) {
            Ok(()) => Ok(None),
            Err(reason) => self.retry(index, event, reason),
        }
    }

    /// Nodes that may be born as stubs at a time: not those that the source itself creates later, nor those of the graph
    /// whose later birth says something of them, which would be lost.
    fn may_begin(&self, unit: TimeUnit, time: Time, missing: Vec<NodeKey>) -> Result<Vec<NodeKey>, Reason> {
        let created = |node: &NodeKey| self.creates.and_then(|creates| creates.get(node)).filter(|at| **at > time);
        if let Some((node, known)) = missing.iter().find_map(|node| Some((node, *created(node)?))) {
            return Err(Reason::OutOfOrder { unit, time, known, element: format!("node {node}") });
        }
        let Some(Whole { births, .. }) = &self.whole else { return Ok(missing) };
        match missing.iter().find(|node| !births.may_be_earlier(node, &self.loading.request.namespace)) {
            None => Ok(missing),
            Some(node) => {
                let known = births.latest(node).unwrap_or(time);
                Err(Reason::OutOfOrder { unit, time, known, element: format!("node {node}") })
            }
        }
    }

    /// Gives a repeated edge the first key from `2` on that is free.
    fn parallel(&mut self, index: &mut Index, event: &mut Event) -> Option<Reason> {
        let Element::Edge(edge) = &event.element else { return None };
        if edge.key.is_some() {
            return Some(Reason::EdgeExists(Box::new(edge.clone())));
        }
        let plain = edge.clone();
        let first = self.next_keys.get(&plain).copied().unwrap_or(2);
        for number in first.. {
            let key = Some(Name::from(number.to_string()));
            let edge = EdgeKey { key, ..plain.clone() };
            if self.is_taken_later(event, &edge) {
                continue;
            }
            event.element = Element::Edge(edge);
            match index.apply(event, &self.loading.request.namespace) {
                Err(Reason::EdgeExists(_)) => {}
                Err(reason) => return Some(reason),
                Ok(()) => {
                    self.next_keys.insert(plain, number + 1);
                    self.loading.report.counts.parallel += 1;
                    return None;
                }
            }
        }
        None
    }

    fn accept(&mut self, index: &Index, event: &Event) -> Result<(), StoreError> {
        self.loading.report.accepted += 1;
        self.loading.report.counts.count(event.action, &event.element);
        self.log.push(event, index.schema())
    }

    /// Notes a rejected record.
    pub(crate) fn reject(&mut self, reject: Reject) -> Result<(), StoreError> {
        self.loading.report.n_rejected += 1;
        if self.loading.report.rejects.len() < self.loading.request.kept_rejects {
            self.loading.report.rejects.push(reject);
        }
        match self.loading.request.max_rejects {
            Some(max) if self.loading.report.n_rejected > max => {
                Err(StoreError::TooManyRejects { max, report: Box::new(self.loading.report.clone()) })
            }
            _ => Ok(()),
        }
    }
}

/// Whether it creates a node.
pub(crate) fn is_birth(event: &Event) -> bool {
    matches!((&event.element, event.action), (Element::Node(_), Action::Create))
}

/// Whether the state of the graph refuses a record, so that it might fit at another point.
fn is_misfit(reason: &Reason) -> bool {
    use Reason as R;
    matches!(
        reason,
        R::UnknownNode(_)
            | R::DeletedNode(_)
            | R::NodeExists(_)
            | R::UnknownEdge(_)
            | R::DeletedEdge(_)
            | R::EdgeExists(_)
            | R::OutOfOrder { .. }
            | R::BadMerge(_)
            | R::ForeignNamespace { .. }
    )
}

/// Largest value in bytes or elements: a column of a batch addresses 2^31.
const LARGEST: usize = 1 << 28;

/// Values that no column can hold.
fn unsound(features: &Features) -> Option<Reason> {
    features.iter().find_map(|(name, value)| {
        let problem = match value.as_ref()? {
            Value::Dense(dense) if dense.scalar && dense.numbers.len() != 1 => "a scalar is one number",
            Value::Sparse(sparse) if sparse.coordinates.len() != sparse.rank as usize * sparse.values.len() => {
                "a sparse value has as many coordinates a value as its rank"
            }
            Value::Dense(dense) if dense.numbers.len() > LARGEST => "more than 2^28 numbers",
            Value::Sparse(sparse) if sparse.coordinates.len() > LARGEST => "more than 2^28 coordinates",
            Value::Text(text) | Value::Category(text) if text.len() > LARGEST => "more than 2^28 bytes",
            Value::Bytes(bytes) if bytes.len() > LARGEST => "more than 2^28 bytes",
            _ => return None,
        };
        Some(Reason::Malformed(format!("feature `{name}`: {problem}")))
    })
}

/// Whether the event may bring its missing nodes into being: an edge is created, or a node is updated.
fn wants_stub(event: &Event) -> bool {
    matches!((&event.element, event.action), (Element::Edge(_), Action::Create) | (Element::Node(_), Action::Update))
}

fn is_dangling(event: &Event, reason: &Reason) -> bool {
    matches!((&event.element, event.action), (Element::Edge(_), Action::Create))
        && matches!(reason, Reason::UnknownNode(_) | Reason::DeletedNode(_))
}
