//! What a whole version of a graph says of itself, and beside its nodes and edges: the release of a taxonomy, an ontology or
//! a warehouse.

use crate::{FeatureId, Features, Name, NodeKey, Owner, Place};

/// What reads a version: the schema version of a load.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Format {
    /// Name of the format, such as `taxdump`.
    pub name: Name,
    /// The features that the reader knows, of each type. A feature that an earlier reader of the namespace did not know is
    /// a new field and no change of the data. `None`: the fields follow from the data, and all of them count.
    pub fields: Option<Vec<(Owner, Vec<FeatureId>)>>,
}

/// A merge that a version lists.
#[derive(Clone, Debug)]
pub struct ListedMerge {
    /// The node that is no more.
    pub from: NodeKey,
    /// What it became.
    pub into: NodeKey,
    /// What the release says of the merge, such as its type.
    pub features: Features,
    /// Where it stands in the source.
    pub place: Place,
}

/// A node that a version calls deleted.
#[derive(Clone, Debug)]
pub struct ListedDeletion {
    /// Which node.
    pub node: NodeKey,
    /// Where it stands in the source.
    pub place: Place,
}
