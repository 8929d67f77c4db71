//! AdamW (Loshchilov and Hutter 2019) as Burn has it, with the norm of each tensor's gradient clipped: what our own is
//! compared with, and the optimiser of a [`ReferenceModel`] on a GPU.

use std::collections::BTreeMap;

use burn_core::tensor::{Device, Gradients, Tensor, TensorData};
use burn_optim::{AdamW, AdamWConfig, AdamWState, Optimizer};

use crate::ReferenceModel;
use crate::place::floats;

/// The optimiser of a model: moments of each weight.
pub struct ReferenceAdamW {
    adamw: AdamW,
    clip: f32,
    states: BTreeMap<String, AdamWState<1>>,
}

impl ReferenceAdamW {
    /// Before the first step, with the settings of the product: decays of the moments 0.9 and 0.999, 1e-5 added to the root, a
    /// weight decay of 1e-4. A gradient that is longer than `clip` is shortened to it.
    pub fn new(clip: f32) -> ReferenceAdamW {
        ReferenceAdamW { adamw: adamw_of_burn(), clip, states: BTreeMap::new() }
    }

    /// One step of all weights that have a gradient; the others stay as they are.
    pub fn step(&mut self, rate: f64, model: &mut ReferenceModel, gradients: &Gradients) {
        for (name, leaf) in &mut model.weights.by_name {
            let Some(gradient) = leaf.values.grad(gradients) else { continue };
            let state = self.states.remove(name);
            let weight = leaf.values.clone().inner();
            let (weight, state) = self.adamw.step(rate, weight, clipped(gradient, self.clip), state);
            leaf.values = Tensor::from_inner(weight).require_grad();
            self.states.extend(state.map(|state| (name.clone(), state)));
        }
    }
}

/// The weights after a step for each of some gradients, as [`ReferenceAdamW`] steps.
pub fn adamw(rate: f64, clip: f32, weights: &[f32], gradients: &[Vec<f32>]) -> Vec<f32> {
    let tensor = |values: &[f32]| Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), &Device::flex());
    let (adamw, start) = (adamw_of_burn(), (tensor(weights), None));
    let (weights, _) = gradients
        .iter()
        .fold(start, |(weights, state), gradient| adamw.step(rate, weights, clipped(tensor(gradient), clip), state));
    floats(weights)
}

fn adamw_of_burn() -> AdamW {
    AdamWConfig::new().with_beta_1(0.9).with_beta_2(0.999).with_epsilon(1e-5).with_weight_decay(1e-4).build()
}

/// A gradient of at most this norm.
fn clipped(gradient: Tensor<1>, clip: f32) -> Tensor<1> {
    let norm = (gradient.clone() * gradient.clone()).sum().sqrt();
    // Where the norm is 0 so is the gradient.
    gradient * (norm.clamp_min(f32::MIN_POSITIVE).recip() * clip).clamp_max(1.0)
}
