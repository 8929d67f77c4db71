//! Attention with weights of each relation. Equations: `docs/model.md#neighborhood-attention`.
//!
//! As they stand there: the key and the value of every token are formed, relation by relation.

use burn_core::tensor::Tensor;

use crate::ReferenceError;
use crate::model::ReferenceModel;
use crate::place::floats;
use crate::segments::inverse;
use crate::weights::Part;

/// What Q roots attend to: E tokens, each of one root by one relation.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// q `[Q, d]`.
    pub(crate) query: Tensor<2>,
    /// f `[E, F]`.
    pub(crate) tokens: Tensor<2>,
    /// E: root of each token.
    pub(crate) root: Vec<u32>,
    /// E: relation of each token.
    pub(crate) relation: Vec<u32>,
    /// `[Q, H]`: the score of attending to nothing.
    pub(crate) sink: Option<Tensor<2>>,
    /// `[E, 1]`: what each token's `exp(score)` is multiplied by.
    pub(crate) gate: Option<Tensor<2>>,
}

impl ReferenceModel {
    /// What the roots read, every head's part beside the other `[Q, d]`, before the output projection.
    pub(crate) fn attend(&self, heads: &Part<'_>, reading: Reading) -> Result<Tensor<2>, ReferenceError> {
        let Reading { query, tokens, root, relation, sink, gate } = reading;
        let ([q, d], [e, _]) = (query.dims(), tokens.dims());
        let (h, place) = (self.config.heads, &self.place);
        let (keys, values) = self.keys_and_values(heads, tokens, &relation)?;
        let product = (place.gather(query, &root) * keys).reshape([e, h, d / h]).sum_dim(2).reshape([e, h]);
        let prior = place.gather(heads.at("prior").matrix()?, &relation);
        let scores = product / ((d / h) as f32).sqrt() + prior;
        // The softmax, by the largest score of each root: a constant, for it changes no weight.
        let top = place.constant(largest(&scores, sink.as_ref(), &root, [q, h]), [q, h]);
        let exp = (scores - place.gather(top.clone(), &root)).exp();
        let exp = match gate {
            Some(gate) => exp * gate,
            None => exp,
        };
        let of_sink = sink.map(|sink| (sink - top).exp());
        let total = Part::plus(place.scatter_sum(exp.clone(), &root, q), of_sink);
        let alpha = exp / place.gather(total, &root);
        let read = alpha.reshape([e, h, 1]) * values.reshape([e, h, d / h]);
        Ok(place.scatter_sum(read.reshape([e, d]), &root, q))
    }

    /// `K_rho f` and `V_rho f` of every token, `[E, d]` each.
    fn keys_and_values(
        &self,
        heads: &Part<'_>,
        tokens: Tensor<2>,
        relation: &[u32],
    ) -> Result<(Tensor<2>, Tensor<2>), ReferenceError> {
        let (h, [_, f], d) = (self.config.heads, tokens.dims(), self.config.width);
        let (mut sorted, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for rho in 0..self.relations.len() as u32 {
            let own: Vec<u32> = (0..).zip(relation).filter(|(_, r)| **r == rho).map(|(token, _)| token).collect();
            if own.is_empty() {
                continue;
            }
            let x = self.place.gather(tokens.clone(), &own);
            let key = self.of_relations(&heads.at("keys"), &[rho])?.reshape([d, f]);
            let value = self.of_relations(&heads.at("values"), &[rho])?.reshape([h, f, d / h]);
            keys.push(x.clone().matmul(key.transpose()));
            values.push(x.matmul(value.swap_dims(0, 1).reshape([f, d])));
            sorted.extend(own);
        }
        let back = inverse(&sorted);
        let whole = |parts: Vec<Tensor<2>>| self.place.gather(Tensor::cat(parts, 0), &back);
        Ok((whole(keys), whole(values)))
    }

    /// The weights of some relations `[n, width]`: what all of a role share, and what each adds of its own.
    pub(crate) fn of_relations(&self, part: &Part<'_>, relations: &[u32]) -> Result<Tensor<2>, ReferenceError> {
        let roles: Vec<u32> = relations.iter().map(|&relation| self.relations.role(relation)).collect();
        let shared = self.place.gather(part.at("shared").matrix()?, &roles);
        let own = part.at("own");
        Ok(if own.is_there() { shared + self.place.gather(own.matrix()?, relations) } else { shared })
    }
}

/// The largest score of each root and head, its sink's among them: Q H numbers; 0 for a root that has none.
fn largest(scores: &Tensor<2>, sink: Option<&Tensor<2>>, root: &[u32], [q, h]: [usize; 2]) -> Vec<f32> {
    let mut top = match sink {
        Some(sink) => floats(sink.clone().inner()),
        None => vec![f32::NEG_INFINITY; q * h],
    };
    for (scores, &root) in floats(scores.clone().inner()).chunks_exact(h).zip(root) {
        for (top, score) in top[root as usize * h..].iter_mut().zip(scores) {
            *top = top.max(*score);
        }
    }
    top.iter().map(|top| if top.is_finite() { *top } else { 0.0 }).collect()
}
