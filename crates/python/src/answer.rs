//! Tables of the library on their way to Python.

use pyo3::prelude::*;
use timeweft::read::damage;
use timeweft_arrow::{Error, Table};

use crate::errors::{self, Raised, Result};
use crate::table::Columns;

/// Makes a table without the interpreter.
///
/// # Errors
/// `CorruptError` if a snapshot is found damaged meanwhile.
pub(crate) fn table(py: Python<'_>, ask: impl FnOnce() -> timeweft_arrow::Result<Table> + Send) -> PyResult<Columns> {
    Ok(Columns::from(asked(py, || ask().map_err(raised))?))
}

/// Asks something of a view without the interpreter.
pub(crate) fn asked<T: Send>(py: Python<'_>, ask: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    py.detach(|| whole(ask)).map_err(PyErr::from)
}

/// The answer, unless a snapshot is found damaged on the way to it.
pub(crate) fn whole<T>(ask: impl FnOnce() -> Result<T>) -> Result<T> {
    damage::catch(ask).unwrap_or_else(|damage| Err(errors::named("CorruptError", damage.to_string())))
}

pub(crate) fn raised(error: Error) -> Raised {
    match error {
        Error::Library(error) => Raised::from(error),
        unknown @ Error::Unknown { .. } => errors::named("UnknownError", unknown.to_string()),
        other => errors::named("Error", other.to_string()),
    }
}
