//! Merges: which node became which, and when.

use bytemuck::{Pod, Zeroable};
use timeweft_graph::{FeatureId, Interval, NodeIndex, Time};

use crate::NONE;
use crate::elements::life::{LifeRecord, chain, life_record};
use crate::feature_store::FeatureRow;
use crate::memory::array::Array;

/// One episode in which `from` is `into`. One that ended when it began is never shown.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Merge {
    pub(crate) interval: Interval,
    pub(crate) from: NodeIndex,
    pub(crate) into: NodeIndex,
    /// The episode of `from` before this one, or [`NONE`].
    previous: u32,
    /// Its [`FeatureRow`].
    feature_row: u32,
    pub(crate) namespace: u32,
    only: FeatureId,
    unused: u16,
}

life_record!(Merge);

/// All merges, in the order of the log.
#[derive(Clone, Default)]
pub(crate) struct Merges {
    pub(crate) all: Array<Merge>,
}

impl Merges {
    /// The open merges of a node, newest first, given its latest one.
    pub(crate) fn open_of(&self, latest: u32) -> impl Iterator<Item = u32> {
        chain(&self.all, latest).filter(|&merge| self.all[merge as usize].interval.is_open())
    }

    /// Begins a merge behind the latest one of its node; gives its number.
    pub(crate) fn open(&mut self, nodes: [NodeIndex; 2], previous: u32, time: Time, namespace: u32) -> u32 {
        let ([from, into], FeatureRow { at, only, begun }) = (nodes, FeatureRow::none(time));
        let merge = self.all.len() as u32;
        let interval = Interval::open(begun);
        self.all.push(Merge { interval, from, into, previous, feature_row: at, namespace, only, unused: 0 });
        merge
    }

    /// Ends all open merges of a node, given its latest one.
    pub(crate) fn close_all(&mut self, latest: u32, time: Time) {
        let mut at = latest;
        while at != NONE {
            let merge = &mut self.all[at as usize];
            if merge.interval.is_open() {
                merge.interval.removed = time;
            }
            at = merge.previous;
        }
    }
}
