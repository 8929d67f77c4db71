//! What a version leaves unknown: a record that cannot be read does not say that its element is gone.

use crate::{EdgeKey, Name, NodeKey};

/// The elements that a record is about which could not be read, as far as its rest shows.
///
/// Such an element keeps its whole state if it lives in the namespace, whatever other records say of it. One that does not
/// live follows from the other records alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// This node.
    Node(NodeKey),
    /// This edge.
    Edge(EdgeKey),
    /// Edges from this node to unknown nodes. Those that the version lists count as listed.
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
