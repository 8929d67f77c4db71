//! One side of one life of an edge, with its times in 32 or 64 bits.

use bytemuck::{Pod, Zeroable};
use timeweft_graph::{Direction, EdgeIndex, NodeIndex, Time};

use crate::elements::edge::Edges;

/// A time as entries keep it, `u32` or `i64`: a whole number of units from a first time on.
pub(crate) trait Tick: Copy + Ord + Default + std::fmt::Debug + Pod + Send + Sync {
    /// "Never"; after every other tick.
    const NEVER: Self;

    /// The last tick at or before a time, `None` if all are later. The end of time comes before [`Tick::NEVER`], so that
    /// what never ended is there at the end of time.
    fn floor(clock: Clock, time: Time) -> Option<Self>;

    /// The tick of a time that the clock was made for; [`Time::FOREVER`] is [`Tick::NEVER`].
    fn of(clock: Clock, time: Time) -> Self;

    /// The time of a tick.
    fn time(self, clock: Clock) -> Time;

    /// A tick and what orders entries of one tick, in one number.
    type Rank: Copy + Ord + Default;

    /// The number.
    fn rank(self, side: u32) -> Self::Rank;
}

/// The first time and the unit of 32-bit ticks; 64-bit ticks are times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Clock {
    pub(crate) first: i64,
    pub(crate) unit: i64,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { first: 0, unit: 1 }
    }
}

impl Clock {
    /// A clock of 32-bit ticks that has all these times exactly, if there is one.
    pub(crate) fn narrow(times: impl Iterator<Item = Time> + Clone) -> Option<Clock> {
        let finite = times.filter(|time| *time != Time::FOREVER);
        let first = finite.clone().min()?.0;
        let last = finite.clone().max()?.0;
        let fits = |unit: i64| (i128::from(last) - i128::from(first)) / i128::from(unit) < i128::from(u32::MAX - 1);
        if fits(1) {
            return Some(Clock { first, unit: 1 });
        }
        let mut unit = 0u64;
        for time in finite {
            unit = gcd(unit, time.0.abs_diff(first));
            if unit == 1 {
                return None;
            }
        }
        let unit = i64::try_from(unit).ok().filter(|unit| *unit > 0)?;
        fits(unit).then_some(Clock { first, unit })
    }

    /// Units from the first time on, rounded down.
    fn units(self, time: Time) -> i128 {
        let since = i128::from(time.0) - i128::from(self.first);
        if self.unit == 1 { since } else { since.div_euclid(i128::from(self.unit)) }
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Tick for u32 {
    const NEVER: u32 = u32::MAX;

    #[inline]
    fn floor(clock: Clock, time: Time) -> Option<u32> {
        // Questions are many: a difference that is not negative fits 64 bits, which spares a wider division.
        let since = (time.0 as u64).wrapping_sub(clock.first as u64);
        let units = if clock.unit == 1 { since } else { since / clock.unit as u64 };
        (time.0 >= clock.first).then(|| units.min(u64::from(u32::MAX - 1)) as u32)
    }

    fn of(clock: Clock, time: Time) -> u32 {
        if time == Time::FOREVER { u32::NEVER } else { clock.units(time) as u32 }
    }

    type Rank = u64;

    #[inline]
    fn rank(self, side: u32) -> u64 {
        u64::from(self) << 32 | u64::from(side)
    }

    #[inline]
    fn time(self, clock: Clock) -> Time {
        if self == u32::NEVER { Time::FOREVER } else { Time(clock.first + i64::from(self) * clock.unit) }
    }
}

impl Tick for i64 {
    const NEVER: i64 = i64::MAX;

    fn floor(_: Clock, time: Time) -> Option<i64> {
        Some(time.0.min(i64::MAX - 1))
    }

    fn of(_: Clock, time: Time) -> i64 {
        time.0
    }

    type Rank = i128;

    #[inline]
    fn rank(self, side: u32) -> i128 {
        i128::from(self) << 32 | i128::from(side)
    }

    fn time(self, _: Clock) -> Time {
        Time(self)
    }
}

/// One side of one life of an edge: 16 bytes with 32-bit ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub(crate) struct Entry<T> {
    pub(crate) created: T,
    pub(crate) removed: T,
    /// The edge, and in the lowest bit whether this is its destination's side.
    side: u32,
    neighbor: u32,
}

// SAFETY: ticks are `u32` and `i64`, as the trait says; two of them and two numbers of four bytes, in the order of C, have
// nothing between or behind them, and any bits are valid. Entries are read from mapped files.
#[allow(unsafe_code)]
unsafe impl<T: Tick> Zeroable for Entry<T> {}
#[allow(unsafe_code)]
unsafe impl<T: Tick> Pod for Entry<T> {}

impl<T: Tick> Entry<T> {
    /// An entry with all its parts. The caller keeps edges below 2^31.
    pub(crate) fn new(created: T, removed: T, edge: EdgeIndex, direction: Direction, neighbor: NodeIndex) -> Entry<T> {
        Entry { created, removed, side: edge.0 << 1 | u32::from(direction == Direction::In), neighbor: neighbor.0 }
    }

    /// The same in one number.
    #[inline]
    pub(crate) fn rank(&self) -> T::Rank {
        self.created.rank(self.side)
    }

    /// What entries are sorted by: when the edge was created, then when it arrived.
    pub(crate) fn order(&self) -> (T, u32) {
        (self.created, self.side)
    }

    /// The edge.
    #[inline]
    pub(crate) fn edge(&self) -> EdgeIndex {
        EdgeIndex(self.side >> 1)
    }

    /// Which side of it the node is.
    pub(crate) fn direction(&self) -> Direction {
        if self.side & 1 == 0 { Direction::Out } else { Direction::In }
    }

    /// The node at the other end.
    #[inline]
    pub(crate) fn neighbor(&self) -> NodeIndex {
        NodeIndex(self.neighbor)
    }

    /// Whether the edge is there at a tick, at or before which it was created.
    pub(crate) fn outlives(&self, at: T) -> bool {
        self.removed > at
    }

    /// The entry with times.
    pub(crate) fn seen(&self, clock: Clock) -> SeenEdge {
        SeenEdge {
            created: self.created.time(clock),
            removed: self.removed.time(clock),
            edge: self.edge(),
            direction: self.direction(),
            neighbor: self.neighbor(),
        }
    }
}

impl Entry<i64> {
    /// The side of an edge that `direction` says.
    pub(crate) fn of(edges: &Edges, edge: EdgeIndex, direction: Direction) -> Entry<i64> {
        let life = edges.get(edge);
        let neighbor = if direction == Direction::Out { life.destination } else { life.source };
        Entry::new(life.interval.created.0, life.interval.removed.0, edge, direction, neighbor)
    }
}

/// An entry as answers have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SeenEdge {
    pub(crate) created: Time,
    pub(crate) removed: Time,
    pub(crate) edge: EdgeIndex,
    pub(crate) direction: Direction,
    pub(crate) neighbor: NodeIndex,
}
