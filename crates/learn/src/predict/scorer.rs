//! The service path: many questions, each as of its own time, by one pass over the log; and which nodes are alike.

use std::borrow::Cow;
use std::ops::ControlFlow;

use timeweft_graph::{NodeIndex, Stop, Time};

use crate::model::gnn::neighborhood::Root;
use crate::model::memory_state::{absorb_until, batches_are_part, empty_store};
use crate::model::pipeline::Remembered;
use crate::predict::asker::{Asker, QUERIES};
use crate::{LearnError, Query, Trained, VectorStore};

/// Answers questions about any times. Its memory goes forward with them, so that questions in order of time read the log
/// once, however many there are.
pub struct Scorer<'a> {
    trained: &'a Trained,
    /// The stored memory, until another time is asked about.
    store: Cow<'a, VectorStore>,
    stop: Stop,
}

/// In which space nodes are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Space {
    /// Memory of past messages alone.
    Memory,
    /// What the predictor reads: memory, features and neighbors.
    Embedding,
}

impl Trained {
    /// A scorer with the stored memory.
    pub fn scorer(&self) -> Scorer<'_> {
        self.scorer_until(Stop::default())
    }

    /// The same, which ends early once that is asked for.
    pub fn scorer_until(&self, stop: Stop) -> Scorer<'_> {
        Scorer { trained: self, store: Cow::Borrowed(&self.store), stop }
    }

    /// The nodes of a node's type that are alive just before a time and most like it, with the cosine of their vectors, best
    /// first. Nodes without a vector, or with one of zeros, are like nothing.
    pub fn nearest(&self, node: NodeIndex, time: Time, space: Space, top: usize) -> Vec<(NodeIndex, f32)> {
        // Nobody asks this one to stop.
        let (store, stop) = (self.memory_before(time), Stop::default());
        self.asker(&store, &stop).nearest(node, time, space, top).unwrap_or_default()
    }
}

impl Asker<'_> {
    /// See [`Trained::nearest`].
    ///
    /// # Errors
    /// [`LearnError::Stopped`] once that is asked for.
    pub fn nearest(
        self,
        node: NodeIndex,
        time: Time,
        space: Space,
        top: usize,
    ) -> Result<Vec<(NodeIndex, f32)>, LearnError> {
        let index = &self.trained.graph.index;
        let same = |other: &NodeIndex| {
            *other != node && index.node_type(*other) == index.node_type(node) && index.alive(*other, time.before())
        };
        let nodes: Vec<NodeIndex> =
            std::iter::once(node).chain((0..index.n_nodes() as u32).map(NodeIndex).filter(same)).collect();
        let vectors: Vec<Vec<f32>> = match space {
            Space::Memory => nodes.iter().map(|node| self.store.memory(*node).unwrap_or_default().to_vec()).collect(),
            Space::Embedding => {
                let rows = self.embed(&nodes, time)?;
                rows.chunks_exact(self.trained.config.model.width).map(<[f32]>::to_vec).collect()
            }
        };
        let mut found: Vec<(NodeIndex, f32)> = nodes[1..]
            .iter()
            .zip(&vectors[1..])
            .filter_map(|(other, vector)| Some((*other, cosine(&vectors[0], vector)?)))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| index.compare_nodes(a.0, b.0)));
        found.truncate(top);
        Ok(found)
    }

    /// Embeddings of nodes as of just before a time, d floats each.
    fn embed(self, nodes: &[NodeIndex], time: Time) -> Result<Vec<f32>, LearnError> {
        let nothing = Remembered::nothing(self.store);
        let mut rows = Vec::with_capacity(nodes.len() * self.trained.config.model.width);
        for nodes in nodes.chunks(QUERIES) {
            self.goes_on()?;
            let roots: Vec<Root> = nodes.iter().map(|&node| Root { node, as_of: time }).collect();
            let reader = self.trained.reader(self.store);
            let neighborhood = reader.neighborhood(&nothing, &roots);
            rows.extend_from_slice(reader.embed(&nothing, &neighborhood, None).values());
        }
        Ok(rows)
    }
}

/// The cosine of two vectors; `None` if one has no direction.
fn cosine(a: &[f32], b: &[f32]) -> Option<f32> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    (lengths > 0.0).then(|| (dot(a, b) / lengths) as f32)
}

impl Scorer<'_> {
    /// Logits of queries, each with what was strictly before its own `as_of`.
    pub fn score(&mut self, queries: &[Query]) -> Vec<f32> {
        self.score_all(queries).unwrap_or_default()
    }

    /// The same.
    ///
    /// # Errors
    /// [`LearnError::Stopped`] once that is asked for.
    pub fn score_all(&mut self, queries: &[Query]) -> Result<Vec<f32>, LearnError> {
        let mut order: Vec<usize> = (0..queries.len()).collect();
        order.sort_by_key(|&at| queries[at].as_of);
        let mut logits = vec![0.0; queries.len()];
        for of_one_time in order.chunk_by(|&a, &b| queries[a].as_of == queries[b].as_of) {
            let asked: Vec<Query> = of_one_time.iter().map(|&at| queries[at]).collect();
            let answers = self.at(queries[of_one_time[0]].as_of)?.score(&asked)?;
            of_one_time.iter().zip(answers).for_each(|(&at, logit)| logits[at] = logit);
        }
        Ok(logits)
    }

    /// Embeddings of nodes, d floats each (`model.width`), each with what was strictly before its own time: what the predictor
    /// reads of them, and what [`Trained::nearest`] compares.
    pub fn embed(&mut self, nodes: &[(NodeIndex, Time)]) -> Vec<f32> {
        self.embed_all(nodes).unwrap_or_default()
    }

    fn embed_all(&mut self, nodes: &[(NodeIndex, Time)]) -> Result<Vec<f32>, LearnError> {
        let width = self.trained.config.model.width;
        let mut order: Vec<usize> = (0..nodes.len()).collect();
        order.sort_by_key(|&at| nodes[at].1);
        let mut rows = vec![0.0; nodes.len() * width];
        for of_one_time in order.chunk_by(|&a, &b| nodes[a].1 == nodes[b].1) {
            let time = nodes[of_one_time[0]].1;
            let asked: Vec<NodeIndex> = of_one_time.iter().map(|&at| nodes[at].0).collect();
            let found = self.at(time)?.embed(&asked, time)?;
            for (&at, row) in of_one_time.iter().zip(found.chunks_exact(width)) {
                rows[at * width..(at + 1) * width].copy_from_slice(row);
            }
        }
        Ok(rows)
    }

    /// Asks with the memory of everything strictly before a time.
    fn at(&mut self, time: Time) -> Result<Asker<'_>, LearnError> {
        self.move_to(time)?;
        Ok(Asker { trained: self.trained, store: &self.store, stop: &self.stop })
    }

    /// Memory of everything strictly before a time; of a scorer that nobody stops.
    pub(crate) fn go_to(&mut self, time: Time) -> &VectorStore {
        let _ = self.move_to(time);
        &self.store
    }

    fn move_to(&mut self, time: Time) -> Result<(), LearnError> {
        let Trained { model, graph, config, .. } = self.trained;
        let due = graph.n_facts_before(time);
        // Where batches are part of the model they are cut from the first fact on.
        let is_behind = due < self.store.absorbed() || due > self.store.absorbed() && batches_are_part(config);
        let newer =
            self.trained.newest_before(due).filter(|newer| is_behind || newer.absorbed() > self.store.absorbed());
        if is_behind || newer.is_some() {
            self.store = Cow::Owned(newer.unwrap_or_else(|| empty_store(graph, config)));
        }
        if due > self.store.absorbed() {
            let stop = &self.stop;
            let mut goes_on = |_: &_| if stop.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            let done = absorb_until((model, graph, config), self.store.to_mut(), due, &mut goes_on);
            if done.is_break() {
                return Err(LearnError::Stopped);
            }
        }
        Ok(())
    }
}
