//! Merges: which node became which.

use timeweft::View;
use timeweft::export::table_writer::{Cell, Column, RowBatches};
use timeweft::read::MergeRecord;

use crate::Result;
use crate::cells::{JSON, features, life_cells, life_columns, node_cells, node_columns};
use crate::table::{IdKind, Table};

/// All merges that ever held, by their nodes and by time.
///
/// | column | type |
/// |---|---|
/// | `from_type`, `from_id` | the node that is no more |
/// | `into_type`, `into_id` | the node that it became |
/// | `created`, `removed` | when the merge holds; an open end is null |
/// | `features` | `Utf8` with a JSON object: features of the merge now, or at its last moment |
pub fn merges(view: &View) -> Result<Table> {
    merge_table(view, view.merges())
}

pub(crate) fn merge_table(view: &View, merges: impl Iterator<Item = MergeRecord>) -> Result<Table> {
    let mut rows = RowBatches::new(columns(view, IdKind::of_all(view)));
    for merge in merges {
        rows.row(cells(&merge))?;
    }
    Table::of(rows)
}

pub(crate) fn columns(view: &View, id: IdKind) -> Vec<Column> {
    let mut columns: Vec<Column> = node_columns("from_", id).into();
    columns.extend(node_columns("into_", id));
    columns.extend(life_columns(view.unit()));
    columns.push(Column::new("features", JSON));
    columns
}

pub(crate) fn cells(merge: &MergeRecord) -> Vec<Cell<'_>> {
    let mut cells: Vec<Cell<'_>> = node_cells(&merge.from).into();
    cells.extend(node_cells(&merge.into));
    cells.extend(life_cells(merge.interval));
    cells.push(Cell::from(features(&merge.features)));
    cells
}
