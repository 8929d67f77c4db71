//! Times of rows.

use timeweft_graph::{Time, TimeUnit};

use super::image::number;
use crate::event_stream::finite;
use crate::tables::Cell;
use crate::tables::rows::Rows;
use crate::text::floored::Floored;

/// The time in a cell: a timestamp, a date, ticks or a text.
pub(super) fn of_cell(cell: Cell<'_>, floored: &mut Floored, unit: TimeUnit, line: u64) -> Result<Time, String> {
    let read = match cell {
        Cell::Null => return Err("the time is empty".into()),
        Cell::Nanos(nanos) => floored.instant(nanos, unit, line),
        Cell::Int(ticks) => Ok(Time(ticks)),
        Cell::Text(text) => floored.read(text.trim(), unit, line),
        Cell::String(text) => floored.read(text.trim(), unit, line),
        Cell::Json(raw) if raw.starts_with('"') => {
            let text = crate::text::json::parse::<String>(&raw)?;
            floored.read(text.trim(), unit, line)
        }
        Cell::Json(raw) => floored.read(&raw, unit, line),
        Cell::Decimal(text) => floored.read(&text, unit, line),
        Cell::Value(value) => floored.read(&value.to_string(), unit, line),
        Cell::Invalid(problem) => Err(problem),
        Cell::Bool(_) | Cell::Nested(_) => Err("expected a timestamp, a date, ticks or a text".into()),
    };
    finite(read?)
}

/// The time of Debezium in the columns `ts_ns`, `ts_us` or `ts_ms`, whose names begin so: the finest one that is there. A 0
/// is what connectors write that do not know it.
pub(super) fn of_debezium(rows: &mut dyn Rows, start: &str) -> Option<i128> {
    let columns = [("ts_ns", 1), ("ts_us", 1_000), ("ts_ms", 1_000_000)];
    let found = columns.into_iter().find_map(|(name, nanos)| Some(number(rows, &format!("{start}{name}"))? * nanos));
    found.filter(|nanos| *nanos != 0)
}
