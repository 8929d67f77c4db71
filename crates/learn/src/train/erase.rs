//! Erasing facts: memory as if they had never been.

use std::ops::ControlFlow;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use timeweft_graph::{Deletes, GraphView, Name, Reason};
use timeweft_index::Index;

use crate::{GraphContext, LearnError, PastMemory, Trained, empty_store};

/// What is left when facts are erased.
pub struct Erased {
    /// The model over the graph without the facts, its memory replayed.
    pub trained: Trained,
    /// Events that could not stand without the erased ones, such as edges of an erased node, and why.
    pub dropped: Vec<(u32, Reason)>,
}

impl Trained {
    /// Erases the events at some positions of the log: the graph is built again from the others, and memory is replayed over
    /// it from nothing. No neighbor, counter or memory of the result has seen them; the weights and the statistics of the
    /// training part are as they were, so what the weights have learnt of the events stays. Costs a replay of the whole log.
    pub fn erase(self, erased: &FxHashSet<u32>) -> Erased {
        // The schema as it was: the weights are made for its types, and an erased event may have been a type's first.
        let mut index = Index::new(self.graph.index.schema().clone());
        let mut dropped = Vec::new();
        for (position, event) in (0..).zip(self.graph.index.events()) {
            if erased.contains(&position) {
                continue;
            }
            if let Err(reason) = index.apply(&event, &Name::from("")) {
                dropped.push((position, reason));
            }
        }
        let graph = GraphContext::new(Arc::new(index), self.graph.statistics.clone());
        let base = graph.facts().len();
        let (store, past) = (empty_store(&graph, &self.config), PastMemory::default());
        let mut trained = Trained { graph, store, past, base, ..self };
        // Nobody asks this one to stop.
        let _ = trained.take_in(&mut |_| ControlFlow::Continue(()));
        Erased { trained, dropped }
    }

    /// Refuses to answer by another rule of deletes than the model was trained with.
    ///
    /// # Errors
    /// If the rules differ.
    pub fn expect_deletes(&self, asked: Deletes) -> Result<(), LearnError> {
        let trained = self.config.model.deletes;
        if trained == asked { Ok(()) } else { Err(LearnError::Deletes { trained, asked }) }
    }
}
