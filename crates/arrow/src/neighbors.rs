//! The edges at a node.

use timeweft::export::table_writer::{Cell, CellKind, Column, RowBatches};
use timeweft::read::{EdgeOrder, Incident};
use timeweft::sample::Side;
use timeweft::{At, Direction, NodeKey, View};

use crate::Result;
use crate::cells::{life_cells, life_columns, node_cells, node_columns};
use crate::edges::{Relation, edge_types};
use crate::nodes::known_type;
use crate::table::{IdKind, Table};

/// The edges at a node that a moment shows, the most recently created first; those of one time by side and key.
///
/// | column | type |
/// |---|---|
/// | `side` | `Utf8`: `out` if the edge goes out from the node, `in` if it leads to it; one to itself is there twice |
/// | `edge`, `node` | `UInt32`: dense numbers of the edge's life and of the neighbor |
/// | `type`, `id` | of the neighbor |
/// | `relation`, `key` | `Utf8` |
/// | `created`, `removed` | when the edge lives; an open end is null |
///
/// # Errors
/// [`Error::Unknown`](crate::Error::Unknown) if the graph has no such node type or relation; [`timeweft::Error::UnknownNode`] if
/// it never had the node.
pub fn neighbors(view: &View, at: At, node: &NodeKey, side: Side, relation: Option<&str>) -> Result<Table> {
    check(view, node, relation)?;
    table(view, at, node, side, relation, IdKind::of_all(view))
}

/// Names that the graph does not know are mistakes.
pub(crate) fn check(view: &View, node: &NodeKey, relation: Option<&str>) -> Result<()> {
    known_type(view, "type", &node.node_type)?;
    view.node(&node.node_type, node.id.clone())?;
    if let Some(name) = relation {
        edge_types(view, Relation::Named(name))?;
    }
    Ok(())
}

pub(crate) fn columns(view: &View, id: IdKind) -> Vec<Column> {
    let mut columns = vec![
        Column::new("side", CellKind::Text),
        Column::new("edge", CellKind::Index),
        Column::new("node", CellKind::Index),
    ];
    columns.extend(node_columns("", id));
    columns.extend([Column::new("relation", CellKind::Text), Column::nullable("key", CellKind::Text)]);
    columns.extend(life_columns(view.unit()));
    columns
}

pub(crate) fn table(
    view: &View,
    at: At,
    node: &NodeKey,
    side: Side,
    relation: Option<&str>,
    id: IdKind,
) -> Result<Table> {
    let index = view.index();
    let of = Incident { node, side, relation };
    let edges = index.incident_page(of, at, EdgeOrder::Newest, 0..usize::MAX);
    let mut rows = RowBatches::new(columns(view, id));
    for (direction, edge) in edges {
        let (_, source, destination) = index.edge_ends(edge);
        let (word, neighbor) = if direction == Direction::Out { ("out", destination) } else { ("in", source) };
        let (key, other) = (index.edge_key(edge), index.node_key(neighbor));
        let mut cells = vec![Cell::Text(word), Cell::Index(edge.0), Cell::Index(neighbor.0)];
        cells.extend(node_cells(&other));
        cells.extend([Cell::Text(&key.relation), Cell::from(key.key.as_deref())]);
        cells.extend(life_cells(index.edge_interval(edge)));
        rows.row(cells)?;
    }
    Table::of(rows)
}
