//! Health: every checksum, and law 1.

use timeweft_graph::{Event, GraphView, LoadId};
use timeweft_index::Index;

use crate::StoreError;
use crate::ingest::sort_features;
use crate::segment::Segment;
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
}

/// What a load wrote for itself, and not for others.
fn own(segments: &[Segment], load: LoadId) -> impl Iterator<Item = &Segment> {
    segments.iter().filter(move |segment| segment.load == load && segment.stands_for.is_none())
}

impl Store {
    /// Compares every checksum, replays the log into an empty graph, and compares that with the graph in memory.
    /// Pinned views stay as they are. The first thing that is wrong is the error.
    pub fn verify(&mut self) -> Result<VerifyReport, StoreError> {
        self.catalogue.check()?;
        // What a later load replaced is only read for earlier commits, but read it can be.
        for segment in &self.segments {
            let (bytes, place) = self.segment_bytes(segment)?;
            segment.check(&bytes, &place)?;
        }
        let replayed = self.replay(self.commit())?;
        let report = VerifyReport {
            loads: self.loads.len() as u64,
            segments: self.segments.len() as u64,
            bytes: self.segments.iter().map(|segment| segment.length).sum(),
            events: self.segments.iter().map(|segment| segment.events).sum(),
        };
        for load in &self.loads {
            let events: u64 = own(&self.segments, load.id).map(|segment| segment.events).sum();
            if events != load.events {
                let problem = format!("load {} has {events} events instead of {}", load.id.0, load.events);
                return Err(StoreError::corrupt(self.catalogue.path(), problem));
            }
        }
        if replayed.schema() != self.current.schema() || settled(&replayed) != settled(&self.current) {
            let problem = "the log replays to another graph than the one in memory";
            return Err(StoreError::corrupt(self.catalogue.path(), problem));
        }
        Ok(report)
    }
}

/// The events of a graph, each with the last value of every feature that it names: a segment keeps no others.
fn settled(graph: &Index) -> Vec<Event> {
    let mut events = graph.events();
    for event in &mut events {
        sort_features(&mut event.features);
        event.features.dedup_by(|later, earlier| {
            let repeated = later.0 == earlier.0;
            if repeated {
                std::mem::swap(later, earlier);
            }
            repeated
        });
    }
    events
}
