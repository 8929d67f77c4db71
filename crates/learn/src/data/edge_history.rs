//! What was linked when, laid out for counting: every list is in order of time and holds fact numbers, so that "how long
//! ago" has an answer in time and one in events.
//!
//! A fact is named by its *moment*: the number of the first fact of its time. Facts of one time have one moment, so no
//! count can tell them apart, and "before a time" is "below the number of facts before it".

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{Action, Direction, NodeIndex, Time};
use timeweft_index::{Fact, Index};

use crate::data::directed_relation::DirectedRelation;

/// Most edges of a node that are read, newest first.
pub(crate) const READ: usize = 1200;

/// An edge that a node has met.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Met {
    /// Moment of the edge's creation.
    pub(crate) moment: u32,
    /// How the node sees it.
    pub(crate) side: DirectedRelation,
    /// The node at the other end.
    pub(crate) other: NodeIndex,
    /// Whether it was the first of its type from its source to its destination.
    pub(crate) is_new: bool,
}

/// Creations of edges by node, and by (node, side). Deletes do not undo them.
#[derive(Clone, Debug, Default)]
pub(crate) struct EdgeHistory {
    /// Time of every fact.
    times: Vec<Time>,
    /// n + 1: where the edges of each node begin.
    starts: Vec<u32>,
    /// Edges of each node by moment; those of one moment in an order of their own names.
    met: Vec<Met>,
    /// Moments at which a node was the answer to a side.
    answers: Lists<(NodeIndex, DirectedRelation)>,
    /// Those among them at which the pair met for the first time.
    firsts: Lists<(NodeIndex, DirectedRelation)>,
    /// Moments of all edges of a side.
    sides: Lists<DirectedRelation>,
}

/// Sorted lists of moments by key.
#[derive(Clone, Debug)]
struct Lists<K>(FxHashMap<K, Vec<u32>>);

impl<K> Default for Lists<K> {
    fn default() -> Self {
        Lists(FxHashMap::default())
    }
}

impl<K: std::hash::Hash + Eq> Lists<K> {
    fn push(&mut self, key: K, moment: u32) {
        self.0.entry(key).or_default().push(moment);
    }

    fn before(&self, key: &K, limit: u32) -> &[u32] {
        let moments = self.0.get(key).map_or(&[][..], Vec::as_slice);
        &moments[..moments.partition_point(|&moment| moment < limit)]
    }
}

impl EdgeHistory {
    /// Lays out some facts of a graph.
    pub(crate) fn of(index: &Index, facts: &[Fact]) -> EdgeHistory {
        let moments = moments(facts);
        let mut history = EdgeHistory { times: facts.iter().map(|fact| fact.time).collect(), ..EdgeHistory::default() };
        let mut known = FxHashSet::default();
        let mut met = Vec::new();
        for (fact, &moment) in facts.iter().zip(&moments).filter(|(fact, _)| fact.action == Action::Create) {
            let Some((edge_type, _)) = fact.edge else { continue };
            let (outward, inward) =
                (DirectedRelation::new(edge_type, Direction::Out), DirectedRelation::new(edge_type, Direction::In));
            let is_new = known.insert((edge_type, fact.source, fact.destination));
            for (node, side, other) in
                [(fact.source, outward, fact.destination), (fact.destination, inward, fact.source)]
            {
                met.push((node, Met { moment, side, other, is_new }));
                history.answers.push((other, side), moment);
                history.sides.push(side, moment);
                if is_new {
                    history.firsts.push((other, side), moment);
                }
            }
        }
        history.lay_out(index, met);
        history
    }

    fn lay_out(&mut self, index: &Index, mut met: Vec<(NodeIndex, Met)>) {
        // Numbers of nodes and edge types follow arrival; their names do not.
        let mut nodes: Vec<NodeIndex> = (0..index.n_nodes() as u32).map(NodeIndex).collect();
        nodes.sort_by(|&a, &b| index.compare_nodes(a, b));
        let mut place = vec![0u32; nodes.len()];
        nodes.iter().zip(0..).for_each(|(node, at)| place[node.at()] = at);
        let schema = index.schema();
        let mut sides: Vec<u32> = (0..2 * schema.edge_types().len() as u32).collect();
        sides.sort_by_key(|&side| (schema.edge_types()[side as usize / 2].relation.to_string(), side % 2));
        let mut order = vec![0u32; sides.len()];
        sides.iter().zip(0..).for_each(|(&side, at)| order[side as usize] = at);
        met.sort_by_key(|(node, met)| (*node, met.moment, order[met.side.at()], place[met.other.at()]));
        self.starts = vec![0; index.n_nodes() + 1];
        met.iter().for_each(|(node, _)| self.starts[node.at() + 1] += 1);
        (0..index.n_nodes()).for_each(|node| self.starts[node + 1] += self.starts[node]);
        self.met = met.into_iter().map(|(_, met)| met).collect();
    }

    /// The first moment that is not before a time: what lies below it was strictly before.
    pub(crate) fn limit(&self, time: Time) -> u32 {
        self.times.partition_point(|&known| known < time) as u32
    }

    /// When a moment was.
    pub(crate) fn time(&self, moment: u32) -> Time {
        self.times.get(moment as usize).copied().unwrap_or(Time::MIN)
    }

    /// Edges of a node below a limit, oldest first.
    pub(crate) fn met(&self, node: NodeIndex, limit: u32) -> &[Met] {
        let (Some(&start), Some(&end)) = (self.starts.get(node.at()), self.starts.get(node.at() + 1)) else {
            return &[];
        };
        let met = &self.met[start as usize..end as usize];
        &met[..met.partition_point(|met| met.moment < limit)]
    }

    /// The last `n` distinct nodes that a node met by a side below a limit, latest first; only the last [`READ`] edges are
    /// looked at.
    pub(crate) fn partners(&self, node: NodeIndex, side: DirectedRelation, limit: u32, n: usize) -> Vec<NodeIndex> {
        distinct(self.met(node, limit).iter().rev().take(READ).filter(|edge| edge.side == side), n)
    }

    /// Moments below a limit at which `node` was the answer to a side.
    pub(crate) fn answers(&self, node: NodeIndex, side: DirectedRelation, limit: u32) -> &[u32] {
        self.answers.before(&(node, side), limit)
    }

    /// Those at which the pair met for the first time.
    pub(crate) fn firsts(&self, node: NodeIndex, side: DirectedRelation, limit: u32) -> &[u32] {
        self.firsts.before(&(node, side), limit)
    }

    /// Number of edges of a side below a limit.
    pub(crate) fn total(&self, side: DirectedRelation, limit: u32) -> usize {
        self.sides.before(&side, limit).len()
    }
}

/// The first `n` distinct nodes that were met.
pub(crate) fn distinct<'a>(met: impl Iterator<Item = &'a Met>, n: usize) -> Vec<NodeIndex> {
    let mut nodes = Vec::with_capacity(n);
    for Met { other, .. } in met {
        if nodes.len() == n {
            break;
        }
        if !nodes.contains(other) {
            nodes.push(*other);
        }
    }
    nodes
}

/// The number of the first fact of each fact's time.
fn moments(facts: &[Fact]) -> Vec<u32> {
    let mut moments = Vec::with_capacity(facts.len());
    for (at, fact) in (0u32..).zip(facts) {
        let same = at > 0 && facts[at as usize - 1].time == fact.time;
        moments.push(if same { moments[at as usize - 1] } else { at });
    }
    moments
}

/// How many of sorted moments lie in the last `window` facts below a limit.
pub(crate) fn within(moments: &[u32], limit: u32, window: u32) -> usize {
    moments.len() - moments.partition_point(|&moment| moment < limit.saturating_sub(window))
}
