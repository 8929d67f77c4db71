//! How picks are chosen among the edges of one root.
//!
//! Short lists are looked through. From long ones entries are drawn among all that have begun and thrown back if they
//! have ended by then, which is exact whatever was removed; where so few are left that looking through the blocks that
//! still have some is cheaper, that is done. How many are left is known beforehand by two bisections.

use std::cmp::Ordering;
use std::ops::Range;

use rustc_hash::FxHashSet;

use super::alive::{Moment, is_over, newest};
use super::choice::Choice;
use super::picks::{Pick, Picks};
use super::random::Draws;
use super::scale::Scale;
use super::weights::clean;
use crate::adjacency::{BLOCK, ListPart, ListSource, Run, Tick};

/// Buffers that are used again from root to root.
#[derive(Default)]
pub(crate) struct Scratch {
    /// The answer.
    pub(crate) picks: Vec<Pick>,
    /// What is seen in the lists that were looked through.
    alive: Picks,
    /// Sums of their weights, up to and with each.
    sums: Vec<f64>,
    /// The long lists that were not.
    longs: Vec<Long>,
    ranked: Vec<Ranked>,
    taken: FxHashSet<Pick>,
    /// Blocks of a long list.
    blocks: Vec<u32>,
}

/// A long list: how many of its edges have begun, and how many of these are seen, of the end of a list at least.
#[derive(Clone, Copy)]
struct Long {
    part: usize,
    begun: usize,
    alive: usize,
    /// How many edges lie before.
    skipped: usize,
}

/// A pick, the higher the better: by weight or key, then by what is newer.
#[derive(Clone, Copy)]
struct Ranked {
    weight: f64,
    created: i64,
    side: u32,
    pick: Pick,
}

impl Ranked {
    /// Best first.
    fn order(&self, other: &Ranked) -> Ordering {
        let newer = || (other.created, other.side).cmp(&(self.created, self.side));
        other.weight.total_cmp(&self.weight).then_with(newer)
    }
}

/// How many entries in a row are read in the time of one draw among all begun entries of a long list.
const DRAW: usize = 8;

/// The most picks that are searched one by one for a repeated one; more are hashed.
const SCANNED_PICKS: usize = 32;

/// Chooses for one root.
pub(crate) struct Chooser<'a, 'p, T, P> {
    pub(crate) source: P,
    pub(crate) parts: &'p [ListPart],
    pub(crate) moment: Moment<T>,
    pub(crate) scale: Scale<'a>,
    pub(crate) draws: Draws,
    pub(crate) scratch: &'p mut Scratch,
}

impl<'l, T: Tick, P: ListSource<'l, T>> Chooser<'_, '_, T, P> {
    /// Adds at most `k` picks from some of the parts. Without weights the choice is [`Choice::unweighted`].
    pub(crate) fn choose(&mut self, choice: Choice, parts: Range<usize>, k: usize) {
        if k == 0 || parts.is_empty() {
            return;
        }
        match choice {
            Choice::Last => self.last(parts, k),
            Choice::Uniform => self.uniform(parts, k),
            Choice::UniformDistinct => self.uniform_distinct(parts, k),
            Choice::Weighted => self.weighted(parts, k),
            Choice::WeightedDistinct => self.weighted_distinct(parts, k),
            Choice::Heaviest => self.heaviest(parts, k),
        }
    }

    fn last(&mut self, parts: Range<usize>, k: usize) {
        let (source, clock) = (self.source, self.source.clock());
        let Scratch { picks, ranked, .. } = &mut *self.scratch;
        if parts.len() == 1 {
            let at = parts.start;
            newest(source, &self.parts[at], self.moment, k, |place| picks.push(Pick::new(at, place)));
            return;
        }
        ranked.clear();
        for at in parts {
            let part = &self.parts[at];
            newest(source, part, self.moment, k, |place| {
                let (created, side) = source.entry(part, place).order();
                ranked.push(Ranked { weight: 0.0, created: created.time(clock).0, side, pick: Pick::new(at, place) });
            });
        }
        best(ranked, k, picks);
    }

    /// Looks through the short lists and measures the long ones; how many edges are seen, with the ends of lists at least.
    fn survey(&mut self, parts: Range<usize>) -> usize {
        let Scratch { alive, longs, .. } = &mut *self.scratch;
        alive.clear();
        longs.clear();
        let mut left = 0;
        for at in parts {
            let part = &self.parts[at];
            if part.len() <= BLOCK || self.moment.soft {
                alive.gather(self.source, (at, part), self.moment);
                continue;
            }
            let (run, skipped, moment) = (self.source.run(part), self.source.skipped(part), self.moment.at);
            let seen = if skipped == 0 { run.degree(moment) } else { run.degree_at_least(moment) };
            let long = Long { part: at, begun: run.begun(moment), alive: seen, skipped };
            if seen > 0 {
                longs.push(long);
                left += seen;
            } else if skipped > 0 {
                alive.gather(self.source, (at, part), self.moment);
            }
        }
        alive.as_slice().len() + left
    }

    /// Whether `tries` draws that are sometimes thrown back cost less than looking through the long lists.
    fn is_worth_drawing(&self, tries: usize) -> bool {
        let scan = |long: &Long| long.begun.min(long.alive * BLOCK) + long.begun / BLOCK;
        let scans: usize = self.scratch.longs.iter().map(scan).sum();
        tries.saturating_mul(DRAW) < scans
    }

    /// How many draws it takes for `n` that are seen.
    fn tries(&self, n: usize) -> usize {
        let (mut begun, mut alive) = (self.scratch.alive.as_slice().len(), self.scratch.alive.as_slice().len());
        self.scratch.longs.iter().for_each(|long| (begun, alive) = (begun + long.begun, alive + long.alive));
        n.saturating_mul(begun) / alive.max(1)
    }

    /// Looks through the long lists too.
    fn gather_longs(&mut self) {
        let Scratch { alive, longs, .. } = &mut *self.scratch;
        for long in longs.drain(..) {
            alive.gather(self.source, (long.part, &self.parts[long.part]), self.moment);
        }
    }

    fn uniform(&mut self, parts: Range<usize>, k: usize) {
        if self.survey(parts) == 0 {
            return;
        }
        if !self.scratch.longs.is_empty() {
            if self.is_worth_drawing(self.tries(k)) {
                (0..k).for_each(|_| {
                    let pick = self.draw();
                    self.scratch.picks.push(pick);
                });
                return;
            }
            self.gather_longs();
        }
        let Scratch { picks, alive, .. } = &mut *self.scratch;
        let alive = alive.as_slice();
        picks.extend((0..k).map(|_| alive[self.draws.below(alive.len())]));
    }

    /// Any edge that is seen, with equal chance.
    fn draw(&mut self) -> Pick {
        let Scratch { alive, longs, .. } = &*self.scratch;
        let alive = alive.as_slice();
        let all = alive.len() + longs.iter().map(|long| long.begun).sum::<usize>();
        'draw: loop {
            let mut at = self.draws.below(all);
            if let Some(pick) = alive.get(at) {
                return *pick;
            }
            at -= alive.len();
            for long in longs {
                if at < long.begun {
                    let part = &self.parts[long.part];
                    let place = part.start as usize + at;
                    if self.moment.sees(self.source.entry(part, place)) {
                        return Pick::new(long.part, place);
                    }
                    continue 'draw;
                }
                at -= long.begun;
            }
        }
    }

    fn uniform_distinct(&mut self, parts: Range<usize>, k: usize) {
        let seen = self.survey(parts);
        if !self.scratch.longs.is_empty() {
            // With half of the edges taken, every other draw is one of them.
            if k <= seen / 2 && self.is_worth_drawing(2 * self.tries(k)) {
                return self.draw_distinct(k);
            }
            self.gather_longs();
        }
        let Scratch { picks, alive, .. } = &mut *self.scratch;
        let alive = alive.as_mut_slice();
        for at in 0..k.min(alive.len()) {
            let other = at + self.draws.below(alive.len() - at);
            alive.swap(at, other);
            picks.push(alive[at]);
        }
    }

    fn draw_distinct(&mut self, k: usize) {
        let start = self.begin_distinct();
        while self.scratch.picks.len() < start + k {
            let pick = self.draw();
            self.take_if_new(start, pick);
        }
    }

    /// Where the picks begin that are to differ from each other.
    fn begin_distinct(&mut self) -> usize {
        self.scratch.taken.clear();
        self.scratch.picks.len()
    }

    fn take_if_new(&mut self, start: usize, pick: Pick) {
        let Scratch { picks, taken, .. } = &mut *self.scratch;
        let own = &picks[start..];
        if own.len() == SCANNED_PICKS {
            taken.extend(own);
        }
        let new = if own.len() < SCANNED_PICKS { !own.contains(&pick) } else { taken.insert(pick) };
        if new {
            picks.push(pick);
        }
    }

    /// The weight of a pick as draws take it.
    fn weigh(&self, pick: Pick) -> f64 {
        weigh(self.source, self.parts, &self.scale, pick)
    }

    /// Sums up the weights of what was looked through.
    fn sum_up(&mut self) -> f64 {
        let Scratch { alive, sums, .. } = &mut *self.scratch;
        sums.clear();
        let mut sum = 0.0;
        for &pick in alive.as_slice() {
            sum += clean(weigh(self.source, self.parts, &self.scale, pick));
            sums.push(sum);
        }
        sum
    }

    fn weighted(&mut self, parts: Range<usize>, k: usize) {
        if self.survey(parts) == 0 {
            return;
        }
        let end = self.scratch.picks.len() + k;
        if !self.scratch.longs.is_empty() {
            let near = self.sum_up();
            let tries = self.tries(k);
            if P::IS_CSR && self.is_worth_drawing(tries) && self.has_exact_sums() {
                // What is left may be light, so the number of draws is bounded; those made count.
                let mut draws_left = 4 * tries + 64;
                while self.scratch.picks.len() < end && draws_left > 0 {
                    draws_left -= 1;
                    if let Some(pick) = self.try_by_weight(near) {
                        self.scratch.picks.push(pick);
                    }
                }
                if self.scratch.picks.len() == end {
                    return;
                }
            }
            self.gather_longs();
        }
        let sum = self.sum_up();
        if sum <= 0.0 {
            return;
        }
        let Scratch { picks, alive, sums, .. } = &mut *self.scratch;
        while picks.len() < end {
            if let Some(pick) = alive.as_slice().get(first_above(sums, self.draws.unit() * sum)) {
                picks.push(*pick);
            }
        }
    }

    /// Whether what lies before the ends of lists is so light that the sums tell the weights behind it apart. A weight is off
    /// by 2^-53 of the sum, so this leaves an error of 2^-43 of the sum of the end for each of its weights.
    fn has_exact_sums(&self) -> bool {
        let is_light = |long: &Long| {
            let Some(weights) = self.scale.weights().filter(|_| long.skipped > 0) else { return true };
            let (before, sums) = weights.sums(&self.parts[long.part], long.skipped, long.begun);
            sums.last().is_none_or(|sum| before <= 1024.0 * (sum - before))
        };
        self.scratch.longs.iter().all(is_light)
    }

    /// Draws among all that have begun by the highest weight that each ever has: a pick with the chance of its weight, or
    /// nothing. `near` is the sum of the weights of what was looked through.
    fn try_by_weight(&mut self, near: f64) -> Option<Pick> {
        let Scratch { alive, longs, sums, .. } = &*self.scratch;
        let weights = self.scale.weights()?;
        let of = |long: &Long| weights.sums(&self.parts[long.part], long.skipped, long.begun);
        let sum = |(before, sums): (f64, &[f64])| sums.last().map_or(0.0, |sum| sum - before);
        let all: f64 = near + longs.iter().map(|long| sum(of(long))).sum::<f64>();
        let mut at = self.draws.unit() * all;
        if at < near {
            return alive.as_slice().get(first_above(sums, at)).copied();
        }
        at -= near;
        for long in longs {
            let (before, sums) = of(long);
            let sum = sum((before, sums));
            if at >= sum {
                at -= sum;
                continue;
            }
            let (part, place) = (&self.parts[long.part], first_above(sums, before + at));
            if place == sums.len() {
                // What lies before has rounded it up.
                return None;
            }
            let place = part.start as usize + place;
            let highest = self.scale.highest(place);
            if !self.moment.sees(self.source.entry(part, place)) {
                return None;
            }
            let pick = Pick::new(long.part, place);
            let accepted =
                highest.is_sign_positive() || self.draws.unit() * clean(highest.abs()) < clean(self.weigh(pick));
            return accepted.then_some(pick);
        }
        None
    }

    /// One pick by weight times a factor, of all that are seen.
    pub(crate) fn weigh_all(&mut self, factor: impl Fn(P, &[ListPart], Pick) -> f64) -> Option<Pick> {
        self.survey(0..self.parts.len());
        self.gather_longs();
        let Scratch { alive, sums, .. } = &mut *self.scratch;
        sums.clear();
        let mut sum = 0.0;
        for &pick in alive.as_slice() {
            let weight = clean(weigh(self.source, self.parts, &self.scale, pick));
            sum += weight * factor(self.source, self.parts, pick);
            sums.push(sum);
        }
        while sum > 0.0 && sum.is_finite() {
            if let Some(pick) = alive.as_slice().get(first_above(sums, self.draws.unit() * sum)) {
                return Some(*pick);
            }
        }
        None
    }

    fn weighted_distinct(&mut self, parts: Range<usize>, k: usize) {
        let seen = self.survey(parts);
        let start = self.begin_distinct();
        if !self.scratch.longs.is_empty() {
            let near = self.sum_up();
            let tries = self.tries(2 * k);
            if P::IS_CSR && k <= seen / 4 && self.is_worth_drawing(tries) && self.has_exact_sums() {
                let mut draws_left = 4 * tries + 64;
                while self.scratch.picks.len() < start + k && draws_left > 0 {
                    draws_left -= 1;
                    if let Some(pick) = self.try_by_weight(near) {
                        self.take_if_new(start, pick);
                    }
                }
            }
            if self.scratch.picks.len() == start + k {
                return;
            }
            // What was drawn by now stays: what follows is drawn by the shares of what is left, as it would have been.
            self.gather_longs();
        }
        let Scratch { picks, alive, ranked, taken, .. } = &mut *self.scratch;
        ranked.clear();
        let drawn = &picks[start..];
        let is_taken =
            |pick: &Pick| if drawn.len() > SCANNED_PICKS { taken.contains(pick) } else { drawn.contains(pick) };
        // The order of exponential waiting times with these rates is that of draws without replacement (Efraimidis,
        // Spirakis 2006).
        for &pick in alive.as_slice() {
            let weight = clean(weigh(self.source, self.parts, &self.scale, pick));
            if weight > 0.0 && !is_taken(&pick) {
                ranked.push(Ranked { weight: self.draws.positive().ln() / weight, created: 0, side: 0, pick });
            }
        }
        let missing = start + k - picks.len();
        best(ranked, missing, picks);
    }

    fn heaviest(&mut self, parts: Range<usize>, k: usize) {
        self.scratch.ranked.clear();
        for at in parts {
            let part = &self.parts[at];
            let run = self.source.run(part);
            let blocks = run.begun(self.moment.at).div_ceil(BLOCK);
            let tops = match self.scale.weights() {
                Some(weights) if P::IS_CSR && part.len() > BLOCK => {
                    weights.tops(part, self.source.skipped(part), blocks)
                }
                _ => &[],
            };
            // The heaviest blocks first, so that most others need not be looked at.
            let mut heavy = std::mem::take(&mut self.scratch.blocks);
            heavy.clear();
            if blocks > 4 * k {
                heavy.extend(0..blocks as u32);
                let top = |block: &u32| tops.get(*block as usize).copied().unwrap_or(0.0);
                heavy.select_nth_unstable_by(k, |a, b| top(b).total_cmp(&top(a)).then(b.cmp(a)));
                heavy.truncate(k);
                heavy.sort_unstable_by(|a, b| b.cmp(a));
                heavy.iter().for_each(|block| self.rank_block(k, at, &run, *block as usize));
            }
            for block in (0..blocks).rev().filter(|block| heavy.binary_search_by(|a| (*block as u32).cmp(a)).is_err()) {
                let newest = &run.entries[part.len().min((block + 1) * BLOCK) - 1];
                let newest = (newest.created.time(run.clock).0, newest.order().1);
                if !tops.get(block).is_some_and(|top| self.is_full_above(k, *top, newest)) {
                    self.rank_block(k, at, &run, block);
                }
            }
            self.scratch.blocks = heavy;
        }
        let Scratch { picks, ranked, .. } = &mut *self.scratch;
        picks.extend(ranked.iter().map(|ranked| ranked.pick));
    }

    /// Takes the heaviest of a block among the best.
    fn rank_block(&mut self, k: usize, at: usize, run: &Run<'_, T>, block: usize) {
        let part = &self.parts[at];
        if !is_over(run, block, self.moment) {
            let start = part.start as usize;
            let places = start + block * BLOCK..start + part.len().min((block + 1) * BLOCK);
            places.rev().for_each(|place| self.rank(k, Pick::new(at, place)));
        }
    }

    /// Whether there are `k` already and nothing of at most this weight, and at most as new, gets among them.
    fn is_full_above(&self, k: usize, top: f64, newest: (i64, u32)) -> bool {
        let above = |last: &Ranked| last.weight > top || last.weight == top && (last.created, last.side) > newest;
        self.scratch.ranked.len() == k && self.scratch.ranked.last().is_some_and(above)
    }

    /// Keeps the `k` best in order.
    fn rank(&mut self, k: usize, pick: Pick) {
        let entry = self.source.entry(&self.parts[pick.part()], pick.place());
        if !self.moment.sees(entry) {
            return;
        }
        let weight = self.weigh(pick);
        let weight = if weight.is_nan() { f64::NEG_INFINITY } else { weight + 0.0 };
        let ranked = &mut self.scratch.ranked;
        if ranked.len() == k && ranked.last().is_some_and(|last| last.weight > weight) {
            return;
        }
        let (created, side) = entry.order();
        let new = Ranked { weight, created: created.time(self.source.clock()).0, side, pick };
        let place = ranked.partition_point(|known| known.order(&new) == Ordering::Less);
        ranked.insert(place, new);
        ranked.truncate(k);
    }
}

/// The weight of a pick.
#[inline]
fn weigh<'l, T: Tick, P: ListSource<'l, T>>(source: P, parts: &[ListPart], scale: &Scale<'_>, pick: Pick) -> f64 {
    scale.weigh::<T, P>(pick.place(), source.entry(&parts[pick.part()], pick.place()))
}

/// The first position whose sum is above a number.
fn first_above(sums: &[f64], number: f64) -> usize {
    if sums.len() <= 16 {
        // No branch depends on the number.
        return sums.iter().map(|sum| usize::from(*sum <= number)).sum();
    }
    sums.partition_point(|sum| *sum <= number)
}

/// Adds the best `k`, best first.
fn best(ranked: &mut Vec<Ranked>, k: usize, picks: &mut Vec<Pick>) {
    if ranked.len() > k && k > 0 {
        ranked.select_nth_unstable_by(k - 1, Ranked::order);
    }
    ranked.truncate(k);
    ranked.sort_unstable_by(Ranked::order);
    picks.extend(ranked.iter().map(|ranked| ranked.pick));
}
