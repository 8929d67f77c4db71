//! The history of a git repository as a temporal graph: who changed what, when.
//!
//! | element | id or ends | features |
//! |---|---|---|
//! | node `author` | email (the name where there is none) | `name` |
//! | node `commit` | hash | `subject` |
//! | node `file` | path | `blob`, `size` (bytes), `extension` |
//! | edge author `authored` commit | | |
//! | edge commit `parent` commit | from child to parent | |
//! | edge commit `touched` file | | `change`: create, update, delete, rename |
//! | edge author `edited` file | key: the first 12 digits of the commit | `change` |
//!
//! **Order.** All commits that `HEAD` reaches, parents before children, else older before newer. Clocks of committers are
//! not trusted: the time of a commit is its committer time, or that of the commit before it in this order where that is
//! later. So the events are in order of time and apply to an empty graph.
//!
//! **Files.** A commit is compared with each of its parents, a first commit with nothing. Every path that is other than in
//! one of the parents is set to what the commit holds. So the files at the end are those of the tree of `HEAD`: after the
//! last commit that set a path, all others up to `HEAD` hold what it holds. Between a fork and its merge the files are
//! those that the latest commit of either branch left. A commit *touches* the files that are other than in all of its
//! parents, as in a combined diff: what a merge takes from a branch as it is, the branch has touched.
//!
//! **Renames** (at least half of the content is the same) are a delete, a create and a merge of the old path into the new.
//! **Deletes** end the file's edges, those of the deleting commit too: they are in the stream of events, and in no view.
//!
//! **Again.** What a graph holds already ([`GitBaseline`]) is not told again: only commits that are new are read. A branch
//! that is merged later was committed earlier; its commits are told at the time of the latest commit known. Where `HEAD`
//! does not descend from what is known, as after a rewritten history, the files are brought to its tree in the end.
//!
//! Links in the tree count as files, submodules do not. Names and subjects that are not UTF-8 are shown with replacement
//! characters; paths that are not UTF-8 are refused.

mod change;
mod order;
mod recorder;

use std::path::Path;

use gix::ObjectId;
use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{Event, Place, Reject, Schema, Time};

use self::change::Differ;
use self::recorder::{Recorder, object_id};
use crate::SourceError;

/// How much of a history to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GitOptions {
    /// Stops after this many commits, counted from the first one; `None` reads all.
    pub limit: Option<usize>,
    /// Begins before the newest commits, this many: what earlier commits left is there at once, as files that nobody
    /// touched. `None` begins with the first.
    pub newest: Option<usize>,
}

/// What a graph holds of a history already, from earlier loads.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GitBaseline {
    /// Hashes of the commits.
    pub commits: FxHashSet<String>,
    /// Paths of the files that are alive, with the hash of the blob that each holds.
    pub files: FxHashMap<String, String>,
    /// Ids of the authors, with their names.
    pub authors: FxHashMap<String, String>,
    /// The time of the latest commit.
    pub now: Option<Time>,
}

impl GitBaseline {
    fn commit_ids(&self) -> FxHashSet<ObjectId> {
        self.commits.iter().filter_map(|hash| object_id(hash)).collect()
    }
}

/// A repository's history as events.
#[derive(Clone, Debug)]
pub struct GitHistory {
    /// The types above; the unit is the second.
    pub schema: Schema,
    /// Events in order of time. The place is the hash of the commit.
    pub records: Vec<(Event, Place)>,
    /// What could not be read.
    pub rejects: Vec<Reject>,
    /// Number of commits read.
    pub commits: usize,
    /// Files that were brought to the tree of `HEAD` in the end, because it does not descend from the commits known.
    pub settled: usize,
}

/// Reads the history of the repository that `path` is in, beyond what is known. Nothing is run, fetched or written.
pub fn read(path: &Path, options: &GitOptions, known: &GitBaseline) -> Result<GitHistory, SourceError> {
    read_while(path, options, known, &mut || true)
}

/// The same, as long as `go_on` says so, which is asked at each commit. Once it says no, the rest is not read, and what comes
/// back is not the history.
pub fn read_while(
    path: &Path,
    options: &GitOptions,
    known: &GitBaseline,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<GitHistory, SourceError> {
    let mut repository = gix::discover(path)
        .map_err(|error| SourceError::NoRepository { path: path.to_owned(), cause: error.to_string() })?;
    repository.object_cache_size_if_unset(16 << 20);
    let commits = known.commit_ids();
    if !commits.is_empty() && !commits.iter().any(|commit| repository.has_object(commit)) {
        return Err(SourceError::OtherHistory { path: path.to_owned() });
    }
    history(&repository, options, (known, &commits), go_on)
        .map_err(|error| SourceError::History { path: path.to_owned(), cause: error.to_string() })
}

fn history(
    repository: &gix::Repository,
    options: &GitOptions,
    (known, known_commits): (&GitBaseline, &FxHashSet<ObjectId>),
    go_on: &mut dyn FnMut() -> bool,
) -> Result<GitHistory, gix::Error> {
    let mut differ = Differ::new(repository)?;
    let mut recorder = Recorder::new(repository, known);
    let commits = order::oldest_first(repository, known_commits, go_on)?;
    let skipped = commits.len() - commits.len().min(options.newest.unwrap_or(usize::MAX));
    if let Some((before, _)) = skipped.checked_sub(1).and_then(|last| commits.get(last)) {
        recorder.begin(&repository.find_commit(*before)?)?;
    }
    let told = commits.len() - skipped;
    let count = told.min(options.limit.unwrap_or(usize::MAX));
    for (id, parents) in commits.into_iter().skip(skipped).take(count) {
        if !go_on() {
            return Ok(recorder.finish(0, 0));
        }
        let commit = repository.find_commit(id)?;
        let changes = differ.changes(&parents, &commit)?;
        recorder.add(&commit, &parents, changes)?;
    }
    let settled = if count == told { recorder.end(&repository.head_commit()?)? } else { 0 };
    Ok(recorder.finish(count, settled))
}
