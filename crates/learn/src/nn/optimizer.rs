//! AdamW in one pass over weights, gradients and moments. Slow reference: `timeweft_oracle::kernels::adamw`.

use rayon::prelude::*;

use super::arena::Buffer;
use super::lanes::{dot, madd, multiversion};
use super::module::Module;
use super::profile::stage;
use super::tape::{Gradient, Gradients};

/// Elements in one task.
const ELEMENTS: usize = 16_384;
/// Elements whose squares are summed up in `f32`.
const SUMMED: usize = 1024;

/// AdamW (Loshchilov and Hutter 2019) that clips the norm of each tensor's gradient.
#[derive(Clone, Debug)]
pub struct AdamW {
    /// Decay of the two moments.
    pub beta: [f32; 2],
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Weight decay, times the learning rate.
    pub weight_decay: f32,
    /// Largest norm of a tensor's gradient.
    pub clip: f32,
}

impl Default for AdamW {
    fn default() -> Self {
        AdamW { beta: [0.9, 0.999], epsilon: 1e-5, weight_decay: 1e-4, clip: 1.0 }
    }
}

/// The optimiser of one model.
#[derive(Clone, Debug, Default)]
pub struct Optimizer {
    settings: AdamW,
    /// Of every weight, in the order of the model's.
    pub(crate) moments: Vec<Moments>,
    /// Steps that were taken.
    pub(crate) steps: usize,
}

/// What the optimiser remembers of a weight: means of its gradient and of the square of that.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    pub(crate) first: Buffer,
    pub(crate) second: Buffer,
    /// Steps in which it had a gradient.
    pub(crate) time: i32,
}

impl Moments {
    /// Of a weight of `len` numbers before its first step.
    pub(crate) fn new(len: usize) -> Moments {
        Moments { first: Buffer::zeros(len), second: Buffer::zeros(len), time: 0 }
    }
}

/// A stretch of one weight on its way through a step.
struct Stretch<'a> {
    weight: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    pace: Pace,
}

/// How far a weight goes in a step.
#[derive(Clone, Copy)]
struct Pace {
    /// What clipping leaves of the gradient.
    scale: f32,
    /// Corrections of the two moments for their start from zero.
    correct: [f32; 2],
    rate: f32,
}

impl From<AdamW> for Optimizer {
    fn from(settings: AdamW) -> Optimizer {
        Optimizer { settings, ..Optimizer::default() }
    }
}

impl Optimizer {
    /// One step of every weight that has a gradient. Always with the same model.
    pub fn step<M: Module>(&mut self, rate: f64, model: &mut M, mut gradients: Gradients) {
        let _running = stage("optimizer");
        self.steps += 1;
        let params = model.params_mut();
        let grads: Vec<Option<Gradient>> = params.iter().map(|param| param.take_gradient(&mut gradients)).collect();
        let lens: Vec<usize> = params.iter().map(|param| param.shape.iter().product()).collect();
        if self.moments.is_empty() {
            self.moments = lens.iter().map(|&len| Moments::new(len)).collect();
        }
        let grads: Vec<Option<Buffer>> =
            grads.into_iter().zip(&lens).map(|(grad, &len)| grad.map(|grad| grad.dense(len))).collect();
        let mut stretches = Vec::new();
        for ((param, grad), moments) in params.into_iter().zip(&grads).zip(&mut self.moments) {
            let Some(grad) = grad else { continue };
            moments.time += 1;
            let correct = self.settings.beta.map(|beta| 1.0 / (1.0 - beta.powi(moments.time)));
            let pace = Pace { scale: (self.settings.clip / norm(grad)).min(1.0), correct, rate: rate as f32 };
            let weight = param.into_values().chunks_mut(ELEMENTS).zip(grad.chunks(ELEMENTS));
            let moments = moments.first.chunks_mut(ELEMENTS).zip(moments.second.chunks_mut(ELEMENTS));
            stretches.extend(weight.zip(moments).map(|((weight, gradient), (first, second))| Stretch {
                weight,
                gradient,
                first,
                second,
                pace,
            }));
        }
        stretches.into_par_iter().for_each(|stretch| update(stretch, &self.settings));
    }
}

multiversion! { fn update(stretch: Stretch<'_>, settings: &AdamW) = update_body }

#[inline(always)]
fn update_body<const FMA: bool>(stretch: Stretch<'_>, settings: &AdamW) {
    let Stretch { weight, gradient, first, second, pace } = stretch;
    let (&AdamW { beta: [b1, b2], epsilon, weight_decay, .. }, Pace { scale, correct, rate }) = (settings, pace);
    let keep = 1.0 - rate * weight_decay;
    for (((p, g), m), v) in weight.iter_mut().zip(gradient).zip(first).zip(second) {
        let g = g * scale;
        *m = madd::<FMA>(b1, *m, (1.0 - b1) * g);
        *v = madd::<FMA>(b2, *v, (1.0 - b2) * g * g);
        let step = *m * correct[0] / ((*v * correct[1]).sqrt() + epsilon);
        *p = madd::<FMA>(*p, keep, -rate * step);
    }
}

/// Euclidean norm; partial sums in a fixed order, the same for any number of threads.
fn norm(values: &[f32]) -> f32 {
    let sum = values.chunks(SUMMED).map(|part| f64::from(sum_of_squares(part))).sum::<f64>();
    (sum.sqrt() as f32).max(f32::MIN_POSITIVE)
}

multiversion! { fn sum_of_squares(values: &[f32]) -> f32 = sum_of_squares_body }

#[inline(always)]
fn sum_of_squares_body<const FMA: bool>(values: &[f32]) -> f32 {
    dot::<FMA>(values, values)
}
