//! How many elements of each type are alive at a time.

use timeweft_graph::{Interval, Time};

/// When elements of each type began and ended: nodes and edges.
#[derive(Clone, Default)]
pub(crate) struct Tallies {
    pub(crate) nodes: Vec<Tally>,
    pub(crate) edges: Vec<Tally>,
}

/// Sorted times of one type.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    created: Vec<Time>,
    removed: Vec<Time>,
}

impl Tally {
    /// How many are alive at a time.
    pub(crate) fn count(&self, time: Time) -> usize {
        let by = |times: &[Time]| times.partition_point(|known| *known <= time);
        by(&self.created) - by(&self.removed)
    }
}

/// The tallies of each of `n` types.
pub(crate) fn tallies(lives: impl Iterator<Item = (usize, Interval)>, n: usize) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); n];
    for (at, life) in lives {
        let tally = &mut tallies[at];
        tally.created.push(life.created);
        if !life.is_open() {
            tally.removed.push(life.removed);
        }
    }
    for tally in &mut tallies {
        tally.created.sort_unstable();
        tally.removed.sort_unstable();
    }
    tallies
}
