//! Stage 5: scores. Equations: `docs/model.md#predictor`.

use burn_core::tensor::Tensor;
use burn_core::tensor::activation::relu;
use timeweft_learn::Pairs;

use crate::ReferenceError;
use crate::model::ReferenceModel;

impl ReferenceModel {
    /// Logits `[C]` of pairs of embeddings `[Q, d]`, with the counters of each pair, one after another.
    pub(crate) fn score(&self, z: Tensor<2>, pairs: &Pairs, counters: &[f32]) -> Result<Tensor<1>, ReferenceError> {
        let (part, n) = (self.part("predictor"), pairs.relation.len());
        let source = self.place.gather(z.clone(), &pairs.source);
        let destination = self.place.gather(z, &pairs.destination);
        let of_relation = |field: &str| self.of_relations(&part.at(field), &pairs.relation);
        let mut hidden = part.at("source").linear(source.clone())?
            + part.at("destination").linear(destination.clone())?
            + of_relation("relation")?;
        for (end, since) in ["0", "1"].into_iter().zip(&pairs.since) {
            let gaps: Vec<f64> = since.of.iter().map(|&of| since.gaps[of as usize]).collect();
            hidden = hidden + part.at("since").at(end).linear(self.encoded(&gaps))?;
        }
        let mut score = (source * (of_relation("bilinear")? * destination)).sum_dim(1);
        if self.config.counters {
            let part = part.at("counters");
            let counted = self.place.constant(counters.to_vec(), [n, counters.len() / n]);
            hidden = hidden + part.at("hidden").linear(counted.clone())?;
            let layer = |i: usize| part.at("score").at(&i.to_string());
            let own = self.place.gather(part.at("relation").matrix()?, &pairs.relation);
            let first = relu(layer(0).linear(counted)? + own);
            score = score + layer(2).linear(relu(layer(1).linear(first)?))?;
        }
        Ok((score + (relu(hidden) * of_relation("weight")?).sum_dim(1)).reshape([n]))
    }
}
