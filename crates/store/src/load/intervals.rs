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

use std::sync::mpsc::{Receiver, Sender};

use timeweft_graph::rows::{RowRef, Rows};
use timeweft_graph::threads::Pipe;
use timeweft_graph::{Action, Name, Owner, Reason, Reject, Rejects, Schema, Sink};
use timeweft_index::{Index, LifeLoader};

use self::assembly::{Assembled, Assembly};
use crate::StoreError;
use crate::load::content_hash;
use crate::load::loading::{Loading, Outcome};
use crate::load::pipeline;
use crate::load::source::{ReadError, done};
use crate::load::{EventCounts, LoadReport, LoadRequest};
use crate::log::segment::{SegmentWriter, Written};
use crate::store::Store;

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
        read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError> + Send,
    ) -> Result<LoadReport, StoreError> {
        if self.registered(&request).is_some() {
            return self.known(&request, &content_hash::hash_of_intervals(read)?);
        }
        self.attempt(|store| {
            let mut loading = Loading::begin(store, &request);
            let log = loading.log(store).of_lives();
            let outcome = take_in(store.writable(&request), &mut loading, log, read)?;
            loading.publish(store, outcome)
        })
    }
}

fn take_in(
    index: &mut Index,
    loading: &mut Loading<'_>,
    log: SegmentWriter,
    read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError> + Send,
) -> Result<Outcome, StoreError> {
    let (request, schema) = (loading.request, index.schema().clone());
    let types = schema.clone();
    let (assembled, log) = pipeline::run(
        move |chunks| {
            let mut assembly = Assembly::new(types, &request.source, chunks);
            done(read(&mut assembly), &request.stop)?;
            assembly.finish()
        },
        |arriving, reader, work| {
            take_all(index, &request.namespace, arriving, &work);
            pipeline::joined(reader)
        },
        move |to_write, spent| write_log(schema, log, to_write, &spent),
    )?;
    let Assembled { hash, mut rejects, warnings, clipped } = assembled??;
    rejects.append(log.rejects);
    rejects.sort();
    loading.reject(rejects);
    loading.report.accepted = log.counts.total();
    loading.report.counts = log.counts;
    loading.report.warnings = warnings;
    loading.report.clipped = clipped;
    Ok(Outcome { hash, written: log.written, ..Outcome::default() })
}

fn take_all(index: &mut Index, namespace: &Name, arriving: Receiver<Chunk>, taken: &Pipe<Taken>) {
    let mut load = LifeLoader::new(index, namespace);
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
#[derive(Default)]
struct Log {
    written: Written,
    counts: EventCounts,
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
    let mut done = Log::default();
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
        // At the end it is not needed any more.
        let _ = spent.send(rows);
    }
    done.written = log.finish(&schema)?;
    Ok(done)
}
