//! Listed nodes, and those that are not.

use timeweft_graph::rows::RowRef;
use timeweft_graph::{Action, Element, NodeIndex, Reason};

use super::{LogStep, VersionLoader, count_changed, count_created, lived};
use crate::NONE;
use crate::elements::life::LifeRecord;
use crate::intake::lifecycle::{FirstFeatures, NewNode};

impl VersionLoader<'_> {
    pub(super) fn node(&mut self, row: RowRef<'_>) {
        let node = self.index.nodes.find_near(row.node_type(), row.id(), self.next_node);
        let life = node.map_or(NONE, |node| self.index.nodes.life(node));
        let open = life != NONE && self.index.nodes.lives[life as usize].interval.is_open();
        match node {
            Some(node) if open => self.living_node(row, node, life),
            _ => self.new_node(row, node),
        }
    }

    fn living_node(&mut self, row: RowRef<'_>, node: NodeIndex, life: u32) {
        self.next_node = node.0 + 1;
        if self.unknown.has_node(node) {
            return;
        }
        if self.listed_nodes.has(node.at()) {
            let why = format!("node {} is listed twice: its first record counts", self.index.node_key(node));
            self.report.nodes.duplicates += 1;
            return self.reject(row.place(), Reason::Malformed(why));
        }
        self.listed_nodes.set(node.at());
        self.report.nodes.listed += 1;
        if self.index.nodes.owner(node) != self.namespace_id || self.shared.has_node(node) {
            return self.shared_node(row, node);
        }
        self.compare(self.index.nodes.lives[life as usize].feature_row(), row);
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
        self.index.update_node(node, self.at, &self.sets);
        self.step(Action::Update, Element::Node(self.index.node_key(node)), features);
    }

    fn new_node(&mut self, row: RowRef<'_>, known: Option<NodeIndex>) {
        if let Err(reason) = self.index.check_new_node(known, self.at) {
            return self.reject(row.place(), reason);
        }
        let lived_before = known.is_some_and(|node| lived(&self.index.nodes.lives, self.index.nodes.life(node)));
        self.intern(row);
        let new = NewNode { node_type: row.node_type(), id: row.id(), known };
        let first = FirstFeatures { sets: &self.sets, plain: true };
        let node = self.index.create_node(new, self.at, first, self.namespace_id);
        self.listed_nodes.set(node.at());
        self.next_node = node.0 + 1;
        self.report.nodes.listed += 1;
        count_created(&mut self.report.nodes, lived_before);
        self.steps.push(LogStep::Create(row.at() as u32));
    }

    /// Whether a node lives after this version.
    pub(super) fn stays(&self, node: NodeIndex) -> bool {
        // What is listed lives, and most ends of edges are.
        if self.listed_nodes.has(node.at()) {
            return true;
        }
        let lives = self.index.nodes.is_open(node);
        lives && (self.node_held_by(node).others || self.stubs.has(node.at()) || self.keeps(node))
    }
}

/// The place of an element that no record names.
pub(super) fn absent() -> timeweft_graph::Place {
    timeweft_graph::Place { file: "<not listed>".into(), line: 0 }
}
