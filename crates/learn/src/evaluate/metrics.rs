//! How links are ranked: one protocol for every comparison.
//!
//! Target events are numbered from 0 in order of (time, position). The candidates of an event are drawn by a counter
//! hash, so every system that follows the protocol ranks against the same ones.
//!
//! Equations: `docs/model.md#evaluation-protocol`.

use serde::{Deserialize, Serialize};

/// Rank of the true answer among candidates: 1 + better + half of the equal ones.
///
/// ```
/// assert_eq!(timeweft_learn::rank(&0.5, &[0.9, 0.5, 0.1]), 2.5);
/// ```
pub fn rank<T: PartialOrd>(truth: &T, others: &[T]) -> f64 {
    let equal = others.iter().filter(|other| *other == truth).count();
    // What cannot be compared (NaN) counts as better: a broken score never ranks well.
    let worse = others.iter().filter(|other| *other < truth).count();
    let better = others.len() - equal - worse;
    1.0 + better as f64 + equal as f64 / 2.0
}

/// Means over all ranked events, never means of batch means.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Metrics {
    /// Mean reciprocal rank.
    pub mrr: f64,
    /// Share of ranks of at most 1.
    pub hits1: f64,
    /// Share of ranks of at most 10.
    pub hits10: f64,
    /// Number of ranked events.
    pub events: usize,
}

impl Metrics {
    /// From all ranks.
    pub fn of(ranks: &[f64]) -> Metrics {
        let n = ranks.len().max(1) as f64;
        let share = |limit: f64| ranks.iter().filter(|&&rank| rank <= limit).count() as f64 / n;
        Metrics {
            mrr: ranks.iter().map(|rank| 1.0 / rank).sum::<f64>() / n,
            hits1: share(1.0),
            hits10: share(10.0),
            events: ranks.len(),
        }
    }
}

/// Average precision of positive scores against negative scores over one list; ties count half their order.
///
/// ```
/// assert_eq!(timeweft_learn::average_precision(&[2.0, 3.0], &[1.0]), 1.0);
/// ```
pub fn average_precision(positives: &[f32], negatives: &[f32]) -> f64 {
    let mut scored: Vec<(f32, bool)> =
        positives.iter().map(|&s| (s, true)).chain(negatives.iter().map(|&s| (s, false))).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut hits, mut seen, mut sum) = (0usize, 0usize, 0.0);
    for tied in scored.chunk_by(|a, b| a.0 == b.0) {
        let positive = tied.iter().filter(|entry| entry.1).count();
        hits += positive;
        seen += tied.len();
        sum += positive as f64 * hits as f64 / seen as f64;
    }
    sum / positives.len().max(1) as f64
}
