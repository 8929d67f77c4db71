//! The gated recurrent unit as a memory cell: the baseline that a state space is measured against.
//!
//! Equations: `docs/model.md#memory`.

use crate::Tokens;
use crate::model::layers::{Init, Linear};
use crate::nn::{self, Param, Tensor, module};

/// A gated recurrent unit whose keep gate starts with a bias: without one it forgets within a few tokens and learns nothing
/// over longer delays.
#[derive(Clone, Debug)]
pub struct Gru {
    /// `[d, 3 D]` with bias
    input: Linear,
    /// `[D, 3 D]`
    state: Param<2>,
    /// `[D]`
    candidate: Param<1>,
}

impl Gru {
    /// For tokens of width d and D channels.
    pub fn new(init: &mut Init, d: usize, channels: usize, gate_bias: f32) -> Gru {
        let mut input = Linear::new(init, d, 3 * channels);
        let bias = |i: usize| if i / channels == 1 { gate_bias } else { 0.0 };
        input.bias = Some(init.tensor((0..3 * channels).map(bias).collect(), [3 * channels]));
        Gru {
            input,
            state: init.normal([channels, 3 * channels], 1.0 / (channels as f32).sqrt()),
            candidate: init.constant([channels], 0.0),
        }
    }

    /// Tokens `[G, d]` from states `[S, D, 1]` to read-outs `[G, D]` and the states after the last tokens `[S, D, 1]`.
    pub fn forward(&self, tokens: Tensor<2>, batch: &Tokens, h0: Tensor<3>) -> (Tensor<2>, Tensor<3>) {
        let [n_segments, channels, _] = h0.dims();
        let h = nn::gated_recurrence(nn::RecurrenceInput {
            x: self.input.forward(tokens),
            u: self.state.val(),
            bias: self.candidate.val(),
            h0: h0.reshape([n_segments, channels]),
            segments: &batch.segments,
        });
        let last = nn::gather(h.clone(), &batch.last_tokens());
        (h, last.reshape([n_segments, channels, 1]))
    }

    /// D.
    pub fn channels(&self) -> usize {
        self.candidate.dims()[0]
    }
}

module!(Gru { input, state, candidate });
