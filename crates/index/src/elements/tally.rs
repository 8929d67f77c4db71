//! How many elements of each type are alive at a time, and when they came, changed and went.

use timeweft_graph::{EdgeIndex, Interval, NodeIndex, Time};

/// When elements of each type began, changed and ended: nodes and edges.
#[derive(Default)]
pub(crate) struct Tallies {
    pub(crate) nodes: Vec<Tally>,
    pub(crate) edges: Vec<Tally>,
    /// The times of the first and the last event.
    pub(crate) span: Option<(Time, Time)>,
    /// Lives of edges that are not the first of their edge, or that no tick lies in, at each of their ends, sorted: lists of
    /// edges that are counted without looking at each have these too many.
    pub(crate) odd: Vec<(NodeIndex, EdgeIndex)>,
}

/// Sorted times of one type, of lives in which some tick lies.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    pub(crate) created: Vec<Time>,
    pub(crate) removed: Vec<Time>,
    /// Those of `created` at which an element began that had lived before.
    again: Vec<Time>,
    /// When features of an element changed within a life; of several that change at once the time is here once.
    pub(crate) updated: Vec<Time>,
}

impl Tally {
    /// How many are alive at a time.
    pub(crate) fn count(&self, time: Time) -> usize {
        by(&self.created, time) - by(&self.removed, time)
    }

    /// How many have begun by a time, be they over.
    pub(crate) fn count_begun(&self, time: Time) -> usize {
        by(&self.created, time) - by(&self.again, time)
    }

    /// Takes in a life in which some tick lies.
    pub(crate) fn add(&mut self, life: Interval, is_first: bool, changes: impl IntoIterator<Item = Time>) {
        self.created.push(life.created);
        if !life.is_open() {
            self.removed.push(life.removed);
        }
        if !is_first {
            self.again.push(life.created);
        }
        self.updated.extend(changes);
    }

    /// Puts everything in order.
    pub(crate) fn sort(&mut self) {
        for times in [&mut self.created, &mut self.removed, &mut self.again, &mut self.updated] {
            times.sort_unstable();
            times.shrink_to_fit();
        }
    }
}

/// How many sorted times are not after a time.
fn by(times: &[Time], time: Time) -> usize {
    times.partition_point(|known| *known <= time)
}
