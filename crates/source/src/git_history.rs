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
//! **Files.** A commit with one parent is compared with it, a first commit with nothing; a merge commit touches nothing,
//! for its changes are those of the branches. Where branches created or deleted the same file, the events follow what is
//! alive: creating what is there updates it, updating what is gone creates it, deleting what is gone does nothing.
//!
//! **Renames** (at least half of the content is the same) are a delete, a create and a merge of the old path into the new.
//! **Deletes** end the file's edges, those of the deleting commit too: they are in the stream of events, and in no view.
//!
//! Links in the tree count as files, submodules do not. Names and subjects that are not UTF-8 are shown with replacement
//! characters; paths that are not UTF-8 are refused.

mod change;
mod order;
mod recorder;

use std::path::Path;

use timeweft_graph::{Reject, Schema};

use self::change::Differ;
use self::recorder::Recorder;
use crate::{Record, SourceError};

/// How much of a history to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GitOptions {
    /// Stops after this many commits, counted from the first one; `None` reads all.
    pub limit: Option<usize>,
}

/// A repository's history as events.
#[derive(Clone, Debug)]
pub struct GitHistory {
    /// The types above; the unit is the second.
    pub schema: Schema,
    /// Events in order of time. The place is the hash of the commit.
    pub records: Vec<Record>,
    /// What could not be read.
    pub rejects: Vec<Reject>,
    /// Number of commits read.
    pub commits: usize,
}

/// Reads the history of the repository that `path` is in. Nothing is run, fetched or written.
pub fn read(path: &Path, options: &GitOptions) -> Result<GitHistory, SourceError> {
    let mut repository = gix::discover(path)
        .map_err(|error| SourceError::NoRepository { path: path.to_owned(), cause: error.to_string() })?;
    repository.object_cache_size_if_unset(16 << 20);
    history(&repository, options)
        .map_err(|error| SourceError::History { path: path.to_owned(), cause: error.to_string() })
}

fn history(repository: &gix::Repository, options: &GitOptions) -> Result<GitHistory, gix::Error> {
    let mut differ = Differ::new(repository)?;
    let mut recorder = Recorder::default();
    let commits = order::oldest_first(repository)?;
    let count = commits.len().min(options.limit.unwrap_or(usize::MAX));
    for (id, parents) in commits.into_iter().take(count) {
        let commit = repository.find_commit(id)?;
        let changes = match parents.as_slice() {
            [] => differ.changes(None, &commit)?,
            [parent] => differ.changes(Some(*parent), &commit)?,
            _ => Vec::new(),
        };
        recorder.add(&commit, &parents, changes)?;
    }
    Ok(recorder.finish(count))
}
