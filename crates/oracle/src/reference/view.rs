//! The oracle's answers: every one by a scan.

use std::collections::BTreeMap;

use timeweft_graph::{
    At, Counts, Deletes, Diff, Direction, EdgeKey, EdgeState, ElementHistory, Event, GraphView, Life, MergeRecord,
    Name, NodeKey, NodeState, Schema, Time, Value,
};

use super::{Past, ReferenceGraph};

impl GraphView for ReferenceGraph {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn node(&self, key: &NodeKey, at: At) -> Option<NodeState> {
        let life = self.nodes.get(key)?.shown(at)?;
        let (deleted, features) = state(life, at.time);
        Some(NodeState { key: key.clone(), life: life.interval, deleted, features })
    }

    fn edge(&self, key: &EdgeKey, at: At) -> Option<EdgeState> {
        let life = self.edges.get(key)?.shown(at)?;
        let (deleted, features) = state(life, at.time);
        Some(EdgeState { key: key.clone(), life: life.interval, deleted, features })
    }

    fn iter_nodes(&self, node_type: Option<&str>, at: At) -> Box<dyn Iterator<Item = NodeState> + '_> {
        let of_type: Option<Name> = node_type.map(Into::into);
        let keys = self.nodes.keys().filter(move |key| of_type.as_ref().is_none_or(|name| key.node_type == *name));
        Box::new(keys.filter_map(move |key| self.node(key, at)))
    }

    fn iter_edges(&self, relation: Option<&str>, at: At) -> Box<dyn Iterator<Item = EdgeState> + '_> {
        let relation: Option<Name> = relation.map(Into::into);
        let keys = self.edges.keys().filter(move |key| relation.as_ref().is_none_or(|name| key.relation == *name));
        Box::new(keys.filter_map(move |key| self.edge(key, at)))
    }

    fn neighbors(&self, key: &NodeKey, direction: Direction, relation: Option<&str>, at: At) -> Vec<EdgeState> {
        let mut edges = self.edges(relation, at);
        edges.retain(|edge| match direction {
            Direction::Out => edge.key.source == *key,
            Direction::In => edge.key.destination == *key,
        });
        edges
    }

    fn node_history(&self, key: &NodeKey) -> ElementHistory {
        self.nodes.get(key).map_or(Vec::new(), |node| node.lives.clone())
    }

    fn edge_history(&self, key: &EdgeKey) -> ElementHistory {
        self.edges.get(key).map_or(Vec::new(), |edge| edge.lives.clone())
    }

    fn merges(&self) -> Vec<MergeRecord> {
        let mut merges: Vec<_> = self.merges.iter().map(|merge| merge.record()).collect();
        merges.sort_by(MergeRecord::canonical_order);
        merges
    }

    fn resolve(&self, key: &NodeKey, time: Time) -> NodeKey {
        let mut path = vec![key.clone()];
        loop {
            let last = &path[path.len() - 1];
            let holds = self.merges.iter().find(|merge| merge.from == *last && merge.leads(time));
            match holds {
                // Nodes that became each other form a circle: stop before closing it.
                Some(merge) if !path.contains(&merge.into) => path.push(merge.into.clone()),
                _ => return last.clone(),
            }
        }
    }

    fn diff(&self, from: Time, to: Time) -> Diff {
        super::diff_states((self, At::time(from)), (self, At::time(to)))
    }

    fn counts(&self, at: At) -> Counts {
        Counts {
            nodes: self.nodes(None, at).len(),
            edges: self.edges(None, at).len(),
            merges: self.merges.iter().filter(|merge| merge.life.interval.contains(at.time)).count(),
        }
    }

    fn events(&self) -> Vec<Event> {
        self.log.clone()
    }
}

impl Past {
    /// The latest life begun by then, if the view shows it.
    fn shown(&self, at: At) -> Option<&Life> {
        let begun = self.lives.iter().rfind(|life| life.interval.created <= at.time)?;
        (at.deletes == Deletes::Soft || begun.interval.contains(at.time)).then_some(begun)
    }
}

/// Whether a life is over at a time, and its features then, or at its last tick.
pub(super) fn state(life: &Life, time: Time) -> (bool, BTreeMap<Name, Value>) {
    let deleted = !life.interval.contains(time);
    let as_of = if deleted { life.interval.removed.before() } else { time };
    let held = life.features.iter().filter(|span| span.interval.contains(as_of));
    (deleted, held.map(|span| (span.name.clone(), span.value.clone())).collect())
}
