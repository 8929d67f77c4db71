//! Stage 2: sets of messages. Equations: `docs/model.md#aggregation`.

use burn_core::tensor::Tensor;
use timeweft_learn::{Aggregation, Tokens};

use crate::ReferenceError;
use crate::attention::Reading;
use crate::layers::rms_norm;
use crate::model::ReferenceModel;
use crate::segments::run_of;

impl ReferenceModel {
    /// c `[G, d]` of messages u `[M, d]`.
    pub(crate) fn aggregate(&self, messages: Tensor<2>, tokens: &Tokens) -> Result<Tensor<2>, ReferenceError> {
        let (part, g) = (self.part("aggregator"), tokens.node.len());
        let sizes: Vec<f32> = tokens.messages.windows(2).map(|ends| (ends[1] - ends[0]) as f32).collect();
        let column = |values: Vec<f32>| self.place.constant(values, [g, 1]);
        let sum = self.place.scatter_sum(messages.clone(), &run_of(&tokens.messages), g);
        let mean = sum.clone() / column(sizes.clone());
        let mut receiver = self.place.gather(part.at("types").matrix()?, &tokens.node_type);
        if let Some(identity) = self.identity(&tokens.slots)? {
            receiver = receiver + part.at("identity").linear(identity)?;
        }
        let reduced = match self.config.aggregation {
            // The layout has kept the last message alone already.
            Aggregation::Sum | Aggregation::KeepLast => sum,
            Aggregation::Attention => {
                let part = part.at("reduction").at("Attention");
                let pair_of = run_of(&tokens.pair_messages);
                let reading = Reading {
                    query: part.at("query").linear(mean.clone() + receiver.clone())?,
                    tokens: messages,
                    root: run_of(&tokens.messages),
                    relation: pair_of.iter().map(|&pair| tokens.pair_relation[pair as usize]).collect(),
                    sink: None,
                    gate: None,
                };
                self.attend(&part.at("heads"), reading)?
            }
        };
        let count = column(sizes.iter().map(|n| (1.0 + n).ln()).collect()) * part.at("count").matrix()?;
        let whole = part.at("output").linear(reduced)? + mean + receiver + count;
        Ok(rms_norm(whole, part.at("norm").vector()?))
    }
}
