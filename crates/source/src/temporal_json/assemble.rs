//! Lines become lives, lives become events in order of time.

mod edges;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use timeweft_graph::{
    Action, DType, Element, Event, ExternalId, FeatureDef, FeatureKind, Features, Interval, ListOrder, Name, NodeKey,
    NodeTypeId, Owner, Place, Reason, Reject, Schema, Time, TimeUnit, Value,
};

use self::edges::PendingEdge;
use super::Intervals;
use super::line::{self, Described};
use super::spans::resolve;
use crate::Record;

/// Everything read so far. Edges wait until all nodes are known.
pub(super) struct Assembly {
    schema: Schema,
    /// Numbers of types and features as names, each kept once.
    numbers: FxHashMap<u32, Name>,
    weight: Name,
    nodes: FxHashMap<u64, Node>,
    edges: Vec<PendingEdge>,
    records: Vec<Record>,
    rejects: Vec<Reject>,
    clipped: u64,
    clipped_features: u64,
    /// Set once the schema is full.
    overflow: bool,
}

/// A node with a line of its own, or a destination without one.
struct Node {
    key: NodeKey,
    node_type: NodeTypeId,
    life: Interval,
    line: u64,
}

impl Assembly {
    pub(super) fn new(unit: TimeUnit) -> Assembly {
        Assembly {
            schema: Schema::new(unit),
            numbers: FxHashMap::default(),
            weight: "weight".into(),
            nodes: FxHashMap::default(),
            edges: Vec::new(),
            records: Vec::new(),
            rejects: Vec::new(),
            clipped: 0,
            clipped_features: 0,
            overflow: false,
        }
    }

    pub(super) fn refuse(&mut self, reject: Reject) {
        self.rejects.push(reject);
    }

    /// Takes in one line.
    pub(super) fn add(&mut self, text: &str, place: Place) {
        if let Err(reason) = self.add_line(text, &place) {
            self.rejects.push(Reject { place, reason });
        }
    }

    fn add_line(&mut self, text: &str, place: &Place) -> Result<(), Reason> {
        let line = line::node(text)?;
        if let Some(known) = self.nodes.get(&line.id) {
            return Err(Reason::Malformed(format!("node {} has a line already: line {}", line.id, known.line)));
        }
        let key = NodeKey { node_type: self.number(line.node.type_number), id: ExternalId::Int(line.id) };
        let Some(node_type) = self.schema.add_node_type(&key.node_type) else {
            self.overflow = true;
            return Ok(());
        };
        let life = line.node.life;
        let changes = self.changes(Owner::Node(node_type), line.node)?;
        self.emit(Element::Node(key.clone()), life, changes, place);
        self.nodes.insert(line.id, Node { key, node_type, life, line: place.line });
        for (at, raw) in line.edges.into_iter().enumerate() {
            match line::edge(raw.get(), line.id, life) {
                Ok(edge) => self.edges.push(PendingEdge::new(line.id, edge, at, place)),
                Err(reason) => self.rejects.push(Reject { place: place.clone(), reason: at_edge(at, reason) }),
            }
        }
        Ok(())
    }

    /// What the features of an element do over its life, by time; declares them in the schema.
    fn changes(&mut self, owner: Owner, described: Described) -> Result<BTreeMap<Time, Features>, Reason> {
        let weight_kind = FeatureKind::Dense { dtype: DType::F32, scalar: true };
        let mut kinds = vec![(self.weight.clone(), weight_kind)];
        let mut changes = BTreeMap::<Time, Features>::new();
        let weight = (self.weight.clone(), Some(weight_value(described.weight)));
        changes.entry(described.life.created).or_default().push(weight);
        let mut clipped = 0;
        for feature in described.features {
            let name = self.number(feature.number);
            kinds.extend(feature.kind.map(|kind| (name.clone(), kind)));
            let (list, cut) = resolve(feature.spans, described.life).map_err(|time| {
                Reason::Malformed(format!("feature {name} has two intervals that begin at {time}: which one holds?"))
            })?;
            clipped += cut;
            for (time, value) in list {
                changes.entry(time).or_default().push((name.clone(), value));
            }
        }
        self.declare(owner, kinds)?;
        self.clipped_features += clipped;
        Ok(changes)
    }

    fn number(&mut self, number: u32) -> Name {
        self.numbers.entry(number).or_insert_with(|| number.to_string().into()).clone()
    }

    /// Declares all features or none: a refused element leaves no trace.
    fn declare(&mut self, owner: Owner, kinds: Vec<(Name, FeatureKind)>) -> Result<(), Reason> {
        for (name, kind) in &kinds {
            let known = self.schema.feature(owner, name).map(|(_, def)| def.kind);
            if let Some(known) = known.filter(|known| known != kind) {
                return Err(Reason::WrongKind {
                    feature: name.clone(),
                    owner: self.schema.owner_name(owner),
                    expected: known.to_string(),
                    got: kind.to_string(),
                });
            }
        }
        for (name, kind) in kinds {
            let added = self.schema.add_feature(owner, FeatureDef { name, kind, order: ListOrder::List });
            self.overflow |= added.is_none();
        }
        Ok(())
    }

    /// The events of one life.
    fn emit(&mut self, element: Element, life: Interval, changes: BTreeMap<Time, Features>, place: &Place) {
        for (time, mut features) in changes {
            let action = if time == life.created { Action::Create } else { Action::Update };
            features.sort_by(|(a, _), (b, _)| a.cmp(b));
            self.record(Event { time, action, element: element.clone(), features }, place);
        }
        if !life.is_open() {
            self.record(Event::new(life.removed, Action::Delete, element), place);
        }
    }

    fn record(&mut self, event: Event, place: &Place) {
        self.records.push(Record { event, place: place.clone() });
    }

    /// Binds the edges and sorts the events; `None` if the types do not fit a schema.
    pub(super) fn finish(mut self) -> Option<Intervals> {
        self.add_edges();
        self.records.sort_by_key(|record| (record.event.time, rank(&record.event)));
        self.rejects.sort_by_key(|reject| reject.place.line);
        (!self.overflow).then_some(Intervals {
            schema: self.schema,
            records: self.records,
            rejects: self.rejects,
            clipped: self.clipped,
            clipped_features: self.clipped_features,
        })
    }
}

fn weight_value(weight: f32) -> Value {
    let numbers = timeweft_graph::Numbers::F32(vec![weight]);
    Value::Dense(timeweft_graph::Dense { numbers, scalar: true })
}

fn at_edge(at: usize, reason: Reason) -> Reason {
    match reason {
        Reason::Malformed(problem) => Reason::Malformed(format!("edge {}: {problem}", at + 1)),
        other => Reason::Malformed(format!("edge {}: {other}", at + 1)),
    }
}

/// The order of events at one time: ends first, so that what begins finds a clean state; nodes before their edges.
fn rank(event: &Event) -> u8 {
    match (&event.element, event.action) {
        (Element::Edge(_), Action::Delete) => 0,
        (Element::Node(_), Action::Delete) => 1,
        (Element::Node(_), Action::Create) => 2,
        (Element::Node(_), Action::Update) => 3,
        (Element::Edge(_), Action::Create) => 4,
        (Element::Edge(_), Action::Update) => 5,
        (Element::Merge { .. }, _) => 6,
    }
}
