//! The one carrier of records: what a load reads, what the index takes in and what the log holds.
//!
//! A chunk has many records in flat arrays, values as bytes. Records with names and owned values would cost several
//! allocations and shared counters each; a release of millions of nodes cannot pay that. A chunk costs a handful of
//! allocations for thousands of records.
//!
//! A record says what happens to one element, as an [`Event`](crate::Event) does. A source that knows when an element ends says it with
//! the record that creates it: a life is one record instead of two, and what changes in between follows it.

mod events;
mod writer;

use crate::{
    Action, EdgeKey, EdgeTypeId, Element, ElementRef, FeatureId, IdRef, Interval, Name, NodeKey, NodeTypeId, Owner,
    Place, Schema, Time, Unreadable, ValueRef,
};

pub use writer::{Projection, Rest, RowWriter};

/// Records of a chunk, at most.
const CHUNK: usize = 16_384;
/// Bytes of values of a chunk: with as many it is full, however few its records are.
const CHUNK_BYTES: usize = 8 << 20;

#[derive(Clone, Copy, Debug)]
struct Row {
    line: u64,
    /// A number, or where a text begins and ends: see `texts`.
    ids: [u64; 2],
    /// Where its key lies in the texts; none if it ends before it begins.
    key: (u32, u32),
    /// One after its last feature.
    features: u32,
    owner: Owner,
    /// Of a merge: the types of both nodes.
    types: [NodeTypeId; 2],
    action: Action,
    /// Which of the ids are texts.
    texts: [bool; 2],
    /// Whether it ends values of features.
    ends: bool,
}

/// A chunk of records.
#[derive(Clone, Debug)]
pub struct Rows {
    /// About how many nodes and edges the whole version has; zeros if its reader cannot tell.
    pub expected: (usize, usize),
    /// What records that could not be read leave unknown.
    pub unreadable: Vec<Unreadable>,
    /// When all that is in it happens, if its records have no times of their own.
    pub time: Time,
    file: Name,
    rows: Vec<Row>,
    /// When each record begins and ends; empty if they have no times of their own.
    lives: Vec<Interval>,
    texts: String,
    /// Each feature with the end of its bytes; a feature without bytes ends its value.
    features: Vec<(FeatureId, u32)>,
    values: Vec<u8>,
    /// Whether a feature of the record that comes next ends a value.
    ends: bool,
    /// Whether it has nodes, edges, merges.
    has: [bool; 3],
}

impl Default for Rows {
    fn default() -> Rows {
        Rows {
            expected: (0, 0),
            unreadable: Vec::new(),
            time: Time::MIN,
            file: Name::default(),
            rows: Vec::new(),
            lives: Vec::new(),
            texts: String::new(),
            features: Vec::new(),
            values: Vec::new(),
            ends: false,
            has: [false; 3],
        }
    }
}

/// A record of a chunk.
#[derive(Clone, Copy)]
pub struct RowRef<'a> {
    rows: &'a Rows,
    at: usize,
}

impl Rows {
    /// Forgets the records, keeps the memory, and begins a chunk of a file.
    pub fn begin(&mut self, file: &Name) {
        self.file.clone_from(file);
        self.rows.clear();
        self.lives.clear();
        self.texts.clear();
        self.features.clear();
        self.values.clear();
        self.unreadable.clear();
        self.has = [false; 3];
    }

    /// How many records it has.
    #[inline]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether all of its records are about edges.
    pub fn are_edges(&self) -> bool {
        self.has == [false, true, false]
    }

    /// Whether all of its records are about nodes.
    pub fn are_nodes(&self) -> bool {
        self.has == [true, false, false]
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
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RowRef<'_>> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Adds a feature of the record that comes next. Features of a record come sorted by number, each once, with values of
    /// the feature's kind in canonical form.
    #[inline]
    pub fn feature(&mut self, feature: FeatureId, value: ValueRef<'_>) {
        value.encode(&mut self.values);
        self.features.push((feature, self.values.len() as u32));
    }

    /// The same for a value that is encoded already; no bytes end the value.
    #[inline]
    pub fn encoded_feature(&mut self, feature: FeatureId, value: &[u8]) {
        self.ends |= value.is_empty();
        self.values.extend_from_slice(value);
        self.features.push((feature, self.values.len() as u32));
    }

    /// Adds a record with the features given before: what happens when an interval begins. What is created ends with the
    /// interval. Either all records of a chunk have times of their own or none has.
    #[inline]
    pub fn push(&mut self, action: Action, element: ElementRef<'_>, life: Option<Interval>, line: u64) {
        let no_id = IdRef::Int(0);
        let (owner, ids, types, key) = match element {
            ElementRef::Node(id, node) => (Owner::Node(id), [node, no_id], [NodeTypeId(0); 2], None),
            ElementRef::Edge(id, ends, key) => (Owner::Edge(id), ends, [NodeTypeId(0); 2], key),
            ElementRef::Merge([from, into]) => (Owner::Merge, [from.1, into.1], [from.0, into.0], None),
        };
        let texts = ids.map(|id| matches!(id, IdRef::Text(_)));
        let ids = ids.map(|id| match id {
            IdRef::Int(number) => number,
            IdRef::Text(text) => {
                let (start, end) = self.text(text);
                u64::from(start) | u64::from(end) << 32
            }
        });
        let key = key.map_or((1, 0), |key| self.text(key));
        let (features, ends) = (self.features.len() as u32, std::mem::take(&mut self.ends));
        self.has[owner.kind() as usize] = true;
        self.lives.extend(life);
        self.rows.push(Row { line, ids, key, features, owner, types, action, texts, ends });
    }

    /// Adds a copy of a record of another chunk.
    pub fn push_copy(&mut self, row: RowRef<'_>, life: Option<Interval>) {
        row.features().for_each(|(feature, bytes)| self.encoded_feature(feature, bytes));
        self.push(row.action(), row.element(), life, row.row().line);
    }

    /// An empty chunk for copies of records like this one.
    pub fn like(row: RowRef<'_>) -> Rows {
        Rows { file: row.rows.file.clone(), time: row.rows.time, ..Rows::default() }
    }

    /// Whether a copy of a record may be added to those that are there: it is of the same file, and there is room.
    pub fn takes(&self, row: RowRef<'_>) -> bool {
        self.file == row.rows.file && !self.is_full()
    }

    #[inline]
    fn text(&mut self, text: &str) -> (u32, u32) {
        let start = self.texts.len() as u32;
        self.texts.push_str(text);
        (start, self.texts.len() as u32)
    }

    /// Whether it is time for the next chunk.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.rows.len() >= CHUNK || self.n_bytes() >= CHUNK_BYTES
    }

    /// Bytes of all values and texts.
    pub fn n_bytes(&self) -> usize {
        self.values.len() + self.texts.len()
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

    /// What happens.
    #[inline]
    pub fn action(self) -> Action {
        self.row().action
    }

    /// From when to when: an update and a delete have no end.
    #[inline]
    pub fn life(self) -> Interval {
        self.rows.lives.get(self.at).copied().unwrap_or(Interval::open(self.rows.time))
    }

    /// The owner of its features.
    #[inline]
    pub fn owner(self) -> Owner {
        self.row().owner
    }

    /// Number of the node type; 0 of what is no node.
    #[inline]
    pub fn node_type(self) -> NodeTypeId {
        if let Owner::Node(id) = self.owner() { id } else { NodeTypeId(0) }
    }

    /// Number of the edge type; 0 of what is no edge.
    #[inline]
    pub fn edge_type(self) -> EdgeTypeId {
        if let Owner::Edge(id) = self.owner() { id } else { EdgeTypeId(0) }
    }

    /// The node's id, or that of the first node of an edge or a merge.
    #[inline]
    pub fn id(self) -> IdRef<'a> {
        self.end(0)
    }

    /// The id of the second node of an edge or a merge.
    #[inline]
    pub fn destination(self) -> IdRef<'a> {
        self.end(1)
    }

    #[inline]
    fn end(self, at: usize) -> IdRef<'a> {
        let (row, id) = (self.row(), self.row().ids[at]);
        match row.texts[at] {
            false => IdRef::Int(id),
            true => IdRef::Text(&self.rows.texts[id as u32 as usize..(id >> 32) as usize]),
        }
    }

    /// The edge's key.
    #[inline]
    pub fn key(self) -> Option<&'a str> {
        let (start, end) = self.row().key;
        (start <= end).then(|| &self.rows.texts[start as usize..end as usize])
    }

    /// What it is about.
    pub fn element(self) -> ElementRef<'a> {
        let [from, into] = self.row().types;
        match self.owner() {
            Owner::Node(id) => ElementRef::Node(id, self.id()),
            Owner::Edge(id) => ElementRef::Edge(id, [self.id(), self.destination()], self.key()),
            Owner::Merge => ElementRef::Merge([(from, self.id()), (into, self.destination())]),
        }
    }

    /// Where it stands.
    pub fn place(self) -> Place {
        Place::new(&self.rows.file, self.row().line)
    }

    /// Whether it ends the value of a feature.
    pub fn ends_values(self) -> bool {
        self.row().ends
    }

    /// Its features with the bytes of their values, sorted by number; values that mean the same have the same bytes, and no
    /// bytes end a value.
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

    /// What changes within the life that it begins: the updates that follow it.
    #[inline]
    pub fn changes(self) -> impl Iterator<Item = RowRef<'a>> {
        let later = &self.rows.rows[self.at + 1..];
        let updates = later.iter().take_while(|row| row.action == Action::Update);
        updates.enumerate().map(move |(at, _)| self.rows.get(self.at + 1 + at))
    }

    /// The edge's key, owned.
    pub fn edge_key(self, schema: &Schema) -> EdgeKey {
        let edge_type = &schema.edge_types()[self.edge_type().at()];
        EdgeKey {
            source: node_key(schema, edge_type.source, self.id()),
            relation: edge_type.relation.clone(),
            destination: node_key(schema, edge_type.destination, self.destination()),
            key: self.key().map(Name::from),
        }
    }

    /// The element, owned.
    pub fn to_element(self, schema: &Schema) -> Element {
        match self.element() {
            ElementRef::Node(id, node) => Element::Node(node_key(schema, id, node)),
            ElementRef::Edge(..) => Element::Edge(self.edge_key(schema)),
            ElementRef::Merge([from, into]) => {
                Element::Merge { from: node_key(schema, from.0, from.1), into: node_key(schema, into.0, into.1) }
            }
        }
    }
}

fn node_key(schema: &Schema, node_type: NodeTypeId, id: IdRef<'_>) -> NodeKey {
    NodeKey { node_type: schema.node_type_name(node_type), id: id.to_id() }
}
