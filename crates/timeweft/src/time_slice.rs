//! The graph as of one time.

use timeweft_graph::{At, Counts, Deletes, Direction, EdgeState, GraphView, Name, NodeState};

use crate::{Edge, IntoTime, Node, Result, View};

/// A view as of one time (valid time): [`View::at`], [`View::now`].
///
/// ```
/// # use timeweft::{Graph, TimeUnit};
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load(&events).run()?;
/// let view = graph.view();
/// let nodes: Vec<String> = view.at(5)?.nodes().map(|node| node.key.to_string()).collect();
/// assert_eq!(nodes, ["node 1", "node 2"]);
/// assert_eq!(view.now().counts().edges, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TimeSlice<'v> {
    view: &'v View,
    at: At,
}

impl View {
    /// The graph as of a time, what is deleted by then left out.
    ///
    /// # Errors
    /// If the text is no time.
    pub fn at(&self, time: impl IntoTime) -> Result<TimeSlice<'_>> {
        Ok(self.slice(At::time(time.into_time(self.unit())?)))
    }

    /// The graph at the end of time: everything that is not deleted.
    pub fn now(&self) -> TimeSlice<'_> {
        self.slice(At::now())
    }

    /// The graph as of a time, with or without what is deleted by then.
    pub fn slice(&self, at: At) -> TimeSlice<'_> {
        TimeSlice { view: self, at }
    }
}

impl<'v> TimeSlice<'v> {
    /// Shows deleted elements too, marked and with their last values.
    pub fn with_deleted(self) -> TimeSlice<'v> {
        TimeSlice { at: At { deletes: Deletes::Soft, ..self.at }, ..self }
    }

    /// How many elements there are.
    pub fn counts(self) -> Counts {
        self.view.index().counts(self.at)
    }

    /// What is known of a node; `None` if it is not there.
    pub fn state(self, node: Node<'v>) -> Option<NodeState> {
        self.view.index().node(&node.key(), self.at)
    }

    /// All nodes, sorted by key, made one by one.
    pub fn nodes(self) -> impl Iterator<Item = NodeState> + 'v {
        self.view.index().iter_nodes(None, self.at)
    }

    /// All nodes of a type.
    pub fn nodes_of(self, node_type: &str) -> impl Iterator<Item = NodeState> + use<'v> {
        self.view.index().iter_nodes(Some(node_type), self.at)
    }

    /// All edges, sorted by key, made one by one.
    pub fn edges(self) -> impl Iterator<Item = EdgeState> + 'v {
        self.view.index().iter_edges(None, self.at)
    }

    /// All edges of a relation.
    pub fn edges_of(self, relation: &str) -> impl Iterator<Item = EdgeState> + use<'v> {
        self.view.index().iter_edges(Some(relation), self.at)
    }

    /// The edges that go out from a node.
    pub fn neighbors(self, node: Node<'v>) -> Neighbors<'v> {
        Neighbors { of: self, node, direction: Direction::Out, relation: None }
    }
}

/// The edges at a node, sorted by key; goes through them as an iterator.
///
/// ```
/// # use timeweft::{Graph, TimeUnit};
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load(&events).run()?;
/// let view = graph.view();
/// let three = view.node("node", 3)?;
/// assert_eq!(view.at(8)?.neighbors(three).incoming().relation("link").count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Neighbors<'v> {
    of: TimeSlice<'v>,
    node: Node<'v>,
    direction: Direction,
    relation: Option<Name>,
}

impl<'v> Neighbors<'v> {
    /// Those of one relation only.
    pub fn relation(self, relation: &str) -> Neighbors<'v> {
        Neighbors { relation: Some(relation.into()), ..self }
    }

    /// Those that come in instead of those that go out.
    pub fn incoming(self) -> Neighbors<'v> {
        Neighbors { direction: Direction::In, ..self }
    }

    /// How many they are.
    pub fn count(self) -> usize {
        self.of.view.index().degree(&self.node.key(), self.direction, self.relation.as_deref(), self.of.at)
    }
}

impl<'v> IntoIterator for Neighbors<'v> {
    type Item = Edge<'v>;
    type IntoIter = Edges<'v>;

    fn into_iter(self) -> Edges<'v> {
        let (view, key) = (self.of.view, self.node.key());
        let edges = view.index().incident_edges(&key, self.direction, self.relation.as_deref(), self.of.at);
        Edges { view, edges: edges.into_iter() }
    }
}

/// Goes through edges.
#[derive(Clone, Debug)]
pub struct Edges<'v> {
    view: &'v View,
    edges: std::vec::IntoIter<timeweft_graph::EdgeIndex>,
}

impl<'v> Iterator for Edges<'v> {
    type Item = Edge<'v>;

    fn next(&mut self) -> Option<Edge<'v>> {
        self.edges.next().map(|index| Edge { view: self.view, index })
    }
}
