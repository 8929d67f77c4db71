//! What a version does not list: it ends, stands in for edges, or lives on with the namespaces that hold it.

use std::collections::{BTreeMap, BTreeSet};

use timeweft_graph::delta::Living;
use timeweft_graph::{Action, At, EdgeKey, Element, Event, Features, Name, NodeKey};

use super::{Listing, Plan, Stays};

impl<'a> Plan<'a> {
    /// The node as it lives just before the version.
    pub(super) fn living_node(&self, key: &NodeKey) -> Option<Living> {
        let features = self.before.graph().node(key, At::now())?.features;
        Some(Living { features, creator: self.before.node_owner(key)? })
    }

    /// The edge as it lives just before the version.
    pub(super) fn living_edge(&self, key: &EdgeKey) -> Option<Living> {
        let features = self.before.graph().edge(key, At::now())?.features;
        Some(Living { features, creator: self.before.edge_owner(key)? })
    }

    fn update_node(&mut self, node: &NodeKey, features: Features) {
        if !features.is_empty() {
            let event = Event { time: self.at, action: Action::Update, element: Element::Node(node.clone()), features };
            self.stages.node_updates.push((event, self.absent.clone()));
        }
    }

    /// Nodes that stand in for missing ones have no value.
    pub(super) fn stubs(&mut self, stays: &Stays<'a>) {
        let stubs: BTreeSet<_> = stays.stubs.iter().copied().collect();
        self.report.nodes.stubs = stubs.len() as u64;
        for stub in stubs {
            match self.living_node(stub) {
                None => {
                    let event = Event::new(self.at, Action::Create, Element::Node(stub.clone()));
                    self.stages.node_creates.push((event, self.absent.clone()));
                }
                Some(node) => {
                    let features = node.stand_in(&self.namespace);
                    self.report.nodes.emptied += u64::from(!features.is_empty());
                    self.update_node(stub, features);
                }
            }
        }
    }

    /// Nodes that the namespace lets go.
    pub(super) fn absent_nodes(&mut self, stays: &Stays<'a>) {
        let gone: BTreeSet<_> = self.own_nodes.iter().filter(|node| !stays.contains(node)).cloned().collect();
        self.report.nodes.gone = gone.len() as u64;
        let mut needs = self.needs(&gone);
        for key in gone {
            let Some(node) = self.living_node(&key) else { continue };
            let needed_by = needs.remove(&key).unwrap_or_default();
            if let Some(features) = node.let_go(&self.namespace) {
                self.report.nodes.left_to_others += 1;
                self.update_node(&key, features);
            } else if !needed_by.is_empty() && !self.options.end_foreign_edges {
                self.report.nodes.handed_over += 1;
                needed_by.iter().for_each(|name| *self.report.needed_by.entry(name.clone()).or_default() += 1);
                self.update_node(&key, node.hand_over(needed_by));
                self.needed.insert(key);
            } else {
                let event = Event::new(self.at, Action::Delete, Element::Node(key.clone()));
                self.stages.node_deletes.push((event, self.absent.clone()));
                self.ending.insert(key);
            }
        }
        self.report.edges.ended_elsewhere = self.foreign_edges().filter(|(edge, _)| self.ends(edge)).count() as u64;
    }

    /// The edges that other namespaces hold, and which ones.
    fn foreign_edges(&self) -> impl Iterator<Item = (EdgeKey, BTreeSet<Name>)> {
        let edges = self.before.graph().edges(None, At::now()).into_iter();
        edges.filter_map(|edge| {
            let mut shares = self.living_edge(&edge.key)?.shares();
            shares.remove(&self.namespace);
            let held_by: BTreeSet<Name> = shares.namespaces().cloned().collect();
            (!held_by.is_empty()).then_some((edge.key, held_by))
        })
    }

    /// The namespaces that hold edges at these nodes, beside the version's own.
    fn needs(&self, nodes: &BTreeSet<NodeKey>) -> BTreeMap<NodeKey, BTreeSet<Name>> {
        let mut needs = BTreeMap::<NodeKey, BTreeSet<Name>>::new();
        for (edge, held_by) in self.foreign_edges() {
            for end in [edge.source, edge.destination].into_iter().filter(|end| nodes.contains(end)) {
                needs.entry(end).or_default().extend(held_by.iter().cloned());
            }
        }
        needs
    }

    /// Whether an edge ends with one of its nodes.
    fn ends(&self, edge: &EdgeKey) -> bool {
        self.ending.contains(&edge.source) || self.ending.contains(&edge.destination)
    }

    /// Edges that the namespace lets go.
    pub(super) fn absent_edges(&mut self, listing: &Listing<'a, EdgeKey>) {
        let absent: BTreeSet<_> = self.own_edges.iter().filter(|edge| !listing.contains_key(edge)).cloned().collect();
        let mut kept = Vec::new();
        for edge in absent {
            if self.ends(&edge) {
                self.report.edges.gone += 1;
            } else if self.unknown.names_edge(&edge) {
                self.report.edges.unreadable += 1;
            } else if self.unknown.may_be_edge(&edge) {
                self.report.edges.kept += 1;
                kept.push(edge);
            } else {
                self.report.edges.gone += 1;
                self.let_go_edge(edge);
            }
        }
        self.tell_kept_edges(&kept);
    }

    fn let_go_edge(&mut self, edge: EdgeKey) {
        let left = self.living_edge(&edge).and_then(|living| living.let_go(&self.namespace));
        let element = Element::Edge(edge);
        match left {
            None => {
                self.stages.edge_deletes.push((Event::new(self.at, Action::Delete, element), self.absent.clone()));
            }
            Some(features) => {
                self.report.edges.left_to_others += 1;
                let event = Event { time: self.at, action: Action::Update, element, features };
                self.stages.edge_updates.push((event, self.absent.clone()));
            }
        }
    }
}
