//! Edges bound to both ends, cut to their lives, and told apart where they are parallel.

use std::collections::BTreeMap;

use timeweft_graph::{
    EdgeKey, Element, Event, ExternalId, Interval, Name, NodeKey, Owner, Place, Reason, Reject, Time,
};

use super::{Action, Assembly, Node, at_edge};
use crate::temporal_json::line::{Described, EdgeLine};

/// An edge that waits for its destination.
pub(super) struct PendingEdge {
    source: u64,
    destination: u64,
    edge: Described,
    /// Position in the list of its line.
    at: usize,
    place: Place,
}

impl PendingEdge {
    pub(super) fn new(source: u64, line: EdgeLine, at: usize, place: &Place) -> PendingEdge {
        PendingEdge { source, destination: line.destination, edge: line.edge, at, place: place.clone() }
    }

    fn pair(&self) -> (u64, u64, u32) {
        (self.source, self.destination, self.edge.type_number)
    }
}

impl Assembly {
    /// Turns the waiting edges into events.
    pub(super) fn add_edges(&mut self) {
        let mut edges = std::mem::take(&mut self.edges);
        self.add_stubs(&edges);
        let mut kept: Vec<PendingEdge> = Vec::with_capacity(edges.len());
        for mut edge in edges.drain(..) {
            match self.bound(&edge) {
                Ok(life) => {
                    self.clipped += u64::from(life != edge.edge.life);
                    edge.edge.life = life;
                    kept.push(edge);
                }
                Err(reason) => self.refuse_edge(&edge, reason),
            }
        }
        kept.sort_by_key(|edge| (edge.pair(), edge.edge.life));
        let mut lanes = Lanes::default();
        for edge in kept {
            let key = lanes.key(edge.pair(), edge.edge.life);
            self.add_edge(edge, key);
        }
    }

    /// Destinations that no line describes.
    fn add_stubs(&mut self, edges: &[PendingEdge]) {
        let mut first = BTreeMap::<u64, (Time, &Place)>::new();
        for edge in edges.iter().filter(|edge| !self.nodes.contains_key(&edge.destination)) {
            let (created, _) = first.entry(edge.destination).or_insert((Time(0), &edge.place));
            *created = edge.edge.life.created.min(*created);
        }
        if first.is_empty() {
            return;
        }
        let Some(node_type) = self.schema.add_node_type(&"unknown".into()) else {
            self.overflow = true;
            return;
        };
        for (id, (created, place)) in first {
            let key = NodeKey { node_type: "unknown".into(), id: ExternalId::Int(id) };
            self.record(Event::new(created, Action::Create, Element::Node(key.clone())), place);
            self.nodes.insert(id, Node { key, node_type, life: Interval::open(created), line: place.line });
        }
    }

    /// The part of the edge's life that both ends share.
    fn bound(&self, edge: &PendingEdge) -> Result<Interval, Reason> {
        let mut life = edge.edge.life;
        for id in [edge.source, edge.destination] {
            let Some(node) = self.nodes.get(&id) else { continue };
            if !node.life.contains(life.created) {
                let (from, to) = (node.life.created, node.life.removed);
                let created = life.created;
                return Err(Reason::Malformed(format!("begins at {created}, but node {id} lives from {from} to {to}")));
            }
            life.removed = life.removed.min(node.life.removed);
        }
        Ok(life)
    }

    fn add_edge(&mut self, edge: PendingEdge, key: Option<Name>) {
        let relation = self.number(edge.edge.type_number);
        let (Some(source), Some(destination)) = (self.nodes.get(&edge.source), self.nodes.get(&edge.destination))
        else {
            return;
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
            return;
        };
        let PendingEdge { edge: described, at, place, .. } = edge;
        let life = described.life;
        match self.changes(Owner::Edge(edge_type), described) {
            Ok(changes) => self.emit(element, life, changes, &place),
            Err(reason) => self.rejects.push(Reject { place, reason: at_edge(at, reason) }),
        }
    }

    fn refuse_edge(&mut self, edge: &PendingEdge, reason: Reason) {
        self.rejects.push(Reject { place: edge.place.clone(), reason: at_edge(edge.at, reason) });
    }
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
