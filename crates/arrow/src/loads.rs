//! The registry of loads.

use timeweft::export::table_writer::{Cell, CellKind, Column, RowBatches};
use timeweft::load::{LoadId, LoadRecord, LoadState};
use timeweft::{Commit, Graph, Time, TimeUnit};

use crate::Result;
use crate::table::Table;

/// The loads, oldest first.
///
/// | column | type |
/// |---|---|
/// | `load`, `commit` | `Int64` |
/// | `namespace`, `version` | `Utf8`; a load that brought no version has none |
/// | `timestamp`, `release` | when the version took effect, and when its source released it |
/// | `state` | `Utf8`: `complete`, `rolled back`, or `rollback` |
/// | `by` | `Int64`: the load that took it back, or that it took back |
/// | `events`, `rejected` | `Int64`: accepted events and rejected records |
/// | `nodes_created` to `merges_deleted` | `Int64`: accepted events by kind of element and action |
/// | `started`, `completed` | `Timestamp(ms, "UTC")`: by the clock of the machine |
/// | `source`, `format`, `content_hash` | `Utf8` |
pub fn loads(graph: &Graph) -> Result<Table> {
    loads_at(graph, graph.commit())
}

/// The registry as it was at a commit.
pub fn loads_at(graph: &Graph, commit: Commit) -> Result<Table> {
    let mut rows = RowBatches::new(columns(graph.unit()));
    for load in graph.loads().iter().filter(|load| load.commit <= commit) {
        let taken_back_later = |by: LoadId| graph.loads().iter().any(|load| load.id == by && load.commit > commit);
        let (state, by) = match (load.undoes, graph.load_state(load.id)) {
            (Some(undone), _) => ("rollback", Some(undone)),
            (None, Some(LoadState::RolledBack { by })) if !taken_back_later(by) => ("rolled back", Some(by)),
            _ => ("complete", None),
        };
        rows.row(cells(load, state, by))?;
    }
    Table::of(rows)
}

pub(crate) fn columns(unit: TimeUnit) -> Vec<Column> {
    let (time, clock) = (CellKind::Time(unit), CellKind::Time(TimeUnit::Milli));
    let mut columns = vec![
        Column::new("load", CellKind::Int),
        Column::new("commit", CellKind::Int),
        Column::new("namespace", CellKind::Text),
        Column::nullable("version", CellKind::Text),
        Column::nullable("timestamp", time),
        Column::nullable("release", time),
        Column::new("state", CellKind::Text),
        Column::nullable("by", CellKind::Int),
        Column::new("events", CellKind::Int),
        Column::new("rejected", CellKind::Int),
    ];
    for element in ["nodes", "edges", "merges"] {
        columns.extend(
            ["created", "updated", "deleted"].map(|did| Column::new(&format!("{element}_{did}"), CellKind::Int)),
        );
    }
    columns.extend([Column::new("started", clock), Column::new("completed", clock)]);
    columns.extend([
        Column::new("source", CellKind::Text),
        Column::nullable("format", CellKind::Text),
        Column::new("content_hash", CellKind::Text),
    ]);
    columns
}

fn cells<'a>(load: &'a LoadRecord, state: &'a str, by: Option<LoadId>) -> impl Iterator<Item = Cell<'a>> {
    let int = |number: u64| Cell::Int(number as i64);
    let moment = |time: Option<Time>| time.map_or(Cell::Null, Cell::time);
    let counts = [load.counts.nodes, load.counts.edges, load.counts.merges];
    let head = [
        int(load.id.0),
        int(load.commit.0),
        Cell::Text(&load.namespace),
        Cell::from(load.version.as_deref()),
        moment(load.timestamp),
        moment(load.release_timestamp),
        Cell::Text(state),
        by.map_or(Cell::Null, |by| int(by.0)),
        int(load.events),
        int(load.rejected),
    ];
    let counts = counts.into_iter().flat_map(move |of| [int(of.created), int(of.updated), int(of.deleted)]);
    let tail = [
        Cell::Int(load.started),
        Cell::Int(load.completed),
        Cell::Text(&load.source),
        Cell::from(load.format.as_deref()),
        Cell::Text(&load.content_hash),
    ];
    head.into_iter().chain(counts).chain(tail)
}
