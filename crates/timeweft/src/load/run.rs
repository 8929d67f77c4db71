//! How sources become loads.

use std::path::Path;

use timeweft_graph::{DeltaOptions, Place, Sink, Stop, Time, send_events};
use timeweft_source::{
    GitBaseline, GitOptions, IntervalSource, IntervalsOptions, SourceError, VersionOptions, git_history, version_format,
};
use timeweft_store::{LoadReport, LoadRequest, Store, StoreError};

use super::LoadOptions;
use super::event_stream::{EventStream, Origin};
use super::progress::{Counting, Meter};
use super::tables::VersionTables;
use crate::{Error, Result};

pub(super) fn events(
    store: &mut Store,
    origins: Vec<Origin>,
    options: &LoadOptions,
    meter: Meter<'_>,
) -> Result<LoadReport> {
    let mut stream = EventStream::open(origins, store.schema(), options, meter)?;
    let (dangling, repeats) = stream.policies;
    let mut request = request(options, "events", &stream.name, stream.stop());
    request.version.clone_from(&options.version);
    request.late = options.late;
    request.dangling = options.dangling.unwrap_or(dangling);
    request.repeats = options.repeats.unwrap_or(repeats);
    request.rows.clone_from(&stream.rows);
    let (can_reread, stop) = (stream.can_reread(), stream.stop());
    let report =
        store.load_stream(request, can_reread, |sink| stream.read(sink)).map_err(|error| widened(error, &stop))?;
    Ok(LoadReport { notes: stream.notes, ..report })
}

pub(super) fn intervals(
    store: &mut Store,
    path: &Path,
    read: &IntervalsOptions,
    options: &LoadOptions,
    mut meter: Meter<'_>,
) -> Result<LoadReport> {
    let source = IntervalSource::open(path, read)?;
    if let Some((bytes, size)) = source.progress() {
        (meter.bytes, meter.size) = (Some(bytes), size);
    }
    let stop = meter.stop.clone();
    let request = request(options, "intervals", source.name(), stop.clone());
    let loaded = store.load_intervals(request, |sink| Ok(source.read(&mut Counting::new(sink, &mut meter))?));
    loaded.map_err(|error| widened(error, &stop))
}

/// What lists a whole version.
pub(super) enum WholeVersion<'a> {
    /// A file or folder, whose format is known.
    Path(&'a Path, VersionOptions),
    Tables(&'a VersionTables),
}

impl<'a> WholeVersion<'a> {
    /// The version of a path; one that cannot be recognised is an error before anything else is done.
    pub(super) fn of_path(path: &'a Path, read: &VersionOptions) -> Result<WholeVersion<'a>> {
        let format = read.format.map_or_else(|| version_format::detect(path), Ok)?;
        Ok(WholeVersion::Path(path, VersionOptions { format: Some(format), ..read.clone() }))
    }

    fn name(&self) -> String {
        match self {
            // One mapping serves many snapshots: their folder says which one it was.
            WholeVersion::Path(path, VersionOptions { root: Some(root), .. }) => {
                format!("{} by {}", root.display(), path.display())
            }
            WholeVersion::Path(path, _) => path.to_string_lossy().into_owned(),
            WholeVersion::Tables(tables) => tables.name().to_string(),
        }
    }

    fn read(&self, sink: &mut dyn Sink) -> Result<(), SourceError> {
        match self {
            WholeVersion::Path(path, read) => version_format::read(path, read, sink),
            WholeVersion::Tables(tables) => tables.read(sink),
        }
    }
}

pub(super) fn version(
    store: &mut Store,
    version: &WholeVersion<'_>,
    options: &LoadOptions,
    mut meter: Meter<'_>,
) -> Result<LoadReport> {
    let stop = meter.stop.clone();
    let request = version_request(&version.name(), options, stop.clone())?;
    let read = |sink: &mut dyn Sink| Ok(version.read(&mut Counting::new(sink, &mut meter))?);
    store.load_version(request, delta(options), read).map_err(|error| widened(error, &stop))
}

pub(super) fn plan(
    store: &Store,
    version: &WholeVersion<'_>,
    options: &LoadOptions,
    mut meter: Meter<'_>,
) -> Result<LoadReport> {
    let stop = meter.stop.clone();
    let request = version_request(&version.name(), options, stop.clone())?;
    let read = |sink: &mut dyn Sink| Ok(version.read(&mut Counting::new(sink, &mut meter))?);
    store.plan_version(&request, delta(options), read).map_err(|error| widened(error, &stop))
}

pub(super) fn git(
    store: &mut Store,
    repository: &Path,
    git: &GitOptions,
    options: &LoadOptions,
    mut meter: Meter<'_>,
) -> Result<LoadReport> {
    let stop = meter.stop.clone();
    let mut request = request(options, "git", &repository.to_string_lossy(), stop.clone());
    let known = git_baseline(store, &request.namespace);
    let read = git_history::read_while(repository, git, &known, &mut || meter.commit())?;
    if stop.is_asked() {
        return Err(Error::Stopped);
    }
    if read.records.is_empty() && read.rejects.is_empty() {
        let last = store.loads().iter().rev().find(|load| load.namespace == request.namespace && load.undoes.is_none());
        if let Some(last) = last {
            return Ok(LoadReport::unchanged(last.id, last.commit));
        }
    }
    request.schema = read.schema;
    meter.begin();
    let loaded = store.load(request, |sink| {
        let records = read.rejects.into_iter().map(Err).chain(read.records.into_iter().map(Ok));
        send_events(records, &mut Counting::new(sink, &mut meter));
        Ok(())
    });
    let mut report = loaded.map_err(|error| widened(error, &stop))?;
    if read.settled > 0 && !known.commits.is_empty() {
        let message = format!(
            "HEAD does not descend from the commits that were loaded before: {} files were brought to its tree",
            read.settled
        );
        report.warnings.push((Place::new(&repository.to_string_lossy().into(), 0), message));
    }
    Ok(report)
}

/// What all loads ask of the store.
fn request(options: &LoadOptions, namespace: &str, source: &str, stop: Stop) -> LoadRequest {
    let source = options.source.as_deref().unwrap_or(source);
    let mut request = LoadRequest::new(options.namespace.as_deref().unwrap_or(namespace), source);
    request.max_rejects = options.max_rejects;
    request.kept_rejects = options.kept_rejects;
    request.stop = stop;
    request
}

fn version_request(source: &str, options: &LoadOptions, stop: Stop) -> Result<LoadRequest> {
    let missing = |what| Error::Store(StoreError::Incomplete(what));
    let namespace = options.namespace.as_ref().ok_or_else(|| missing("a namespace"))?;
    let version = options.version.as_ref().ok_or_else(|| missing("a name"))?;
    let time: Time = options.timestamp.ok_or_else(|| missing("a timestamp"))?;
    let mut request = request(options, namespace, source, stop).version(version, time);
    request.release_timestamp = options.release_timestamp;
    request.back_dated = options.back_dated;
    Ok(request)
}

fn delta(options: &LoadOptions) -> DeltaOptions {
    DeltaOptions { dangling: options.dangling.unwrap_or_default(), ..options.delta.clone() }
}

/// Errors of the reader come back through the store: here they get their own types again. One that comes of having read a part
/// only is none.
fn widened(error: StoreError, stop: &Stop) -> Error {
    match error {
        StoreError::Unwritten { .. } | StoreError::Poisoned => Error::Store(error),
        _ if stop.is_asked() => Error::Stopped,
        StoreError::Source(source) => match source.downcast::<SourceError>() {
            Ok(source) => Error::Source(*source),
            Err(other) => Error::Store(StoreError::Source(other)),
        },
        other => Error::from(other),
    }
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
