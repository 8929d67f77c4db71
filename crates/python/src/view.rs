//! A graph at a commit, which never changes.

use pyo3::prelude::*;
use timeweft::read::Index;

use crate::answer;
use crate::errors::Result;

/// A graph at a commit. `timeweft.View` wraps it with the time and the deletes that it is asked with.
#[pyclass(frozen, module = "timeweft._core")]
pub(crate) struct View {
    pub(crate) view: timeweft::View,
}

impl View {
    pub(crate) fn new(view: timeweft::View) -> View {
        View { view }
    }

    /// Asks the graph something, without the interpreter. Damage in its snapshot is a `CorruptError`.
    pub(crate) fn read<T: Send>(&self, py: Python<'_>, ask: impl FnOnce(&Index) -> Result<T> + Send) -> PyResult<T> {
        answer::asked(py, || ask(self.view.index()))
    }
}

#[pymethods]
impl View {
    /// The commit.
    #[getter]
    fn commit(&self) -> u64 {
        self.view.commit().0
    }

    /// The unit of all times.
    #[getter]
    fn unit(&self) -> String {
        self.view.unit().to_string()
    }
}
