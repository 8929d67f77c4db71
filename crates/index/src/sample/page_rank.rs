//! Personalised page rank as of a time, by pushing forward what is left at a node (Andersen, Chung, Lang 2006).

use rustc_hash::FxHashMap;
use timeweft_graph::{NodeIndex, Time};

use super::alive::{Moment, Picks};
use super::scope::{NO_NODE, Roots, SampleError, Scope, Taken, check_length};
use super::visit::{Visitor, Width, visit};
use crate::Index;
use crate::adjacency::{Part, Parts};

/// How page rank is computed.
#[derive(Clone, PartialEq, Debug)]
pub struct PageRank {
    /// Along which edges, as of when.
    pub scope: Scope,
    /// The chance to go back to the root at each step, in (0, 1].
    pub alpha: f64,
    /// Residues below `alpha * eps` an edge are left, above 0.
    pub eps: f64,
    /// How many nodes a root.
    pub k: usize,
}

/// Roots that are worth another thread.
const GRAIN: usize = 8;

impl PageRank {
    fn check(&self) -> Result<(), SampleError> {
        let range = |what, value: f64, wanted| Err(SampleError::Range { what, value: value.to_string(), wanted });
        if !(self.alpha > 0.0 && self.alpha <= 1.0) {
            return range("alpha", self.alpha, "in (0, 1]");
        }
        if !(self.eps > 0.0 && self.eps.is_finite()) {
            return range("eps", self.eps, "above 0");
        }
        Ok(())
    }
}

impl Index {
    /// The `k` nodes with the highest rank for each root as of its time, the root among them, highest first and of equal
    /// ones the lower number: `nodes` and `ranks` have `k` slots a root, those that stay empty [`NO_NODE`] and 0. Every
    /// edge counts alike, and twice if there are two. A root without edges has itself with rank `alpha`.
    ///
    /// # Errors
    /// If an array has the wrong length, or `alpha` or `eps` is out of range.
    pub fn page_rank(
        &self,
        page_rank: &PageRank,
        roots: Roots<'_>,
        nodes: &mut [NodeIndex],
        ranks: &mut [f64],
    ) -> Result<(), SampleError> {
        page_rank.check()?;
        check_length("nodes", nodes.len(), roots.len() * page_rank.k)?;
        check_length("ranks", ranks.len(), roots.len() * page_rank.k)?;
        self.rank_shared(page_rank, &Taken::new(&page_rank.scope), roots, nodes, ranks);
        Ok(())
    }

    fn rank_shared(
        &self,
        page_rank: &PageRank,
        taken: &Taken,
        roots: Roots<'_>,
        nodes: &mut [NodeIndex],
        ranks: &mut [f64],
    ) {
        if roots.len() >= 2 * GRAIN {
            let half = roots.len() / 2;
            let (near, far) = roots.split_at(half);
            let (nodes, more) = nodes.split_at_mut(half * page_rank.k);
            let (ranks, others) = ranks.split_at_mut(half * page_rank.k);
            rayon::join(
                || self.rank_shared(page_rank, taken, near, nodes, ranks),
                || self.rank_shared(page_rank, taken, far, more, others),
            );
            return;
        }
        let mut push = Push { index: self, page_rank, taken, states: FxHashMap::default(), queue: Vec::new() };
        for (root, (&node, &time)) in roots.nodes.iter().zip(roots.times).enumerate() {
            let mut ranked = push.rank(node, time);
            ranked.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            ranked.resize(page_rank.k, (NO_NODE, 0.0));
            for (slot, (node, rank)) in (root * page_rank.k..).zip(ranked) {
                (nodes[slot], ranks[slot]) = (node, rank);
            }
        }
    }
}

struct Push<'a> {
    index: &'a Index,
    page_rank: &'a PageRank,
    taken: &'a Taken,
    states: FxHashMap<NodeIndex, State>,
    queue: Vec<NodeIndex>,
}

#[derive(Default)]
struct State {
    rank: f64,
    residue: f64,
    queued: bool,
    degree: Option<u32>,
}

impl Push<'_> {
    /// The nodes that a root's rank reaches.
    fn rank(&mut self, root: NodeIndex, time: Time) -> Vec<(NodeIndex, f64)> {
        let PageRank { alpha, eps, .. } = *self.page_rank;
        self.states.clear();
        self.states.insert(root, State { residue: alpha, queued: true, ..State::default() });
        self.queue.push(root);
        while let Some(node) = self.queue.pop() {
            let state = self.states.entry(node).or_default();
            let residue = std::mem::take(&mut state.residue);
            state.rank += residue;
            state.queued = false;
            let neighbors = self.neighbors(node, time);
            let share = (1.0 - alpha) * residue / neighbors.len() as f64;
            for neighbor in neighbors {
                let degree = self.states.entry(neighbor).or_default().degree;
                let degree = degree.unwrap_or_else(|| self.degree(neighbor, time));
                let state = self.states.entry(neighbor).or_default();
                state.degree = Some(degree);
                state.residue += share;
                if !state.queued && state.residue >= alpha * eps * f64::from(degree) {
                    state.queued = true;
                    self.queue.push(neighbor);
                }
            }
        }
        self.states.iter().filter(|(_, state)| state.rank > 0.0).map(|(node, state)| (*node, state.rank)).collect()
    }

    fn neighbors(&self, node: NodeIndex, time: Time) -> Vec<NodeIndex> {
        let mut near = Near { scope: &self.page_rank.scope, time, neighbors: Vec::new(), picks: Picks::default() };
        visit(self.index.adjacency(), self.taken, None, &[node], &mut near);
        near.neighbors
    }

    fn degree(&self, node: NodeIndex, time: Time) -> u32 {
        let mut degree = Degree { scope: &self.page_rank.scope, time, degree: 0 };
        visit(self.index.adjacency(), self.taken, None, &[node], &mut degree);
        degree.degree
    }
}

struct Near<'a> {
    scope: &'a Scope,
    time: Time,
    neighbors: Vec<NodeIndex>,
    picks: Picks,
}

impl Visitor for Near<'_> {
    fn visit<'a, T: Width, P: Parts<'a, T>>(&mut self, _: usize, source: P, parts: &[Part]) {
        let Some(moment) = Moment::of(self.scope, source.clock(), self.time) else { return };
        parts.iter().enumerate().for_each(|part| self.picks.gather(source, part, moment));
        let neighbor = |pick: &super::alive::Pick| source.entry(&parts[pick.part()], pick.place()).neighbor();
        self.neighbors.extend(self.picks.as_slice().iter().map(neighbor));
    }
}

struct Degree<'a> {
    scope: &'a Scope,
    time: Time,
    degree: u32,
}

impl Visitor for Degree<'_> {
    fn visit<'a, T: Width, P: Parts<'a, T>>(&mut self, _: usize, source: P, parts: &[Part]) {
        let Some(moment) = Moment::of(self.scope, source.clock(), self.time) else { return };
        self.degree = parts.iter().map(|part| moment.count(source, part)).sum::<usize>() as u32;
    }
}
