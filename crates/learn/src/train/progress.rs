//! Where a training or a ranking stands.

use serde::{Deserialize, Serialize};

use crate::Metrics;

/// What an epoch gave.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Epoch {
    /// Number, from 1.
    pub epoch: usize,
    /// Mean loss over the training links.
    pub loss: f64,
    /// Ranking of the validation links at event freshness.
    pub validation: Metrics,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Training links a second.
    pub links_per_second: f64,
}

/// Where training stands, for a progress bar.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum LearnProgress {
    /// Links of an epoch trained on so far, of how many, and the mean loss so far.
    #[allow(missing_docs)]
    Training { epoch: usize, epochs: usize, done: usize, of: usize, loss: f64 },
    /// Links ranked so far.
    #[allow(missing_docs)]
    Ranking { done: usize, of: usize },
    /// Facts that memory has taken in so far, of how many.
    #[allow(missing_docs)]
    Absorbing { done: usize, of: usize },
    /// An epoch is over.
    Epoch(Epoch),
    /// Training was stopped in this epoch, of which nothing is kept.
    Stopped(usize),
}
