//! The second-order steps of node2vec, exact: neighbors are proposed by weight and accepted by their bias (as in KnightKing,
//! Yang et al. 2019), and where that goes on for too long, all of them are weighed.

use timeweft_graph::{Deletes, EdgeIndex, EdgeTypeId, NodeIndex, Time};

use super::alive::Moment;
use super::choice::Choice;
use super::choose::{Chooser, Scratch};
use super::picks::{Pick, PickedEdges, entry_of};
use super::random::Stream;
use super::scale::Scale;
use super::scope::{EdgeFilter, NO_NODE, Scope, Side};
use super::slots::{Batch, Missing};
use super::traversal::{Visitor, traverse};
use super::weights::Weights;
use crate::Index;
use crate::adjacency::{ListPart, ListSource, Tick};
use crate::elements::life::LifeRecord;
use crate::parallel::share;

/// Fewer roots than this are not worth another thread.
const GRAIN: usize = 256;

/// How many neighbors are proposed at once, and how often, before all are weighed.
const PROPOSED: usize = 8;
const ROUNDS: usize = 8;

/// A step of walks that know where they came from.
#[derive(Clone, Copy)]
pub(crate) struct Node2Vec<'a> {
    pub(crate) index: &'a Index,
    pub(crate) scope: &'a Scope,
    pub(crate) filter: &'a EdgeFilter,
    pub(crate) weights: Option<&'a Weights>,
    /// How unlikely it is to go back, and to go where no edge from the node before leads.
    pub(crate) p: f64,
    pub(crate) q: f64,
    pub(crate) stream: Stream,
}

impl Node2Vec<'_> {
    /// One step for each root, given the nodes that the walks came from.
    pub(crate) fn step(self, batch: Batch<'_>, came: &[NodeIndex]) {
        share((batch, came), GRAIN, &mut (), &|(batch, came), ()| {
            let roots = batch.roots;
            let mut stepper = Stepper { step: self, batch, came, scratch: Scratch::default() };
            traverse(self.index.adjacency(), self.filter, self.weights, roots, &mut stepper);
        });
    }

    /// Whether an edge in scope leads from one node to another.
    fn is_linked(&self, from: NodeIndex, to: NodeIndex, (first, last): (Time, Time)) -> bool {
        let (n_types, deletes) = (self.index.schema.edge_types().len() as u16, self.scope.deletes);
        let is_seen = |edge: EdgeIndex| self.index.edges.get(edge).is_seen(last, deletes);
        let linked = |edge_type: EdgeTypeId, source, destination| {
            self.index.newest_between((edge_type, source, destination), (first, last), is_seen).is_some()
        };
        (0..n_types).map(EdgeTypeId).filter(|edge_type| self.filter.admits_any(*edge_type)).any(|edge_type| {
            self.scope.side != Side::In && linked(edge_type, from, to)
                || self.scope.side != Side::Out && linked(edge_type, to, from)
        })
    }
}

struct Stepper<'a, 'b> {
    step: Node2Vec<'a>,
    batch: Batch<'b>,
    came: &'b [NodeIndex],
    scratch: Scratch,
}

impl Visitor for Stepper<'_, '_> {
    type Scratch<T: Tick> = ();

    fn visit<'a, T: Tick, P: ListSource<'a, T>>(&mut self, (): &mut (), at: usize, source: P, parts: &[ListPart]) {
        let Node2Vec { index, scope, weights, p, q, stream, .. } = self.step;
        let time = self.batch.roots.times[at];
        let Some(last) = scope.as_of.last(time).filter(|_| !parts.is_empty()) else { return };
        let Some(tick) = T::floor(source.clock(), last) else { return };
        let (came, step, span) = (self.came[at], self.step, (scope.first(time), last));
        let bias = |node: NodeIndex| match node {
            _ if came == NO_NODE => 1.0,
            _ if node == came => 1.0 / p,
            _ if q == 1.0 || step.is_linked(came, node, span) => 1.0,
            _ => 1.0 / q,
        };
        let highest = (1.0 / p).max(1.0).max(1.0 / q);
        let scale = Scale::new(index, weights, last);
        let mut chooser = Chooser {
            source,
            parts,
            moment: Moment { at: tick, soft: scope.deletes == Deletes::Soft },
            scale,
            draws: stream.root(self.batch.first.wrapping_add(at as u64)),
            scratch: &mut self.scratch,
        };
        let pick = chooser.biased(bias, highest);
        self.batch.slots.put(at, 1, &PickedEdges::new(source, parts, pick.as_slice(), scale), &Missing::NONE);
    }
}

impl<'l, T: Tick, P: ListSource<'l, T>> Chooser<'_, '_, T, P> {
    /// One pick by weight times bias, which is at most `highest`.
    fn biased(&mut self, bias: impl Fn(NodeIndex) -> f64, highest: f64) -> Option<Pick> {
        let neighbor = |source: P, parts: &[ListPart], pick: Pick| entry_of(source, parts, pick).neighbor();
        let proposal = if self.scale.weights().is_some() { Choice::Weighted } else { Choice::Uniform };
        for _ in 0..ROUNDS {
            self.scratch.picks.clear();
            self.choose(proposal, 0..self.parts.len(), PROPOSED);
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
