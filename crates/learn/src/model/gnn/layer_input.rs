//! What a layer reads, and how it shares out what it made of that.

use crate::nn::Tensor;
use crate::{Neighborhood, TimeEncoder};

/// What a layer reads of a neighborhood: Q roots and their E neighbors.
#[derive(Clone, Debug)]
pub struct LayerInput<'a> {
    /// The roots' own vectors `[Q, d]`.
    pub own: Tensor<2>,
    /// What neighbors are read from `[V, d]`: entries of the memory table, or roots of the layer below.
    pub entries: Tensor<2>,
    /// E: row of `entries` of each neighbor.
    pub neighbor_row: &'a [u32],
    /// Who they are.
    pub neighborhood: &'a Neighborhood,
    /// Encodes gaps of time.
    pub time_encoder: &'a TimeEncoder,
    /// The key of a training step's noise; without it nothing is drawn.
    pub noise: Option<u64>,
}

/// The part of one neighbor in what a root has read.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Share {
    /// Attention of each head, in [0, 1].
    pub attention: Vec<f32>,
    /// The two decisions behind the edge, where a layer decides.
    pub actions: Option<Actions>,
    /// Signed share of what the gradient says of the root's result.
    pub contribution: f32,
}

/// The two decisions behind an edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actions {
    /// The root listens.
    pub listens: bool,
    /// The neighbor speaks.
    pub speaks: bool,
}
