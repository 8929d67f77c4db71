//! Data frames of other tools, and files beside them, as sources of loads.

use std::path::PathBuf;

use arrow_schema::ArrowError;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use timeweft::load::tables::{Table, TableSet};

use crate::stream::{self, Batches};

/// The rows of a data frame. `timeweft._frames` makes it.
#[pyclass(frozen, module = "timeweft._core")]
pub(crate) struct Frame {
    pub(crate) frame: timeweft::load::Frame,
}

fn open_once(
    name: &str,
    mut open: impl FnMut() -> Result<Batches, ArrowError>,
) -> Result<timeweft::load::Frame, ArrowError> {
    Ok(timeweft::load::Frame::once(name, open()?))
}

#[pymethods]
impl Frame {
    /// The rows of an object that has `__arrow_c_stream__`. `again` says that it gives all rows each time that it is asked.
    /// With `types`, an object that gives the same columns, it is asked when the first row is needed.
    #[new]
    #[pyo3(signature = (data, name, again, types=None))]
    fn new(data: Bound<'_, PyAny>, name: &str, again: bool, types: Option<Bound<'_, PyAny>>) -> PyResult<Frame> {
        let types = types.map(|types| stream::import(&types)).transpose()?.map(|batches| batches.schema());
        let first = if types.is_none() { Some(stream::import(&data)?) } else { None };
        let (data, mut first) = (data.unbind(), first);
        let open = move || -> Result<Batches, ArrowError> {
            match first.take() {
                Some(first) => Ok(first),
                None => {
                    let opened = Python::attach(|py| stream::import(data.bind(py)));
                    opened.map_err(|error| ArrowError::from_external_error(error.into()))
                }
            }
        };
        let frame = match (types, again) {
            (Some(types), _) => Ok(timeweft::load::Frame::later(name, types, open)),
            (None, true) => timeweft::load::Frame::again(name, open),
            (None, false) => open_once(name, open),
        };
        Ok(Frame { frame: frame.map_err(|error| PyTypeError::new_err(error.to_string()))? })
    }

    /// Names of the columns.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.frame.schema().fields().iter().map(|field| field.name().clone()).collect()
    }
}

/// Where a table is.
#[derive(FromPyObject)]
pub(crate) enum Source {
    Frame(Py<Frame>),
    File(PathBuf),
}

/// Tables by what the mapping calls them.
pub(crate) fn set(given: Vec<(String, Source)>) -> TableSet {
    let table = |source| match source {
        Source::Frame(frame) => Table::Frame(frame.get().frame.clone()),
        Source::File(path) => Table::File(path),
    };
    let tables: Vec<(String, Table)> = given.into_iter().map(|(name, source)| (name, table(source))).collect();
    TableSet::new(tables.iter().map(|(name, table)| (name.as_str(), table.clone())))
}
