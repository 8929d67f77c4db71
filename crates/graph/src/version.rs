//! A whole version of a graph, as a release of a taxonomy, an ontology or a warehouse lists it.

use crate::{EdgeKey, Name, NodeKey, Place, Reject, Schema, Value};

/// Everything that one release lists. Order means nothing.
#[derive(Clone, Debug, Default)]
pub struct Version {
    /// Types and features that the format declares, with the order semantics of their lists.
    pub schema: Schema,
    /// Nodes that exist in this version.
    pub nodes: Vec<Listed<NodeKey>>,
    /// Edges that exist in this version.
    pub edges: Vec<Listed<EdgeKey>>,
    /// Merges that the release names (often cumulative, undated).
    pub merges: Vec<ListedMerge>,
    /// Records that could not be read.
    pub rejects: Vec<Reject>,
}

/// An element that a version lists.
#[derive(Clone, Debug)]
pub struct Listed<K> {
    /// Which element.
    pub key: K,
    /// All its features; a feature that is absent here has no value in this version.
    pub features: Vec<(Name, Value)>,
    /// Where it stands in the source.
    pub place: Place,
}

/// A merge that a version lists.
#[derive(Clone, Debug)]
pub struct ListedMerge {
    /// The node that is no more.
    pub from: NodeKey,
    /// What it became.
    pub into: NodeKey,
    /// Where it stands in the source.
    pub place: Place,
}
