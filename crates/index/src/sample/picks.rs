//! Picks: places in the lists of a root.

use std::marker::PhantomData;

use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};

use super::alive::{Moment, is_over};
use super::scale::Scale;
use super::slots::Picked;
use crate::adjacency::{BLOCK, Entry, ListPart, ListSource, Tick};

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

/// Picks in a buffer that is used again: filling it takes no branch for each entry.
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

    /// Adds the entries of a list that are seen, in its order, without whole blocks that are over.
    #[inline]
    pub(crate) fn gather<'a, T: Tick, P: ListSource<'a, T>>(
        &mut self,
        source: P,
        (at, part): (usize, &ListPart),
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

/// Picks with the lists that they are from.
pub(crate) struct PickedEdges<'s, 'l, T, P> {
    source: P,
    parts: &'s [ListPart],
    picks: &'s [Pick],
    scale: Scale<'s>,
    entries: PhantomData<&'l T>,
}

impl<'s, 'l, T: Tick, P: ListSource<'l, T>> PickedEdges<'s, 'l, T, P> {
    #[inline]
    pub(crate) fn new(source: P, parts: &'s [ListPart], picks: &'s [Pick], scale: Scale<'s>) -> Self {
        PickedEdges { source, parts, picks, scale, entries: PhantomData }
    }

    #[inline]
    fn entry(&self, pick: Pick) -> &'l Entry<T> {
        entry_of(self.source, self.parts, pick)
    }
}

impl<'l, T: Tick, P: ListSource<'l, T>> Picked for PickedEdges<'_, 'l, T, P> {
    type Place = Pick;

    fn places(&self) -> &[Pick] {
        self.picks
    }
    #[inline]
    fn neighbor(&self, pick: Pick) -> NodeIndex {
        self.entry(pick).neighbor()
    }
    #[inline]
    fn edge(&self, pick: Pick) -> EdgeIndex {
        self.entry(pick).edge()
    }
    #[inline]
    fn edge_type(&self, pick: Pick) -> EdgeTypeId {
        self.parts[pick.part()].edge_type
    }
    #[inline]
    fn direction(&self, pick: Pick) -> Direction {
        self.parts[pick.part()].direction
    }
    #[inline]
    fn created(&self, pick: Pick) -> Time {
        self.entry(pick).created.time(self.source.clock())
    }
    #[inline]
    fn weight(&self, pick: Pick) -> f64 {
        self.scale.weigh::<T, P>(pick.place(), self.entry(pick))
    }
}

/// The entry of a pick.
#[inline]
pub(crate) fn entry_of<'l, T: Tick, P: ListSource<'l, T>>(source: P, parts: &[ListPart], pick: Pick) -> &'l Entry<T> {
    source.entry(&parts[pick.part()], pick.place())
}
