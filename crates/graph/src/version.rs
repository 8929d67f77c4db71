//! A whole version of a graph, as a release of a taxonomy, an ontology or a warehouse lists it.
//!
//! Readers of formats push what they read into a [`VersionSink`], record by record, so that no format needs more memory
//! than one record.

use crate::{
    EdgeTypeId, FeatureId, Features, Name, NodeKey, NodeTypeId, Owner, Place, Reason, Schema, Scope, Unreadable,
    ValueRef,
};

/// Takes in what a version lists. Nodes come before the first edge; merges and deletions come anywhere.
///
/// Numbers of types and features are those of [`VersionSink::schema`], where a reader declares them before it uses
/// them. What is there already keeps its number, its kind and its order semantics.
pub trait VersionSink {
    /// The types, to declare what will be listed.
    fn schema(&mut self) -> &mut Schema;

    /// What reads the version; told once, before the first record.
    fn format(&mut self, format: Format);

    /// About so many nodes and edges will come, rather more than less. Only speed depends on it: the sooner it is told, the
    /// more of the room for them is made in time.
    fn expect(&mut self, _nodes: usize, _edges: usize) {}

    /// The file that the lines of the following records belong to.
    fn file(&mut self, name: &Name);

    /// A node with all its features: one that is not given has no value in this version.
    fn node(&mut self, node_type: NodeTypeId, id: &str, features: &[(FeatureId, ValueRef<'_>)], line: u64);

    /// An edge with all its features; `key` tells parallel edges apart.
    fn edge(
        &mut self,
        edge_type: EdgeTypeId,
        ends: (&str, &str),
        key: Option<&str>,
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    );

    /// A node whose id is the decimal of a number, for formats that have it as one.
    fn numbered_node(&mut self, node_type: NodeTypeId, id: u64, features: &[(FeatureId, ValueRef<'_>)], line: u64) {
        self.node(node_type, &id.to_string(), features, line);
    }

    /// An edge without a key between such nodes.
    fn numbered_edge(
        &mut self,
        edge_type: EdgeTypeId,
        (source, destination): (u64, u64),
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    ) {
        self.edge(edge_type, (&source.to_string(), &destination.to_string()), None, features, line);
    }

    /// A merge: the first node is no more, it became the second.
    fn merge(
        &mut self,
        from: (NodeTypeId, &str),
        into: (NodeTypeId, &str),
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    );

    /// A node that the release itself calls deleted, which tells a deletion from an omission.
    fn deleted(&mut self, node_type: NodeTypeId, id: &str, line: u64);

    /// A record that could not be read, and what it would have told: that is unknown, and not gone. Those of nodes come
    /// before the first edge.
    fn unreadable(&mut self, told: Vec<Unreadable>, line: u64, reason: Reason);

    /// A section of the source that lists such elements is there, and has no record.
    fn empty(&mut self, section: Scope);

    /// A record that could not be taken in, and that leaves nothing unknown: it contradicts others, or repeats them.
    fn reject(&mut self, line: u64, reason: Reason);

    /// Something that was taken in and that people should know of. A reader tells the same fact once, not once a record.
    fn warn(&mut self, line: u64, message: String);
}

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
