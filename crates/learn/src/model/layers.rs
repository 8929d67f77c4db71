//! Small layers. Weights start from a counter generator, so that a seed means the same bits on every device.

use crate::nn::{self, Param, Tensor, module};
use crate::{FeatureRows, splitmix64};

/// Draws the starting weights of a model, one tensor after another.
#[derive(Clone, Debug)]
pub struct Init {
    seed: u64,
    n_drawn: u64,
    /// The weights that were asked for, where they are only counted.
    counted: Option<usize>,
}

impl Init {
    /// A generator of starting weights.
    pub fn new(seed: u64) -> Init {
        Init { seed: splitmix64(seed), n_drawn: 0, counted: None }
    }

    /// Counts weights and makes none: what is given has one element.
    pub(crate) fn counting() -> Init {
        Init { counted: Some(0), ..Init::new(0) }
    }

    /// The weights that were counted.
    pub(crate) fn n_weights(&self) -> usize {
        self.counted.unwrap_or_default()
    }

    /// Where weights are only counted, something that stands for these.
    fn stand_in<const D: usize>(&mut self, shape: [usize; D]) -> Option<Param<D>> {
        let counted = self.counted.as_mut()?;
        *counted = counted.saturating_add(shape.iter().fold(1, |n, length| n.saturating_mul(*length)));
        Some(Param::new(vec![0.0], [1; D]))
    }

    /// Normal with deviation `scale`.
    pub fn normal<const D: usize>(&mut self, shape: [usize; D], scale: f32) -> Param<D> {
        if let Some(counted) = self.stand_in(shape) {
            return counted;
        }
        self.n_drawn += 1;
        let key = splitmix64(self.seed ^ self.n_drawn);
        let n = shape.iter().product::<usize>();
        let unit = |i: u64| (splitmix64(key ^ i) >> 11) as f64 / (1u64 << 53) as f64;
        // Box and Muller (1958).
        let values = (0..n as u64)
            .map(|i| {
                let (u, v) = (unit(2 * i).max(1e-300), unit(2 * i + 1));
                scale * ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
            })
            .collect();
        self.tensor(values, shape)
    }

    /// Every weight the same.
    pub fn constant<const D: usize>(&mut self, shape: [usize; D], value: f32) -> Param<D> {
        if let Some(counted) = self.stand_in(shape) {
            return counted;
        }
        self.tensor(vec![value; shape.iter().product()], shape)
    }

    /// Given weights.
    pub fn tensor<const D: usize>(&mut self, values: Vec<f32>, shape: [usize; D]) -> Param<D> {
        if let Some(counted) = self.stand_in(shape) {
            return counted;
        }
        Param::new(values, shape)
    }
}

/// `x W + b`, x `[n, in]`.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[in, out]`
    pub weight: Param<2>,
    /// `[out]`
    pub bias: Option<Param<1>>,
}

impl Linear {
    /// With bias, deviation `1 / sqrt(in)`.
    pub fn new(init: &mut Init, d_in: usize, d_out: usize) -> Linear {
        let weight = init.normal([d_in, d_out], 1.0 / (d_in.max(1) as f32).sqrt());
        Linear { weight, bias: Some(init.constant([d_out], 0.0)) }
    }

    /// Without bias.
    pub fn plain(init: &mut Init, d_in: usize, d_out: usize) -> Linear {
        Linear { bias: None, ..Linear::new(init, d_in, d_out) }
    }

    /// `[n, in]` to `[n, out]`.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        nn::linear(x, self.weight.val(), self.bias.as_ref().map(Param::val))
    }
}

module!(Linear { weight, bias });

/// `x + W2 silu(W1 rms_norm(x))`: the residual feed-forward block of messages and embeddings.
#[derive(Clone, Debug)]
pub(crate) struct FeedForward {
    norm: Param<1>,
    up: Linear,
    down: Linear,
}

impl FeedForward {
    /// On rows of width d.
    pub(crate) fn new(init: &mut Init, d: usize) -> FeedForward {
        FeedForward { norm: init.constant([d], 1.0), up: Linear::new(init, d, d), down: Linear::new(init, d, d) }
    }

    /// `[n, d]` to `[n, d]`.
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let inner = nn::silu(self.up.forward(nn::rms_norm(x.clone(), self.norm.val())));
        x + self.down.forward(inner)
    }
}

module!(FeedForward { norm, up, down });

/// Features of each type through that type's own projection: ragged features are never padded.
#[derive(Clone, Debug)]
pub(crate) struct TypedProjection {
    /// One `[width, d]` a type; types without features have none.
    weights: Vec<Option<Param<2>>>,
}

impl TypedProjection {
    /// Projections of types of the given widths into d.
    pub(crate) fn new(init: &mut Init, widths: &[usize], d: usize) -> TypedProjection {
        let weight = |&width: &usize| (width > 0).then(|| init.normal([width, d], 0.5 / (width as f32).sqrt()));
        TypedProjection { weights: widths.iter().map(weight).collect() }
    }

    /// Whether no type has features.
    pub(crate) fn is_empty(&self) -> bool {
        self.weights.iter().all(Option::is_none)
    }

    /// The projected rows, each added into its target row of `[n, d]`; `None` if there are none.
    pub(crate) fn forward(&self, rows: &FeatureRows, n: usize) -> Option<Tensor<2>> {
        let mut sum: Option<Tensor<2>> = None;
        for (weight, (values, rows)) in self.weights.iter().zip(&rows.by_type) {
            let Some(weight) = weight.as_ref().filter(|_| !rows.is_empty()) else { continue };
            let weight = weight.val();
            let x = Tensor::new(&values[..], [rows.len(), weight.dims()[0]]);
            let part = nn::scatter_sum(nn::linear(x, weight, None), rows, n);
            sum = Some(match sum {
                Some(sum) => sum + part,
                None => part,
            });
        }
        sum
    }
}

module!(TypedProjection { weights });
