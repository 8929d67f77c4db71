//! What training asks of many nodes at once: [`View::sample`] is the short way, with handles; [`Sampling`] and the questions
//! of [`Index`](crate::read::Index) write into arrays of the caller.

use timeweft_graph::{EdgeTypeId, NodeIndex, Time, TimeError};

pub use timeweft_index::sample::*;

use crate::{IntoTime, Node, Result, View};

/// Nodes, each with the time as of which it is asked about, and which of their edges count. The last method takes the
/// sample: [`Sampler::last`], [`Sampler::uniform`] or [`Sampler::take`].
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
/// let roots = [(one, 8), (one, 9)];
/// assert_eq!(view.sample(roots).last(10)?.arrays().counts, [1, 2]);
/// assert_eq!(view.sample(roots).within(3).last(10)?.arrays().counts, [1, 1]);
/// assert_eq!(view.sample(roots).relation("link").seed(7).uniform(1)?.arrays().counts, [1, 1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sampler<'v> {
    view: &'v View,
    nodes: Vec<NodeIndex>,
    times: Result<Vec<Time>, TimeError>,
    scope: Scope,
    seed: u64,
}

impl View {
    /// Neighbors of nodes, each as of a time of its own, for training.
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
    /// let batch = view.sample([(one, 8), (one, 9)]).last(10)?;
    /// assert_eq!(batch.arrays().counts, [1, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sample<'v, T: IntoTime>(&'v self, roots: impl IntoIterator<Item = (Node<'v>, T)>) -> Sampler<'v> {
        Sampler::new(self, roots)
    }
}

impl<'v> Sampler<'v> {
    fn new<T: IntoTime>(view: &'v View, roots: impl IntoIterator<Item = (Node<'v>, T)>) -> Sampler<'v> {
        let (nodes, times): (Vec<NodeIndex>, Vec<_>) =
            roots.into_iter().map(|(node, time)| (node.index, time.into_time(view.unit()))).unzip();
        let scope = Scope::new(EdgeTypes::All, Side::Both, AsOf::Before);
        Sampler { view, nodes, times: times.into_iter().collect(), scope, seed: 0 }
    }

    /// Sees what happened at the time of each root too. Without it the graph is seen as it was just before, so that nothing
    /// of that time leaks.
    pub fn inclusive(mut self) -> Sampler<'v> {
        self.scope.as_of = AsOf::At;
        self
    }

    /// Edges on one side of the roots only.
    pub fn side(mut self, side: Side) -> Sampler<'v> {
        self.scope.side = side;
        self
    }

    /// Only edges that were created in the last so many ticks before the time of each root. With 0 the sample is an error.
    pub fn within(mut self, ticks: u64) -> Sampler<'v> {
        self.scope.within = Some(ticks);
        self
    }

    /// Edges of one relation only.
    pub fn relation(mut self, relation: &str) -> Sampler<'v> {
        let types = (0..).map(EdgeTypeId).zip(self.view.schema().edge_types());
        let of = types.filter(|(_, edge)| *edge.relation == *relation).map(|(id, _)| id);
        self.scope.edge_types = EdgeTypes::Only(of.collect());
        self
    }

    /// Equal seeds give equal samples; 0 if none is given.
    pub fn seed(self, seed: u64) -> Sampler<'v> {
        Sampler { seed, ..self }
    }

    /// The `k` most recently created edges of each root, newest first.
    ///
    /// # Errors
    /// If a text was no time.
    pub fn last(self, k: usize) -> Result<SampleBatch<'v>> {
        self.take(Choice::Last, k)
    }

    /// `k` edges of each root, any with equal chance and none twice.
    ///
    /// # Errors
    /// If a text was no time.
    pub fn uniform(self, k: usize) -> Result<SampleBatch<'v>> {
        self.take(Choice::UniformDistinct, k)
    }

    /// `k` edges of each root by a choice.
    ///
    /// # Errors
    /// If a text was no time.
    pub fn take(self, choice: Choice, k: usize) -> Result<SampleBatch<'v>> {
        let times = self.times?;
        let sampling = Sampling::new(self.scope, choice, k).seed(self.seed);
        let (roots, mut arrays) = (Roots::new(&self.nodes, &times)?, Samples::default());
        self.view.index().sample(&sampling, roots, arrays.slots(roots.len(), k))?;
        Ok(SampleBatch { view: self.view, k, arrays })
    }
}

/// Sampled neighbors of many roots, `k` slots a root.
///
/// ```
/// # use timeweft::{Graph, TimeUnit};
/// # let dir = tempfile::tempdir()?;
/// # let events = dir.path().join("mail.csv");
/// # std::fs::write(&events, "src,dst,time\n1,2,5\n1,3,8\n")?;
/// # let mut graph = Graph::create(dir.path().join("mail"), TimeUnit::Step)?;
/// # graph.load(&events).run()?;
/// let view = graph.view();
/// let batch = view.sample([(view.node("node", 1)?, 9)]).last(2)?;
/// assert_eq!(format!("{:?}", batch.neighbors(0)), "[node 3, node 2]");
/// assert_eq!(batch.arrays().created.iter().map(|time| time.0).collect::<Vec<_>>(), [8, 5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SampleBatch<'v> {
    view: &'v View,
    k: usize,
    arrays: Samples,
}

impl<'v> SampleBatch<'v> {
    /// The neighbors of one root, by its position among the roots.
    ///
    /// # Panics
    /// If there are fewer roots.
    pub fn neighbors(&self, root: usize) -> Vec<Node<'v>> {
        let slots = &self.arrays.neighbors[root * self.k..][..self.arrays.counts[root] as usize];
        slots.iter().map(|&node| self.view.node_at(node)).collect()
    }

    /// How many there are of each root, (roots), and their nodes, edges, times and weights, each (roots, k) with
    /// [`NO_NODE`] and its like in the slots that stay empty.
    pub fn arrays(&self) -> &Samples {
        &self.arrays
    }
}
