//! Stage 3: the Mamba cell, a selective state-space memory of each node's tokens (specification 2.3).

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::layers::{Init, Linear, constant};
use crate::{Clock, Tokens, VectorStore, nn};

/// The cell. Two deltas: one from content, which also scales the write, and one from physical time, which only decays:
/// idle time is an exact semigroup, so the stored state is never touched by it.
#[derive(Module, Debug)]
pub struct Mamba {
    /// `[d, 2 D]`: x and z
    input: Linear,
    /// `[D, R + 2 N]`: l, B and C
    select: Linear,
    /// `[R, D]` with bias b_d
    delta: Linear,
    /// log kappa `[D]`
    log_decay: Param<Tensor<1>>,
    /// A_log `[D, N]`
    log_a: Param<Tensor<2>>,
    /// `[D]`
    skip: Param<Tensor<1>>,
    output: Linear,
    residual: Linear,
    norm: Param<Tensor<1>>,
    /// m_0 of each node type `[node types, d]`: the memory of a node that has never received a message.
    start: Param<Tensor<2>>,
    #[module(skip)]
    rank: usize,
}

/// What the scan leaves behind for a batch of tokens.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// m after every token `[G, d]`.
    pub memory: Tensor<2>,
    /// H at the end of every segment `[S, D, N]`.
    pub state: Tensor<3>,
}

impl Mamba {
    /// For tokens of width d, D channels of N states.
    pub fn new(init: &mut Init, d: usize, channels: usize, states: usize, n_types: usize, clock: &Clock) -> Mamba {
        let rank = channels.div_ceil(16).max(4);
        let mut delta = Linear::new(init, rank, channels);
        delta.bias = Some(init.tensor(delta_bias(channels), [channels]));
        Mamba {
            input: Linear::plain(init, d, 2 * channels),
            select: Linear::plain(init, channels, rank + 2 * states),
            delta,
            log_decay: init.tensor(log_decay(channels, clock), [channels]),
            log_a: init
                .tensor((0..channels * states).map(|i| ((i % states + 1) as f32).ln()).collect(), [channels, states]),
            skip: init.constant([channels], 1.0),
            output: Linear::plain(init, channels, d),
            residual: Linear::new(init, d, d),
            norm: init.constant([d], 1.0),
            start: init.normal([n_types, d], 0.5),
            rank,
        }
    }

    /// Tokens `[G, d]` through the cell, each segment from its node's stored state.
    pub fn forward(&self, tokens: Tensor<2>, batch: &Tokens, store: &VectorStore, clock: &Clock) -> Scanned {
        let [channels, states] = self.log_a.val().dims();
        let g = batch.node.len();
        let xz = self.input.forward(tokens.clone());
        let x = nn::silu(xz.clone().slice([0..g, 0..channels]));
        let z = nn::silu(xz.slice([0..g, channels..2 * channels]));
        let selected = self.select.forward(x.clone());
        let part = |from: usize, to: usize| selected.clone().slice([0..g, from..to]);
        let delta = nn::softplus(self.delta.forward(part(0, self.rank)));
        let gaps: Vec<f32> = batch.gap.iter().map(|gap| (gap / clock.scale) as f32).collect();
        let (y, state) = nn::selective_scan(nn::ScanInput {
            x,
            delta,
            b: part(self.rank, self.rank + states),
            c: part(self.rank + states, self.rank + 2 * states),
            g: None,
            gap: &gaps,
            kappa: self.log_decay.val().exp(),
            a: self.log_a.val().exp(),
            dskip: self.skip.val(),
            h0: self.stored(batch, store, [channels, states]),
            segments: &batch.segments,
        });
        let read = self.output.forward(y * z);
        Scanned { memory: nn::rms_norm(self.residual.forward(tokens) + read, self.norm.val()), state }
    }

    /// m_0 of every node type `[node types, d]`.
    pub fn start(&self) -> Tensor<2> {
        self.start.val()
    }

    fn stored(&self, batch: &Tokens, store: &VectorStore, [channels, states]: [usize; 2]) -> Tensor<3> {
        let mut values = Vec::with_capacity(batch.receivers.len() * channels * states);
        batch.receivers.iter().for_each(|&node| store.append_state(node, &mut values));
        constant(values, [batch.receivers.len(), channels, states], &self.skip.val().device())
    }
}

/// b_d such that softplus gives steps log-spaced over [0.001, 0.1], as Mamba starts (Gu and Dao 2023, section 3.6).
fn delta_bias(channels: usize) -> Vec<f32> {
    log_spaced(channels, 1e-3, 1e-1).map(|delta| delta.exp_m1().ln() as f32).collect()
}

/// log kappa such that the half-lives of the slowest state are log-spaced over [a tenth of T0, twice the longest gap].
fn log_decay(channels: usize, clock: &Clock) -> Vec<f32> {
    log_spaced(channels, 0.1, (2.0 * clock.longest).max(1.0))
        .map(|half| (std::f64::consts::LN_2 / half).ln() as f32)
        .collect()
}

fn log_spaced(n: usize, low: f64, high: f64) -> impl Iterator<Item = f64> {
    (0..n).map(move |i| low * (high / low).powf(i as f64 / (n.max(2) - 1) as f64))
}
