//! What a version leaves unknown, or would end by a section without a record.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::{DeltaError, Listing, OfType, Plan, Stays, kept, refused_sections};
use crate::{EdgeKey, Element, Name, NodeKey, Scope, Unreadable};

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
        for (at, told) in &self.version.unreadable {
            if let (Unreadable::OneOf(scope), Some(reject)) = (told, self.version.rejects.get(*at)) {
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
