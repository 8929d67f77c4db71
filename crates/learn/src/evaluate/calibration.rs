//! How far the shares that a model gives its candidates can be believed.

use serde::{Deserialize, Serialize};

/// Candidates by the share of the softmax that they were given, in ten bins of equal width.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Calibration {
    /// From the lowest shares to the highest.
    pub bins: [Bin; 10],
}

/// Candidates with about one share.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Bin {
    /// How many.
    pub candidates: usize,
    /// How many of them were the answer.
    pub right: usize,
    /// Sum of their shares: what `right` would be on average if shares were chances.
    pub expected: f64,
}

impl Calibration {
    /// Takes in the logits of a question, that of the answer first.
    pub(crate) fn add(&mut self, logits: &[f32]) {
        let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f64> = logits.iter().map(|logit| f64::from(logit - best).exp()).collect();
        let sum: f64 = weights.iter().sum();
        for (at, weight) in weights.iter().enumerate() {
            let share = weight / sum;
            let bin = &mut self.bins[((share * 10.0) as usize).min(9)];
            bin.candidates += 1;
            bin.right += usize::from(at == 0);
            bin.expected += share;
        }
    }

    /// Expected calibration error (Guo et al. 2017): by how much shares and frequencies differ, in the mean over candidates,
    /// each bin by itself.
    pub fn error(&self) -> f64 {
        let apart: f64 = self.bins.iter().map(|bin| (bin.expected - bin.right as f64).abs()).sum();
        apart / self.bins.iter().map(|bin| bin.candidates).sum::<usize>().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_that_come_true_have_no_error() {
        // Two candidates with shares of .7 and .3; the answer is the first one in seven of ten questions.
        let logit = (0.7f32 / 0.3).ln();
        let mut honest = Calibration::default();
        (0..10).for_each(|n| honest.add(&if n < 7 { [logit, 0.0] } else { [0.0, logit] }));
        assert!(honest.error() < 1e-6, "{honest:?}");
        let mut boastful = Calibration::default();
        (0..10).for_each(|n| boastful.add(&if n < 5 { [logit, 0.0] } else { [0.0, logit] }));
        assert!((boastful.error() - 0.2).abs() < 1e-6, "{boastful:?}");
        assert_eq!(boastful.bins.map(|bin| bin.candidates).iter().sum::<usize>(), 20);
    }
}
