//! The loss. Equations: `docs/model.md#loss-and-negatives`.

use burn_core::tensor::Tensor;
use timeweft_learn::Loss;

use crate::layers::softplus;

/// Mean loss `[1]` of `n` positives with as many negatives each: logits `[n (1 + r)]`, each positive before its negatives. What is
/// known of how a negative was drawn (log Q) is in the logits already.
pub fn loss(kind: Loss, logits: Tensor<1>, n: usize) -> Tensor<1> {
    let width = logits.dims()[0] / n.max(1);
    let logits = logits.reshape([n, width]);
    let positive = logits.clone().slice([0..n, 0..1]);
    match kind {
        // -log(exp(s_+) / sum exp(s_i)), by the largest, a constant.
        Loss::Softmax => {
            let top = logits.clone().detach().max_dim(1);
            let total = (logits - top.clone()).exp().sum_dim(1).log() + top;
            (total - positive).mean()
        }
        // -log sigma(s) is softplus(-s), and -log sigma(-s) softplus(s).
        Loss::Bce => softplus(positive.neg()).mean() + softplus(logits.slice([0..n, 1..width])).mean(),
    }
}
