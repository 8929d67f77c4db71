//! Weights of every relation: what all of a role share, and what each adds of its own.
//!
//! Equations: `docs/model.md#neighborhood-attention`.

use crate::RelationIds;
use crate::model::layers::Init;
use crate::nn::{self, Param, Tensor, module};

/// Weights `[n, width]` of n relations: what all of a role (out, in, about itself) share, and what each adds of its own, from
/// zero. A relation that is seldom seen does as the others do, where weights of its own alone would stay as they were drawn
/// (in the spirit of the bases of Schlichtkrull et al. 2018, section 2.2).
#[derive(Clone, Debug)]
pub(crate) struct RelationWeights {
    /// `[roles, width]`
    shared: Param<2>,
    /// `[n, width]`; absent where every relation is a role by itself.
    own: Option<Param<2>>,
    /// n: role of each relation.
    roles: Vec<u32>,
}

impl RelationWeights {
    /// Of the first `n` relations; what is shared starts with deviation `scale`.
    pub(crate) fn new(init: &mut Init, relations: RelationIds, n: usize, width: usize, scale: f32) -> RelationWeights {
        let roles: Vec<u32> = (0..n as u32).map(|relation| relations.role(relation)).collect();
        let n_roles = roles.iter().max().map_or(0, |last| *last as usize + 1);
        RelationWeights {
            shared: init.normal([n_roles, width], scale),
            own: (n > n_roles).then(|| init.constant([n, width], 0.0)),
            roles,
        }
    }

    /// `[n, width]`.
    pub(crate) fn val(&self) -> Tensor<2> {
        match &self.own {
            Some(own) => nn::gather(self.shared.val(), &self.roles) + own.val(),
            None => self.shared.val(),
        }
    }
}

module!(RelationWeights { shared, own });

/// Per-relation key, value and prior of each head.
#[derive(Clone, Debug)]
pub(crate) struct RelationHeads {
    /// W_K `[relations, H * d_h * F]`
    keys: RelationWeights,
    /// W_V `[relations, H * F * d_h]`
    values: RelationWeights,
    /// mu `[relations, H]`
    prior: Param<2>,
    /// d_h and F.
    widths: [usize; 2],
}

/// Keys, values and priors of every relation, as a kernel reads them.
pub(crate) struct RelationTensors {
    /// `[relations, H * d_h * F]`
    pub keys: Tensor<2>,
    /// `[relations, H * F * d_h]`
    pub values: Tensor<2>,
    /// `[relations, H]`
    pub prior: Tensor<2>,
}

impl RelationHeads {
    /// Of the first `n` relations, for H heads of width d_h over tokens of width F.
    pub(crate) fn new(
        init: &mut Init,
        (relations, n): (RelationIds, usize),
        n_heads: usize,
        [d_h, f]: [usize; 2],
    ) -> RelationHeads {
        let mut weights = || RelationWeights::new(init, relations, n, n_heads * d_h * f, 1.0 / (f as f32).sqrt());
        RelationHeads { keys: weights(), values: weights(), prior: init.constant([n, n_heads], 0.0), widths: [d_h, f] }
    }

    /// The weights of every relation.
    pub(crate) fn tensors(&self) -> RelationTensors {
        RelationTensors { keys: self.keys.val(), values: self.values.val(), prior: self.prior.val() }
    }

    /// W_V `[relations, H, F, d_h]`.
    pub(crate) fn value_weights(&self) -> Tensor<4> {
        let [[n, h], [d_h, f]] = [self.prior.dims(), self.widths];
        self.values.val().reshape([n, h, f, d_h])
    }
}

module!(RelationHeads { keys, values, prior });
