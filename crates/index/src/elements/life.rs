//! Lives of nodes and edges: chains from the latest one back.

use bytemuck::Pod;
use timeweft_graph::{At, Deletes, Interval, Time};

use crate::NONE;
use crate::feature_store::FeatureRow;
use crate::memory::array::Checked;

/// One life of a node or edge. A life that ended when it began is kept as a record and never shown.
pub(crate) trait LifeRecord {
    /// When it lives.
    fn interval(&self) -> Interval;
    /// The life of the same element before this one, or [`NONE`].
    fn previous(&self) -> u32;
    /// Its features in [`crate::feature_store::FeatureStore`].
    fn feature_row(&self) -> FeatureRow;
    /// Notes where its features are.
    fn set_feature_row(&mut self, feature_row: FeatureRow);

    /// Whether some tick lies in it.
    fn is_real(&self) -> bool {
        self.interval().created < self.interval().removed
    }

    /// Whether it is seen at a time: it has begun, and holds still or deletes are soft.
    fn is_seen(&self, time: Time, deletes: Deletes) -> bool {
        let life = self.interval();
        self.is_real() && life.created <= time && (deletes == Deletes::Soft || life.contains(time))
    }

    /// The time at which a view reads its features: a deleted element keeps its last ones.
    fn as_of(&self, time: Time) -> Time {
        let life = self.interval();
        if life.contains(time) { time } else { life.removed.before() }
    }
}

/// Implements [`LifeRecord`] for a row of an array. Each has the same fields, at places of its own, so that none has a gap.
macro_rules! life_record {
    ($row:ty) => {
        impl LifeRecord for $row {
            fn interval(&self) -> Interval {
                self.interval
            }
            fn previous(&self) -> u32 {
                self.previous
            }
            fn feature_row(&self) -> FeatureRow {
                FeatureRow { at: self.feature_row, only: self.only, begun: self.interval.created }
            }
            fn set_feature_row(&mut self, row: FeatureRow) {
                (self.feature_row, self.only) = (row.at, row.only);
            }
        }
    };
}
pub(crate) use life_record;

/// The life that a view shows of the element whose latest life is `latest`.
#[inline]
pub(crate) fn shown<'a, L: LifeRecord + Pod>(lives: impl Into<Checked<'a, L>>, latest: u32, at: At) -> Option<u32> {
    let lives = lives.into();
    let begun = chain(lives, latest).find(|&id| {
        let life = lives.at(id as usize);
        life.is_real() && life.interval().created <= at.time
    })?;
    let visible = at.deletes == Deletes::Soft || lives.at(begun as usize).interval().contains(at.time);
    visible.then_some(begun)
}

/// A life and those before it, newest first.
#[inline]
pub(crate) fn chain<'a, L: LifeRecord + Pod>(
    lives: impl Into<Checked<'a, L>>,
    latest: u32,
) -> impl Iterator<Item = u32> + 'a {
    let lives = lives.into();
    let some = |id: u32| (id != NONE).then_some(id);
    std::iter::successors(some(latest), move |&id| some(lives.at(id as usize).previous()))
}
