//! AdamW in one pass over weights, gradient and moments: written with tensor operations it walks them a dozen times,
//! which costs more than the rest of a small training step. Burn's own AdamW is the reference that it is tested against.

use burn::optim::{AdamWState, AdaptiveMomentumState, LearningRate, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

/// Elements in one task.
const ELEMENTS: usize = 16_384;

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

impl AdamW {
    /// For a whole model, before its first step.
    pub fn init(self) -> ModuleOptimizer {
        ModuleOptimizer::from(self)
    }

    fn update(&self, rate: f32, time: i32, [p, g, m, v]: [&mut [f32]; 4]) {
        let scale = (self.clip / norm(g)).min(1.0);
        let [b1, b2] = self.beta;
        let correct = [1.0 / (1.0 - b1.powi(time)), 1.0 / (1.0 - b2.powi(time))];
        let keep = 1.0 - rate * self.weight_decay;
        let parts = p.par_chunks_mut(ELEMENTS).zip(g.par_chunks(ELEMENTS));
        let parts = parts.zip(m.par_chunks_mut(ELEMENTS)).zip(v.par_chunks_mut(ELEMENTS));
        parts.for_each(|(((p, g), m), v)| {
            for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
                let g = g * scale;
                *m = b1 * *m + (1.0 - b1) * g;
                *v = b2 * *v + (1.0 - b2) * g * g;
                let step = *m * correct[0] / ((*v * correct[1]).sqrt() + self.epsilon);
                *p = *p * keep - rate * step;
            }
        });
    }
}

/// Euclidean norm; partial sums in a fixed order, the same for any number of threads.
fn norm(values: &[f32]) -> f32 {
    let square = |chunk: &[f32]| chunk.iter().map(|x| f64::from(x * x)).sum::<f64>();
    let partial: Vec<f64> = values.par_chunks(ELEMENTS).map(square).collect();
    (partial.iter().sum::<f64>().sqrt() as f32).max(f32::MIN_POSITIVE)
}

impl Optimizer for AdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<AdamWState<D>>,
    ) -> (Tensor<D>, Option<AdamWState<D>>) {
        let device = tensor.device();
        let zeros = || TensorData::zeros::<f32, _>(tensor.dims());
        let (time, mut m, mut v) = match state.map(|state| state.momentum) {
            Some(old) => (old.time + 1, old.moment_1.into_data(), old.moment_2.into_data()),
            None => (1, zeros(), zeros()),
        };
        let (mut p, mut g) = (tensor.into_data(), grad.into_data());
        // All four are f32 by construction of the model; anything else is left as it was.
        if let (Ok(p), Ok(g), Ok(m), Ok(v)) =
            (p.as_mut_slice::<f32>(), g.as_mut_slice::<f32>(), m.as_mut_slice::<f32>(), v.as_mut_slice::<f32>())
        {
            self.update(rate as f32, i32::try_from(time).unwrap_or(i32::MAX), [p, g, m, v]);
        }
        let tensor = |data| Tensor::from_data(data, &device);
        let momentum = AdaptiveMomentumState::new(time, tensor(m), tensor(v));
        (tensor(p), Some(AdamWState::new(momentum)))
    }

    fn to_device<const D: usize>(mut state: AdamWState<D>, device: &Device) -> AdamWState<D> {
        state.momentum.moment_1 = state.momentum.moment_1.to_device(device);
        state.momentum.moment_2 = state.momentum.moment_2.to_device(device);
        state
    }
}
