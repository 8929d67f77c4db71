//! Record batches from and to other tools: the Arrow C stream interface in capsules
//! (<https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>).
//!
//! `pyo3-arrow` does the same and brings casts, sorts and all time zones with it, which would double the build of Arrow.

use std::ffi::CStr;

use arrow_array::RecordBatchReader;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::stream_batches::StreamBatches;

const NAME: &CStr = c"arrow_array_stream";

/// Batches, as the C stream interface gives them.
pub(crate) type Batches = Box<dyn RecordBatchReader + Send>;

/// The batches of an object that has `__arrow_c_stream__`.
///
/// # Errors
/// `TypeError` if it has none, or gives something else.
#[expect(unsafe_code, reason = "the stream lies behind a pointer")]
pub(crate) fn import(object: &Bound<'_, PyAny>) -> PyResult<Batches> {
    let capsule = asked(object)?;
    let capsule = capsule.cast_into::<PyCapsule>()?;
    let stream = capsule.pointer_checked(Some(NAME))?.cast::<FFI_ArrowArrayStream>();
    // SAFETY: a capsule of this name holds such a stream. It is moved out: what stays behind is released, as the
    // interface asks.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(stream.as_ptr()) };
    let batches = StreamBatches::new(stream);
    batches.map(|batches| Box::new(batches) as Batches).map_err(|error| PyTypeError::new_err(error.to_string()))
}

/// The capsule of an object. The schema that is asked for may be left out, says the interface; DuckDB before 1.2 cannot be
/// given one, and polars before 1.4 must be.
fn asked<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let method = object.getattr("__arrow_c_stream__")?;
    method.call0().or_else(|refused| {
        if !refused.is_instance_of::<PyTypeError>(object.py()) {
            return Err(refused);
        }
        method.call1((object.py().None(),)).map_err(|_| refused)
    })
}

/// A capsule that holds a stream.
pub(crate) fn export<'py>(
    py: Python<'py>,
    batches: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(batches), NAME)
}
