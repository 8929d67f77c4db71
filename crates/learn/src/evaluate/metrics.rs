//! How links are ranked: one protocol for every comparison.
//!
//! Target events are numbered from 0 in order of (time, position). The candidates of an event are drawn by a counter
//! hash, so every system that follows the protocol ranks against the same ones.

use serde::{Deserialize, Serialize};

/// The mixing function of the protocol (Steele, Lea, Flood 2014).
///
/// ```
/// assert_eq!(timeweft_learn::splitmix64(0), 0xE220_A839_7B1D_CDAF);
/// ```
pub fn splitmix64(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Borders of the three parts, as numbers of target events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Split {
    /// First event of the validation part.
    pub train_end: usize,
    /// First event of the test part.
    pub val_end: usize,
    /// Number of events.
    pub end: usize,
}

impl Split {
    /// By share of the count; a border moves forward to the next change of time.
    pub fn by_share(times: &[i64], shares: [f64; 2]) -> Split {
        let border = |share: f64| {
            let mut at = (times.len() as f64 * share) as usize;
            while at > 0 && at < times.len() && times[at] == times[at - 1] {
                at += 1;
            }
            at.min(times.len())
        };
        Split { train_end: border(shares[0]), val_end: border(shares[1]), end: times.len() }
    }

    /// By the last time of the training part and of the validation part.
    pub fn by_time(times: &[i64], last: [i64; 2]) -> Split {
        let border = |time: i64| times.partition_point(|&t| t <= time);
        Split { train_end: border(last[0]), val_end: border(last[1]), end: times.len() }
    }
}

/// The fixed candidates of an event: positions in the pool, the true one left out.
///
/// Gives fewer than `count` only if the pool has no other destination.
pub fn candidates(event: usize, truth: usize, pool: usize, count: usize, seed: u64) -> Vec<usize> {
    if pool < 2 {
        return Vec::new();
    }
    (0u64..)
        .map(|draw| (splitmix64((seed << 48) ^ ((event as u64) << 16) ^ draw) % pool as u64) as usize)
        .filter(|&drawn| drawn != truth)
        .take(count)
        .collect()
}

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

/// How fresh the state is that an answer may use. Always stated beside a figure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Freshness {
    /// Everything strictly before the answer's own time.
    Event,
    /// Everything before the batch of this many events (counted over the whole stream) that the answer lies in.
    Batch(usize),
}

impl std::fmt::Display for Freshness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Freshness::Event => f.write_str("event"),
            Freshness::Batch(size) => write!(f, "batch {size}"),
        }
    }
}
