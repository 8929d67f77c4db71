//! Listed nodes, and those that are not.

use timeweft_graph::rows::RowRef;
use timeweft_graph::{Action, Element, NodeIndex, Reason};

use super::{Join, Step, count_changed, count_created, lived, note_id};
use crate::NONE;

impl Join<'_> {
    pub(super) fn node(&mut self, row: RowRef<'_>) {
        let node = self.find(row.node_type(), row.id(), self.next_node);
        let life = node.map_or(NONE, |node| self.index.nodes.get(node).life);
        let open = life != NONE && self.index.nodes.lives[life as usize].interval.is_open();
        match node {
            Some(node) if open => self.living_node(row, node, life),
            _ => self.new_node(row, node),
        }
    }

    fn living_node(&mut self, row: RowRef<'_>, node: NodeIndex, life: u32) {
        self.next_node = node.0 + 1;
        let owner = self.index.nodes.lives[life as usize].namespace;
        if self.listed_nodes.has(node.at()) {
            let why = format!("node {} is listed twice: its first record counts", self.index.node_key(node));
            self.report.nodes.duplicates += 1;
            return self.reject(row.place(), Reason::Malformed(why));
        }
        self.listed_nodes.set(node.at());
        self.report.nodes.listed += 1;
        if owner != self.speaker {
            let (element, owner) = (format!("node {}", self.index.node_key(node)), self.index.namespaces.get(owner));
            let owner = owner.cloned().unwrap_or_else(|| "".into());
            self.report.nodes.foreign += 1;
            return self.reject(row.place(), Reason::ForeignNamespace { element, owner });
        }
        self.compare(self.index.nodes.lives[life as usize].track, row);
        if self.sets.is_empty() {
            self.report.nodes.unchanged += 1;
            return;
        }
        if let Err(reason) = self.index.check_order(node, self.at) {
            return self.reject(row.place(), reason);
        }
        let only_new = self.count_changes(row.owner());
        count_changed(&mut self.report.nodes, only_new);
        let features = self.named(row.owner());
        self.index.update_life(node, self.at, &self.sets);
        self.step(Action::Update, Element::Node(self.index.node_key(node).clone()), features);
    }

    fn new_node(&mut self, row: RowRef<'_>, known: Option<NodeIndex>) {
        if let Some(Err(reason)) = known.map(|node| self.index.check_order(node, self.at)) {
            return self.reject(row.place(), reason);
        }
        let lived_before = known.is_some_and(|node| lived(&self.index.nodes.lives, self.index.nodes.get(node).life));
        self.intern(row);
        note_id(&mut self.largest, row.node_type(), row.id());
        let node = known.unwrap_or_else(|| {
            let key = row.node_key(&self.index.schema);
            self.index.nodes.add(row.node_type(), key)
        });
        self.index.begin_life(node, self.at, (&self.sets, true), self.speaker);
        self.listed_nodes.set(node.at());
        self.next_node = node.0 + 1;
        self.report.nodes.listed += 1;
        count_created(&mut self.report.nodes, lived_before);
        self.steps.push(Step::Create(row.at() as u32));
    }

    /// Whether a node lives after this version.
    pub(super) fn stays(&self, node: NodeIndex) -> bool {
        let Some(life) = self.index.nodes.latest_life(node).filter(|life| life.interval.is_open()) else {
            return false;
        };
        life.namespace != self.speaker || self.listed_nodes.has(node.at()) || self.stubs.has(node.at())
    }

    /// Ends the nodes that are not listed.
    pub(super) fn absent_nodes(&mut self) {
        for node in (0..self.index.n_nodes() as u32).map(NodeIndex) {
            let own = self.index.nodes.latest_life(node);
            let own = own.is_some_and(|life| life.interval.is_open() && life.namespace == self.speaker);
            if !own || self.stays(node) {
                continue;
            }
            self.report.nodes.gone += 1;
            match self.index.end_life(node, self.at) {
                Ok(()) => {
                    self.gone_nodes.set(node.at());
                    self.step(Action::Delete, Element::Node(self.index.node_key(node).clone()), Vec::new());
                }
                Err(reason) => self.reject(absent(), reason),
            }
        }
    }
}

/// The place of an element that no record names.
pub(super) fn absent() -> timeweft_graph::Place {
    timeweft_graph::Place { file: "<not listed>".into(), line: 0 }
}
