//! What a version leaves unknown, or would end by a section without a record.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use timeweft_graph::delta::{OfType, kept, refused_sections};
use timeweft_graph::{DeltaError, EdgeKey, Element, Name, NodeKey, Scope, Unreadable};

use super::{Listing, Plan, Stays};

/// A key of an element, of which records may be unread.
pub(super) trait Key: Eq + std::hash::Hash + std::fmt::Display {
    /// Whether the element lives and a record of it could not be read, so that others do not count.
    fn is_unread(&self, plan: &Plan<'_>) -> bool;
}

impl Key for NodeKey {
    fn is_unread(&self, plan: &Plan<'_>) -> bool {
        plan.own_nodes.contains(self) && plan.unknown.nodes.contains(self)
    }
}

impl Key for EdgeKey {
    fn is_unread(&self, plan: &Plan<'_>) -> bool {
        plan.own_edges.contains(self) && plan.unknown.edges.contains(self)
    }
}

impl<'a> Plan<'a> {
    /// Nodes that live on although they are not listed, or as they were although they are: unknown is not gone.
    pub(super) fn kept_nodes(&mut self, listed: &Listing<'a, NodeKey>) -> FxHashSet<NodeKey> {
        let (mut all, mut by_type) = (FxHashSet::default(), BTreeMap::<&Name, u64>::new());
        for node in &self.own_nodes {
            if self.unknown.nodes.contains(node) {
                self.report.nodes.unreadable += 1;
            } else if !listed.contains_key(node) && self.unknown.may_be_node(node) {
                self.report.nodes.kept += 1;
                *by_type.entry(&node.node_type).or_default() += 1;
            } else {
                continue;
            }
            all.insert(node.clone());
        }
        let held = by_type.into_iter().map(|(name, count)| (OfType::Nodes(name), count));
        self.report.kept.extend(kept(&self.unread_records(), held));
        all
    }

    /// Reports edges that live on although they are not listed.
    pub(super) fn tell_kept_edges(&mut self, edges: &[EdgeKey]) {
        let mut by_type = BTreeMap::<OfType<'_>, u64>::new();
        edges.iter().for_each(|edge| *by_type.entry(OfType::of_edge(edge)).or_default() += 1);
        self.report.kept.extend(kept(&self.unread_records(), by_type.into_iter()));
    }

    /// Files and numbers of the records that do not show whose they are.
    fn unread_records(&self) -> BTreeMap<(Scope, Name), u64> {
        let mut records = BTreeMap::new();
        for (at, unknown) in &self.version.unreadable {
            if let (Unreadable::OneOf(scope), Some(reject)) = (unknown, self.version.rejects.get(*at)) {
                *records.entry((scope.clone(), reject.place.file.clone())).or_default() += 1;
            }
        }
        records
    }

    /// Refuses a version that ends all elements of a type by a section without a record.
    pub(super) fn check_sections(&self, stays: &Stays<'a>, allowed: &[Name]) -> Result<(), DeltaError> {
        let sections = &self.version.empty;
        if sections.is_empty() || self.report.nodes.listed + self.report.edges.listed == 0 {
            return Ok(());
        }
        let mut ending = BTreeMap::<OfType<'_>, u64>::new();
        let gone = self.own_nodes.iter().filter(|node| !stays.contains(node));
        gone.for_each(|node| *ending.entry(OfType::Nodes(&node.node_type)).or_default() += 1);
        let left = self.stages.edge_updates.iter().filter(|(_, place)| *place == self.absent);
        for (event, _) in self.stages.edge_deletes.iter().chain(left) {
            if let Element::Edge(edge) = &event.element {
                *ending.entry(OfType::of_edge(edge)).or_default() += 1;
            }
        }
        for record in self.version.nodes.iter().filter(|record| !record.key.is_unread(self)) {
            ending.remove(&OfType::Nodes(&record.key.node_type));
        }
        for record in self.version.edges.iter().filter(|record| !record.key.is_unread(self)) {
            ending.remove(&OfType::of_edge(&record.key));
        }
        let refused = refused_sections(sections, ending.into_iter(), allowed);
        if refused.is_empty() { Ok(()) } else { Err(DeltaError::EmptyTypes(refused)) }
    }
}

/// What all records of a version that could not be read leave unknown.
#[derive(Default)]
pub(super) struct Unknown<'a> {
    pub(super) nodes: FxHashSet<&'a NodeKey>,
    pub(super) edges: FxHashSet<&'a EdgeKey>,
    sources: FxHashSet<&'a NodeKey>,
    scopes: Vec<&'a Scope>,
}

impl<'a> Unknown<'a> {
    pub(super) fn of(records: impl Iterator<Item = &'a Unreadable>) -> Unknown<'a> {
        let mut unknown = Unknown::default();
        for record in records {
            match record {
                Unreadable::Node(node) => _ = unknown.nodes.insert(node),
                Unreadable::Edge(edge) => _ = unknown.edges.insert(edge),
                Unreadable::EdgesFrom(node) => _ = unknown.sources.insert(node),
                Unreadable::OneOf(scope) => unknown.scopes.push(scope),
            }
        }
        unknown
    }

    /// Whether a record that does not show its node may have been that of this one.
    pub(super) fn may_be_node(&self, node: &NodeKey) -> bool {
        self.scopes.iter().any(|scope| scope.has_nodes(&node.node_type))
    }

    /// Whether a record names this edge, or the node from which it goes.
    pub(super) fn names_edge(&self, edge: &EdgeKey) -> bool {
        self.edges.contains(edge) || self.sources.contains(&edge.source)
    }

    /// Whether a record that does not show its edge may have been that of this one.
    pub(super) fn may_be_edge(&self, edge: &EdgeKey) -> bool {
        let types = (&edge.source.node_type, &edge.relation, &edge.destination.node_type);
        self.scopes.iter().any(|scope| scope.has_edges(types))
    }
}
