//! Roots of small degree, the most common ones: all of their edges are read, and chosen from by position.
//!
//! The loops take no branch that depends on what is seen, and compare [`LANES`] numbers at a time. They are compiled once
//! for every processor, and again for wider vectors, which are used where they exist; the answers are the same.

use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};

use super::alive::Moment;
use super::choice::SmallChoice;
use super::random::Draws;
use super::scale::Scale;
use super::slots::{Missing, Picked, Slots};
use super::weights::clean;
use crate::adjacency::{Clock, Entry, ListPart, ListSource, Tick};

/// The most entries that a root of small degree has in scope, and the most that are sampled.
pub(crate) const SMALL: usize = 64;

/// Any position, without a check whether it is below [`SMALL`].
const MASK: usize = SMALL - 1;

/// Numbers that are compared together.
const LANES: usize = 8;

/// Samples roots of small degree, one after the other in the same buffers.
pub(crate) struct SmallSampler<T: Tick> {
    gathered: Gathered<T>,
    picker: Picker<T>,
}

/// Buffers for edges that do not lie side by side already.
struct Gathered<T> {
    entries: [Entry<T>; SMALL],
    weights: [f64; SMALL],
    /// With space for a last stretch of [`STRETCH`].
    types: [EdgeTypeId; SMALL + STRETCH],
}

/// How many types are written at a time.
const STRETCH: usize = 16;

/// The edges in scope of a root, seen or not, in the order of its lists.
struct RootEdges<'a, T> {
    entries: &'a [Entry<T>],
    /// Of the length of the entries if weights are wanted, else empty.
    weights: &'a [f64],
    types: &'a [EdgeTypeId; SMALL + STRETCH],
}

/// Which edges are chosen, and what it takes to choose them.
struct Picker<T: Tick> {
    /// Positions of those that are seen.
    seen: [u32; SMALL],
    n_seen: usize,
    /// Sums of weights, up to and with each edge.
    sums: [f64; SMALL],
    /// The last unit of each.
    marks: [i32; SMALL],
    ranks: [T::Rank; SMALL],
    /// Positions of those that are chosen.
    chosen: [u32; SMALL],
    n_chosen: usize,
}

/// What one root is asked for.
pub(crate) struct Question<'a, T> {
    pub(crate) moment: Moment<T>,
    pub(crate) choice: SmallChoice,
    pub(crate) k: usize,
    /// Whether weights are needed, to choose or as an answer; without, all weigh 1.0.
    pub(crate) weighs: bool,
    pub(crate) scale: Scale<'a>,
    pub(crate) draws: Draws,
    /// Position of the root.
    pub(crate) at: usize,
    pub(crate) missing: &'a Missing,
}

impl<T: Tick> Default for SmallSampler<T> {
    fn default() -> SmallSampler<T> {
        let types = [EdgeTypeId(0); SMALL + STRETCH];
        SmallSampler {
            gathered: Gathered { entries: [Entry::default(); SMALL], weights: [0.0; SMALL], types },
            picker: Picker {
                seen: [0; SMALL],
                n_seen: 0,
                sums: [0.0; SMALL],
                marks: [0; SMALL],
                ranks: [T::Rank::default(); SMALL],
                chosen: [0; SMALL],
                n_chosen: 0,
            },
        }
    }
}

impl<T: Tick> SmallSampler<T> {
    /// Whether the lists of a root are short enough.
    #[inline]
    pub(crate) fn takes(parts: &[ListPart]) -> bool {
        parts.iter().map(ListPart::len).sum::<usize>() <= SMALL
    }

    /// Chooses from lists that [`SmallSampler::takes`], and writes what was chosen.
    #[inline(always)]
    pub(crate) fn answer<'a, P: ListSource<'a, T>>(
        &mut self,
        source: P,
        parts: &[ListPart],
        question: Question<'_, T>,
        slots: &mut Slots<'_>,
    ) {
        let SmallSampler { gathered, picker } = self;
        if slots.edge_types.is_some() {
            gathered.lay_types(parts);
        }
        let edges = gathered.edges(source, parts, &question);
        picker.choose(&edges, &question, parts.len());
        let picked = PickedSmall { picks: &picker.chosen[..picker.n_chosen.min(SMALL)], edges, clock: source.clock() };
        slots.put(question.at, question.k, &picked, question.missing);
    }
}

impl<T: Tick> Gathered<T> {
    /// Writes the type of each edge.
    #[inline(always)]
    fn lay_types(&mut self, parts: &[ListPart]) {
        let mut start = 0;
        for part in parts {
            let end = start + part.len();
            while start < end {
                // More than there are: what comes next is written over.
                self.types[start..start + STRETCH].fill(part.edge_type);
                start += STRETCH;
            }
            start = end;
        }
    }

    /// The edges where they lie, if they lie side by side, else gathered so, with what they weigh if that is wanted.
    #[inline(always)]
    fn edges<'s, 'p: 's, 'w: 's, P: ListSource<'p, T>>(
        &'s mut self,
        source: P,
        parts: &[ListPart],
        question: &Question<'w, T>,
    ) -> RootEdges<'s, T> {
        let Gathered { entries: scratch, weights, types } = self;
        let (mut entries, joined) = source.joined(parts);
        if joined < parts.len() {
            entries = copy(parts.iter().map(|part| source.entries(part)), scratch);
        }
        let weights = if question.weighs { weigh::<T, P>(entries, joined, parts, question, weights) } else { &[] };
        RootEdges { entries, weights, types }
    }
}

/// The weights of the edges that are seen.
#[inline(always)]
fn weigh<'s, 'p, 'w: 's, T: Tick, P: ListSource<'p, T>>(
    entries: &[Entry<T>],
    joined: usize,
    parts: &[ListPart],
    question: &Question<'w, T>,
    scratch: &'s mut [f64; SMALL],
) -> &'s [f64] {
    let must_be_read = |weights: &[f64]| weights.iter().fold(0, |signs, weight| signs | weight.to_bits()) >> 63 == 1;
    if let (true, Some(first), Some(last)) = (joined == parts.len(), parts.first(), parts.last()) {
        let weights = question.scale.of_places::<T, P>(first.start..last.end);
        if weights.len() == entries.len() && !must_be_read(weights) {
            return weights;
        }
    }
    scratch[..entries.len()].fill(-0.0);
    copy(parts.iter().map(|part| question.scale.of_places::<T, P>(part.start..part.end)), scratch);
    let weights = &mut scratch[..entries.len()];
    if must_be_read(weights) {
        for (weight, entry) in weights.iter_mut().zip(entries) {
            if weight.is_sign_negative() {
                *weight = if question.moment.sees(entry) { question.scale.read(entry.edge()) } else { 0.0 };
            }
        }
    }
    weights
}

/// Copies stretches side by side.
fn copy<'s, 'p, S: Copy + 'p>(stretches: impl Iterator<Item = &'p [S]>, scratch: &'s mut [S; SMALL]) -> &'s [S] {
    let mut n = 0;
    for stretch in stretches {
        let end = (n + stretch.len()).min(SMALL);
        scratch[n..end].copy_from_slice(&stretch[..end - n]);
        n = end;
    }
    &scratch[..n]
}

impl<T: Tick> Picker<T> {
    #[inline(always)]
    fn choose(&mut self, edges: &RootEdges<'_, T>, question: &Question<'_, T>, lists: usize) {
        self.n_chosen = 0;
        let mut n = 0;
        for (at, entry) in (0..).zip(edges.entries) {
            self.seen[n & MASK] = at;
            n += usize::from(question.moment.sees(entry));
        }
        self.n_seen = n.min(SMALL);
        if n > 0 {
            match question.choice {
                SmallChoice::Last => self.last(edges, question.k, lists),
                SmallChoice::Uniform => self.uniform(question.k, question.draws.clone()),
                SmallChoice::UniformDistinct => self.uniform_distinct(question.k, question.draws.clone()),
                SmallChoice::Weighted => self.weighted(edges.weights, question.k, question.draws.clone()),
            }
        }
    }

    #[inline(always)]
    fn uniform(&mut self, k: usize, mut draws: Draws) {
        let (pairs, last) = self.chosen[..k].as_chunks_mut::<2>();
        let of = |at: u32| self.seen[at as usize & MASK];
        pairs.iter_mut().for_each(|pair| *pair = draws.two_below(self.n_seen as u32).map(of));
        last.iter_mut().for_each(|one| *one = of(draws.two_below(self.n_seen as u32)[0]));
        self.n_chosen = k;
    }

    #[inline(always)]
    fn uniform_distinct(&mut self, k: usize, mut draws: Draws) {
        self.chosen = self.seen;
        self.n_chosen = k.min(self.n_seen);
        for at in 0..self.n_chosen {
            let other = at + draws.below(self.n_seen - at);
            self.chosen.swap(at & MASK, other & MASK);
        }
    }

    /// Draws by sums of weights in units of 2^-31 of the sum of all, so that a chance is off by less than one such unit. What
    /// weighs nothing has no unit.
    #[inline(always)]
    fn weighted(&mut self, weights: &[f64], k: usize, mut draws: Draws) {
        let (mut sum, n) = (0.0, self.n_seen);
        for (total, &at) in self.sums.iter_mut().zip(&self.seen[..n]) {
            sum += clean(weights[at as usize]);
            *total = sum;
        }
        if sum == 0.0 {
            return;
        }
        // The sum may be so small that no number has its inverse.
        let up = if sum < 1e-290 { 1e290 } else { 1.0 };
        let unit = f64::from(1u32 << 31) / (sum * up);
        for (mark, total) in self.marks.iter_mut().zip(&self.sums[..n]) {
            *mark = round(total * up * unit).wrapping_sub(1) as i32;
        }
        let (chosen, _) = self.chosen[..k.next_multiple_of(2 * LANES)].as_chunks_mut::<LANES>();
        for pair in chosen.chunks_exact_mut(2) {
            let numbers = draws.short::<LANES>();
            for (chosen, numbers) in pair.iter_mut().zip(&numbers) {
                *chosen = above(&self.marks[..n], numbers).map(|place| self.seen[place as usize & MASK]);
            }
        }
        self.n_chosen = k;
    }

    /// The newest, by counting for each how many are newer.
    #[inline(always)]
    fn last(&mut self, edges: &RootEdges<'_, T>, k: usize, lists: usize) {
        let n = self.n_seen;
        self.n_chosen = k.min(n);
        let seen = &self.seen[..n];
        if lists == 1 {
            return seen.iter().rev().zip(&mut self.chosen).for_each(|(at, chosen)| *chosen = *at);
        }
        for (rank, &at) in self.ranks.iter_mut().zip(seen) {
            *rank = edges.entries[at as usize].rank();
        }
        let (lanes, _) = self.ranks[..n.next_multiple_of(LANES)].as_chunks::<LANES>();
        for (own, seen) in lanes.iter().zip(seen.chunks(LANES)) {
            for (place, at) in below::<T>(&self.ranks[..n], own).iter().zip(seen) {
                self.chosen[*place as usize & MASK] = *at;
            }
        }
    }
}

/// What was chosen for a root, by the positions of its edges.
struct PickedSmall<'a, T> {
    picks: &'a [u32],
    edges: RootEdges<'a, T>,
    clock: Clock,
}

impl<T: Tick> Picked for PickedSmall<'_, T> {
    type Place = u32;

    #[inline(always)]
    fn places(&self) -> &[u32] {
        self.picks
    }
    #[inline(always)]
    fn neighbor(&self, at: u32) -> NodeIndex {
        self.edges.entries[at as usize].neighbor()
    }
    #[inline(always)]
    fn edge(&self, at: u32) -> EdgeIndex {
        self.edges.entries[at as usize].edge()
    }
    #[inline(always)]
    fn edge_type(&self, at: u32) -> EdgeTypeId {
        self.edges.types[at as usize & MASK]
    }
    #[inline(always)]
    fn direction(&self, at: u32) -> Direction {
        self.edges.entries[at as usize].direction()
    }
    #[inline(always)]
    fn created(&self, at: u32) -> Time {
        self.edges.entries[at as usize].created.time(self.clock)
    }
    #[inline(always)]
    fn weight(&self, at: u32) -> f64 {
        self.edges.weights.get(at as usize).copied().unwrap_or(1.0)
    }
}

/// The nearest whole number to one of at most 2^31.
#[inline(always)]
fn round(number: f64) -> u32 {
    // From 2^52 on numbers are whole, and their last bits count from there.
    (number + (1u64 << 52) as f64).to_bits() as u32
}

/// For each number how many marks it is above.
#[inline(always)]
fn above(marks: &[i32], numbers: &[i32; LANES]) -> [u32; LANES] {
    let mut counts = [0; LANES];
    for mark in marks {
        for (count, number) in counts.iter_mut().zip(numbers) {
            *count += u32::from(number > mark);
        }
    }
    counts
}

/// For each of some ranks how many of all it is below.
#[inline(always)]
fn below<T: Tick>(ranks: &[T::Rank], own: &[T::Rank; LANES]) -> [u64; LANES] {
    let mut counts = [0u64; LANES];
    for rank in ranks {
        for (count, own) in counts.iter_mut().zip(own) {
            *count += u64::from(rank > own);
        }
    }
    counts
}
