//! Health: every checksum, and law 1.

use std::sync::Arc;

use timeweft_graph::LoadId;
use timeweft_index::SnapshotError;
use timeweft_index::damage::catch;

use crate::StoreError;
use crate::log::segment::Segment;
use crate::store::Store;

/// What was found sound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct VerifyReport {
    /// Loads in the registry.
    pub loads: u64,
    /// Segments whose checksum was compared, in files and in the catalogue.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Events replayed.
    pub events: u64,
    /// Whether all that answers was as it was written. If not, a snapshot was damaged; it was removed, the log made the graph
    /// anew, and [`Store::take_warnings`] tells.
    pub sound: bool,
}

/// What a load wrote for itself, and not for others.
fn own(segments: &[Segment], load: LoadId) -> impl Iterator<Item = &Segment> {
    segments.iter().filter(move |segment| segment.load == load && segment.stands_for.is_none())
}

impl Store {
    /// Compares every checksum, replays the log into an empty graph, and compares that with the graph in memory: every array
    /// of it, element by element. The log is the truth: where the graph in memory differs, it takes what the log says, and
    /// the report tells. Pinned views stay as they are. The first thing that is wrong with the catalogue or the log is the
    /// error.
    ///
    /// Takes the memory of the graph once more; what is of a snapshot is given back as it is compared.
    pub fn verify(&mut self) -> Result<VerifyReport, StoreError> {
        if let Ok(catalogue) = self.ledger.writable() {
            catalogue.check()?;
        }
        // What a later load replaced is only read for earlier commits, but read it can be.
        for segment in &self.segments {
            let (bytes, place) = self.segment_bytes(segment)?;
            segment.check(&bytes, &place)?;
        }
        for load in &self.loads {
            let events: u64 = own(&self.segments, load.id).map(|segment| segment.events).sum();
            if events != load.events {
                let problem = format!("load {} has {events} events instead of {}", load.id.0, load.events);
                return Err(StoreError::corrupt(self.ledger.path(), problem));
            }
        }
        let has_mended = self.has_warnings();
        Ok(VerifyReport {
            loads: self.loads.len() as u64,
            segments: self.segments.len() as u64,
            bytes: self.segments.iter().map(|segment| segment.length).sum(),
            events: self.segments.iter().map(|segment| segment.events).sum(),
            sound: self.verify_memory()? && !has_mended,
        })
    }

    /// Whether the graph in memory is what the log makes. If not, it is now.
    fn verify_memory(&mut self) -> Result<bool, StoreError> {
        // What the log alone made a moment ago would be compared with itself.
        if self.replayed == Some(self.commit()) {
            return Ok(true);
        }
        if let Err(damage) = self.current.check() {
            self.mend(damage)?;
            return Ok(false);
        }
        let replayed = self.replay(self.commit())?;
        let compared = catch(|| self.current.same_as(&replayed));
        let Some(problem) = compared.unwrap_or_else(|damage| Err(damage.problem)).err() else { return Ok(true) };
        self.current = Arc::new(replayed);
        self.replayed = Some(self.commit());
        self.discard_snapshots(&problem)?;
        Ok(false)
    }

    /// Removes all snapshots: one of them was written wrong, or memory is.
    fn discard_snapshots(&self, problem: &str) -> Result<(), StoreError> {
        let problem = format!("the graph in memory is not what the log makes: {problem}");
        let files = self.snapshot_files()?;
        if files.is_empty() {
            self.warn(format!("{}: {problem}: it was made anew from its log, which is whole", self.dir.display()));
        }
        self.warn_of(files.into_iter().map(|file| (file, SnapshotError::Damaged(problem.clone()))).collect());
        Ok(())
    }
}
