//! What a version leaves unknown: a record that cannot be read does not say that its element is gone.

use rustc_hash::FxHashSet;

use crate::{EdgeKey, Name, NodeKey};

/// What a record that could not be read would have told, as far as it shows.
///
/// An element that lives in the namespace and that is named so keeps its whole state, whatever other records say of it;
/// one that does not live is told by them alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// This node.
    Node(NodeKey),
    /// This edge.
    Edge(EdgeKey),
    /// Edges from this node, to whom is not known. Those that the version lists count as listed.
    EdgesFrom(NodeKey),
    /// One of these elements. Absence then proves nothing: all of them stay that live and are not listed.
    OneOf(Scope),
}

/// Elements by their types, as a section of a source lists them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    /// Nodes of a type; of any, if there is none.
    Nodes(Option<Name>),
    /// Edges of a relation between nodes of two types; of any, where there is none.
    #[allow(missing_docs)]
    Edges { source: Option<Name>, relation: Option<Name>, destination: Option<Name> },
}

impl Scope {
    /// Whether nodes of a type are in it.
    pub fn has_nodes(&self, node_type: &Name) -> bool {
        matches!(self, Scope::Nodes(wanted) if wanted.as_ref().is_none_or(|wanted| wanted == node_type))
    }

    /// Whether edges are in it, by the type of their sources, their relation, and the type of their destinations.
    pub fn has_edges(&self, (from, name, to): (&Name, &Name, &Name)) -> bool {
        let Scope::Edges { source, relation, destination } = self else { return false };
        let is = |wanted: &Option<Name>, name: &Name| wanted.as_ref().is_none_or(|wanted| wanted == name);
        is(source, from) && is(relation, name) && is(destination, to)
    }
}

/// What all records of a version that could not be read leave unknown: the slow form.
#[derive(Default)]
pub(crate) struct Unknown<'a> {
    pub(crate) nodes: FxHashSet<&'a NodeKey>,
    pub(crate) edges: FxHashSet<&'a EdgeKey>,
    sources: FxHashSet<&'a NodeKey>,
    scopes: Vec<&'a Scope>,
}

impl<'a> Unknown<'a> {
    pub(crate) fn of(records: impl Iterator<Item = &'a Unreadable>) -> Unknown<'a> {
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
    pub(crate) fn may_be_node(&self, node: &NodeKey) -> bool {
        self.scopes.iter().any(|scope| scope.has_nodes(&node.node_type))
    }

    /// Whether a record names this edge, or the node from which it goes.
    pub(crate) fn names_edge(&self, edge: &EdgeKey) -> bool {
        self.edges.contains(edge) || self.sources.contains(&edge.source)
    }

    /// Whether a record that does not show its edge may have been that of this one.
    pub(crate) fn may_be_edge(&self, edge: &EdgeKey) -> bool {
        let types = (&edge.source.node_type, &edge.relation, &edge.destination.node_type);
        self.scopes.iter().any(|scope| scope.has_edges(types))
    }
}
