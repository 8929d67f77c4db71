//! The log into a graph. One thread reads and checks the files and decodes their batches; another applies what they hold.

use std::path::PathBuf;
use std::thread;

use timeweft_graph::rows::Rows;
use timeweft_graph::threads::Crew;
use timeweft_graph::{Commit, LoadId, Name, Reason, Schema, Time};
use timeweft_index::{Index, LifeLoader};

use crate::StoreError;
use crate::log::effective::{Effective, effective, units};
use crate::log::sorter::Item;
use crate::store::Store;

/// How many decoded chunks wait to be applied.
const WAITING: usize = 2;

/// A chunk of a load and the file that it is from.
type Read = (PathBuf, Rows);

impl Store {
    /// The graph that the effective log at a commit makes (law 1). Checks every byte that it reads.
    pub(crate) fn replay(&self, commit: Commit) -> Result<Index, StoreError> {
        self.replay_log(&effective(&self.loads, commit), self.ledger.schema(commit)?)
    }

    /// The graph that these loads make, over types that include all of theirs.
    pub(crate) fn replay_log(&self, log: &[Effective], schema: Schema) -> Result<Index, StoreError> {
        let mut expected = [0, 0];
        for entry in log {
            let counts = &self.record(entry.load)?.counts;
            expected[0] += counts.nodes.created as usize;
            expected[1] += counts.edges.created as usize;
        }
        let mut index = Index::new(schema.clone());
        // Some more than the log has: the next version most often adds a little, and growing would copy everything.
        expected = expected.map(|count| count + count / 16);
        index.reserve(expected[0], expected[1]);
        let mut replay = Replay { index: &mut index, expected };
        units(log).try_for_each(|unit| replay.unit(self, unit, &schema))?;
        Ok(index)
    }

    /// Applies a load, or several that are taken in together, to the graph before it.
    pub(crate) fn replay_unit(&self, unit: &[Effective], index: &mut Index) -> Result<(), StoreError> {
        let schema = index.schema().clone();
        Replay { index, expected: [0, 0] }.unit(self, unit, &schema)
    }

    /// Applies loads together, as far as they are before a time, and at it of loads before a certain one.
    pub(crate) fn replay_together(
        &self,
        unit: &[Effective],
        until: Option<(Time, u32)>,
        index: &mut Index,
    ) -> Result<(), StoreError> {
        let sorted = self.gather(unit.iter().copied(), index.schema())?;
        let mut events = sorted.read()?;
        while let Some(Item { time, of, event, .. }) = events.next()? {
            if until.is_some_and(|until| (time, of) >= until) {
                break;
            }
            let (Some(event), Some(entry)) = (event, unit.get(of as usize)) else { continue };
            let applied = index.apply(&event, &self.record(entry.load)?.namespace);
            applied.map_err(|reason| self.cannot_replay(entry.load, &reason))?;
        }
        Ok(())
    }

    pub(crate) fn cannot_replay(&self, load: LoadId, reason: &Reason) -> StoreError {
        let problem = format!("an event of load {} cannot be replayed: {reason}", load.0);
        StoreError::corrupt(self.ledger.path(), problem)
    }

    /// Hands over the chunks of a load, in order; those in files are read ahead by another thread.
    fn each_chunk(
        &self,
        entry: Effective,
        schema: &Schema,
        mut each: impl FnMut(Read) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.segments_of(entry).all(|segment| segment.file.is_none()) {
            return self.read_load(entry, schema, each);
        }
        thread::scope(|scope| {
            let mut crew = Crew::of(1, scope);
            if crew.is_empty() {
                return self.read_load(entry, schema, each);
            }
            let (sender, reads) = crew.pipe(WAITING);
            let reader = crew.ahead(move || {
                self.read_load(entry, schema, |read| {
                    // The receiver goes where something was refused, and then that is the error.
                    sender.send(read).map_err(|(place, _)| StoreError::corrupt(&place, "an event before is refused"))
                })
            });
            let mut reads = reads.into_iter();
            let applied = reads.try_for_each(&mut each);
            drop(reads);
            let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            applied.and(read)
        })
    }

    /// Hands over the chunks of a load, in order. What `schema` has has its numbers there.
    fn read_load(
        &self,
        entry: Effective,
        schema: &Schema,
        mut each: impl FnMut(Read) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for segment in self.segments_of(entry) {
            let (bytes, place) = self.segment_bytes(segment)?;
            segment.read(&bytes, &place, schema, |rows| each((place.clone(), rows)))?;
        }
        Ok(())
    }
}

/// A graph that is being built.
struct Replay<'a> {
    index: &'a mut Index,
    /// How many nodes and edges are to come; 0 once there is room for their features.
    expected: [usize; 2],
}

impl Replay<'_> {
    fn unit(&mut self, store: &Store, unit: &[Effective], schema: &Schema) -> Result<(), StoreError> {
        match unit {
            [entry] => self.load(store, *entry, schema),
            unit => store.replay_together(unit, None, self.index),
        }
    }

    fn load(&mut self, store: &Store, entry: Effective, schema: &Schema) -> Result<(), StoreError> {
        let namespace = &store.record(entry.load)?.namespace;
        let of_lives = store.segments_of(entry).filter(|segment| segment.lives).count();
        if of_lives == 0 {
            let mut position = 0;
            return store.each_chunk(entry, schema, |read| self.apply(read, namespace, &mut position));
        }
        if of_lives < store.segments_of(entry).count() {
            return Err(StoreError::corrupt(store.ledger.path(), "a load has lives and events"));
        }
        let [_, edges] = std::mem::take(&mut self.expected);
        let (mut load, mut has_room) = (LifeLoader::new(self.index, namespace), false);
        store.each_chunk(entry, schema, |(place, rows)| {
            if rows.are_edges() && !std::mem::replace(&mut has_room, true) {
                load.reserve(&rows, edges);
            }
            match load.take(&rows).into_iter().next() {
                None => Ok(()),
                Some((at, reason)) => {
                    let element = rows.get(at).to_element(schema);
                    Err(StoreError::corrupt(&place, format!("{element:?} cannot be replayed: {reason}")))
                }
            }
        })?;
        load.finish();
        Ok(())
    }

    /// Applies a chunk of a load; `position` counts the load's events.
    fn apply(&mut self, (place, rows): Read, namespace: &Name, position: &mut u64) -> Result<(), StoreError> {
        self.reserve(&rows);
        self.index.apply_rows(&rows, namespace).map_err(|(at, reason)| {
            let event = *position + at as u64;
            StoreError::corrupt(&place, format!("event {event} cannot be replayed: {reason}"))
        })?;
        *position += rows.len() as u64;
        Ok(())
    }

    /// The first nodes, and the first edges, tell how much room the features of all take.
    fn reserve(&mut self, rows: &Rows) {
        if rows.are_nodes() || rows.are_edges() {
            let expected = std::mem::take(&mut self.expected[usize::from(rows.are_edges())]);
            self.index.reserve_values(rows, expected);
        }
    }
}
