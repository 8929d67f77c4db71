//! Snapshots: the index in a file, so that opening a graph does not replay its log.
//!
//! A snapshot is a cache named by its commit (law 1). One that is missing, damaged, of another version or of another log
//! costs the replay that it would have saved, and nothing else.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use timeweft_graph::{Commit, Schema};
use timeweft_index::{Index, create_fresh};
use xxhash_rust::xxh3::Xxh3;

use crate::StoreError;
use crate::segment::sync_dir;
use crate::splice::{Effective, effective, units};
use crate::store::{Store, log_dir};

/// Fewer events than this are replayed in no time.
const FEW: u64 = 100_000;

impl Store {
    /// Writes a snapshot of the latest commit in place of older ones; gives its size in bytes. If that fails nothing is left of
    /// it, and the graph is what it was.
    ///
    /// Costs about the time to write as many bytes as the index has in memory.
    pub fn write_snapshot(&self) -> Result<u64, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        let dir = index_dir(&self.dir);
        let path = dir.join(file_name(self.commit()));
        let failed = |error| StoreError::io(&path, error);
        fs::create_dir_all(&dir).map_err(failed)?;
        let stamp = self.stamp(&effective(&self.loads, self.commit()))?;
        let unfinished = path.with_extension("tmp");
        let written = write_to(&unfinished, |out| self.current.write_snapshot(self.commit(), stamp, out));
        let written = written.and_then(|bytes| fs::rename(&unfinished, &path).map(|()| bytes));
        let bytes = written.inspect_err(|_| drop(fs::remove_file(&unfinished))).map_err(failed)?;
        // It is there. That its name is not durable yet, or that older ones are there too, costs time or room alone.
        let _ = sync_dir(&dir);
        for (_, older) in snapshots(&dir).unwrap_or_default().into_iter().filter(|(commit, _)| *commit != self.commit())
        {
            let _ = fs::remove_file(older);
        }
        Ok(bytes)
    }

    /// Whether opening the graph would replay so much that a snapshot pays: as many events as a quarter of those before.
    pub fn is_snapshot_due(&self) -> Result<bool, StoreError> {
        let log = effective(&self.loads, self.commit());
        let events = |log: &[Effective]| -> Result<u64, StoreError> {
            log.iter().map(|entry| Ok(self.record(entry.load)?.events)).sum()
        };
        let newest = self.usable_snapshots(&log)?.into_iter().next();
        let covered = newest.map_or(0, |(_, covered, _)| covered);
        let later = events(&log[covered..])?;
        Ok(later >= FEW && later >= events(&log[..covered])? / 4)
    }

    /// The graph at a commit: the newest snapshot that is a beginning of its log, and the loads after it.
    pub(crate) fn open_index(&self, commit: Commit) -> Result<Index, StoreError> {
        self.open_log(&effective(&self.loads, commit), self.catalogue.schema(commit)?)
    }

    /// The same for a log, or the beginning of one, over types that include all of its own.
    pub(crate) fn open_log(&self, log: &[Effective], schema: Schema) -> Result<Index, StoreError> {
        for (of, covered, path) in self.usable_snapshots(log)? {
            let stamp = self.stamp(&log[..covered])?;
            if let Ok(mut index) = Index::open_snapshot(&path, of, stamp, false) {
                log[..covered].iter().try_for_each(|entry| self.check_present(*entry))?;
                index.declare(&schema);
                let widened = index.widen_to(&schema);
                widened.map_err(|problem| StoreError::corrupt(&path, problem.of(&schema)))?;
                units(&log[covered..]).try_for_each(|unit| self.replay_unit(unit, &mut index))?;
                return Ok(index);
            }
        }
        self.replay_log(log, schema)
    }

    /// The snapshots whose log is a beginning of this one, newest first, each with the length of its log.
    fn usable_snapshots(&self, log: &[Effective]) -> Result<Vec<(Commit, usize, PathBuf)>, StoreError> {
        let mut usable = Vec::new();
        for (commit, path) in snapshots(&index_dir(&self.dir))?.into_iter().rev() {
            let before = effective(&self.loads, commit);
            // What comes in among the loads of the snapshot is not one more behind them.
            let behind = log.get(before.len()).is_none_or(|next| !next.together);
            if commit <= self.commit() && log.starts_with(&before) && behind {
                usable.push((commit, before.len(), path));
            }
        }
        Ok(usable)
    }

    /// Whether the files of a load are there in full. Their bytes are compared when they are read, or by [`Store::verify`].
    fn check_present(&self, entry: Effective) -> Result<(), StoreError> {
        for segment in self.segments_of(entry) {
            let Some(file) = &segment.file else { continue };
            let path = log_dir(&self.dir).join(file);
            match fs::metadata(&path) {
                Ok(data) if data.len() == segment.length => {}
                Ok(_) => return Err(StoreError::corrupt(&path, "its length is wrong")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(StoreError::corrupt(&path, "the file is missing"));
                }
                Err(error) => return Err(StoreError::io(&path, error)),
            }
        }
        Ok(())
    }

    /// A number that tells this log from others: a hash of what each load brought.
    fn stamp(&self, log: &[Effective]) -> Result<u64, StoreError> {
        let mut hasher = Xxh3::new();
        for entry in log {
            hasher.update(&entry.load.0.to_le_bytes());
            hasher.update(&entry.written_by.0.to_le_bytes());
            if entry.together {
                hasher.update(b"together");
            }
            hasher.update(self.record(entry.load)?.content_hash.as_bytes());
            for segment in self.segments_of(*entry) {
                hasher.update(&segment.crc32c.to_le_bytes());
            }
        }
        Ok(hasher.digest())
    }
}

/// Gives the bytes that were written.
fn write_to(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<u64> {
    let mut out = BufWriter::with_capacity(1 << 20, create_fresh(path)?);
    write(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(out.get_ref().metadata()?.len())
}

/// Where the snapshots lie.
pub(crate) fn index_dir(dir: &Path) -> PathBuf {
    dir.join("index")
}

fn file_name(commit: Commit) -> String {
    format!("{:010}.snapshot", commit.0)
}

/// All snapshots, oldest first. Anyone may delete the directory.
pub(crate) fn snapshots(dir: &Path) -> Result<Vec<(Commit, PathBuf)>, StoreError> {
    let failed = |error| StoreError::io(dir, error);
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(commit) = name.strip_suffix(".snapshot").and_then(|number| number.parse().ok()) {
            found.push((Commit(commit), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}
