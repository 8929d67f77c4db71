//! The edges of a list that are seen at a moment: how many, which, the newest.

use timeweft_graph::{Deletes, Time};

use super::scope::Scope;
use crate::adjacency::{BLOCK, Clock, Entry, ListPart, ListSource, Run, Tick};

/// The last tick that is seen, and whether what has ended by then is seen too.
#[derive(Clone, Copy)]
pub(crate) struct Moment<T> {
    pub(crate) at: T,
    pub(crate) soft: bool,
}

impl<T: Tick> Moment<T> {
    /// What a scope sees as of a time, if anything.
    pub(crate) fn of(scope: &Scope, clock: Clock, time: Time) -> Option<Moment<T>> {
        let at = scope.as_of.last(time).and_then(|last| T::floor(clock, last))?;
        Some(Moment { at, soft: scope.deletes == Deletes::Soft })
    }

    /// Whether an edge is seen. Lives that ended when they began never are.
    #[inline]
    pub(crate) fn sees(&self, entry: &Entry<T>) -> bool {
        (entry.created <= self.at) & (entry.removed > if self.soft { entry.created } else { self.at })
    }

    /// How many edges of some lists are seen.
    #[inline]
    pub(crate) fn count_all<'a, P: ListSource<'a, T>>(&self, source: P, parts: &[ListPart]) -> usize {
        let (mut n, mut rest) = (0, parts);
        while !rest.is_empty() {
            let (entries, joined) = source.joined(rest);
            let (first, others) = rest.split_at(joined);
            // Short lists side by side are looked through as one.
            n += if entries.len() <= BLOCK {
                entries.iter().filter(|entry| self.sees(entry)).count()
            } else {
                first.iter().map(|part| self.count(source, part)).sum()
            };
            rest = others;
        }
        n
    }

    /// How many edges of a list are seen.
    #[inline]
    pub(crate) fn count<'a, P: ListSource<'a, T>>(&self, source: P, part: &ListPart) -> usize {
        if part.len() <= BLOCK || self.soft {
            return source.entries(part).iter().filter(|entry| self.sees(entry)).count();
        }
        let run = source.run(part);
        if source.skipped(part) == 0 { run.degree(self.at) } else { self.count_end(&run) }
    }

    /// How many edges of the end of a long list are seen.
    #[cold]
    fn count_end(&self, run: &Run<'_, T>) -> usize {
        let begun = run.begun(self.at);
        if run.removals.first().is_none_or(|removed| *removed > self.at) {
            return begun;
        }
        // Which removals are of these edges is not known.
        let blocks = run.entries[..begun].chunks(BLOCK).enumerate();
        let left = blocks.filter(|(block, _)| !is_over(run, *block, *self));
        left.map(|(_, entries)| entries.iter().filter(|entry| self.sees(entry)).count()).sum()
    }
}

/// Whether all entries of a block of a long list have ended by a moment.
pub(crate) fn is_over<T: Tick>(run: &Run<'_, T>, block: usize, moment: Moment<T>) -> bool {
    !moment.soft && run.latest.get(block).is_some_and(|latest| *latest <= moment.at)
}

/// The places of the newest `k` entries of a list that are seen, newest first.
pub(crate) fn newest<'a, T: Tick, P: ListSource<'a, T>>(
    source: P,
    part: &ListPart,
    moment: Moment<T>,
    k: usize,
    mut each: impl FnMut(usize),
) {
    let run = source.run(part);
    let mut left = run.begun(moment.at);
    let mut found = 0;
    while left > 0 && found < k {
        let block = (left - 1) / BLOCK;
        if is_over(&run, block, moment) {
            left = block * BLOCK;
            continue;
        }
        while left > block * BLOCK && found < k {
            left -= 1;
            if moment.sees(&run.entries[left]) {
                found += 1;
                each(part.start as usize + left);
            }
        }
    }
}
