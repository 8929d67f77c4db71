//! A graph that is open.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use timeweft::{Commit, TimeUnit};

use crate::errors::{self, Result};
use crate::view::View;
use crate::{fork, times};

/// A graph directory, open for writing or for reading. `timeweft.Graph` wraps it.
#[pyclass(frozen, module = "timeweft._core")]
pub(crate) struct Graph {
    /// The directory.
    #[pyo3(get)]
    path: PathBuf,
    /// Whether it is open for reading only.
    #[pyo3(get)]
    read_only: bool,
    unit: TimeUnit,
    /// `None` once it is closed.
    graph: Mutex<Option<timeweft::Graph>>,
}

/// A graph that is locked for one call.
pub(crate) struct Locked<'a>(MutexGuard<'a, Option<timeweft::Graph>>);

impl Locked<'_> {
    /// The graph.
    ///
    /// # Errors
    /// `ClosedError` if it is closed.
    pub(crate) fn graph(&mut self) -> Result<&mut timeweft::Graph> {
        self.0
            .as_mut()
            .ok_or_else(|| errors::named("ClosedError", "the graph is closed: open it again with `timeweft.open`"))
    }
}

impl Graph {
    pub(crate) fn new(graph: timeweft::Graph) -> Graph {
        let (path, read_only, unit) = (graph.dir().to_owned(), graph.is_read_only(), graph.unit());
        Graph { path, read_only, unit, graph: Mutex::new(Some(graph)) }
    }

    /// The graph for one call. Take it without the interpreter (inside `py.detach`): another thread may hold it and wait for
    /// the interpreter.
    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked(self.graph.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks something of the open graph, without the interpreter.
    pub(crate) fn with<T: Send>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&mut timeweft::Graph) -> Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| ask(self.lock().graph()?)).map_err(PyErr::from)
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // In a child the graph is the parent's: to close it would let go of the parent's lock.
        if fork::forked() {
            std::mem::forget(self.graph.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

#[pymethods]
impl Graph {
    /// Makes an empty graph whose times count in a unit.
    #[staticmethod]
    fn create(py: Python<'_>, path: PathBuf, unit: &str) -> PyResult<Graph> {
        let unit = times::unit(unit)?;
        fork::opening()?;
        py.detach(|| Ok(Graph::new(timeweft::Graph::create(path, unit)?))).map_err(|error: errors::Raised| error.into())
    }

    /// Opens a graph for reading and writing.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Graph> {
        fork::opening()?;
        py.detach(|| Ok(Graph::new(timeweft::Graph::open(path)?))).map_err(|error: errors::Raised| error.into())
    }

    /// Opens a graph for reading, at a commit or at the newest one.
    #[staticmethod]
    #[pyo3(signature = (path, commit=None))]
    fn open_read_only(py: Python<'_>, path: PathBuf, commit: Option<u64>) -> PyResult<Graph> {
        fork::opening()?;
        let open = || match commit {
            Some(commit) => timeweft::Graph::open_read_only_at(path, Commit(commit)),
            None => timeweft::Graph::open_read_only(path),
        };
        py.detach(|| Ok(Graph::new(open()?))).map_err(|error: errors::Raised| error.into())
    }

    /// Closes the graph: another process may open it for writing. Twice is fine.
    fn close(&self, py: Python<'_>) {
        let graph = py.detach(|| self.lock().0.take());
        py.detach(|| drop(graph));
    }

    /// The newest commit.
    #[getter]
    fn commit(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |graph| Ok(graph.commit().0))
    }

    /// The unit of all times.
    #[getter]
    fn unit(&self) -> String {
        self.unit.to_string()
    }

    /// The graph at a commit, or at the newest one.
    #[pyo3(signature = (commit=None))]
    fn view(&self, py: Python<'_>, commit: Option<u64>) -> PyResult<View> {
        self.with(py, |graph| match commit {
            Some(commit) => Ok(View::new(graph.view_at(Commit(commit))?)),
            None => Ok(View::new(graph.view())),
        })
    }
}
