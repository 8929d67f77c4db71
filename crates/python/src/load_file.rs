//! A file of events as one load.

use std::path::PathBuf;

use pyo3::prelude::*;

use crate::graph::Graph;

#[pymethods]
impl Graph {
    /// Loads a file of events, of any format, and gives the commit.
    fn load_file(&self, py: Python<'_>, path: PathBuf) -> PyResult<u64> {
        self.with(py, |graph| {
            graph.load(&path).run()?;
            Ok(graph.commit().0)
        })
    }
}
