//! Answers by columns: record batches that other tools take without a copy.

use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_schema::SchemaRef;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::stream;

/// Rows by columns. `timeweft.Table` wraps it.
#[pyclass(frozen, module = "timeweft._core")]
pub(crate) struct Columns {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Columns {
    pub(crate) fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Columns {
        Columns { schema, batches }
    }
}

impl From<RecordBatch> for Columns {
    fn from(batch: RecordBatch) -> Columns {
        Columns::new(batch.schema(), vec![batch])
    }
}

#[pymethods]
impl Columns {
    /// Names of the columns.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The Arrow C stream of the rows. The schema that is asked for is not looked at, as the interface allows.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batches: Vec<_> = self.batches.iter().cloned().map(Ok).collect();
        stream::export(py, Box::new(RecordBatchIterator::new(batches, self.schema.clone())))
    }
}
