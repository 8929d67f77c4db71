//! Snapshots: the index in a file, so that opening a graph does not replay its log.
//!
//! A snapshot is a cache named by its commit (law 1). One that is missing, damaged, of another version or of another log
//! costs the replay that it would have saved, and nothing else.
//!
//! Its blocks are compared with their hashes as they are read ([`timeweft_index::damage`]), so that opening takes no longer
//! for a large graph. That is not enough where something that stays is made of it: before a load, a rollback, another
//! snapshot, all of it is compared ([`Store::make_sound`]). What is damaged is removed, the log makes the graph anew, and a
//! warning says so.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use timeweft_graph::{Commit, Schema};
use timeweft_index::damage::{Damage, catch};
use timeweft_index::{Index, SnapshotError, create_fresh};
use xxhash_rust::xxh3::Xxh3;

use crate::StoreError;
use crate::folder::{file_size, index_dir, log_dir, names, sync_dir};
use crate::log::effective::{Effective, effective, units};
use crate::store::Store;

/// Fewer events than this are replayed in no time.
const FEW: u64 = 100_000;

/// A graph that was brought into memory.
pub(crate) struct Opened {
    pub(crate) index: Index,
    /// Whether the log alone made it.
    pub(crate) is_replayed: bool,
}

impl Store {
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

    /// Writes a snapshot of the latest commit in place of older ones; gives its size in bytes. If that fails nothing is left of
    /// it, and the graph is what it was.
    ///
    /// Costs about the time to write as many bytes as the index has in memory.
    pub fn write_snapshot(&self) -> Result<u64, StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        if !self.ledger.is_writable() {
            return Err(StoreError::ReadOnly(self.dir.clone()));
        }
        let dir = index_dir(&self.dir);
        let path = dir.join(file_name(self.commit()));
        let failed = |error| StoreError::io(&path, error);
        fs::create_dir_all(&dir).map_err(failed)?;
        let stamp = self.stamp(&effective(&self.loads, self.commit()))?;
        let index = self.sound_view()?;
        let unfinished = path.with_extension("tmp");
        let written = write_to(&unfinished, |out| index.write_snapshot(self.commit(), stamp, out));
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

    /// Bytes of the snapshots, which may be deleted.
    pub fn size_of_snapshots(&self) -> Result<u64, StoreError> {
        snapshots(&index_dir(&self.dir))?.iter().map(|(_, path)| file_size(path)).sum()
    }

    /// Whether opening the graph would replay so much that a snapshot pays: as many events as a quarter of those before.
    pub fn is_snapshot_due(&self) -> Result<bool, StoreError> {
        let log = effective(&self.loads, self.commit());
        let events = |log: &[Effective]| -> Result<u64, StoreError> {
            log.iter().map(|entry| Ok(self.record(entry.load)?.events)).sum()
        };
        let usable = self.usable_snapshots(&log)?;
        let newest = usable.into_iter().find(|(.., path)| Index::has_snapshot_format(path));
        let covered = newest.map_or(0, |(_, covered, _)| covered);
        let later = events(&log[covered..])?;
        Ok(later >= FEW && later >= events(&log[..covered])? / 4)
    }

    /// The graph at a commit: the newest snapshot that is a beginning of its log, and the loads after it. A snapshot that is
    /// damaged is removed.
    pub(crate) fn open_index(&self, commit: Commit) -> Result<Opened, StoreError> {
        self.open_log(&effective(&self.loads, commit), self.ledger.schema(commit)?, false)
    }

    /// The same for a log, or the beginning of one, over types that include all of its own, to derive something from it that
    /// is written: all of a snapshot is compared with its hashes before.
    pub(crate) fn sound_log(&self, log: &[Effective], schema: Schema) -> Result<Index, StoreError> {
        // What was compared of the graph in memory, where that is still needed, can be read again.
        self.current.release();
        Ok(self.open_log(log, schema, true)?.index)
    }

    fn open_log(&self, log: &[Effective], schema: Schema, is_checked: bool) -> Result<Opened, StoreError> {
        let mut discarded = Vec::new();
        for (of, covered, path) in self.usable_snapshots(log)? {
            log[..covered].iter().try_for_each(|entry| self.check_present(*entry))?;
            let stamp = self.stamp(&log[..covered])?;
            let opened = Index::open_snapshot(&path, of, stamp).and_then(|index| {
                if is_checked {
                    index.check().map_err(|damage| SnapshotError::Damaged(damage.problem))?;
                }
                Ok(index)
            });
            match opened.map(|index| self.continue_snapshot(&path, index, &log[covered..], &schema)) {
                Ok(continued) => match continued? {
                    Ok(index) => {
                        self.warn_of(discarded);
                        return Ok(Opened { index, is_replayed: false });
                    }
                    Err(problem) => discarded.push((path, problem)),
                },
                // The process that writes has put a newer one in its place.
                Err(SnapshotError::Io(error))
                    if error.kind() == io::ErrorKind::NotFound && !self.ledger.is_writable() => {}
                Err(problem) => discarded.push((path, problem)),
            }
        }
        let index = self.replay_log(log, schema)?;
        self.warn_of(discarded);
        Ok(Opened { index, is_replayed: true })
    }

    /// A snapshot brought up to date, or what is wrong with it.
    pub(crate) fn continue_snapshot(
        &self,
        path: &Path,
        mut index: Index,
        later: &[Effective],
        schema: &Schema,
    ) -> Result<Result<Index, SnapshotError>, StoreError> {
        let continued = catch(|| -> Result<(), StoreError> {
            index.declare(schema);
            let widened = index.widen_to(schema);
            widened.map_err(|problem| StoreError::corrupt(path, problem.of(schema)))?;
            units(later).try_for_each(|unit| self.replay_unit(unit, &mut index))
        });
        match continued {
            Ok(Ok(())) => Ok(Ok(index)),
            Err(damage) => Ok(Err(SnapshotError::Damaged(damage.problem))),
            // A replay of the log shows whether that is the fault of the snapshot or of the log.
            Ok(Err(StoreError::Corrupt { problem, .. })) => Ok(Err(SnapshotError::Damaged(problem))),
            Ok(Err(error)) => Err(error),
        }
    }

    /// The graph in memory once all of its snapshot was compared with its hashes; what the log makes if it is damaged.
    pub(crate) fn sound_view(&self) -> Result<Arc<Index>, StoreError> {
        match self.current.check() {
            Ok(()) => Ok(self.current.clone()),
            Err(damage) => Ok(Arc::new(self.replay_instead_of(damage)?)),
        }
    }

    /// Compares all of the snapshot that the graph in memory is made of with its hashes. If it is damaged, it is removed, the
    /// log makes the graph anew, and [`Store::take_warnings`] tells. What was made of it before stays as it is.
    ///
    /// # Errors
    /// If the log is damaged too.
    pub fn make_sound(&mut self) -> Result<(), StoreError> {
        if let Err(damage) = self.current.check() {
            self.mend(damage)?;
        }
        Ok(())
    }

    /// Removes a snapshot in which damage was found, and has the log make the graph anew.
    ///
    /// # Errors
    /// If the log is damaged too.
    pub fn mend(&mut self, damage: Damage) -> Result<(), StoreError> {
        self.current = Arc::default();
        self.current = Arc::new(self.replay_instead_of(damage)?);
        self.replayed = Some(self.commit());
        Ok(())
    }

    fn replay_instead_of(&self, damage: Damage) -> Result<Index, StoreError> {
        let index = self.replay(self.commit())?;
        self.warn_of(vec![(damage.file, SnapshotError::Damaged(damage.problem))]);
        Ok(index)
    }

    /// Removes snapshots that are of no use, now that the log has made what they should have had.
    pub(crate) fn warn_of(&self, discarded: Vec<(PathBuf, SnapshotError)>) {
        for (path, problem) in discarded {
            let removed = match &problem {
                // A later one takes its place.
                SnapshotError::Version => continue,
                SnapshotError::Io(_) => "it is left as it is",
                _ if !self.ledger.is_writable() => "it is left as it is, for the graph is open for reading only",
                _ if fs::remove_file(&path).is_ok() => "it was removed",
                _ => "it could not be removed",
            };
            let warning = format!(
                "{}: {problem}: {removed}, and the graph was made anew from its log, which is whole: `Graph::compact` writes \
                 another snapshot",
                path.display()
            );
            self.warn(warning);
        }
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

    /// The files of all snapshots.
    pub(crate) fn snapshot_files(&self) -> Result<Vec<PathBuf>, StoreError> {
        Ok(snapshots(&index_dir(&self.dir))?.into_iter().map(|(_, path)| path).collect())
    }

    /// Whether the files of a load are there in full. Their bytes are compared when they are read, or by [`Store::verify`].
    fn check_present(&self, entry: Effective) -> Result<(), StoreError> {
        for segment in self.segments_of(entry) {
            let Some(file) = &segment.file else { continue };
            let path = log_dir(&self.dir).join(file);
            match fs::metadata(&path) {
                Ok(data) if data.len() == segment.length => {}
                Ok(_) => return Err(StoreError::corrupt(&path, "its length is wrong")),
                Err(error) => return Err(StoreError::of_segment(&path, error)),
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

fn file_name(commit: Commit) -> String {
    format!("{:010}.snapshot", commit.0)
}

/// All snapshots, oldest first. Anyone may delete the directory.
fn snapshots(dir: &Path) -> Result<Vec<(Commit, PathBuf)>, StoreError> {
    let names = names(dir).map_err(|error| StoreError::io(dir, error))?;
    let snapshot = |name: &String| Some((Commit(name.strip_suffix(".snapshot")?.parse().ok()?), dir.join(name)));
    let mut found: Vec<_> = names.iter().filter_map(snapshot).collect();
    found.sort();
    Ok(found)
}
