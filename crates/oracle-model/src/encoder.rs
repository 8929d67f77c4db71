//! Stage 1: messages. Equations: `docs/model.md#messages`.

use burn_core::tensor::Tensor;
use timeweft_learn::{Messages, Peers};

use crate::model::ReferenceModel;
use crate::weights::Part;
use crate::{ReferenceError, layers};

impl ReferenceModel {
    /// u `[M, d]`. Where messages read the memory of their peers, `peers` says which row of a memory table each reads.
    pub(crate) fn encode(
        &self,
        messages: &Messages,
        peers: Option<(&Peers, Tensor<2>)>,
    ) -> Result<Tensor<2>, ReferenceError> {
        let (part, m) = (self.part("encoder"), messages.relation.len());
        let mut sum = part.at("time").linear(self.encoded(&messages.gap))?;
        // One table: relations, then node types, then kinds.
        let table = part.at("embeddings").matrix()?;
        let types = self.relations.len() as u32;
        let kinds = types + self.relations.n_node_types() as u32;
        for (from, rows) in [(0, &messages.relation), (types, &messages.peer_type), (kinds, &messages.kind)] {
            let rows: Vec<u32> = rows.iter().map(|row| from + row).collect();
            sum = sum + self.place.gather(table.clone(), &rows);
        }
        if let Some(identity) = self.identity(&messages.peer_slots)? {
            sum = sum + part.at("identity").linear(identity)?;
        }
        if let Some((peers, memory)) = peers.filter(|(peers, _)| !peers.row.is_empty()) {
            let read = part.at("memory").linear(self.place.gather(memory, &peers.row))?;
            sum = sum + self.place.scatter_sum(read, &peers.message, m);
        }
        sum = Part::plus(sum, part.at("nodes").project(&messages.peer_features, m)?);
        sum = Part::plus(sum, part.at("edges").project(&messages.edge_features, m)?);
        part.at("feed_forward").feed_forward(sum)
    }

    /// phi of gaps of time `[n, d_t + 1]`.
    pub(crate) fn encoded(&self, gaps: &[f64]) -> Tensor<2> {
        let width = self.time_encoder.width();
        self.place.constant(layers::encode(&self.time_encoder, gaps), [gaps.len(), width])
    }

    /// I of nodes `[n, d]`: the sum of two rows of the table, 2 n slots; `None` where identity is off.
    pub(crate) fn identity(&self, slots: &[u32]) -> Result<Option<Tensor<2>>, ReferenceError> {
        if !self.config.identity {
            return Ok(None);
        }
        let table = self.part("identity.table").matrix()?;
        let row = |which: usize| {
            let rows: Vec<u32> = slots.iter().skip(which).step_by(2).copied().collect();
            self.place.gather(table.clone(), &rows)
        };
        Ok(Some(row(0) + row(1)))
    }
}
