//! Roots with few edges, the most common ones: all that is seen is copied side by side and chosen from there.

use std::ops::Range;

use timeweft_graph::{EdgeTypeId, Time};

use super::alive::Moment;
use super::random::Draws;
use super::sampling::Choice;
use super::slots::{Missing, Slots};
use super::visit::Width;
use super::weights::{Scale, clean};
use crate::adjacency::{Clock, Entry, Part, Parts};

/// Roots with at most so many entries in scope.
pub(crate) const FEW: usize = 64;

/// Any position, without a check whether it is below [`FEW`].
const MASK: usize = FEW - 1;

/// Sums that are compared with a number together.
const LANES: usize = 8;

/// Above this many, sorting by insertion takes longer than otherwise.
const INSERTED: usize = 20;

/// What is seen at a root, and which of it was chosen.
pub(crate) struct Few<T: Width> {
    entries: [Entry<T>; FEW],
    types: [EdgeTypeId; FEW],
    places: [u32; FEW],
    weights: [f64; FEW],
    /// Sums of weights, up to and with each.
    sums: [f64; FEW],
    ranks: [T::Rank; FEW],
    len: usize,
    chosen: Vec<u32>,
}

impl<T: Width> Default for Few<T> {
    fn default() -> Few<T> {
        Few {
            entries: [Entry::default(); FEW],
            types: [EdgeTypeId(0); FEW],
            places: [0; FEW],
            weights: [1.0; FEW],
            sums: [0.0; FEW],
            ranks: [T::Rank::default(); FEW],
            len: 0,
            chosen: Vec::new(),
        }
    }
}

impl<T: Width> Few<T> {
    /// Whether it is for such a choice and such lists.
    #[inline]
    pub(crate) fn takes(choice: Choice, parts: &[Part]) -> bool {
        let known = matches!(choice, Choice::Last | Choice::Uniform | Choice::UniformDistinct | Choice::Weighted);
        known && parts.iter().map(Part::len).sum::<usize>() <= FEW
    }

    /// Copies what is seen in lists that have at most [`FEW`] entries, with its places if weights are to be read.
    #[inline]
    pub(crate) fn gather<'a, P: Parts<'a, T>, const PLACES: bool>(
        &mut self,
        source: P,
        parts: &[Part],
        moment: Moment<T>,
    ) {
        let mut n = 0;
        for part in parts {
            for (place, entry) in (part.start..).zip(source.entries(part)) {
                self.entries[n & MASK] = *entry;
                self.types[n & MASK] = part.edge_type;
                if PLACES {
                    self.places[n & MASK] = place;
                }
                n += usize::from(moment.sees(entry));
            }
        }
        self.len = n.min(FEW);
    }

    /// Reads the weights of what is seen.
    #[inline]
    pub(crate) fn weigh<'a, P: Parts<'a, T>>(&mut self, scale: Scale<'_>) {
        for ((weight, &place), entry) in self.weights.iter_mut().zip(&self.places).zip(&self.entries[..self.len]) {
            *weight = scale.weigh::<T, P>(place as usize, entry);
        }
    }

    /// Chooses at most `k`.
    #[inline]
    pub(crate) fn choose(&mut self, choice: Choice, k: usize, lists: usize, draws: Draws) {
        self.chosen.clear();
        if self.len > 0 {
            match choice {
                Choice::Last => self.last(k, lists),
                Choice::UniformDistinct => self.uniform_distinct(k, draws),
                Choice::Weighted => self.weighted(k, draws),
                _ => self.uniform(k, draws),
            }
        }
    }

    #[inline]
    fn uniform(&mut self, k: usize, mut draws: Draws) {
        self.chosen.resize(k, 0);
        let (pairs, last) = self.chosen.as_chunks_mut::<2>();
        pairs.iter_mut().for_each(|pair| *pair = draws.two_below(self.len as u32));
        last.iter_mut().for_each(|one| *one = draws.two_below(self.len as u32)[0]);
    }

    #[inline]
    fn uniform_distinct(&mut self, k: usize, mut draws: Draws) {
        self.chosen.extend(0..self.len as u32);
        for at in 0..k.min(self.len) {
            let other = at + draws.below(self.len - at);
            self.chosen.swap(at, other);
        }
        self.chosen.truncate(k);
    }

    #[inline]
    fn weighted(&mut self, k: usize, mut draws: Draws) {
        let (mut sum, n) = (0.0, self.len);
        for (total, weight) in self.sums.iter_mut().zip(&self.weights[..n]) {
            sum += clean(*weight);
            *total = sum;
        }
        let end = n.next_multiple_of(LANES);
        self.sums[n..end].fill(f64::INFINITY);
        let (sums, _) = self.sums[..end].as_chunks::<LANES>();
        while sum > 0.0 && self.chosen.len() < k {
            let number = draws.unit() * sum;
            // No branch depends on the number.
            let below = |lanes: &[f64; LANES]| lanes.iter().map(|total| u32::from(*total <= number)).sum::<u32>();
            let at: u32 = sums.iter().map(below).sum();
            if (at as usize) < n {
                self.chosen.push(at);
            }
        }
    }

    #[inline]
    fn last(&mut self, k: usize, lists: usize) {
        let n = self.len;
        if lists == 1 {
            return self.chosen.extend((0..n as u32).rev().take(k));
        }
        if n > INSERTED {
            self.chosen.extend(0..n as u32);
            let entries = &self.entries;
            self.chosen.sort_unstable_by_key(|&at| std::cmp::Reverse(entries[at as usize & MASK].rank()));
            return self.chosen.truncate(k);
        }
        // From the last to the first, so that the entries of a list come newest first, as they are wanted.
        for at in (0..n).rev() {
            let rank = self.entries[at & MASK].rank();
            let mut place = self.chosen.len();
            self.chosen.push(at as u32);
            while place > 0 && self.ranks[(place - 1) & MASK] < rank {
                self.ranks[place & MASK] = self.ranks[(place - 1) & MASK];
                self.chosen[place] = self.chosen[place - 1];
                place -= 1;
            }
            self.ranks[place & MASK] = rank;
            self.chosen[place] = at as u32;
        }
        self.chosen.truncate(k);
    }

    /// Writes what was chosen for the root at a position, and what stands for nothing behind it.
    #[inline]
    pub(crate) fn write(
        &self,
        (at, own): (usize, Range<usize>),
        clock: Clock,
        missing: &Missing,
        slots: &mut Slots<'_>,
    ) {
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
            counts[at] = self.chosen.len() as u32;
        }
    }

    #[inline]
    fn fill<S: Copy>(&self, slots: &mut [S], missing: S, of: impl Fn(usize) -> S) {
        let filled = self.chosen.len().min(slots.len());
        let (first, rest) = slots.split_at_mut(filled);
        first.iter_mut().zip(&self.chosen).for_each(|(slot, &at)| *slot = of(at as usize));
        rest.iter_mut().for_each(|slot| *slot = missing);
    }
}
