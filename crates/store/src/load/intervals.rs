//! Loading a source of intervals: a thread reads and assembles lives, one takes them into the index, one writes the log.
//!
//! Nodes go on as they are read. Edges wait, packed, until all nodes are known, for the life of an edge is cut to those of
//! its ends; then they go on in the order of their sources, which for the formats there are is the order of the file. No
//! event is made of anything: what travels are [`Rows`], chunk by chunk, and the chunks are used again.
//!
//! Slow reference: `timeweft_oracle::Intervals`, which says what the lives come to.

mod assembly;
mod edges;
mod features;
mod nodes;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use timeweft_graph::rows::{RowRef, Rows};
use timeweft_graph::threads::{Crew, Pipe};
use timeweft_graph::{Action, Commit, Name, Owner, Reason, Reject, Rejects, Schema, Sink};
use timeweft_index::{Index, Lives};

use self::assembly::{Assembled, Assembly};
use crate::StoreError;
use crate::folder::log_dir;
use crate::load::content::HashOnly;
use crate::load::publish::{check_outcome, now, record};
use crate::load::source::ReadError;
use crate::load::{EventCounts, LoadReport, LoadRequest};
use crate::log::segment::{SegmentWriter, Written, metadata};
use crate::store::Store;

/// So many chunks wait between two threads.
const WAITING: usize = 3;

/// What goes to the index: a chunk; with it the types, if there are more than before, and how many edges are to come.
struct Chunk {
    grown: Option<Schema>,
    expected: usize,
    rows: Rows,
}

/// What goes to the log.
struct Taken {
    grown: Option<Schema>,
    rows: Rows,
    refused: Vec<(usize, Reason)>,
}

impl Store {
    /// Takes in nodes and edges with their lives, as one commit. `read` pushes them into the sink.
    ///
    /// It is for sources whose nodes and edges belong together: an edge at a node that the source does not describe creates
    /// it, and repeats are lives of one edge or parallel edges, whatever the request says of missing nodes and repeats. The
    /// unit of refusal is a whole life. Otherwise it is as [`Store::load`] of the same lives as events in order of time.
    pub fn load_intervals(
        &mut self,
        request: LoadRequest,
        read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError>,
    ) -> Result<LoadReport, StoreError> {
        if self.registered(&request).is_some() {
            let mut sink = HashOnly::default();
            read(&mut sink).map_err(StoreError::Source)?;
            return self.known(&request, &sink.hasher.finish()).unwrap_or(Err(StoreError::Poisoned));
        }
        self.attempt(|store| store.take_in_intervals(&request, read))
    }

    fn take_in_intervals(
        &mut self,
        request: &LoadRequest,
        read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError>,
    ) -> Result<LoadReport, StoreError> {
        let started = now();
        let id = self.next_load();
        let known_schema = self.current.schema().clone();
        let log = SegmentWriter::new(&log_dir(&self.dir), id, metadata(id, &request.namespace, &known_schema));
        let log = log.of_lives();
        let index = Arc::make_mut(&mut self.current);
        index.declare(&request.schema);
        let (assembled, log) = take_in(index, request, log, read)?;
        let mut rejects = assembled.rejects;
        rejects.append(log.rejects);
        let mut report = LoadReport::empty(id, Commit(self.commit().0 + 1));
        report.accepted = log.events;
        report.counts = log.counts;
        report.clipped = assembled.clipped;
        report.n_rejected = rejects.count();
        let mut rejects = rejects.into_kept();
        rejects.sort_by_key(|reject| reject.place.line);
        rejects.truncate(request.kept_rejects);
        report.rejects = rejects;
        check_outcome(&report, request, false)?;
        self.publish(record(request, &report, assembled.hash, None, started), log.written, &known_schema)?;
        Ok(report)
    }
}

fn take_in(
    index: &mut Index,
    request: &LoadRequest,
    log: SegmentWriter,
    read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError>,
) -> Result<(Assembled, Log), StoreError> {
    let schema = index.schema().clone();
    let types = schema.clone();
    thread::scope(|scope| {
        let mut crew = Crew::of(2, scope);
        let (chunks, arriving) = crew.pipe(WAITING);
        let (taken, to_write) = crew.pipe(WAITING);
        let (spent, used) = channel();
        let indexing = crew.behind(move || take_all(index, &request.namespace, arriving, &taken));
        let writing = crew.behind(move || write_log(types, log, to_write, &spent));
        let mut assembly =
            Assembly::new(schema, &request.source, Output { chunks, used, idle: Vec::new(), is_closed: false });
        let result = read(&mut assembly);
        let assembled = result.map_err(StoreError::Source).and_then(|()| assembly.finish());
        // Both threads come to their ends now.
        let indexed = indexing.join().map_err(|_| StoreError::broken_down());
        let log = writing.join().map_err(|_| StoreError::broken_down())??;
        indexed?;
        Ok((assembled?, log))
    })
}

/// Where chunks go, and where used ones come from.
struct Output {
    chunks: Pipe<Chunk>,
    used: Receiver<Rows>,
    idle: Vec<Rows>,
    /// Whether the load has failed: it takes no more, and tells why itself.
    is_closed: bool,
}

impl Output {
    /// Hands a chunk on and gives one to fill.
    fn send(&mut self, chunk: Chunk) -> Rows {
        self.is_closed |= self.chunks.send(chunk).is_err();
        self.idle.extend(self.used.try_iter());
        self.idle.pop().unwrap_or_default()
    }
}

fn take_all(index: &mut Index, namespace: &Name, arriving: Receiver<Chunk>, taken: &Pipe<Taken>) {
    let mut load = Lives::new(index, namespace);
    let mut has_room = false;
    for Chunk { grown, expected, rows } in arriving {
        if let Some(schema) = &grown {
            load.index().declare(schema);
        }
        if expected > 0 && !has_room {
            has_room = true;
            load.reserve(&rows, expected);
        }
        let refused = load.take(&rows);
        if taken.send(Taken { grown, rows, refused }).is_err() {
            break;
        }
    }
    load.finish();
}

/// What was written.
struct Log {
    written: Written,
    counts: EventCounts,
    events: u64,
    rejects: Rejects,
}

impl Log {
    fn count(&mut self, row: RowRef<'_>) {
        let of = if matches!(row.owner(), Owner::Edge(_)) { &mut self.counts.edges } else { &mut self.counts.nodes };
        match row.action() {
            Action::Create => of.created += 1,
            _ => of.updated += 1,
        }
        of.deleted += u64::from(!row.life().is_open());
    }
}

/// Writes what was taken in, and gives the chunks back.
fn write_log(
    mut schema: Schema,
    mut log: SegmentWriter,
    to_write: Receiver<Taken>,
    spent: &Sender<Rows>,
) -> Result<Log, StoreError> {
    let mut done =
        Log { written: Written::default(), counts: EventCounts::default(), events: 0, rejects: Rejects::default() };
    for Taken { grown, rows, refused } in to_write {
        schema = grown.unwrap_or(schema);
        let mut refused = refused.into_iter().peekable();
        let mut kept = Vec::with_capacity(rows.len());
        let mut is_kept = false;
        for row in rows.iter() {
            let at = row.at();
            // What changes in a life goes with it.
            if row.action() == Action::Create {
                let reason = refused.next_if(|(position, _)| *position == at).map(|(_, reason)| reason);
                is_kept = reason.is_none();
                done.rejects.extend(reason.map(|reason| Reject { place: row.place(), reason }));
            }
            if is_kept {
                kept.push(at as u32);
                done.count(row);
            }
        }
        log.push_rows(&rows, &kept, &schema)?;
        // At the end nobody needs it any more.
        let _ = spent.send(rows);
    }
    done.written = log.finish(&schema)?;
    done.events = [done.counts.nodes, done.counts.edges].map(|of| of.created + of.updated + of.deleted).iter().sum();
    Ok(done)
}
