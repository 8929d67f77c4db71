//! Sources become loads, each one commit: [`Graph::load`].

mod event_stream;
mod format;
mod progress;
mod run;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use timeweft_graph::Time;
use timeweft_store::Store;

pub use format::{EventFormat, Format};
pub use progress::LoadProgress;
pub use timeweft_graph::delta::{DeletionReport, ElementReport, Kept, MergeReport, WhySkipped};
pub use timeweft_graph::{
    Dangling, DeltaError, DeltaOptions, DeltaReport, LoadId, Place, Reason, Reject, Rejects, Stop,
};
pub use timeweft_source::{
    ColumnarOptions, CsvDefaults, CsvOptions, Delimiter, Dialect, EdgeListDefaults, EdgeListOptions, Frame, GitOptions,
    IntervalFormat, IntervalsOptions, Layout, Mark, SourceError, TableMapping, VersionFormat, VersionOptions,
    event_stream::ColumnMapping, read_text, refused_rows, tables,
};
pub use timeweft_store::{
    ActionCounts, EventCounts, KEPT_REJECTS, Late, LoadRecord, LoadReport, LoadRequest, LoadState, Made, OrderReport,
    Repeats, RollbackReport, RowCounts, SpliceReport, StoreError, VerifyReport,
};

use self::event_stream::Origin;
use self::progress::{Meter, OnProgress};
use self::run::WholeVersion;
use self::tables::{TableSet, VersionTables};
use crate::{Error, Graph, IntoTime, Name, Result};

/// How a source is loaded. An option that does not apply to the kind of the source is ignored.
#[derive(Clone, PartialEq, Debug)]
pub struct LoadOptions {
    /// Owner of what the load creates; left out, `events`, `intervals` or `git`. A version needs one.
    pub namespace: Option<Name>,
    /// Format; left out, it follows from the path.
    pub format: Option<Format>,
    /// What the source is called in the registry; left out, by its path.
    pub source: Option<Name>,
    /// Version that the load brings: a whole one, or that of a stream of events, which is then loaded once.
    pub version: Option<Name>,
    /// When a whole version takes effect.
    pub timestamp: Option<Time>,
    /// When its source released it.
    pub release_timestamp: Option<Time>,
    /// What to do with edges at missing nodes. Left out, a table of interactions creates them, all else leaves the edge out.
    pub dangling: Option<Dangling>,
    /// What to do with repeated edges of events. Left out, a table of interactions makes parallel edges, all else refuses the
    /// edge.
    pub repeats: Option<Repeats>,
    /// What to do with events that are earlier than the latest one of their element.
    pub late: Late,
    /// What a whole version may end and add; its `dangling` gives way to the one above.
    pub delta: DeltaOptions,
    /// Whether a version may take effect before versions of its namespace that are there already.
    pub back_dated: bool,
    /// The load is refused as soon as more records than this are rejected.
    pub max_rejects: Option<u64>,
    /// How many rejected records the report keeps; all are counted.
    pub kept_rejects: usize,
}

impl Default for LoadOptions {
    fn default() -> LoadOptions {
        LoadOptions {
            namespace: None,
            format: None,
            source: None,
            version: None,
            timestamp: None,
            release_timestamp: None,
            dangling: None,
            repeats: None,
            late: Late::default(),
            delta: DeltaOptions::default(),
            back_dated: false,
            max_rejects: None,
            kept_rejects: KEPT_REJECTS,
        }
    }
}

/// A load that is being described: [`Load::run`] does it.
///
/// ```
/// use std::ops::ControlFlow;
/// # use timeweft::{Graph, TimeUnit};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("likes.csv");
/// # std::fs::write(&path, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("likes"), TimeUnit::Step)?;
/// let report = graph.load(&path).namespace("likes").max_rejects(0).progress(|_| ControlFlow::Continue(())).run()?;
/// assert_eq!(report.n_rejected, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Load<'g> {
    graph: &'g mut Graph,
    source: Source,
    options: LoadOptions,
    progress: Option<OnProgress<'g>>,
    stop: Stop,
    failed: Option<Error>,
}

/// What is loaded.
enum Source {
    /// A file, a folder, or `-` for standard input.
    Path(PathBuf),
    /// Files of events, each in its format.
    Files(Vec<(PathBuf, EventFormat)>),
    /// A table of events.
    Frame(Frame),
    /// Tables whose rows are changes.
    Changes(TableSet, TableMapping),
    /// Tables that list a whole version.
    Version(Box<VersionTables>),
}

impl<'g> Load<'g> {
    fn new(graph: &'g mut Graph, source: Source) -> Load<'g> {
        let (options, stop) = (LoadOptions::default(), Stop::default());
        Load { graph, source, options, progress: None, stop, failed: None }
    }

    /// All options at once.
    pub fn options(self, options: LoadOptions) -> Load<'g> {
        Load { options, ..self }
    }

    /// The owner of what the load creates.
    pub fn namespace(mut self, name: &str) -> Load<'g> {
        self.options.namespace = Some(name.into());
        self
    }

    /// The format, where it does not follow from the path.
    pub fn format(mut self, format: Format) -> Load<'g> {
        self.options.format = Some(format);
        self
    }

    /// The name of a whole version, and when it takes effect.
    pub fn version(mut self, name: &str, time: impl IntoTime) -> Load<'g> {
        self.options.version = Some(name.into());
        match time.into_time(self.graph.unit()) {
            Ok(time) => self.options.timestamp = Some(time),
            Err(error) => self.failed = Some(error.into()),
        }
        self
    }

    /// What to do with edges at missing nodes.
    pub fn dangling(mut self, dangling: Dangling) -> Load<'g> {
        self.options.dangling = Some(dangling);
        self
    }

    /// What to do with repeated edges.
    pub fn repeats(mut self, repeats: Repeats) -> Load<'g> {
        self.options.repeats = Some(repeats);
        self
    }

    /// What to do with late events.
    pub fn late(mut self, late: Late) -> Load<'g> {
        self.options.late = late;
        self
    }

    /// Refuses the load as soon as more records than this are rejected.
    pub fn max_rejects(mut self, max: u64) -> Load<'g> {
        self.options.max_rejects = Some(max);
        self
    }

    /// Reports the progress every few thousand records. Once the answer is to break, nothing of the load is kept and
    /// it ends with [`Error::Stopped`].
    pub fn progress(self, report: impl FnMut(LoadProgress) -> ControlFlow<()> + Send + 'g) -> Load<'g> {
        Load { progress: Some(Box::new(report)), ..self }
    }

    /// Lets another thread stop the load, at any moment until it is committed: nothing of it is kept then and it ends with
    /// [`Error::Stopped`].
    pub fn stopped_by(self, stop: &Stop) -> Load<'g> {
        Load { stop: stop.clone(), ..self }
    }

    /// What the load of a whole version would do: a dry run.
    ///
    /// # Errors
    /// If it could not be loaded, or the source is no version.
    pub fn plan(self) -> Result<LoadReport> {
        let Load { graph, source, options, progress, stop, failed } = self;
        failed.map_or(Ok(()), Err)?;
        let (store, meter) = (graph.store(), Meter::new(progress, stop));
        match source {
            Source::Path(path) => plan_path(store, &path, &options, meter),
            Source::Version(tables) => run::plan(store, &WholeVersion::Tables(&tables), &options, meter),
            _ => Err(StoreError::Incomplete("a source that is one, and not of events").into()),
        }
    }

    /// What the load would do, of any source: a dry run. All is read, checked and tried; nothing is kept.
    ///
    /// ```
    /// # use timeweft::{Graph, TimeUnit};
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("likes.csv");
    /// # std::fs::write(&path, "src,dst,time\n1,2,5\n1,3,8\n")?;
    /// # let mut graph = Graph::create(dir.path().join("likes"), TimeUnit::Step)?;
    /// let report = graph.load(&path).rehearse()?;
    /// assert_eq!((report.counts.edges.created, graph.loads().len()), (2, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As those of [`Load::run`].
    pub fn rehearse(self) -> Result<LoadReport> {
        let Load { graph, source, options, progress, stop, failed } = self;
        failed.map_or(Ok(()), Err)?;
        let tried = graph.store_mut().rehearse(|store| {
            // Errors of the library go past the store.
            Ok(run_source(store, source, &options, Meter::new(progress, stop)))
        });
        tried?.0
    }

    /// Loads the source as one commit.
    ///
    /// # Errors
    /// If the source cannot be read, is refused, or cannot be written; nothing of it is kept then.
    pub fn run(self) -> Result<LoadReport> {
        let Load { graph, source, options, progress, stop, failed } = self;
        failed.map_or(Ok(()), Err)?;
        run_source(graph.store_mut(), source, &options, Meter::new(progress, stop))
    }
}

fn run_source(store: &mut Store, source: Source, options: &LoadOptions, meter: Meter<'_>) -> Result<LoadReport> {
    let path = match source {
        Source::Path(path) => path,
        Source::Files(files) => {
            let origins = files.into_iter().map(|(path, format)| Origin::File(path, format)).collect();
            return run::events(store, origins, options, meter);
        }
        Source::Frame(frame) => {
            let origin = match &options.format {
                Some(Format::Events(EventFormat::Changes(mapping))) => {
                    Origin::Changes(TableSet::of_frame(frame), mapping.clone())
                }
                Some(Format::Events(EventFormat::Columnar(read))) => Origin::Frame(frame, read.clone()),
                _ => Origin::Frame(frame, ColumnarOptions::default()),
            };
            return run::events(store, vec![origin], options, meter);
        }
        Source::Changes(tables, mapping) => {
            return run::events(store, vec![Origin::Changes(tables, mapping)], options, meter);
        }
        Source::Version(tables) => return run::version(store, &WholeVersion::Tables(&tables), options, meter),
    };
    match format_of(&path, options)? {
        Format::Events(format) => run::events(store, vec![Origin::File(path, format)], options, meter),
        Format::Intervals(read) => run::intervals(store, &path, &read, options, meter),
        Format::Version(read) => run::version(store, &WholeVersion::of_path(&path, &read)?, options, meter),
        Format::Git(git) => run::git(store, &path, &git, options, meter),
    }
}

impl Graph {
    /// Takes in a source: a stream of events, nodes and edges with lifetimes, a whole version, or a git history. `-` is
    /// standard input.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Load<'_> {
        Load::new(self, Source::Path(path.as_ref().to_owned()))
    }

    /// Takes in files of events as one commit, one behind the other, each in its format.
    pub fn load_files(&mut self, files: impl IntoIterator<Item = (impl AsRef<Path>, EventFormat)>) -> Load<'_> {
        let files = files.into_iter().map(|(path, format)| (path.as_ref().to_owned(), format)).collect();
        Load::new(self, Source::Files(files))
    }

    /// Takes in a data frame whose rows are events: without a column `action` each one is a created edge. How it is read says
    /// [`EventFormat::Columnar`].
    pub fn load_frame(&mut self, frame: Frame) -> Load<'_> {
        Load::new(self, Source::Frame(frame))
    }

    /// Takes in tables whose rows say what changed when, as one commit: data frames and files, by the names that a mapping calls
    /// them. With `format = "intervals"` in its `[changes]` each row is the life of a node or of an edge.
    ///
    /// ```
    /// use timeweft::load::TableMapping;
    /// use timeweft::load::tables::{Table, TableSet};
    /// # use timeweft::{Graph, TimeUnit};
    /// # let dir = tempfile::tempdir()?;
    /// # let people = dir.path().join("people.csv");
    /// # std::fs::write(&people, "id,created,removed\n1,5,\n2,6,9\n")?;
    /// # let mut graph = Graph::create(dir.path().join("graph"), TimeUnit::Step)?;
    /// let mapping = r#"{
    ///     "changes": {"format": "intervals"},
    ///     "nodes": [{"file": "people", "type": "person", "id": "id"}]
    /// }"#;
    /// let tables = TableSet::new([("people", Table::File(people))]);
    /// graph.load_changes(tables, TableMapping::of_json(mapping)?).run()?;
    /// assert_eq!(graph.view().at(8)?.counts().nodes, 2);
    /// assert_eq!(graph.view().now().counts().nodes, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_changes(&mut self, tables: TableSet, mapping: TableMapping) -> Load<'_> {
        Load::new(self, Source::Changes(tables, mapping))
    }

    /// Brings a namespace to the whole version that tables list. Options of [`Format`] mean nothing beside it.
    pub fn load_version_tables(&mut self, tables: VersionTables) -> Load<'_> {
        Load::new(self, Source::Version(Box::new(tables)))
    }

    /// What the load of a whole version would do: a dry run.
    ///
    /// # Errors
    /// If it could not be loaded, or the source is no version.
    pub fn plan_version(&self, path: impl AsRef<Path>, options: &LoadOptions) -> Result<LoadReport> {
        plan_path(self.store(), path.as_ref(), options, Meter::new(None, Stop::default()))
    }
}

fn plan_path(store: &Store, path: &Path, options: &LoadOptions, meter: Meter<'_>) -> Result<LoadReport> {
    let read = match &options.format {
        Some(Format::Version(read)) => read.clone(),
        _ => VersionOptions::default(),
    };
    run::plan(store, &WholeVersion::of_path(path, &read)?, options, meter)
}

fn format_of(path: &Path, options: &LoadOptions) -> Result<Format> {
    options.format.clone().map_or_else(|| Format::detect(path), Ok)
}
