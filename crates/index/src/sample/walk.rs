//! Random walks: through the graph of one time, or along edges whose times respect each other.

use timeweft_graph::{EdgeIndex, NodeIndex, Time};

use super::choice::Choice;
use super::forward::Forward;
use super::node2vec::Node2Vec;
use super::random::Stream;
use super::sampling::Sampling;
use super::scale::WeightBy;
use super::scope::{AsOf, EdgeFilter, NO_NODE, Roots, SampleError, Scope, check_length};
use super::slots::{Batch, Missing, Slots};
use crate::Index;

/// How the times of the edges of a walk respect each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WalkTimes {
    /// Not at all: each step sees the graph as of the root's time.
    Any,
    /// No edge is younger than the one before: each step sees the graph as of when the edge before was created.
    NotLater,
    /// Each edge is older than the one before: each step sees the graph as of before that.
    Earlier,
    /// Each edge was created after the one before, the first at the root's time or later. Edges that have been removed
    /// since count, and [`Scope::as_of`] and deletes are not looked at. With [`Scope::within`] each was created at most so
    /// many ticks after the one before, the first after the root's time.
    Later,
}

/// How walks go.
#[derive(Clone, PartialEq, Debug)]
pub struct Walk {
    /// Along which edges, as of when.
    pub scope: Scope,
    /// Steps.
    pub length: usize,
    /// How times respect each other.
    pub times: WalkTimes,
    /// How unlikely it is to go back to where it came from (node2vec: Grover, Leskovec 2016); 1 changes nothing.
    pub p: f64,
    /// How unlikely it is to go to a node that is no neighbor of where it came from; 1 changes nothing.
    pub q: f64,
    /// What edges weigh; forward walks take all alike.
    pub weight: WeightBy,
    /// Equal seeds give equal walks.
    pub seed: u64,
    /// Position of the first root among all roots, where they come in several batches.
    pub first_root: u64,
}

impl Walk {
    /// Walks of `length` steps with equal chances, seed 0.
    pub fn new(scope: Scope, length: usize, times: WalkTimes) -> Walk {
        Walk { scope, length, times, p: 1.0, q: 1.0, weight: WeightBy::One, seed: 0, first_root: 0 }
    }

    fn check(&self) -> Result<(), SampleError> {
        for (what, value) in [("p", self.p), ("q", self.q)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(SampleError::Range { what, value: value.to_string(), wanted: "a number above 0" });
            }
        }
        Ok(())
    }

    fn is_plain(&self) -> bool {
        self.p == 1.0 && self.q == 1.0
    }
}

/// Where walks are written: `nodes` has `length + 1` a root, the root first; the others, if given, `length`. Where a walk
/// ends early, the rest is [`Missing::NONE`].
#[derive(Default, Debug)]
#[allow(missing_docs)]
pub struct Steps<'a> {
    pub nodes: &'a mut [NodeIndex],
    pub edges: Option<&'a mut [EdgeIndex]>,
    pub created: Option<&'a mut [Time]>,
}

/// One step of all walks.
struct Step {
    nodes: Vec<NodeIndex>,
    edges: Vec<EdgeIndex>,
    created: Vec<Time>,
}

impl Index {
    /// Walks from each root.
    ///
    /// # Errors
    /// If an array has the wrong length, `p` or `q` is not above 0, the weight is no feature of one number, or the window is
    /// empty.
    pub fn walk(&self, walk: &Walk, roots: Roots<'_>, steps: Steps<'_>) -> Result<(), SampleError> {
        let (n, length) = (roots.len(), walk.length);
        walk.check()?;
        check_length("nodes", steps.nodes.len(), n * (length + 1))?;
        check_length("edges", steps.edges.as_ref().map_or(n * length, |edges| edges.len()), n * length)?;
        check_length("created", steps.created.as_ref().map_or(n * length, |created| created.len()), n * length)?;
        let (mut nodes, mut times, mut came) = (roots.nodes.to_vec(), roots.times.to_vec(), vec![NO_NODE; n]);
        let Steps { nodes: walked, mut edges, mut created } = steps;
        nodes.iter().enumerate().for_each(|(root, node)| walked[root * (length + 1)] = *node);
        for at in 0..length {
            let step = self.step(walk, at, Roots::new(&nodes, &times)?, &came)?;
            for root in 0..n {
                walked[root * (length + 1) + at + 1] = step.nodes[root];
                if let Some(edges) = &mut edges {
                    edges[root * length + at] = step.edges[root];
                }
                if let Some(created) = &mut created {
                    created[root * length + at] = step.created[root];
                }
            }
            if walk.times != WalkTimes::Any {
                times = step.created;
            }
            came = std::mem::replace(&mut nodes, step.nodes);
        }
        Ok(())
    }

    fn step(&self, walk: &Walk, at: usize, roots: Roots<'_>, came: &[NodeIndex]) -> Result<Step, SampleError> {
        let (n, none) = (roots.len(), Missing::NONE);
        let mut step =
            Step { nodes: vec![none.neighbor; n], edges: vec![none.edge; n], created: vec![none.created; n] };
        let slots = Slots {
            neighbors: Some(&mut step.nodes),
            edges: Some(&mut step.edges),
            created: Some(&mut step.created),
            ..Slots::default()
        };
        let as_of = match walk.times {
            _ if at == 0 => walk.scope.as_of,
            WalkTimes::Any => walk.scope.as_of,
            WalkTimes::NotLater | WalkTimes::Later => AsOf::At,
            WalkTimes::Earlier => AsOf::Before,
        };
        let scope = Scope { as_of, ..walk.scope.clone() };
        let stream = Stream::new(walk.seed, at as u64);
        if walk.times != WalkTimes::Later && (walk.is_plain() || at == 0) {
            let sampling = Sampling::new(scope, Choice::Weighted, 1).weight(walk.weight.clone()).seed(walk.seed);
            self.sample_hop(&Sampling { first_root: walk.first_root, ..sampling }, at as u64, roots, slots)?;
            return Ok(step);
        }
        let (filter, batch) =
            (&EdgeFilter::new(&scope)?, Batch { first: walk.first_root, positions: None, roots, slots, k: 1 });
        if walk.times == WalkTimes::Later {
            let filter = &filter.clone().without_window();
            Forward { index: self, filter, within: scope.within, is_first: at == 0, stream }.step(batch);
        } else {
            let weights = self.weights(&walk.weight)?;
            let (weights, p, q) = (weights.as_deref(), walk.p, walk.q);
            Node2Vec { index: self, scope: &scope, filter, weights, p, q, stream }.step(batch, came);
        }
        Ok(step)
    }
}
