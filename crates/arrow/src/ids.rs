//! Types and ids of many nodes.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray, UInt64Array};
use timeweft::View;
use timeweft::read::{IdRef, NodeIndex};

use crate::Result;
use crate::table::{Columns, IdKind, Table, ranges};

/// The type and id of each node, in the order given, as `type` (`Utf8`) and `id` (`UInt64` if every id that the graph ever had
/// is a whole number, else `Utf8`); null where the graph has no such node.
///
/// # Errors
/// If a column is too large.
pub fn node_ids(view: &View, nodes: &[NodeIndex]) -> Result<Table> {
    let (index, schema) = (view.index(), view.schema());
    let found = || index.node_ids(nodes.iter().copied());
    let types = found().map(|found| found.map(|(of_type, _)| &*schema.node_types()[of_type.at()].name));
    let ids: ArrayRef = match IdKind::of_all(view) {
        IdKind::Number => Arc::new(UInt64Array::from_iter(found().map(|found| match found {
            Some((_, IdRef::Int(number))) => Some(number),
            _ => None,
        }))),
        IdKind::Text => Arc::new(StringArray::from_iter(found().map(|found| {
            found.map(|(_, id)| match id {
                IdRef::Int(number) => number.to_string(),
                IdRef::Text(text) => text.to_owned(),
            })
        }))),
    };
    let mut columns = Columns::new(ranges(nodes.len()));
    columns.add_array("type", Arc::new(StringArray::from_iter(types)), true);
    columns.add_array("id", ids, true);
    columns.finish()
}
