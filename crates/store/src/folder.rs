//! The folder of a graph: its names, whether there is a graph yet, its making and taking away, and what killed processes left.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::{StoreError, writer_name};

/// The format that this library writes, and the newest that it reads.
pub const FORMAT: u64 = 6;

/// Name of the catalogue's file.
pub(crate) const FILE: &str = "catalogue.redb";

/// Endings of files in the folders of caches and models that are not whole yet.
const UNFINISHED: [&str; 2] = [".tmp", ".partial"];

/// A new catalogue that has nothing in it yet is 1 MiB; one that is larger was used.
const BLANK: u64 = 4 << 20;
/// The catalogue has its header here, which is written before the mark that makes it one.
const HEADER: u64 = 4096;
/// Length of that mark.
const MARK: usize = 9;

/// What the making of a graph made, so that no more than that is taken away if its first load fails.
#[derive(Clone, Debug)]
pub struct Made {
    dir: PathBuf,
    /// Folders that were not there before, outermost first.
    folders: Vec<PathBuf>,
}

impl Made {
    /// Makes a folder and those that lead to it, each durable in the one that holds it.
    pub(crate) fn folders(dir: &Path) -> Result<Made, StoreError> {
        let mut made = Made { dir: dir.into(), folders: Vec::new() };
        let missing: Vec<&Path> = dir.ancestors().take_while(|of| !of.as_os_str().is_empty() && !of.is_dir()).collect();
        let make = |made: &mut Made, folder: &Path| match fs::create_dir(folder) {
            Ok(()) => {
                made.folders.push(folder.into());
                sync_dir(&parent(folder))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
            Err(error) => Err(StoreError::io(folder, error)),
        };
        let done = missing.into_iter().rev().try_for_each(|folder| make(&mut made, folder));
        done.map(|()| made.clone()).inspect_err(|_| drop(made.remove_folders()))
    }

    /// Takes the graph away again: its files, and the folders that were made for it, as long as nothing else was put
    /// there. The graph must be open in this process, and without a load: its lock keeps all others out until it is gone.
    ///
    /// # Errors
    /// If something of it cannot be removed. What is left is an empty graph, or none.
    pub fn remove(&self) -> io::Result<()> {
        remove_files(&manifest_dir(&self.dir), |_| true).map_err(|(_, error)| error)?;
        let removed = remove_files(&log_dir(&self.dir), |name| name.starts_with("p0-"));
        removed.map_err(|(_, error)| error)?;
        let removed = remove_files(&index_dir(&self.dir), |name| name.ends_with(".snapshot") || is_unfinished(name));
        removed.map_err(|(_, error)| error)?;
        for folder in [manifest_dir(&self.dir), log_dir(&self.dir), index_dir(&self.dir)] {
            found(fs::remove_dir(folder))?;
        }
        writer_name::forget(&self.dir);
        // The last of it: a graph without a log folder is an empty one, but a log without a catalogue is none.
        found(fs::remove_file(self.dir.join(FILE)))?;
        self.remove_folders()
    }

    /// Takes the folders away that were made, from within, as long as they are empty.
    pub(crate) fn remove_folders(&self) -> io::Result<()> {
        for folder in self.folders.iter().rev() {
            match found(fs::remove_dir(folder)) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => return Ok(()),
                removed => removed?,
            }
        }
        Ok(())
    }
}

/// Whether there is no graph, and nothing else either: no folder, an empty one, or what a making that was cut short left.
pub(crate) fn is_vacant(dir: &Path) -> Result<bool, StoreError> {
    let failed = |error| StoreError::io(dir, error);
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(StoreError::NotAGraph(dir.into())),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let is_left = match name.to_string_lossy().as_ref() {
            FILE => is_blank(&entry.path()).map_err(|error| StoreError::io(&entry.path(), error))?,
            "log" => !has_segments(dir)?,
            name => is_draft(name) || name == writer_name::FILE,
        };
        if !is_left {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a catalogue never became one: it is empty, or has nothing behind a header without a mark.
pub(crate) fn is_blank(path: &Path) -> io::Result<bool> {
    let facts = fs::metadata(path)?;
    if !facts.is_file() || facts.len() > BLANK {
        return Ok(false);
    }
    let mut file = File::open(path)?;
    let mut mark = Vec::with_capacity(MARK);
    file.by_ref().take(MARK as u64).read_to_end(&mut mark)?;
    if mark.iter().any(|byte| *byte != 0) {
        return Ok(false);
    }
    let mut rest = Vec::new();
    file.seek(SeekFrom::Start(HEADER))?;
    file.read_to_end(&mut rest)?;
    Ok(rest.iter().all(|byte| *byte == 0))
}

/// Whether the log has a file of events, also one of a graph whose catalogue is lost.
pub(crate) fn has_segments(dir: &Path) -> Result<bool, StoreError> {
    let mut files = names(&log_dir(dir)).map_err(|error| StoreError::io(&log_dir(dir), error))?.into_iter();
    Ok(files.any(|name| !(name.starts_with("p0-") && is_unfinished(&name))))
}

/// Removes what processes left that were killed while they wrote. No other process writes, for the graph is locked. What cannot be
/// removed costs room alone, and is tried again at the next opening.
pub(crate) fn remove_unfinished(dir: &Path) {
    let _ = remove_files(dir, is_draft);
    for folder in [index_dir(dir), manifest_dir(dir), dir.join("models")] {
        let _ = remove_files(&folder, is_unfinished);
    }
}

fn is_unfinished(name: &str) -> bool {
    UNFINISHED.iter().any(|ending| name.ends_with(ending))
}

/// The name of a catalogue in the making, another one in each process.
pub(crate) fn draft(dir: &Path) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    dir.join(format!("{FILE}.{}-{}.tmp", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed)))
}

fn is_draft(name: &str) -> bool {
    name.strip_prefix(FILE).is_some_and(|rest| rest.starts_with('.') && is_unfinished(rest))
}

/// The folder that holds another one.
pub(crate) fn parent(folder: &Path) -> PathBuf {
    match folder.canonicalize().ok().as_deref().and_then(Path::parent) {
        Some(parent) => parent.into(),
        None => folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).into(),
    }
}

/// Where the segments lie.
pub(crate) fn log_dir(dir: &Path) -> PathBuf {
    dir.join("log")
}

/// Where the manifests lie.
pub(crate) fn manifest_dir(dir: &Path) -> PathBuf {
    dir.join("manifest")
}

/// Where the snapshots lie.
pub(crate) fn index_dir(dir: &Path) -> PathBuf {
    dir.join("index")
}

/// Bytes of a file.
pub(crate) fn file_size(path: &Path) -> Result<u64, StoreError> {
    fs::metadata(path).map(|data| data.len()).map_err(|error| StoreError::io(path, error))
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    let synced = File::open(dir).and_then(|handle| handle.sync_all());
    synced.map_err(|error| StoreError::io(dir, error))
}

/// Names in a folder; none if it is not there.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect(),
    }
}

/// Whether a path is a folder itself, and no link to one.
pub(crate) fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|facts| facts.is_dir())
}

/// Removes the files of these names, and links, but no folder. Every file is tried; the first error is given, with the path
/// that it is about.
pub(crate) fn remove_files(folder: &Path, is_ours: impl Fn(&str) -> bool) -> Result<(), (PathBuf, io::Error)> {
    let mut removed = Ok(());
    let names = names(folder).map_err(|error| (folder.to_owned(), error))?;
    for path in names.iter().filter(|name| is_ours(name)).map(|name| folder.join(name)) {
        if !is_folder(&path) {
            removed = removed.and(found(fs::remove_file(&path)).map_err(|error| (path, error)));
        }
    }
    removed
}

/// What is not there need not be removed.
fn found(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
