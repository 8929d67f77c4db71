//! What a commit did to files.

use gix::bstr::{BStr, BString};
use gix::diff::Rewrites;
use gix::object::tree::diff::Change as TreeChange;
use gix::objs::tree::EntryMode;
use gix::{Commit, ObjectId, Repository, Tree};

/// A change of one file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Change {
    pub(super) path: BString,
    pub(super) kind: Kind,
    /// What the file holds now; `None` if it is gone.
    pub(super) blob: Option<ObjectId>,
}

/// What happened to a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Create,
    Update,
    Delete,
    Rename { from: BString },
}

impl Kind {
    /// The value of the feature `change`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Kind::Create => "create",
            Kind::Update => "update",
            Kind::Delete => "delete",
            Kind::Rename { .. } => "rename",
        }
    }
}

/// Compares commits with their parents.
pub(super) struct Differ<'repo> {
    repository: &'repo Repository,
    cache: gix::diff::blob::Platform,
}

impl<'repo> Differ<'repo> {
    pub(super) fn new(repository: &'repo Repository) -> Result<Differ<'repo>, gix::Error> {
        Ok(Differ { repository, cache: repository.diff_resource_cache_for_tree_diff()? })
    }

    /// The files that differ from the parent (from nothing, without one), sorted by path.
    pub(super) fn changes(&mut self, parent: Option<ObjectId>, commit: &Commit<'_>) -> Result<Vec<Change>, gix::Error> {
        let old = match parent {
            Some(parent) => self.repository.find_commit(parent)?.tree()?,
            None => self.repository.empty_tree(),
        };
        let new = commit.tree()?;
        // In a clone without blobs the content cannot be compared; renames of unchanged files are still seen.
        let similar = Rewrites::default();
        let same = Rewrites { percentage: None, ..similar };
        let mut changes = self.compare(&old, &new, similar).or_else(|_| self.compare(&old, &new, same))?;
        changes.sort();
        Ok(changes)
    }

    fn compare(&mut self, old: &Tree<'_>, new: &Tree<'_>, rewrites: Rewrites) -> Result<Vec<Change>, gix::Error> {
        let mut changes = Vec::new();
        self.cache.clear_resource_cache();
        let mut comparison = old.changes()?;
        comparison.options(|options| {
            options.track_path().track_rewrites(Some(rewrites));
        });
        comparison.for_each_to_obtain_tree_with_cache(new, &mut self.cache, |change| {
            push(&mut changes, change);
            Ok(gix::object::tree::diff::Action::Continue(()))
        })?;
        Ok(changes)
    }
}

fn is_file(mode: EntryMode) -> bool {
    mode.is_blob_or_symlink()
}

fn push(changes: &mut Vec<Change>, change: TreeChange<'_, '_, '_>) {
    let mut add = |path: &BStr, kind, blob| changes.push(Change { path: path.to_owned(), kind, blob });
    match change {
        TreeChange::Addition { location, entry_mode, id, .. } if is_file(entry_mode) => {
            add(location, Kind::Create, Some(id.detach()));
        }
        TreeChange::Deletion { location, entry_mode, .. } if is_file(entry_mode) => add(location, Kind::Delete, None),
        TreeChange::Modification { location, previous_entry_mode, entry_mode, id, .. } => {
            // A file may take the place of a submodule, and the other way round.
            match (is_file(previous_entry_mode), is_file(entry_mode)) {
                (true, true) => add(location, Kind::Update, Some(id.detach())),
                (false, true) => add(location, Kind::Create, Some(id.detach())),
                (true, false) => add(location, Kind::Delete, None),
                (false, false) => {}
            }
        }
        TreeChange::Rewrite { source_location, location, entry_mode, id, copy, .. } if is_file(entry_mode) => {
            let kind = if copy { Kind::Create } else { Kind::Rename { from: source_location.to_owned() } };
            add(location, kind, Some(id.detach()));
        }
        TreeChange::Addition { .. } | TreeChange::Deletion { .. } | TreeChange::Rewrite { .. } => {}
    }
}
