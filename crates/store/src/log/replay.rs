//! The log into a graph. One thread reads and checks the files and decodes their batches; another applies what they hold.

use std::path::PathBuf;
use std::thread;

use timeweft_graph::rows::Rows;
use timeweft_graph::threads::Crew;
use timeweft_graph::{Commit, Name, Reason, Schema};
use timeweft_index::{Index, Lives};

use crate::StoreError;
use crate::log::codec::{Part, decode_parts};
use crate::splice::{Effective, effective, units};
use crate::store::Store;

/// So many decoded parts of batches wait to be applied.
const WAITING: usize = 2;

/// Part of a load and the file that it is from.
type Read = (PathBuf, Part);

impl Store {
    /// The graph that the effective log at a commit makes (law 1). Checks every byte that it reads.
    pub(crate) fn replay(&self, commit: Commit) -> Result<Index, StoreError> {
        self.replay_log(&effective(&self.loads, commit), self.catalogue.schema(commit)?)
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

    /// Hands over the parts of a load, in order; those in files are read ahead by another thread.
    fn each_part(
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
                    // Nobody waits for more if something was refused, and then that is what is told.
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

    /// Hands over the parts of a load, in order. What `schema` has has its numbers there.
    fn read_load(
        &self,
        entry: Effective,
        schema: &Schema,
        mut each: impl FnMut(Read) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for segment in self.segments_of(entry) {
            let (bytes, place) = self.segment_bytes(segment)?;
            segment.batches(&bytes, &place, |batch| {
                let parts = decode_parts(&batch, schema).map_err(|error| StoreError::corrupt(&place, error))?;
                parts.into_iter().try_for_each(|part| each((place.clone(), part)))
            })?;
        }
        Ok(())
    }
}

/// A graph that is being built.
struct Replay<'a> {
    index: &'a mut Index,
    /// So many nodes and edges are to come; 0 once there is room for their features.
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
        let mut position = 0;
        if !store.segments_of(entry).any(|segment| segment.lives) {
            return store.each_part(entry, schema, |read| self.apply(read, namespace, &mut position));
        }
        let [_, edges] = std::mem::take(&mut self.expected);
        let (mut load, mut has_room) = (Lives::new(self.index, namespace), false);
        store.each_part(entry, schema, |(place, part)| {
            let Part::Lives(lives) = part else {
                return Err(StoreError::corrupt(&place, "it has events among lives"));
            };
            if lives.are_edges() && !std::mem::replace(&mut has_room, true) {
                load.reserve(&lives, edges);
            }
            match load.take(&lives).into_iter().next() {
                None => Ok(()),
                Some((at, reason)) => {
                    let element =
                        lives.to_events(at, schema).into_iter().next().map(|event| format!("{:?}", event.element));
                    let problem = format!("{} cannot be replayed: {reason}", element.unwrap_or_default());
                    Err(StoreError::corrupt(&place, problem))
                }
            }
        })?;
        load.finish();
        Ok(())
    }

    /// Applies a part of a load; `position` counts the load's events.
    fn apply(&mut self, (place, part): Read, namespace: &Name, position: &mut u64) -> Result<(), StoreError> {
        let refused = |position, reason: Reason| {
            StoreError::corrupt(&place, format!("event {position} cannot be replayed: {reason}"))
        };
        match part {
            Part::Events(events) => {
                for event in &events {
                    self.index.apply(event, namespace).map_err(|reason| refused(*position, reason))?;
                    *position += 1;
                }
            }
            Part::Creates(rows, times) => {
                self.reserve(&rows);
                let applied = self.index.apply_creates(&rows, &times, namespace);
                applied.map_err(|(at, reason)| refused(*position + at as u64, reason))?;
                *position += rows.len() as u64;
            }
            Part::Lives(_) => return Err(StoreError::corrupt(&place, "it has lives among events")),
        }
        Ok(())
    }

    /// The first nodes, and the first edges, tell how much room the features of all take.
    fn reserve(&mut self, rows: &Rows) {
        let expected = std::mem::take(&mut self.expected[usize::from(rows.edges)]);
        self.index.reserve_values(rows, expected);
    }
}
