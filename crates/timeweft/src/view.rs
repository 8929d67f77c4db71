//! Views: the graph pinned to a commit, its nodes and edges as handles.

use std::fmt;
use std::sync::Arc;

use timeweft_graph::{
    At, Commit, Deletes, EdgeIndex, EdgeKey, ExternalId, GraphView, Interval, Life, MergeRecord, Name, NodeIndex,
    NodeKey, Schema, Time, TimeUnit,
};
use timeweft_index::query::Query;
use timeweft_index::{Comparison, Index};

use crate::{Error, IntoTime, Result};

/// The graph as the store knew it at one commit (in transaction time). It is cheap to clone, and nothing that it answers
/// changes while it is held, whatever is loaded meanwhile.
///
/// # Panics
/// A question panics if it meets a block of the snapshot that is not what was written: it has no right answer then.
/// [`Graph::ask`](crate::Graph::ask) and [`damage::catch`](crate::read::damage::catch) make something better of that.
///
/// ```
/// # use timeweft::{Graph, TimeUnit};
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load(&events).run()?;
/// let view = graph.view();
/// let one = view.node("node", 1)?;
/// let mail = |time| Ok::<_, timeweft::Error>(view.at(time)?.neighbors(one).count());
/// assert_eq!((mail(5)?, mail(8)?), (1, 2));
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

    /// The same graph by dense numbers, for what reads many nodes and edges into arrays: samples, walks, ranks, features.
    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// The types.
    pub fn schema(&self) -> &Schema {
        self.index.schema()
    }

    /// Unit of all times.
    pub fn unit(&self) -> TimeUnit {
        self.schema().unit()
    }

    /// A node that the graph has or had at some time.
    ///
    /// # Errors
    /// [`Error::UnknownNode`] if it never was.
    ///
    /// ```
    /// # use timeweft::{Graph, TimeUnit};
    /// # let dir = tempfile::tempdir()?;
    /// # let graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
    /// # let view = graph.view();
    /// assert_eq!(view.node("person", "bo").unwrap_err().to_string(), "the graph has no node person bo, at no time");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn node(&self, node_type: &str, id: impl Into<ExternalId>) -> Result<Node<'_>> {
        let key = NodeKey::new(node_type, id);
        self.index.node_index(&key).map(|index| Node { view: self, index }).ok_or(Error::UnknownNode(key))
    }

    /// The handle of a node's dense number.
    pub fn node_at(&self, index: NodeIndex) -> Node<'_> {
        Node { view: self, index }
    }

    /// What differs between two times.
    ///
    /// # Errors
    /// If a text is no time.
    ///
    /// ```
    /// # use timeweft::{Graph, TimeUnit};
    /// # let dir = tempfile::tempdir()?;
    /// # let events = dir.path().join("mail.csv");
    /// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
    /// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
    /// # graph.load(&events).run()?;
    /// let view = graph.view();
    /// let new: Vec<String> = view.diff(5, 8)?.changes().iter().map(|change| change.element.to_string()).collect();
    /// assert_eq!(new, ["node 3", "node 1 -link-> node 3"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff(&self, from: impl IntoTime, to: impl IntoTime) -> Result<Comparison<'_>> {
        let [from, to] = [from.into_time(self.unit())?, to.into_time(self.unit())?];
        Ok(self.index.compare_from((&self.index, At::time(from)), At::time(to)))
    }

    /// All merges that ever held.
    pub fn merges(&self) -> impl Iterator<Item = MergeRecord> {
        self.index.merges().into_iter()
    }

    /// Questions of a hierarchy with names, such as an ontology or a taxonomy, as of a time.
    ///
    /// # Errors
    /// If the text is no time.
    pub fn query(&self, time: impl IntoTime) -> Result<Query<'_>> {
        Ok(self.index.query(time.into_time(self.unit())?))
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("commit", &self.commit).finish_non_exhaustive()
    }
}

/// A node of a view.
///
/// ```
/// # use timeweft::{Graph, TimeUnit};
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load(&events).run()?;
/// let view = graph.view();
/// let node = view.node("node", 2)?;
/// assert_eq!((node.to_string(), node.history().count()), ("node 2".to_owned(), 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Node<'v> {
    pub(crate) view: &'v View,
    pub(crate) index: NodeIndex,
}

impl<'v> Node<'v> {
    /// Its type and id.
    pub fn key(self) -> NodeKey {
        self.view.index.node_key(self.index)
    }

    /// Its dense number.
    pub fn index(self) -> NodeIndex {
        self.index
    }

    /// All its lives with every value that its features took, in order of time.
    pub fn history(self) -> impl Iterator<Item = Life> {
        self.view.index.node_history(&self.key()).into_iter()
    }

    /// The node that it has become at a time, through all merges that hold then; itself if none does.
    ///
    /// # Errors
    /// If the text is no time.
    pub fn resolve(self, time: impl IntoTime) -> Result<Node<'v>> {
        let key = self.view.index.resolve(&self.key(), time.into_time(self.view.unit())?);
        self.view.node(&key.node_type, key.id)
    }
}

impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key().fmt(f)
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && std::ptr::eq(self.view, other.view)
    }
}

/// A life of an edge of a view.
///
/// ```
/// # use timeweft::{Graph, TimeUnit};
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load(&events).run()?;
/// let view = graph.view();
/// for edge in view.now().neighbors(view.node("node", 1)?) {
///     println!("{} from {} to {} since {}", edge.relation(), edge.source(), edge.destination(), edge.life().created);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Edge<'v> {
    pub(crate) view: &'v View,
    pub(crate) index: EdgeIndex,
}

impl<'v> Edge<'v> {
    /// Its ends, its relation, and what tells it apart from parallel edges.
    pub fn key(self) -> EdgeKey {
        self.view.index.edge_key(self.index)
    }

    /// Its dense number.
    pub fn index(self) -> EdgeIndex {
        self.index
    }

    /// Where it starts.
    pub fn source(self) -> Node<'v> {
        Node { view: self.view, index: self.view.index.edge_ends(self.index).1 }
    }

    /// Where it ends.
    pub fn destination(self) -> Node<'v> {
        Node { view: self.view, index: self.view.index.edge_ends(self.index).2 }
    }

    /// Its relation.
    pub fn relation(self) -> Name {
        self.key().relation
    }

    /// When this life holds.
    pub fn life(self) -> Interval {
        self.view.index.edge_interval(self.index)
    }

    /// All lives of the edge with every value that its features took, in order of time.
    pub fn history(self) -> impl Iterator<Item = Life> {
        self.view.index.edge_history(&self.key()).into_iter()
    }

    /// Its features as of a time.
    ///
    /// # Errors
    /// If the text is no time.
    pub fn features(self, time: impl IntoTime) -> Result<impl Iterator<Item = (Name, timeweft_graph::Value)>> {
        let time: Time = time.into_time(self.view.unit())?;
        let at = At { time, deletes: Deletes::Hard };
        let state = self.view.index.edge(&self.key(), at);
        Ok(state.map(|edge| edge.features).unwrap_or_default().into_iter())
    }
}

impl fmt::Display for Edge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key().fmt(f)
    }
}

impl fmt::Debug for Edge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
