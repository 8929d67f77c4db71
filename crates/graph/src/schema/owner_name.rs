//! Owners of features by name, for graphs whose schemas give them different numbers or none.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Owner, Schema};
use crate::{EdgeKey, Element, Name, NodeKey};

/// An owner of features, by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnerName {
    /// A node type.
    Node(Name),
    /// An edge type: source type, relation, destination type.
    Edge(Name, Name, Name),
    /// All merges.
    Merge,
}

impl OwnerName {
    /// The name of the owner of an element's features.
    #[inline]
    pub fn of_element(element: &Element) -> OwnerName {
        match element {
            Element::Node(key) => OwnerName::of_node(key),
            Element::Edge(key) => OwnerName::of_edge(key),
            Element::Merge { .. } => OwnerName::Merge,
        }
    }

    /// The name of the owner of a node's features.
    #[inline]
    pub fn of_node(key: &NodeKey) -> OwnerName {
        OwnerName::Node(key.node_type.clone())
    }

    /// The name of the owner of an edge's features.
    #[inline]
    pub fn of_edge(key: &EdgeKey) -> OwnerName {
        OwnerName::Edge(key.source.node_type.clone(), key.relation.clone(), key.destination.node_type.clone())
    }

    /// The name of an owner; empty names for an owner of another schema.
    pub fn of(schema: &Schema, owner: Owner) -> OwnerName {
        match owner {
            Owner::Node(id) => OwnerName::Node(schema.node_type_name(id)),
            Owner::Merge => OwnerName::Merge,
            Owner::Edge(id) => match schema.edge_types().get(id.at()) {
                Some(edge) => OwnerName::Edge(
                    schema.node_type_name(edge.source),
                    edge.relation.clone(),
                    schema.node_type_name(edge.destination),
                ),
                None => OwnerName::Edge("".into(), "".into(), "".into()),
            },
        }
    }

    /// The name for messages: `user`, or `user -buys-> item`.
    pub fn full(&self) -> String {
        match self {
            OwnerName::Node(_) | OwnerName::Merge => self.to_string(),
            OwnerName::Edge(source, relation, destination) => format!("{source} -{relation}-> {destination}"),
        }
    }

    /// The owner of this name; none if the schema has it not.
    #[inline]
    pub fn find(&self, schema: &Schema) -> Option<Owner> {
        Some(match self {
            OwnerName::Node(name) => Owner::Node(schema.node_type(name)?),
            OwnerName::Edge(source, relation, destination) => {
                Owner::Edge(schema.edge_type_named(source, relation, destination)?)
            }
            OwnerName::Merge => Owner::Merge,
        })
    }
}

/// As reports count features: by node type, by relation, or `merge`.
impl fmt::Display for OwnerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OwnerName::Node(name) | OwnerName::Edge(_, name, _) => f.write_str(name),
            OwnerName::Merge => f.write_str("merge"),
        }
    }
}
