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

    /// Takes in further facts in place, in O(1) each. Where the first are of the time of the last that are there, all of that
    /// time are put in order anew. It is another history where somebody else reads this one and that matters to them.
    pub(crate) fn grow(&mut self, index: &Index, facts: &[Fact], deletes: Deletes) {
        let known = self.n_facts;
        let whole = n_whole(facts, known);
        let own = Arc::get_mut(&mut self.history).map(|own| own.get_mut().unwrap_or_else(PoisonError::into_inner));
        match own.filter(|own| own.n_facts() == known && known <= facts.len()) {
            Some(own) => {
                own.take_back(&facts[whole..known]);
                own.append(index, &facts[whole..]);
                self.n_facts = facts.len();
            }
            None => *self = self.continued(index, facts, deletes),
        }
    }

    /// Begins to read.
    pub(crate) fn read(&self) -> HistoryReader<'_> {
        let history = self.history.read().unwrap_or_else(PoisonError::into_inner);
        HistoryReader { history, n_facts: self.n_facts as u32 }
    }
}

/// How many of the first `n` facts are of times that no later fact shares.
pub(crate) fn n_whole(facts: &[Fact], n: usize) -> usize {
    match (n.checked_sub(1).and_then(|last| facts.get(last)), facts.get(n)) {
        (Some(last), Some(next)) if last.time == next.time => facts[..n].partition_point(|fact| fact.time < last.time),
        _ => n,
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
