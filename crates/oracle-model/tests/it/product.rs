//! How the product's numbers are obtained. Only this file knows what its tensors are.

use std::collections::BTreeMap;
use std::ops::Range;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::Optimizer;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use timeweft_learn::{
    Config, GraphContext, Htgn, Query, Trained, VectorStore, Weight, empty_store, floats, pipeline, rebuild,
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
        struct Nudge(Draws);
        impl ModuleMapper for Nudge {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                param.map(|tensor| {
                    let (shape, device) = (tensor.dims(), tensor.device());
                    let values = floats(tensor.inner()).into_iter().map(|x| x + 0.2 * self.0.signed()).collect();
                    Tensor::from_data(TensorData::new(values, shape), &device)
                })
            }
        }
        Product(Htgn::new(config, graph, &Device::flex()).map(&mut Nudge(Draws(seed))))
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
        struct Collect {
            path: Vec<String>,
            found: Vec<Weight>,
        }
        impl ModuleVisitor for Collect {
            fn enter_module(&mut self, name: &str, _container: &str) {
                self.path.push(name.into());
            }
            fn exit_module(&mut self, _name: &str, _container: &str) {
                self.path.pop();
            }
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let (shape, values) = (param.val().dims().to_vec(), floats(param.val().inner()));
                self.found.push(Weight { name: self.path.join("."), shape, values });
            }
        }
        let mut collect = Collect { path: Vec::new(), found: Vec::new() };
        self.0.visit(&mut collect);
        collect.found
    }

    /// A step, and the gradients of the sum of its logits, each times a weight of its own.
    pub(crate) fn step(&self, step: &Step<'_>, weights: &[f32]) -> Found {
        struct Collect<'a> {
            gradients: &'a Gradients,
            path: Vec<String>,
            found: BTreeMap<String, Vec<f32>>,
        }
        impl ModuleVisitor for Collect<'_> {
            fn enter_module(&mut self, name: &str, _container: &str) {
                self.path.push(name.into());
            }
            fn exit_module(&mut self, _name: &str, _container: &str) {
                self.path.pop();
            }
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let gradient = param.val().grad(self.gradients).map(floats).unwrap_or_default();
                self.found.insert(self.path.join("."), gradient);
            }
        }
        let Step { graph, store, facts, queries, noise } = step;
        let model = self.0.clone().train();
        let reader = pipeline::Reader { model: &model, graph, store };
        let remembered = reader.remember(facts.clone());
        let logits = reader.answer(&remembered, queries, *noise);
        let (memory, state) = match &remembered.scanned {
            Some(scanned) => (floats(scanned.memory.clone().inner()), floats(scanned.state.clone().inner())),
            None => Default::default(),
        };
        let values = floats(logits.clone().inner());
        let data = TensorData::new(weights.to_vec(), [weights.len()]);
        let weighted = logits * Tensor::from_data(data, &Device::flex());
        let gradients = weighted.sum().backward();
        let mut collect = Collect { gradients: &gradients, path: Vec::new(), found: BTreeMap::new() };
        model.visit(&mut collect);
        Found { logits: values, memory, state, gradients: collect.found }
    }
}

/// The answers of a trained model, from its memory alone.
pub(crate) fn answers(trained: &Trained, queries: &[Query]) -> Vec<f32> {
    let reader = pipeline::Reader { model: &trained.model, graph: &trained.graph, store: &trained.store };
    floats(reader.answer(&pipeline::Remembered::nothing(&trained.store), queries, None))
}

/// The weights of a trained model by name.
pub(crate) fn weights_of(trained: &Trained) -> Vec<Weight> {
    trained.weights().unwrap()
}

/// Weights after a step of the product's optimiser for each of some gradients.
pub(crate) fn adamw(rate: f64, clip: f32, weights: &[f32], gradients: &[Vec<f32>]) -> Vec<f32> {
    let tensor =
        |values: &[f32]| Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), &Device::flex());
    let adamw = timeweft_learn::AdamW { clip, ..timeweft_learn::AdamW::default() };
    let start = (tensor(weights), None);
    let steps =
        gradients.iter().fold(start, |(weights, state), gradient| adamw.step(rate, weights, tensor(gradient), state));
    floats(steps.0)
}
