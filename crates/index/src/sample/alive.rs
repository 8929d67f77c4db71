//! The edges of a list that are seen at a moment: how many, which, the newest.

use timeweft_graph::{Deletes, Time};

use super::scope::Scope;
use crate::adjacency::{BLOCK, Clock, Entry, Part, Parts, Run, Tick};

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
    pub(crate) fn count_all<'a, P: Parts<'a, T>>(&self, source: P, parts: &[Part]) -> usize {
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
    pub(crate) fn count<'a, P: Parts<'a, T>>(&self, source: P, part: &Part) -> usize {
        if part.len() <= BLOCK || self.soft {
            return source.entries(part).iter().filter(|entry| self.sees(entry)).count();
        }
        source.run(part).degree(self.at)
    }
}

/// A place in one of a root's lists: the list among the root's, and the place in the array that it lies in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Pick(u64);

impl Pick {
    #[inline]
    pub(crate) fn new(part: usize, place: usize) -> Pick {
        Pick((part as u64) << 32 | place as u64)
    }

    #[inline]
    pub(crate) fn part(self) -> usize {
        (self.0 >> 32) as usize
    }

    #[inline]
    pub(crate) fn place(self) -> usize {
        self.0 as u32 as usize
    }
}

/// Picks in room that is used again: filling it takes no branch for each entry.
#[derive(Default)]
pub(crate) struct Picks {
    room: Vec<Pick>,
    len: usize,
}

impl Picks {
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    pub(crate) fn push(&mut self, pick: Pick) {
        if self.room.len() == self.len {
            self.room.resize((self.len + 1).next_power_of_two(), Pick::default());
        }
        self.room[self.len] = pick;
        self.len += 1;
    }

    pub(crate) fn as_slice(&self) -> &[Pick] {
        &self.room[..self.len]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [Pick] {
        &mut self.room[..self.len]
    }

    #[inline]
    /// Adds the entries of a list that are seen, in its order, without whole blocks that are over.
    pub(crate) fn gather<'a, T: Tick, P: Parts<'a, T>>(
        &mut self,
        source: P,
        (at, part): (usize, &Part),
        moment: Moment<T>,
    ) {
        if part.len() <= BLOCK {
            return self.add(source.entries(part), Pick::new(at, part.start as usize), moment);
        }
        let run = source.run(part);
        let begun = &run.entries[..run.begun(moment.at)];
        for (block, entries) in begun.chunks(BLOCK).enumerate() {
            if !is_over(&run, block, moment) {
                self.add(entries, Pick::new(at, part.start as usize + block * BLOCK), moment);
            }
        }
    }

    #[inline]
    fn add<T: Tick>(&mut self, entries: &[Entry<T>], first: Pick, moment: Moment<T>) {
        if self.room.len() < self.len + entries.len() {
            self.room.resize((self.len + entries.len()).next_power_of_two(), Pick::default());
        }
        let room = &mut self.room[self.len..self.len + entries.len()];
        let mut n = 0;
        for (at, entry) in (first.0..).zip(entries) {
            room[n] = Pick(at);
            n += usize::from(moment.sees(entry));
        }
        self.len += n;
    }
}

/// Whether all entries of a block of a long list have ended by a moment.
pub(crate) fn is_over<T: Tick>(run: &Run<'_, T>, block: usize, moment: Moment<T>) -> bool {
    !moment.soft && run.latest.get(block).is_some_and(|latest| *latest <= moment.at)
}

/// The places of the newest `k` entries of a list that are seen, newest first.
pub(crate) fn newest<'a, T: Tick, P: Parts<'a, T>>(
    source: P,
    part: &Part,
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
