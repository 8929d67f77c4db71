//! What a graph answers of itself, and its care: loads, differences, rollback, checks, snapshots.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use timeweft::export::table_writer::TableFormat;
use timeweft::export::{DocumentOptions, write_event, write_event_table};
use timeweft::load::LoadId;
use timeweft::{Commit, Error, Event};

use crate::answer::{self, raised};
use crate::errors::{self, Raised, Result};
use crate::graph::Graph;
use crate::reads::moment;
use crate::table::{Columns, whole_file};
use crate::view::View;

/// Two states of a graph, to be compared.
#[pyclass(frozen, module = "timeweft._core")]
pub(crate) struct Difference {
    difference: timeweft_arrow::Difference,
}

#[pymethods]
impl Difference {
    /// What differs between two views at two moments (ticks, and whether what was deleted is shown).
    #[new]
    #[pyo3(signature = (before, start, after, end, soft, namespace))]
    fn new(
        before: PyRef<'_, View>,
        start: i64,
        after: PyRef<'_, View>,
        end: i64,
        soft: bool,
        namespace: Option<String>,
    ) -> Difference {
        let (before, after) = ((before.view.clone(), moment(start, soft)), (after.view.clone(), moment(end, soft)));
        let difference = timeweft_arrow::Difference::new(before, after);
        let difference = match namespace {
            Some(namespace) => difference.of_namespace(&namespace),
            None => difference,
        };
        Difference { difference }
    }

    fn nodes(&self, py: Python<'_>) -> PyResult<Columns> {
        answer::table(py, || self.difference.nodes())
    }

    fn edges(&self, py: Python<'_>) -> PyResult<Columns> {
        answer::table(py, || self.difference.edges())
    }

    fn merges(&self, py: Python<'_>) -> PyResult<Columns> {
        answer::table(py, || self.difference.merges())
    }

    fn summary(&self, py: Python<'_>) -> PyResult<Columns> {
        answer::table(py, || self.difference.summary())
    }
}

#[pymethods]
impl Graph {
    /// Makes an empty graph with declared types, given as JSON.
    #[staticmethod]
    fn create_with(py: Python<'_>, path: PathBuf, schema: &str) -> PyResult<Graph> {
        let schema = serde_json::from_str(schema);
        let schema = schema.map_err(|error| errors::named("Error", format!("schema: {error}")))?;
        py.detach(|| Ok(Graph::new(timeweft::Graph::create_with(path, schema)?))).map_err(|error: Raised| error.into())
    }

    /// The types at the newest commit, as JSON; without those of loads that were taken back.
    fn schema(&self, py: Python<'_>) -> PyResult<String> {
        self.with(py, |graph| {
            let view = graph.view();
            let unused = view.index().unused(&graph.types_taken_back(&view)?);
            let shown = view.schema().only(|owner, feature| !unused.contains(&(owner, feature)));
            serde_json::to_string(&shown).map_err(|error| errors::named("Error", error.to_string()))
        })
    }

    /// The registry of loads.
    fn loads(&self, py: Python<'_>) -> PyResult<Columns> {
        Ok(self.with(py, |graph| timeweft_arrow::loads(graph).map_err(raised))?.into())
    }

    /// Names of the namespaces that loads brought something for.
    fn namespaces(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |graph| {
            let mut names: Vec<String> = graph.loads().iter().map(|load| load.namespace.to_string()).collect();
            names.sort_unstable();
            names.dedup();
            Ok(names)
        })
    }

    /// Moves a graph that is open for reading to the newest commit, and gives it.
    fn refresh(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |graph| Ok(graph.refresh()?.0))
    }

    /// Takes a load back: gives the number of the rollback, its commit, loads whose events differ now, how many events are
    /// refused now, and the first of them with their loads.
    #[expect(clippy::type_complexity, reason = "a tuple for Python")]
    fn rollback(&self, py: Python<'_>, load: u64) -> PyResult<(u64, u64, Vec<u64>, u64, Vec<(u64, String)>)> {
        self.with(py, |graph| {
            let report = graph.rollback(LoadId(load))?;
            let replaced = report.later.replaced.iter().map(|load| load.0).collect();
            let dropped = report.later.dropped.into_iter().map(|dropped| (dropped.load.0, dropped.why));
            Ok((report.load.0, report.commit.0, replaced, report.later.n_dropped, dropped.collect()))
        })
    }

    /// Checks everything: loads, segments, bytes, events, whether all was sound, and what was mended.
    fn verify(&self, py: Python<'_>) -> PyResult<(u64, u64, u64, u64, bool, Vec<String>)> {
        self.with(py, |graph| {
            let report = graph.verify()?;
            let mended = graph.take_warnings();
            Ok((report.loads, report.segments, report.bytes, report.events, report.sound, mended))
        })
    }

    /// Writes a snapshot of the newest commit; gives its bytes.
    fn compact(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(py, |graph| Ok(graph.compact()?))
    }

    /// Bytes of the log and catalogue, and of the snapshots.
    fn size(&self, py: Python<'_>) -> PyResult<(u64, u64)> {
        self.with(py, |graph| Ok((graph.size_on_disk()?, graph.size_of_snapshots()?)))
    }

    /// Writes the events of the log at a commit to a file whose name tells the format; gives how many there are.
    fn export_events(&self, py: Python<'_>, path: PathBuf, commit: Option<u64>) -> PyResult<u64> {
        self.with(py, |graph| {
            let commit = commit.map_or(graph.commit(), Commit);
            write_events(
                &path,
                &[("timeweft.commit", commit.0.to_string()), ("timeweft.unit", graph.unit().to_string())],
                |each| graph.each_event::<Failed>(commit, each),
            )
        })
    }

    /// Hands over the documents of a namespace, each with the name of its collection, as lines of JSON in a folder that must
    /// not be there; gives how many there are.
    fn export_documents(&self, py: Python<'_>, folder: PathBuf, namespace: &str) -> PyResult<u64> {
        self.with(py, |graph| documents(graph, namespace, &folder).map_err(failed))
    }
}

/// Why an export stopped.
pub(crate) enum Failed {
    Library(Error),
    Io(std::io::Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::Library(error)
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Failed {
        Failed::Io(error)
    }
}

fn failed(error: std::io::Error) -> Raised {
    errors::python(PyOSError::new_err(error.to_string()))
}

/// Someone who takes events.
pub(crate) type Each<'a> = dyn FnMut(&Event) -> std::result::Result<(), Failed> + 'a;

/// Writes what a source hands over, each time that it is called.
pub(crate) fn write_events(
    path: &std::path::Path,
    facts: &[(&str, String)],
    events: impl Fn(&mut Each<'_>) -> std::result::Result<(), Failed>,
) -> Result<u64> {
    let Some(format) = TableFormat::of(path) else {
        let problem = format!("path: `{}` tells no format: end it in .jsonl, .parquet or .arrow", path.display());
        return Err(errors::python(pyo3::exceptions::PyValueError::new_err(problem)));
    };
    let (mut n, mut stopped) = (0, None);
    let written = whole_file(path, |out| {
        let result = match format {
            TableFormat::Jsonl => lines(out, &events, &mut n),
            _ => events(&mut |_| {
                n += 1;
                Ok(())
            })
            .and_then(|()| write_event_table(out, format, &events, facts)),
        };
        result.map_err(|error| match error {
            Failed::Io(error) => error,
            Failed::Library(error) => {
                let message = error.to_string();
                stopped = Some(error);
                std::io::Error::other(message)
            }
        })
    });
    match (written, stopped) {
        (Ok(()), _) => Ok(n),
        (Err(_), Some(error)) => Err(error.into()),
        (Err(error), None) => Err(errors::python(PyErr::from(error))),
    }
}

fn lines(
    mut out: BufWriter<File>,
    events: impl Fn(&mut Each<'_>) -> std::result::Result<(), Failed>,
    n: &mut u64,
) -> std::result::Result<BufWriter<File>, Failed> {
    events(&mut |event| {
        *n += 1;
        Ok(write_event(&mut out, event)?)
    })?;
    Ok(out)
}

/// Writes documents, a file a collection.
fn documents(graph: &timeweft::Graph, namespace: &str, folder: &std::path::Path) -> std::io::Result<u64> {
    std::fs::create_dir(folder)?;
    let options = DocumentOptions::default();
    let mut files: std::collections::BTreeMap<String, BufWriter<File>> = std::collections::BTreeMap::new();
    let (mut n, mut failed) = (0, None);
    let mut write = |collection: &str, document: &serde_json::Value| -> std::io::Result<()> {
        if !files.contains_key(collection) {
            let safe = |letter: char| if letter.is_alphanumeric() || "-_".contains(letter) { letter } else { '_' };
            let name: String = collection.chars().map(safe).collect();
            let file = File::create_new(folder.join(format!("{name}.jsonl")))?;
            files.insert(collection.to_owned(), BufWriter::new(file));
        }
        match files.get_mut(collection) {
            Some(file) => writeln!(file, "{document}"),
            None => Ok(()),
        }
    };
    let mut each = |collection: &str, document| {
        if failed.is_none() {
            n += 1;
            failed = write(collection, &serde_json::Value::Object(document)).err();
        }
    };
    graph.documents(namespace, &options, &mut each);
    graph.registry_documents(namespace, &options).into_iter().for_each(|document| each("registry", document));
    match failed {
        Some(error) => Err(error),
        None => files.values_mut().try_for_each(Write::flush).map(|()| n),
    }
}
