//! The sink that makes chunks of what a version lists.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Rows;
use crate::{
    Action, EdgeKey, EdgeTypeId, ElementRef, ExternalId, FeatureId, Features, Format, IdRef, ListOrder, ListedDeletion,
    ListedMerge, Name, NodeKey, NodeTypeId, Owner, Place, Reason, Reject, Rejects, Schema, Scope, Time, Unreadable,
    Value, ValueRef, VersionSink,
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

/// The sink that makes chunks and hands each on as soon as it is full. Whoever takes one gives back one that is no longer
/// needed, if there is any: memory that is used again need not be cleared by the system first.
pub struct RowWriter<F> {
    emit: F,
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
        let mut next = (self.emit)(&self.rest.schema, full).unwrap_or_default();
        next.begin(&file);
        next.rows.reserve(room.0);
        next.texts.reserve(room.1);
        next.features.reserve(room.2);
        next.values.reserve(room.3);
        self.rows = Rows { expected, time, ..next };
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
    fn add(&mut self, owner: Owner, element: ElementRef<'_>, features: &[(FeatureId, ValueRef<'_>)], line: u64) {
        // Chunks are of one kind.
        if !self.rows.has[owner.kind() as usize] {
            self.flush();
        }
        if let Err(reason) = self.features(owner, features) {
            return self.unreadable(self.unread(element).into_iter().collect(), line, reason);
        }
        self.rows.push(Action::Create, element, None, line);
        if self.rows.is_full() {
            self.flush();
        }
    }

    /// The key of an element whose record is left out.
    fn unread(&self, element: ElementRef<'_>) -> Option<Unreadable> {
        let schema = &self.rest.schema;
        let node = |node_type, id: IdRef<'_>| NodeKey { node_type: schema.node_type_name(node_type), id: id.to_id() };
        match element {
            ElementRef::Node(node_type, id) => Some(Unreadable::Node(node(node_type, id))),
            ElementRef::Edge(edge_type, [source, destination], key) => {
                let known = schema.edge_types().get(edge_type.at())?;
                Some(Unreadable::Edge(EdgeKey {
                    source: node(known.source, source),
                    relation: known.relation.clone(),
                    destination: node(known.destination, destination),
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

    fn key(&self, (node_type, id): (NodeTypeId, &str)) -> NodeKey {
        NodeKey { node_type: self.rest.schema.node_type_name(node_type), id: ExternalId::from(id) }
    }
}

impl<F: FnMut(&Schema, Rows) -> Option<Rows>> VersionSink for RowWriter<F> {
    fn schema(&mut self) -> &mut Schema {
        &mut self.rest.schema
    }

    fn format(&mut self, format: Format) {
        self.counted = None;
        self.projection = (self.project)(&self.rest.schema, &format);
        self.rest.format = format;
    }

    fn expect(&mut self, nodes: usize, edges: usize) {
        self.rows.expected = (nodes, edges);
        if !self.announced {
            // A chunk without records, so that room is made while they are still being read.
            self.announced = true;
            let rows = Rows { expected: (nodes, edges), time: self.rows.time, ..Rows::default() };
            (self.emit)(&self.rest.schema, rows);
        }
    }

    fn file(&mut self, name: &Name) {
        if self.rows.file != *name {
            self.flush();
            self.rows.file = name.clone();
        }
    }

    fn node(&mut self, node_type: NodeTypeId, id: &str, features: &[(FeatureId, ValueRef<'_>)], line: u64) {
        if let Some(reason) = Reason::of_long_name([id]) {
            return self.reject(line, reason);
        }
        self.add(Owner::Node(node_type), ElementRef::Node(node_type, IdRef::of(id)), features, line);
    }

    fn edge(
        &mut self,
        edge_type: EdgeTypeId,
        (source, destination): (&str, &str),
        key: Option<&str>,
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    ) {
        if let Some(reason) = Reason::of_long_name([source, destination, key.unwrap_or_default()]) {
            return self.reject(line, reason);
        }
        let ends = [source, destination].map(IdRef::of);
        self.add(Owner::Edge(edge_type), ElementRef::Edge(edge_type, ends, key), features, line);
    }

    fn numbered_node(&mut self, node_type: NodeTypeId, id: u64, features: &[(FeatureId, ValueRef<'_>)], line: u64) {
        self.add(Owner::Node(node_type), ElementRef::Node(node_type, IdRef::Int(id)), features, line);
    }

    fn numbered_edge(
        &mut self,
        edge_type: EdgeTypeId,
        (source, destination): (u64, u64),
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    ) {
        let ends = [source, destination].map(IdRef::Int);
        self.add(Owner::Edge(edge_type), ElementRef::Edge(edge_type, ends, None), features, line);
    }

    fn merge(
        &mut self,
        from: (NodeTypeId, &str),
        into: (NodeTypeId, &str),
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    ) {
        if let Some(reason) = Reason::of_long_name([from.1, into.1]) {
            return self.reject(line, reason);
        }
        let features = self.named(features);
        let (from, into, place) = (self.key(from), self.key(into), self.place(line));
        self.rest.merges.push(ListedMerge { from, into, features, place });
    }

    fn deleted(&mut self, node_type: NodeTypeId, id: &str, line: u64) {
        let (node, place) = (self.key((node_type, id)), self.place(line));
        self.rest.deleted.push(ListedDeletion { node, place });
    }

    fn unreadable(&mut self, told: Vec<Unreadable>, line: u64, reason: Reason) {
        self.rows.unreadable.extend(told);
        self.reject(line, reason);
        if self.rows.unreadable.len() >= super::CHUNK {
            self.flush();
        }
    }

    fn empty(&mut self, section: Scope) {
        let place = self.place(0);
        self.rest.empty.push((section, place));
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
