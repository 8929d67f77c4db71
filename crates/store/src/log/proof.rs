//! What a load wrote is read back before it is published, and compared with what the graph took in.
//!
//! The graph in memory is what the log so far makes, for all of a snapshot is compared with its hashes before a load; and
//! each accepted event was applied to it by the law by which a replay applies it. So the load replays if its segments say
//! what was applied. Shown of every segment are its length, its CRC-32C as it lies in the file now, that it can be read, and
//! that its first and last events are those that the graph took in at these places of its log; of a load of a thousand events
//! or fewer that is all of them. Reading back the events in between would cost about as much as loading them, and
//! [`Store::verify`] does it.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use timeweft_graph::rows::RowRef;
use timeweft_graph::{Action, Element, Event, GraphView, OwnerName, Schema};
use timeweft_index::Index;

use crate::StoreError;
use crate::folder::log_dir;
use crate::log::codec::{CodecError, decode};
use crate::log::segment::{Segment, Written};
use crate::store::Store;

/// The rows that are read back at the beginning of a segment, and at its end.
const SOME: usize = 512;

impl Store {
    /// Compares what was written with the graph that took it in behind everything else.
    pub(crate) fn prove(&self, written: &Written) -> Result<(), StoreError> {
        let events: u64 = written.segments.iter().map(|segment| segment.events).sum();
        let before = self.current.n_events().checked_sub(events as usize);
        let mut start = before.ok_or_else(|| misread(self.ledger.path(), "there are more events than in memory"))?;
        for segment in &written.segments {
            self.read_back(segment, written, |place, batch, from_end| {
                let at = if from_end { start + segment.events as usize - batch.num_rows() } else { start };
                compare(&batch, &self.current, at, segment.lives).map_err(|problem| misread(place, problem))
            })?;
            start += segment.events as usize;
        }
        Ok(())
    }

    /// Reads back what was written, where its events lie elsewhere in the graph.
    pub(crate) fn prove_readable(&self, written: &Written, schema: &Schema) -> Result<(), StoreError> {
        written.segments.iter().try_for_each(|segment| {
            self.read_back(segment, written, |place, batch, _| {
                decode(&batch, schema).map(|_| ()).map_err(|problem| misread(place, problem))
            })
        })
    }

    /// Compares the checksum of a segment and hands over its first and its last rows; the last with `true`.
    fn read_back(
        &self,
        segment: &Segment,
        written: &Written,
        each: impl FnMut(&Path, RecordBatch, bool) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Some(name) = &segment.file else {
            let bytes = written.batches.iter().find(|(part, _)| *part == segment.part);
            let bytes = bytes.ok_or_else(|| misread(self.ledger.path(), "a part is missing"))?;
            segment.check(&bytes.1, self.ledger.path()).map_err(|error| misread(self.ledger.path(), error))?;
            return ends(Cursor::new(&bytes.1), self.ledger.path(), each);
        };
        let path = log_dir(&self.dir).join(name);
        let failed = |error| StoreError::io(&path, error);
        let mut file = File::open(&path).map_err(failed)?;
        let (mut piece, mut length, mut sum) = (vec![0; 1 << 20], 0, 0);
        loop {
            let n = file.read(&mut piece).map_err(failed)?;
            if n == 0 {
                break;
            }
            (length, sum) = (length + n as u64, crc32c::crc32c_append(sum, &piece[..n]));
        }
        if (length, sum) != (segment.length, segment.crc32c) {
            return Err(misread(&path, "its length or checksum is wrong"));
        }
        ends(BufReader::new(file), &path, each)
    }
}

fn misread(file: &Path, problem: impl ToString) -> StoreError {
    StoreError::Misread { file: file.into(), problem: problem.to_string() }
}

/// Hands over the first and the last rows of a segment.
fn ends<R: Read + Seek>(
    source: R,
    place: &Path,
    mut each: impl FnMut(&Path, RecordBatch, bool) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let wrong = |error: arrow_schema::ArrowError| misread(place, error);
    let mut reader = FileReader::try_new(source, None).map_err(wrong)?;
    let last = reader.num_batches().checked_sub(1).ok_or_else(|| misread(place, "it has no events"))?;
    let first = reader.next().transpose().map_err(wrong)?.ok_or_else(|| misread(place, "it has no events"))?;
    each(place, first.slice(0, first.num_rows().min(SOME)), false)?;
    let end = if last == 0 {
        first
    } else {
        reader.set_index(last).map_err(wrong)?;
        reader.next().transpose().map_err(wrong)?.ok_or_else(|| misread(place, "its end is missing"))?
    };
    let n = end.num_rows().min(SOME);
    each(place, end.slice(end.num_rows() - n, n), true)
}

/// Compares records with the events from a position of the log on, or lives with those that the graph has.
fn compare(batch: &RecordBatch, graph: &Index, at: usize, lives: bool) -> Result<(), CodecError> {
    let settled = |event| settled(event, graph.schema());
    let is_taken = |row: RowRef<'_>, at| match lives {
        true => has_life(graph, row),
        false => graph.event_at(at).map(settled) == Some(settled(row.to_event(graph.schema()))),
    };
    let rows = decode(batch, graph.schema())?;
    for (row, record) in rows.iter().flat_map(|rows| rows.iter()).enumerate() {
        if !is_taken(record, at + row) {
            let problem = if lives { "the graph has no such life" } else { "it is not what was taken in" };
            return Err(CodecError::Row { row, problem });
        }
    }
    Ok(())
}

/// Whether the graph has the life that a record begins. What changes in it is not compared.
fn has_life(graph: &Index, row: RowRef<'_>) -> bool {
    if row.action() != Action::Create {
        return true;
    }
    let lives = match row.to_element(graph.schema()) {
        Element::Node(key) => graph.node_history(&key),
        Element::Edge(key) => graph.edge_history(&key),
        Element::Merge { .. } => return false,
    };
    lives.iter().any(|life| life.interval == row.life())
}

/// An event with the last value of every feature that it names, for a segment keeps no others; sets and multisets in their one
/// order, for a segment keeps that of the source.
fn settled(mut event: Event, schema: &Schema) -> Event {
    event.sort_features();
    if let Some(owner) = OwnerName::of_element(&event.element).find(schema) {
        for (name, value) in &mut event.features {
            let order = schema.feature(owner, name).map(|(_, def)| def.order);
            *value = value.take().map(|value| order.unwrap_or_default().canonical(value));
        }
    }
    event.features.dedup_by(|later, earlier| {
        let repeated = later.0 == earlier.0;
        if repeated {
            std::mem::swap(later, earlier);
        }
        repeated
    });
    event
}

#[cfg(test)]
mod tests {
    use timeweft_graph::{LoadId, NodeKey, Place, Time, TimeUnit, Value, send_events};

    use super::*;
    use crate::LoadRequest;
    use crate::log::segment::{SegmentWriter, metadata};

    fn events(n: u64, other: Option<u64>) -> Vec<Event> {
        let event = |at| {
            let value = if other == Some(at) { -1.0 } else { at as f64 };
            let create = Event::new(Time(at as i64), Action::Create, Element::Node(NodeKey::new("n", at)));
            create.with(vec![("x".into(), Some(Value::number(value)))])
        };
        (0..n).map(event).collect()
    }

    fn written(store: &Store, events: Vec<Event>) -> Written {
        let mut writer = SegmentWriter::new(&log_dir(&store.dir), LoadId(9), metadata(LoadId(9), "t", store.schema()));
        events.iter().try_for_each(|event| writer.push(event, store.schema())).expect("room");
        writer.finish(store.schema()).expect("room")
    }

    /// In the catalogue and in a file: what was taken in passes, and nothing else that lies where it is looked at.
    #[test]
    fn what_is_written_is_what_was_taken_in() {
        for n in [3, 5_000] {
            let dir = tempfile::tempdir().expect("a folder");
            let mut store = Store::create(dir.path(), Schema::new(TimeUnit::Step)).expect("room");
            let place = Place { file: "test".into(), line: 1 };
            let records = events(n, None).into_iter().map(|event| Ok((event, place.clone())));
            let load = store.load(LoadRequest::new("t", "test"), |sink| {
                send_events(records, sink);
                Ok(())
            });
            load.expect("they fit");
            let sound = written(&store, events(n, None));
            store.prove(&sound).expect("they are the same");
            for other in [0, n - 1] {
                let problem = store.prove(&written(&store, events(n, Some(other)))).expect_err("another value");
                assert!(problem.to_string().contains("it is not what was taken in"), "{problem}");
            }
            assert!(store.prove(&written(&store, events(n + 1, None))).is_err(), "one event too many");
            let mut cut = written(&store, events(n, None));
            cut.segments[0].crc32c ^= 1;
            assert!(matches!(store.prove(&cut), Err(StoreError::Misread { .. })), "another checksum");
        }
    }
}
