//! From a whole version to the events that lead there: what a release changed, bound to logical nodes.
//!
//! An element that a version no longer lists is gone, one that it lists anew is created, one whose features differ is
//! updated. Edges bind to nodes and not to versions of nodes, so a changed node costs one event and no rewired edge.
//! The events of a delta stand in an order that the ingest law accepts: edges end before their nodes, nodes begin
//! before merges into them and edges at them.

mod canonical;
mod fields;
mod merges;
mod report;
mod scopes;
mod shares;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EdgeKey, Element, Event, Features, Name, NodeKey, Place, Time, Value};

pub use crate::schema::{NAMESPACES, RESERVED, is_reserved};
pub use canonical::Canonical;
pub use fields::{Common, Fields};
pub use merges::{MergeContext, MergeDelta, Past, merge_delta};
pub use report::{DeletionReport, DeltaReport, ElementReport, MergeReport, SkippedMerge, WhySkipped};
pub use scopes::{EmptyType, Kept, OfType, kept, refused_sections};
pub use shares::{Living, Shares, Taken, held_by, lives_of};

/// What to do with an edge at a node that is not there. The same policy serves versions and event loads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dangling {
    /// The edge is left out and reported as a rejected record; everything else is taken in.
    #[default]
    Drop,
    /// The whole load is refused.
    Reject,
    /// The missing node is created without features. A node that lives but is not listed stays as it is.
    Stub,
}

/// How a delta is made.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeltaOptions {
    /// What to do with edges at missing nodes.
    pub dangling: Dangling,
    /// Consent to a version that lists nothing, which ends every element of the namespace.
    pub allow_empty: bool,
    /// Consent to the end of all nodes of these types, or edges of these relations, where the version has a section for them
    /// without a record.
    pub empty_types: Vec<Name>,
    /// Consent to features that the namespace did not have before: they are written for every element that has them.
    /// Without it they are reported and left out.
    pub add_fields: bool,
    /// Consent to the end of edges of other namespaces at nodes that no namespace lists any more. Without it such a node stands
    /// in for them, without a value.
    pub end_foreign_edges: bool,
}

/// Why there is no delta.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeltaError {
    /// Versions of a namespace come in order of time.
    #[error("timestamp {at} is not after {newest}, the newest load of the namespace: load versions in order of time")]
    NotAfter {
        /// Timestamp of the version.
        at: Time,
        /// Timestamp of the newest load.
        newest: Time,
    },
    /// A version needs a moment in time.
    #[error("a version cannot be loaded at the end of time: give its timestamp")]
    NoMoment,
    /// An empty version deletes everything.
    #[error(
        "the version lists no node and no edge, and {nodes} nodes and {edges} edges of the namespace live: check the source; only if all of them are to end, load with `allow_empty`"
    )]
    Empty {
        /// Nodes of the namespace that live.
        nodes: u64,
        /// Edges of the namespace that live.
        edges: u64,
    },
    /// A section without a record deletes all elements of its types.
    #[error("{}", scopes::empty_types(.0))]
    EmptyTypes(Vec<EmptyType>),
    /// A value that the wider kind which the version gives its feature cannot hold exactly.
    #[error(
        "feature `{feature}` of {owner} would become {kind}, which cannot hold {value}, a value that it has: give the feature of this version another name, or cast its column to the kind that it had"
    )]
    NotExact {
        /// Name of the feature.
        feature: Name,
        /// Name of its node or edge type.
        owner: String,
        /// The kind of the version.
        kind: String,
        /// The first such value.
        value: String,
    },
    /// Features with reserved names.
    #[error(
        "the version has features named {}: these names say when and in which versions an element lived: rename the features in the source",
        .0.join(", ")
    )]
    Reserved(Vec<Name>),
    /// Edges at missing nodes, under [`Dangling::Reject`].
    #[error(
        "{place}: edge {edge} needs node {missing}, which this version does not list ({count} such edges): load with `Dangling::Drop` or `Dangling::Stub`"
    )]
    Dangling {
        /// Place of the first such edge.
        place: Place,
        /// The first such edge.
        edge: Box<EdgeKey>,
        /// The missing node.
        missing: NodeKey,
        /// Number of such edges.
        count: u64,
    },
}

/// The order of two events by their elements: nodes before edges.
pub fn by_element(a: &Event, b: &Event) -> Ordering {
    match (&a.element, &b.element) {
        (Element::Node(a), Element::Node(b)) => a.cmp(b),
        (Element::Edge(a), Element::Edge(b)) => a.cmp(b),
        (a, b) => matches!(a, Element::Edge(_)).cmp(&matches!(b, Element::Edge(_))),
    }
}

/// What turns the known features into the wanted ones, sorted by name; `None` ends a value.
fn changes(known: &BTreeMap<Name, Value>, wanted: BTreeMap<Name, Value>) -> Features {
    let ended = known.keys().filter(|name| !wanted.contains_key(*name)).map(|name| (name.clone(), None));
    let mut changes: Features = ended.collect();
    changes.extend(
        wanted.into_iter().filter(|(name, value)| known.get(name) != Some(value)).map(|(name, v)| (name, Some(v))),
    );
    changes.sort_by(|a, b| a.0.cmp(&b.0));
    changes
}

fn all(features: BTreeMap<Name, Value>) -> Features {
    features.into_iter().map(|(name, value)| (name, Some(value))).collect()
}
