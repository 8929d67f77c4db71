//! Making a graph, opening it, and bringing memory in step with the disk.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use timeweft_graph::Schema;

use crate::StoreError;
use crate::catalogue::Catalogue;
use crate::folder::{self, FILE, Made, file_size, is_folder, log_dir, names, remove_files, sync_dir};
use crate::store::Store;

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

    /// Bytes of the catalogue and of all files of the log.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        let mut total = file_size(self.catalogue.path())?;
        let log = log_dir(&self.dir);
        for name in names(&log).map_err(|error| StoreError::io(&log, error))? {
            let path = log.join(name);
            total += if is_folder(&path) { 0 } else { file_size(&path)? };
        }
        Ok(total)
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
        let is_left = |name: &str| {
            let is_ours = name.starts_with("p0-") && (name.ends_with(".arrow") || name.ends_with(".arrow.tmp"));
            is_ours && !referenced.contains(name)
        };
        let removed = remove_files(&log_dir(&self.dir), is_left);
        removed.map_err(|(path, error)| StoreError::io(&path, error))
    }
}
