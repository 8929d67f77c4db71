//! A graph at a commit, which never changes.

use pyo3::prelude::*;
use timeweft::read::{Index, damage};

use crate::errors::{self, Result};

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
        let index = self.view.index();
        let corrupt = |damage: damage::Damage| {
            let problem = format!("{damage}: delete this file: it is a cache, and the log makes it again");
            Err(errors::named("CorruptError", problem))
        };
        py.detach(|| damage::catch(|| ask(index)).unwrap_or_else(corrupt)).map_err(PyErr::from)
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
