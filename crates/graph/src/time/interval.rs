//! Half-open intervals of valid time.

use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

use crate::Time;

/// `[created, removed)`; an open end is [`Time::FOREVER`].
///
/// ```
/// use timeweft_graph::{Interval, Time};
/// let life = Interval::new(Time(13), Time(20)).unwrap();
/// assert!(life.contains(Time(13)) && !life.contains(Time(20)));
/// assert!(Interval::new(Time(5), Time(5)).is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, Pod, Zeroable)]
#[repr(C)]
pub struct Interval {
    /// First tick inside.
    pub created: Time,
    /// First tick after the end.
    pub removed: Time,
}

impl Interval {
    /// An interval that holds at least one tick; `None` if it is empty or reversed.
    pub fn new(created: Time, removed: Time) -> Option<Interval> {
        (created < removed).then_some(Interval { created, removed })
    }

    /// From `created` on, without an end.
    pub fn open(created: Time) -> Interval {
        Interval { created, removed: Time::FOREVER }
    }

    /// Whether `time` lies inside. An open interval also contains [`Time::FOREVER`] itself,
    /// so that "at the end of time" (the default of every reading command) sees what never ended.
    pub fn contains(self, time: Time) -> bool {
        self.created <= time && (time < self.removed || self.removed == Time::FOREVER)
    }

    /// Whether the end is open.
    pub fn is_open(self) -> bool {
        self.removed == Time::FOREVER
    }
}
