//! How every load runs: without the interpreter, so that it can be stopped, and reported with the rows that were refused.

use pyo3::prelude::*;
use timeweft::load::{Frame, LoadProgress, LoadReport, Stop};

use crate::errors::{self, Raised, Result};
use crate::interrupt::{Report, stoppable};
use crate::load_report::PyLoadReport;

/// Runs a load that reads these data frames. `progress` is called with records, bytes and size.
///
/// # Errors
/// What the load says, with its report where there is one; `StoppedError` after Ctrl-C; what `progress` raises.
pub(crate) fn load(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    frames: &[Frame],
    run: impl FnOnce(Report<'_, LoadProgress>, &Stop) -> Result<LoadReport> + Send,
) -> PyResult<PyLoadReport> {
    let hear = move |py: Python<'_>, told: LoadProgress| {
        let arguments = (told.records, told.bytes, told.size);
        progress.as_ref().map_or(Ok(()), |progress| progress.call1(py, arguments).map(drop))
    };
    stoppable(py, hear, |report, stop| match run(report, stop) {
        Ok(report) => Ok(PyLoadReport::new(report, frames)),
        Err(Raised::Library(error)) => Err(errors::of_load(error, frames)),
        Err(other) => Err(other),
    })
}
