//! The model, and the one line that it is: messages, sets, memory, neighborhoods, scores.

use std::collections::BTreeMap;

use burn_core::tensor::{Device, Gradients, Tensor};
use timeweft_learn::{ModelConfig, RelationIds, TimeEncoder, Weight};

use crate::place::Place;
use crate::weights::{Part, Weights};
use crate::{ReferenceError, StepLayout};

/// The network of a configuration with given weights, on a device.
#[derive(Clone, Debug)]
pub struct ReferenceModel {
    pub(crate) config: ModelConfig,
    pub(crate) relations: RelationIds,
    pub(crate) time_encoder: TimeEncoder,
    pub(crate) weights: Weights,
    pub(crate) place: Place,
}

/// What the facts of a step leave behind.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// m after every token `[G, d]`.
    pub memory: Tensor<2>,
    /// The state after the last token of every segment `[S, D N]`; N is 1 for a gated recurrent unit.
    pub state: Tensor<2>,
}

impl ReferenceModel {
    /// The model of a configuration for relations and gaps of time as a graph has them. Weights are named by the path of fields
    /// that leads to each, as `Trained::weights` names them. On a device with autodiff they have gradients.
    ///
    /// # Errors
    /// A weight whose values do not fill its shape.
    pub fn new(
        config: &ModelConfig,
        relations: RelationIds,
        time_encoder: &TimeEncoder,
        weights: &[Weight],
        device: &Device,
    ) -> Result<ReferenceModel, ReferenceError> {
        Ok(ReferenceModel {
            config: config.clone(),
            relations,
            time_encoder: time_encoder.clone(),
            weights: Weights::new(weights, device)?,
            place: Place { device: device.clone(), blocks: 1 },
        })
    }

    /// The same, where sums of rows run in up to `blocks` parts side by side: for a GPU, on which one part is slow. It changes
    /// the order of sums, and takes memory for as many tables.
    pub fn with_blocks(mut self, blocks: usize) -> ReferenceModel {
        self.place.blocks = blocks;
        self
    }

    pub(crate) fn part(&self, path: &str) -> Part<'_> {
        Part { weights: &self.weights, place: &self.place, path: path.to_owned() }
    }

    /// All five stages: logits `[C]` of the questions of a step. `noise` is the key of a training step's noise, if the model has
    /// any.
    ///
    /// # Errors
    /// A weight that the configuration reads and that is not there, or is of another shape.
    pub fn step(&self, layout: &StepLayout, noise: Option<u64>) -> Result<Tensor<1>, ReferenceError> {
        let remembered = self.remember(layout)?;
        self.answer(layout, remembered.as_ref(), noise)
    }

    /// Stages 1 to 3; `None` for no facts, or no memory.
    ///
    /// # Errors
    /// As [`ReferenceModel::step`].
    pub fn remember(&self, layout: &StepLayout) -> Result<Option<Remembered>, ReferenceError> {
        if layout.tokens.node.is_empty() || !self.config.memory {
            return Ok(None);
        }
        let mut left = None;
        // Every round, also one that changes nothing.
        for round in 0..self.config.sweeps.max(1) {
            let peers = match &layout.peers {
                Some(peers) => {
                    let peers = &peers[round.min(1)];
                    Some((peers, self.table(&peers.stored, left.as_ref())?))
                }
                None => None,
            };
            let messages = self.encode(&layout.messages, peers)?;
            let tokens = self.aggregate(messages, &layout.tokens)?;
            left = Some(self.scan(tokens, &layout.tokens, &layout.state)?);
        }
        Ok(left)
    }

    /// Stages 4 and 5, of what was remembered.
    ///
    /// # Errors
    /// As [`ReferenceModel::step`].
    pub fn answer(
        &self,
        layout: &StepLayout,
        remembered: Option<&Remembered>,
        noise: Option<u64>,
    ) -> Result<Tensor<1>, ReferenceError> {
        let table = self.table(&layout.neighborhood.stored, remembered)?;
        let embeddings = self.embed(table, &layout.neighborhood, noise)?;
        self.score(embeddings, &layout.pairs, &layout.counters)
    }

    /// The memory table `[rows, d]`: stored vectors, m_0 of each node type, tokens.
    fn table(&self, stored: &[f32], remembered: Option<&Remembered>) -> Result<Tensor<2>, ReferenceError> {
        let d = self.config.width;
        let mut parts = Vec::with_capacity(3);
        if !stored.is_empty() {
            parts.push(self.place.constant(stored.to_vec(), [stored.len() / d, d]));
        }
        parts.push(self.part("memory.start").matrix()?);
        parts.extend(remembered.map(|remembered| remembered.memory.clone()));
        Ok(Tensor::cat(parts, 0))
    }

    /// The gradient of each weight by its name, row after row; zeros for one that nothing read.
    pub fn gradients(&self, gradients: &Gradients) -> BTreeMap<String, Vec<f32>> {
        self.weights.gradients(gradients)
    }

    /// The weights as they are now, in the order of their names.
    pub fn weights(&self) -> Vec<Weight> {
        self.weights.values()
    }
}
