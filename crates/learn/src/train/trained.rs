//! A trained model.

use crate::nn::Optimizer;
use crate::{Config, Epoch, GraphContext, Htgn, NonFiniteFeature, PastMemory, VectorStore};

/// A trained model.
#[derive(Clone)]
pub struct Trained {
    /// The model with the weights of the best epoch, without gradients.
    pub model: Htgn,
    /// The graph as it reads it.
    pub graph: GraphContext,
    /// Where training stood after the last epoch.
    pub latest: Latest,
    /// Memory with the chosen weights, true up to the end of the log.
    pub store: VectorStore,
    /// Memory as it was: questions about the past begin there.
    pub past: PastMemory,
    /// How it was trained.
    pub config: Config,
    /// All epochs.
    pub epochs: Vec<Epoch>,
    /// The epoch whose weights were kept.
    pub best: usize,
    /// Facts that a checkpoint has seen already; 0 for a model that was just trained.
    pub seen: usize,
    /// Facts that its memory was made of at once; those behind were taken in as they came.
    pub base: usize,
}

impl Trained {
    /// Features whose values are read as missing because they are no numbers, among the facts that no checkpoint has seen.
    pub fn non_finite_features(&self) -> Vec<NonFiniteFeature> {
        self.graph.non_finite_features(self.seen..self.graph.facts().len())
    }
}

/// Weights and optimiser after the last epoch: training goes on from here.
#[derive(Clone)]
pub struct Latest {
    /// The weights, without gradients.
    pub model: Htgn,
    /// The optimiser.
    pub optimizer: Optimizer,
}
