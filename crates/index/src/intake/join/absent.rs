//! What a version does not list: it ends, stands in for edges, or lives on with the namespaces that hold it.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use timeweft_graph::{Action, EdgeIndex, Element, Name, NodeIndex};

use super::nodes::absent;
use super::{Bits, VersionLoader};
use crate::intake::lifecycle::EdgesAt;

impl VersionLoader<'_> {
    /// Lets go what is not listed.
    pub(super) fn absent(&mut self) {
        let gone = (0..self.index.n_nodes() as u32).map(NodeIndex).filter(|&node| {
            let stays = self.listed_nodes.has(node.at()) || self.stubs.has(node.at());
            !stays && self.lives_here(node) && !self.keeps(node)
        });
        let (left, alone): (Vec<NodeIndex>, Vec<NodeIndex>) = gone.partition(|&node| self.node_held_by(node).others);
        self.report.nodes.gone = (left.len() + alone.len()) as u64;
        for node in left {
            if let Some(features) = self.index.living_node(node).let_go(&self.namespace) {
                self.report.nodes.left_to_others += 1;
                self.note_let_go(Element::Node(self.index.node_key(node)), features);
            }
        }
        let mut at_nodes = self.edges_at(&alone);
        let (mut ending, mut is_ending) = (Vec::with_capacity(alone.len()), Bits::new(self.index.n_nodes()));
        for node in alone {
            let needed_by = at_nodes.get(&node).map(|edges| self.needed_by(edges)).unwrap_or_default();
            if needed_by.is_empty() || self.options.end_foreign_edges {
                is_ending.set(node.at());
                ending.push(node);
            } else {
                self.hand_over(node, needed_by);
            }
        }
        self.absent_edges(&is_ending);
        ending.into_iter().for_each(|node| self.end_node(node, at_nodes.remove(&node).unwrap_or_default()));
    }

    /// The other namespaces that hold edges at a node.
    fn needed_by(&self, edges: &EdgesAt) -> BTreeSet<Name> {
        let foreign = edges.open.iter().filter(|&&edge| self.edge_held_by(edge).others);
        let names = foreign.flat_map(|&edge| self.index.holders_of_edge(edge));
        names.filter(|name| *name != self.namespace).collect()
    }

    fn hand_over(&mut self, node: NodeIndex, needed_by: BTreeSet<Name>) {
        self.report.nodes.handed_over += 1;
        needed_by.iter().for_each(|name| *self.report.needed_by.entry(name.clone()).or_default() += 1);
        let features = self.index.living_node(node).hand_over(needed_by);
        self.shared.needed.insert(node.0);
        self.note_let_go(Element::Node(self.index.node_key(node)), features);
    }

    fn end_node(&mut self, node: NodeIndex, mut at_node: EdgesAt) {
        self.ended_nodes += 1;
        // Some have ended with the node at their other end.
        at_node.open.retain(|&edge| self.index.edges.get(edge).interval.is_open());
        let foreign = at_node.open.iter().filter(|&&edge| self.edge_held_by(edge).others).count();
        match self.index.end_node(node, self.at, &at_node) {
            Ok(()) => {
                self.report.edges.ended_elsewhere += foreign as u64;
                self.gone_nodes.set(node.at());
                self.step(Action::Delete, Element::Node(self.index.node_key(node)), Vec::new());
            }
            Err(reason) => self.reject(absent(), reason),
        }
    }

    /// Lets go the edges that are not listed, but for those that end with one of their nodes.
    fn absent_edges(&mut self, ending: &Bits) {
        let mut kept = BTreeMap::new();
        for edge in (0..self.index.n_edges() as u32).map(EdgeIndex) {
            if self.listed_edges.has(edge.at()) || !self.edge_lives_here(edge) {
                continue;
            }
            let life = self.index.edges.get(edge);
            let ends_with_its_node = ending.has(life.source.at()) || ending.has(life.destination.at());
            if !ends_with_its_node && self.keeps_edge(edge, &mut kept) {
                continue;
            }
            self.report.edges.gone += 1;
            if !ends_with_its_node {
                self.let_go_edge(edge);
            }
        }
        self.tell_kept_edges(&kept);
    }

    fn let_go_edge(&mut self, edge: EdgeIndex) {
        let key = self.index.edge_key(edge);
        if self.edge_held_by(edge).others {
            if let Some(features) = self.index.living_edge_life(edge).let_go(&self.namespace) {
                self.report.edges.left_to_others += 1;
                self.note_let_go(Element::Edge(key), features);
            }
            return;
        }
        match self.index.check_edge_order(edge, self.at) {
            Err(reason) => self.reject(absent(), reason),
            Ok(()) => {
                self.index.end_edge(edge, self.at);
                self.step(Action::Delete, Element::Edge(key), Vec::new());
            }
        }
    }

    /// The edges at some nodes, by one look at all edges: making lists of them for every node would cost far more.
    fn edges_at(&self, nodes: &[NodeIndex]) -> FxHashMap<NodeIndex, EdgesAt> {
        let mut found = FxHashMap::default();
        if nodes.is_empty() {
            return found;
        }
        let mut wanted = Bits::new(self.index.n_nodes());
        nodes.iter().for_each(|node| _ = wanted.set(node.at()));
        let all = (0u32..).map(EdgeIndex).zip(&self.index.edges.lives);
        for (edge, life) in all {
            for end in [life.source, life.destination] {
                if wanted.has(end.at()) {
                    let at_node: &mut EdgesAt = found.entry(end).or_default();
                    at_node.latest = at_node.latest.max(Some(self.index.edges.latest(edge)));
                    if life.interval.is_open() && at_node.open.last() != Some(&edge) {
                        at_node.open.push(edge);
                    }
                }
            }
        }
        found
    }
}
