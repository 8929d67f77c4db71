//! Content hashes: what makes two loads of one version the same.

use blake3::Hasher;
use timeweft_graph::rows::{Rest, Rows};
use timeweft_graph::{
    Action, EdgeKey, EdgeSpan, Element, ElementRef, Event, FeatureKind, IdRef, Name, NodeKey, NodeSpan, Record, Schema,
    Sink, Value, ValueSpans,
};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::StoreError;
use crate::load::source::ReadError;

/// Hash of a version's elements and merges, whatever their order: the XXH3 hashes of all elements added up.
///
/// Types and features count by their numbers, which never change within a store.
#[derive(Default)]
pub(crate) struct RowHasher {
    sum: u128,
    records: [u64; 2],
    bytes: Bytes,
}

impl RowHasher {
    /// Adds a chunk.
    pub(crate) fn add(&mut self, rows: &Rows) {
        self.records[usize::from(rows.are_edges())] += rows.len() as u64;
        for row in rows.iter() {
            let bytes = &mut self.bytes;
            bytes.0.clear();
            match row.element() {
                ElementRef::Node(node_type, id) => _ = bytes.tag(0).number(node_type.0).id(id),
                ElementRef::Edge(edge_type, [source, destination], key) => {
                    bytes.tag(1).number(edge_type.0).id(source).id(destination).key(key);
                }
                ElementRef::Merge(_) => {}
            }
            // All lengths first, so that the values, which lie side by side, are taken at once.
            bytes.length(row.features().len());
            for (feature, value) in row.features() {
                let piece = (value.len() as u64) << 16 | u64::from(feature.0);
                bytes.0.extend_from_slice(&piece.to_le_bytes());
            }
            bytes.0.extend_from_slice(row.values());
            self.sum = self.sum.wrapping_add(xxh3_128(&self.bytes.0));
        }
    }

    /// The hash of all that was added and of the rest.
    pub(crate) fn finish(mut self, rest: &Rest) -> String {
        for merge in &rest.merges {
            let bytes = &mut self.bytes;
            bytes.0.clear();
            bytes.tag(2).node(&merge.from).node(&merge.into);
            merge.features.iter().for_each(|(name, value)| bytes.feature(name, value.as_ref()));
            self.sum = self.sum.wrapping_add(xxh3_128(&self.bytes.0));
        }
        for deletion in &rest.deleted {
            self.bytes.0.clear();
            self.bytes.tag(3).node(&deletion.node);
            self.sum = self.sum.wrapping_add(xxh3_128(&self.bytes.0));
        }
        let mut hasher = Hasher::new();
        hasher.update(&self.sum.to_le_bytes());
        self.records.iter().for_each(|number| _ = hasher.update(&number.to_le_bytes()));
        [rest.merges.len(), rest.deleted.len()]
            .iter()
            .for_each(|&count| _ = hasher.update(&(count as u64).to_le_bytes()));
        hasher.finalize().to_hex().to_string()
    }
}

/// A hash of one event.
pub(crate) fn hash_of_event(event: &Event) -> u128 {
    let mut bytes = Bytes::default();
    bytes.event(event);
    xxh3_128(&bytes.0)
}

/// Events in any order: the hashes of all added up; and in theirs.
#[derive(Default)]
pub(crate) struct EventSet {
    sum: u128,
    ordered: u128,
    events: u64,
    bytes: Bytes,
}

impl EventSet {
    pub(crate) fn add(&mut self, event: &Event) {
        self.bytes.0.clear();
        self.bytes.event(event);
        let hash = xxh3_128(&self.bytes.0);
        self.sum = self.sum.wrapping_add(hash);
        self.ordered = self.ordered.rotate_left(7).wrapping_add(hash);
        self.events += 1;
    }

    /// Whether both were given the same events.
    pub(crate) fn same(&self, other: &EventSet) -> bool {
        (self.sum, self.events) == (other.sum, other.events)
    }

    /// Whether both were given the same events in the same order.
    pub(crate) fn same_order(&self, other: &EventSet) -> bool {
        self.same(other) && self.ordered == other.ordered
    }
}

/// Hash of events in their order.
#[derive(Default)]
pub(crate) struct EventHasher {
    hasher: Hasher,
    bytes: Bytes,
}

/// Hashing longer pieces at once is faster.
const PIECE: usize = 1 << 16;

impl EventHasher {
    /// Adds the next event.
    pub(crate) fn add(&mut self, event: &Event) {
        let bytes = &mut self.bytes;
        bytes.event(event);
        if bytes.0.len() >= PIECE {
            self.hasher.update(&self.bytes.0);
            self.bytes.0.clear();
        }
    }

    /// The hash of all events added.
    pub(crate) fn finish(mut self) -> String {
        self.hasher.update(&self.bytes.0);
        self.hasher.finalize().to_hex().to_string()
    }
}

/// Hash of what a source of intervals lists, in its order.
#[derive(Default)]
pub(crate) struct SpanHasher {
    hasher: Xxh3,
    bytes: Vec<u8>,
}

impl SpanHasher {
    /// The hash of all that was pushed.
    pub(crate) fn finish(mut self) -> String {
        self.hasher.update(&self.bytes);
        let mut hasher = Hasher::new();
        hasher.update(&self.hasher.digest128().to_le_bytes());
        hasher.finalize().to_hex().to_string()
    }

    fn values(&mut self, values: ValueSpans<'_>) {
        let bytes = &mut self.bytes;
        bytes.extend_from_slice(&(values.iter().len() as u32).to_le_bytes());
        bytes.extend_from_slice(&values.clipped.to_le_bytes());
        for span in values.iter() {
            bytes.extend_from_slice(&span.feature.to_le_bytes());
            bytes.extend_from_slice(&span.interval.created.0.to_le_bytes());
            bytes.extend_from_slice(&span.interval.removed.0.to_le_bytes());
            bytes.extend_from_slice(&(span.value.0.len() as u64).to_le_bytes());
            bytes.extend_from_slice(span.value.0);
        }
        if bytes.len() >= PIECE {
            self.hasher.update(bytes);
            bytes.clear();
        }
    }

    pub(crate) fn node(&mut self, node: &NodeSpan, values: ValueSpans<'_>) {
        let mut head = [0; 33];
        head[1..9].copy_from_slice(&node.id.to_le_bytes());
        head[9..13].copy_from_slice(&node.node_type.to_le_bytes());
        head[13..17].copy_from_slice(&node.weight.unwrap_or_default().to_le_bytes());
        head[0] = u8::from(node.weight.is_some());
        head[17..25].copy_from_slice(&node.life.created.0.to_le_bytes());
        head[25..].copy_from_slice(&node.life.removed.0.to_le_bytes());
        self.bytes.extend_from_slice(&head);
        self.values(values);
    }

    pub(crate) fn edge(&mut self, edge: &EdgeSpan, values: ValueSpans<'_>) {
        let mut head = [2; 41];
        head[1..9].copy_from_slice(&edge.source.to_le_bytes());
        head[9..17].copy_from_slice(&edge.destination.to_le_bytes());
        head[17..21].copy_from_slice(&edge.edge_type.to_le_bytes());
        head[21..25].copy_from_slice(&edge.weight.to_le_bytes());
        head[25..33].copy_from_slice(&edge.life.created.0.to_le_bytes());
        head[33..].copy_from_slice(&edge.life.removed.0.to_le_bytes());
        head[0] += u8::from(edge.starts_by_default);
        self.bytes.extend_from_slice(&head);
        self.values(values);
    }
}

/// Hands each record to a function, and does nothing else with a source.
struct Each<F> {
    schema: Schema,
    each: F,
}

impl<F: FnMut(Record<'_>)> Sink for Each<F> {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }

    fn record(&mut self, record: Record<'_>, _: u64) {
        (self.each)(record);
    }
}

/// The hash of a source of events, without looking at a graph.
pub(crate) fn hash_of_events(read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError>) -> Result<String, StoreError> {
    let mut hasher = EventHasher::default();
    let each = |record: Record<'_>| {
        if let Record::Event(mut event) = record {
            event.sort_features();
            hasher.add(&event);
        }
    };
    read(&mut Each { schema: Schema::default(), each }).map_err(StoreError::Source)?;
    Ok(hasher.finish())
}

/// The hash of a source of intervals, without looking at a graph.
pub(crate) fn hash_of_intervals(
    read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError>,
) -> Result<String, StoreError> {
    let mut hasher = SpanHasher::default();
    let each = |record: Record<'_>| match record {
        Record::NodeSpan(node, values) => hasher.node(&node, values),
        Record::EdgeSpan(edge, values) => hasher.edge(&edge, values),
        _ => {}
    };
    read(&mut Each { schema: Schema::default(), each }).map_err(StoreError::Source)?;
    Ok(hasher.finish())
}

/// A prefix-free byte form of elements, only for hashing.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn event(&mut self, event: &Event) {
        let bytes = self;
        bytes.0.extend_from_slice(&event.time.0.to_le_bytes());
        bytes.tag(match event.action {
            Action::Create => 0,
            Action::Update => 1,
            Action::Delete => 2,
        });
        match &event.element {
            Element::Node(node) => _ = bytes.tag(0).node(node),
            Element::Edge(edge) => bytes.tag(1).edge(edge),
            Element::Merge { from, into } => _ = bytes.tag(2).node(from).node(into),
        }
        bytes.length(event.features.len());
        event.features.iter().for_each(|(name, value)| bytes.feature(name, value.as_ref()));
    }

    fn tag(&mut self, tag: u8) -> &mut Bytes {
        self.0.push(tag);
        self
    }

    fn number(&mut self, number: u16) -> &mut Bytes {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn length(&mut self, length: usize) {
        self.0.extend_from_slice(&(length as u64).to_le_bytes());
    }

    fn piece(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn node(&mut self, node: &NodeKey) -> &mut Bytes {
        self.piece(node.node_type.as_bytes());
        self.id(node.id.as_ref())
    }

    fn id(&mut self, id: IdRef<'_>) -> &mut Bytes {
        match id {
            IdRef::Int(number) => self.tag(0).0.extend_from_slice(&number.to_le_bytes()),
            IdRef::Text(text) => self.tag(1).piece(text.as_bytes()),
        }
        self
    }

    fn key(&mut self, key: Option<&str>) {
        match key {
            None => _ = self.tag(0),
            Some(key) => self.tag(1).piece(key.as_bytes()),
        }
    }

    fn edge(&mut self, edge: &EdgeKey) {
        self.node(&edge.source).piece(edge.relation.as_bytes());
        self.node(&edge.destination);
        self.key(edge.key.as_deref());
    }

    fn feature(&mut self, name: &Name, value: Option<&Value>) {
        self.piece(name.as_bytes());
        let Some(value) = value else {
            self.tag(0);
            return;
        };
        self.tag(1).piece(FeatureKind::of(value).to_string().as_bytes());
        match value {
            Value::Dense(dense) => self.piece(&dense.numbers.to_le_bytes()),
            Value::Sparse(sparse) => {
                self.length(sparse.coordinates.len());
                sparse.coordinates.iter().for_each(|number| self.0.extend_from_slice(&number.to_le_bytes()));
                self.piece(&sparse.values.to_le_bytes());
            }
            Value::Text(text) | Value::Category(text) => self.piece(text.as_bytes()),
            Value::Bytes(bytes) => self.piece(bytes),
            Value::Json(json) => self.piece(json.to_string().as_bytes()),
        }
    }
}
