//! Columns and cells that say which element something is about.

use std::collections::BTreeMap;

use timeweft::export::table_writer::{Cell, CellKind, Column};
use timeweft::read::FeatureKind;
use timeweft::{EdgeKey, Interval, Name, NodeKey, TimeUnit, Value};

use crate::table::IdKind;

/// A column of structured values.
pub(crate) const JSON: CellKind = CellKind::Value(FeatureKind::Json);

/// The columns of a node: `type` and `id`, behind a word of what it is.
pub(crate) fn node_columns(prefix: &str, id: IdKind) -> [Column; 2] {
    [Column::new(&format!("{prefix}type"), CellKind::Text), Column::new(&format!("{prefix}id"), id.cell_kind())]
}

/// Its cells.
pub(crate) fn node_cells(node: &NodeKey) -> [Cell<'_>; 2] {
    [Cell::Text(&node.node_type), Cell::Id(node.id.as_ref())]
}

/// The columns of an edge.
pub(crate) fn edge_columns(id: IdKind) -> Vec<Column> {
    let relation = Column::new("relation", CellKind::Text);
    let key = Column::nullable("key", CellKind::Text);
    let ends = [node_columns("source_", id).into(), vec![relation], node_columns("destination_", id).into(), vec![key]];
    ends.concat()
}

/// Its cells.
pub(crate) fn edge_cells(edge: &EdgeKey) -> Vec<Cell<'_>> {
    let mut cells: Vec<Cell<'_>> = node_cells(&edge.source).into();
    cells.push(Cell::Text(&edge.relation));
    cells.extend(node_cells(&edge.destination));
    cells.push(Cell::from(edge.key.as_deref()));
    cells
}

/// The columns of a life.
pub(crate) fn life_columns(unit: TimeUnit) -> [Column; 2] {
    [Column::new("created", CellKind::Time(unit)), Column::nullable("removed", CellKind::Time(unit))]
}

/// Its cells.
pub(crate) fn life_cells(life: Interval) -> [Cell<'static>; 2] {
    [Cell::Int(life.created.0), Cell::time(life.removed)]
}

/// Features as one JSON object.
pub(crate) fn features(features: &BTreeMap<Name, Value>) -> Value {
    Value::Json(features.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect())
}
