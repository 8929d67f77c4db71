//! Identity of nodes as an input: who a message is from and to (TGNv2 shows that without it persistence cannot be
//! expressed). Hashed, so that the table does not grow with the graph; switchable, for graphs whose nodes are mostly new.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::layers::{Init, Linear};
use crate::nn;

/// Width of the table: narrow, since the optimiser walks all of it at every step.
const WIDTH: usize = 32;

/// One table for all stages; two rows a node.
#[derive(Module, Debug)]
pub struct Identity {
    /// `[slots, WIDTH]`
    table: Param<Tensor<2>>,
}

impl Identity {
    /// A table of `slots` rows; `None` for no rows.
    pub fn new(init: &mut Init, slots: usize) -> Option<Identity> {
        (slots > 0).then(|| Identity { table: init.normal([slots, WIDTH], 0.7) })
    }

    /// A stage's reading of the table into width d.
    pub fn reader(init: &mut Init, slots: usize, d: usize) -> Option<Linear> {
        (slots > 0).then(|| Linear::plain(init, WIDTH, d))
    }

    /// The sum of each node's two rows, read by a stage: 2 n slots to `[n, d]`.
    pub fn read(&self, slots: &[u32], reader: &Linear) -> Tensor<2> {
        let n = slots.len() / 2;
        let rows = nn::gather(self.table.val(), slots).reshape([n, 2, WIDTH]).sum_dim(1).reshape([n, WIDTH]);
        reader.forward(rows)
    }
}

/// Adds what a stage reads of the nodes' identity to `x [n, d]`; leaves it where identity is off.
pub(crate) fn add(x: Tensor<2>, identity: Option<&Identity>, reader: Option<&Linear>, slots: &[u32]) -> Tensor<2> {
    match (identity, reader) {
        (Some(identity), Some(reader)) => x + identity.read(slots, reader),
        _ => x,
    }
}
