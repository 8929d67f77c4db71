//! Views: the graph pinned to a commit.

use std::ops::Deref;
use std::sync::Arc;

use timeweft_graph::Commit;
use timeweft_index::Index;

/// The graph as the store knew it at one commit. It is cheap to clone, and nothing that it answers changes while it is
/// held, whatever is loaded meanwhile.
///
/// # Panics
/// A question panics if it meets a block of the snapshot that is not what was written: it has no right answer then.
/// [`Graph::ask`](crate::Graph::ask) and [`damage::catch`](crate::damage::catch) make something better of that.
///
/// Questions are those of [`timeweft_graph::GraphView`] (by name) and of [`Index`] (by dense number): hierarchies and names
/// by [`Index::query`]; samples, walks and ranks of many nodes at once by [`Index::sample`], [`Index::fan_out`],
/// [`Index::walk`] and [`Index::page_rank`]; [`features`](crate::features) of many nodes or edges at once.
///
/// ```
/// use timeweft::sample::{AsOf, Choice, EdgeTypes, Roots, Samples, Sampling, Scope, Side};
/// # use timeweft::{EventOptions, Graph, NodeKey, Time, TimeUnit};
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load_events(&events, &EventOptions::default(), &mut |_| {})?;
///
/// let view = graph.view();
/// let nodes = [view.node_index(&NodeKey::new("node", 1)).unwrap(); 2];
/// let roots = Roots::new(&nodes, &[Time(8), Time(9)])?;
/// let last = Sampling::new(Scope::new(EdgeTypes::All, Side::Out, AsOf::Before), Choice::Last, 10);
/// let mut samples = Samples::default();
/// view.sample(&last, roots, samples.slots(roots.len(), last.width()))?;
/// assert_eq!(samples.counts, [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
