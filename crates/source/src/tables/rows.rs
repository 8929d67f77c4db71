//! Rows of tables in files of any format.

use super::cell::Cell;
use super::kind::Kind;
use crate::SourceError;

/// Reads row after row.
pub(crate) trait Rows {
    /// Names of the columns known so far; their places do not change.
    fn columns(&self) -> &[String];

    /// The kind that the file declares for a column.
    fn declared(&self, column: usize) -> Option<Kind>;

    /// Asks for the cells of a column, before the first row is read. The error says why it cannot be read, without the name
    /// of the column.
    fn want(&mut self, _column: usize) -> Result<(), String> {
        Ok(())
    }

    /// Reads the next row: `None` at the end, a problem for a row that cannot be read.
    fn advance(&mut self) -> Result<Option<Result<(), String>>, SourceError>;

    /// Where the row stands, counted from 1.
    fn line(&self) -> u64;

    /// What was chosen where the file leaves it open, for people. Ask when all rows are read.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// A cell of the row.
    fn cell(&self, column: usize) -> Cell<'_>;

    /// The kind of a column whose cells so far do not show it, such as empty lists, by what follows.
    fn kind_ahead(&self, _column: usize) -> Option<Kind> {
        None
    }

    /// The columns of the cells that the row has, where most rows lack most columns; `None` if it may have all.
    fn present(&self) -> Option<&[usize]> {
        None
    }

    /// The place of a column; one that an open table has not had yet gets a place.
    fn column(&mut self, name: &str) -> Option<usize>;
}
