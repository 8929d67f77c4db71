//! Memory as of a time. That of the past time that was asked about last is kept: who asks what comes next asks why, too.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use timeweft_graph::{Stop, Time};
use timeweft_learn::VectorStore;

use super::Model;
use crate::Result;

/// The memory of a past time, and how many facts it has taken in.
#[derive(Default)]
pub(crate) struct Past(Mutex<Option<Arc<VectorStore>>>);

/// What a question reads.
pub(crate) enum Memory<'a> {
    /// The model's own.
    Own(&'a VectorStore),
    /// That of a past time.
    Past(Arc<VectorStore>),
}

impl Deref for Memory<'_> {
    type Target = VectorStore;

    fn deref(&self) -> &VectorStore {
        match self {
            Memory::Own(store) => store,
            Memory::Past(store) => store,
        }
    }
}

impl Model {
    /// Memory of everything strictly before a time.
    pub(crate) fn memory(&self, time: Time, stop: &Stop) -> Result<Memory<'_>> {
        let kept = || self.past.0.lock().unwrap_or_else(PoisonError::into_inner);
        let n = self.trained.graph.n_facts_before(time);
        if n != self.trained.store.absorbed()
            && let Some(store) = kept().as_ref().filter(|store| store.absorbed() == n)
        {
            return Ok(Memory::Past(store.clone()));
        }
        // Questions of another time go on meanwhile.
        Ok(match self.trained.memory_at(time, stop)? {
            Cow::Borrowed(store) => Memory::Own(store),
            Cow::Owned(store) => {
                let store = Arc::new(store);
                *kept() = Some(store.clone());
                Memory::Past(store)
            }
        })
    }
}
