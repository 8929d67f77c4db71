//! Answers to questions of a hierarchy.

use timeweft::export::table_writer::{Cell, CellKind, Column, RowBatches};
use timeweft::read::query::Row;
use timeweft::read::{NodeTypeId, Owner};
use timeweft::{Name, View};

use crate::Result;
use crate::cells::{life_cells, life_columns, node_cells, node_columns};
use crate::features::{FeatureColumns, Selected};
use crate::table::{IdKind, Table};

const NAMES: [&str; 7] = ["node", "type", "id", "created", "removed", "hops", "relations"];

/// The rows of an answer, in their order.
///
/// | column | type |
/// |---|---|
/// | `node` | `UInt32`: its dense number |
/// | `type`, `id`, `created`, `removed` | as in [`nodes`](crate::nodes) |
/// | `hops` | `UInt32`: fewest hops from the node that was asked about; 0 where none was |
/// | `relations` | `List(Utf8)`: of the edges between the two, where the answer is one hop away |
/// | features | those that the query selected, or with [`Selected::All`] all that nodes of the types in the answer may have |
///
/// # Errors
/// [`Error::Unknown`](crate::Error::Unknown) if no node type has such a feature.
pub fn answer(view: &View, found: &[Row], selected: &Selected) -> Result<Table> {
    let (schema, index) = (view.schema(), view.index());
    let is_shown = |of_type: &Name| found.iter().any(|row| row.node.key.node_type == *of_type);
    let all = (0..).map(NodeTypeId).zip(schema.node_types());
    let shown = all.filter(|(_, known)| *selected != Selected::All || is_shown(&known.name));
    let owners: Vec<Owner> = shown.map(|(id, _)| Owner::Node(id)).collect();
    let features = FeatureColumns::of(schema, &owners, selected)?;
    let mut columns = vec![Column::new("node", CellKind::Index)];
    columns.extend(node_columns("", IdKind::of_all(view)));
    columns.extend(life_columns(view.unit()));
    columns.extend([Column::new("hops", CellKind::Index), Column::new("relations", CellKind::Texts)]);
    columns.extend(features.columns(&NAMES));
    let mut rows = RowBatches::new(columns);
    for row in found {
        let number = index.node_index(&row.node.key).unwrap_or(timeweft::sample::NO_NODE);
        let mut cells = vec![Cell::Index(number.0)];
        cells.extend(node_cells(&row.node.key));
        cells.extend(life_cells(row.node.life));
        let mut relations: Vec<Name> = row.edges.iter().map(|edge| edge.key.relation.clone()).collect();
        relations.dedup();
        cells.extend([Cell::Index(row.depth), Cell::Texts(relations)]);
        cells.extend(features.cells(&row.node.features));
        rows.row(cells)?;
    }
    Table::of(rows)
}
