//! Where samples are written: flat arrays of the caller, `k` slots a root.

use std::ops::Range;

use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};

use super::scope::{NO_NODE, Roots, SampleError, check_length};
use crate::parallel::Split;

/// Arrays of `roots * k` slots, those of a root side by side; only those given are written. `counts` has one number a
/// root: how many of its slots are filled.
#[derive(Default, Debug)]
pub struct Slots<'a> {
    /// The node at the other end.
    pub neighbors: Option<&'a mut [NodeIndex]>,
    /// The edge's life.
    pub edges: Option<&'a mut [EdgeIndex]>,
    /// The edge's type.
    pub edge_types: Option<&'a mut [EdgeTypeId]>,
    /// Which side of the edge the root is.
    pub directions: Option<&'a mut [Direction]>,
    /// When the edge was created.
    pub created: Option<&'a mut [Time]>,
    /// The edge's weight as of the root's time; 1.0 where edges have none.
    pub weights: Option<&'a mut [f64]>,
    /// Filled slots of each root.
    pub counts: Option<&'a mut [u32]>,
}

/// What is written into slots that have nothing.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(missing_docs)]
pub struct Missing {
    pub neighbor: NodeIndex,
    pub edge: EdgeIndex,
    pub edge_type: EdgeTypeId,
    pub created: Time,
    pub weight: f64,
}

impl Missing {
    /// The highest number of each kind, which stands for none; [`Time::MIN`]; weight 0.
    pub const NONE: Missing = Missing {
        neighbor: NO_NODE,
        edge: EdgeIndex(u32::MAX),
        edge_type: EdgeTypeId(u16::MAX),
        created: Time::MIN,
        weight: 0.0,
    };
}

impl<'a> Slots<'a> {
    /// The same slots for a shorter while.
    pub(crate) fn reborrow(&mut self) -> Slots<'_> {
        Slots {
            neighbors: self.neighbors.as_deref_mut(),
            edges: self.edges.as_deref_mut(),
            edge_types: self.edge_types.as_deref_mut(),
            directions: self.directions.as_deref_mut(),
            created: self.created.as_deref_mut(),
            weights: self.weights.as_deref_mut(),
            counts: self.counts.as_deref_mut(),
        }
    }

    /// Checks that all arrays have the lengths for this number of roots with `k` slots each.
    pub(crate) fn check(&self, roots: usize, k: usize) -> Result<(), SampleError> {
        let n = roots.saturating_mul(k);
        let check = |what, len: Option<usize>, wanted| len.map_or(Ok(()), |len| check_length(what, len, wanted));
        check("neighbors", self.neighbors.as_ref().map(|a| a.len()), n)?;
        check("edges", self.edges.as_ref().map(|a| a.len()), n)?;
        check("edge_types", self.edge_types.as_ref().map(|a| a.len()), n)?;
        check("directions", self.directions.as_ref().map(|a| a.len()), n)?;
        check("created", self.created.as_ref().map(|a| a.len()), n)?;
        check("weights", self.weights.as_ref().map(|a| a.len()), n)?;
        check("counts", self.counts.as_ref().map(|a| a.len()), roots)
    }

    /// The slots of the first roots, and those of the others.
    fn split_at(self, roots: usize, k: usize) -> (Slots<'a>, Slots<'a>) {
        let n = roots * k;
        let (neighbors, edges) = (self.neighbors.split_at(n), self.edges.split_at(n));
        let (edge_types, created) = (self.edge_types.split_at(n), self.created.split_at(n));
        let directions = self.directions.split_at(n);
        let (weights, counts) = (self.weights.split_at(n), self.counts.split_at(roots));
        let first = Slots {
            neighbors: neighbors.0,
            edges: edges.0,
            edge_types: edge_types.0,
            directions: directions.0,
            created: created.0,
            weights: weights.0,
            counts: counts.0,
        };
        let rest = Slots {
            neighbors: neighbors.1,
            edges: edges.1,
            edge_types: edge_types.1,
            directions: directions.1,
            created: created.1,
            weights: weights.1,
            counts: counts.1,
        };
        (first, rest)
    }
}

/// What was picked for a root.
pub(crate) trait Picked {
    /// Where a pick is found.
    type Place: Copy;

    /// The picks, in order.
    fn places(&self) -> &[Self::Place];
    fn neighbor(&self, place: Self::Place) -> NodeIndex;
    fn edge(&self, place: Self::Place) -> EdgeIndex;
    fn edge_type(&self, place: Self::Place) -> EdgeTypeId;
    fn direction(&self, place: Self::Place) -> Direction;
    fn created(&self, place: Self::Place) -> Time;
    fn weight(&self, place: Self::Place) -> f64;
}

impl Slots<'_> {
    /// Writes what was picked for a root into its `k` slots, and what stands for nothing behind it.
    #[inline(always)]
    pub(crate) fn put<P: Picked>(&mut self, root: usize, k: usize, picked: &P, missing: &Missing) {
        let (own, places) = (root * k..(root + 1) * k, picked.places());
        fill(&mut self.neighbors, &own, places, missing.neighbor, |place| picked.neighbor(place));
        fill(&mut self.edges, &own, places, missing.edge, |place| picked.edge(place));
        fill(&mut self.edge_types, &own, places, missing.edge_type, |place| picked.edge_type(place));
        fill(&mut self.directions, &own, places, Direction::Out, |place| picked.direction(place));
        fill(&mut self.created, &own, places, missing.created, |place| picked.created(place));
        fill(&mut self.weights, &own, places, missing.weight, |place| picked.weight(place));
        if let Some(counts) = &mut self.counts {
            counts[root] = places.len() as u32;
        }
    }
}

#[inline(always)]
fn fill<S: Copy, P: Copy>(
    array: &mut Option<&mut [S]>,
    own: &Range<usize>,
    places: &[P],
    missing: S,
    value: impl Fn(P) -> S,
) {
    let Some(array) = array else { return };
    let slots = &mut array[own.clone()];
    let (filled, empty) = slots.split_at_mut(places.len().min(slots.len()));
    filled.iter_mut().zip(places).for_each(|(slot, &place)| *slot = value(place));
    empty.iter_mut().for_each(|slot| *slot = missing);
}

/// Roots and their slots.
pub(crate) struct Batch<'a> {
    /// Position of the first root among all.
    pub(crate) first: u64,
    /// The position of each root, where they do not lie side by side.
    pub(crate) positions: Option<&'a [u64]>,
    pub(crate) roots: Roots<'a>,
    pub(crate) slots: Slots<'a>,
    /// Slots of a root.
    pub(crate) k: usize,
}

impl Batch<'_> {
    /// The position of a root among all.
    #[inline]
    pub(crate) fn position(&self, at: usize) -> u64 {
        match self.positions {
            None => self.first.wrapping_add(at as u64),
            Some(positions) => positions[at],
        }
    }
}

impl Split for Batch<'_> {
    fn len(&self) -> usize {
        self.roots.len()
    }
    fn split_at(self, at: usize) -> (Self, Self) {
        let ((roots, roots_rest), (slots, slots_rest)) = (self.roots.split_at(at), self.slots.split_at(at, self.k));
        let (positions, positions_rest) = self.positions.split_at(at);
        let first = self.first.wrapping_add(at as u64);
        let rest = Batch { first, positions: positions_rest, roots: roots_rest, slots: slots_rest, k: self.k };
        (Batch { positions, roots, slots, ..self }, rest)
    }
}

/// Slots that own their arrays, to be used again from call to call.
#[derive(Clone, PartialEq, Debug, Default)]
#[allow(missing_docs)]
pub struct Samples {
    pub neighbors: Vec<NodeIndex>,
    pub edges: Vec<EdgeIndex>,
    pub edge_types: Vec<EdgeTypeId>,
    pub created: Vec<Time>,
    pub weights: Vec<f64>,
    pub counts: Vec<u32>,
}

impl Samples {
    /// All slots for a number of roots with `k` slots each.
    pub fn slots(&mut self, roots: usize, k: usize) -> Slots<'_> {
        let (n, none) = (roots * k, Missing::NONE);
        self.neighbors.resize(n, none.neighbor);
        self.edges.resize(n, none.edge);
        self.edge_types.resize(n, none.edge_type);
        self.created.resize(n, none.created);
        self.weights.resize(n, none.weight);
        self.counts.resize(roots, 0);
        Slots {
            neighbors: Some(&mut self.neighbors),
            edges: Some(&mut self.edges),
            edge_types: Some(&mut self.edge_types),
            directions: None,
            created: Some(&mut self.created),
            weights: Some(&mut self.weights),
            counts: Some(&mut self.counts),
        }
    }
}
