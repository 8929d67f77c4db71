//! Roots with few edges, the most common ones: all that is seen is copied side by side and chosen from there.
//!
//! The loops take no branch that depends on what is seen, and compare [`LANES`] numbers at a time. They are compiled once
//! for every processor, and again for wider vectors, which are used where they exist; the answers are the same.

use std::ops::Range;

use timeweft_graph::{EdgeTypeId, Time};

use super::alive::Moment;
use super::random::Draws;
use super::sampling::Choice;
use super::slots::{Missing, Slots};
use super::visit::Width;
use super::weights::{Scale, clean};
use crate::adjacency::{Clock, Entry, Part, Parts};

/// Roots with at most so many entries in scope, and samples of at most so many.
pub(crate) const FEW: usize = 64;

/// Any position, without a check whether it is below [`FEW`].
const MASK: usize = FEW - 1;

/// Numbers that are compared together.
const LANES: usize = 8;

/// What is seen at a root, and which of it was chosen.
pub(crate) struct Few<T: Width> {
    entries: [Entry<T>; FEW],
    types: [EdgeTypeId; FEW],
    weights: [f64; FEW],
    /// Sums of weights, up to and with each.
    sums: [f64; FEW],
    ranks: [T::Rank; FEW],
    len: usize,
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
        Few {
            entries: [Entry::default(); FEW],
            types: [EdgeTypeId(0); FEW],
            weights: [1.0; FEW],
            sums: [0.0; FEW],
            ranks: [T::Rank::default(); FEW],
            len: 0,
            chosen: [0; FEW],
            n_chosen: 0,
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
        if ask.weighs {
            self.gather::<P, true>(source, parts, &ask);
        } else {
            self.gather::<P, false>(source, parts, &ask);
        }
        self.n_chosen = 0;
        if self.len > 0 {
            match ask.choice {
                Choice::Last => self.last(ask.k, parts.len()),
                Choice::UniformDistinct => self.uniform_distinct(ask.k, ask.draws),
                Choice::Weighted => self.weighted(ask.k, ask.draws),
                _ => self.uniform(ask.k, ask.draws),
            }
        }
        self.write(ask.at, ask.own, source.clock(), ask.missing, slots);
    }

    /// Copies what is seen, with its weights if they are wanted.
    #[inline(always)]
    fn gather<'a, P: Parts<'a, T>, const WEIGHTS: bool>(&mut self, source: P, parts: &[Part], ask: &Ask<'_, T>) {
        let mut n = 0;
        for part in parts {
            let entries = source.entries(part);
            let weights = if WEIGHTS { ask.scale.of_part::<T, P>(part) } else { &[] };
            // Those of a part that has none known are read below, as those with the sign set.
            let known = weights.len() == entries.len();
            for (at, entry) in entries.iter().enumerate() {
                self.entries[n & MASK] = *entry;
                self.types[n & MASK] = part.edge_type;
                if WEIGHTS {
                    self.weights[n & MASK] = if known { weights[at] } else { -0.0 };
                }
                n += usize::from(ask.moment.sees(entry));
            }
        }
        self.len = n.min(FEW);
        if WEIGHTS && self.weights[..self.len].iter().fold(0, |signs, weight| signs | weight.to_bits()) >> 63 == 1 {
            for (weight, entry) in self.weights.iter_mut().zip(&self.entries[..self.len]) {
                if weight.is_sign_negative() {
                    *weight = ask.scale.read(entry.edge());
                }
            }
        }
    }

    #[inline(always)]
    fn uniform(&mut self, k: usize, mut draws: Draws) {
        let (pairs, last) = self.chosen[..k].as_chunks_mut::<2>();
        pairs.iter_mut().for_each(|pair| *pair = draws.two_below(self.len as u32));
        last.iter_mut().for_each(|one| *one = draws.two_below(self.len as u32)[0]);
        self.n_chosen = k;
    }

    #[inline(always)]
    fn uniform_distinct(&mut self, k: usize, mut draws: Draws) {
        (0..).zip(&mut self.chosen[..self.len]).for_each(|(at, chosen)| *chosen = at);
        self.n_chosen = k.min(self.len);
        for at in 0..self.n_chosen {
            let other = at + draws.below(self.len - at);
            self.chosen.swap(at & MASK, other & MASK);
        }
    }

    #[inline(always)]
    fn weighted(&mut self, k: usize, mut draws: Draws) {
        let (mut sum, n) = (0.0, self.len);
        self.sums.iter_mut().zip(&self.weights[..n]).for_each(|(total, weight)| *total = clean(*weight));
        for total in &mut self.sums[..n] {
            sum += *total;
            *total = sum;
        }
        if sum == 0.0 {
            return;
        }
        self.n_chosen = k;
        let (chosen, _) = self.chosen[..k.next_multiple_of(LANES)].as_chunks_mut::<LANES>();
        let (sums, mut all_below) = (&self.sums[..n], true);
        for chosen in chosen {
            let mut numbers = draws.units::<LANES>();
            for number in &mut numbers {
                *number *= sum;
                all_below &= *number < sum;
            }
            *chosen = below(sums, &numbers);
        }
        if all_below {
            return;
        }
        // A number may be rounded up to the sum of all, which is none's.
        while let Some(at) = self.chosen[..k].iter().position(|&at| at as usize >= n) {
            let number = draws.unit() * sum;
            self.chosen[at] = self.sums[..n].iter().map(|total| u32::from(*total <= number)).sum();
        }
    }

    /// The newest, by counting for each how many are newer.
    #[inline(always)]
    fn last(&mut self, k: usize, lists: usize) {
        let n = self.len;
        self.n_chosen = k.min(n);
        if lists == 1 {
            return (0..n as u32).rev().zip(&mut self.chosen).for_each(|(at, chosen)| *chosen = at);
        }
        for (rank, entry) in self.ranks.iter_mut().zip(&self.entries[..n]) {
            *rank = entry.rank();
        }
        let (lanes, _) = self.ranks[..n.next_multiple_of(LANES)].as_chunks::<LANES>();
        for (chunk, own) in lanes.iter().enumerate() {
            let places = above::<T>(&self.ranks[..n], own);
            let first = chunk * LANES;
            for (at, &place) in (first..n).zip(&places) {
                self.chosen[place as usize & MASK] = at as u32;
            }
        }
    }

    /// Writes what was chosen for the root, and what stands for nothing behind it.
    #[inline(always)]
    fn write(&self, at: usize, own: Range<usize>, clock: Clock, missing: &Missing, slots: &mut Slots<'_>) {
        let entry = |at: usize| &self.entries[at & MASK];
        if let Some(slots) = &mut slots.neighbors {
            self.fill(&mut slots[own.clone()], missing.neighbor, |at| entry(at).neighbor());
        }
        if let Some(slots) = &mut slots.edges {
            self.fill(&mut slots[own.clone()], missing.edge, |at| entry(at).edge());
        }
        if let Some(slots) = &mut slots.edge_types {
            self.fill(&mut slots[own.clone()], missing.edge_type, |at| self.types[at & MASK]);
        }
        if let Some(slots) = &mut slots.created {
            self.fill(&mut slots[own.clone()], missing.created, |at| -> Time { entry(at).created.time(clock) });
        }
        if let Some(slots) = &mut slots.weights {
            self.fill(&mut slots[own], missing.weight, |at| self.weights[at & MASK]);
        }
        if let Some(counts) = &mut slots.counts {
            counts[at] = self.n_chosen as u32;
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

/// For each number how many sums are not above it.
#[inline(always)]
fn below(sums: &[f64], numbers: &[f64; LANES]) -> [u32; LANES] {
    let mut counts = [0u64; LANES];
    for sum in sums {
        for (count, number) in counts.iter_mut().zip(numbers) {
            *count += u64::from(sum <= number);
        }
    }
    let mut short = [0u32; LANES];
    short.iter_mut().zip(&counts).for_each(|(short, count)| *short = *count as u32);
    short
}

/// For each of some ranks how many of all are above it.
#[inline(always)]
fn above<T: Width>(ranks: &[T::Rank], own: &[T::Rank; LANES]) -> [u64; LANES] {
    let mut counts = [0u64; LANES];
    for rank in ranks {
        for (count, own) in counts.iter_mut().zip(own) {
            *count += u64::from(rank > own);
        }
    }
    counts
}
