//! Stage 1: typed messages into one space.
//!
//! Equations: `docs/model.md#messages`.

use crate::model::identity::{self, IdentityTable};
use crate::model::layers::{FeedForward, Init, Linear, TypedProjection};
use crate::model::versions::Peers;
use crate::nn::{self, Param, Tensor, module};
use crate::{GraphContext, Messages, ModelConfig, TimeEncoder, TrainStatistics};

/// Encodes the M messages of a batch: sums of typed projections and embeddings, so that a missing feature drops a
/// term and nothing is padded.
#[derive(Clone, Debug)]
pub struct MessageEncoder {
    /// Embeddings, one table: relations, node types, 6 kinds (action x entity). `[rows, d]`
    embeddings: Param<2>,
    time: Linear,
    nodes: TypedProjection,
    edges: TypedProjection,
    identity: Option<Linear>,
    /// W_m of the peers' memory, `[d, d]`.
    memory: Option<Linear>,
    feed_forward: FeedForward,
    type_row: u32,
    kind_row: u32,
}

impl MessageEncoder {
    /// The encoder that a configuration asks for.
    pub fn new(init: &mut Init, config: &ModelConfig, graph: &GraphContext) -> MessageEncoder {
        let (d, relations) = (config.width, graph.relations);
        let TrainStatistics { featurizer, time_encoder, .. } = &graph.statistics;
        let type_row = relations.len() as u32;
        let kind_row = type_row + relations.n_node_types() as u32;
        MessageEncoder {
            embeddings: init.normal([kind_row as usize + 6, d], 0.5),
            time: Linear::new(init, time_encoder.width(), d),
            nodes: TypedProjection::new(init, &featurizer.node_widths(), d),
            edges: TypedProjection::new(init, &featurizer.edge_widths(), d),
            identity: IdentityTable::role(init, config, graph),
            memory: (config.memory && config.sweeps > 0).then(|| Linear::plain(init, d, d)),
            feed_forward: FeedForward::new(init, d),
            type_row,
            kind_row,
        }
    }

    /// M messages to `[M, d]`; with the memory of peers, and the table that it is in, where the model reads it.
    pub fn forward(
        &self,
        messages: &Messages,
        peers: Option<(&Peers, Tensor<2>)>,
        time_encoder: &TimeEncoder,
        identity: Option<&IdentityTable>,
    ) -> Tensor<2> {
        let m = messages.relation.len();
        let table = self.embeddings.val();
        let gaps = Tensor::new(time_encoder.encode(&messages.gap), [m, time_encoder.width()]);
        let mut p = self.time.forward(gaps) + self.embed(table, messages);
        p = identity::add(p, identity, self.identity.as_ref(), &messages.peer_slots);
        if let (Some(memory), Some((peers, table))) = (&self.memory, peers) {
            p = p + nn::scatter_sum(memory.forward(nn::gather(table, &peers.row)), &peers.message, m);
        }
        for part in [self.nodes.forward(&messages.peer_features, m), self.edges.forward(&messages.edge_features, m)] {
            p = match part {
                Some(part) => p + part,
                None => p,
            };
        }
        self.feed_forward.forward(p)
    }

    /// The sum of each message's embeddings, `[M, d]`.
    fn embed(&self, table: Tensor<2>, messages: &Messages) -> Tensor<2> {
        let m = messages.relation.len();
        let mut rows = Vec::with_capacity(3 * m);
        for i in 0..m {
            rows.push(messages.relation[i]);
            rows.push(self.type_row + messages.peer_type[i]);
            rows.push(self.kind_row + messages.kind[i]);
        }
        nn::gather_sum(table, &rows, 3)
    }
}

module!(MessageEncoder { embeddings, time, nodes, edges, identity, memory, feed_forward });
