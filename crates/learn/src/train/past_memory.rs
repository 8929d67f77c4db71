//! Memory as it was after some of the facts: a question about the past starts at the newest one before it.

use crate::VectorStore;

/// Facts after which memory is kept again, at first: to take so many in takes about a second.
const EVERY: usize = 1 << 16;
/// Most that are kept.
const MOST: usize = 16;
/// Bytes that they may take, or else this many times what memory itself takes.
const BYTES: usize = 1 << 28;
const TIMES: usize = 4;

/// States of memory by how many facts they have taken in, ascending and nearly as far from each other. Where they become too many every
/// second one goes: a question about the past then reads at most twice as many facts again, which are no more than an eighth of all, or
/// less than half where memory is large.
#[derive(Clone, Debug)]
pub struct PastMemory {
    every: usize,
    kept: Vec<VectorStore>,
}

impl Default for PastMemory {
    fn default() -> PastMemory {
        PastMemory { every: EVERY, kept: Vec::new() }
    }
}

impl PastMemory {
    /// None yet; they are kept after every so many facts.
    pub fn every(facts: usize) -> PastMemory {
        PastMemory { every: facts.max(1), kept: Vec::new() }
    }

    /// Those that a file has.
    pub(crate) fn of(every: usize, kept: Vec<VectorStore>) -> PastMemory {
        PastMemory { every: every.max(1), kept }
    }

    /// Facts from one to the next at the least.
    pub fn distance(&self) -> usize {
        self.every
    }

    /// All of them, by facts.
    pub fn kept(&self) -> &[VectorStore] {
        &self.kept
    }

    /// Bytes of all rows.
    pub fn size(&self) -> usize {
        self.kept.iter().map(VectorStore::size).sum()
    }

    /// Keeps memory as it is, if enough facts came since the last one that is kept. It is copied once it changes.
    pub(crate) fn note(&mut self, store: &VectorStore) {
        let last = self.kept.last().map_or(0, VectorStore::absorbed);
        if store.absorbed() < last + self.every {
            return;
        }
        self.kept.push(store.clone());
        while self.kept.len() > MOST || self.kept.len() > 1 && self.size() > BYTES.max(TIMES * store.size()) {
            self.every = self.every.saturating_mul(2);
            let mut at = 0;
            self.kept.retain(|_| {
                at += 1;
                at % 2 == 0
            });
        }
    }

    /// The newest one of no more than `facts`.
    pub(crate) fn before(&self, facts: usize) -> Option<&VectorStore> {
        let n = self.kept.partition_point(|store| store.absorbed() <= facts);
        n.checked_sub(1).map(|at| &self.kept[at])
    }

    /// Forgets those of more than `facts`.
    pub(crate) fn forget_after(&mut self, facts: usize) {
        self.kept.retain(|store| store.absorbed() <= facts);
    }
}
