//! Weights of every relation, and attention with them by absorbed projections: no key or value of an edge is ever formed.
//!
//! Equations: `docs/model.md#neighborhood-attention`.

use crate::RelationIds;
use crate::model::layers::Init;
use crate::nn::{self, Outlet, Param, Tensor, module};

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

/// Which tokens each root attends to, grouped into (root, relation) pairs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Structure<'a> {
    /// Q + 1: pairs of each root.
    pub root_pairs: &'a [u32],
    /// P + 1: tokens of each pair.
    pub pair_tokens: &'a [u32],
    /// P: relation of each pair.
    pub pair_relation: &'a [u32],
}

impl Structure<'_> {
    fn layout(&self) -> nn::AttentionLayout {
        nn::AttentionLayout { root_pairs: self.root_pairs.into(), pair_tokens: self.pair_tokens.into() }
    }
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

    /// Query `[Q, H * d_h]`, tokens `[E, F]`, sink and gates to `[Q, H * d_h]`.
    pub(crate) fn attend(
        &self,
        query: Tensor<2>,
        tokens: Tensor<2>,
        outlet: Outlet,
        structure: &Structure<'_>,
    ) -> Tensor<2> {
        let [q, d] = query.dims();
        let n_pairs = structure.pair_relation.len();
        if n_pairs == 0 {
            return Tensor::zeros([q, d]);
        }
        let order = Order::by_relation(structure, self.prior.dims()[0]);
        let absorbed = self.absorb(query, &order);
        let prior = nn::gather(self.prior.val(), structure.pair_relation);
        let context = nn::temporal_attention(absorbed, tokens, prior, outlet, &structure.layout());
        let [_, h, f] = context.dims();
        let sorted = nn::gather(context.reshape([n_pairs, h * f]), &order.sorted).reshape([n_pairs, h, f]);
        let values = nn::typed_heads(sorted, &order.offsets, self.value_weights()).reshape([n_pairs, d]);
        nn::scatter_sum(values, &order.sorted_root, q)
    }

    /// `qa_{rho,h} = W_K^T q_h / sqrt(d_h)` of every pair, `[P, H, F]` in the order of the pairs.
    fn absorb(&self, query: Tensor<2>, order: &Order) -> Tensor<3> {
        let [_, d] = query.dims();
        let [[n, h], [d_h, f]] = [self.prior.dims(), self.widths];
        let keys = self.keys.val().reshape([n, h, d_h, f]);
        let n_pairs = order.sorted.len();
        let query = nn::gather(query, &order.sorted_root).reshape([n_pairs, h, d / h]);
        let absorbed = nn::typed_heads(query, &order.offsets, keys) * (1.0 / (d_h as f32).sqrt());
        nn::gather(absorbed.reshape([n_pairs, h * f]), &order.back).reshape([n_pairs, h, f])
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

/// The pairs sorted by relation, so that each relation is one matrix product.
#[derive(Clone, Debug)]
struct Order {
    /// P: pair at each sorted position.
    sorted: Vec<u32>,
    /// P: root at each sorted position.
    sorted_root: Vec<u32>,
    /// P: sorted position of each pair.
    back: Vec<u32>,
    /// relations + 1: sorted positions of each relation.
    offsets: Vec<u32>,
}

impl Order {
    /// Sorts the pairs of a structure, stably.
    fn by_relation(structure: &Structure<'_>, n_relations: usize) -> Order {
        let relation = structure.pair_relation;
        let mut offsets = vec![0u32; n_relations + 1];
        relation.iter().for_each(|&r| offsets[r as usize + 1] += 1);
        (0..n_relations).for_each(|r| offsets[r + 1] += offsets[r]);
        let (mut next, mut sorted, mut back) = (offsets.clone(), vec![0; relation.len()], vec![0; relation.len()]);
        for (pair, &r) in relation.iter().enumerate() {
            back[pair] = next[r as usize];
            sorted[next[r as usize] as usize] = pair as u32;
            next[r as usize] += 1;
        }
        let mut root_of = vec![0u32; relation.len()];
        for (root, ends) in structure.root_pairs.windows(2).enumerate() {
            root_of[ends[0] as usize..ends[1] as usize].fill(root as u32);
        }
        let sorted_root = sorted.iter().map(|&pair| root_of[pair as usize]).collect();
        Order { sorted, sorted_root, back, offsets }
    }
}
