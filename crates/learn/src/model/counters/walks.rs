//! Walks from the asking node over the last partners, their last partners, and the last ones of those. Only the candidates
//! of the question are looked for: nobody else's weight is kept.

use timeweft_graph::NodeIndex;

use crate::data::edge_history::{EdgeHistory, Hints, LastPartners};
use crate::model::counters::marks::Marks;

/// Reach of walks: partners of the asking node, their partners, and partners of those.
const REACH: [usize; 3] = [10, 16, 6];
/// How much each further partner weighs at each step.
const WEIGHTS: [f32; 3] = [0.8, 0.85, 0.8];
/// Bits of the sieve.
const SIEVE: usize = 1 << 13;

/// The distinct candidates of a question, found by their numbers.
#[derive(Default)]
pub(crate) struct Candidates {
    places: Marks,
    /// A bit for each candidate's number, folded: most others are known by it without a look at the marks.
    sieve: Vec<u64>,
    nodes: Vec<NodeIndex>,
    /// Of each candidate: weights of walks of two and of three steps.
    weights: Vec<[f32; 2]>,
}

impl Candidates {
    /// Begins a question.
    pub(crate) fn clear(&mut self) {
        self.sieve.resize(SIEVE / 64, 0);
        for node in self.nodes.drain(..) {
            self.sieve[node.at() % SIEVE / 64] = 0;
        }
        self.weights.clear();
        self.places.clear();
    }

    /// Adds a candidate, once.
    pub(crate) fn add(&mut self, node: NodeIndex) {
        if self.places.get(node).is_none() {
            self.places.set(node, self.nodes.len() as u32);
            self.sieve[node.at() % SIEVE / 64] |= 1 << (node.at() % 64);
            self.nodes.push(node);
            self.weights.push([0.0; 2]);
        }
    }

    /// Weights of the walks that end at a candidate.
    pub(crate) fn weights(&self, node: NodeIndex) -> [f32; 2] {
        self.places.get(node).map_or([0.0; 2], |place| self.weights[place as usize])
    }

    #[inline]
    fn may_hold(&self, node: NodeIndex) -> bool {
        self.sieve[node.at() % SIEVE / 64] >> (node.at() % 64) & 1 == 1
    }

    #[inline]
    fn reach(&mut self, node: NodeIndex, steps: usize, weight: f32) {
        if !self.may_hold(node) {
            return;
        }
        if let Some(place) = self.places.get(node) {
            self.weights[place as usize][steps] += weight;
        }
    }

    /// Walks from the asking node below a limit.
    pub(crate) fn walk(&mut self, history: &EdgeHistory, source: NodeIndex, limit: u32, hints: &mut Hints) {
        let [mut ones, mut twos, mut threes] = [LastPartners::default(); 3];
        history.last_partners((source, source), limit, REACH[0], hints, &mut ones);
        let mut first = 1.0;
        for &one in ones.nodes() {
            history.last_partners((one, source), limit, REACH[1], hints, &mut twos);
            let mut second = first;
            for (step, &two) in twos.nodes().iter().enumerate() {
                self.reach(two, 0, second);
                if step < REACH[2] && self.may_reach_from(history, two, limit, hints) {
                    history.last_partners((two, one), limit, REACH[2], hints, &mut threes);
                    let mut third = second;
                    for &three in threes.nodes() {
                        self.reach(three, 1, third);
                        third *= WEIGHTS[2];
                    }
                }
                second *= WEIGHTS[1];
            }
            first *= WEIGHTS[0];
        }
    }

    /// Whether the last step from a node may end at a candidate: most do not, and need no order.
    fn may_reach_from(&self, history: &EdgeHistory, node: NodeIndex, limit: u32, hints: &mut Hints) -> bool {
        let newest = history.newest(node, limit, 2 * REACH[2], hints);
        newest.is_none_or(|newest| newest.iter().fold(false, |any, &node| any | self.may_hold(node)))
    }
}
