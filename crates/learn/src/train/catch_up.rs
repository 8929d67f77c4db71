//! A model that is open takes in what its graph has learned since, or events as they come: it costs what is new.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use timeweft_graph::{Event, Reason};
use timeweft_index::Index;

use crate::data::shared_history::n_whole;
use crate::model::memory_state::{absorb_all, absorb_until, batches_are_part};
use crate::{LearnError, LearnProgress, Subgraph, Trained, VectorStore, empty_store};

/// What became of events that came one by one.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Absorbed {
    /// Facts that memory has more than before.
    pub facts: usize,
    /// Events that change nothing, by their place, and why.
    pub rejected: Vec<(usize, Reason)>,
}

impl Trained {
    /// The model over another state of its graph, and how many facts its memory took in for that. It is the model that its
    /// checkpoint gives over that state, without the facts that memory has already being read again. `continues` says that the graph is
    /// made of all loads that it was made of, with later ones behind; memory of loads that are no longer part of it begins anew, and
    /// where later loads put facts among others it begins at the newest state that is kept of before. `path` is that of the checkpoint,
    /// for errors.
    ///
    /// # Errors
    /// If the model knows none of the types of the graph.
    pub fn caught_up(&self, index: Arc<Index>, continues: bool, path: &Path) -> Result<(Trained, usize), LearnError> {
        self.caught_up_with(index, continues, path, &mut |_| ControlFlow::Continue(()))
    }

    /// The same, told how far it is before each batch, until `hears` says to break.
    ///
    /// # Errors
    /// As above, and [`LearnError::Stopped`] once it is to break.
    pub fn caught_up_with(
        &self,
        index: Arc<Index>,
        continues: bool,
        path: &Path,
        hears: &mut dyn FnMut(LearnProgress) -> ControlFlow<()>,
    ) -> Result<(Trained, usize), LearnError> {
        let mut newer = self.clone();
        newer.follow(index, continues, path)?;
        let from = newer.seen;
        newer.take_in(hears)?;
        let taken_in = newer.store.absorbed() - from;
        Ok((newer, taken_in))
    }

    /// Goes over to another state of the graph itself, as [`Trained::caught_up`] does: where nobody else reads this model or its
    /// graph, nothing is copied.
    ///
    /// # Errors
    /// If the model knows none of the types of the graph; then it stays as it is.
    pub fn catch_up(&mut self, index: Arc<Index>, continues: bool, path: &Path) -> Result<usize, LearnError> {
        self.follow(index, continues, path)?;
        let from = self.seen;
        self.take_in(&mut |_| ControlFlow::Continue(()))?;
        Ok(self.store.absorbed() - from)
    }

    /// Takes in events as they come, in order of time and not before any that the graph has; others change nothing. Nodes that an
    /// edge names first are created with it, and an edge that is there already gets a key, as a load does it. They are in the graph
    /// that the model reads, and nowhere else.
    ///
    /// Memory, counters and graph take in what is new, whatever came before. Only where somebody else holds the graph, such as the
    /// store that it came from, it is copied once.
    pub fn absorb(&mut self, events: &[Event]) -> Absorbed {
        let known = self.graph.facts().len();
        let rejected = self.graph.take(events);
        let from = self.return_to(known);
        // Nobody asks this one to stop.
        let _ = self.take_in(&mut |_| ControlFlow::Continue(()));
        debug_assert!(from <= known);
        Absorbed { facts: self.graph.facts().len() - known, rejected }
    }

    /// Goes over to another state of the graph. Memory is then that of its first facts, from which on it has not seen them.
    fn follow(&mut self, index: Arc<Index>, continues: bool, path: &Path) -> Result<(), LearnError> {
        let known = Subgraph::new(index, &self.graph.statistics.schema);
        if known.types().knows_no_type() {
            return Err(LearnError::OtherGraph(path.into()));
        }
        let same = if continues { self.n_same(&known) } else { 0 };
        let all = self.graph.facts().len();
        self.graph.follow(known, same == all && continues);
        self.seen = self.return_to(same);
        Ok(())
    }

    /// How many first facts are the same over another state of the graph, of the same first loads. Facts are in order of time and then
    /// of the log. So where the last one has the same place, none came among those before it.
    fn n_same(&self, later: &Subgraph) -> usize {
        let loaded = &self.graph.facts()[..self.graph.n_loaded()];
        let last = loaded.len().checked_sub(1);
        if last.is_none_or(|last| later.facts().get(last) == loaded.last()) {
            return loaded.len();
        }
        loaded.iter().zip(later.facts()).take_while(|(fact, later)| fact == later).count()
    }

    /// Brings memory back to what it was after no more than the first `known` facts, and all of their times, if it has more. Gives how many
    /// that are.
    pub(crate) fn return_to(&mut self, known: usize) -> usize {
        let Trained { graph, store, config, past, base, model, .. } = self;
        let whole = n_whole(graph.facts(), known);
        past.forget_after(whole);
        if batches_are_part(config) {
            // Cut where a checkpoint is: from its own end on.
            let goes_on = whole == store.absorbed();
            *base = if goes_on { *base } else { 0 };
            *store = empty_store(graph, config);
            let _ = absorb_until((model, graph, config), store, *base, &mut |_| ControlFlow::Continue(()));
            return if goes_on { whole } else { 0 };
        }
        if store.absorbed() > whole && !(store.take_back() && store.absorbed() <= whole) {
            *store = past.before(whole).cloned().unwrap_or_else(|| empty_store(graph, config));
        }
        store.absorbed()
    }

    /// Takes in all facts that memory has not seen.
    pub(crate) fn take_in(
        &mut self,
        hears: &mut dyn FnMut(LearnProgress) -> ControlFlow<()>,
    ) -> Result<(), LearnError> {
        let Trained { graph, store, config, past, model, .. } = self;
        let (of, keeps) = (graph.facts().len(), !batches_are_part(config));
        let mut goes_on = |store: &VectorStore| {
            if keeps {
                past.note(store);
            }
            hears(LearnProgress::Absorbing { done: store.absorbed(), of })
        };
        match absorb_all((model, graph, config), store, &mut goes_on) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(LearnError::Stopped),
        }
    }

    /// Memory of the first facts by number, from the newest state that is kept of before, or from nothing.
    pub(crate) fn memory_until(
        &self,
        facts: usize,
        goes_on: &mut dyn FnMut(&VectorStore) -> ControlFlow<()>,
    ) -> ControlFlow<(), VectorStore> {
        let Trained { model, graph, config, .. } = self;
        let mut store = self.newest_before(facts).unwrap_or_else(|| empty_store(graph, config));
        absorb_until((model, graph, config), &mut store, facts, goes_on)?;
        ControlFlow::Continue(store)
    }

    /// The newest memory at hand of no more than some facts.
    pub(crate) fn newest_before(&self, facts: usize) -> Option<VectorStore> {
        if self.store.absorbed() <= facts && !batches_are_part(&self.config) {
            return Some(self.store.clone());
        }
        let newest = self.store.without_newest().filter(|store| store.absorbed() <= facts);
        newest.or_else(|| self.past.before(facts).cloned())
    }
}
