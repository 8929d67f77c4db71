//! A list that changes.

use timeweft_graph::{Direction, EdgeTypeId};

use super::list::{AnyRun, BLOCK};
use super::{Clock, Entry, List, Run, Tick, ask};

/// The edges of one type on one side of a node.
#[derive(Clone)]
pub(super) struct OverflowList {
    edge_type: EdgeTypeId,
    direction: Direction,
    entries: Vec<Entry<i64>>,
    ended: Option<Box<Ended>>,
}

/// Removals in a list that has some.
#[derive(Clone, Default)]
struct Ended {
    removals: Vec<i64>,
    latest: Vec<i64>,
}

impl OverflowList {
    pub(super) fn new(edge_type: EdgeTypeId, direction: Direction) -> OverflowList {
        OverflowList { edge_type, direction, entries: Vec::new(), ended: None }
    }

    /// A list as it is, to be changed.
    pub(super) fn copy(list: &List<'_>) -> OverflowList {
        let entries: Vec<Entry<i64>> = ask!(list, run => {
            let wide = run.entries.iter().map(|entry| {
                let (created, removed) = (entry.created.time(run.clock).0, entry.removed.time(run.clock).0);
                Entry::new(created, removed, entry.edge(), entry.direction(), entry.neighbor())
            });
            wide.collect()
        });
        let mut own = OverflowList { entries, ..OverflowList::new(list.edge_type, list.direction) };
        own.ended =
            own.entries.iter().any(|entry| entry.removed != i64::NEVER).then(|| Box::new(Ended::of(&own.entries)));
        own
    }

    pub(super) fn is(&self, edge_type: EdgeTypeId, direction: Direction) -> bool {
        self.edge_type == edge_type && self.direction == direction
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn list(&self) -> List<'_> {
        List { edge_type: self.edge_type, direction: self.direction, run: AnyRun::Wide(self.run()) }
    }

    pub(super) fn run(&self) -> Run<'_, i64> {
        let (removals, latest) =
            self.ended.as_ref().map_or((&[][..], &[][..]), |ended| (&ended.removals, &ended.latest));
        Run { entries: &self.entries, removals, latest, clock: Clock::default() }
    }

    /// Adds an open edge.
    pub(super) fn add(&mut self, entry: Entry<i64>) {
        let at = match self.entries.last() {
            Some(last) if last.order() > entry.order() => {
                self.entries.partition_point(|known| known.order() < entry.order())
            }
            _ => self.entries.len(),
        };
        self.entries.insert(at, entry);
        if let Some(ended) = &mut self.ended {
            ended.shift(at, self.entries.len());
        }
    }

    /// Notes when an entry's edge has ended.
    pub(super) fn end(&mut self, entry: Entry<i64>) {
        let Ok(at) = self.entries.binary_search_by(|known| known.order().cmp(&entry.order())) else { return };
        self.entries[at].removed = entry.removed;
        let Some(ended) = &mut self.ended else {
            self.ended = Some(Box::new(Ended::of(&self.entries)));
            return;
        };
        let place = ended.removals.partition_point(|known| *known <= entry.removed);
        ended.removals.insert(place, entry.removed);
        let start = at / BLOCK * BLOCK;
        let block = &self.entries[start..self.entries.len().min(start + BLOCK)];
        ended.latest[at / BLOCK] = latest(block);
    }
}

impl Ended {
    fn of(entries: &[Entry<i64>]) -> Ended {
        let mut removals: Vec<i64> = entries.iter().map(|entry| entry.removed).filter(|at| *at != i64::NEVER).collect();
        removals.sort_unstable();
        Ended { removals, latest: entries.chunks(BLOCK).map(latest).collect() }
    }

    /// Makes room in the bounds for an open entry at `at`: later blocks each take in the last entry of the one before.
    fn shift(&mut self, at: usize, len: usize) {
        self.latest.resize(len.div_ceil(BLOCK), i64::MIN);
        let first = at / BLOCK;
        for block in (first + 1..self.latest.len()).rev() {
            self.latest[block] = self.latest[block].max(self.latest[block - 1]);
        }
        self.latest[first] = i64::NEVER;
    }
}

/// The latest removal of a block.
pub(super) fn latest<T: Tick>(block: &[Entry<T>]) -> T {
    block.iter().map(|entry| entry.removed).max().unwrap_or(T::NEVER)
}
