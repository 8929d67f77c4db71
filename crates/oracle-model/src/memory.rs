//! Stage 3: memory. Equations: `docs/model.md#memory`.

use std::ops::Range;

use burn_core::tensor::Tensor;
use burn_core::tensor::activation::sigmoid;
use timeweft_learn::{MemoryCellKind, Tokens};

use crate::ReferenceError;
use crate::layers::{rms_norm, silu, softplus};
use crate::model::{ReferenceModel, Remembered};
use crate::segments::Steps;
use crate::weights::Part;

impl ReferenceModel {
    /// Tokens c `[G, d]` through the cell, each segment from its stored state, S times the floats of a state.
    pub(crate) fn scan(&self, c: Tensor<2>, tokens: &Tokens, state: &[f32]) -> Result<Remembered, ReferenceError> {
        let part = self.part("memory");
        let steps = Steps::of(&tokens.segments);
        let segments = tokens.receivers.len();
        let start = self.place.constant(state.to_vec(), [segments, self.config.state_width()]);
        let (y, state) = match self.config.cell {
            MemoryCellKind::Mamba => self.mamba(&part.at("cell.Mamba"), &steps, (c.clone(), &tokens.gap), start)?,
            MemoryCellKind::Gru => self.gru(&part.at("cell.Gru"), &steps, c.clone(), start)?,
        };
        let whole = part.at("residual").linear(c)? + part.at("output").linear(y)?;
        Ok(Remembered { memory: rms_norm(whole, part.at("norm").vector()?), state })
    }

    /// A selective state space: read-outs y `[G, D]` and last states `[S, D N]`.
    fn mamba(
        &self,
        part: &Part<'_>,
        steps: &Steps,
        (c, gap): (Tensor<2>, &[f64]),
        start: Tensor<2>,
    ) -> Result<(Tensor<2>, Tensor<2>), ReferenceError> {
        let (place, [g, _]) = (&self.place, c.dims());
        let (d, n) = (self.config.channels, self.config.states);
        let xz = silu(part.at("input").linear(c)?);
        let (x, z) = (xz.clone().slice([0..g, 0..d]), xz.slice([0..g, d..2 * d]));
        let selected = part.at("select").linear(x.clone())?;
        let [rank, _] = part.at("delta.weight").matrix()?.dims();
        let l = selected.clone().slice([0..g, 0..rank]) * self.config.selectivity;
        let delta = softplus(part.at("delta").linear(l)?);
        let norms = |i: usize| part.at("norms").at(&i.to_string()).vector();
        let b = rms_norm(selected.clone().slice([0..g, rank..rank + n]), norms(0)?) + norms(1)?.unsqueeze();
        let c = rms_norm(selected.slice([0..g, rank + n..rank + 2 * n]), norms(2)?) + norms(3)?.unsqueeze();
        let kappa = part.at("log_decay").vector()?.exp().reshape([1, d]);
        let gap = gap.iter().map(|gap| (gap / self.time_encoder.scale) as f32).collect();
        let idle = delta.clone() + place.constant(gap, [g, 1]) * kappa;
        let a = part.at("log_a").matrix()?.exp().reshape([1, d, n]);
        let written = delta * x.clone();
        let [idle, written, b, c] = [idle, written, b, c].map(|rows| steps.sort(place, rows));
        let rows = |of: &Tensor<2>, at: Range<usize>| {
            let width = of.dims()[1];
            of.clone().slice([at, 0..width])
        };
        let (y, last) = steps.run(place, start, |at, state| {
            let k = at.len();
            let decay = (rows(&idle, at.clone()).reshape([k, d, 1]) * a.clone()).neg().exp();
            let write = rows(&written, at.clone()).reshape([k, d, 1]) * rows(&b, at.clone()).reshape([k, 1, n]);
            let state = decay * state.reshape([k, d, n]) + write;
            let read = (state.clone() * rows(&c, at).reshape([k, 1, n])).sum_dim(2);
            (state.reshape([k, d * n]), read.reshape([k, d]))
        });
        Ok(((y + x * part.at("skip").vector()?.unsqueeze()) * z, last))
    }

    /// A gated recurrent unit: states after every token `[G, D]` and last states `[S, D]`.
    fn gru(
        &self,
        part: &Part<'_>,
        steps: &Steps,
        c: Tensor<2>,
        start: Tensor<2>,
    ) -> Result<(Tensor<2>, Tensor<2>), ReferenceError> {
        let (place, d) = (&self.place, self.config.channels);
        let x = steps.sort(place, part.at("input").linear(c)?);
        let (u, bias) = (part.at("state").matrix()?, part.at("candidate").vector()?.reshape([1, d]));
        let third = |of: &Tensor<2>, i: usize| {
            let rows = of.dims()[0];
            of.clone().slice([0..rows, i * d..(i + 1) * d])
        };
        Ok(steps.run(place, start, |at, h| {
            let (x, u) = (x.clone().slice([at, 0..3 * d]), h.clone().matmul(u.clone()));
            let reset = sigmoid(third(&x, 0) + third(&u, 0));
            let keep = sigmoid(third(&x, 1) + third(&u, 1));
            let candidate = (third(&x, 2) + reset * (third(&u, 2) + bias.clone())).tanh();
            let h = (keep.clone().neg() + 1.0) * candidate + keep * h;
            (h.clone(), h)
        }))
    }
}
