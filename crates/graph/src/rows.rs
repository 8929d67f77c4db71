//! A version on its way from its reader to a load: records in chunks of flat arrays, values as bytes.
//!
//! Listed records with names and owned values cost several allocations and shared counters a record; a release of
//! millions of nodes cannot pay that. A chunk costs a handful of allocations for thousands of records.

mod lives;
mod writer;

use crate::id::canonical_decimal;
use crate::{
    Action, EdgeKey, EdgeTypeId, Element, Event, ExternalId, FeatureId, Features, Name, NodeKey, NodeTypeId, Owner,
    Place, Schema, Time, Unreadable, Value, ValueRef,
};

pub use lives::{Change, LifeRows};
pub use writer::{Projection, Rest, RowWriter};

/// So many records make a chunk.
const CHUNK: usize = 16_384;
/// A chunk with so many bytes of values is full, however few its records are.
const CHUNK_BYTES: usize = 8 << 20;

/// An id that points into the texts of its chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PackedId {
    Int(u64),
    Text(u32, u32),
}

/// An id, borrowed; in the order of [`ExternalId`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum IdRef<'a> {
    /// A canonical decimal.
    Int(u64),
    /// Any other text.
    Text(&'a str),
}

impl IdRef<'_> {
    /// The id, owned.
    pub fn to_id(self) -> ExternalId {
        match self {
            IdRef::Int(number) => ExternalId::Int(number),
            IdRef::Text(text) => ExternalId::Text(text.into()),
        }
    }
}

impl ExternalId {
    /// The id, borrowed.
    pub fn as_ref(&self) -> IdRef<'_> {
        match self {
            ExternalId::Int(number) => IdRef::Int(*number),
            ExternalId::Text(text) => IdRef::Text(text),
        }
    }
}

impl PartialEq<ExternalId> for IdRef<'_> {
    fn eq(&self, other: &ExternalId) -> bool {
        match (self, other) {
            (IdRef::Int(a), ExternalId::Int(b)) => a == b,
            (IdRef::Text(a), ExternalId::Text(b)) => **a == **b,
            _ => false,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    owner: u16,
    line: u64,
    source: PackedId,
    destination: PackedId,
    /// Where its key lies in the texts; none if it ends before it begins.
    key: (u32, u32),
    /// One after its last feature.
    features: u32,
}

/// A chunk of nodes, or of edges.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Whether they are edges.
    pub edges: bool,
    /// About so many nodes and edges the whole version has; none if its reader cannot tell.
    pub expected: (usize, usize),
    /// What records that could not be read leave unknown.
    pub unreadable: Vec<Unreadable>,
    file: Name,
    rows: Vec<Row>,
    texts: String,
    /// Each feature with the end of its bytes.
    features: Vec<(FeatureId, u32)>,
    values: Vec<u8>,
}

/// A record of a chunk.
#[derive(Clone, Copy)]
pub struct RowRef<'a> {
    rows: &'a Rows,
    at: usize,
}

impl Rows {
    /// How many records it has.
    #[inline]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The file that they are from.
    pub fn file(&self) -> &Name {
        &self.file
    }

    /// The record at a position below [`Rows::len`].
    #[inline]
    pub fn get(&self, at: usize) -> RowRef<'_> {
        RowRef { rows: self, at }
    }

    /// How many features they have, and of how many bytes.
    pub fn size(&self) -> (usize, usize) {
        (self.features.len(), self.values.len())
    }

    /// All records.
    pub fn iter(&self) -> impl Iterator<Item = RowRef<'_>> {
        (0..self.len()).map(|at| self.get(at))
    }

    #[inline]
    fn id(&self, id: PackedId) -> IdRef<'_> {
        match id {
            PackedId::Int(number) => IdRef::Int(number),
            PackedId::Text(start, end) => IdRef::Text(&self.texts[start as usize..end as usize]),
        }
    }

    #[inline]
    fn pack(&mut self, id: &str) -> PackedId {
        match canonical_decimal(id) {
            Some(number) => PackedId::Int(number),
            None => {
                let (start, end) = self.text(id);
                PackedId::Text(start, end)
            }
        }
    }

    #[inline]
    fn text(&mut self, text: &str) -> (u32, u32) {
        let start = self.texts.len() as u32;
        self.texts.push_str(text);
        (start, self.texts.len() as u32)
    }

    /// Ends a record after its features.
    #[inline]
    fn push(&mut self, row: Row) {
        self.rows.push(Row { features: self.features.len() as u32, ..row });
    }

    /// An empty chunk for copies of records like this one.
    pub fn like(row: RowRef<'_>) -> Rows {
        Rows { edges: row.rows.edges, file: row.rows.file.clone(), ..Rows::default() }
    }

    /// Whether a copy of a record may be added: it is of the same file, and there is room.
    pub fn takes(&self, row: RowRef<'_>) -> bool {
        self.edges == row.rows.edges && self.file == row.rows.file && !self.is_full()
    }

    /// Adds a copy of a record of another chunk.
    pub fn push_copy(&mut self, row: RowRef<'_>) {
        for (feature, bytes) in row.features() {
            self.values.extend_from_slice(bytes);
            self.features.push((feature, self.values.len() as u32));
        }
        let mut id = |id| match id {
            IdRef::Int(number) => PackedId::Int(number),
            IdRef::Text(text) => {
                let (start, end) = self.text(text);
                PackedId::Text(start, end)
            }
        };
        let (source, destination) = (id(row.id()), id(row.destination()));
        let key = row.key().map_or((1, 0), |key| self.text(key));
        self.push(Row { source, destination, key, ..*row.row() });
    }

    /// Forgets the records and keeps the memory.
    fn clear(&mut self) {
        self.rows.clear();
        self.texts.clear();
        self.features.clear();
        self.values.clear();
        self.unreadable.clear();
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.rows.len() >= CHUNK || self.values.len() + self.texts.len() >= CHUNK_BYTES
    }
}

/// Makes a chunk of records that are known to be sound, such as those of a log.
#[derive(Debug)]
pub struct RowBuilder(Rows);

impl RowBuilder {
    /// A chunk of nodes, or of edges.
    pub fn new(edges: bool) -> RowBuilder {
        RowBuilder(Rows { edges, rows: Vec::with_capacity(CHUNK), ..Rows::default() })
    }

    /// Adds a feature of the record that comes next. Features of a record come sorted by number, each once, with
    /// values of the feature's kind in canonical form.
    pub fn feature(&mut self, feature: FeatureId, value: ValueRef<'_>) {
        value.encode(&mut self.0.values);
        self.0.features.push((feature, self.0.values.len() as u32));
    }

    /// Adds a node with the features given before.
    pub fn node(&mut self, node_type: NodeTypeId, id: &str) {
        let source = self.0.pack(id);
        let destination = PackedId::Int(0);
        self.0.push(Row { owner: node_type.0, line: 0, source, destination, key: (1, 0), features: 0 });
    }

    /// Adds an edge with the features given before.
    pub fn edge(&mut self, edge_type: EdgeTypeId, (source, destination): (&str, &str), key: Option<&str>) {
        let (source, destination) = (self.0.pack(source), self.0.pack(destination));
        let key = key.map_or((1, 0), |key| self.0.text(key));
        self.0.push(Row { owner: edge_type.0, line: 0, source, destination, key, features: 0 });
    }

    /// Whether it is time for the next chunk.
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// The chunk.
    pub fn finish(self) -> Rows {
        self.0
    }
}

impl<'a> RowRef<'a> {
    #[inline]
    fn row(self) -> &'a Row {
        &self.rows.rows[self.at]
    }

    /// Position in the chunk.
    pub fn at(self) -> usize {
        self.at
    }

    /// Number of the node type.
    #[inline]
    pub fn node_type(self) -> NodeTypeId {
        NodeTypeId(self.row().owner)
    }

    /// Number of the edge type.
    #[inline]
    pub fn edge_type(self) -> EdgeTypeId {
        EdgeTypeId(self.row().owner)
    }

    /// The node's id, or the id of the edge's source.
    pub fn id(self) -> IdRef<'a> {
        self.rows.id(self.row().source)
    }

    /// The id of the edge's destination.
    #[inline]
    pub fn destination(self) -> IdRef<'a> {
        self.rows.id(self.row().destination)
    }

    /// The edge's key.
    #[inline]
    pub fn key(self) -> Option<&'a str> {
        let (start, end) = self.row().key;
        (start <= end).then(|| &self.rows.texts[start as usize..end as usize])
    }

    /// Where it stands.
    pub fn place(self) -> Place {
        Place::new(&self.rows.file, self.row().line)
    }

    /// Its features with the bytes of their values, sorted by number; values that mean the same have the same bytes.
    #[inline]
    pub fn features(self) -> impl ExactSizeIterator<Item = (FeatureId, &'a [u8])> {
        let from = self.at.checked_sub(1).map_or(0, |before| self.rows.rows[before].features as usize);
        let features = &self.rows.features;
        (from..self.row().features as usize).map(move |at| {
            let start = at.checked_sub(1).map_or(0, |before| features[before].1 as usize);
            let (feature, end) = features[at];
            (feature, &self.rows.values[start..end as usize])
        })
    }

    /// The bytes of all its values, one behind the other.
    #[inline]
    pub fn values(self) -> &'a [u8] {
        let rows = &self.rows.rows;
        let end =
            |features: u32| (features as usize).checked_sub(1).map_or(0, |last| self.rows.features[last].1 as usize);
        let start = self.at.checked_sub(1).map_or(0, |before| end(rows[before].features));
        &self.rows.values[start..end(rows[self.at].features)]
    }

    /// The node's key.
    pub fn node_key(self, schema: &Schema) -> NodeKey {
        NodeKey { node_type: schema.node_type_name(self.node_type()), id: self.id().to_id() }
    }

    /// The edge's key.
    pub fn edge_key(self, schema: &Schema) -> EdgeKey {
        let edge_type = &schema.edge_types()[self.edge_type().at()];
        let node = |node_type, id: IdRef<'_>| NodeKey { node_type: schema.node_type_name(node_type), id: id.to_id() };
        EdgeKey {
            source: node(edge_type.source, self.id()),
            relation: edge_type.relation.clone(),
            destination: node(edge_type.destination, self.destination()),
            key: self.key().map(Name::from),
        }
    }

    /// The event that creates it as it stands.
    pub fn to_event(self, schema: &Schema, time: Time) -> Event {
        let element = match self.rows.edges {
            true => Element::Edge(self.edge_key(schema)),
            false => Element::Node(self.node_key(schema)),
        };
        let defs = schema.features(self.owner());
        let named = |(id, bytes): (FeatureId, &[u8])| Some((defs.get(id.at())?.name.clone(), Value::decode(bytes)));
        let mut features: Features = self.features().filter_map(named).collect();
        features.sort_by(|a, b| a.0.cmp(&b.0));
        Event { time, action: Action::Create, element, features }
    }

    /// The owner of its features.
    #[inline]
    pub fn owner(self) -> Owner {
        if self.rows.edges { Owner::Edge(self.edge_type()) } else { Owner::Node(self.node_type()) }
    }
}
