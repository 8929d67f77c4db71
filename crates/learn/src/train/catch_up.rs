//! A model that is open takes in what its graph has learned since.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use timeweft_index::Index;

use crate::model::memory_state::{absorb_until, batches_are_part};
use crate::train::checkpoint::{is_between_times, order};
use crate::{LearnError, LearnProgress, Trained, VectorStore, empty_store};

impl Trained {
    /// The model over another state of its graph, and how many facts its memory took in for that. It is the model that its
    /// checkpoint gives over that state, without the facts that memory has already being read again. `continues` says that the graph is
    /// made of all loads that it was made of, with later ones behind; memory of loads that are no longer part of it, or that later
    /// loads put facts among or at the time of the last one, begins anew. `path` is that of the checkpoint, for errors.
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
        let Trained { model, config, base, .. } = self;
        let graph = self.graph.continued(index);
        if graph.known.types().knows_no_type() {
            return Err(LearnError::OtherGraph(path.into()));
        }
        let known = self.store.absorbed();
        let is_known = known <= graph.facts().len() && order(&graph, known) == order(&self.graph, known);
        let continues = continues && is_known && is_between_times(&graph, known);
        let of = graph.facts().len();
        let mut goes_on = |done| hears(LearnProgress::Absorbing { done, of });
        let mut take_in = |store: &mut VectorStore, until| {
            let done = absorb_until((model, &graph, config), store, until, &mut goes_on);
            if done.is_break() { Err(LearnError::Stopped) } else { Ok(()) }
        };
        let (mut store, base, seen) = match continues {
            // Cut where a checkpoint is: from its own end on.
            true if batches_are_part(config) => {
                let mut store = empty_store(&graph, config);
                take_in(&mut store, *base)?;
                (store, *base, known)
            }
            true => (self.store.clone(), *base, known),
            false => (empty_store(&graph, config), 0, 0),
        };
        take_in(&mut store, of)?;
        let (model, latest, config) = (model.clone(), self.latest.clone(), config.clone());
        let taken_in = store.absorbed() - seen;
        let trained =
            Trained { model, graph, latest, store, config, epochs: self.epochs.clone(), best: self.best, seen, base };
        Ok((trained, taken_in))
    }
}
