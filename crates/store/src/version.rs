//! Loading a whole version: one thread reads, one joins what it reads with the graph, one writes the log.
//!
//! What is read travels in chunks of flat arrays; a chunk lives from its reading to its writing, and only a few do at a
//! time, so the memory of a load is that of the graph and little more.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use timeweft_graph::rows::{Projection, Rest, RowWriter, Rows};
use timeweft_graph::{DeltaOptions, DeltaReport, Reject, Schema, Time, VersionSink};
use timeweft_index::{Index, Join, Joined, Step};

use crate::StoreError;
use crate::content::RowHasher;
use crate::load::{EventCounts, LoadReport, LoadRequest};
use crate::segment::{SegmentWriter, Written};

/// So many chunks wait between two threads.
const WAITING: usize = 3;

/// Why a reader gave up.
pub type ReadError = Box<dyn std::error::Error + Send + Sync>;

/// What the joining thread gets: a chunk, and the types if there are more than before.
type Chunk = (Option<Schema>, Rows);
/// What the writing thread gets.
type Work = (Option<Schema>, Option<Rows>, Vec<Step>);

/// What reading gave in the end.
struct ReadWhole {
    rest: Rest,
    hash: String,
    result: Result<(), ReadError>,
}

/// What was taken in.
pub(crate) struct TakenIn {
    pub(crate) hash: String,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) warnings: Vec<(timeweft_graph::Place, String)>,
    pub(crate) report: DeltaReport,
    pub(crate) written: Written,
    pub(crate) counts: EventCounts,
    pub(crate) events: u64,
}

impl TakenIn {
    /// Tells in a report what was taken in; gives the content hash and what was written.
    pub(crate) fn fill(self, report: &mut LoadReport, request: &LoadRequest) -> (String, Written) {
        report.accepted = self.events;
        report.counts = self.counts;
        report.n_rejected = self.rejects.len() as u64;
        report.rejects = self.rejects;
        report.rejects.truncate(request.kept_rejects);
        report.delta = Some(self.report);
        report.warnings = self.warnings;
        (self.hash, self.written)
    }
}

/// The content hash of a version, without looking at a graph.
pub(crate) fn hash_of(
    schema: &Schema,
    read: impl FnOnce(&mut dyn VersionSink) -> Result<(), ReadError>,
) -> Result<String, StoreError> {
    let mut hasher = RowHasher::default();
    let mut writer = RowWriter::new(schema.clone(), |_, _| Projection::default(), |_, rows: Rows| hasher.add(&rows));
    read(&mut writer).map_err(StoreError::Source)?;
    let rest = writer.finish();
    Ok(hasher.finish(&rest))
}

/// Takes a version into an index and, if there is a log, writes what changed.
pub(crate) fn take_in(
    index: &mut Index,
    request: &LoadRequest,
    at: Time,
    options: DeltaOptions,
    log: Option<SegmentWriter>,
    read: impl FnOnce(&mut dyn VersionSink) -> Result<(), ReadError> + Send,
) -> Result<TakenIn, StoreError> {
    let schema = index.schema().clone();
    thread::scope(|scope| {
        let (chunks, arriving) = sync_channel(WAITING);
        let (work, to_write) = sync_channel(WAITING);
        let known = schema.clone();
        let reader = scope.spawn(move || read_whole(known, &chunks, read));
        let writer = scope.spawn(move || write_log(schema, at, log, &to_write));
        let mut join = Join::new(index, &request.namespace, at, options);
        let joined = join_all(&mut join, arriving, &work);
        let ReadWhole { rest, hash, result } = joined_thread(reader)?;
        let ended = result.map_err(StoreError::Source).and(joined).and_then(|()| Ok(join.finish(&rest)?));
        let ended = ended.map(|Joined { steps, rejects, report }| {
            // A writer that has failed tells why below.
            let _ = work.send((Some(rest.schema.clone()), None, steps));
            (rejects, report)
        });
        drop(work);
        let (written, counts, events) = joined_thread(writer)??;
        let (mut left_out, report) = ended?;
        let mut rejects = rest.rejects;
        rejects.append(&mut left_out);
        Ok(TakenIn { hash, rejects, warnings: rest.warnings, report, written, counts, events })
    })
}

fn joined_thread<T>(thread: ScopedJoinHandle<'_, T>) -> Result<T, StoreError> {
    thread.join().map_err(|_| StoreError::Source("a thread of the load broke down".into()))
}

fn read_whole(
    schema: Schema,
    chunks: &SyncSender<Chunk>,
    read: impl FnOnce(&mut dyn VersionSink) -> Result<(), ReadError>,
) -> ReadWhole {
    let mut hasher = RowHasher::default();
    let mut known = schema.clone();
    let emit = |schema: &Schema, rows: Rows| {
        hasher.add(&rows);
        let grown = (*schema != known).then(|| schema.clone());
        known.clone_from(schema);
        // A load that has failed takes no more chunks, and tells why itself.
        let _ = chunks.send((grown, rows));
    };
    let mut writer = RowWriter::new(schema, |_, _| Projection::default(), emit);
    let result = read(&mut writer);
    let rest = writer.finish();
    let hash = hasher.finish(&rest);
    ReadWhole { rest, hash, result }
}

fn join_all(join: &mut Join<'_>, arriving: Receiver<Chunk>, work: &SyncSender<Work>) -> Result<(), StoreError> {
    for (schema, rows) in arriving {
        if let Some(schema) = &schema {
            join.learn(schema.clone(), Projection::default());
        }
        let steps = join.rows(&rows).map_err(|reason| StoreError::Full(Box::new(reason)))?;
        if work.send((schema, Some(rows), steps)).is_err() {
            break;
        }
    }
    Ok(())
}

fn write_log(
    mut schema: Schema,
    at: Time,
    log: Option<SegmentWriter>,
    to_write: &Receiver<Work>,
) -> Result<(Written, EventCounts, u64), StoreError> {
    let (mut counts, mut events) = (EventCounts::default(), 0);
    let mut log = log;
    while let Ok((grown, rows, steps)) = to_write.recv() {
        schema = grown.unwrap_or(schema);
        let mut created = Vec::new();
        let mut steps = steps.into_iter().peekable();
        while let Some(step) = steps.next() {
            match (step, &rows) {
                (Step::Create(row), Some(rows)) => {
                    created.push(row);
                    if !matches!(steps.peek(), Some(Step::Create(_))) {
                        counts.count_created(rows.edges, created.len() as u64);
                        events += created.len() as u64;
                        log.as_mut().map_or(Ok(()), |log| log.push_rows(rows, &created, &schema, at))?;
                        created.clear();
                    }
                }
                (Step::Create(_), None) => {}
                (Step::Event(event), _) => {
                    counts.count(event.action, &event.element);
                    events += 1;
                    log.as_mut().map_or(Ok(()), |log| log.push(*event))?;
                }
            }
        }
    }
    let written = log.map(SegmentWriter::finish).transpose()?.unwrap_or_default();
    Ok((written, counts, events))
}
