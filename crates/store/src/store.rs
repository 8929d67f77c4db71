//! The store: a directory with a catalogue and a log, and the index that is built from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashSet;
use timeweft_graph::{Commit, Event, LoadId, Schema};
use timeweft_index::Index;

use crate::catalogue::{Catalogue, FILE};
use crate::folder::Made;
use crate::load::LoadRecord;
use crate::load::ingest::sort_features;
use crate::log::effective::{Effective, effective, units};
use crate::log::segment::{Segment, sync_dir};
use crate::log::sorter::LivesInOrder;
use crate::snapshot::{index_dir, snapshots};
use crate::{StoreError, folder};

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
    pub(crate) catalogue: Catalogue,
    pub(crate) loads: Vec<LoadRecord>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) current: Arc<Index>,
    pub(crate) poisoned: bool,
    made: Option<Made>,
    /// The commit whose log alone made the graph in memory.
    pub(crate) replayed: Option<Commit>,
    /// What was mended and not told yet.
    pub(crate) warnings: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dir", &self.dir).field("commit", &self.commit()).finish_non_exhaustive()
    }
}

impl Store {
    /// Makes an empty graph in a directory, which is created if need be. It is there whole or not at all, after any crash.
    pub fn create(dir: impl AsRef<Path>, schema: Schema) -> Result<Store, StoreError> {
        let dir = dir.as_ref();
        let made = Made::folders(dir)?;
        let catalogue = Catalogue::create(dir, &schema).and_then(|catalogue| {
            sync_dir(&folder::parent(dir)).inspect_err(|_| drop(fs::remove_file(catalogue.path())))?;
            Ok(catalogue)
        });
        let catalogue = catalogue.inspect_err(|_| drop(made.remove_folders()))?;
        let mut store = Store::of(dir, catalogue);
        store.recover().inspect_err(|_| drop(made.remove()))?;
        store.made = Some(made);
        Ok(store)
    }

    /// Opens a graph: removes what no commit refers to, checks what is left, and builds the index from the newest
    /// snapshot and the log after it.
    pub fn open(dir: impl AsRef<Path>) -> Result<Store, StoreError> {
        let dir = dir.as_ref();
        if folder::is_vacant(dir)? {
            return Err(StoreError::Missing(dir.into()));
        }
        if !dir.join(FILE).is_file() {
            // It may have been taken away just now.
            return Err(if folder::is_vacant(dir)? { StoreError::Missing } else { StoreError::NotAGraph }(dir.into()));
        }
        let mut store = Store::of(dir, Catalogue::open(dir)?);
        store.recover()?;
        Ok(store)
    }

    /// A graph of which nothing was read yet.
    fn of(dir: &Path, catalogue: Catalogue) -> Store {
        Store {
            dir: dir.into(),
            catalogue,
            loads: Vec::new(),
            segments: Vec::new(),
            current: Arc::default(),
            poisoned: false,
            made: None,
            replayed: None,
            warnings: Mutex::default(),
        }
    }

    /// What this process made for this graph; none if the graph was there already.
    pub fn made(&self) -> Option<&Made> {
        self.made.as_ref()
    }

    /// The graph at the latest commit. What the caller holds stays as it is, whatever is loaded later.
    pub fn view(&self) -> Arc<Index> {
        self.current.clone()
    }

    /// The graph as it was at a commit, built from the log.
    pub fn view_at(&self, commit: Commit) -> Result<Arc<Index>, StoreError> {
        if commit == self.commit() {
            return Ok(self.view());
        }
        if commit > self.commit() {
            return Err(StoreError::UnknownCommit { asked: commit, newest: self.commit() });
        }
        Ok(Arc::new(self.open_index(commit)?.index))
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

    /// The types at the latest commit.
    pub fn schema(&self) -> &Schema {
        self.current.schema()
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Bytes of the catalogue and of all files of the log.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        let mut total = file_size(self.catalogue.path())?;
        for (path, _) in log_files(&self.dir)? {
            total += if is_folder(&path) { 0 } else { file_size(&path)? };
        }
        Ok(total)
    }

    /// Bytes of the snapshots, which may be deleted.
    pub fn size_of_snapshots(&self) -> Result<u64, StoreError> {
        snapshots(&index_dir(&self.dir))?.iter().map(|(_, path)| file_size(path)).sum()
    }

    /// Brings memory in step with the disk.
    pub(crate) fn recover(&mut self) -> Result<(), StoreError> {
        self.loads = self.catalogue.loads()?;
        self.segments = self.catalogue.segments()?;
        self.make_log()?;
        self.remove_unreferenced()?;
        folder::remove_unfinished(&self.dir);
        let opened = self.open_index(self.commit())?;
        self.replayed = opened.is_replayed.then_some(self.commit());
        self.current = Arc::new(opened.index);
        Ok(())
    }

    /// A graph that was just made has no folder for its log yet.
    fn make_log(&self) -> Result<(), StoreError> {
        let log = log_dir(&self.dir);
        if log.is_dir() {
            return Ok(());
        }
        match fs::create_dir(&log) {
            Ok(()) => sync_dir(&self.dir),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(StoreError::io(&log, error)),
        }
    }

    /// A load that was cut short leaves files that no commit refers to. Other files are none of ours, nor are folders.
    pub(crate) fn remove_unreferenced(&self) -> Result<(), StoreError> {
        let referenced: FxHashSet<&str> = self.segments.iter().filter_map(|segment| segment.file.as_deref()).collect();
        for (path, name) in log_files(&self.dir)? {
            let ours = name.starts_with("p0-") && (name.ends_with(".arrow") || name.ends_with(".arrow.tmp"));
            if ours && !referenced.contains(name.as_str()) && !is_folder(&path) {
                fs::remove_file(&path).map_err(|error| StoreError::io(&path, error))?;
            }
        }
        Ok(())
    }

    /// Hands over the events of the log at a commit, in its order, each with its features by name: straight from the segments,
    /// whose checksums are compared. What was set aside, or taken back, is not among them. Takes the memory of a segment,
    /// and what sorting takes where loads are taken in together.
    ///
    /// # Errors
    /// If there is no such commit, or the log is damaged; and what `each` says.
    pub fn each_event<E: From<StoreError>>(
        &self,
        commit: Commit,
        each: &mut dyn FnMut(&Event) -> Result<(), E>,
    ) -> Result<(), E> {
        if commit > self.commit() {
            return Err(StoreError::UnknownCommit { asked: commit, newest: self.commit() }.into());
        }
        let schema = self.catalogue.schema(commit)?;
        let mut failed = None;
        let mut hand_over = |event: &Event| {
            let mut event = event.clone();
            sort_features(&mut event.features);
            each(&event).map_err(|error| {
                failed = Some(error);
                // Only ends the reading.
                StoreError::Poisoned
            })
        };
        let log = effective(&self.loads, commit);
        let read = units(&log).try_for_each(|unit| match unit {
            [entry] => self.events_of(*entry, &schema, &mut hand_over),
            unit => self.events_together(unit, &schema, &mut hand_over),
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(read?),
        }
    }

    /// Hands over the events of a load, in order, their values in the kinds that a schema has for them. Those of many lives are
    /// sorted, on disk where they do not fit in memory.
    pub(crate) fn events_of(
        &self,
        entry: Effective,
        schema: &Schema,
        mut each: impl FnMut(&Event) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut of_lives = None;
        for segment in self.segments_of(entry) {
            let (bytes, place) = self.segment_bytes(segment)?;
            segment.read(&bytes, &place, schema, |rows| {
                if !segment.lives {
                    return rows.iter().try_for_each(|row| each(&row.to_event(schema)));
                }
                let lives = of_lives.get_or_insert_with(|| LivesInOrder::new(&log_dir(&self.dir)));
                rows.iter().try_for_each(|row| {
                    lives.push(&row.to_event(schema))?;
                    row.to_end(schema).map_or(Ok(()), |end| lives.push(&end))
                })
            })?;
        }
        of_lives.map_or(Ok(()), |lives| lives.each(each))
    }

    /// The segments that hold the events of a load.
    pub(crate) fn segments_of(&self, entry: Effective) -> impl Iterator<Item = &Segment> {
        let first = self.segments.partition_point(|segment| segment.load < entry.written_by);
        let written = self.segments[first..].iter().take_while(move |segment| segment.load == entry.written_by);
        written.filter(move |segment| segment.stands_for.unwrap_or(segment.load) == entry.load)
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
            return Ok((self.catalogue.batch(segment)?, self.catalogue.path().into()));
        };
        let path = log_dir(&self.dir).join(file);
        match fs::read(&path) {
            Ok(bytes) => Ok((bytes, path)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(StoreError::corrupt(&path, "the file is missing"))
            }
            Err(error) => Err(StoreError::io(&path, error)),
        }
    }

    /// The number of the next load.
    pub(crate) fn next_load(&self) -> LoadId {
        LoadId(self.loads.last().map_or(0, |load| load.id.0) + 1)
    }
}

/// Where the segments lie.
pub(crate) fn log_dir(dir: &Path) -> PathBuf {
    dir.join("log")
}

fn log_files(dir: &Path) -> Result<Vec<(PathBuf, String)>, StoreError> {
    let log = log_dir(dir);
    let failed = |error| StoreError::io(&log, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(&log).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        files.push((entry.path(), entry.file_name().to_string_lossy().into_owned()));
    }
    files.sort();
    Ok(files)
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|facts| facts.is_dir())
}

fn file_size(path: &Path) -> Result<u64, StoreError> {
    fs::metadata(path).map(|data| data.len()).map_err(|error| StoreError::io(path, error))
}
