//! The oracle: a graph kept in plain lists and read by scanning them, so that it is easy to see that it is right.

mod diff;
mod merge;
mod view;

use std::collections::BTreeMap;

use timeweft_graph::{
    Action, EdgeKey, Element, Event, FeatureDef, FeatureKind, FeatureSpan, Features, Interval, Life, ListOrder, Name,
    NodeKey, NodeTypeId, Owner, Reason, Schema, Time, TimeUnit, Value,
};

pub use diff::diff_states;

/// A graph that is slow and obviously right. Fast implementations of [`timeweft_graph::GraphView`] are tested against it.
///
/// ```
/// use timeweft_oracle::ReferenceGraph;
/// use timeweft_graph::{Action, At, Element, Event, GraphView, NodeKey, Schema, Time};
///
/// let user = NodeKey::new("user", "ada");
/// let mut graph = ReferenceGraph::new(Schema::default());
/// graph.apply(&Event::new(Time(3), Action::Create, Element::Node(user.clone()))).unwrap();
/// assert!(graph.node(&user, At::time(Time(2))).is_none());
/// assert!(graph.node(&user, At::time(Time(3))).is_some());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ReferenceGraph {
    schema: Schema,
    nodes: BTreeMap<NodeKey, Past>,
    edges: BTreeMap<EdgeKey, Past>,
    /// In the order of the log.
    merges: Vec<merge::Episode>,
    /// The latest merge from each node that merges lead to; [`Time::MIN`] if there is none.
    targets: BTreeMap<NodeKey, Time>,
    /// When a merge first brought each target.
    named: BTreeMap<NodeKey, Time>,
    log: Vec<Event>,
}

/// A node or edge that was created at least once.
#[derive(Clone, Debug)]
struct Past {
    /// Time of its latest event.
    latest: Time,
    /// Its lives in order of time; the last one may be open.
    lives: Vec<Life>,
}

impl ReferenceGraph {
    /// An empty graph with these types.
    pub fn new(schema: Schema) -> ReferenceGraph {
        ReferenceGraph { schema, ..ReferenceGraph::default() }
    }

    /// Takes in the next event of the log, or refuses it and stays as it is.
    pub fn apply(&mut self, event: &Event) -> Result<(), Reason> {
        check_shape(event)?;
        let mut schema = self.schema.clone();
        let mut event = event.clone();
        match event.element.clone() {
            Element::Node(key) => {
                let owner = Owner::Node(node_type(&mut schema, &key)?);
                self.check_node(&key, &event)?;
                event.features = canonical(&mut schema, owner, &event.features)?;
                self.change_node(&key, &event);
            }
            Element::Edge(key) => {
                let owner = edge_type(&mut schema, &key)?;
                self.check_edge(&key, &event)?;
                event.features = canonical(&mut schema, owner, &event.features)?;
                change(self.edges.entry(key), &event);
            }
            Element::Merge { from, into } => {
                node_type(&mut schema, &from)?;
                // The target need not be in the graph, so its type may be new.
                node_type(&mut schema, &into)?;
                self.check_merge(&from, &into, &event)?;
                event.features = canonical(&mut schema, Owner::Merge, &event.features)?;
                self.change_merge(from, into, &event);
            }
        }
        self.schema = schema;
        self.log.push(event);
        Ok(())
    }

    fn check_node(&self, key: &NodeKey, event: &Event) -> Result<(), Reason> {
        let known = self.nodes.get(key);
        match (event.action, known) {
            (Action::Create, None) => {
                let latest = self.targets.get(key).copied().unwrap_or(Time::MIN);
                in_order(self.schema.unit(), event.time, latest, || format!("node {key}"))
            }
            (Action::Create, Some(node)) if node.is_open() => Err(Reason::NodeExists(key.clone())),
            (_, None) => Err(Reason::UnknownNode(key.clone())),
            (Action::Update | Action::Delete, Some(node)) if !node.is_open() => Err(Reason::DeletedNode(key.clone())),
            (action, Some(node)) => {
                in_order(self.schema.unit(), event.time, node.latest, || format!("node {key}"))?;
                let edges = self.edges.iter().filter(|(edge, _)| action == Action::Delete && touches(edge, key));
                let latest = edges.map(|(_, edge)| edge.latest).max();
                in_order(self.schema.unit(), event.time, latest.unwrap_or(event.time), || {
                    format!("an edge of node {key}")
                })
            }
        }
    }

    fn check_edge(&self, key: &EdgeKey, event: &Event) -> Result<(), Reason> {
        if event.action == Action::Create {
            self.check_end(&key.source, event.time)?;
            self.check_end(&key.destination, event.time)?;
        }
        match (event.action, self.edges.get(key)) {
            (Action::Create, None) => Ok(()),
            (Action::Create, Some(edge)) if edge.is_open() => Err(Reason::EdgeExists(Box::new(key.clone()))),
            (_, None) => Err(Reason::UnknownEdge(Box::new(key.clone()))),
            (Action::Update | Action::Delete, Some(edge)) if !edge.is_open() => {
                Err(Reason::DeletedEdge(Box::new(key.clone())))
            }
            (_, Some(edge)) => in_order(self.schema.unit(), event.time, edge.latest, || format!("edge {key}")),
        }
    }

    /// An end of a new edge lives from `time` or before.
    fn check_end(&self, key: &NodeKey, time: Time) -> Result<(), Reason> {
        let node = self.nodes.get(key).ok_or_else(|| Reason::UnknownNode(key.clone()))?;
        let open = node.lives.last().filter(|life| life.interval.is_open());
        let life = open.ok_or_else(|| Reason::DeletedNode(key.clone()))?;
        in_order(self.schema.unit(), time, life.interval.created, || format!("node {key}"))
    }

    fn change_node(&mut self, key: &NodeKey, event: &Event) {
        change(self.nodes.entry(key.clone()), event);
        if event.action == Action::Create {
            self.end_merges(key, None, event.time);
        }
        if event.action == Action::Delete {
            let live = self.edges.iter_mut().filter(|(edge, life)| touches(edge, key) && life.is_open());
            live.for_each(|(_, edge)| edge.close(event.time));
        }
    }
}

impl Past {
    fn is_open(&self) -> bool {
        self.lives.last().is_some_and(|life| life.interval.is_open())
    }

    /// Ends the open life and the values in it. A life that ends when it began is dropped.
    fn close(&mut self, time: Time) {
        self.latest = time;
        if let Some(life) = self.lives.last_mut() {
            end(life, time);
        }
        self.lives.retain(|life| life.interval.created < life.interval.removed);
    }
}

/// Carries out a checked event on its element.
fn change<K: Ord>(entry: std::collections::btree_map::Entry<'_, K, Past>, event: &Event) {
    let element = entry.or_insert_with(|| Past { latest: event.time, lives: Vec::new() });
    element.latest = event.time;
    if event.action == Action::Delete {
        return element.close(event.time);
    }
    if event.action == Action::Create {
        element.lives.push(Life { interval: Interval::open(event.time), features: Vec::new() });
    }
    if let Some(life) = element.lives.last_mut() {
        event.features.iter().for_each(|(name, value)| set(life, event.time, name, value.as_ref()));
    }
}

/// Ends a life and the values in it.
fn end(life: &mut Life, time: Time) {
    life.interval.removed = time;
    life.features.iter_mut().filter(|span| span.interval.is_open()).for_each(|span| span.interval.removed = time);
    life.features.retain(|span| span.interval.created < span.interval.removed);
}

/// Sets a feature from `time` on. First takes back what was set at the same time before, so that the last one wins.
fn set(life: &mut Life, time: Time, name: &Name, value: Option<&Value>) {
    life.features.retain(|span| span.name != *name || span.interval.created != time);
    if let Some(ended) = life.features.iter_mut().find(|span| span.name == *name && span.interval.removed == time) {
        ended.interval.removed = Time::FOREVER;
    }
    let current = life.features.iter_mut().find(|span| span.name == *name && span.interval.is_open());
    if current.as_ref().map(|span| &span.value) == value {
        return;
    }
    if let Some(span) = current {
        span.interval.removed = time;
    }
    if let Some(value) = value {
        life.features.push(FeatureSpan { name: name.clone(), interval: Interval::open(time), value: value.clone() });
        life.features.sort_by(|a, b| (&a.name, a.interval.created).cmp(&(&b.name, b.interval.created)));
    }
}

fn touches(edge: &EdgeKey, node: &NodeKey) -> bool {
    edge.source == *node || edge.destination == *node
}

fn in_order(unit: TimeUnit, time: Time, known: Time, element: impl Fn() -> String) -> Result<(), Reason> {
    if time < known { Err(Reason::OutOfOrder { unit, time, known, element: element() }) } else { Ok(()) }
}

fn check_shape(event: &Event) -> Result<(), Reason> {
    if event.time == Time::FOREVER {
        return Err(Reason::Malformed("nothing can happen at the end of time: give an earlier time".into()));
    }
    if !event.features.is_empty() && event.action == Action::Delete {
        return Err(Reason::Malformed("deletes carry no features: leave them out".into()));
    }
    Ok(())
}

/// The type of a node, learned by an open schema.
fn node_type(schema: &mut Schema, key: &NodeKey) -> Result<NodeTypeId, Reason> {
    match schema.node_type(&key.node_type) {
        Some(known) => Ok(known),
        None if schema.is_closed() => Err(Reason::UnknownNodeType(key.node_type.clone())),
        None => schema.add_node_type(&key.node_type).ok_or_else(|| Reason::Malformed("too many node types".into())),
    }
}

/// The type of an edge, learned by an open schema.
fn edge_type(schema: &mut Schema, key: &EdgeKey) -> Result<Owner, Reason> {
    let source = node_type(schema, &key.source)?;
    let destination = node_type(schema, &key.destination)?;
    let known = schema.edge_type(source, &key.relation, destination);
    if known.is_none() && schema.is_closed() {
        let (source, destination) = (&key.source.node_type, &key.destination.node_type);
        return Err(Reason::UnknownEdgeType(format!("{source} -{}-> {destination}", key.relation)));
    }
    let added = schema.add_edge_type(source, &key.relation, destination).map(Owner::Edge);
    added.ok_or_else(|| Reason::Malformed("too many edge types".into()))
}

/// The features as the log keeps them: known to the schema, of the right kind, lists in canonical form. The end of a
/// feature that nothing ever had says nothing and is left out.
fn canonical(schema: &mut Schema, owner: Owner, features: &Features) -> Result<Features, Reason> {
    let mut taken = Features::new();
    for (name, value) in features {
        let known = schema.feature(owner, name).map(|(_, def)| def.clone());
        if known.is_none() && schema.is_closed() {
            return Err(Reason::UnknownFeature { feature: name.clone(), owner: schema.owner_name(owner) });
        }
        let Some(value) = value else {
            taken.extend(known.map(|def| (def.name, None)));
            continue;
        };
        let got = FeatureKind::of(value);
        let def = known.unwrap_or(FeatureDef { name: name.clone(), kind: got, order: ListOrder::List });
        if def.kind != got {
            let (feature, owner) = (name.clone(), schema.owner_name(owner));
            return Err(Reason::WrongKind { feature, owner, expected: def.kind.to_string(), got: got.to_string() });
        }
        taken.push((name.clone(), Some(def.order.canonical(value.clone()))));
        schema.add_feature(owner, def).ok_or_else(|| Reason::Malformed("too many features".into()))?;
    }
    Ok(taken)
}
