//! Takes in the records of a load, one by one, under its policies.

use rustc_hash::FxHashMap;
use timeweft_graph::{
    Action, Dangling, EdgeKey, Element, Event, Features, Name, Owner, Place, Reason, Reject, Schema, Value,
};
use timeweft_index::Index;

use crate::StoreError;
use crate::content::EventHasher;
use crate::load::{LoadReport, LoadRequest, Repeats};
use crate::segment::SegmentWriter;

/// The intake of one load: applies to the index, writes what was accepted, reports what was not.
pub(crate) struct Ingest<'a> {
    pub(crate) request: &'a LoadRequest,
    pub(crate) index: &'a mut Index,
    pub(crate) log: SegmentWriter,
    pub(crate) report: LoadReport,
    /// Hash of what was offered.
    pub(crate) hasher: EventHasher,
    /// The key after the last one given to a parallel edge.
    pub(crate) next_keys: FxHashMap<EdgeKey, u64>,
}

impl Ingest<'_> {
    /// Takes in the next record.
    pub(crate) fn record(&mut self, record: Result<(Event, Place), Reject>) -> Result<(), StoreError> {
        match record {
            Ok((event, place)) => self.event(event, place),
            Err(reject) => self.reject(reject),
        }
    }

    fn event(&mut self, mut event: Event, place: Place) -> Result<(), StoreError> {
        sort_features(&mut event.features);
        self.hasher.add(&event);
        let refused = match unsound(&event.features) {
            Some(reason) => Some(reason),
            None => match self.index.apply(&event, &self.request.namespace) {
                Ok(()) => return self.accept(event),
                Err(reason) => self.retry(&mut event, reason)?,
            },
        };
        match refused {
            None => self.accept(event),
            Some(reason) => {
                let reject = Reject { place, reason };
                if self.request.dangling == Dangling::Reject && is_dangling(&event, &reject.reason) {
                    return Err(StoreError::Dangling(Box::new(reject)));
                }
                self.reject(reject)
            }
        }
    }

    /// Tries again what a policy lets in; gives the reason if it stays refused.
    fn retry(&mut self, event: &mut Event, reason: Reason) -> Result<Option<Reason>, StoreError> {
        match reason {
            Reason::UnknownNode(_) if self.request.dangling == Dangling::Stub && wants_stub(event) => self.stub(event),
            Reason::EdgeExists(_) if self.request.repeats == Repeats::Parallel => Ok(self.parallel(event)),
            reason => Ok(Some(reason)),
        }
    }

    /// Creates the missing nodes of an event that fits with them. One that does not leaves none behind.
    fn stub(&mut self, event: &mut Event) -> Result<Option<Reason>, StoreError> {
        let missing = match self.index.missing_nodes(event) {
            Ok(missing) => missing,
            Err(reason) => return Ok(Some(reason)),
        };
        for node in missing {
            let stub = Event::new(event.time, Action::Create, Element::Node(node));
            if let Err(reason) = self.index.apply(&stub, &self.request.namespace) {
                return Ok(Some(reason));
            }
            self.report.counts.stubs += 1;
            self.accept(stub)?;
        }
        match self.index.apply(event, &self.request.namespace) {
            Ok(()) => Ok(None),
            Err(reason) => self.retry(event, reason),
        }
    }

    /// Gives a repeated edge the first key from `2` on that is free.
    fn parallel(&mut self, event: &mut Event) -> Option<Reason> {
        let Element::Edge(edge) = &event.element else { return None };
        if edge.key.is_some() {
            return Some(Reason::EdgeExists(Box::new(edge.clone())));
        }
        let plain = edge.clone();
        let first = self.next_keys.get(&plain).copied().unwrap_or(2);
        for number in first.. {
            let key = Some(Name::from(number.to_string()));
            event.element = Element::Edge(EdgeKey { key, ..plain.clone() });
            match self.index.apply(event, &self.request.namespace) {
                Err(Reason::EdgeExists(_)) => {}
                Err(reason) => return Some(reason),
                Ok(()) => {
                    self.next_keys.insert(plain, number + 1);
                    self.report.counts.parallel += 1;
                    return None;
                }
            }
        }
        None
    }

    fn accept(&mut self, mut event: Event) -> Result<(), StoreError> {
        self.drop_unknown_ends(&mut event);
        self.report.accepted += 1;
        self.report.counts.count(event.action, &event.element);
        self.log.push(event)
    }

    /// The end of a feature that no type has yet says nothing. In the log it would say something once the feature is
    /// known, because a replay starts with the types of its last commit.
    fn drop_unknown_ends(&self, event: &mut Event) {
        if event.features.iter().any(|(_, value)| value.is_none()) {
            let schema = self.index.schema();
            let owner = owner(schema, &event.element);
            let known = |name: &Name| owner.is_some_and(|owner| schema.feature(owner, name).is_some());
            event.features.retain(|(name, value)| value.is_some() || known(name));
        }
    }

    fn reject(&mut self, reject: Reject) -> Result<(), StoreError> {
        self.report.n_rejected += 1;
        if self.report.rejects.len() < self.request.kept_rejects {
            self.report.rejects.push(reject);
        }
        match self.request.max_rejects {
            Some(max) if self.report.n_rejected > max => {
                Err(StoreError::TooManyRejects { max, report: Box::new(self.report.clone()) })
            }
            _ => Ok(()),
        }
    }
}

/// The type of an element.
fn owner(schema: &Schema, element: &Element) -> Option<Owner> {
    match element {
        Element::Node(node) => schema.node_type(&node.node_type).map(Owner::Node),
        Element::Edge(edge) => {
            let source = schema.node_type(&edge.source.node_type)?;
            let destination = schema.node_type(&edge.destination.node_type)?;
            schema.edge_type(source, &edge.relation, destination).map(Owner::Edge)
        }
        Element::Merge { .. } => Some(Owner::Merge),
    }
}

/// Sorts by name, so that equal events have equal bytes. Repeated names keep their order: the last one counts.
pub(crate) fn sort_features(features: &mut Features) {
    if !features.is_sorted_by(|a, b| a.0 <= b.0) {
        features.sort_by(|a, b| a.0.cmp(&b.0));
    }
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
