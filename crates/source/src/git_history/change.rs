//! What a commit did to files.

use std::collections::BTreeMap;

use gix::bstr::{BStr, BString};
use gix::diff::Rewrites;
use gix::object::tree::diff::Change as TreeChange;
use gix::objs::tree::EntryMode;
use gix::{Commit, ObjectId, Repository, Tree};

/// What a commit means for files: those that are other than in one of its parents.
#[derive(Default)]
pub(super) struct Changes {
    /// Sorted by path, each path once.
    pub(super) files: Vec<Change>,
    /// Paths that became others, old and new. The old one is not in the tree of the commit.
    pub(super) renames: Vec<(BString, BString)>,
}

/// A file that is other than in one of the parents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    pub(super) path: BString,
    pub(super) kind: Kind,
    /// What the file holds now; `None` if it is gone.
    pub(super) blob: Option<ObjectId>,
    /// Whether it differs from every parent: then the commit itself changed it, as in a combined diff of git. Otherwise a
    /// merge took it as one of its parents has it.
    pub(super) own: bool,
}

/// What happened to a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Create,
    Update,
    Delete,
    Rename,
}

impl Kind {
    /// The value of the feature `change`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Create => "create",
            Kind::Update => "update",
            Kind::Delete => "delete",
            Kind::Rename => "rename",
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

    /// The files that differ from a parent (from nothing, where there is none). What happened to a file of a merge is told
    /// as the first of the parents that differ sees it.
    pub(super) fn changes(&mut self, parents: &[ObjectId], commit: &Commit<'_>) -> Result<Changes, gix::Error> {
        let new = commit.tree()?;
        let mut changes = Changes::default();
        let mut files = BTreeMap::<BString, (Change, usize)>::new();
        let nothing = self.repository.empty_tree();
        let trees = parents.iter().map(|parent| self.repository.find_commit(*parent)?.tree());
        let mut trees = trees.collect::<Result<Vec<_>, _>>()?;
        if trees.is_empty() {
            trees.push(nothing);
        }
        for old in &trees {
            let seen = self.compare_trees(old, &new)?;
            changes.renames.extend(seen.renames);
            for change in seen.files {
                files.entry(change.path.clone()).or_insert((change, 0)).1 += 1;
            }
        }
        changes.renames.sort_unstable();
        changes.renames.dedup();
        let all = trees.len();
        let own = |(change, parents): (Change, usize)| Change { own: parents == all, ..change };
        changes.files = files.into_values().map(own).collect();
        Ok(changes)
    }

    fn compare_trees(&mut self, old: &Tree<'_>, new: &Tree<'_>) -> Result<Changes, gix::Error> {
        // In a clone without blobs the content cannot be compared; renames of unchanged files are still seen.
        let similar = Rewrites::default();
        let same = Rewrites { percentage: None, ..similar };
        self.compare(old, new, similar).or_else(|_| self.compare(old, new, same))
    }

    fn compare(&mut self, old: &Tree<'_>, new: &Tree<'_>, rewrites: Rewrites) -> Result<Changes, gix::Error> {
        let mut changes = Changes::default();
        self.cache.clear_resource_cache();
        let mut comparison = old.changes()?;
        comparison.options(|options| {
            options.track_path().track_rewrites(Some(rewrites));
        });
        comparison.for_each_to_obtain_tree_with_cache(new, &mut self.cache, |change| {
            changes.push(change);
            Ok(gix::object::tree::diff::Action::Continue(()))
        })?;
        Ok(changes)
    }
}

/// Whether the entry of a tree counts as a file: links do, submodules do not.
pub(super) fn is_file(mode: EntryMode) -> bool {
    mode.is_blob_or_symlink()
}

impl Changes {
    fn push(&mut self, change: TreeChange<'_, '_, '_>) {
        match change {
            TreeChange::Addition { location, entry_mode, id, .. } if is_file(entry_mode) => {
                self.add(location, Kind::Create, Some(id.detach()));
            }
            TreeChange::Deletion { location, entry_mode, .. } if is_file(entry_mode) => {
                self.add(location, Kind::Delete, None);
            }
            TreeChange::Modification { location, previous_entry_mode, entry_mode, id, .. } => {
                // A file may take the place of a submodule, and the other way round.
                match (is_file(previous_entry_mode), is_file(entry_mode)) {
                    (true, true) => self.add(location, Kind::Update, Some(id.detach())),
                    (false, true) => self.add(location, Kind::Create, Some(id.detach())),
                    (true, false) => self.add(location, Kind::Delete, None),
                    (false, false) => {}
                }
            }
            TreeChange::Rewrite { source_location, location, entry_mode, id, copy, .. } if is_file(entry_mode) => {
                if !copy {
                    self.renames.push((source_location.to_owned(), location.to_owned()));
                }
                self.add(location, if copy { Kind::Create } else { Kind::Rename }, Some(id.detach()));
            }
            TreeChange::Addition { .. } | TreeChange::Deletion { .. } | TreeChange::Rewrite { .. } => {}
        }
    }

    fn add(&mut self, path: &BStr, kind: Kind, blob: Option<ObjectId>) {
        self.files.push(Change { path: path.to_owned(), kind, blob, own: true });
    }
}
