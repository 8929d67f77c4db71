//! Stage 3: the memory of each node's tokens: a recurrent cell over a segment of tokens, from the node's stored state.
//! The cells differ in what they keep; how a token gets past them and becomes m is the same.
//!
//! Equations: `docs/model.md#memory`.

pub(crate) mod gru;
pub(crate) mod mamba;

use crate::model::layers::{Init, Linear};
use crate::nn::{self, Buffer, Param, Tensor, module};
use crate::{GraphContext, Gru, Mamba, MemoryCellKind, ModelConfig, Selected, TimeEncoder, Tokens, VectorStore};

/// A cell, and `m = rms_norm(W_r c + W_out y)` of each token c and its read-out y.
#[derive(Clone, Debug)]
pub struct Memory {
    cell: Cell,
    /// `[D, d]`
    output: Linear,
    residual: Linear,
    norm: Param<1>,
    /// m_0 of each node type `[node types, d]`: the memory of a node that has never received a message.
    start: Param<2>,
}

/// The recurrent part.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has one")]
pub enum Cell {
    /// A selective state space.
    Mamba(Mamba),
    /// A gated recurrent unit.
    Gru(Gru),
}

module!(Memory { cell, output, residual, norm, start });
module!(one of Cell { Mamba, Gru });

impl ModelConfig {
    /// Floats of state a node: D N for Mamba, D for a GRU, none without memory.
    pub fn state_width(&self) -> usize {
        match (self.memory, self.cell) {
            (false, _) => 0,
            (true, MemoryCellKind::Mamba) => self.channels * self.states,
            (true, MemoryCellKind::Gru) => self.channels,
        }
    }
}

impl MemoryCellKind {
    /// The settings that decide how large the state is, with their values.
    pub(crate) fn sizes(self, config: &ModelConfig) -> String {
        let ModelConfig { channels, states, .. } = config;
        match self {
            MemoryCellKind::Mamba => format!("model.channels {channels} x model.states {states}"),
            MemoryCellKind::Gru => format!("model.channels {channels}"),
        }
    }
}

impl Cell {
    /// What the tokens `[G, d]` choose to write and to read; `None` for a cell that is not linear in its past.
    pub fn select(&self, tokens: Tensor<2>, batch: &Tokens, time_encoder: &TimeEncoder) -> Option<Selected> {
        match self {
            Cell::Mamba(mamba) => Some(mamba.select(tokens, batch, time_encoder)),
            Cell::Gru(_) => None,
        }
    }
}

/// What a scan leaves behind for a batch of tokens.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// m after every token `[G, d]`.
    pub memory: Tensor<2>,
    /// H at the end of every segment `[S, D, N]`; N is 1 for a gated recurrent unit.
    pub state: Tensor<3>,
}

impl Memory {
    /// The memory that a configuration asks for.
    pub fn new(init: &mut Init, config: &ModelConfig, graph: &GraphContext) -> Memory {
        let ModelConfig { width: d, channels, .. } = *config;
        Memory {
            cell: match config.cell {
                MemoryCellKind::Mamba => Cell::Mamba(Mamba::new(init, config, &graph.statistics.time_encoder)),
                MemoryCellKind::Gru => Cell::Gru(Gru::new(init, d, channels, config.gate_bias as f32)),
            },
            output: Linear::plain(init, channels, d),
            residual: Linear::new(init, d, d),
            norm: init.constant([d], 1.0),
            start: init.normal([graph.relations.n_node_types(), d], 0.5),
        }
    }

    /// Tokens `[G, d]` through the cell, each segment from its node's stored state.
    pub fn forward(
        &self,
        tokens: Tensor<2>,
        batch: &Tokens,
        store: &VectorStore,
        time_encoder: &TimeEncoder,
    ) -> Scanned {
        let (y, state) = match &self.cell {
            Cell::Mamba(mamba) => {
                let h0 = stored(batch, store, mamba.shape());
                mamba.forward(tokens.clone(), batch, h0, time_encoder)
            }
            Cell::Gru(gru) => gru.forward(tokens.clone(), batch, stored(batch, store, [gru.channels(), 1])),
        };
        Scanned { memory: self.read_out(tokens, y), state }
    }

    /// m `[G, d]` of tokens c `[G, d]` and what the cell reads after each, y `[G, D]`.
    pub fn read_out(&self, tokens: Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        nn::rms_norm(self.residual.forward(tokens) + self.output.forward(y), self.norm.val())
    }

    /// The cell.
    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// m_0 of every node type `[node types, d]`.
    pub fn start(&self) -> Tensor<2> {
        self.start.val()
    }
}

/// The state before each segment `[S, D, N]`: zeros at the beginning of a life.
fn stored(batch: &Tokens, store: &VectorStore, [channels, states]: [usize; 2]) -> Tensor<3> {
    let mut values = Buffer::stale(batch.receivers.len() * channels * states);
    let rows = values.chunks_exact_mut((channels * states).max(1));
    for ((&node, &born), row) in batch.receivers.iter().zip(&batch.born).zip(rows) {
        match store.state(node).filter(|_| !born) {
            Some(state) => row.copy_from_slice(state),
            None => row.fill(0.0),
        }
    }
    Tensor::new(values, [batch.receivers.len(), channels, states])
}
