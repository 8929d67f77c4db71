//! Data frames of other tools as sources of loads.

use arrow_array::RecordBatchReader;
use arrow_schema::ArrowError;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::stream;

/// The rows of a data frame. `timeweft._frames` makes it.
#[pyclass(frozen, module = "timeweft._core")]
pub(crate) struct Frame {
    pub(crate) frame: timeweft::load::Frame,
}

#[pymethods]
impl Frame {
    /// The rows of an object that has `__arrow_c_stream__`. `again` says that it gives all rows each time that it is asked.
    #[new]
    fn new(data: Bound<'_, PyAny>, name: &str, again: bool) -> PyResult<Frame> {
        let first = stream::import(&data)?;
        if !again {
            return Ok(Frame { frame: timeweft::load::Frame::once(name, Box::new(first)) });
        }
        let (data, mut first) = (data.unbind(), Some(first));
        let open = move || -> Result<Box<dyn RecordBatchReader + Send>, ArrowError> {
            match first.take() {
                Some(first) => Ok(Box::new(first)),
                None => {
                    let opened = Python::attach(|py| stream::import(data.bind(py)));
                    Ok(Box::new(opened.map_err(|error| ArrowError::from_external_error(error.into()))?))
                }
            }
        };
        let frame = timeweft::load::Frame::again(name, open);
        Ok(Frame { frame: frame.map_err(|error| PyTypeError::new_err(error.to_string()))? })
    }

    /// Names of the columns.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.frame.schema().fields().iter().map(|field| field.name().clone()).collect()
    }
}
