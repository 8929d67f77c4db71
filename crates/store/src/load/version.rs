//! Loading a whole version: one thread reads, one joins what it reads with the graph, one writes the log.
//!
//! What is read travels in chunks of flat arrays; a chunk lives from its reading to its writing, and is filled anew then.
//! Only a few do at a time, so the memory of a load is that of the graph and little more.
//!
//! Slow reference: `timeweft_oracle::ReferenceStore`.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;

use timeweft_graph::delta::{Common, Fields, is_reserved};
use timeweft_graph::rows::{Projection, Rest, RowWriter, Rows};
use timeweft_graph::threads::{Crew, Pipe, Task};
use timeweft_graph::{DeltaError, DeltaOptions, DeltaReport, FeatureId, Name, Owner, Rejects, Schema, Sink, Time};
use timeweft_index::{Index, Join, Joined, Step};

use crate::StoreError;
use crate::load::content::RowHasher;
use crate::load::source::ReadError;
use crate::load::{EventCounts, LoadReport, LoadRequest};
use crate::log::segment::{SegmentWriter, Written};

/// The most chunks that wait between two threads.
const WAITING: usize = 3;

/// What the joining thread gets: a chunk; before the first one, and if there are more types than before, the types and how
/// the fields stand to those known.
type Chunk = (Option<(Schema, Common)>, Rows);
/// What the writing thread gets.
type Work = (Option<Schema>, Option<Part>, Vec<Step>);

/// A chunk on its way to the log.
enum Part {
    /// As it was read.
    Read(Rows),
    /// Copies of records of chunks that came before.
    Late(Rows),
}

impl Part {
    fn rows(&self) -> &Rows {
        match self {
            Part::Read(rows) | Part::Late(rows) => rows,
        }
    }
}

/// What reading gave in the end.
struct ReadWhole {
    rest: Rest,
    common: Common,
    /// Reserved names of features that the version has.
    reserved: BTreeSet<Name>,
    result: Result<(), ReadError>,
}

/// What was taken in.
pub(crate) struct TakenIn {
    pub(crate) hash: String,
    pub(crate) rejects: Rejects,
    pub(crate) warnings: Vec<(timeweft_graph::Place, String)>,
    pub(crate) report: DeltaReport,
    pub(crate) written: Written,
    pub(crate) counts: EventCounts,
    pub(crate) events: u64,
    pub(crate) reader: Reader,
}

/// What read a version, for the registry.
pub(crate) struct Reader {
    pub(crate) format: Name,
    /// The fields of the namespace after it.
    pub(crate) fields: Option<Fields>,
}

impl TakenIn {
    /// Tells in a report what was taken in; gives the content hash, what was written, and what read it.
    pub(crate) fn fill(self, report: &mut LoadReport, request: &LoadRequest) -> (String, Written, Reader) {
        report.accepted = self.events;
        report.counts = self.counts;
        report.n_rejected = self.rejects.count();
        report.rejects = self.rejects.into_kept();
        report.rejects.truncate(request.kept_rejects);
        report.delta = Some(self.report);
        report.warnings = self.warnings;
        (self.hash, self.written, self.reader)
    }
}

/// The content hash of a version, without looking at a graph.
pub(crate) fn hash_of(
    schema: &Schema,
    read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError>,
) -> Result<String, StoreError> {
    let mut hasher = RowHasher::default();
    let emit = |_: &Schema, rows: Rows| {
        hasher.add(&rows);
        Some(rows)
    };
    let mut writer = RowWriter::new(schema.clone(), Time::MIN, |_, _| Projection::default(), emit);
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
    known: Option<Fields>,
    log: Option<SegmentWriter>,
    read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError> + Send,
) -> Result<TakenIn, StoreError> {
    let schema = index.schema().clone();
    thread::scope(|scope| {
        let mut crew = Crew::of(2, scope);
        let (chunks, arriving) = crew.pipe(WAITING);
        let (work, to_write) = crew.pipe(WAITING);
        let (spent, used) = channel();
        let types = schema.clone();
        let reader = crew.ahead(move || read_whole((types, at), known, options.add_fields, (&chunks, &used), read));
        let writer = crew.behind(move || write_log(schema, log, &to_write, &spent));
        let mut join = Join::new(index, &request.namespace, at, options);
        let joined = join_all(&mut join, arriving, &work);
        let ReadWhole { rest, common, reserved, result } = joined_thread(reader)?;
        let ended = joined.and(result.map_err(StoreError::Source)).and(allowed(reserved));
        let ended = ended.and_then(|()| Ok(join.set_schema(rest.schema.clone(), common.clone())?));
        let ended = ended.and_then(|()| Ok(join.finish(&rest)?));
        // What several namespaces hold has features of its own.
        let schema = index.schema();
        let ended = ended.map(|Joined { late, steps, rejects, report }| {
            for (rows, steps) in late {
                let _ = work.send((Some(schema.clone()), Some(Part::Late(rows)), steps));
            }
            // A writer that has failed tells why below.
            let _ = work.send((Some(schema.clone()), None, steps));
            (rejects, report)
        });
        drop(work);
        let (Log { written, counts, events }, hasher) = joined_thread(writer)??;
        let (left_out, report) = ended?;
        let hash = hasher.finish(&rest);
        let mut rejects = rest.rejects;
        rejects.append(left_out);
        let reader = Reader { format: rest.format.name, fields: common.after };
        Ok(TakenIn { hash, rejects, warnings: rest.warnings, report, written, counts, events, reader })
    })
}

fn joined_thread<T>(task: Task<'_, T>) -> Result<T, StoreError> {
    task.join().map_err(|_| StoreError::broken_down())
}

fn read_whole(
    (schema, at): (Schema, Time),
    fields: Option<Fields>,
    add: bool,
    (chunks, used): (&Pipe<Chunk>, &Receiver<Rows>),
    read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError>,
) -> ReadWhole {
    let (mut types, mut told) = (schema.clone(), false);
    let common = Arc::new(OnceLock::new());
    let known = common.clone();
    let project = move |schema: &Schema, format: &timeweft_graph::Format| {
        let common = Common::new(fields.as_ref(), Fields::of(schema, format).as_ref(), add);
        let mut projection = known.get_or_init(|| common).projection(schema);
        // What has a reserved name is refused below, and not left out unseen.
        for (owner, feature, _) in self::suspects(schema) {
            projection.entry(owner).and_modify(|kept| _ = kept.insert(feature));
        }
        projection
    };
    let mut suspects = suspects(&schema);
    let mut reserved = BTreeSet::new();
    let mut idle = Vec::new();
    let emit = |schema: &Schema, rows: Rows| {
        if *schema != types {
            types.clone_from(schema);
            suspects = self::suspects(schema);
            told = false;
        }
        reserved.extend(named_among(&suspects, &rows));
        let news = (!told).then(|| (schema.clone(), common.get().cloned().unwrap_or_default()));
        told = true;
        // A load that has failed takes no more chunks, and tells why itself.
        chunks.send((news, rows)).ok()?;
        // The one used last is the likeliest to be in a cache.
        idle.extend(used.try_iter());
        Some(idle.pop().unwrap_or_default())
    };
    let mut writer = RowWriter::new(schema, at, project, emit);
    let result = read(&mut writer);
    let rest = writer.finish();
    reserved.extend(reserved_in(&rest));
    let common = common.get().cloned().unwrap_or_default();
    ReadWhole { rest, common, reserved, result }
}

/// The features of a schema that have reserved names. There is none but in events, or in a bad version.
fn suspects(schema: &Schema) -> Vec<(Owner, FeatureId, Name)> {
    let nodes = (0..).zip(schema.node_types()).map(|(id, _)| Owner::Node(timeweft_graph::NodeTypeId(id)));
    let edges = (0..).zip(schema.edge_types()).map(|(id, _)| Owner::Edge(timeweft_graph::EdgeTypeId(id)));
    let features = nodes.chain(edges).flat_map(|owner| {
        let defs = (0..).map(FeatureId).zip(schema.features(owner));
        defs.filter(|(_, def)| is_reserved(&def.name)).map(move |(id, def)| (owner, id, def.name.clone()))
    });
    features.collect()
}

fn named_among(suspects: &[(Owner, FeatureId, Name)], rows: &Rows) -> Vec<Name> {
    if suspects.is_empty() {
        return Vec::new();
    }
    let mut named = Vec::new();
    let mut last: Option<(Owner, Vec<(FeatureId, &Name)>)> = None;
    for row in rows.iter() {
        let of_owner = match &last {
            Some((owner, own)) if *owner == row.owner() => own,
            _ => {
                let own = suspects.iter().filter(|(owner, ..)| *owner == row.owner());
                &last.insert((row.owner(), own.map(|(_, id, name)| (*id, name)).collect())).1
            }
        };
        // What other namespaces say stands behind what every version may say.
        let Some(&(first, _)) = of_owner.first() else { continue };
        for (id, _) in row.features().filter(|(id, _)| *id >= first) {
            named.extend(of_owner.iter().filter(|(suspect, _)| *suspect == id).map(|(_, name)| (*name).clone()));
        }
    }
    named
}

/// Reserved names among the fields that a reader knows, and of merges.
fn reserved_in(rest: &Rest) -> Vec<Name> {
    let fields = rest.format.fields.iter().flatten().flat_map(|(owner, features)| {
        let defs = rest.schema.features(*owner);
        features.iter().filter_map(|id| defs.get(id.at())).map(|def| &def.name)
    });
    let merges = rest.merges.iter().flat_map(|merge| &merge.features).map(|(name, _)| name);
    fields.chain(merges).filter(|name| is_reserved(name)).cloned().collect()
}

fn allowed(reserved: BTreeSet<Name>) -> Result<(), StoreError> {
    if reserved.is_empty() { Ok(()) } else { Err(DeltaError::Reserved(reserved.into_iter().collect()).into()) }
}

fn join_all(join: &mut Join<'_>, arriving: Receiver<Chunk>, work: &Pipe<Work>) -> Result<(), StoreError> {
    for (schema, rows) in arriving {
        if let Some(schema) = &schema {
            join.set_schema(schema.0.clone(), schema.1.clone())?;
        }
        let schema = schema.map(|(schema, _)| schema);
        let steps = join.rows(&rows).map_err(|reason| StoreError::Full(Box::new(reason)))?;
        if work.send((schema, Some(Part::Read(rows)), steps)).is_err() {
            break;
        }
    }
    Ok(())
}

/// What was written.
#[derive(Default)]
struct Log {
    written: Written,
    counts: EventCounts,
    events: u64,
}

/// Hashes and writes what was joined, and gives the chunks back.
fn write_log(
    mut schema: Schema,
    mut log: Option<SegmentWriter>,
    to_write: &Receiver<Work>,
    spent: &Sender<Rows>,
) -> Result<(Log, RowHasher), StoreError> {
    let (mut done, mut hasher) = (Log::default(), RowHasher::default());
    let mut created = Vec::new();
    while let Ok((grown, part, steps)) = to_write.recv() {
        schema = grown.unwrap_or(schema);
        let rows = part.as_ref().map(Part::rows);
        let mut steps = steps.into_iter().peekable();
        while let Some(step) = steps.next() {
            match (step, rows) {
                (Step::Create(row), Some(rows)) => {
                    created.push(row);
                    if !matches!(steps.peek(), Some(Step::Create(_))) {
                        done.counts.count_created(rows.are_edges(), created.len() as u64);
                        done.events += created.len() as u64;
                        log.as_mut().map_or(Ok(()), |log| log.push_rows(rows, &created, &schema))?;
                        created.clear();
                    }
                }
                (Step::Create(_), None) => {}
                (Step::Event(event), _) => {
                    done.counts.count(event.action, &event.element);
                    done.events += 1;
                    log.as_mut().map_or(Ok(()), |log| log.push(&event, &schema))?;
                }
            }
        }
        if let Some(Part::Read(rows)) = part {
            hasher.add(&rows);
            // At the end the reader is gone.
            let _ = spent.send(rows);
        }
    }
    done.written = log.map(|log| log.finish(&schema)).transpose()?.unwrap_or_default();
    Ok((done, hasher))
}
