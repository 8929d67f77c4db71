//! One history for all states of a graph that grows: each state reads its own beginning of it.

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use timeweft_graph::{Deletes, Time};
use timeweft_index::{Fact, Index};

use crate::data::edge_history::EdgeHistory;

/// The first facts of a history that others may continue. A clone costs nothing, and what is appended to one is not seen
/// by another.
#[derive(Clone, Debug)]
pub(crate) struct SharedHistory {
    history: Arc<RwLock<EdgeHistory>>,
    n_facts: usize,
}

/// A history while it is read: writers wait. It is never held while work is shared among threads, or one that waits for
/// others could begin to read again behind a writer that waits for it.
pub(crate) struct HistoryReader<'a> {
    history: RwLockReadGuard<'a, EdgeHistory>,
    n_facts: u32,
}

impl SharedHistory {
    /// The history of some facts of a graph.
    pub(crate) fn of(index: &Index, facts: &[Fact], deletes: Deletes) -> SharedHistory {
        let history = EdgeHistory::of(index, facts, deletes);
        SharedHistory { history: Arc::new(RwLock::new(history)), n_facts: facts.len() }
    }

    /// The history of the same facts and some more. Further ones of later times are appended, in O(1) each; it is laid out
    /// anew where they are not, and where another state has appended its own.
    pub(crate) fn continued(&self, index: &Index, facts: &[Fact], deletes: Deletes) -> SharedHistory {
        let mut history = self.history.write().unwrap_or_else(PoisonError::into_inner);
        let next = facts.get(self.n_facts..).unwrap_or_default();
        if facts.len() < self.n_facts || !history.continues(self.n_facts, next) {
            drop(history);
            return SharedHistory::of(index, facts, deletes);
        }
        history.append(index, next);
        SharedHistory { history: self.history.clone(), n_facts: facts.len() }
    }

    /// Begins to read.
    pub(crate) fn read(&self) -> HistoryReader<'_> {
        let history = self.history.read().unwrap_or_else(PoisonError::into_inner);
        HistoryReader { history, n_facts: self.n_facts as u32 }
    }
}

impl HistoryReader<'_> {
    /// The first moment that is not before a time: what lies below it was strictly before.
    pub(crate) fn limit(&self, time: Time) -> u32 {
        self.history.limit(time).min(self.n_facts)
    }
}

impl Deref for HistoryReader<'_> {
    type Target = EdgeHistory;

    fn deref(&self) -> &EdgeHistory {
        &self.history
    }
}
