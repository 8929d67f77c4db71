//! Views: the graph pinned to a commit.

use std::ops::Deref;
use std::sync::Arc;

use timeweft_graph::Commit;
use timeweft_index::Index;

/// The graph as the store knew it at one commit. It is cheap to clone, and nothing that it answers changes while it is
/// held, whatever is loaded meanwhile.
///
/// Questions are those of [`timeweft_graph::GraphView`] (by name) and of [`Index`] (by dense number).
#[derive(Clone)]
pub struct View {
    commit: Commit,
    index: Arc<Index>,
}

impl View {
    pub(crate) fn new(commit: Commit, index: Arc<Index>) -> View {
        View { commit, index }
    }

    /// The commit that it is pinned to.
    pub fn commit(&self) -> Commit {
        self.commit
    }

    /// The index itself, shared.
    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }
}

impl Deref for View {
    type Target = Index;

    fn deref(&self) -> &Index {
        &self.index
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("commit", &self.commit).finish_non_exhaustive()
    }
}
