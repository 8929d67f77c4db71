//! Sources as loads.

use std::path::PathBuf;

use pyo3::prelude::*;
use timeweft::Time;
use timeweft::load::{
    ColumnMapping, ColumnarOptions, CsvDefaults, Dangling, EventFormat, Format, Late, LoadOptions, Repeats,
    TableMapping,
};

use crate::errors::{self, Raised, Result};
use crate::frames::{Frame, Source, set};
use crate::graph::Graph;
use crate::load_report::PyLoadReport;
use crate::loading::load;

/// Where events come from.
#[derive(FromPyObject)]
enum Events {
    Frame(Py<Frame>),
    Files(Vec<PathBuf>),
    /// Tables by what the mapping calls them.
    Tables(Vec<(String, Source)>),
}

/// What all loads take.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Common {
    namespace: Option<String>,
    version: Option<String>,
    dangling: Option<String>,
    max_rejects: Option<u64>,
    kept_rejects: usize,
}

/// What loads of events take besides.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct EventOptions {
    columns: Vec<(String, String)>,
    source_type: Option<String>,
    destination_type: Option<String>,
    relation: Option<String>,
    time: Option<i64>,
    repeats: Option<String>,
    late: Option<String>,
    /// A mapping of change rows, as JSON or as the path of a TOML file.
    mapping: Option<(String, bool)>,
}

impl Common {
    pub(crate) fn options(self) -> Result<LoadOptions> {
        Ok(LoadOptions {
            namespace: self.namespace.map(|name| name.as_str().into()),
            version: self.version.map(|name| name.as_str().into()),
            dangling: self.dangling.as_deref().map(dangling).transpose()?,
            max_rejects: self.max_rejects,
            kept_rejects: self.kept_rejects,
            ..LoadOptions::default()
        })
    }
}

impl EventOptions {
    fn columnar(&self) -> Result<ColumnarOptions> {
        let name = |name: &Option<String>| name.as_deref().map(Into::into);
        let pairs = self.columns.iter().map(|(ours, theirs)| (ours.as_str(), theirs.as_str()));
        Ok(ColumnarOptions {
            mapping: ColumnMapping::new(pairs).map_err(|problem| errors::named("ConfigError", problem))?,
            defaults: CsvDefaults {
                source_type: name(&self.source_type),
                relation: name(&self.relation),
                destination_type: name(&self.destination_type),
            },
            time: self.time.map(Time),
        })
    }

    /// The mapping of change rows.
    fn changes(&self) -> Result<Option<EventFormat>> {
        let Some((mapping, is_json)) = &self.mapping else { return Ok(None) };
        let read = if *is_json { TableMapping::of_json(mapping) } else { TableMapping::open(mapping.as_ref()) };
        let read = read.map_err(|error| match is_json {
            true => errors::named("ConfigError", error.to_string()),
            false => error.into(),
        })?;
        Ok(Some(EventFormat::Changes(read)))
    }

    /// How a file is read.
    fn of_file(&self, path: &std::path::Path) -> Result<EventFormat> {
        if let Some(changes) = self.changes()? {
            return Ok(changes);
        }
        let ColumnarOptions { mapping, defaults, time } = self.columnar()?;
        Ok(match EventFormat::detect(path)? {
            EventFormat::Table(options) => {
                EventFormat::Table(timeweft::load::CsvOptions { mapping, defaults, time, ..options })
            }
            EventFormat::Columnar(_) => EventFormat::Columnar(ColumnarOptions { mapping, defaults, time }),
            other if mapping.is_empty() => other,
            _ => {
                let problem = format!(
                    "columns: {} is read as JSON lines, whose fields have fixed names: give a table (Parquet, Arrow, CSV) or \
                     a data frame",
                    path.display()
                );
                return Err(errors::named("ConfigError", problem));
            }
        })
    }
}

fn dangling(name: &str) -> Result<Dangling> {
    match name {
        "drop" => Ok(Dangling::Drop),
        "reject" => Ok(Dangling::Reject),
        "stub" => Ok(Dangling::Stub),
        _ => Err(one_of("dangling", name, "'drop', 'reject' or 'stub'")),
    }
}

fn repeats(name: &str) -> Result<Repeats> {
    match name {
        "reject" => Ok(Repeats::Reject),
        "parallel" => Ok(Repeats::Parallel),
        _ => Err(one_of("repeats", name, "'reject' or 'parallel'")),
    }
}

fn late(name: &str) -> Result<Late> {
    match name {
        "place" => Ok(Late::Place),
        "reject" => Ok(Late::Reject),
        _ => Err(one_of("late", name, "'place' or 'reject'")),
    }
}

fn one_of(argument: &str, given: &str, known: &str) -> Raised {
    errors::python(pyo3::exceptions::PyValueError::new_err(format!("{argument}: expected {known}, not '{given}'")))
}

#[pymethods]
impl Graph {
    /// Takes in events of a data frame or of files.
    fn load_events(
        &self,
        py: Python<'_>,
        events: Events,
        common: Common,
        of_events: EventOptions,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<PyLoadReport> {
        let mut options = common.options()?;
        options.repeats = of_events.repeats.as_deref().map(repeats).transpose()?;
        options.late = of_events.late.as_deref().map(late).transpose()?.unwrap_or_default();
        match events {
            Events::Frame(frame) => {
                let format = match of_events.changes()? {
                    Some(changes) => changes,
                    None => EventFormat::Columnar(of_events.columnar()?),
                };
                options.format = Some(Format::Events(format));
                let read = &frame.get().frame;
                let frame = read.clone();
                load(py, progress, std::slice::from_ref(read), move |report, stop| {
                    let mut graph = self.lock();
                    let load = graph.graph()?.load_frame(frame).options(options);
                    Ok(load.progress(report).stopped_by(stop).run()?)
                })
            }
            Events::Tables(tables) => {
                let Some(EventFormat::Changes(mapping)) = of_events.changes()? else {
                    return Err(errors::named("ConfigError", "mapping: tables with names need one").into());
                };
                let tables = set(tables);
                load(py, progress, &tables.frames().cloned().collect::<Vec<_>>(), move |report, stop| {
                    let mut graph = self.lock();
                    let load = graph.graph()?.load_changes(tables, mapping).options(options);
                    Ok(load.progress(report).stopped_by(stop).run()?)
                })
            }
            Events::Files(paths) => load(py, progress, &[], move |report, stop| {
                let formats = paths.iter().map(|path| of_events.of_file(path)).collect::<Result<Vec<_>>>()?;
                let mut graph = self.lock();
                let load = graph.graph()?.load_files(paths.iter().zip(formats)).options(options);
                Ok(load.progress(report).stopped_by(stop).run()?)
            }),
        }
    }
}
