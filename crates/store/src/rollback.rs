//! Rollback: taking a load back, as a new commit.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use timeweft_graph::{Commit, FeatureId, LoadId, Schema};
use timeweft_index::TypeSet;

use crate::StoreError;
use crate::load::loading::now;
use crate::load::{LoadRecord, SpliceReport};
use crate::log::codec;
use crate::log::effective::{Effective, effective, unit_at};
use crate::splice::{Splice, Spliced, Together};
use crate::store::Store;

/// Whether a load is in effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoadState {
    /// It is.
    Complete,
    /// A later one took it back.
    RolledBack {
        /// The rollback.
        by: LoadId,
    },
}

/// What came of a rollback.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RollbackReport {
    /// Its own number in the registry.
    pub load: LoadId,
    /// The commit that made it visible.
    pub commit: Commit,
    /// The load that it took back.
    pub undone: LoadId,
    /// What it changed in later loads.
    pub later: SpliceReport,
}

impl Store {
    /// Takes a load back, as a new commit: the graph is what it would be without the load. Earlier commits stay as they
    /// are, and the name of its version is free again.
    ///
    /// Before the load's timestamp and from the next version of its namespace on nothing changes; between them the
    /// namespace is what it was before the load. What other namespaces hold stays; what the graph now refuses of their loads
    /// is dropped and reported, such as edges at nodes that the load alone brought.
    pub fn rollback(&mut self, load: LoadId) -> Result<RollbackReport, StoreError> {
        self.check_rollback(load)?;
        self.attempt(|store| store.take_out(load))
    }

    /// Whether a load is in effect; `None` for one that is not in the registry.
    pub fn load_state(&self, load: LoadId) -> Option<LoadState> {
        self.record(load).ok()?;
        let undone = self.loads.iter().find(|record| record.undoes == Some(load));
        Some(undone.map_or(LoadState::Complete, |record| LoadState::RolledBack { by: record.id }))
    }

    /// The types and features that came with loads that were taken back by a commit. They keep their numbers, and so are in
    /// the schema of its view; of which of them nothing is there, [`timeweft_index::Index::unused`] tells.
    pub fn types_taken_back(&self, commit: Commit) -> Result<TypeSet, StoreError> {
        let mut types = TypeSet::new();
        let undone = self.loads.iter().filter(|load| load.commit <= commit).filter_map(|load| load.undoes);
        for load in undone {
            let came = self.record(load)?.commit;
            let before = self.ledger.schema(Commit(came.0.saturating_sub(1)))?;
            let after = self.ledger.schema(came)?;
            let known: FxHashSet<_> = before.owners().into_iter().collect();
            for owner in after.owners() {
                if !known.contains(&owner) {
                    types.insert((owner, None));
                }
                let features = before.features(owner).len()..after.features(owner).len();
                types.extend(features.map(|at| (owner, Some(FeatureId(at as u16)))));
            }
        }
        Ok(types)
    }

    fn check_rollback(&self, load: LoadId) -> Result<(), StoreError> {
        let record = self.record(load)?;
        if let Some(undone) = record.undoes {
            return Err(StoreError::NotUndoable { load, why: format!("it took back load {}", undone.0) });
        }
        if let Some(LoadState::RolledBack { by }) = self.load_state(load) {
            return Err(StoreError::NotUndoable { load, why: format!("load {} took it back already", by.0) });
        }
        Ok(())
    }

    /// The types without a load: what it made wider is as it was, unless loads after it rely on that.
    fn schema_without(&self, undone: LoadId, after: &[Effective]) -> Result<Schema, StoreError> {
        let commit = self.record(undone)?.commit;
        let was = self.ledger.schema(Commit(commit.0.saturating_sub(1)))?;
        let mut schema = self.schema().clone();
        for owner in was.owners() {
            for (at, def) in was.features(owner).iter().enumerate() {
                schema.set_kind(owner, FeatureId(at as u16), def.kind);
            }
        }
        if schema == *self.schema() || self.has_version(after)? {
            return Ok(self.schema().clone());
        }
        // What was set aside is tried again as well.
        let own = after.iter().map(|entry| Effective { written_by: entry.load, ..*entry });
        for segment in after.iter().copied().chain(own).flat_map(|entry| self.segments_of(entry)) {
            let (bytes, place) = self.segment_bytes(segment)?;
            let mut fits = true;
            segment.batches(&bytes, &place, |batch| {
                fits &= codec::fits(&batch, &schema).map_err(|error| StoreError::corrupt(&place, error))?;
                Ok(())
            })?;
            if !fits {
                return Ok(self.schema().clone());
            }
        }
        Ok(schema)
    }

    fn take_out(&mut self, undone: LoadId) -> Result<RollbackReport, StoreError> {
        let started = now();
        let (load, commit) = (self.next_load(), Commit(self.commit().0 + 1));
        let namespace = self.record(undone)?.namespace.clone();
        let log = effective(&self.loads, self.commit());
        let at = log.iter().position(|entry| entry.load == undone).ok_or(StoreError::UnknownLoad(undone))?;
        let unit = unit_at(&log, at);
        let rest: Vec<Effective> = log[unit.start..].iter().copied().filter(|entry| entry.load != undone).collect();

        self.let_go();
        let trial = self.sound_log(&log[..unit.start], self.schema_without(undone, &rest)?)?;
        let mut original = if self.has_version(&rest)? { Some(trial.clone()) } else { None };
        if let (Some(original), 1) = (&mut original, unit.len()) {
            self.replay_unit(&log[unit.clone()], original)?;
        }
        let mut splice = Splice::new(self, load, &namespace, trial, original);
        if unit.len() > 1 {
            splice.together(&log[unit.clone()], &mut Together { without: Some(undone), ..Together::default() })?;
        }
        splice.later(&log[unit.end..])?;
        let Spliced { graph, written, report, reordered, aside } = splice.finish();
        let record = LoadRecord {
            id: load,
            commit,
            namespace,
            source: format!("rollback of load {}", undone.0).as_str().into(),
            rejected: report.n_dropped,
            undoes: Some(undone),
            replaced: report.replaced.clone(),
            aside,
            started,
            completed: now(),
            ..LoadRecord::default()
        };
        self.publish_graph(record, written, (Arc::new(graph), reordered))?;
        Ok(RollbackReport { load, commit, undone, later: report })
    }
}
