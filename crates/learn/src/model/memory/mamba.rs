//! The Mamba cell: a selective state space with decay by physical time.
//!
//! Equations: `docs/model.md#memory`.

use crate::model::layers::{Init, Linear};
use crate::nn::{self, Param, Tensor, module};
use crate::{ModelConfig, TimeEncoder, Tokens};

/// The cell. Two deltas: one from content, which also scales the write, and one from physical time, which only decays:
/// idle time is an exact semigroup, so the stored state is never touched by it.
#[derive(Clone, Debug)]
pub struct Mamba {
    /// `[d, 2 D]` with bias: x and z
    input: Linear,
    /// `[D, R + 2 N]`: l, then B and C before their norms
    select: Linear,
    /// `[R, D]` with bias b_d
    delta: Linear,
    /// Weights and biases of B's and C's norms `[N]` each. The biases start at one: from the first step on, what is written
    /// is read along a direction that does not turn with the last token (Lahoti et al. 2026, Mamba-3, "BC bias").
    norms: [Param<1>; 4],
    /// log kappa `[D]`
    log_decay: Param<1>,
    /// A_log `[D, N]`
    log_a: Param<2>,
    /// `[D]`
    skip: Param<1>,
    rank: usize,
    selectivity: f64,
}

/// What the scan of a batch is run on: G tokens, D channels, N states.
#[derive(Clone, Debug)]
pub struct Selected {
    /// `[G, D]`: what is written.
    pub x: Tensor<2>,
    /// `[G, D]`: what gates the read-out.
    pub z: Tensor<2>,
    /// `[G, D]`: the step from content, which scales the write.
    pub delta: Tensor<2>,
    /// `[G, N]`: where it is written.
    pub b: Tensor<2>,
    /// `[G, N]`: how it is read.
    pub c: Tensor<2>,
    /// `[D]`: decay by elapsed time.
    pub kappa: Tensor<1>,
    /// `[D, N]`: decay rates.
    pub a: Tensor<2>,
    /// `[D]`: the part of x that passes by.
    pub skip: Tensor<1>,
    /// G: elapsed time before each token in units of T0.
    pub gap: Vec<f32>,
}

impl Selected {
    /// `[D, N]`.
    pub(crate) fn shape(&self) -> [usize; 2] {
        self.a.dims()
    }
}

impl Mamba {
    /// For tokens of a configuration's width d, D channels of N states.
    pub fn new(init: &mut Init, config: &ModelConfig, time_encoder: &TimeEncoder) -> Mamba {
        let ModelConfig { width: d, channels, states, selectivity, .. } = *config;
        let rank = channels.div_ceil(16).max(4);
        let mut delta = Linear::new(init, rank, channels);
        delta.bias = Some(init.tensor(delta_bias(channels), [channels]));
        // z starts open: the state is read from the first step on.
        let mut input = Linear::new(init, d, 2 * channels);
        let open = |i: usize| if i < channels { 0.0 } else { 1.0 };
        input.bias = Some(init.tensor((0..2 * channels).map(open).collect(), [2 * channels]));
        Mamba {
            input,
            norms: [0; 4].map(|_| init.constant([states], 1.0)),
            select: Linear::plain(init, channels, rank + 2 * states),
            delta,
            log_decay: init.tensor(log_decay(channels, time_encoder), [channels]),
            log_a: init
                .tensor((0..channels * states).map(|i| ((i % states + 1) as f32).ln()).collect(), [channels, states]),
            skip: init.constant([channels], 1.0),
            rank,
            selectivity,
        }
    }

    /// Tokens `[G, d]` from states `[S, D, N]` to read-outs `[G, D]` and the states after the last tokens `[S, D, N]`.
    pub fn forward(
        &self,
        tokens: Tensor<2>,
        batch: &Tokens,
        h0: Tensor<3>,
        time_encoder: &TimeEncoder,
    ) -> (Tensor<2>, Tensor<3>) {
        let Selected { x, z, delta, b, c, kappa, a, skip, gap } = self.select(tokens, batch, time_encoder);
        let input =
            nn::ScanInput { x, delta, b, c, g: None, gap: &gap, kappa, a, dskip: skip, h0, segments: &batch.segments };
        let (y, state) = nn::selective_scan(input);
        (y * z, state)
    }

    /// What the tokens `[G, d]` choose to write and to read.
    pub fn select(&self, tokens: Tensor<2>, batch: &Tokens, time_encoder: &TimeEncoder) -> Selected {
        let [channels, states] = self.shape();
        let xz = self.input.forward(tokens);
        let x = nn::silu(nn::columns(xz.clone(), 0, channels));
        let z = nn::silu(nn::columns(xz, channels, channels));
        let [b_weight, b_bias, c_weight, c_bias] = &self.norms;
        let norm =
            |values, weight: &Param<1>, bias: &Param<1>| nn::add_row(nn::rms_norm(values, weight.val()), bias.val());
        let selected = self.select.forward(x.clone());
        let part = |from: usize, to: usize| nn::columns(selected.clone(), from, to - from);
        Selected {
            x,
            z,
            delta: nn::softplus(self.delta.forward(part(0, self.rank) * self.selectivity as f32)),
            b: norm(part(self.rank, self.rank + states), b_weight, b_bias),
            c: norm(part(self.rank + states, self.rank + 2 * states), c_weight, c_bias),
            kappa: nn::exp(self.log_decay.val()),
            a: nn::exp(self.log_a.val()),
            skip: self.skip.val(),
            gap: batch.gap.iter().map(|gap| (gap / time_encoder.scale) as f32).collect(),
        }
    }

    /// `[D, N]`.
    pub fn shape(&self) -> [usize; 2] {
        self.log_a.dims()
    }
}

module!(Mamba { input, select, delta, norms, log_decay, log_a, skip });

/// b_d such that softplus gives steps log-spaced over [0.001, 0.1], as Mamba starts (Gu and Dao 2023, section 3.6).
fn delta_bias(channels: usize) -> Vec<f32> {
    log_spaced(channels, 1e-3, 1e-1).map(|delta| delta.exp_m1().ln() as f32).collect()
}

/// log kappa such that the half-lives of the slowest state are log-spaced over [a short gap, twice the training part]: some
/// channels keep what they read for as long as there is anything to learn from.
fn log_decay(channels: usize, time_encoder: &TimeEncoder) -> Vec<f32> {
    log_spaced(channels, time_encoder.short, (2.0 * time_encoder.span).max(time_encoder.short))
        .map(|half| (std::f64::consts::LN_2 / half).ln() as f32)
        .collect()
}

fn log_spaced(n: usize, low: f64, high: f64) -> impl Iterator<Item = f64> {
    (0..n).map(move |i| low * (high / low).powf(i as f64 / (n.max(2) - 1) as f64))
}
