//! Samples of the nodes and edges themselves, and how many of each type there are, as of a time.

use rustc_hash::FxHashSet;
use timeweft_graph::{At, EdgeIndex, EdgeTypeId, FeatureId, Name, NodeIndex, NodeTypeId, Owner, Time, Value};

use super::choice::{Choice, Drawing};
use super::random::Draws;
use super::scale::check_kind;
use super::scope::{AsOf, SampleError};
use super::weights::clean;
use crate::Index;
use crate::elements::life::{LifeRecord, shown};
use crate::feature_store::FeatureRow;

/// How nodes or edges are sampled among those of some types that are alive.
#[derive(Clone, PartialEq, Debug)]
pub struct ElementSampling<T> {
    /// Of which types; of all, if there are none.
    pub types: Vec<T>,
    /// [`Choice::Uniform`] and [`Choice::Weighted`] draw anew each time, the distinct ones take none twice. The others are
    /// not for nodes and edges.
    pub choice: Choice,
    /// How many.
    pub n: usize,
    /// The feature that is the weight, of all types that have it; elements without a value weigh 1.0.
    pub weight: Option<Name>,
    /// Equal seeds give equal samples.
    pub seed: u64,
}

impl<T> ElementSampling<T> {
    /// `n` elements of some types, with weights of 1.0 and seed 0.
    pub fn new(types: Vec<T>, choice: Choice, n: usize) -> ElementSampling<T> {
        ElementSampling { types, choice, n, weight: None, seed: 0 }
    }
}

impl Index {
    /// Nodes that are alive as of a time, in the order drawn: as many as asked for, or fewer if no more can be had.
    ///
    /// Draws among all and throws back what is not meant, so that the cost is that of the answer unless few are meant;
    /// then, and by weight, all are looked at once.
    ///
    /// # Errors
    /// If the weight is no feature of one number, or the choice is not for nodes.
    pub fn sample_nodes(
        &self,
        sampling: &ElementSampling<NodeTypeId>,
        time: Time,
        as_of: AsOf,
    ) -> Result<Vec<NodeIndex>, SampleError> {
        let wanted = wanted(&sampling.types, self.schema.node_types().len(), |id| id.at());
        let owners = (0..self.schema.node_types().len() as u16).map(|id| Owner::Node(NodeTypeId(id)));
        let features = self.weight_features(sampling.weight.as_ref(), owners)?;
        let Some(last) = as_of.last(time) else { return Ok(Vec::new()) };
        let life = |at: usize| {
            let node = NodeIndex(at as u32);
            let meant = wanted[self.nodes.node_type(node).at()];
            meant.then(|| shown(&self.nodes.lives, self.nodes.life(node), At::time(last))).flatten()
        };
        let weigh = |at: usize| {
            let feature = features.get(self.nodes.node_type(NodeIndex(at as u32)).at()).copied().flatten();
            let life = life(at).map(|life| &self.nodes.lives[life as usize]);
            life.map_or(0.0, |life| self.weight_in(life.feature_row(), feature, last))
        };
        let is_meant = |at: usize| life(at).is_some();
        let drawn = draw(sampling, self.n_nodes(), is_meant, (!features.is_empty()).then_some(&weigh));
        Ok(drawn?.into_iter().map(NodeIndex).collect())
    }

    /// Lives of edges that are alive as of a time, in the order drawn; otherwise as [`Index::sample_nodes`].
    ///
    /// # Errors
    /// If the weight is no feature of one number, or the choice is not for edges.
    pub fn sample_edges(
        &self,
        sampling: &ElementSampling<EdgeTypeId>,
        time: Time,
        as_of: AsOf,
    ) -> Result<Vec<EdgeIndex>, SampleError> {
        let wanted = wanted(&sampling.types, self.schema.edge_types().len(), |id| id.at());
        let owners = (0..self.schema.edge_types().len() as u16).map(|id| Owner::Edge(EdgeTypeId(id)));
        let features = self.weight_features(sampling.weight.as_ref(), owners)?;
        let Some(last) = as_of.last(time) else { return Ok(Vec::new()) };
        let is_meant = |at: usize| {
            let edge = EdgeIndex(at as u32);
            wanted[self.edges.get(edge).edge_type.at()] && self.edge_alive(edge, last)
        };
        let weigh = |at: usize| {
            let life = self.edges.get(EdgeIndex(at as u32));
            let feature = features.get(life.edge_type.at()).copied().flatten();
            if is_meant(at) { self.weight_in(life.feature_row(), feature, last) } else { 0.0 }
        };
        let drawn = draw(sampling, self.n_edges(), is_meant, (!features.is_empty()).then_some(&weigh));
        Ok(drawn?.into_iter().map(EdgeIndex).collect())
    }

    /// The type of each node as of its time; `None` if it is not alive then or not there at all.
    pub fn node_types_of(&self, roots: super::Roots<'_>, as_of: AsOf) -> Vec<Option<NodeTypeId>> {
        let of = |(&node, &time): (&NodeIndex, &Time)| {
            let last = as_of.last(time).filter(|_| node.at() < self.n_nodes())?;
            self.alive(node, last).then(|| self.node_type(node))
        };
        roots.nodes.iter().zip(roots.times).map(of).collect()
    }

    /// How many nodes of a type are alive at a time: two bisections.
    pub fn count_nodes(&self, node_type: NodeTypeId, time: Time) -> usize {
        self.tallies().nodes.get(node_type.at()).map_or(0, |tally| tally.count(time))
    }

    /// How many edges of a type are alive at a time: two bisections.
    pub fn count_edges(&self, edge_type: EdgeTypeId, time: Time) -> usize {
        self.tallies().edges.get(edge_type.at()).map_or(0, |tally| tally.count(time))
    }

    /// The weight feature of each type; empty if there is no weight.
    fn weight_features(
        &self,
        name: Option<&Name>,
        owners: impl Iterator<Item = Owner>,
    ) -> Result<Vec<Option<FeatureId>>, SampleError> {
        let Some(name) = name else { return Ok(Vec::new()) };
        let of = |owner: Owner| {
            let Some((id, def)) = self.schema.feature(owner, name) else { return Ok(None) };
            check_kind(def.kind, || self.schema.owner_name(owner), name).map(|()| Some(id))
        };
        let features: Vec<Option<FeatureId>> = owners.map(of).collect::<Result<_, _>>()?;
        let unknown = || SampleError::UnknownWeight { owner: "type".into(), feature: name.to_string() };
        if features.iter().all(Option::is_none) { Err(unknown()) } else { Ok(features) }
    }

    fn weight_in(&self, feature_row: FeatureRow, feature: Option<FeatureId>, last: Time) -> f64 {
        let Some(feature) = feature else { return 1.0 };
        let held = self.feature_store.bytes(self.feature_store.value_at(feature_row, feature, last));
        held.and_then(|held| Value::number_in(&held)).unwrap_or(1.0)
    }
}

fn wanted<T>(types: &[T], n: usize, at: impl Fn(&T) -> usize) -> Vec<bool> {
    let mut wanted = vec![types.is_empty(); n];
    types.iter().map(at).filter(|at| *at < n).for_each(|at| wanted[at] = true);
    wanted
}

/// Draws numbers below `all` that are meant.
fn draw<T>(
    sampling: &ElementSampling<T>,
    all: usize,
    is_meant: impl Fn(usize) -> bool,
    weigh: Option<&impl Fn(usize) -> f64>,
) -> Result<Vec<u32>, SampleError> {
    let (n, mut draws) = (sampling.n, Draws::new(sampling.seed, 0, 0));
    let meant = || (0..all).filter(|&at| is_meant(at)).map(|at| at as u32);
    let refused = || {
        let wanted = "uniform or weighted, distinct or not";
        SampleError::Range { what: "choice", value: format!("{:?}", sampling.choice), wanted }
    };
    let Drawing { distinct, by_weight } = sampling.choice.drawing().ok_or_else(refused)?;
    if let (true, Some(weigh)) = (by_weight, weigh) {
        let meant: Vec<(u32, f64)> = meant().map(|at| (at, clean(weigh(at as usize)))).collect();
        return Ok(if distinct { weighted_distinct(meant, n, &mut draws) } else { weighted(&meant, n, &mut draws) });
    }
    let mut drawn = Vec::with_capacity(n.min(all));
    let mut taken = FxHashSet::default();
    let mut tries = if all == 0 { 0 } else { 4 * n + 256 };
    while drawn.len() < n && tries > 0 {
        tries -= 1;
        let at = draws.below(all);
        if is_meant(at) && (!distinct || taken.insert(at as u32)) {
            drawn.push(at as u32);
        }
    }
    if drawn.len() < n {
        // What was drawn stays; the rest comes from what is left.
        let mut left: Vec<u32> = meant().filter(|at| !taken.contains(at)).collect();
        while drawn.len() < n && !left.is_empty() {
            let at = draws.below(left.len());
            drawn.push(if distinct { left.swap_remove(at) } else { left[at] });
        }
    }
    Ok(drawn)
}

fn weighted(meant: &[(u32, f64)], n: usize, draws: &mut Draws) -> Vec<u32> {
    let mut sum = 0.0;
    let sums: Vec<f64> = meant
        .iter()
        .map(|(_, weight)| {
            sum += weight;
            sum
        })
        .collect();
    let mut drawn = Vec::with_capacity(n);
    while sum > 0.0 && drawn.len() < n {
        let at = draws.unit() * sum;
        drawn.extend(meant.get(sums.partition_point(|sum| *sum <= at)).map(|(at, _)| *at));
    }
    drawn
}

/// In the order of exponential waiting times (Efraimidis, Spirakis 2006).
fn weighted_distinct(meant: Vec<(u32, f64)>, n: usize, draws: &mut Draws) -> Vec<u32> {
    let heavy = meant.into_iter().filter(|(_, weight)| *weight > 0.0);
    let mut waits: Vec<(f64, u32)> = heavy.map(|(at, weight)| (-draws.positive().ln() / weight, at)).collect();
    let order = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if n > 0 && waits.len() > n {
        waits.select_nth_unstable_by(n - 1, order);
    }
    waits.truncate(n);
    waits.sort_unstable_by(order);
    waits.into_iter().map(|(_, at)| at).collect()
}
