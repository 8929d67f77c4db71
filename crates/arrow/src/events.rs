//! The events of a span of time.

use timeweft::export::EventColumns;
use timeweft::export::table_writer::{CellKind, RowBatches};
use timeweft::{Time, View};

use crate::Result;
use crate::table::{IdKind, Table};

/// The events with a time in `[from, until)`, by time and then in the order of the log, with the columns of the tables that
/// [`write_event_table`](timeweft::export::write_event_table) writes: loaded as events, all of them make the same graph.
/// [`Time::FOREVER`] is no end.
///
/// | column | type |
/// |---|---|
/// | `time` | `Timestamp(unit, "UTC")`, or `Int64` in a graph that counts steps |
/// | `action`, `entity` | `Utf8`: `create`, `update`, `delete` of a `node`, an `edge`, or a `merge` |
/// | `source_type`, `relation`, `destination_type` | `Utf8` |
/// | `source`, `destination` | `UInt64` if every id that the graph ever had is a whole number, else `Utf8` |
/// | `key` | `Utf8`: what tells parallel edges apart |
/// | `_ended` | `Utf8` with a JSON list: the features whose value the event ends |
/// | features | each with the type of its values, JSON where they are of several kinds; null where the event says nothing |
pub fn events(view: &View, from: Time, until: Time) -> Result<Table> {
    let index = view.index();
    let mut columns = EventColumns::default();
    index.events_between(from, until).for_each(|event| columns.note(&event));
    let id = IdKind::of_all(view).cell_kind();
    let mut rows = RowBatches::new(columns.columns(CellKind::Time(view.unit()), id));
    for event in index.events_between(from, until) {
        rows.row(columns.row(&event)?)?;
    }
    Table::of(rows)
}
