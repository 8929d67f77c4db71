//! The store: a directory with a catalogue and a log, and the index that is built from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use timeweft_graph::{Commit, LoadId, Schema};
use timeweft_index::Index;

use crate::folder::{Made, log_dir};
use crate::ledger::Ledger;
use crate::load::LoadRecord;
use crate::log::effective::{Effective, effective};
use crate::log::segment::Segment;
use crate::manifest::Publisher;
use crate::{StoreError, writer_name};

/// A graph directory, open for reading and loading by this process alone.
///
/// Everything that was ever loaded is in its log. The index in memory is built from the log at [`Store::open`] and
/// follows every load; readers hold it by [`Arc`], and what they hold never changes.
///
/// Another process that opens the directory gets [`StoreError::Locked`]. Threads that load share the store behind a
/// `Mutex`: loads of one namespace then come one after the other, and one whose version is older than what came before it
/// is refused; loads of different namespaces lead to the same graph in either order.
pub struct Store {
    pub(crate) dir: PathBuf,
    pub(crate) ledger: Ledger,
    /// Keeps the manifests; none where the graph is only read.
    pub(crate) publisher: Option<Publisher>,
    pub(crate) loads: Vec<LoadRecord>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) current: Arc<Index>,
    pub(crate) poisoned: bool,
    /// What loads come to that are only tried; none where they are meant.
    pub(crate) rehearsal: Option<Rehearsal>,
    pub(crate) made: Option<Made>,
    /// The commit whose log alone made the graph in memory.
    pub(crate) replayed: Option<Commit>,
    /// What was mended since the warnings were taken.
    pub(crate) warnings: Mutex<Vec<String>>,
}

/// What a load came to that was only tried.
#[derive(Default)]
pub(crate) struct Rehearsal {
    /// The graph as it would be.
    pub(crate) graph: Option<Arc<Index>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dir", &self.dir).field("commit", &self.commit()).finish_non_exhaustive()
    }
}

impl Store {
    /// A graph of which nothing was read yet.
    pub(crate) fn of(dir: &Path, ledger: Ledger) -> Store {
        Store {
            dir: dir.into(),
            ledger,
            publisher: None,
            loads: Vec::new(),
            segments: Vec::new(),
            current: Arc::default(),
            poisoned: false,
            rehearsal: None,
            made: None,
            replayed: None,
            warnings: Mutex::default(),
        }
    }

    /// What this process made for this graph; none if the graph was there already.
    pub fn made(&self) -> Option<&Made> {
        self.made.as_ref()
    }

    /// How the process names itself that has the graph of a directory open for writing. The name of one that was killed stays
    /// there until the next one opens the graph: what it committed last, readers may not see before.
    pub fn writer(dir: impl AsRef<Path>) -> Option<String> {
        writer_name::read(dir.as_ref())
    }

    /// Whether it is open for reading only.
    pub fn is_read_only(&self) -> bool {
        !self.ledger.is_writable()
    }

    /// The graph at the latest commit. What the caller holds stays as it is, whatever is loaded later.
    pub fn view(&self) -> Arc<Index> {
        self.current.clone()
    }

    /// The latest commit; 0 before the first load.
    pub fn commit(&self) -> Commit {
        self.loads.last().map_or(Commit(0), |load| load.commit)
    }

    /// The registry, in order of the loads, with those that were taken back ([`Store::load_state`]) and what took them back.
    pub fn loads(&self) -> &[LoadRecord] {
        &self.loads
    }

    /// The loads that make the graph at a commit, in the order of its log.
    pub fn effective_log(&self, commit: Commit) -> Vec<Effective> {
        effective(&self.loads, commit)
    }

    /// The loads in effect, in the order of the effective log.
    pub fn in_effect(&self) -> impl DoubleEndedIterator<Item = &LoadRecord> {
        let log = effective(&self.loads, self.commit());
        log.into_iter().filter_map(|entry| self.record(entry.load).ok())
    }

    /// The types at the latest commit.
    pub fn schema(&self) -> &Schema {
        self.current.schema()
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The segments that hold the events of a load.
    pub(crate) fn segments_of(&self, entry: Effective) -> impl Iterator<Item = &Segment> {
        let first = self.segments.partition_point(|segment| segment.load < entry.written_by);
        let written = self.segments[first..].iter().take_while(move |segment| segment.load == entry.written_by);
        written.filter(move |segment| segment.stands_for.unwrap_or(segment.load) == entry.load)
    }

    /// Where what does not fit in memory is sorted.
    pub(crate) fn scratch_dir(&self) -> PathBuf {
        if self.ledger.is_writable() { log_dir(&self.dir) } else { std::env::temp_dir() }
    }

    /// The record of a load.
    pub(crate) fn record(&self, load: LoadId) -> Result<&LoadRecord, StoreError> {
        let at = self.loads.binary_search_by_key(&load, |record| record.id);
        at.ok().and_then(|at| self.loads.get(at)).ok_or(StoreError::UnknownLoad(load))
    }

    /// Whether one of these loads brought a version.
    pub(crate) fn has_version(&self, log: &[Effective]) -> Result<bool, StoreError> {
        for entry in log {
            if self.record(entry.load)?.is_version() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The bytes of a segment as they are, and where they lie.
    pub(crate) fn segment_bytes(&self, segment: &Segment) -> Result<(Vec<u8>, PathBuf), StoreError> {
        let Some(file) = &segment.file else {
            return Ok((self.ledger.batch(segment)?, self.ledger.path().into()));
        };
        let path = log_dir(&self.dir).join(file);
        let bytes = fs::read(&path).map_err(|error| StoreError::of_segment(&path, error))?;
        Ok((bytes, path))
    }

    /// What was mended since this was asked last: snapshots that were damaged, each in a sentence.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn warn(&self, warning: String) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// Whether something was mended since the warnings were taken.
    pub fn has_warnings(&self) -> bool {
        !self.warnings.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The number of the next load.
    pub(crate) fn next_load(&self) -> LoadId {
        LoadId(self.loads.last().map_or(0, |load| load.id.0) + 1)
    }
}

/// The name in `writer` goes with the process, if readers see what it committed.
impl Drop for Store {
    fn drop(&mut self) {
        if self.publisher.is_some() {
            writer_name::forget(&self.dir);
        }
    }
}
