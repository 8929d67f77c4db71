//! Where what was seen stands: a hash table of numbers, made anew for each part and small.

use timeweft_graph::{NodeIndex, Time};

use crate::NONE;

/// A node as a root sees it. Joint roots are one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct SeenNode {
    pub(super) root: u32,
    pub(super) node: NodeIndex,
    pub(super) time: Time,
}

#[derive(Clone, Copy)]
struct Slot {
    seen: SeenNode,
    place: u32,
}

/// Places by what was seen; at most half of the slots are taken, and the next free one is looked at after a taken one.
pub(super) struct Places {
    slots: Vec<Slot>,
    len: usize,
}

const FREE: Slot = Slot { seen: SeenNode { root: 0, node: NodeIndex(0), time: Time(0) }, place: NONE };

impl Places {
    pub(super) fn new(expected: usize) -> Places {
        Places { slots: vec![FREE; (2 * expected).next_power_of_two().max(16)], len: 0 }
    }

    /// Where it stands, and whether that is new.
    #[inline]
    pub(super) fn place(&mut self, seen: SeenNode, next: u32) -> (u32, bool) {
        if 2 * self.len >= self.slots.len() {
            self.grow();
        }
        let at = self.find(&seen);
        let slot = &mut self.slots[at];
        if slot.place != NONE {
            return (slot.place, false);
        }
        *slot = Slot { seen, place: next };
        self.len += 1;
        (next, true)
    }

    #[inline]
    fn find(&self, seen: &SeenNode) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash(seen) as usize & mask;
        while self.slots[at].place != NONE && self.slots[at].seen != *seen {
            at = (at + 1) & mask;
        }
        at
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![FREE; self.slots.len() * 2];
        let old = std::mem::replace(&mut self.slots, larger);
        for slot in old.into_iter().filter(|slot| slot.place != NONE) {
            let at = self.find(&slot.seen);
            self.slots[at] = slot;
        }
    }
}

#[inline]
fn hash(seen: &SeenNode) -> u64 {
    let pair = u64::from(seen.root) << 32 | u64::from(seen.node.0);
    let mixed = (pair ^ (seen.time.0 as u64).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 32
}
