//! What a version leaves unknown, which is not gone, and what it would end by a section without a record.

use std::collections::{BTreeMap, BTreeSet};

use timeweft_graph::delta::{DeltaError, OfType, kept, refused_sections};
use timeweft_graph::rows::Rest;
use timeweft_graph::{
    Action, EdgeIndex, EdgeKey, EdgeTypeId, Element, Name, NodeIndex, NodeTypeId, Schema, Scope, Unreadable,
};

use super::{Bits, LogStep, VersionLoader};

/// Elements of which a record could not be read.
#[derive(Default)]
pub(super) struct Unknown {
    /// Whether there is no such record.
    pub(super) none: bool,
    nodes: Bits,
    edges: Bits,
    /// Nodes from which edges go that are not known.
    sources: Bits,
    /// Types of nodes of which any may be meant, and whether it may be of any type.
    types: (Vec<NodeTypeId>, bool),
    /// Files and numbers of the records that do not show which element they name, by what they may be.
    records: BTreeMap<(Scope, Name), u64>,
}

impl Unknown {
    pub(super) fn nothing() -> Unknown {
        Unknown { none: true, ..Unknown::default() }
    }

    /// Whether an edge that is listed must be left as it is.
    pub(super) fn has_edge(&self, edge: EdgeIndex) -> bool {
        !self.none && self.edges.has(edge.at())
    }

    /// Whether a node that is listed must be left as it is.
    pub(super) fn has_node(&self, node: NodeIndex) -> bool {
        !self.none && self.nodes.has(node.at())
    }

    fn may_be_node(&self, node_type: NodeTypeId) -> bool {
        self.types.1 || self.types.0.contains(&node_type)
    }
}

impl VersionLoader<'_> {
    /// Notes what the unreadable records of a file may have named.
    pub(super) fn note_unreadable(&mut self, unreadable: &[Unreadable], file: &Name) {
        for named in unreadable {
            self.unknown.none = false;
            match named {
                Unreadable::Node(key) => {
                    if let Some(node) = self.index.node_index(key).filter(|&node| self.lives_here(node)) {
                        self.unknown.nodes.set(node.at());
                    }
                }
                Unreadable::Edge(key) => {
                    if let Some(edge) = self.index.edge_index(key).filter(|&edge| self.edge_lives_here(edge)) {
                        self.unknown.edges.set(edge.at());
                    }
                }
                Unreadable::EdgesFrom(key) => {
                    if let Some(node) = self.index.node_index(key) {
                        self.unknown.sources.set(node.at());
                    }
                }
                Unreadable::OneOf(scope) => self.note_scope(scope, file),
            }
        }
    }

    fn note_scope(&mut self, scope: &Scope, file: &Name) {
        *self.unknown.records.entry((scope.clone(), file.clone())).or_default() += 1;
        match scope {
            Scope::Nodes(None) => self.unknown.types.1 = true,
            // Nothing of an unknown type lives.
            Scope::Nodes(Some(name)) => self.unknown.types.0.extend(self.index.schema.node_type(name)),
            Scope::Edges { .. } => return,
        }
        self.unknown.types.0.sort_unstable();
        self.unknown.types.0.dedup();
    }

    /// Whether a node has a life of the namespace that goes on.
    pub(super) fn lives_here(&self, node: NodeIndex) -> bool {
        let lives = self.index.nodes.is_open(node);
        lives && self.node_held_by(node).own
    }

    pub(super) fn edge_lives_here(&self, edge: EdgeIndex) -> bool {
        self.index.edges.get(edge).interval.is_open() && self.edge_held_by(edge).own
    }

    /// Whether a node that lives and is not listed is kept all the same.
    pub(super) fn keeps(&self, node: NodeIndex) -> bool {
        let unknown = &self.unknown;
        // What stands in for a missing node lives for an edge.
        !unknown.none
            && (unknown.nodes.has(node.at()) || unknown.may_be_node(self.index.node_type(node)))
            && !self.stubs.has(node.at())
    }

    /// Counts the nodes that are kept.
    pub(super) fn count_kept_nodes(&mut self) {
        if self.unknown.none {
            return;
        }
        let mut by_type = BTreeMap::<NodeTypeId, u64>::new();
        for node in (0..self.index.n_nodes() as u32).map(NodeIndex) {
            if self.listed_nodes.has(node.at()) || !self.lives_here(node) || !self.keeps(node) {
                continue;
            }
            if self.unknown.nodes.has(node.at()) {
                self.report.nodes.unreadable += 1;
            } else {
                self.report.nodes.kept += 1;
                *by_type.entry(self.index.node_type(node)).or_default() += 1;
            }
        }
        let types = self.index.schema.node_types();
        let held = by_type.iter().map(|(id, count)| (OfType::Nodes(&types[id.at()].name), *count));
        self.report.kept.extend(kept(&self.unknown.records, held));
    }

    /// Whether an edge that lives between nodes that go on, and is not listed, is kept. It is counted then, by type.
    pub(super) fn keeps_edge(&mut self, edge: EdgeIndex, by_type: &mut BTreeMap<EdgeTypeId, u64>) -> bool {
        if self.unknown.none {
            return false;
        }
        let life = self.index.edges.get(edge);
        if self.unknown.edges.has(edge.at()) || self.unknown.sources.has(life.source.at()) {
            self.report.edges.unreadable += 1;
            return true;
        }
        let of_type = edges_of(&self.index.schema, life.edge_type);
        let may_be = self.unknown.records.keys().any(|(scope, _)| of_type.is_in(scope));
        if may_be {
            self.report.edges.kept += 1;
            *by_type.entry(life.edge_type).or_default() += 1;
        }
        may_be
    }

    /// Reports the edges that are kept.
    pub(super) fn tell_kept_edges(&mut self, by_type: &BTreeMap<EdgeTypeId, u64>) {
        let held: BTreeMap<OfType<'_>, u64> =
            by_type.iter().map(|(id, count)| (edges_of(&self.index.schema, *id), *count)).collect();
        let kept = kept(&self.unknown.records, held.into_iter());
        self.report.kept.extend(kept);
    }

    /// Whether an edge that lacks an end is one of which a record could not be read.
    pub(super) fn is_unread_edge(&self, key: &EdgeKey) -> bool {
        !self.unknown.none && self.index.edge_index(key).is_some_and(|edge| self.unknown.edges.has(edge.at()))
    }

    /// Refuses a version that ended all elements of a type by a section without a record.
    pub(super) fn check_sections(&self, rest: &Rest) -> Result<(), DeltaError> {
        if rest.empty.is_empty() || self.report.nodes.listed + self.report.edges.listed == 0 {
            return Ok(());
        }
        let schema = &self.index.schema;
        let mut ending = BTreeMap::<OfType<'_>, u64>::new();
        let steps = self.steps.iter().filter_map(|step| match step {
            LogStep::Event(event) if event.action == Action::Delete => Some(&**event),
            _ => None,
        });
        for event in steps.chain(&self.shared.let_go) {
            match &event.element {
                Element::Node(node) => *ending.entry(OfType::Nodes(&node.node_type)).or_default() += 1,
                Element::Edge(edge) => *ending.entry(OfType::of_edge(edge)).or_default() += 1,
                Element::Merge { .. } => {}
            }
        }
        let nodes = (0..self.index.n_nodes()).filter(|&node| self.listed_nodes.has(node));
        let nodes: BTreeSet<NodeTypeId> = nodes.map(|node| self.index.node_type(NodeIndex(node as u32))).collect();
        let edges = (0..self.index.n_edges()).filter(|&edge| self.listed_edges.has(edge));
        let edges: BTreeSet<EdgeTypeId> = edges.map(|edge| self.index.edges.lives[edge].edge_type).collect();
        nodes.iter().for_each(|id| _ = ending.remove(&OfType::Nodes(&schema.node_types()[id.at()].name)));
        edges.iter().for_each(|id| _ = ending.remove(&edges_of(schema, *id)));
        self.dangling_edges.iter().for_each(|edge| _ = ending.remove(&OfType::of_edge(edge)));
        let refused = refused_sections(&rest.empty, ending.into_iter(), &self.options.empty_types);
        if refused.is_empty() { Ok(()) } else { Err(DeltaError::EmptyTypes(refused)) }
    }

    /// The refusal of a version without a record: it says what lives.
    pub(super) fn empty(&self) -> DeltaError {
        let nodes = (0..self.index.n_nodes() as u32).map(NodeIndex).filter(|&node| self.lives_here(node)).count();
        let edges = (0..self.index.n_edges() as u32).map(EdgeIndex).filter(|&edge| self.edge_lives_here(edge)).count();
        DeltaError::Empty { nodes: nodes as u64, edges: edges as u64 }
    }
}

fn edges_of(schema: &Schema, id: EdgeTypeId) -> OfType<'_> {
    let known = &schema.edge_types()[id.at()];
    let name = |id: NodeTypeId| &schema.node_types()[id.at()].name;
    OfType::Edges(name(known.source), &known.relation, name(known.destination))
}
