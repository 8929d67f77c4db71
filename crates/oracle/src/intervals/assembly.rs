//! Records become lives, lives become events in order of time.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use timeweft_graph::{
    Action, DType, Dense, EdgeSpan, Element, Event, ExternalId, FeatureDef, FeatureKind, Features, Interval, ListOrder,
    Name, NodeKey, NodeSpan, NodeTypeId, Numbers, Owner, Place, Reason, Record, Reject, Schema, Sink, SpanRows, Time,
    TimeUnit, Value, ValueSpans,
};

use super::Intervals;

/// Everything read so far. Edges wait until all nodes are known.
pub(super) struct Assembly {
    pub(super) schema: Schema,
    pub(super) file: Name,
    /// Numbers of types and features as names, each kept once.
    numbers: FxHashMap<u32, Name>,
    weight: Name,
    pub(super) nodes: FxHashMap<u64, Node>,
    pub(super) edges: SpanRows,
    records: Vec<(Event, Place)>,
    rejects: Vec<Reject>,
    pub(super) clipped: u64,
    clipped_features: u64,
    /// Set once the schema is full.
    pub(super) overflow: bool,
}

/// A node with a record of its own, or an end of an edge without one.
pub(super) struct Node {
    pub(super) key: NodeKey,
    pub(super) node_type: NodeTypeId,
    pub(super) life: Interval,
    pub(super) line: u64,
}

/// What an element does over its life.
pub(super) struct Course<'a> {
    pub(super) life: Interval,
    pub(super) weight: Option<f32>,
    pub(super) values: ValueSpans<'a>,
}

impl Assembly {
    pub(super) fn new(unit: TimeUnit) -> Assembly {
        Assembly {
            schema: Schema::new(unit),
            file: "".into(),
            numbers: FxHashMap::default(),
            weight: "weight".into(),
            nodes: FxHashMap::default(),
            edges: SpanRows::default(),
            records: Vec::new(),
            rejects: Vec::new(),
            clipped: 0,
            clipped_features: 0,
            overflow: false,
        }
    }

    pub(super) fn place(&self, line: u64) -> Place {
        Place::new(&self.file, line)
    }

    fn add_node(&mut self, node: &NodeSpan, values: ValueSpans<'_>, line: u64) -> Result<(), Reason> {
        if let Some(known) = self.nodes.get(&node.id) {
            let where_ = if known.line == 0 { String::new() } else { format!(": line {}", known.line) };
            return Err(Reason::Malformed(format!("node {} has a line already{where_}", node.id)));
        }
        let key = NodeKey { node_type: self.number(node.node_type), id: ExternalId::Int(node.id) };
        let Some(node_type) = self.schema.add_node_type(&key.node_type) else {
            self.overflow = true;
            return Ok(());
        };
        let course = Course { life: node.life, weight: node.weight, values };
        let element = Element::Node(key.clone());
        self.add(Owner::Node(node_type), element, &course, line)?;
        self.clipped_features += u64::from(values.clipped);
        self.nodes.insert(node.id, Node { key, node_type, life: node.life, line });
        Ok(())
    }

    /// Declares the features of an element and makes the events of its life.
    pub(super) fn add(&mut self, owner: Owner, element: Element, course: &Course<'_>, line: u64) -> Result<(), Reason> {
        let life = course.life;
        let mut kinds = Vec::new();
        let mut changes = BTreeMap::<Time, Features>::new();
        changes.entry(life.created).or_default();
        if let Some(weight) = course.weight {
            let value = Value::Dense(Dense { numbers: Numbers::F32(vec![weight]), scalar: true });
            kinds.push((self.weight.clone(), FeatureKind::Dense { dtype: DType::F32, scalar: true }));
            changes.entry(life.created).or_default().push((self.weight.clone(), Some(value)));
        }
        let mut values = course.values.iter().peekable();
        while let Some(span) = values.next() {
            let name = self.number(span.feature);
            kinds.push((name.clone(), span.kind));
            // An edge may be cut at both ends; what lies outside is left out.
            let created = span.interval.created.max(life.created);
            let Some(interval) = Interval::new(created, span.interval.removed.min(life.removed)) else { continue };
            let value = Value::decode(span.value.0).ok_or_else(|| {
                Reason::Malformed(format!("feature {name} has a value that cannot be decoded: report this"))
            })?;
            changes.entry(interval.created).or_default().push((name.clone(), Some(value)));
            let follows = |next: &timeweft_graph::ValueSpan<'_>| {
                next.feature == span.feature && next.interval.created == interval.removed
            };
            if interval.removed < life.removed && !values.peek().is_some_and(follows) {
                changes.entry(interval.removed).or_default().push((name, None));
            }
        }
        self.declare(owner, kinds)?;
        self.emit(element, life, changes, line);
        Ok(())
    }

    pub(super) fn number(&mut self, number: u32) -> Name {
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
    fn emit(&mut self, element: Element, life: Interval, changes: BTreeMap<Time, Features>, line: u64) {
        for (time, mut features) in changes {
            let action = if time == life.created { Action::Create } else { Action::Update };
            features.sort_by(|(a, _), (b, _)| a.cmp(b));
            self.record(Event { time, action, element: element.clone(), features }, line);
        }
        if !life.is_open() {
            self.record(Event::new(life.removed, Action::Delete, element), line);
        }
    }

    pub(super) fn record(&mut self, event: Event, line: u64) {
        let place = self.place(line);
        self.records.push((event, place));
    }

    pub(super) fn refuse_edge(&mut self, edge: &EdgeSpan, line: u64, reason: Reason) {
        let reason = match edge.position {
            0 => reason,
            position => Reason::Malformed(format!("edge {position}: {reason}")),
        };
        // Without lines, the edge itself says which it is.
        let reason = match line {
            0 => {
                Reason::Malformed(format!("edge {} -{}-> {}: {reason}", edge.source, edge.edge_type, edge.destination))
            }
            _ => reason,
        };
        self.reject(line, reason);
    }

    pub(super) fn count_clipped_features(&mut self, clipped: u32) {
        self.clipped_features += u64::from(clipped);
    }

    /// Binds the edges and sorts the events.
    pub(super) fn finish(mut self) -> Intervals {
        self.add_edges();
        self.records.sort_by_key(|(event, _)| event.order());
        self.rejects.sort_by_key(|reject| reject.place.line);
        Intervals {
            schema: self.schema,
            records: self.records,
            rejects: self.rejects,
            clipped: self.clipped,
            clipped_features: self.clipped_features,
            too_many_types: self.overflow,
        }
    }
}

impl Sink for Assembly {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        let place = self.place(line);
        match record {
            Record::NodeSpan(node, values) => {
                if let Err(reason) = self.add_node(&node, values, line) {
                    let reason = match line {
                        0 => Reason::Malformed(format!("node {}: {reason}", node.id)),
                        _ => reason,
                    };
                    self.rejects.push(Reject { place, reason });
                }
            }
            Record::Reject(reason) => self.rejects.push(Reject { place, reason }),
            record => {
                if let Record::File(name) = &record {
                    self.file = name.clone();
                }
                self.edges.record(record, line);
            }
        }
    }
}
