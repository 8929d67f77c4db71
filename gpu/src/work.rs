//! How fast a device can be, and how much a step has to do.

use std::error::Error;
use std::time::Instant;

use burn_core::tensor::Device;
use timeweft_learn::ModelConfig;
use timeweft_oracle_model::StepLayout;

use crate::ones;

/// What a device reaches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    /// Operations a second of a large matrix product.
    pub(crate) flops: f64,
    /// Bytes a second, read and written, of a large sum.
    pub(crate) bytes: f64,
}

/// Turns of each measurement.
const TURNS: usize = 10;

impl Rates {
    pub(crate) fn measure(device: &Device) -> Result<Rates, Box<dyn Error>> {
        let on_gpu = cfg!(any(feature = "cuda", feature = "wgpu"));
        let n = if on_gpu { 8_192 } else { 1_024 };
        let (a, b) = (ones(n, device), ones(n, device));
        let seconds = |run: &dyn Fn()| -> Result<f64, Box<dyn Error>> {
            run();
            device.sync()?;
            let started = Instant::now();
            (0..TURNS).for_each(|_| run());
            device.sync()?;
            Ok(started.elapsed().as_secs_f64() / TURNS as f64)
        };
        let product = seconds(&|| drop(a.clone().matmul(b.clone())))?;
        let sum = seconds(&|| drop(a.clone() + b.clone()))?;
        let n = n as f64;
        Ok(Rates { flops: 2.0 * n * n * n / product, bytes: 3.0 * 4.0 * n * n / sum })
    }
}

/// What a step must do at least, whoever computes it: a multiplication and an addition are two operations; each row of messages,
/// tokens, roots and neighbors is written once and read once, forward and backward.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    flops: f64,
    bytes: f64,
}

impl Work {
    /// Of the default kind of model: sums of sets, Mamba, one layer of attention.
    pub(crate) fn of(config: &ModelConfig, layout: &StepLayout) -> Work {
        let count = |n: usize| n as f64;
        let (m, g) = (count(layout.messages.relation.len()), count(layout.tokens.node.len()));
        let (q, e) = (count(layout.neighborhood.root_entry.len()), count(layout.neighborhood.neighbor_entry.len()));
        let (p, c) = (count(layout.neighborhood.pair_relation.len()), count(layout.pairs.relation.len()));
        let (d, t) = (count(config.width), count(config.frequencies + 1));
        let (channels, states) = (count(config.channels), count(config.states));
        let f = d + t + 16.0;
        let encoder = m * (t * d + 3.0 * d * d);
        let aggregator = g * 2.0 * d * d;
        let select = channels * (channels / 16.0).max(4.0) * 2.0 + channels * 2.0 * states;
        let memory = g * (d * 2.0 * channels + select + 4.0 * channels * states + channels * d + d * d);
        // Queries are taken through the key map once for a root and relation, and values are formed of sums.
        let gnn = q * 4.0 * d * d + p * 2.0 * d * f + e * 2.0 * f * count(config.heads);
        let counted = if config.counters { 74.0 * (d + 64.0) + 64.0 * 32.0 + 32.0 } else { 0.0 };
        let predictor = q * 2.0 * d * d + c * (2.0 * t * d + counted + 3.0 * d);
        let rows =
            m * (t + 2.0 * d) + g * (3.0 * d + 3.0 * channels) + q * (t + 4.0 * d) + e * f + c * (2.0 * d + 74.0);
        // Backward every product becomes two.
        let forward = 2.0 * (encoder + aggregator + memory + gnn + predictor);
        Work { flops: 3.0 * forward, bytes: 2.0 * 2.0 * 4.0 * rows }
    }

    /// The least time it takes at some rates.
    pub(crate) fn seconds(self, rates: Rates) -> f64 {
        (self.flops / rates.flops).max(self.bytes / rates.bytes)
    }
}
