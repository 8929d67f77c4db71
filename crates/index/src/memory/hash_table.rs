//! A hash table of numbers that lies in one array, so that it can be read from a file.

use crate::NONE;
use crate::memory::array::Array;

/// Numbers by the hashes of what they stand for, by open addressing with linear probing. Nothing is ever taken out.
#[derive(Clone, Default)]
pub(crate) struct NumberTable {
    /// As many as a power of two, or none; [`NONE`] is a free one. At most two thirds are taken.
    pub(crate) slots: Array<u32>,
    pub(crate) taken: usize,
}

impl NumberTable {
    /// How many numbers it has.
    pub(crate) fn len(&self) -> usize {
        self.taken
    }

    /// The number of a hash that stands for the same.
    pub(crate) fn find(&self, hash: u64, same: impl Fn(u32) -> bool) -> Option<u32> {
        self.place(hash, same).ok().map(|at| self.slots[at])
    }

    /// Puts a number in the place of the one that stands for the same, or adds it.
    #[inline]
    pub(crate) fn replace(&mut self, hash: u64, number: u32, same: impl Fn(u32) -> bool, hash_of: impl Fn(u32) -> u64) {
        match self.place(hash, same) {
            Ok(at) => self.slots[at] = number,
            Err(_) => self.insert(hash, number, hash_of),
        }
    }

    /// Adds a number that stands for something new.
    pub(crate) fn insert(&mut self, hash: u64, number: u32, hash_of: impl Fn(u32) -> u64) {
        if (self.taken + 1) * 3 > self.slots.len() * 2 {
            self.grow(self.taken + 1, hash_of);
        }
        if let Err(at) = self.place(hash, |_| false) {
            self.slots[at] = number;
            self.taken += 1;
        }
    }

    /// Grows to hold a number of numbers in all.
    pub(crate) fn grow(&mut self, numbers: usize, hash_of: impl Fn(u32) -> u64) {
        let len = (numbers * 3 / 2 + 1).next_power_of_two().max(16);
        if len <= self.slots.len() {
            return;
        }
        let before = std::mem::replace(&mut self.slots, vec![NONE; len].into());
        for &number in before.iter().filter(|number| **number != NONE) {
            if let Err(at) = self.place(hash_of(number), |_| false) {
                self.slots[at] = number;
            }
        }
    }

    /// Where the number is that stands for the same, or else where it would go. There is always a free slot, but in an
    /// empty table.
    fn place(&self, hash: u64, same: impl Fn(u32) -> bool) -> Result<usize, usize> {
        let slots = self.slots.checked();
        if slots.len() == 0 {
            return Err(0);
        }
        let mask = slots.len() - 1;
        let mut at = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & mask;
        loop {
            match *slots.at(at) {
                NONE => return Err(at),
                number if same(number) => return Ok(at),
                _ => at = (at + 1) & mask,
            }
        }
    }
}
