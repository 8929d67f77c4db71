//! Losses over the logits of a positive and its negatives, with their gradients.

use super::arena::Buffer;
use super::kernel::{Kernel, apply};
use super::tape::Gradient;
use super::tensor::Tensor;

/// Softmax cross-entropy of the first of each row against the rest, as a mean over the rows of `[n, width]`.
pub fn softmax_loss(logits: Tensor<2>) -> Tensor<1> {
    let [n, width] = logits.dims();
    apply(Loss { n, width, kind: Kind::Softmax }, [logits.any()], [1])
}

/// Binary cross-entropy: the mean over the first of each row as positives plus the mean over all others as negatives, of
/// `[n, width]`.
pub fn binary_loss(logits: Tensor<2>) -> Tensor<1> {
    let [n, width] = logits.dims();
    apply(Loss { n, width, kind: Kind::Binary }, [logits.any()], [1])
}

#[derive(Clone, Copy)]
enum Kind {
    Softmax,
    Binary,
}

struct Loss {
    n: usize,
    width: usize,
    kind: Kind,
}

impl Kernel for Loss {
    /// The gradient of the loss itself.
    type Saved = Buffer;

    fn forward(&self, inputs: &[&[f32]], _: bool) -> (Buffer, Buffer) {
        let mut slopes = Buffer::stale(inputs[0].len());
        let mut loss = 0.0;
        let rows = inputs[0].chunks_exact(self.width.max(1)).zip(slopes.chunks_exact_mut(self.width.max(1)));
        for (logits, slopes) in rows {
            loss += match self.kind {
                Kind::Softmax => softmax(logits, slopes, self.n),
                Kind::Binary => binary(logits, slopes, self.n),
            };
        }
        (vec![loss as f32].into(), slopes)
    }

    fn backward(&self, _: &[&[f32]], slopes: &Buffer, grad: &[f32], _: &[bool]) -> Vec<Gradient> {
        let mut out = slopes.clone();
        out.iter_mut().for_each(|slope| *slope *= grad[0]);
        vec![out.into()]
    }
}

/// The part of one row in the mean, and its slopes.
fn softmax(logits: &[f32], slopes: &mut [f32], n: usize) -> f64 {
    // A NaN must survive: `max` would hide it.
    let top = logits.iter().fold(f32::NEG_INFINITY, |top, x| if *x <= top { top } else { *x });
    let mut sum = 0.0;
    for (slope, logit) in slopes.iter_mut().zip(logits) {
        *slope = (logit - top).exp();
        sum += *slope;
    }
    let scale = 1.0 / (sum * n as f32);
    slopes.iter_mut().for_each(|slope| *slope *= scale);
    slopes[0] -= 1.0 / n as f32;
    f64::from(sum.ln() + top - logits[0]) / n as f64
}

fn binary(logits: &[f32], slopes: &mut [f32], n: usize) -> f64 {
    let n_negatives = (n * (logits.len() - 1)) as f32;
    let mut loss = 0.0;
    for (at, (slope, &logit)) in slopes.iter_mut().zip(logits).enumerate() {
        let (sign, weight) = if at == 0 { (-1.0, 1.0 / n as f32) } else { (1.0, 1.0 / n_negatives) };
        let x = sign * logit;
        // log(1 + e^x), finite for every finite x, and its slope.
        let softplus = x.max(0.0) + (-x.abs()).exp().ln_1p();
        loss += f64::from(weight * if x.is_nan() { x } else { softplus });
        *slope = sign * weight / (1.0 + (-x).exp());
    }
    loss
}
