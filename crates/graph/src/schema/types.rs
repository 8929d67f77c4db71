//! Node types, edge types and features, each with its number in a schema.

use serde::{Deserialize, Serialize};

use crate::id::index_type;
use crate::{ElementKind, FeatureKind, ListOrder, Name};

index_type!(
    /// A node type, in the order of the schema.
    NodeTypeId(u16)
);
index_type!(
    /// An edge type (source type, relation, destination type), in the order of the schema.
    EdgeTypeId(u16)
);
index_type!(
    /// A feature of its owner type, in the order of the schema.
    FeatureId(u16)
);

/// A feature of a node or edge type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FeatureDef {
    /// Its name.
    pub name: Name,
    /// What its values are.
    #[serde(flatten)]
    pub kind: FeatureKind,
    /// How its lists compare.
    #[serde(default)]
    pub order: ListOrder,
}

/// A node type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NodeType {
    /// Its name.
    pub name: Name,
    /// Features of its nodes.
    #[serde(default)]
    pub features: Vec<FeatureDef>,
}

/// An edge type: (source type, relation, destination type).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EdgeType {
    /// Type of the sources.
    pub source: NodeTypeId,
    /// Name of the relation.
    pub relation: Name,
    /// Type of the destinations.
    pub destination: NodeTypeId,
    /// Features of its edges.
    #[serde(default)]
    pub features: Vec<FeatureDef>,
}

/// The owner of features.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Owner {
    Node(NodeTypeId),
    Edge(EdgeTypeId),
    /// All merges have the same features.
    Merge,
}

impl Owner {
    /// The kind of the elements that have the features.
    pub fn kind(self) -> ElementKind {
        match self {
            Owner::Node(_) => ElementKind::Node,
            Owner::Edge(_) => ElementKind::Edge,
            Owner::Merge => ElementKind::Merge,
        }
    }
}
