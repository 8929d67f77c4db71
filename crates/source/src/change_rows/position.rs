//! Where a change stands in the log of its database.

use super::image::{number, text};
use crate::tables::rows::Rows;

/// The place of a change among those of one time: PostgreSQL's `lsn`, MySQL's `file`, `pos` and `row`, SQL Server's
/// `change_lsn`, Oracle's `scn`. Where a database tells none, all are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(super) struct Position {
    log: String,
    at: i128,
    row: i128,
}

impl Position {
    /// The position that the columns of a row tell, whose names begin so.
    pub(super) fn of(rows: &mut dyn Rows, start: &str) -> Position {
        let mut name = |name: &str| format!("{start}{name}");
        let mut texts = ["change_lsn", "file"].map(&mut name).into_iter();
        let log = texts.find_map(|name| text(rows, &name)).unwrap_or_default();
        let mut numbers = ["lsn", "pos", "scn"].map(&mut name).into_iter();
        let at = numbers.find_map(|name| number(rows, &name)).unwrap_or_default();
        let mut numbers = ["event_serial_no", "row"].map(&mut name).into_iter();
        let row = numbers.find_map(|name| number(rows, &name)).unwrap_or_default();
        Position { log, at, row }
    }
}
