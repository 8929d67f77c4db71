//! The second-order steps of node2vec, exact: neighbors are proposed by weight and accepted by their bias (as in KnightKing,
//! Yang et al. 2019), and where that goes on for too long, all of them are weighed.

use timeweft_graph::{Deletes, EdgeTypeId, NodeIndex, Time, threads};

use super::alive::Moment;
use super::choose::{Chooser, Scratch};
use super::random::Draws;
use super::sampling::Choice;
use super::scope::{NO_NODE, Roots, Scope, Side, Taken};
use super::slots::Slots;
use super::traversal::{Visitor, Width, visit};
use super::walk::Walk;
use super::weights::{Scale, Weights};
use crate::Index;
use crate::adjacency::{Part, Parts, Tick};

/// Fewer roots than this are not worth another thread.
const GRAIN: usize = 256;

/// So many neighbors are proposed at once, so many times.
const PROPOSED: usize = 8;
const ROUNDS: usize = 8;

/// A step of walks that know where they came from.
#[derive(Clone, Copy)]
pub(crate) struct Biased<'a> {
    pub(crate) index: &'a Index,
    pub(crate) walk: &'a Walk,
    pub(crate) scope: &'a Scope,
    pub(crate) taken: &'a Taken,
    pub(crate) weights: Option<&'a Weights>,
    pub(crate) hop: u64,
    pub(crate) first: u64,
}

impl Biased<'_> {
    /// One step for each root.
    pub(crate) fn step(self, roots: Roots<'_>, came: &[NodeIndex], slots: Slots<'_>) {
        if roots.len() >= 2 * GRAIN {
            let half = roots.len() / 2;
            let ((near, far), (here, there)) = (roots.split_at(half), slots.split_at(half, 1));
            let (sooner, later) = came.split_at(half);
            let rest = Biased { first: self.first + half as u64, ..self };
            threads::join(|| self.step(near, sooner, here), || rest.step(far, later, there));
            return;
        }
        let mut stepper = Stepper { step: self, times: roots.times, came, slots, scratch: Scratch::default() };
        visit(self.index.adjacency(), self.taken, self.weights, roots.nodes, &mut stepper);
    }

    /// Whether an edge in scope leads from one node to another.
    fn is_linked(&self, from: NodeIndex, to: NodeIndex, last: Time) -> bool {
        let n_types = self.index.schema.edge_types().len() as u16;
        let linked = |edge_type: EdgeTypeId, source, destination| match self.scope.deletes {
            Deletes::Hard => self.index.is_linked(edge_type, source, destination, last),
            Deletes::Soft => !self.index.pair_edges(edge_type, source, destination, last).is_empty(),
        };
        (0..n_types).map(EdgeTypeId).filter(|edge_type| self.taken.takes_any(*edge_type)).any(|edge_type| {
            self.scope.side != Side::In && linked(edge_type, from, to)
                || self.scope.side != Side::Out && linked(edge_type, to, from)
        })
    }
}

struct Stepper<'a, 'b> {
    step: Biased<'a>,
    times: &'b [Time],
    came: &'b [NodeIndex],
    slots: Slots<'b>,
    scratch: Scratch,
}

impl Visitor for Stepper<'_, '_> {
    fn visit<'a, T: Width, P: Parts<'a, T>>(&mut self, at: usize, source: P, parts: &[Part]) {
        let Biased { index, walk, scope, weights, hop, first, .. } = self.step;
        let Some(last) = scope.as_of.last(self.times[at]).filter(|_| !parts.is_empty()) else { return };
        let Some(tick) = T::floor(source.clock(), last) else { return };
        let (came, step) = (self.came[at], self.step);
        let bias = |node: NodeIndex| match node {
            _ if came == NO_NODE => 1.0,
            _ if node == came => 1.0 / walk.p,
            _ if walk.q == 1.0 || step.is_linked(came, node, last) => 1.0,
            _ => 1.0 / walk.q,
        };
        let highest = (1.0 / walk.p).max(1.0).max(1.0 / walk.q);
        let mut chooser = Chooser {
            source,
            parts,
            moment: Moment { at: tick, soft: scope.deletes == Deletes::Soft },
            scale: Scale::new(index, weights, last),
            draws: Draws::new(walk.seed, hop, first.wrapping_add(at as u64)),
            scratch: &mut self.scratch,
        };
        let Some(pick) = chooser.biased(bias, highest) else { return };
        let part = &parts[pick.part()];
        let entry = source.entry(part, pick.place());
        if let Some(neighbors) = &mut self.slots.neighbors {
            neighbors[at] = entry.neighbor();
        }
        if let Some(edges) = &mut self.slots.edges {
            edges[at] = entry.edge();
        }
        if let Some(created) = &mut self.slots.created {
            created[at] = entry.created.time(source.clock());
        }
    }
}

impl<'l, T: Tick, P: Parts<'l, T>> Chooser<'_, '_, T, P> {
    /// One pick by weight times bias, which is at most `highest`.
    fn biased(&mut self, bias: impl Fn(NodeIndex) -> f64, highest: f64) -> Option<super::alive::Pick> {
        let neighbor = |source: P, parts: &[Part], pick: super::alive::Pick| {
            source.entry(&parts[pick.part()], pick.place()).neighbor()
        };
        for _ in 0..ROUNDS {
            self.scratch.picks.clear();
            self.choose(Choice::Weighted, 0..self.parts.len(), PROPOSED);
            if self.scratch.picks.is_empty() {
                return None;
            }
            for at in 0..PROPOSED {
                let pick = self.scratch.picks[at];
                if self.draws.unit() * highest < bias(neighbor(self.source, self.parts, pick)) {
                    return Some(pick);
                }
            }
        }
        self.weigh_all(|source, parts, pick| bias(neighbor(source, parts, pick)))
    }
}
