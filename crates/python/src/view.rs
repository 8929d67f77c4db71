//! A graph at a commit, which never changes.

use pyo3::prelude::*;

/// A graph at a commit. `timeweft.View` wraps it with the time and the deletes that it is asked with.
#[pyclass(frozen, module = "timeweft._core")]
pub(crate) struct View {
    pub(crate) view: timeweft::View,
}

impl View {
    pub(crate) fn new(view: timeweft::View) -> View {
        View { view }
    }
}

#[pymethods]
impl View {
    /// The commit.
    #[getter]
    fn commit(&self) -> u64 {
        self.view.commit().0
    }
}
