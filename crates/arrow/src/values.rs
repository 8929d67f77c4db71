//! Features of many nodes or edges, each as of its own time.

use std::ops::Range;

use timeweft::read::features::Owners;
use timeweft::read::{EdgeIndex, EdgeTypeId, NodeIndex, NodeTypeId, Owner};
use timeweft::sample::{AsOf, Roots};
use timeweft::{Deletes, Time, View};

use crate::Result;
use crate::features::{self, FeatureColumns, Selected};
use crate::table::Table;

/// Nodes or edges, by number.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Numbers<'a> {
    Nodes(&'a [NodeIndex]),
    Edges(&'a [EdgeIndex]),
}

/// A column for each feature, in the order named, and a row for each node or edge as of its time; null where there is
/// nothing. Types of columns are as [`Selected`] says.
///
/// # Errors
/// [`Error::Unknown`](crate::Error::Unknown) if nothing has such a feature.
pub fn values(
    view: &View,
    numbers: Numbers<'_>,
    (times, as_of, deletes): (&[Time], AsOf, Deletes),
    names: Vec<String>,
) -> Result<Table> {
    let schema = view.schema();
    let of: Vec<Owner> = match numbers {
        Numbers::Nodes(_) => (0..schema.node_types().len() as u16).map(|id| Owner::Node(NodeTypeId(id))).collect(),
        Numbers::Edges(_) => (0..schema.edge_types().len() as u16).map(|id| Owner::Edge(EdgeTypeId(id))).collect(),
    };
    let owners = |range: Range<usize>| {
        let times = &times[range.clone()];
        let owners = match numbers {
            Numbers::Nodes(nodes) => Roots::new(&nodes[range], times).map(|roots| Owners::nodes(roots, as_of)),
            Numbers::Edges(edges) => Owners::edges(&edges[range], times, as_of),
        };
        Ok(owners.map_err(timeweft::Error::from)?.deletes(deletes))
    };
    let columns = FeatureColumns::of(schema, &of, &Selected::Named(names))?;
    features::columns(columns.read(view.index(), times.len(), owners, &[])?, |_| {}).finish()
}
