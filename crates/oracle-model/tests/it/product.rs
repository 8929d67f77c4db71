//! How the product's numbers are obtained. Only this file knows what its tensors are.

use std::collections::BTreeMap;
use std::ops::Range;

use timeweft_learn::nn::{self, Module, NamedParam, Param, Tensor};
use timeweft_learn::{
    AdamW, Config, GraphContext, Htgn, Loss, Optimizer, Query, Trained, VectorStore, Weight, empty_store, pipeline,
    rebuild,
};

use crate::worlds::Draws;

/// What a step gives, and the gradients of the weighted sum of its logits by the names of weights; an empty one for a weight
/// that nothing read.
pub(crate) struct Found {
    pub(crate) logits: Vec<f32>,
    pub(crate) memory: Vec<f32>,
    pub(crate) state: Vec<f32>,
    pub(crate) gradients: BTreeMap<String, Vec<f32>>,
}

/// A step of a model.
pub(crate) struct Step<'a> {
    pub(crate) graph: &'a GraphContext,
    /// Memory of before the facts.
    pub(crate) store: VectorStore,
    pub(crate) facts: Range<usize>,
    pub(crate) queries: Vec<Query>,
    pub(crate) noise: Option<u64>,
}

/// A model of the product.
pub(crate) struct Product(Htgn);

impl Product {
    /// With weights by chance: those that start at zero hide what is done with them.
    pub(crate) fn new(config: &Config, graph: &GraphContext, seed: u64) -> Product {
        let (mut model, mut draws) = (Htgn::new(config, graph), Draws(seed));
        for param in model.params_mut() {
            param.into_values().iter_mut().for_each(|x| *x += 0.2 * draws.signed());
        }
        Product(model)
    }

    /// Memory of all facts up to a position.
    pub(crate) fn memory(&self, config: &Config, graph: &GraphContext, until: usize) -> VectorStore {
        match until {
            0 => empty_store(graph, config),
            until => rebuild(&self.0, graph, config, until),
        }
    }

    /// All weights by name.
    pub(crate) fn weights(&self) -> Vec<Weight> {
        let weight = |param: NamedParam<'_>| {
            let (shape, values) = (param.shape.to_vec(), param.values().to_vec());
            Weight { name: param.name, shape, values }
        };
        self.0.params().into_iter().map(weight).collect()
    }

    /// A step, and the gradients of the sum of its logits, each times a weight of its own.
    pub(crate) fn step(&self, step: &Step<'_>, weights: &[f32]) -> Found {
        let Step { graph, store, facts, queries, noise } = step;
        let model = self.0.clone().tracked();
        let reader = pipeline::Reader { model: &model, graph, store };
        let remembered = reader.remember(facts.clone());
        let logits = reader.answer(&remembered, queries, *noise);
        let (memory, state) = match &remembered.scanned {
            Some(scanned) => (scanned.memory.values().to_vec(), scanned.state.values().to_vec()),
            None => Default::default(),
        };
        let values = logits.values().to_vec();
        let gradients = nn::total(logits * Tensor::new(weights.to_vec(), [weights.len()])).backward();
        let gradient = |param: NamedParam<'_>| {
            let gradient = param.gradient(&gradients).map(|gradient| gradient.to_vec()).unwrap_or_default();
            (param.name, gradient)
        };
        Found { logits: values, memory, state, gradients: model.params().into_iter().map(gradient).collect() }
    }
}

/// The answers of a trained model, from its memory alone.
pub(crate) fn answers(trained: &Trained, queries: &[Query]) -> Vec<f32> {
    let reader = pipeline::Reader { model: &trained.model, graph: &trained.graph, store: &trained.store };
    reader.answer(&pipeline::Remembered::nothing(&trained.store), queries, None).values().to_vec()
}

/// The weights of a trained model by name.
pub(crate) fn weights_of(trained: &Trained) -> Vec<Weight> {
    trained.weights()
}

/// The loss of logits, each positive before its negatives, and its gradient.
pub(crate) fn loss(kind: Loss, logits: &[f32], n_positives: usize) -> (f32, Vec<f32>) {
    let logits = Tensor::new(logits.to_vec(), [n_positives, logits.len() / n_positives]).tracked();
    let loss = match kind {
        Loss::Softmax => nn::softmax_loss(logits.clone()),
        Loss::Bce => nn::binary_loss(logits.clone()),
    };
    let gradient = logits.gradient(&loss.backward()).unwrap();
    (loss.values()[0], gradient.values().to_vec())
}

/// Weights after a step of the product's optimiser for each of some gradients.
pub(crate) fn adamw(rate: f64, clip: f32, weights: &[f32], gradients: &[Vec<f32>]) -> Vec<f32> {
    let n = weights.len();
    let mut optimizer = Optimizer::from(AdamW { clip, ..AdamW::default() });
    let mut weight = Param::new(weights.to_vec(), [n]).tracked();
    for gradient in gradients {
        let made = nn::total(weight.val() * Tensor::new(gradient.clone(), [n])).backward();
        optimizer.step(rate, &mut weight, made);
    }
    weight.val().values().to_vec()
}
