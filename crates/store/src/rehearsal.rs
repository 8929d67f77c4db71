//! Loads that are only tried: everything is done but the commit, and nothing is left of it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use timeweft_index::Index;

use crate::StoreError;
use crate::store::{Rehearsal, Store};

impl Store {
    /// Tries a load or a rollback: it does all that it does, says what it comes to, and leaves nothing, in memory or on the
    /// disk. Gives the graph as it would be, too; that of now where the load would change nothing.
    ///
    /// # Errors
    /// If the load would fail.
    pub fn rehearse<T>(
        &mut self,
        load: impl FnOnce(&mut Store) -> Result<T, StoreError>,
    ) -> Result<(T, Arc<Index>), StoreError> {
        // Held, so that the load works on a copy.
        let before = self.current.clone();
        self.rehearsal = Some(Rehearsal::default());
        let tried = catch_unwind(AssertUnwindSafe(|| load(self)));
        let rehearsal = self.rehearsal.take().unwrap_or_default();
        let tried = tried.unwrap_or_else(|panic| {
            self.current = before.clone();
            resume_unwind(panic)
        });
        Ok((tried?, rehearsal.graph.unwrap_or(before)))
    }
}
