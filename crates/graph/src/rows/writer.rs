//! The sink that makes chunks of what a version lists.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Rows;
use crate::{
    Action, EdgeKey, ElementRef, FeatureId, Features, Format, IdRef, ListOrder, ListedDeletion, ListedMerge, Name,
    NodeKey, NodeTypeId, Owner, Place, Reason, Record, Reject, Rejects, Schema, Scope, Sink, Time, Unreadable, Value,
    ValueRef,
};

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
    /// Records that could not be read or taken in.
    pub rejects: Rejects,
    /// Sections without a record.
    pub empty: Vec<(Scope, Place)>,
    /// What was taken in although it looks odd.
    pub warnings: Vec<(Place, String)>,
}

/// Which features of a version count, by owner; owners that are not there keep all of theirs.
pub type Projection = FxHashMap<Owner, FxHashSet<FeatureId>>;

/// Tells, once the format is known, which features of a version count.
type Project = Box<dyn Fn(&Schema, &Format) -> Projection + Send>;

/// The sink that makes chunks of a whole version and hands each on as soon as it is full. What takes one gives the next one
/// to fill, of those that are no longer needed if there is one: memory that is used again need not be cleared by the system
/// first. It gives none once it takes no more, and the sink is closed.
pub struct RowWriter<F> {
    emit: F,
    is_closed: bool,
    /// Whether it was told how many records to expect.
    announced: bool,
    rows: Rows,
    rest: Rest,
    project: Project,
    projection: Projection,
    /// Whether each feature of the last owner counts; features may be added meanwhile.
    counted: Option<(Owner, Vec<bool>)>,
    scratch: Vec<u8>,
    order: Vec<(FeatureId, u32, u32)>,
}

impl<F: FnMut(&Schema, Rows) -> Option<Rows>> RowWriter<F> {
    /// A writer over the types of a graph, of a version that takes effect at a time. `project` tells, once the format is
    /// known, which of its features count.
    pub fn new(
        schema: Schema,
        time: Time,
        project: impl Fn(&Schema, &Format) -> Projection + Send + 'static,
        emit: F,
    ) -> RowWriter<F> {
        RowWriter {
            emit,
            is_closed: false,
            announced: false,
            rows: Rows { time, ..Rows::default() },
            rest: Rest { schema, ..Rest::default() },
            project: Box::new(project),
            projection: Projection::default(),
            counted: None,
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
        if self.rows.is_empty() && self.rows.unreadable.is_empty() {
            return;
        }
        let full = std::mem::take(&mut self.rows);
        let (expected, time, file) = (full.expected, full.time, full.file.clone());
        let room = (full.rows.len(), full.texts.len(), full.features.len(), full.values.len());
        let mut next = self.emit(full);
        next.begin(&file);
        next.rows.reserve(room.0);
        next.texts.reserve(room.1);
        next.features.reserve(room.2);
        next.values.reserve(room.3);
        self.rows = Rows { expected, time, ..next };
    }

    fn emit(&mut self, rows: Rows) -> Rows {
        let next = (self.emit)(&self.rest.schema, rows);
        self.is_closed |= next.is_none();
        next.unwrap_or_default()
    }

    fn place(&self, line: u64) -> Place {
        Place::new(&self.rows.file, line)
    }

    /// Appends the features in canonical form, or says why one of them cannot be.
    fn features(&mut self, owner: Owner, features: &[(FeatureId, ValueRef<'_>)]) -> Result<(), Reason> {
        if features.is_empty() {
            return Ok(());
        }
        let defs = self.rest.schema.features(owner);
        let counted = match &mut self.counted {
            Some((known, counted)) if *known == owner => counted,
            other => &mut other.insert((owner, Vec::new())).1,
        };
        if counted.len() < defs.len() {
            let kept = self.projection.get(&owner);
            let new = (counted.len()..defs.len()).map(|at| FeatureId(at as u16));
            counted.extend(new.map(|feature| kept.is_none_or(|kept| kept.contains(&feature))));
        }
        let rows = &mut self.rows;
        let (values, first) = (rows.values.len(), rows.features.len());
        let mut sorted = true;
        for (feature, value) in features {
            let (Some(def), Some(true)) = (defs.get(feature.at()), counted.get(feature.at())) else { continue };
            let (kind, order) = (def.kind, def.order);
            if value.is_null() {
                continue;
            }
            if value.kind() == kind {
                value.encode_in(order, &mut rows.values);
            } else if let Some(wide) = value.to_value().widened(kind) {
                wide.encode(&mut rows.values);
            } else {
                rows.values.truncate(values);
                rows.features.truncate(first);
                return Err(self.wrong_kind(owner, *feature, value));
            }
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

    /// Adds what exists in this version, or leaves it unknown if its features cannot be read.
    fn listed(&mut self, element: ElementRef<'_>, features: &[(FeatureId, ValueRef<'_>)], line: u64) {
        if let Some(reason) = element.too_long() {
            return self.reject(line, reason);
        }
        if let ElementRef::Merge([from, into]) = element {
            let (features, place) = (self.named(features), self.place(line));
            let (from, into) = (self.key(from.0, from.1), self.key(into.0, into.1));
            return self.rest.merges.push(ListedMerge { from, into, features, place });
        }
        let owner = element.owner();
        // Chunks are of one kind.
        if !self.rows.has[owner.kind() as usize] {
            self.flush();
        }
        if let Err(reason) = self.features(owner, features) {
            return self.unknown(self.unread(element).into_iter().collect(), line, reason);
        }
        self.rows.push(Action::Create, element, None, line);
        if self.rows.is_full() {
            self.flush();
        }
    }

    /// The key of an element whose record is left out.
    fn unread(&self, element: ElementRef<'_>) -> Option<Unreadable> {
        let schema = &self.rest.schema;
        match element {
            ElementRef::Node(node_type, id) => Some(Unreadable::Node(self.key(node_type, id))),
            ElementRef::Edge(edge_type, [source, destination], key) => {
                let known = schema.edge_types().get(edge_type.at())?;
                Some(Unreadable::Edge(EdgeKey {
                    source: self.key(known.source, source),
                    relation: known.relation.clone(),
                    destination: self.key(known.destination, destination),
                    key: key.map(Name::from),
                }))
            }
            ElementRef::Merge(_) => None,
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

    fn key(&self, node_type: NodeTypeId, id: IdRef<'_>) -> NodeKey {
        NodeKey { node_type: self.rest.schema.node_type_name(node_type), id: id.to_id() }
    }

    fn begin(&mut self, format: Format) {
        self.counted = None;
        self.projection = (self.project)(&self.rest.schema, &format);
        self.rest.format = format;
    }

    fn announce(&mut self, nodes: usize, edges: usize) {
        self.rows.expected = (nodes, edges);
        if !self.announced {
            // A chunk without records, so that room is made while they are still being read.
            self.announced = true;
            let rows = Rows { expected: (nodes, edges), time: self.rows.time, ..Rows::default() };
            self.emit(rows);
        }
    }

    fn unknown(&mut self, unknown: Vec<Unreadable>, line: u64, reason: Reason) {
        self.rows.unreadable.extend(unknown);
        self.reject(line, reason);
        if self.rows.unreadable.len() >= super::CHUNK {
            self.flush();
        }
    }
}

impl<F: FnMut(&Schema, Rows) -> Option<Rows>> Sink for RowWriter<F> {
    fn schema(&mut self) -> &mut Schema {
        &mut self.rest.schema
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        match record {
            Record::File(name) if name == self.rows.file => {}
            Record::File(name) => {
                self.flush();
                self.rows.file = name;
            }
            Record::Listed(element, features) => self.listed(element, features, line),
            Record::Deleted(node_type, id) => {
                let (node, place) = (self.key(node_type, id), self.place(line));
                self.rest.deleted.push(ListedDeletion { node, place });
            }
            Record::Unreadable(unknown, reason) => self.unknown(unknown, line, reason),
            Record::Empty(section) => self.rest.empty.push((section, self.place(line))),
            Record::Format(format) => self.begin(format),
            Record::Expected(nodes, edges) => self.announce(nodes, edges),
            Record::NodeSpan(..) | Record::EdgeSpan(..) | Record::Event(_) => {
                self.reject(line, record.unfit("a whole version"));
            }
            Record::Reject(reason) => self.rest.rejects.push(Reject { place: self.place(line), reason }),
            Record::Warning(message) => self.rest.warnings.push((self.place(line), message)),
        }
    }

    fn is_closed(&self) -> bool {
        self.is_closed
    }
}

impl ValueRef<'_> {
    /// Whether it is the JSON null, which means no value.
    #[inline]
    fn is_null(&self) -> bool {
        match self {
            ValueRef::Json(json) => json.is_null(),
            ValueRef::Any(Value::Json(json)) => json.is_null(),
            _ => false,
        }
    }

    /// Appends its bytes, lists in the one form that their order semantics allows.
    #[inline]
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
