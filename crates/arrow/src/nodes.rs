//! The nodes at a moment.

use std::ops::Range;

use arrow_array::BooleanArray;
use std::sync::Arc;
use timeweft::read::features::Owners;
use timeweft::read::{NodeTypeId, Owner};
use timeweft::sample::{AsOf, Roots};
use timeweft::{At, Deletes, View};

use crate::features::{self, FeatureColumns, Selected};
use crate::table::{IdKind, Table};
use crate::{Error, Result};

pub(crate) const NAMES: [&str; 6] = ["node", "type", "id", "created", "removed", "deleted"];

/// The nodes that a moment shows, of one type if one is named, by dense number.
///
/// | column | type |
/// |---|---|
/// | `node` | `UInt32`: its dense number |
/// | `type` | `Utf8` |
/// | `id` | `UInt64` if every id that the types ever had is a whole number, else `Utf8` |
/// | `created`, `removed` | `Timestamp(unit, "UTC")`, or `Int64` in a graph that counts steps; an open end is null |
/// | `deleted` | `Boolean`, with soft deletes alone: whether the life is over |
/// | features | as [`Selected`] says, null where there is nothing |
///
/// # Errors
/// [`Error::Unknown`] if the graph has no such type or feature.
pub fn nodes(view: &View, at: At, node_type: Option<&str>, selected: &Selected) -> Result<Table> {
    let (index, schema) = (view.index(), view.schema());
    let types: Vec<NodeTypeId> = match node_type {
        Some(name) => vec![known_type(view, "type", name)?],
        None => (0..schema.node_types().len() as u16).map(NodeTypeId).collect(),
    };
    let owners: Vec<Owner> = types.iter().map(|of_type| Owner::Node(*of_type)).collect();
    let feature_columns = FeatureColumns::of(schema, &owners, selected)?;
    let found = index.node_columns(node_type, at);
    let times = vec![at.time; found.nodes.len()];
    let owners = |range: Range<usize>| {
        let roots = Roots::new(&found.nodes[range.clone()], &times[range]).map_err(timeweft::Error::from)?;
        Ok(Owners::nodes(roots, AsOf::At).deletes(at.deletes))
    };
    let read = feature_columns.read(index, found.nodes.len(), owners, &NAMES)?;
    let columns = features::columns(read, |columns| {
        columns.add_numbers("node", found.nodes.iter().map(|node| node.0));
        columns.add_texts("type", |row| &schema.node_types()[found.types[row].at()].name);
        columns.add_ids("id", index, IdKind::of(view, types), &found.nodes);
        columns.add_times("created", view.unit(), &found.created);
        columns.add_ends("removed", view.unit(), &found.removed);
        if at.deletes == Deletes::Soft {
            let is_over = found.removed.iter().map(|end| Some(*end <= at.time && *end != timeweft::Time::FOREVER));
            columns.add_array("deleted", Arc::new(is_over.collect::<BooleanArray>()), false);
        }
    });
    columns.finish()
}

/// The node type of a name; `argument` is what the error names.
///
/// # Errors
/// [`Error::Unknown`] if the graph has no such type.
pub fn known_type(view: &View, argument: &'static str, name: &str) -> Result<NodeTypeId> {
    let schema = view.schema();
    schema.node_type(name).ok_or_else(|| {
        let known = schema.node_types().iter().map(|known| known.name.to_string()).collect();
        Error::Unknown { argument, kind: "node type", name: name.into(), known }
    })
}
