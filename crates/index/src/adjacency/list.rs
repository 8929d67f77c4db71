//! The edges of one type on one side of a node, to be read.

use timeweft_graph::{Direction, EdgeTypeId, Time};

use super::{Clock, Entry, SeenEdge, Tick};

/// Entries whose removals are summed up by one number. Lists up to this length are looked through.
pub(crate) const BLOCK: usize = 64;

/// Entries by (created, arrival), with what it takes to count and to skip the removed ones where there are many.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a, T> {
    pub(crate) entries: &'a [Entry<T>],
    /// Removals of a long list, sorted, but for "never"; of the end of one those of what lies before may be among them.
    pub(crate) removals: &'a [T],
    /// For each block of a long list that has removals a bound: none of its entries is removed later.
    pub(crate) latest: &'a [T],
    pub(crate) clock: Clock,
}

impl<T: Tick> Run<'_, T> {
    /// The same for the end of a list: what is summed up of the entries that were skipped, whole blocks, is left out.
    #[inline]
    pub(crate) fn behind(self, skipped: usize) -> Self {
        if skipped == 0 { self } else { self.leave_out(skipped) }
    }

    #[cold]
    fn leave_out(self, skipped: usize) -> Self {
        // No entry is removed before it is created.
        let first = self.entries.first().map_or(T::NEVER, |entry| entry.created);
        let sooner = self.removals.partition_point(|removed| *removed < first);
        let latest = self.latest.get(skipped / BLOCK..).unwrap_or_default();
        Run { removals: &self.removals[sooner..], latest, ..self }
    }

    /// How many were created at or before a tick, removed or not.
    pub(crate) fn begun(&self, at: T) -> usize {
        match self.entries.last() {
            // Most questions are about the present.
            Some(last) if last.created <= at => self.entries.len(),
            _ => self.entries.partition_point(|entry| entry.created <= at),
        }
    }

    /// How many of the end of a list are there at a tick at least.
    pub(crate) fn degree_at_least(&self, at: T) -> usize {
        self.begun(at).saturating_sub(self.removals.partition_point(|removed| *removed <= at))
    }

    /// How many are there at a tick, of a whole list.
    pub(crate) fn degree(&self, at: T) -> usize {
        if self.entries.len() <= BLOCK {
            return self.entries.iter().filter(|entry| entry.created <= at && entry.outlives(at)).count();
        }
        self.begun(at) - self.ended(at)
    }

    /// How many of a long list were removed at or before a tick.
    fn ended(&self, by: T) -> usize {
        self.removals.partition_point(|removed| *removed <= by)
    }

    /// The first `n` entries from the last to the first, without whole blocks that were removed by a tick.
    pub(crate) fn newest(self, n: usize, over_by: Option<T>) -> impl Iterator<Item = Entry<T>> {
        let mut left = n;
        std::iter::from_fn(move || {
            while left > 0 && (left == n || left.is_multiple_of(BLOCK)) && self.is_over((left - 1) / BLOCK, over_by) {
                left = (left - 1) / BLOCK * BLOCK;
            }
            left = left.checked_sub(1)?;
            self.entries.get(left).copied()
        })
    }

    fn is_over(&self, block: usize, by: Option<T>) -> bool {
        by.zip(self.latest.get(block)).is_some_and(|(by, latest)| *latest <= by)
    }

    fn last_removal(&self) -> Option<Time> {
        let last = if self.entries.len() <= BLOCK {
            self.entries.iter().map(|entry| entry.removed).filter(|removed| *removed != T::NEVER).max()
        } else {
            self.removals.last().copied()
        };
        last.map(|last| last.time(self.clock))
    }
}

/// A list, with times of one of two widths.
#[derive(Clone, Copy)]
pub(crate) struct List<'a> {
    pub(crate) edge_type: EdgeTypeId,
    pub(crate) direction: Direction,
    pub(crate) run: AnyRun<'a>,
}

/// Entries of one of two widths.
#[derive(Clone, Copy)]
pub(crate) enum AnyRun<'a> {
    Narrow(Run<'a, u32>),
    Wide(Run<'a, i64>),
}

/// Asks either width the same.
macro_rules! ask {
    ($list:expr, $run:ident => $answer:expr) => {
        match $list.run {
            $crate::adjacency::AnyRun::Narrow($run) => $answer,
            $crate::adjacency::AnyRun::Wide($run) => $answer,
        }
    };
}
pub(crate) use ask;

impl<'a> List<'a> {
    /// How many entries it has.
    pub(crate) fn len(&self) -> usize {
        ask!(self, run => run.entries.len())
    }

    /// The entry at a position, if the list is that long.
    pub(crate) fn get(&self, at: usize) -> Option<SeenEdge> {
        ask!(self, run => run.entries.get(at).map(|entry| entry.seen(run.clock)))
    }

    /// How many were created at or before a time, removed or not.
    pub(crate) fn begun(&self, time: Time) -> usize {
        ask!(self, run => Tick::floor(run.clock, time).map_or(0, |at| run.begun(at)))
    }

    /// How many were created strictly before a time, removed or not.
    pub(crate) fn before(&self, time: Time) -> usize {
        if time == Time::MIN { 0 } else { self.begun(time.before()) }
    }

    /// How many are there at a time.
    pub(crate) fn degree(&self, time: Time) -> usize {
        ask!(self, run => Tick::floor(run.clock, time).map_or(0, |at| run.degree(at)))
    }

    /// Whether removals are counted without a look at each entry.
    pub(crate) fn is_long(&self) -> bool {
        self.len() > BLOCK
    }

    /// How many entries of a long list were removed at or before a time.
    pub(crate) fn ended(&self, time: Time) -> usize {
        ask!(self, run => Tick::floor(run.clock, time).map_or(0, |at| run.ended(at)))
    }

    /// Latest removal of any of its edges.
    pub(crate) fn last_removal(&self) -> Option<Time> {
        ask!(self, run => run.last_removal())
    }

    /// The first `n` entries from the last to the first, without whole blocks that were removed by a time, if one is given.
    pub(crate) fn newest(&self, n: usize, over_by: Option<Time>) -> Box<dyn Iterator<Item = SeenEdge> + 'a> {
        ask!(self, run => {
            let over_by = over_by.and_then(|time| Tick::floor(run.clock, time));
            Box::new(run.newest(n, over_by).map(move |entry| entry.seen(run.clock)))
        })
    }
}
