//! Late events: those before something that the graph knows already of the same element.

use timeweft_graph::{Action, EdgeKey, Element, Event, Name, NodeIndex, NodeKey, Time};

use crate::Index;
use crate::elements::edge::EdgeEnds;
use crate::elements::events::Subject;
use crate::elements::life::{LifeRecord, chain};

impl Index {
    /// Whether an event is earlier than the latest one of its element, or than the latest birth or end of a node that it
    /// needs.
    pub fn is_late(&self, event: &Event) -> bool {
        let known = |key: &NodeKey| self.look_up(key).ok().flatten();
        match &event.element {
            Element::Node(key) => known(key).is_some_and(|node| {
                let at_edges = || self.edges_at(node).latest.is_some_and(|latest| event.time < latest);
                event.time < self.nodes.latest(node) || (event.action == Action::Delete && at_edges())
            }),
            Element::Merge { from, .. } => known(from).is_some_and(|node| event.time < self.nodes.latest(node)),
            Element::Edge(key) => self.check_edge_type(key).is_ok_and(|ends: EdgeEnds| {
                let of_ends = [ends.source, ends.destination].into_iter().flatten();
                let edge = self.find_edge(&ends, key);
                of_ends.into_iter().any(|node| self.is_born_or_gone_after(node, event.time))
                    || edge.is_some_and(|edge| event.time < self.edges.latest(edge))
            }),
        }
    }

    fn is_born_or_gone_after(&self, node: NodeIndex, time: Time) -> bool {
        self.nodes.latest_life(node).is_some_and(|life| {
            let life = life.interval;
            time < if life.is_open() { life.created } else { life.removed }
        })
    }

    /// Time of the latest event of an edge; none if it was never created.
    pub fn edge_latest(&self, key: &EdgeKey) -> Option<Time> {
        let ends = self.check_edge_type(key).ok()?;
        self.find_edge(&ends, key).map(|edge| self.edges.latest(edge))
    }

    /// How the nodes of the graph were born.
    pub fn births(&self) -> Births<'_> {
        let mut described = vec![false; self.nodes.lives.len()];
        for position in 0..self.events.len() as u32 {
            let entry = self.events.get(position);
            if let (Subject::Node(life), Action::Create) = (entry.subject, entry.action)
                && (entry.first || !entry.sets.is_empty())
            {
                described[life as usize] = true;
            }
        }
        Births { index: self, described }
    }
}

/// How the nodes of a graph were born: with features, or as nothing but a name.
pub struct Births<'a> {
    index: &'a Index,
    /// Of each life of a node: whether its create brought features.
    described: Vec<bool>,
}

impl Births<'_> {
    /// Whether a node may as well have been born before its first life began, as far as a namespace knows: it brought the
    /// node, and said nothing of it then. A node that was never created may.
    pub fn may_be_earlier(&self, key: &NodeKey, namespace: &Name) -> bool {
        let Some(node) = self.index.look_up(key).ok().flatten() else { return true };
        let first = chain(&self.index.nodes.lives, self.index.nodes.life(node)).last();
        first.is_none_or(|life| {
            let owner = self.index.nodes.owners.get(life as usize).and_then(|owner| self.index.namespaces.get(*owner));
            owner.is_none_or(|owner| owner == namespace) && !self.described[life as usize]
        })
    }

    /// When the latest life of a node began.
    pub fn latest(&self, key: &NodeKey) -> Option<Time> {
        let node = self.index.look_up(key).ok().flatten()?;
        self.index.nodes.latest_life(node).map(|life| life.interval().created)
    }
}
