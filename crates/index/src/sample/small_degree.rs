//! Roots with few edges, the most common ones: all of them are looked at, and chosen from by their position.
//!
//! The loops take no branch that depends on what is seen, and compare [`LANES`] numbers at a time. They are compiled once
//! for every processor, and again for wider vectors, which are used where they exist; the answers are the same.

use std::ops::Range;

use timeweft_graph::{EdgeTypeId, Time};

use super::alive::Moment;
use super::random::Draws;
use super::sampling::Choice;
use super::slots::{Missing, Slots};
use super::traversal::Width;
use super::weights::{Scale, clean};
use crate::adjacency::{Clock, Entry, Part, Parts};

/// Roots with at most so many entries in scope, and samples of at most so many.
pub(crate) const FEW: usize = 64;

/// Any position, without a check whether it is below [`FEW`].
const MASK: usize = FEW - 1;

/// Numbers that are compared together.
const LANES: usize = 8;

/// Room for the edges of a root, and for the choice among them.
pub(crate) struct Few<T: Width> {
    copied: Copied<T>,
    choice: Chosen<T>,
}

/// What does not lie side by side already.
struct Copied<T> {
    entries: [Entry<T>; FEW],
    weights: [f64; FEW],
    /// With room for a last stretch of [`STRETCH`].
    types: [EdgeTypeId; FEW + STRETCH],
}

/// Types are written so many at a time.
const STRETCH: usize = 16;

/// The edges in scope of a root, seen or not, in the order of its lists.
struct Edges<'a, T> {
    entries: &'a [Entry<T>],
    /// Of the length of the entries if weights are wanted, else empty.
    weights: &'a [f64],
    types: &'a [EdgeTypeId; FEW + STRETCH],
}

/// Which edges are chosen, and what it takes to choose them.
struct Chosen<T: Width> {
    /// Positions of those that are seen.
    seen: [u32; FEW],
    n_seen: usize,
    /// Sums of weights, up to and with each edge.
    sums: [f64; FEW],
    /// The last unit of each.
    marks: [i32; FEW],
    ranks: [T::Rank; FEW],
    /// Positions of those that are chosen.
    chosen: [u32; FEW],
    n_chosen: usize,
}

/// What one root is asked for.
pub(crate) struct Ask<'a, T> {
    pub(crate) moment: Moment<T>,
    pub(crate) choice: Choice,
    pub(crate) k: usize,
    /// Whether weights are needed, to choose or as an answer; without, all weigh 1.0.
    pub(crate) weighs: bool,
    pub(crate) scale: Scale<'a>,
    pub(crate) draws: Draws,
    /// Position of the root, and its slots.
    pub(crate) at: usize,
    pub(crate) own: Range<usize>,
    pub(crate) missing: &'a Missing,
}

impl<T: Width> Default for Few<T> {
    fn default() -> Few<T> {
        let types = [EdgeTypeId(0); FEW + STRETCH];
        Few {
            copied: Copied { entries: [Entry::default(); FEW], weights: [0.0; FEW], types },
            choice: Chosen {
                seen: [0; FEW],
                n_seen: 0,
                sums: [0.0; FEW],
                marks: [0; FEW],
                ranks: [T::Rank::default(); FEW],
                chosen: [0; FEW],
                n_chosen: 0,
            },
        }
    }
}

impl<T: Width> Few<T> {
    /// Whether it is for such a choice and such lists.
    #[inline]
    pub(crate) fn takes(choice: Choice, k: usize, parts: &[Part]) -> bool {
        let known = matches!(choice, Choice::Last | Choice::Uniform | Choice::UniformDistinct | Choice::Weighted);
        known && k <= FEW && parts.iter().map(Part::len).sum::<usize>() <= FEW
    }

    /// Chooses from lists that [`Few::takes`], and writes what was chosen.
    #[inline(always)]
    pub(crate) fn answer<'a, P: Parts<'a, T>>(
        &mut self,
        source: P,
        parts: &[Part],
        ask: Ask<'_, T>,
        slots: &mut Slots<'_>,
    ) {
        let Few { copied, choice } = self;
        if slots.edge_types.is_some() {
            copied.lay_types(parts);
        }
        let edges = copied.edges(source, parts, &ask);
        choice.choose(&edges, &ask, parts.len());
        choice.write(&edges, &ask, source.clock(), slots);
    }
}

impl<T: Width> Copied<T> {
    /// Writes the type of each edge.
    #[inline(always)]
    fn lay_types(&mut self, parts: &[Part]) {
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

    /// The edges where they lie, if they lie side by side, else copied so, with what they weigh if that is wanted.
    #[inline(always)]
    fn edges<'s, 'p: 's, 'w: 's, P: Parts<'p, T>>(
        &'s mut self,
        source: P,
        parts: &[Part],
        ask: &Ask<'w, T>,
    ) -> Edges<'s, T> {
        let Copied { entries: room, weights, types } = self;
        let (mut entries, joined) = source.joined(parts);
        if joined < parts.len() {
            entries = copy(parts.iter().map(|part| source.entries(part)), room);
        }
        let weights = if ask.weighs { weigh::<T, P>(entries, joined, parts, ask, weights) } else { &[] };
        Edges { entries, weights, types }
    }
}

/// The weights of the edges that are seen.
#[inline(always)]
fn weigh<'s, 'p, 'w: 's, T: Width, P: Parts<'p, T>>(
    entries: &[Entry<T>],
    joined: usize,
    parts: &[Part],
    ask: &Ask<'w, T>,
    room: &'s mut [f64; FEW],
) -> &'s [f64] {
    let must_be_read = |weights: &[f64]| weights.iter().fold(0, |signs, weight| signs | weight.to_bits()) >> 63 == 1;
    if let (true, Some(first), Some(last)) = (joined == parts.len(), parts.first(), parts.last()) {
        let weights = ask.scale.of_places::<T, P>(first.start..last.end);
        if weights.len() == entries.len() && !must_be_read(weights) {
            return weights;
        }
    }
    room[..entries.len()].fill(-0.0);
    copy(parts.iter().map(|part| ask.scale.of_places::<T, P>(part.start..part.end)), room);
    let weights = &mut room[..entries.len()];
    if must_be_read(weights) {
        for (weight, entry) in weights.iter_mut().zip(entries) {
            if weight.is_sign_negative() {
                *weight = if ask.moment.sees(entry) { ask.scale.read(entry.edge()) } else { 0.0 };
            }
        }
    }
    weights
}

/// Copies stretches side by side.
fn copy<'s, 'p, S: Copy + 'p>(stretches: impl Iterator<Item = &'p [S]>, room: &'s mut [S; FEW]) -> &'s [S] {
    let mut n = 0;
    for stretch in stretches {
        let end = (n + stretch.len()).min(FEW);
        room[n..end].copy_from_slice(&stretch[..end - n]);
        n = end;
    }
    &room[..n]
}

impl<T: Width> Chosen<T> {
    #[inline(always)]
    fn choose(&mut self, edges: &Edges<'_, T>, ask: &Ask<'_, T>, lists: usize) {
        self.n_chosen = 0;
        let mut n = 0;
        for (at, entry) in (0..).zip(edges.entries) {
            self.seen[n & MASK] = at;
            n += usize::from(ask.moment.sees(entry));
        }
        self.n_seen = n.min(FEW);
        if n > 0 {
            match ask.choice {
                Choice::Last => self.last(edges, ask.k, lists),
                Choice::UniformDistinct => self.uniform_distinct(ask.k, ask.draws.clone()),
                Choice::Weighted if ask.weighs => self.weighted(edges.weights, ask.k, ask.draws.clone()),
                _ => self.uniform(ask.k, ask.draws.clone()),
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
    fn last(&mut self, edges: &Edges<'_, T>, k: usize, lists: usize) {
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

    /// Writes what was chosen for the root, and what stands for nothing behind it.
    #[inline(always)]
    fn write(&self, edges: &Edges<'_, T>, ask: &Ask<'_, T>, clock: Clock, slots: &mut Slots<'_>) {
        let (own, missing, entry) = (&ask.own, ask.missing, |at: usize| &edges.entries[at]);
        if let Some(slots) = &mut slots.neighbors {
            self.fill(&mut slots[own.clone()], missing.neighbor, |at| entry(at).neighbor());
        }
        if let Some(slots) = &mut slots.edges {
            self.fill(&mut slots[own.clone()], missing.edge, |at| entry(at).edge());
        }
        if let Some(slots) = &mut slots.edge_types {
            self.fill(&mut slots[own.clone()], missing.edge_type, |at| edges.types[at & MASK]);
        }
        if let Some(slots) = &mut slots.created {
            self.fill(&mut slots[own.clone()], missing.created, |at| -> Time { entry(at).created.time(clock) });
        }
        if let Some(slots) = &mut slots.weights {
            self.fill(&mut slots[own.clone()], missing.weight, |at| edges.weights.get(at).copied().unwrap_or(1.0));
        }
        if let Some(counts) = &mut slots.counts {
            counts[ask.at] = self.n_chosen as u32;
        }
    }

    #[inline(always)]
    fn fill<S: Copy>(&self, slots: &mut [S], missing: S, of: impl Fn(usize) -> S) {
        let filled = self.n_chosen.min(slots.len());
        let (first, rest) = slots.split_at_mut(filled);
        first.iter_mut().zip(&self.chosen).for_each(|(slot, &at)| *slot = of(at as usize));
        rest.iter_mut().for_each(|slot| *slot = missing);
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
fn below<T: Width>(ranks: &[T::Rank], own: &[T::Rank; LANES]) -> [u64; LANES] {
    let mut counts = [0u64; LANES];
    for rank in ranks {
        for (count, own) in counts.iter_mut().zip(own) {
            *count += u64::from(rank > own);
        }
    }
    counts
}
