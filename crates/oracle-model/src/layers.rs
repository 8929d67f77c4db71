//! Small layers, as equations.

use burn_core::tensor::Tensor;
use burn_core::tensor::activation::{relu, sigmoid};
use timeweft_learn::{FeatureRows, TimeEncoder};

use crate::ReferenceError;
use crate::weights::Part;

/// Added to the mean square of a row.
const EPSILON: f32 = 1e-6;

/// `x sigmoid(x)`.
pub(crate) fn silu(x: Tensor<2>) -> Tensor<2> {
    x.clone() * sigmoid(x)
}

/// `log(1 + e^x)`, without overflow.
pub(crate) fn softplus(x: Tensor<2>) -> Tensor<2> {
    relu(x.clone()) + x.abs().neg().exp().log1p()
}

/// `x / sqrt(mean(x^2) + 1e-6)` of every row, times a weight (Zhang and Sennrich 2019).
pub(crate) fn rms_norm(x: Tensor<2>, weight: Tensor<1>) -> Tensor<2> {
    let root = ((x.clone() * x.clone()).mean_dim(1) + EPSILON).sqrt();
    x / root * weight.unsqueeze()
}

/// A gap of time as `cos(2 pi f gap)` of each frequency and `log(1 + gap / T0)`: n gaps make `n * width` numbers.
pub(crate) fn encode(time_encoder: &TimeEncoder, gaps: &[f64]) -> Vec<f32> {
    let mut rows = Vec::with_capacity(gaps.len() * time_encoder.width());
    for gap in gaps {
        rows.extend(time_encoder.frequencies.iter().map(|f| (std::f64::consts::TAU * (f * gap)).cos() as f32));
        rows.push((1.0 + gap / time_encoder.scale).ln() as f32);
    }
    rows
}

impl Part<'_> {
    /// `x W`, and `+ b` where there is a bias.
    pub(crate) fn linear(&self, x: Tensor<2>) -> Result<Tensor<2>, ReferenceError> {
        let y = x.matmul(self.at("weight").matrix()?);
        let bias = self.at("bias");
        Ok(if bias.is_there() { y + bias.vector()?.unsqueeze() } else { y })
    }

    /// `x + W_2 silu(W_1 norm(x))`.
    pub(crate) fn feed_forward(&self, x: Tensor<2>) -> Result<Tensor<2>, ReferenceError> {
        let inner = silu(self.at("up").linear(rms_norm(x.clone(), self.at("norm").vector()?))?);
        Ok(x + self.at("down").linear(inner)?)
    }

    /// The features of each type through the projection of that type, added into `[n, d]`; `None` where no row has any. Rows
    /// from n on are left out.
    pub(crate) fn project(&self, rows: &FeatureRows, n: usize) -> Result<Option<Tensor<2>>, ReferenceError> {
        let mut sum: Option<Tensor<2>> = None;
        for (kind, (values, targets)) in rows.by_type.iter().enumerate() {
            let weight = self.at("weights").at(&kind.to_string());
            let kept = targets.partition_point(|&target| (target as usize) < n);
            if !weight.is_there() || kept == 0 {
                continue;
            }
            let weight = weight.matrix()?;
            let [width, _] = weight.dims();
            let x = self.place.constant(values[..kept * width].to_vec(), [kept, width]);
            let part = self.place.scatter_sum(x.matmul(weight), &targets[..kept], n);
            sum = Some(match sum {
                Some(sum) => sum + part,
                None => part,
            });
        }
        Ok(sum)
    }

    /// `x + y` where there is a y.
    pub(crate) fn plus(x: Tensor<2>, y: Option<Tensor<2>>) -> Tensor<2> {
        match y {
            Some(y) => x + y,
            None => x,
        }
    }
}
