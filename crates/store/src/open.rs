//! Making a graph, opening it, and bringing memory in step with the disk.

use std::fs;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use rustc_hash::FxHashSet;
use timeweft_graph::{Commit, Schema};

use crate::catalogue::Catalogue;
use crate::folder::{self, FILE, Made, file_size, is_folder, log_dir, names, remove_files, sync_dir};
use crate::ledger::Ledger;
use crate::log::effective::effective;
use crate::manifest::{self, Contents, Manifests, Publisher, Written};
use crate::store::Store;
use crate::{StoreError, writer_name};

/// How often a reader opens a graph again whose snapshot was replaced meanwhile by one of a later commit.
const ATTEMPTS: usize = 3;

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
        let mut store = Store::of(dir, Ledger::Catalogue(catalogue));
        writer_name::note(dir);
        store.recover().inspect_err(|_| drop(made.remove()))?;
        store.made = Some(made);
        Ok(store)
    }

    /// Opens a graph for reading and writing: removes what no commit refers to, checks what is left, and builds the index from the newest
    /// snapshot and the log after it.
    pub fn open(dir: impl AsRef<Path>) -> Result<Store, StoreError> {
        let dir = dir.as_ref();
        check_is_graph(dir)?;
        let mut store = Store::of(dir, Ledger::Catalogue(Catalogue::open(dir)?));
        writer_name::note(dir);
        store.recover()?;
        Ok(store)
    }

    /// Opens a graph for reading at its newest commit, or at an earlier one. It takes no lock and writes nothing, so any number
    /// of processes may read while one writes, and the folder may be read-only. What it reads is pinned to the commit until
    /// [`Store::refresh`].
    ///
    /// A graph that only an earlier timeweft has written has no manifests yet: its catalogue is read instead, as long as no
    /// process has it open for writing.
    ///
    /// # Errors
    /// If there is no such commit, or a file is damaged.
    pub fn open_read_only(dir: impl AsRef<Path>, commit: Option<Commit>) -> Result<Store, StoreError> {
        let dir = dir.as_ref();
        check_is_graph(dir)?;
        for _ in 0..ATTEMPTS {
            let opened = Store::read_only(dir, commit)?;
            let is_replaced = opened.replayed.is_some() && manifest::newest(dir)? > Some(opened.commit());
            if commit.is_some() || !is_replaced {
                return Ok(opened);
            }
        }
        Store::read_only(dir, commit)
    }

    fn read_only(dir: &Path, commit: Option<Commit>) -> Result<Store, StoreError> {
        let (ledger, mut contents) = match manifest::read(dir)? {
            Some(contents) => (Ledger::Manifests(Manifests::new(dir, &contents)), contents),
            None => {
                let catalogue = Catalogue::open_read_only(dir)?;
                let (loads, segments) = (catalogue.loads()?, catalogue.segments()?);
                (Ledger::Catalogue(catalogue), Contents { schemas: Vec::new(), loads, segments })
            }
        };
        if let Some(asked) = commit {
            let newest = contents.commit();
            if asked > newest {
                return Err(StoreError::UnknownCommit { asked, newest });
            }
            contents.truncate(asked);
        }
        let mut store = Store::of(dir, ledger);
        (store.loads, store.segments) = (contents.loads, contents.segments);
        let opened = store.open_index(store.commit())?;
        store.replayed = opened.is_replayed.then_some(store.commit());
        store.current = Arc::new(opened.index);
        Ok(store)
    }

    /// Another handle of the graph at this commit, for reading only. It shares the index; its registry is its own.
    ///
    /// # Errors
    /// If the manifests are missing or damaged.
    pub fn reader(&self) -> Result<Store, StoreError> {
        let commit = self.commit();
        let contents = manifest::read(&self.dir)?.filter(|contents| contents.commit() >= commit);
        let Some(mut contents) = contents else {
            // A graph that only an earlier timeweft has written.
            return Store::read_only(&self.dir, Some(commit));
        };
        contents.truncate(commit);
        let mut reader = Store::of(&self.dir, Ledger::Manifests(Manifests::new(&self.dir, &contents)));
        (reader.loads, reader.segments) = (contents.loads, contents.segments);
        reader.current = self.current.clone();
        Ok(reader)
    }

    /// Moves a graph that is open for reading to the newest commit, and gives it; views of before stay as they are. Costs what
    /// was loaded since, or the opening where that is not simply added: a rollback, a version before others, late events.
    ///
    /// # Errors
    /// If a file cannot be read or is damaged; the graph stays where it was.
    pub fn refresh(&mut self) -> Result<Commit, StoreError> {
        if self.ledger.is_writable() {
            return Ok(self.commit());
        }
        let Some(contents) = manifest::read(&self.dir)?.filter(|contents| contents.commit() > self.commit()) else {
            return Ok(self.commit());
        };
        let known = effective(&self.loads, self.commit());
        let ledger = Ledger::Manifests(Manifests::new(&self.dir, &contents));
        let mut newer = Store::of(&self.dir, ledger);
        (newer.loads, newer.segments) = (contents.loads, contents.segments);
        let log = effective(&newer.loads, newer.commit());
        let is_added = log.starts_with(&known) && log.get(known.len()).is_none_or(|next| !next.together);
        let continued = if is_added {
            let (index, schema) = ((*self.current).clone(), newer.ledger.schema(newer.commit())?);
            newer.continue_snapshot(newer.ledger.path(), index, &log[known.len()..], &schema)?.ok()
        } else {
            None
        };
        let index = match continued {
            Some(index) => index,
            None => newer.open_index(newer.commit())?.index,
        };
        index.prepare_like(&self.current);
        newer.current = Arc::new(index);
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
            .into_iter()
            .for_each(|warning| newer.warn(warning));
        *self = newer;
        Ok(self.commit())
    }

    /// The newest commit on disk: later than [`Store::commit`] where another handle has written since.
    ///
    /// # Errors
    /// If what says which commits there are cannot be read or is damaged.
    pub fn newest_commit(&self) -> Result<Commit, StoreError> {
        let on_disk = if self.ledger.is_writable() { None } else { manifest::read(&self.dir)? };
        Ok(on_disk.map_or(self.commit(), |contents| contents.commit().max(self.commit())))
    }

    /// Bytes of the catalogue and of all files of the log.
    pub fn size_on_disk(&self) -> Result<u64, StoreError> {
        let mut total = file_size(&self.dir.join(FILE))?;
        let log = log_dir(&self.dir);
        for name in names(&log).map_err(|error| StoreError::io(&log, error))? {
            let path = log.join(name);
            total += if is_folder(&path) { 0 } else { file_size(&path)? };
        }
        Ok(total)
    }

    /// Brings memory in step with the disk.
    pub(crate) fn recover(&mut self) -> Result<(), StoreError> {
        let catalogue = self.ledger.writable()?;
        (self.loads, self.segments) = (catalogue.loads()?, catalogue.segments()?);
        self.make_log()?;
        self.remove_unreferenced()?;
        folder::remove_unfinished(&self.dir);
        let opened = self.open_index(self.commit())?;
        self.replayed = opened.is_replayed.then_some(self.commit());
        self.current = Arc::new(opened.index);
        self.publisher = None;
        self.publish_manifest();
        Ok(())
    }

    /// Says to processes that read what the latest commit consists of. It is committed whatever becomes of that.
    pub(crate) fn publish_manifest(&mut self) {
        let Ledger::Catalogue(catalogue) = &self.ledger else { return };
        let all = Written { catalogue, loads: &self.loads, segments: &self.segments };
        let published = match self.publisher.take() {
            Some(mut publisher) => publisher.publish(all).map(|()| publisher),
            None => catalogue.raise_format().and_then(|()| Publisher::open(&self.dir, all)),
        };
        match published {
            Ok(publisher) => self.publisher = Some(publisher),
            Err(error) => {
                self.warn(format!("processes that only read the graph do not see commit {}: {error}", self.commit().0));
            }
        }
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

/// Whether there is a graph in a directory; if not, what is there.
fn check_is_graph(dir: &Path) -> Result<(), StoreError> {
    if folder::is_vacant(dir)? {
        return Err(StoreError::Missing(dir.into()));
    }
    if !dir.join(FILE).is_file() {
        // It may have been taken away just now.
        return Err(if folder::is_vacant(dir)? { StoreError::Missing } else { StoreError::NotAGraph }(dir.into()));
    }
    Ok(())
}
