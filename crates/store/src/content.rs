//! Content hashes: what makes two loads of one version the same.

use blake3::Hasher;
use timeweft_graph::{
    Action, EdgeKey, Element, Event, ExternalId, FeatureKind, Name, NodeKey, Value, Version, delta::Canonical,
};

/// Hash of a version's elements and merges, whatever their order: the hashes of all elements added up, lane by lane.
pub(crate) fn of_version(version: &Version, canonical: Canonical<'_>) -> String {
    let mut sum = [0u64; 4];
    let mut bytes = Bytes::default();
    for record in &version.nodes {
        bytes.0.clear();
        bytes.tag(0).node(&record.key);
        canonical.node(&record.key, &record.features).iter().for_each(|(name, value)| bytes.feature(name, Some(value)));
        add(&mut sum, &bytes);
    }
    for record in &version.edges {
        bytes.0.clear();
        bytes.tag(1).edge(&record.key);
        canonical.edge(&record.key, &record.features).iter().for_each(|(name, value)| bytes.feature(name, Some(value)));
        add(&mut sum, &bytes);
    }
    for merge in &version.merges {
        bytes.0.clear();
        bytes.tag(2).node(&merge.from).node(&merge.into);
        canonical.merge(&merge.features).iter().for_each(|(name, value)| bytes.feature(name, Some(value)));
        add(&mut sum, &bytes);
    }
    let mut hasher = Hasher::new();
    sum.iter().for_each(|lane| _ = hasher.update(&lane.to_le_bytes()));
    [version.nodes.len(), version.edges.len(), version.merges.len()]
        .iter()
        .for_each(|&count| _ = hasher.update(&(count as u64).to_le_bytes()));
    hasher.finalize().to_hex().to_string()
}

fn add(sum: &mut [u64; 4], bytes: &Bytes) {
    let hash = blake3::hash(&bytes.0);
    let (lanes, _) = hash.as_bytes().as_chunks::<8>();
    for (lane, part) in sum.iter_mut().zip(lanes) {
        *lane = lane.wrapping_add(u64::from_le_bytes(*part));
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

/// A prefix-free byte form of elements, only for hashing.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn tag(&mut self, tag: u8) -> &mut Bytes {
        self.0.push(tag);
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
        match &node.id {
            ExternalId::Int(number) => self.tag(0).0.extend_from_slice(&number.to_le_bytes()),
            ExternalId::Text(text) => self.tag(1).piece(text.as_bytes()),
        }
        self
    }

    fn edge(&mut self, edge: &EdgeKey) {
        self.node(&edge.source).piece(edge.relation.as_bytes());
        self.node(&edge.destination);
        match &edge.key {
            None => _ = self.tag(0),
            Some(key) => self.tag(1).piece(key.as_bytes()),
        }
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
