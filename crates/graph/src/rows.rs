//! A version on its way from its reader to a load: records in chunks of flat arrays, values as bytes.
//!
//! Listed records with names and owned values cost several allocations and shared counters a record; a release of
//! millions of nodes cannot pay that. A chunk costs a handful of allocations for thousands of records.

use rustc_hash::FxHashMap;

use crate::id::canonical_decimal;
use crate::{
    Action, EdgeKey, EdgeTypeId, Element, Event, ExternalId, FeatureId, FeatureKind, Features, Format, ListOrder,
    ListedDeletion, ListedMerge, Name, NodeKey, NodeTypeId, Owner, Place, Reason, Reject, Schema, Time, Value,
    ValueRef, VersionSink,
};

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
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The record at a position below [`Rows::len`].
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

    fn id(&self, id: PackedId) -> IdRef<'_> {
        match id {
            PackedId::Int(number) => IdRef::Int(number),
            PackedId::Text(start, end) => IdRef::Text(&self.texts[start as usize..end as usize]),
        }
    }

    fn pack(&mut self, id: &str) -> PackedId {
        match canonical_decimal(id) {
            Some(number) => PackedId::Int(number),
            None => {
                let (start, end) = self.text(id);
                PackedId::Text(start, end)
            }
        }
    }

    fn text(&mut self, text: &str) -> (u32, u32) {
        let start = self.texts.len() as u32;
        self.texts.push_str(text);
        (start, self.texts.len() as u32)
    }

    /// Ends a record after its features.
    fn push(&mut self, row: Row) {
        self.rows.push(Row { features: self.features.len() as u32, ..row });
    }

    /// Forgets the records and keeps the memory.
    fn clear(&mut self) {
        self.rows.clear();
        self.texts.clear();
        self.features.clear();
        self.values.clear();
    }

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
    fn row(self) -> &'a Row {
        &self.rows.rows[self.at]
    }

    /// Position in the chunk.
    pub fn at(self) -> usize {
        self.at
    }

    /// Number of the node type.
    pub fn node_type(self) -> NodeTypeId {
        NodeTypeId(self.row().owner)
    }

    /// Number of the edge type.
    pub fn edge_type(self) -> EdgeTypeId {
        EdgeTypeId(self.row().owner)
    }

    /// The node's id, or the id of the edge's source.
    pub fn id(self) -> IdRef<'a> {
        self.rows.id(self.row().source)
    }

    /// The id of the edge's destination.
    pub fn destination(self) -> IdRef<'a> {
        self.rows.id(self.row().destination)
    }

    /// The edge's key.
    pub fn key(self) -> Option<&'a str> {
        let (start, end) = self.row().key;
        (start <= end).then(|| &self.rows.texts[start as usize..end as usize])
    }

    /// Where it stands.
    pub fn place(self) -> Place {
        Place::new(&self.rows.file, self.row().line)
    }

    /// Its features with the bytes of their values, sorted by number; values that mean the same have the same bytes.
    pub fn features(self) -> impl ExactSizeIterator<Item = (FeatureId, &'a [u8])> {
        let from = self.at.checked_sub(1).map_or(0, |before| self.rows.rows[before].features as usize);
        let features = &self.rows.features;
        (from..self.row().features as usize).map(move |at| {
            let start = at.checked_sub(1).map_or(0, |before| features[before].1 as usize);
            let (feature, end) = features[at];
            (feature, &self.rows.values[start..end as usize])
        })
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
    pub fn owner(self) -> Owner {
        if self.rows.edges { Owner::Edge(self.edge_type()) } else { Owner::Node(self.node_type()) }
    }
}

/// What a version lists beside nodes and edges.
#[derive(Clone, Debug, Default)]
pub struct Rest {
    /// The types, those of the graph first.
    pub schema: Schema,
    /// What read the version.
    pub format: Format,
    /// Merges.
    pub merges: Vec<ListedMerge>,
    /// Nodes that the release calls deleted.
    pub deleted: Vec<ListedDeletion>,
    /// Records that could not be read.
    pub rejects: Vec<Reject>,
    /// What was taken in although it looks odd.
    pub warnings: Vec<(Place, String)>,
}

/// Which features of a version count, by owner; owners that are not there keep all of theirs.
pub type Projection = FxHashMap<Owner, Vec<FeatureId>>;

/// Tells, once the format is known, which features of a version count.
type Project = Box<dyn Fn(&Schema, &Format) -> Projection + Send>;

/// The sink that makes chunks and hands each on as soon as it is full. Whoever takes one gives back one that is no longer
/// needed, if there is any: memory that is used again need not be cleared by the system first.
pub struct RowWriter<F> {
    emit: F,
    rows: Rows,
    rest: Rest,
    project: Project,
    projection: Projection,
    /// What the features of the last owner have to be.
    wanted: Option<(Owner, Wanted)>,
    scratch: Vec<u8>,
    order: Vec<(FeatureId, u32, u32)>,
}

/// Kind and list order of each feature of an owner; none for those that do not count.
type Wanted = Vec<Option<(FeatureKind, ListOrder)>>;

impl<F: FnMut(&Schema, Rows) -> Option<Rows>> RowWriter<F> {
    /// A writer over the types of a graph. `project` tells, once the format is known, which of its features count.
    pub fn new(
        schema: Schema,
        project: impl Fn(&Schema, &Format) -> Projection + Send + 'static,
        emit: F,
    ) -> RowWriter<F> {
        RowWriter {
            emit,
            rows: Rows::default(),
            rest: Rest { schema, ..Rest::default() },
            project: Box::new(project),
            projection: Projection::default(),
            wanted: None,
            scratch: Vec::new(),
            order: Vec::new(),
        }
    }

    /// Hands on the last chunk and gives what is left.
    pub fn finish(mut self) -> Rest {
        self.flush();
        self.rest
    }

    fn flush(&mut self) {
        if self.rows.is_empty() {
            return;
        }
        let full = std::mem::take(&mut self.rows);
        let (edges, expected, file) = (full.edges, full.expected, full.file.clone());
        let room = (full.rows.len(), full.texts.len(), full.features.len(), full.values.len());
        let mut next = (self.emit)(&self.rest.schema, full).unwrap_or_default();
        next.clear();
        next.rows.reserve(room.0);
        next.texts.reserve(room.1);
        next.features.reserve(room.2);
        next.values.reserve(room.3);
        self.rows = Rows { edges, expected, file, ..next };
    }

    fn place(&self, line: u64) -> Place {
        Place::new(&self.rows.file, line)
    }

    /// Appends the features in canonical form, or says why one of them cannot be.
    fn features(&mut self, owner: Owner, features: &[(FeatureId, ValueRef<'_>)]) -> Result<(), Reason> {
        if features.is_empty() {
            return Ok(());
        }
        let wanted = match &mut self.wanted {
            Some((known, wanted)) if *known == owner => wanted,
            other => &other.insert((owner, wanted(&self.rest.schema, &self.projection, owner))).1,
        };
        let rows = &mut self.rows;
        let (values, first) = (rows.values.len(), rows.features.len());
        let mut sorted = true;
        for (feature, value) in features {
            let Some(&Some((kind, order))) = wanted.get(feature.at()) else { continue };
            if value.is_null() {
                continue;
            }
            if value.kind() != kind {
                rows.values.truncate(values);
                rows.features.truncate(first);
                return Err(self.wrong_kind(owner, *feature, value));
            }
            value.encode_in(order, &mut rows.values);
            sorted &= rows.features[first..].last().is_none_or(|(last, _)| last < feature);
            rows.features.push((*feature, rows.values.len() as u32));
        }
        if !sorted {
            self.sort_features(values, first);
        }
        Ok(())
    }

    fn wrong_kind(&self, owner: Owner, feature: FeatureId, value: &ValueRef<'_>) -> Reason {
        let feature = self.rest.schema.features(owner).get(feature.at()).map(|def| (def.name.clone(), def.kind));
        let (feature, expected) = feature.map(|(name, kind)| (name, kind.to_string())).unwrap_or_default();
        let (owner, got) = (self.rest.schema.owner_name(owner), value.kind().to_string());
        Reason::WrongKind { feature, owner, expected, got }
    }

    /// Brings the last features in order; of several values of one feature the last counts.
    fn sort_features(&mut self, start: usize, first: usize) {
        self.order.clear();
        let mut from = start as u32;
        for (feature, end) in self.rows.features.drain(first..) {
            self.order.push((feature, from, end));
            from = end;
        }
        self.order.reverse();
        self.order.sort_by_key(|(feature, ..)| *feature);
        self.order.dedup_by_key(|(feature, ..)| *feature);
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.rows.values[start..]);
        self.rows.values.truncate(start);
        for &(feature, from, to) in &self.order {
            self.rows.values.extend_from_slice(&self.scratch[from as usize - start..to as usize - start]);
            self.rows.features.push((feature, self.rows.values.len() as u32));
        }
    }

    fn push(&mut self, row: Row) {
        self.rows.push(row);
        if self.rows.is_full() {
            self.flush();
        }
    }

    fn named(&self, features: &[(FeatureId, ValueRef<'_>)]) -> Features {
        let defs = self.rest.schema.features(Owner::Merge);
        let named = features.iter().filter(|(_, value)| !value.is_null()).filter_map(|(id, value)| {
            let def = defs.get(id.at())?;
            Some((def.name.clone(), Some(def.order.canonical(value.to_value()))))
        });
        let mut named: Features = named.collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        named
    }

    fn key(&self, (node_type, id): (NodeTypeId, &str)) -> NodeKey {
        NodeKey { node_type: self.rest.schema.node_type_name(node_type), id: ExternalId::from(id) }
    }

    /// Chunks are of one kind.
    fn turn_to(&mut self, edges: bool) {
        if self.rows.edges != edges {
            self.flush();
            self.rows.edges = edges;
        }
    }
}

fn wanted(schema: &Schema, projection: &Projection, owner: Owner) -> Wanted {
    let counts = |feature| projection.get(&owner).is_none_or(|kept| kept.contains(&feature));
    let defs = (0..).map(FeatureId).zip(schema.features(owner));
    defs.map(|(feature, def)| counts(feature).then_some((def.kind, def.order))).collect()
}

impl<F: FnMut(&Schema, Rows) -> Option<Rows>> VersionSink for RowWriter<F> {
    fn schema(&mut self) -> &mut Schema {
        self.wanted = None;
        &mut self.rest.schema
    }

    fn format(&mut self, format: Format) {
        self.wanted = None;
        self.projection = (self.project)(&self.rest.schema, &format);
        self.rest.format = format;
    }

    fn expect(&mut self, nodes: usize, edges: usize) {
        self.rows.expected = (nodes, edges);
    }

    fn file(&mut self, name: &Name) {
        if self.rows.file != *name {
            self.flush();
            self.rows.file = name.clone();
        }
    }

    fn node(&mut self, node_type: NodeTypeId, id: &str, features: &[(FeatureId, ValueRef<'_>)], line: u64) {
        self.turn_to(false);
        match self.features(Owner::Node(node_type), features) {
            Err(reason) => self.reject(line, reason),
            Ok(()) => {
                let source = self.rows.pack(id);
                let destination = PackedId::Int(0);
                self.push(Row { owner: node_type.0, line, source, destination, key: (1, 0), features: 0 });
            }
        }
    }

    fn edge(
        &mut self,
        edge_type: EdgeTypeId,
        (source, destination): (&str, &str),
        key: Option<&str>,
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    ) {
        self.turn_to(true);
        match self.features(Owner::Edge(edge_type), features) {
            Err(reason) => self.reject(line, reason),
            Ok(()) => {
                let (source, destination) = (self.rows.pack(source), self.rows.pack(destination));
                let key = key.map_or((1, 0), |key| self.rows.text(key));
                self.push(Row { owner: edge_type.0, line, source, destination, key, features: 0 });
            }
        }
    }

    fn merge(
        &mut self,
        from: (NodeTypeId, &str),
        into: (NodeTypeId, &str),
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    ) {
        let features = self.named(features);
        let (from, into, place) = (self.key(from), self.key(into), self.place(line));
        self.rest.merges.push(ListedMerge { from, into, features, place });
    }

    fn deleted(&mut self, node_type: NodeTypeId, id: &str, line: u64) {
        let (node, place) = (self.key((node_type, id)), self.place(line));
        self.rest.deleted.push(ListedDeletion { node, place });
    }

    fn reject(&mut self, line: u64, reason: Reason) {
        self.rest.rejects.push(Reject { place: self.place(line), reason });
    }

    fn warn(&mut self, line: u64, message: String) {
        self.rest.warnings.push((self.place(line), message));
    }
}

impl ValueRef<'_> {
    /// Whether it is the JSON null, which means no value.
    fn is_null(&self) -> bool {
        match self {
            ValueRef::Json(json) => json.is_null(),
            ValueRef::Any(Value::Json(json)) => json.is_null(),
            _ => false,
        }
    }

    /// Appends its bytes, lists in the one form that their order semantics allows.
    fn encode_in(&self, order: ListOrder, out: &mut Vec<u8>) {
        let list = match self {
            ValueRef::Json(serde_json::Value::Array(list)) => list,
            ValueRef::Any(Value::Json(serde_json::Value::Array(list))) => list,
            _ => return self.encode(out),
        };
        if order == ListOrder::List || list.len() < 2 {
            return self.encode(out);
        }
        order.canonical(self.to_value()).encode(out);
    }
}
