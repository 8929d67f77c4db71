//! The plain sink of a version: it keeps every record as a value of its own.

use timeweft_graph::{
    EdgeKey, EdgeTypeId, ElementRef, FeatureDef, FeatureId, FeatureKind, Format, IdRef, ListOrder, ListedDeletion,
    ListedMerge, Name, NodeKey, NodeTypeId, Owner, Place, Record, Reject, Schema, Scope, Sink, Unreadable, Value,
    ValueRef,
};

/// Everything that one release lists. Order means nothing.
#[derive(Clone, Debug, Default)]
pub struct Version {
    /// Types and features that the format declares, with the order semantics of their lists.
    pub schema: Schema,
    /// What read it.
    pub format: Format,
    /// Nodes that exist in this version.
    pub nodes: Vec<Listed<NodeKey>>,
    /// Edges that exist in this version.
    pub edges: Vec<Listed<EdgeKey>>,
    /// Merges that the release names (often cumulative, undated).
    pub merges: Vec<ListedMerge>,
    /// Nodes that the release calls deleted.
    pub deleted: Vec<ListedDeletion>,
    /// Records that could not be read or taken in.
    pub rejects: Vec<Reject>,
    /// What those that could not be read leave unknown, each with its position among the rejects.
    pub unreadable: Vec<(usize, Unreadable)>,
    /// Sections without a record.
    pub empty: Vec<(Scope, Place)>,
    /// What was taken in although it looks odd.
    pub warnings: Vec<(Place, String)>,
    file: Name,
}

/// An element that a version lists.
#[derive(Clone, Debug)]
pub struct Listed<K> {
    /// Which element.
    pub key: K,
    /// All its features; a feature that is absent here has no value in this version.
    pub features: Vec<(Name, Value)>,
    /// Where it stands in the source.
    pub place: Place,
}

impl Version {
    /// An empty version over the types that a graph knows.
    pub fn new(schema: Schema) -> Version {
        Version { schema, ..Version::default() }
    }

    /// Pushes everything into another sink, declaring the types and features first, nodes and edges in the order of
    /// their places.
    pub fn send(&self, sink: &mut dyn Sink) {
        self.declare(sink.schema());
        let format = self.format_in(sink.schema());
        sink.format(format);
        for (at, reject) in self.rejects.iter().enumerate() {
            sink.file(&reject.place.file);
            let unknown = self.unreadable.iter().filter(|(of, _)| *of == at).map(|(_, unknown)| unknown.clone());
            match unknown.collect::<Vec<_>>() {
                unknown if unknown.is_empty() => sink.reject(reject.place.line, reject.reason.clone()),
                unknown => sink.unreadable(unknown, reject.place.line, reject.reason.clone()),
            }
        }
        for (section, place) in &self.empty {
            sink.file(&place.file);
            sink.empty(section.clone());
        }
        for record in by_place(&self.nodes) {
            let owner = sink.schema().node_type(&record.key.node_type);
            let Some(node_type) = owner else { continue };
            let features = numbered(sink.schema(), Owner::Node(node_type), &record.features);
            sink.file(&record.place.file);
            sink.node(node_type, &record.key.id.to_string(), &features, record.place.line);
        }
        for record in by_place(&self.edges) {
            let Some(edge_type) = edge_type_of(sink.schema(), &record.key) else { continue };
            let features = numbered(sink.schema(), Owner::Edge(edge_type), &record.features);
            let (source, destination) = (record.key.source.id.to_string(), record.key.destination.id.to_string());
            sink.file(&record.place.file);
            sink.edge(edge_type, (&source, &destination), record.key.key.as_deref(), &features, record.place.line);
        }
        for row in &self.merges {
            let schema = sink.schema();
            let types = schema.node_type(&row.from.node_type).zip(schema.node_type(&row.into.node_type));
            let Some((from, into)) = types else { continue };
            let given = row.features.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
            let given: Vec<_> = given.collect();
            let features = numbered(schema, Owner::Merge, &given);
            sink.file(&row.place.file);
            sink.merge((from, &row.from.id.to_string()), (into, &row.into.id.to_string()), &features, row.place.line);
        }
        for row in &self.deleted {
            let Some(node_type) = sink.schema().node_type(&row.node.node_type) else { continue };
            sink.file(&row.place.file);
            sink.deleted(node_type, &row.node.id.to_string(), row.place.line);
        }
        for (place, message) in &self.warnings {
            sink.file(&place.file);
            sink.warn(place.line, message.clone());
        }
    }

    /// The format with the numbers of another schema, which has declared what the version declares.
    fn format_in(&self, schema: &Schema) -> Format {
        let owner_in = |owner: Owner| match owner {
            Owner::Node(id) => schema.node_type(&self.schema.node_type_name(id)).map(Owner::Node),
            Owner::Merge => Some(Owner::Merge),
            Owner::Edge(id) => {
                let edge = self.schema.edge_types().get(id.at())?;
                let end = |id| schema.node_type(&self.schema.node_type_name(id));
                schema.edge_type(end(edge.source)?, &edge.relation, end(edge.destination)?).map(Owner::Edge)
            }
        };
        let fields = self.format.fields.as_ref().map(|fields| {
            let owners = fields.iter().filter_map(|(owner, features)| {
                let (there, defs) = (owner_in(*owner)?, self.schema.features(*owner));
                let names = features.iter().filter_map(|id| Some(&defs.get(id.at())?.name));
                Some((there, names.filter_map(|name| Some(schema.feature(there, name)?.0)).collect()))
            });
            owners.collect()
        });
        Format { name: self.format.name.clone(), fields }
    }

    /// Declares in a schema what the version declares, and after it what it uses.
    fn declare(&self, schema: &mut Schema) {
        for node_type in self.schema.node_types() {
            declare(schema, |schema| schema.add_node_type(&node_type.name).map(Owner::Node), &node_type.features);
        }
        for edge_type in self.schema.edge_types() {
            let source = schema.add_node_type(&self.schema.node_type_name(edge_type.source));
            let destination = schema.add_node_type(&self.schema.node_type_name(edge_type.destination));
            let Some((source, destination)) = source.zip(destination) else { continue };
            let add = |schema: &mut Schema| schema.add_edge_type(source, &edge_type.relation, destination);
            declare(schema, |schema| add(schema).map(Owner::Edge), &edge_type.features);
        }
        declare(schema, |_| Some(Owner::Merge), self.schema.features(Owner::Merge));
        for record in &self.nodes {
            let defs = defs(&record.features);
            declare(schema, |schema| schema.add_node_type(&record.key.node_type).map(Owner::Node), &defs);
        }
        for record in &self.edges {
            let defs = defs(&record.features);
            declare(schema, |schema| add_edge_type(schema, &record.key).map(Owner::Edge), &defs);
        }
        for row in &self.merges {
            schema.add_node_type(&row.from.node_type);
            schema.add_node_type(&row.into.node_type);
            let given = row.features.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
            declare(schema, |_| Some(Owner::Merge), &defs(&given.collect::<Vec<_>>()));
        }
        for row in &self.deleted {
            schema.add_node_type(&row.node.node_type);
        }
    }

    fn place(&self, line: u64) -> Place {
        Place::new(&self.file, line)
    }

    fn key(&self, node_type: NodeTypeId, id: IdRef<'_>) -> NodeKey {
        NodeKey { node_type: self.schema.node_type_name(node_type), id: id.to_id() }
    }

    fn named(&self, owner: Owner, features: &[(FeatureId, ValueRef<'_>)]) -> Vec<(Name, Value)> {
        let defs = self.schema.features(owner);
        features.iter().filter_map(|(id, value)| Some((defs.get(id.at())?.name.clone(), value.to_value()))).collect()
    }
}

fn by_place<K>(records: &[Listed<K>]) -> Vec<&Listed<K>> {
    let mut records: Vec<_> = records.iter().collect();
    records.sort_by(|a, b| a.place.cmp(&b.place));
    records
}

fn declare(schema: &mut Schema, owner: impl FnOnce(&mut Schema) -> Option<Owner>, defs: &[FeatureDef]) {
    let Some(owner) = owner(schema) else { return };
    for def in defs {
        let Some(id) = schema.add_feature(owner, def.clone()) else { continue };
        let known = schema.features(owner)[id.at()].kind;
        if let Some(wider) = known.wider(def.kind).filter(|wider| *wider != known) {
            schema.set_kind(owner, id, wider);
        }
    }
}

/// What values say of their features; JSON null says nothing.
fn defs(features: &[(Name, Value)]) -> Vec<FeatureDef> {
    let some = features.iter().filter(|(_, value)| *value != Value::Json(serde_json::Value::Null));
    let def = |(name, value): &(Name, Value)| FeatureDef {
        name: name.clone(),
        kind: FeatureKind::of(value),
        order: ListOrder::default(),
    };
    some.map(def).collect()
}

fn add_edge_type(schema: &mut Schema, key: &EdgeKey) -> Option<EdgeTypeId> {
    let source = schema.add_node_type(&key.source.node_type)?;
    let destination = schema.add_node_type(&key.destination.node_type)?;
    schema.add_edge_type(source, &key.relation, destination)
}

fn edge_type_of(schema: &Schema, key: &EdgeKey) -> Option<EdgeTypeId> {
    let source = schema.node_type(&key.source.node_type)?;
    schema.edge_type(source, &key.relation, schema.node_type(&key.destination.node_type)?)
}

fn numbered<'a>(schema: &Schema, owner: Owner, features: &'a [(Name, Value)]) -> Vec<(FeatureId, ValueRef<'a>)> {
    let numbered = features.iter().filter_map(|(name, value)| {
        let (id, _) = schema.feature(owner, name)?;
        Some((id, ValueRef::Any(value)))
    });
    numbered.collect()
}

impl Version {
    fn listed(&mut self, element: ElementRef<'_>, features: &[(FeatureId, ValueRef<'_>)], line: u64) {
        if let Some(reason) = element.too_long() {
            return self.reject(line, reason);
        }
        let (features, place) = (self.named(element.owner(), features), self.place(line));
        match element {
            ElementRef::Node(node_type, id) => {
                self.nodes.push(Listed { key: self.key(node_type, id), features, place });
            }
            ElementRef::Edge(edge_type, [source, destination], key) => {
                let Some(ends) = self.schema.edge_types().get(edge_type.at()) else { return };
                let key = EdgeKey {
                    source: self.key(ends.source, source),
                    relation: ends.relation.clone(),
                    destination: self.key(ends.destination, destination),
                    key: key.map(Name::from),
                };
                self.edges.push(Listed { key, features, place });
            }
            ElementRef::Merge([from, into]) => {
                let features = features.into_iter().map(|(name, value)| (name, Some(value))).collect();
                let (from, into) = (self.key(from.0, from.1), self.key(into.0, into.1));
                self.merges.push(ListedMerge { from, into, features, place });
            }
        }
    }
}

impl Sink for Version {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        let place = self.place(line);
        match record {
            Record::File(name) => self.file = name,
            Record::Listed(element, features) => self.listed(element, features, line),
            Record::Deleted(node_type, id) => {
                self.deleted.push(ListedDeletion { node: self.key(node_type, id), place });
            }
            Record::Unreadable(unknown, reason) => {
                let at = self.rejects.len();
                self.unreadable.extend(unknown.into_iter().map(|unknown| (at, unknown)));
                self.rejects.push(Reject { place, reason });
            }
            Record::Empty(section) => self.empty.push((section, place)),
            Record::Format(format) => self.format = format,
            Record::Expected(..) => {}
            Record::NodeSpan(..) | Record::EdgeSpan(..) | Record::Event(_) => {
                self.reject(line, record.unfit("a whole version"));
            }
            Record::Reject(reason) => self.rejects.push(Reject { place, reason }),
            Record::Warning(message) => self.warnings.push((place, message)),
        }
    }
}
