//! How sources become loads.

mod event_stream;

use std::path::{Path, PathBuf};

use timeweft_graph::{
    Dangling, DeltaOptions, EdgeSpan, EdgeTypeId, FeatureId, Format, Name, NodeSpan, NodeTypeId, Place, Reason, Reject,
    Schema, Scope, SpanSink, Time, Unreadable, ValueRef, VersionSink,
};
use timeweft_source::{
    BytesRead, ColumnarOptions, ColumnarReader, CsvOptions, CsvReader, Delimiter, EdgeListOptions, GitBaseline,
    GitOptions, Input, IntervalFormat, IntervalSource, IntervalsOptions, JsonlReader, Record, SourceError,
    VersionFormat, VersionOptions as ReadOptions, event_stream as source_stream, git_history, open, plain_name,
    version_format,
};
use timeweft_store::{KEPT_REJECTS, Late, LoadReport, LoadRequest, Repeats, Store, StoreError};

use self::event_stream::EventStream;
use crate::Error;

/// How far a load is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LoadProgress {
    /// Records handed to the store so far.
    pub records: u64,
    /// Bytes of the source read so far, as they lie on disk.
    pub bytes: u64,
    /// Size of the source in bytes; `None` where it is not known, as for standard input.
    pub size: Option<u64>,
}

/// Format of an event stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventFormat {
    /// One JSON object a line.
    Jsonl,
    /// A table.
    Table(CsvOptions),
    /// A table in a Parquet or Arrow file.
    Columnar(ColumnarOptions),
}

impl EventFormat {
    /// The format that a file name tells: `.csv` and `.tsv` (also packed, `.csv.gz`) are tables with a header, `.parquet`,
    /// `.arrow`, `.feather` and `.ipc` are such files, all else is JSON lines.
    pub fn of(path: &Path) -> EventFormat {
        let table = |delimiter| EventFormat::Table(CsvOptions::delimited(delimiter));
        match plain_name(path).rsplit_once('.') {
            Some((_, "csv")) => table(Delimiter::Byte(b',')),
            Some((_, "tsv" | "tab")) => table(Delimiter::Byte(b'\t')),
            _ if ColumnarReader::reads(path) => EventFormat::Columnar(ColumnarOptions::default()),
            _ => EventFormat::Jsonl,
        }
    }

    /// The same, and where the name tells no format, what its beginning tells: files of KONECT and of SNAP are known.
    ///
    /// # Errors
    /// If the file cannot be opened or read.
    pub fn detect(path: &Path) -> Result<EventFormat, Error> {
        let layout = source_stream::detect(path)?;
        Ok(layout.map_or_else(|| EventFormat::of(path), |layout| EventFormat::Table(CsvOptions::laid_out(layout))))
    }
}

/// How a stream of events is loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventOptions {
    /// Owner of what the load creates.
    pub namespace: Name,
    /// Version that the load brings; with it, the same load again is no load.
    pub version: Option<Name>,
    /// Format; `None` follows the file name.
    pub format: Option<EventFormat>,
    /// What to do with edges at missing nodes. `None`: a table of interactions creates them, all else refuses the edge.
    pub dangling: Option<Dangling>,
    /// What to do with repeated edges. `None`: a table of interactions makes parallel edges, all else refuses the edge.
    pub repeats: Option<Repeats>,
    /// What to do with events that are earlier than the latest one of their element.
    pub late: Late,
    /// The load is refused as soon as more records than this are rejected.
    pub max_rejects: Option<u64>,
    /// So many rejected records are kept in the report; all are counted.
    pub kept_rejects: usize,
}

impl Default for EventOptions {
    fn default() -> Self {
        EventOptions {
            namespace: "events".into(),
            version: None,
            format: None,
            dangling: None,
            repeats: None,
            late: Late::default(),
            max_rejects: None,
            kept_rejects: KEPT_REJECTS,
        }
    }
}

/// How a source of intervals is loaded.
#[derive(Clone, PartialEq, Debug)]
pub struct IntervalOptions {
    /// Owner of what the load creates.
    pub namespace: Name,
    /// Format; `None` follows from the path.
    pub format: Option<IntervalFormat>,
    /// Of edge lists: how they are written.
    pub edge_list: Option<EdgeListOptions>,
    /// Of DeepGNN's binary folders: the TOML file that tells the types of features.
    pub feature_types: Option<PathBuf>,
    /// The load is refused as soon as more records than this are rejected.
    pub max_rejects: Option<u64>,
    /// So many rejected records are kept in the report; all are counted.
    pub kept_rejects: usize,
}

impl Default for IntervalOptions {
    fn default() -> Self {
        IntervalOptions {
            namespace: "intervals".into(),
            format: None,
            edge_list: None,
            feature_types: None,
            max_rejects: None,
            kept_rejects: KEPT_REJECTS,
        }
    }
}

/// How a whole version is loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VersionOptions {
    /// Owner of everything that the version lists.
    pub namespace: Name,
    /// Name of the version, once a namespace.
    pub version: Name,
    /// When the version takes effect.
    pub timestamp: Time,
    /// When its source released it.
    pub release_timestamp: Option<Time>,
    /// Format; `None` follows the file name.
    pub format: Option<VersionFormat>,
    /// Of ontologies: keeps only terms whose id begins with this prefix and a colon.
    pub id_prefix: Option<String>,
    /// Of OBO Graphs: id of the graph to read.
    pub graph: Option<String>,
    /// Of mapped tables: the folder in which the files are looked up.
    pub root: Option<PathBuf>,
    /// What to do with edges at nodes that the version does not list.
    pub dangling: Dangling,
    /// Consent to a version that lists nothing, which ends every element of the namespace.
    pub allow_empty: bool,
    /// Consent to the end of all elements of these node types or relations, for which the version has an empty section.
    pub empty_types: Vec<Name>,
    /// Consent to features that the namespace did not have before; without it they are reported and left out.
    pub add_fields: bool,
    /// Consent to the end of edges of other namespaces at nodes that nobody lists any more; without it such a node stands in
    /// for them, without a value.
    pub end_foreign_edges: bool,
    /// Whether the version may take effect before versions of its namespace that are there already.
    pub back_dated: bool,
    /// The load is refused if more records than this are rejected.
    pub max_rejects: Option<u64>,
    /// So many rejected records are kept in the report; all are counted.
    pub kept_rejects: usize,
}

impl VersionOptions {
    /// A version of a namespace that takes effect at a time, with the default policies.
    pub fn new(namespace: &str, version: &str, timestamp: Time) -> VersionOptions {
        VersionOptions {
            namespace: namespace.into(),
            version: version.into(),
            timestamp,
            release_timestamp: None,
            format: None,
            id_prefix: None,
            graph: None,
            root: None,
            dangling: Dangling::default(),
            allow_empty: false,
            empty_types: Vec::new(),
            add_fields: false,
            end_foreign_edges: false,
            back_dated: false,
            max_rejects: None,
            kept_rejects: KEPT_REJECTS,
        }
    }

    fn request(&self, path: &Path) -> LoadRequest {
        // One mapping serves many snapshots: which one it was is told by their folder.
        let source = match &self.root {
            Some(root) => format!("{} by {}", root.display(), path.display()),
            None => path.to_string_lossy().into_owned(),
        };
        let mut request = LoadRequest::new(&self.namespace, &source).version(&self.version, self.timestamp);
        request.release_timestamp = self.release_timestamp;
        request.kept_rejects = self.kept_rejects;
        request.max_rejects = self.max_rejects;
        request.back_dated = self.back_dated;
        request
    }

    fn delta(&self) -> DeltaOptions {
        DeltaOptions {
            dangling: self.dangling,
            allow_empty: self.allow_empty,
            empty_types: self.empty_types.clone(),
            add_fields: self.add_fields,
            end_foreign_edges: self.end_foreign_edges,
        }
    }

    fn read(&self) -> ReadOptions {
        ReadOptions {
            format: self.format,
            id_prefix: self.id_prefix.clone(),
            graph: self.graph.clone(),
            root: self.root.clone(),
        }
    }
}

/// How a git history is loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GitLoad {
    /// Owner of what the load creates.
    pub namespace: Name,
    /// Stops after this many new commits, counted from the oldest one.
    pub limit: Option<usize>,
    /// Begins before the newest commits, this many, with the files as they were then.
    pub newest: Option<usize>,
    /// So many rejected records are kept in the report; all are counted.
    pub kept_rejects: usize,
}

impl Default for GitLoad {
    fn default() -> Self {
        GitLoad { namespace: "git".into(), limit: None, newest: None, kept_rejects: KEPT_REJECTS }
    }
}

pub(crate) fn events(
    store: &mut Store,
    path: &Path,
    options: &EventOptions,
    progress: &mut (dyn FnMut(LoadProgress) + Send),
) -> Result<LoadReport, Error> {
    let mut stream = EventStream::open(path, options, store.schema(), progress)?;
    let mut request = LoadRequest::new(&options.namespace, &stream.file);
    request.version = options.version.clone();
    request.max_rejects = options.max_rejects;
    request.kept_rejects = options.kept_rejects;
    request.late = options.late;
    let (dangling, repeats) = stream.reader.policies();
    request.dangling = options.dangling.unwrap_or(dangling);
    request.repeats = options.repeats.unwrap_or(repeats);
    let report = store.load_stream(request, &mut stream).map_err(of_source)?;
    Ok(LoadReport { notes: stream.notes, ..report })
}

/// What a reader gave up with is an error of the source.
fn of_source(error: StoreError) -> Error {
    match error {
        StoreError::Source(source) => match source.downcast::<SourceError>() {
            Ok(source) => Error::Source(*source),
            Err(other) => Error::Store(StoreError::Source(other)),
        },
        other => Error::Store(other),
    }
}

pub(crate) fn intervals(
    store: &mut Store,
    path: &Path,
    options: &IntervalOptions,
    progress: &mut (dyn FnMut(LoadProgress) + Send),
) -> Result<LoadReport, Error> {
    let read = IntervalsOptions {
        format: options.format,
        edge_list: options.edge_list.clone(),
        feature_types: options.feature_types.clone(),
    };
    let source = IntervalSource::open(path, &read)?;
    let (bytes, size) = source.progress().map_or((None, None), |(bytes, size)| (Some(bytes), size));
    let meter = Meter { bytes, size, progress };
    let mut request = LoadRequest::new(&options.namespace, source.name());
    request.max_rejects = options.max_rejects;
    request.kept_rejects = options.kept_rejects;
    let loaded =
        store.load_intervals(request, |sink| Ok(source.read(&mut CountingSpans { sink, records: 0, meter })?));
    loaded.map_err(of_source)
}

pub(crate) fn version(
    store: &mut Store,
    path: &Path,
    options: &VersionOptions,
    progress: &mut (dyn FnMut(LoadProgress) + Send),
) -> Result<LoadReport, Error> {
    let (read, request) = (options.read(), options.request(path));
    // What cannot be opened or recognised is told before anything else is done.
    let format = read.format.map_or_else(|| version_format::detect(path), Ok)?;
    let read = ReadOptions { format: Some(format), ..read };
    let loaded = store.load_version(request, options.delta(), move |sink| {
        let mut sink = CountingSink { sink, records: 0, progress };
        Ok(version_format::read(path, &read, &mut sink)?)
    });
    Ok(loaded?)
}

pub(crate) fn plan(store: &Store, path: &Path, options: &VersionOptions) -> Result<LoadReport, Error> {
    let (read, request) = (options.read(), options.request(path));
    Ok(store.plan_version(&request, options.delta(), move |sink| Ok(version_format::read(path, &read, sink)?))?)
}

pub(crate) fn git(
    store: &mut Store,
    repository: &Path,
    options: &GitLoad,
    progress: &mut (dyn FnMut(LoadProgress) + Send),
) -> Result<LoadReport, Error> {
    let known = git_baseline(store, &options.namespace);
    let read = git_history::read(repository, &GitOptions { limit: options.limit, newest: options.newest }, &known)?;
    if read.records.is_empty() && read.rejects.is_empty() {
        let last = store.loads().iter().rev().find(|load| load.namespace == options.namespace && load.undoes.is_none());
        if let Some(last) = last {
            return Ok(LoadReport::unchanged(last.id, last.commit));
        }
    }
    let mut request = LoadRequest::new(&options.namespace, &repository.to_string_lossy());
    request.schema = read.schema;
    request.kept_rejects = options.kept_rejects;
    let meter = Meter { bytes: None, size: None, progress };
    let records = read.rejects.into_iter().map(Err).chain(read.records.into_iter().map(Ok));
    let mut report = meter.load(store, request, records)?;
    if read.settled > 0 && !known.commits.is_empty() {
        let message = format!(
            "HEAD does not descend from the commits that were loaded before: {} files were brought to its tree",
            read.settled
        );
        report.warnings.push((Place::new(&repository.to_string_lossy().into(), 0), message));
    }
    Ok(report)
}

/// What a namespace holds of a history.
fn git_baseline(store: &Store, namespace: &str) -> GitBaseline {
    let view = store.view();
    let mut known = GitBaseline::default();
    for node in view.live_nodes_of(namespace) {
        let id = node.key.id.to_string();
        let text = |wanted: &str| node.features.iter().find(|(name, _)| **name == *wanted).map(|(_, value)| value);
        let text = |wanted| text(wanted).map(ToString::to_string).unwrap_or_default();
        match &*node.key.node_type {
            "commit" => {
                known.now = known.now.max(Some(node.life.created));
                known.commits.insert(id);
            }
            "author" => _ = known.authors.insert(id, text("name")),
            "file" => _ = known.files.insert(id, text("blob")),
            _ => {}
        }
    }
    known
}

/// A reader, the name of its file, how much of that was read, and its size.
type Opened = (EventReader, Name, (BytesRead, Option<u64>));

/// A reader of events in any format.
enum EventReader {
    Jsonl(Box<JsonlReader<Input>>),
    Table(Box<CsvReader<Input>>),
    Columnar(Box<ColumnarReader>),
}

impl EventReader {
    /// The reader of a file, with the name of the file, how much of it was read, and its size.
    fn open(path: &Path, schema: &Schema, format: &EventFormat) -> Result<Opened, SourceError> {
        if let EventFormat::Columnar(options) = format {
            let reader = Box::new(ColumnarReader::open(path, schema, options)?);
            let (file, progress) = (reader.name().clone(), reader.progress());
            return Ok((EventReader::Columnar(reader), file, progress));
        }
        let input = open(path)?;
        let (file, progress) = (input.name().clone(), (input.bytes_read(), input.size()));
        let reader = match format {
            EventFormat::Table(options) => EventReader::Table(Box::new(CsvReader::new(input, &file, schema, options)?)),
            _ => EventReader::Jsonl(Box::new(JsonlReader::new(input, &file, schema))),
        };
        Ok((reader, file, progress))
    }

    /// The policies that fit the source: rows without an action are interactions of nodes that nothing creates.
    fn policies(&self) -> (Dangling, Repeats) {
        match self {
            EventReader::Table(reader) if !reader.has_action() => (Dangling::Stub, Repeats::Parallel),
            EventReader::Columnar(reader) if !reader.has_action() => (Dangling::Stub, Repeats::Parallel),
            _ => (Dangling::Drop, Repeats::Reject),
        }
    }

    fn failure(&mut self) -> Option<SourceError> {
        match self {
            EventReader::Jsonl(reader) => reader.failure(),
            EventReader::Table(reader) => reader.failure(),
            EventReader::Columnar(reader) => reader.failure(),
        }
    }

    fn notes(&mut self) -> Vec<String> {
        match self {
            EventReader::Jsonl(reader) => reader.notes(),
            EventReader::Table(reader) => reader.notes(),
            EventReader::Columnar(reader) => reader.notes(),
        }
    }
}

impl Iterator for EventReader {
    type Item = Result<Record, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            EventReader::Jsonl(reader) => reader.next(),
            EventReader::Table(reader) => reader.next(),
            EventReader::Columnar(reader) => reader.next(),
        }
    }
}

/// So many records go by between two looks at the progress.
const STRIDE: u64 = 4096;

/// Tells how far a load is.
struct Meter<'a> {
    bytes: Option<BytesRead>,
    size: Option<u64>,
    progress: &'a mut (dyn FnMut(LoadProgress) + Send),
}

impl Meter<'_> {
    fn tell(&mut self, records: u64) {
        let bytes = self.bytes.as_ref().map_or(0, BytesRead::get);
        (self.progress)(LoadProgress { records, bytes, size: self.size });
    }

    fn load(
        mut self,
        store: &mut Store,
        request: LoadRequest,
        records: impl Iterator<Item = Result<Record, Reject>>,
    ) -> Result<LoadReport, Error> {
        let metered = (1u64..).zip(records).map(|(count, record)| {
            if count.is_multiple_of(STRIDE) {
                self.tell(count);
            }
            record.map(|record| (record.event, record.place))
        });
        Ok(store.load(request, metered)?)
    }
}

/// Hands intervals on and tells how many there were.
struct CountingSpans<'a, 'm> {
    sink: &'a mut dyn SpanSink,
    records: u64,
    meter: Meter<'m>,
}

impl CountingSpans<'_, '_> {
    fn count(&mut self) {
        self.records += 1;
        if self.records.is_multiple_of(STRIDE) {
            self.meter.tell(self.records);
        }
    }
}

impl SpanSink for CountingSpans<'_, '_> {
    fn file(&mut self, name: &Name) {
        self.sink.file(name);
    }

    fn node(&mut self, node: &NodeSpan<'_>) {
        self.count();
        self.sink.node(node);
    }

    fn edge(&mut self, edge: &EdgeSpan<'_>) {
        self.count();
        self.sink.edge(edge);
    }

    fn reject(&mut self, line: u64, reason: Reason) {
        self.sink.reject(line, reason);
    }
}

/// Hands records on and tells how many there were.
struct CountingSink<'a> {
    sink: &'a mut dyn VersionSink,
    records: u64,
    progress: &'a mut (dyn FnMut(LoadProgress) + Send),
}

impl CountingSink<'_> {
    fn count(&mut self) {
        self.records += 1;
        if self.records.is_multiple_of(STRIDE) {
            (self.progress)(LoadProgress { records: self.records, bytes: 0, size: None });
        }
    }
}

impl VersionSink for CountingSink<'_> {
    fn schema(&mut self) -> &mut Schema {
        self.sink.schema()
    }

    fn format(&mut self, format: Format) {
        self.sink.format(format);
    }

    fn expect(&mut self, nodes: usize, edges: usize) {
        self.sink.expect(nodes, edges);
    }

    fn file(&mut self, name: &Name) {
        self.sink.file(name);
    }

    fn node(&mut self, node_type: NodeTypeId, id: &str, features: &[(FeatureId, ValueRef<'_>)], line: u64) {
        self.count();
        self.sink.node(node_type, id, features, line);
    }

    fn edge(
        &mut self,
        edge_type: EdgeTypeId,
        ends: (&str, &str),
        key: Option<&str>,
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    ) {
        self.count();
        self.sink.edge(edge_type, ends, key, features, line);
    }

    fn merge(
        &mut self,
        from: (NodeTypeId, &str),
        into: (NodeTypeId, &str),
        features: &[(FeatureId, ValueRef<'_>)],
        line: u64,
    ) {
        self.sink.merge(from, into, features, line);
    }

    fn deleted(&mut self, node_type: NodeTypeId, id: &str, line: u64) {
        self.sink.deleted(node_type, id, line);
    }

    fn unreadable(&mut self, told: Vec<Unreadable>, line: u64, reason: Reason) {
        self.sink.unreadable(told, line, reason);
    }

    fn empty(&mut self, section: Scope) {
        self.sink.empty(section);
    }

    fn reject(&mut self, line: u64, reason: Reason) {
        self.sink.reject(line, reason);
    }

    fn warn(&mut self, line: u64, message: String) {
        self.sink.warn(line, message);
    }
}
