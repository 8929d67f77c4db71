//! Questions that all stand at one time, answered from one memory, which may be asked to end.

use std::borrow::Cow;
use std::ops::ControlFlow;

use timeweft_graph::{Direction, EdgeTypeId, NodeIndex, NodeTypeId, Stop, Time};

use crate::model::pipeline::Remembered;
use crate::{LearnError, Predict, Query, RankedNode, Trained, VectorStore};

/// Questions that are answered in one forward pass.
pub(crate) const QUERIES: usize = 8192;

/// Asks a model with a memory of everything strictly before a time.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    pub(crate) trained: &'a Trained,
    pub(crate) store: &'a VectorStore,
    pub(crate) stop: &'a Stop,
}

/// The best answers, of how many.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ranked {
    /// Best first.
    pub best: Vec<RankedNode>,
    /// How many nodes could be the answer; shares are of all of them.
    pub candidates: usize,
}

impl Trained {
    /// Memory of everything strictly before a time: the stored one if it is that, else rebuilt from the
    /// newest that is kept of before: it reads a bounded part of the facts, see [`PastMemory`](crate::PastMemory).
    ///
    /// # Errors
    /// [`LearnError::Stopped`] once that is asked for.
    pub fn memory_at(&self, time: Time, stop: &Stop) -> Result<Cow<'_, VectorStore>, LearnError> {
        let n = self.graph.n_facts_before(time);
        if n == self.store.absorbed() {
            return Ok(Cow::Borrowed(&self.store));
        }
        let mut goes_on = |_: &_| if stop.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        match self.memory_until(n, &mut goes_on) {
            ControlFlow::Continue(store) => Ok(Cow::Owned(store)),
            ControlFlow::Break(()) => Err(LearnError::Stopped),
        }
    }

    /// Asks with a memory that [`Trained::memory_at`] gave for the time of the questions.
    pub fn asker<'a>(&'a self, store: &'a VectorStore, stop: &'a Stop) -> Asker<'a> {
        Asker { trained: self, store, stop }
    }
}

impl Asker<'_> {
    /// See [`Trained::predict`].
    ///
    /// # Errors
    /// [`LearnError::Stopped`] once that is asked for.
    pub fn predict(
        self,
        edge_type: EdgeTypeId,
        source: NodeIndex,
        time: Time,
        top: usize,
    ) -> Result<Ranked, LearnError> {
        let direction = Direction::Out;
        let (index, predict) = (&self.trained.graph.index, self.trained.config.train.predict);
        let mut candidates = self.trained.candidates(edge_type, direction, time);
        if predict == Predict::Removed {
            candidates.retain(|&node| index.is_linked(edge_type, source, node, time.before()));
        }
        let loops = index.pair_before(edge_type, source, source, time).count > 0;
        candidates.retain(|&node| node != source || loops);
        let ask = |&destination| Query { edge_type, direction, source, destination, time, as_of: time };
        self.ranked(candidates.iter().map(ask).collect(), top)
    }

    /// See [`Trained::predict_gone`].
    ///
    /// # Errors
    /// [`LearnError::Stopped`] once that is asked for.
    pub fn predict_gone(self, node_type: NodeTypeId, time: Time, top: usize) -> Result<Ranked, LearnError> {
        let (edge_type, direction) = (self.trained.graph.stand_in(), Direction::Out);
        let ask = |node| Query { edge_type, direction, source: node, destination: node, time, as_of: time };
        self.ranked(self.trained.alive(node_type, time).into_iter().map(ask).collect(), top)
    }

    fn ranked(self, queries: Vec<Query>, top: usize) -> Result<Ranked, LearnError> {
        let index = &self.trained.graph.index;
        let logits = self.score(&queries)?;
        let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = logits.iter().map(|logit| (logit - best).exp()).sum();
        let candidates = queries.len();
        let mut predictions: Vec<RankedNode> = queries
            .into_iter()
            .zip(logits)
            .map(|(query, logit)| RankedNode {
                node: query.destination,
                logit,
                probability: (logit - best).exp() / sum,
            })
            .collect();
        predictions.sort_by(|a, b| b.logit.total_cmp(&a.logit).then_with(|| index.compare_nodes(a.node, b.node)));
        predictions.truncate(top);
        Ok(Ranked { best: predictions, candidates })
    }

    /// Logits of queries.
    ///
    /// # Errors
    /// [`LearnError::Stopped`] once that is asked for.
    pub fn score(self, queries: &[Query]) -> Result<Vec<f32>, LearnError> {
        let (nothing, reader) = (Remembered::nothing(self.store), self.trained.reader(self.store));
        let mut logits = Vec::with_capacity(queries.len());
        for queries in queries.chunks(QUERIES) {
            self.goes_on()?;
            logits.extend_from_slice(reader.answer(&nothing, queries, None).values());
        }
        Ok(logits)
    }

    /// An error once an end was asked for.
    pub(crate) fn goes_on(self) -> Result<(), LearnError> {
        if self.stop.is_asked() { Err(LearnError::Stopped) } else { Ok(()) }
    }
}
