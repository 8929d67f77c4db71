//! Gaps of time as inputs: a scale and frequencies, measured on the training part only.
//!
//! Equations: `docs/model.md#time`.

use serde::{Deserialize, Serialize};
use timeweft_graph::Time;
use timeweft_index::Fact;

use crate::nn::{self, Buffer};

/// Scale and frequencies of time gaps. Fixed, not learned: the gradient of a frequency grows with
/// the gap.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TimeEncoder {
    /// T0: median positive gap between two facts of one node, in ticks.
    pub scale: f64,
    /// Gap that a tenth of the gaps are shorter than, in units of T0.
    pub short: f64,
    /// Longest gap seen, in units of T0.
    pub longest: f64,
    /// From the first fact to the last, in units of T0.
    pub span: f64,
    /// d_t frequencies in cycles a tick, log-spaced over the range of gaps.
    pub frequencies: Vec<f64>,
}

impl TimeEncoder {
    /// Measures the gaps of `facts`, which are the training part.
    pub fn fit(facts: &[Fact], n_nodes: usize, n_frequencies: usize) -> TimeEncoder {
        let mut last = vec![None; n_nodes];
        let mut gaps = Vec::new();
        for fact in facts {
            for node in [fact.source, fact.destination] {
                if let Some(previous) = last[node.at()].replace(fact.time.0)
                    && fact.time.0 > previous
                {
                    gaps.push(fact.time.0.abs_diff(previous) as f64);
                }
            }
        }
        gaps.sort_by(f64::total_cmp);
        let quantile = |share: f64| {
            gaps.get(((gaps.len() as f64 * share) as usize).min(gaps.len().saturating_sub(1))).copied().unwrap_or(1.0)
        };
        let (shortest, scale, longest) = (quantile(0.01), quantile(0.5), quantile(1.0));
        let frequencies = (0..n_frequencies)
            .map(|i| {
                let share = i as f64 / (n_frequencies.max(2) - 1) as f64;
                // The longest gap makes half a turn at the lowest frequency: it stays unambiguous.
                let period = (2.0 * longest).powf(1.0 - share) * shortest.max(1.0).powf(share);
                1.0 / period
            })
            .collect();
        let span = match facts {
            [first, .., last] => last.time.0.abs_diff(first.time.0) as f64,
            _ => 0.0,
        };
        TimeEncoder { scale, short: quantile(0.1) / scale, longest: longest / scale, span: span / scale, frequencies }
    }

    /// Width of an encoded gap: d_t cosines and one logarithm.
    pub fn width(&self) -> usize {
        self.frequencies.len() + 1
    }

    /// Encoded gaps, row after row: `cos(2 pi f gap)` for each frequency, then `log1p(gap / T0)`.
    pub fn encode(&self, gaps: &[f64]) -> Buffer {
        let cosines = nn::time_encoding(gaps, &self.frequencies);
        let logs = nn::log_gaps(gaps, self.scale);
        let n = self.frequencies.len();
        let mut rows = Buffer::stale(gaps.len() * self.width());
        for ((i, row), log) in rows.chunks_exact_mut(self.width()).enumerate().zip(logs) {
            row[..n].copy_from_slice(&cosines[i * n..(i + 1) * n]);
            row[n] = log;
        }
        rows
    }

    /// `log1p(gap / T0)`.
    pub fn log(&self, gap: f64) -> f32 {
        (gap / self.scale).ln_1p() as f32
    }
}

/// Ticks from one time to a later one, in 64 bits until they are known to be small; 0 without a first, or where it is the
/// later one: a neighbor may have heard of something since its root was last read.
pub(crate) fn gap(from: Option<Time>, to: Time) -> f64 {
    from.map_or(0.0, |from| to.0.saturating_sub(from.0).max(0) as f64)
}
