//! Identity of nodes as an input: who a message is from and to (TGNv2 shows that without it persistence cannot be
//! expressed). Hashed, so that the table does not grow with the graph; switchable, for graphs whose nodes are mostly new.

use crate::model::layers::{Init, Linear};
use crate::nn::{self, Param, Tensor, module};
use crate::{GraphContext, ModelConfig};

/// One table for all stages, since the optimiser walks all of it at every step; two rows a node.
#[derive(Clone, Debug)]
pub struct IdentityTable {
    /// `[slots, d]`
    table: Param<2>,
}

impl IdentityTable {
    /// The table of the nodes of a graph; `None` where identity is off.
    pub fn new(init: &mut Init, config: &ModelConfig, graph: &GraphContext) -> Option<IdentityTable> {
        let slots = graph.statistics.identity_slots;
        (slots > 0).then(|| IdentityTable { table: init.normal([slots, config.width], 0.5) })
    }

    /// A role in which a stage reads the table: the peer of a message, its receiver.
    pub fn role(init: &mut Init, config: &ModelConfig, graph: &GraphContext) -> Option<Linear> {
        (graph.statistics.identity_slots > 0).then(|| Linear::plain(init, config.width, config.width))
    }

    /// The sum of each node's two rows: 2 n slots to `[n, d]`.
    pub fn read(&self, slots: &[u32]) -> Tensor<2> {
        nn::gather_sum(self.table.val(), slots, 2)
    }
}

module!(IdentityTable { table });

/// Adds the nodes' identity in a role to `x [n, d]`; leaves it where identity is off.
pub(crate) fn add(x: Tensor<2>, identity: Option<&IdentityTable>, role: Option<&Linear>, slots: &[u32]) -> Tensor<2> {
    match (identity, role) {
        (Some(identity), Some(role)) => x + role.forward(identity.read(slots)),
        _ => x,
    }
}
