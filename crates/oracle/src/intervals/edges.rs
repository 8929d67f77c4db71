//! Edges bound to both ends, cut to their lives, and told apart where they are parallel.

use std::collections::BTreeMap;

use timeweft_graph::{
    Action, EdgeKey, EdgeSpan, Element, Event, ExternalId, Interval, Name, NodeKey, Owner, Reason, Record, Time,
    ValueSpans,
};

use super::assembly::{Assembly, Course, Node};

/// An edge whose life is cut, its values, its line and its file.
type Bound<'a> = (EdgeSpan, ValueSpans<'a>, u64, Name);

fn pair(edge: &EdgeSpan) -> (u64, u64, u32) {
    (edge.source, edge.destination, edge.edge_type)
}

impl Assembly {
    /// Turns the waiting edges into events.
    pub(super) fn add_edges(&mut self) {
        let rows = std::mem::take(&mut self.edges);
        let last = self.file.clone();
        let mut edges: Vec<Bound<'_>> = Vec::new();
        for row in rows.iter() {
            match row {
                (Record::File(name), _) => self.file = name,
                (Record::EdgeSpan(edge, values), line) => edges.push((edge, values, line, self.file.clone())),
                _ => {}
            }
        }
        self.add_stubs(&edges);
        edges.retain_mut(|(edge, _, line, file)| match self.bound(edge) {
            Ok(life) => {
                self.clipped += u64::from(life != edge.life);
                edge.life = life;
                true
            }
            Err(reason) => {
                self.file.clone_from(file);
                self.refuse_edge(edge, *line, reason);
                false
            }
        });
        let keys = keys(&edges);
        self.add_edge_types(&edges);
        for ((edge, values, line, file), key) in edges.into_iter().zip(keys) {
            self.file = file;
            if let Err(reason) = self.add_edge(&edge, values, line, key) {
                self.refuse_edge(&edge, line, reason);
            }
        }
        self.file = last;
    }

    /// Adds the types of edges in the order of the names of their relations and ends: draws go by the order of types, and
    /// lines may come in any.
    fn add_edge_types(&mut self, edges: &[Bound<'_>]) {
        let nodes = &self.nodes;
        let ends = |edge: &EdgeSpan| nodes.get(&edge.source).zip(nodes.get(&edge.destination));
        let of = |(edge, ..): &Bound<'_>| {
            let (source, destination) = ends(edge)?;
            let names = (source.key.node_type.clone(), destination.key.node_type.clone());
            Some(((edge.edge_type, names), (source.node_type, destination.node_type)))
        };
        let met: BTreeMap<_, _> = edges.iter().filter_map(of).collect();
        for ((number, _), (source, destination)) in met {
            let relation = self.number(number);
            self.overflow |= self.schema.add_edge_type(source, &relation, destination).is_none();
        }
    }

    /// Ends that no record describes.
    fn add_stubs(&mut self, edges: &[Bound<'_>]) {
        let mut first = BTreeMap::<u64, (Time, u64, &Name)>::new();
        for (edge, _, line, file) in edges {
            for id in [edge.source, edge.destination] {
                if !self.nodes.contains_key(&id) {
                    let (created, ..) = first.entry(id).or_insert((Time(0), *line, file));
                    *created = edge.life.created.min(*created);
                }
            }
        }
        if first.is_empty() {
            return;
        }
        let Some(node_type) = self.schema.add_node_type(&"unknown".into()) else {
            self.overflow = true;
            return;
        };
        for (id, (created, line, file)) in first {
            let key = NodeKey { node_type: "unknown".into(), id: ExternalId::Int(id) };
            self.file.clone_from(file);
            self.record(Event::new(created, Action::Create, Element::Node(key.clone())), line);
            self.nodes.insert(id, Node { key, node_type, life: Interval::open(created), line });
        }
    }

    /// The part of the edge's life that both ends share.
    fn bound(&self, edge: &EdgeSpan) -> Result<Interval, Reason> {
        let refused = |id: u64, node: &Node, created: Time| {
            let (from, to) = (node.life.created, node.life.removed);
            Err(Reason::Malformed(format!("begins at {created}, but node {id} lives from {from} to {to}")))
        };
        let mut life = edge.life;
        for id in [edge.source, edge.destination].into_iter().filter(|_| edge.starts_by_default) {
            let Some(node) = self.nodes.get(&id) else { continue };
            if node.life.created > life.created && node.life.created >= life.removed {
                return refused(id, node, life.created);
            }
            life.created = life.created.max(node.life.created);
        }
        for id in [edge.source, edge.destination] {
            let Some(node) = self.nodes.get(&id) else { continue };
            if !node.life.contains(life.created) {
                return refused(id, node, life.created);
            }
            life.removed = life.removed.min(node.life.removed);
        }
        Ok(life)
    }

    fn add_edge(
        &mut self,
        edge: &EdgeSpan,
        values: ValueSpans<'_>,
        line: u64,
        key: Option<Name>,
    ) -> Result<(), Reason> {
        let relation = self.number(edge.edge_type);
        let (Some(source), Some(destination)) = (self.nodes.get(&edge.source), self.nodes.get(&edge.destination))
        else {
            return Ok(());
        };
        let (from, to) = (source.node_type, destination.node_type);
        let element = Element::Edge(EdgeKey {
            source: source.key.clone(),
            relation: relation.clone(),
            destination: destination.key.clone(),
            key,
        });
        let Some(edge_type) = self.schema.add_edge_type(from, &relation, to) else {
            self.overflow = true;
            return Ok(());
        };
        let course = Course { life: edge.life, weight: Some(edge.weight), values };
        self.add(Owner::Edge(edge_type), element, &course, line)?;
        self.count_clipped_features(values.clipped);
        Ok(())
    }
}

/// The key of each edge.
fn keys(edges: &[Bound<'_>]) -> Vec<Option<Name>> {
    let mut order: Vec<usize> = (0..edges.len()).collect();
    order.sort_by_key(|&at| (pair(&edges[at].0), edges[at].0.life));
    let (mut keys, mut lanes) = (vec![None; edges.len()], Lanes::default());
    for at in order {
        keys[at] = lanes.key(pair(&edges[at].0), edges[at].0.life);
    }
    keys
}

/// Which parallel edge each life belongs to, for lives that come sorted by pair and time.
#[derive(Default)]
struct Lanes {
    pair: Option<(u64, u64, u32)>,
    /// When the latest life of each parallel edge ends.
    ends: Vec<Time>,
}

impl Lanes {
    /// The key of the first parallel edge that is free: none, `2`, `3`, ...
    fn key(&mut self, pair: (u64, u64, u32), life: Interval) -> Option<Name> {
        if self.pair != Some(pair) {
            self.pair = Some(pair);
            self.ends.clear();
        }
        let free = self.ends.iter().position(|end| *end <= life.created);
        let lane = free.unwrap_or_else(|| {
            self.ends.push(life.removed);
            self.ends.len() - 1
        });
        self.ends[lane] = life.removed;
        (lane > 0).then(|| (lane + 1).to_string().into())
    }
}
