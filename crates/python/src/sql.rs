//! Questions in SQL.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use timeweft::Commit;
use timeweft_arrow::Table;
use timeweft_sql::{Error, Limits, Pinned, Session, Settings, Views, Waited};

use crate::errors::{self, Raised};
use crate::graph::Graph;
use crate::reads::moment;
use crate::table::Columns;
use crate::view::View;

/// How often signals are looked for.
const OFTEN: Duration = Duration::from_millis(50);

/// A graph of Python, which may be closed while somebody asks it.
struct OfPython(Py<Graph>);

impl Views for OfPython {
    fn view(&self, commit: Option<Commit>) -> timeweft_sql::Result<timeweft::View> {
        let mut locked = self.0.get().lock();
        let graph = locked.graph().map_err(|_| Error::Cancelled)?;
        Ok(match commit {
            Some(commit) => graph.view_at(commit)?,
            None => graph.view(),
        })
    }

    fn loads(&self, commit: Commit) -> timeweft_sql::Result<Table> {
        let mut locked = self.0.get().lock();
        let graph = locked.graph().map_err(|_| Error::Cancelled)?;
        Ok(timeweft_arrow::loads_at(graph, commit)?)
    }
}

/// Asks; Ctrl-C gives the query up.
fn ask(
    py: Python<'_>,
    views: Arc<dyn Views>,
    query: &str,
    settings: Settings,
    limit: Option<usize>,
) -> PyResult<Columns> {
    let limits = Limits { rows: limit, ..Limits::default() };
    let mut session = Session::new(views).with_settings(settings).with_limits(limits);
    let mut answer = py.detach(|| session.query(query)).map_err(raised)?;
    let (schema, mut batches) = (answer.schema().clone(), Vec::new());
    loop {
        match py.detach(|| answer.wait(OFTEN)).map_err(raised)? {
            Waited::Batch(batch) => batches.push(batch),
            Waited::End => return Ok(Columns::new(schema, batches)),
            Waited::NotYet => py.check_signals()?,
        }
    }
}

/// The exception of an error.
fn raised(error: Error) -> PyErr {
    let class = match &error {
        Error::Library(_) => None,
        Error::Damage(_) => Some("CorruptError"),
        Error::Unknown { .. } => Some("UnknownError"),
        _ => Some("SqlError"),
    };
    match (error, class) {
        (Error::Library(error), _) => Raised::from(error).into(),
        (error, class) => errors::named(class.unwrap_or("SqlError"), error.explained()).into(),
    }
}

#[pymethods]
impl Graph {
    /// Asks in SQL.
    #[pyo3(signature = (query, tick, commit, soft, limit))]
    fn sql(
        slf: &Bound<'_, Graph>,
        query: &str,
        tick: i64,
        commit: Option<u64>,
        soft: bool,
        limit: Option<usize>,
    ) -> PyResult<Columns> {
        let at = moment(tick, soft);
        let settings = Settings { at: at.time, commit: commit.map(Commit), deletes: at.deletes };
        // A graph that is closed says so itself.
        slf.get().with(slf.py(), |_| Ok(()))?;
        ask(slf.py(), Arc::new(OfPython(slf.clone().unbind())), query, settings, limit)
    }
}

#[pymethods]
impl View {
    /// Asks in SQL, at a moment.
    fn sql(&self, py: Python<'_>, query: &str, tick: i64, soft: bool, limit: Option<usize>) -> PyResult<Columns> {
        let at = moment(tick, soft);
        let settings = Settings { at: at.time, commit: None, deletes: at.deletes };
        ask(py, Arc::new(Pinned(self.view.clone())), query, settings, limit)
    }
}
