//! Types and features of a source, by their numbers there, and values on their way into chunks.

use rustc_hash::FxHashMap;
use timeweft_graph::rows::Rows;
use timeweft_graph::{
    Action, DType, EdgeTypeId, ElementRef, FeatureDef, FeatureId, FeatureKind, Interval, ListOrder, Name, NodeTypeId,
    Owner, Reason, Schema, Time, ValueRef, ValueSpans,
};

/// The types of the graph and of the source.
pub(super) struct Types {
    pub(super) schema: Schema,
    /// Numbers as names, each kept once.
    names: FxHashMap<u32, Name>,
    weight: Name,
    node_types: FxHashMap<u32, NodeTypeId>,
    /// By owner and number; no number is the weight.
    features: FxHashMap<(Owner, Option<u32>), (FeatureId, FeatureKind)>,
    /// The weights of edge types, by their numbers: edges of different types follow each other.
    edge_weights: Vec<Option<FeatureId>>,
    /// Whether something was added since this was last asked.
    pub(super) grown: bool,
    /// Whether there are more types or features than numbers.
    pub(super) full: bool,
    begins: Vec<(FeatureId, Begin)>,
    changes: Vec<(Time, FeatureId, Option<usize>)>,
}

/// Node type of the source, number in the file, node type of the destination.
pub(super) type EdgeTypeKey = (NodeTypeId, u32, NodeTypeId);

/// A value that a life begins with.
#[derive(Clone, Copy)]
enum Begin {
    Weight,
    /// Position among the values.
    Value(usize),
}

/// What an element does over its life.
pub(super) struct Course<'a> {
    pub(super) owner: Owner,
    pub(super) life: Interval,
    pub(super) weight: Option<f32>,
    pub(super) values: ValueSpans<'a>,
}

const WEIGHT: FeatureKind = FeatureKind::Dense { dtype: DType::F32, scalar: true };
/// Bytes of a value, at most: a column of a batch addresses 2^31.
const LARGEST: usize = 1 << 28;

impl Types {
    pub(super) fn new(schema: Schema) -> Types {
        Types {
            schema,
            names: FxHashMap::default(),
            weight: "weight".into(),
            node_types: FxHashMap::default(),
            features: FxHashMap::default(),
            edge_weights: Vec::new(),
            grown: true,
            full: false,
            begins: Vec::new(),
            changes: Vec::new(),
        }
    }

    fn name(&mut self, number: u32) -> Name {
        self.names.entry(number).or_insert_with(|| number.to_string().into()).clone()
    }

    /// The node type of a number.
    pub(super) fn node_type(&mut self, number: u32) -> Option<NodeTypeId> {
        if let Some(known) = self.node_types.get(&number) {
            return Some(*known);
        }
        let name = self.name(number);
        let added = self.named_node_type(&name)?;
        self.node_types.insert(number, added);
        Some(added)
    }

    /// The node type of a name.
    pub(super) fn named_node_type(&mut self, name: &Name) -> Option<NodeTypeId> {
        let added = self.schema.add_node_type(name);
        self.grown = true;
        self.full |= added.is_none();
        added
    }

    /// Adds edge types, by number and by the node types of both ends, in the order of these names; each at the position that
    /// it is given with.
    pub(super) fn add_edge_types(&mut self, met: FxHashMap<EdgeTypeKey, u32>) -> Vec<Option<EdgeTypeId>> {
        let mut added = vec![None; met.len()];
        let named = |at: NodeTypeId| self.schema.node_types().get(at.at()).map(|of| of.name.clone());
        let mut met: Vec<_> = met.into_iter().collect();
        met.sort_by_cached_key(|&((source, number, destination), _)| (number, named(source), named(destination)));
        for ((source, number, destination), at) in met {
            let name = self.name(number);
            let edge_type = self.schema.add_edge_type(source, &name, destination);
            self.grown = true;
            self.full |= edge_type.is_none();
            added[at as usize] = edge_type;
        }
        added
    }

    /// Declares all features of an element or none: a refused element leaves no trace.
    pub(super) fn declare(&mut self, course: &Course<'_>) -> Result<(), Reason> {
        let owner = course.owner;
        for span in course.values.iter() {
            self.check(owner, Some(span.feature), span.kind)?;
            if span.value.0.len() > LARGEST {
                let name = self.name(span.feature);
                return Err(Reason::Malformed(format!("feature `{name}`: more than 2^28 bytes")));
            }
        }
        if course.weight.is_some() && self.weight_of(owner).is_none() {
            self.check(owner, None, WEIGHT)?;
            let added = self.add(owner, None, WEIGHT);
            if let Owner::Edge(edge_type) = owner {
                self.edge_weights.resize(self.edge_weights.len().max(edge_type.at() + 1), None);
                self.edge_weights[edge_type.at()] = added;
            }
        }
        for span in course.values.iter() {
            self.add(owner, Some(span.feature), span.kind);
        }
        Ok(())
    }

    /// The weight of an owner, once it is declared.
    fn weight_of(&self, owner: Owner) -> Option<FeatureId> {
        match owner {
            Owner::Edge(edge_type) => self.edge_weights.get(edge_type.at()).copied().flatten(),
            Owner::Node(_) | Owner::Merge => self.features.get(&(owner, None)).map(|(feature, _)| *feature),
        }
    }

    fn check(&mut self, owner: Owner, number: Option<u32>, kind: FeatureKind) -> Result<(), Reason> {
        let known = match self.features.get(&(owner, number)) {
            Some((_, known)) => Some(*known),
            None => {
                let name = self.feature_name(number);
                self.schema.feature(owner, &name).map(|(_, def)| def.kind)
            }
        };
        match known.filter(|known| *known != kind) {
            None => Ok(()),
            Some(known) => Err(Reason::WrongKind {
                feature: self.feature_name(number),
                owner: self.schema.owner_name(owner),
                expected: known.to_string(),
                got: kind.to_string(),
            }),
        }
    }

    fn add(&mut self, owner: Owner, number: Option<u32>, kind: FeatureKind) -> Option<FeatureId> {
        if let Some((known, _)) = self.features.get(&(owner, number)) {
            return Some(*known);
        }
        let name = self.feature_name(number);
        let added = self.schema.add_feature(owner, FeatureDef { name, kind, order: ListOrder::List });
        self.grown = true;
        self.full |= added.is_none();
        self.features.insert((owner, number), (added?, kind));
        added
    }

    fn feature_name(&mut self, number: Option<u32>) -> Name {
        match number {
            Some(number) => self.name(number),
            None => self.weight.clone(),
        }
    }

    /// Puts an element whose features are declared into a chunk, with its changes behind it.
    pub(super) fn put(&mut self, course: &Course<'_>, element: ElementRef<'_>, line: u64, rows: &mut Rows) {
        let weight = ValueRef::single_bytes(course.weight.unwrap_or_default());
        let life = Some(course.life);
        if course.values.is_empty() {
            if let (Some(_), Some(feature)) = (course.weight, self.weight_of(course.owner)) {
                rows.encoded_feature(feature, &weight);
            }
            return rows.push(Action::Create, element, life, line);
        }
        self.sort_values(course);
        let value = |at: usize| course.values.get(at).map_or(&[][..], |span| span.value.0);
        for &(feature, begin) in &self.begins {
            match begin {
                Begin::Weight => rows.encoded_feature(feature, &weight),
                Begin::Value(at) => rows.encoded_feature(feature, value(at)),
            }
        }
        rows.push(Action::Create, element, life, line);
        for changes in self.changes.chunk_by(|a, b| a.0 == b.0) {
            changes.iter().for_each(|&(_, feature, at)| rows.encoded_feature(feature, at.map_or(&[], value)));
            rows.push(Action::Update, element, Some(Interval::open(changes[0].0)), line);
        }
    }

    /// Sorts the values into those that the life begins with, by feature, and the changes, by time and feature.
    fn sort_values(&mut self, course: &Course<'_>) {
        let (owner, life) = (course.owner, course.life);
        self.begins.clear();
        self.changes.clear();
        if course.weight.is_some() {
            let weight = self.weight_of(owner);
            self.begins.extend(weight.map(|feature| (feature, Begin::Weight)));
        }
        let mut values = course.values.iter().enumerate().peekable();
        while let Some((at, span)) = values.next() {
            let Some(&(feature, _)) = self.features.get(&(owner, Some(span.feature))) else { continue };
            // An edge may be cut at both ends; what lies outside is left out.
            let created = span.interval.created.max(life.created);
            let Some(interval) = Interval::new(created, span.interval.removed.min(life.removed)) else { continue };
            match interval.created == life.created {
                true => self.begins.push((feature, Begin::Value(at))),
                false => self.changes.push((interval.created, feature, Some(at))),
            }
            let follows = values
                .peek()
                .is_some_and(|(_, next)| next.feature == span.feature && next.interval.created == interval.removed);
            if interval.removed < life.removed && !follows {
                self.changes.push((interval.removed, feature, None));
            }
        }
        self.begins.sort_unstable_by_key(|(feature, _)| *feature);
        self.changes.sort_unstable_by_key(|(time, feature, _)| (*time, *feature));
    }
}
