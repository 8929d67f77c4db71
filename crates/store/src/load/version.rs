//! Loading a whole version: one thread reads, one joins what it reads with the graph, one writes the log.
//!
//! Slow reference: `timeweft_oracle::ReferenceStore`.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, OnceLock};

use timeweft_graph::delta::{Common, Fields, is_reserved};
use timeweft_graph::rows::{Projection, Rest, RowWriter, Rows};
use timeweft_graph::threads::{Pipe, Task};
use timeweft_graph::{
    Commit, DeltaError, DeltaOptions, DeltaReport, FeatureId, LoadId, Name, Owner, Rejects, Schema, Sink, Time,
};
use timeweft_index::{Index, LoadedVersion, LogStep, VersionLoader};

use crate::StoreError;
use crate::load::content_hash::RowHasher;
use crate::load::loading::{Loading, Outcome};
use crate::load::pipeline::{self, Chunks};
use crate::load::source::{ReadError, done};
use crate::load::{EventCounts, LoadRecord, LoadReport, LoadRequest};
use crate::log::effective::{Effective, effective, unit_at};
use crate::log::segment::{SegmentWriter, Written};
use crate::splice::{Splice, Together};
use crate::store::Store;

/// What the joining thread gets: a chunk; before the first one, and if there are more types than before, the types and how
/// the fields stand to those known.
type Chunk = (Option<(Schema, Common)>, Rows);
/// What the writing thread gets.
type Work = (Option<Schema>, Option<Part>, Vec<LogStep>);

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

impl Store {
    /// Brings the namespace to a whole version, as one commit: what the version does not list is deleted.
    ///
    /// `read` pushes the version into the sink and runs on a thread of its own. Content that the namespace has already
    /// under another version makes a load record and no event.
    pub fn load_version(
        &mut self,
        request: LoadRequest,
        options: DeltaOptions,
        read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError> + Send,
    ) -> Result<LoadReport, StoreError> {
        if self.registered(&request).is_some() {
            return self.known(&request, &hash_of(&self.schema_before(&request)?, read)?);
        }
        match self.check_version(&request)? {
            (at, None) => self.attempt(|store| {
                let mut loading = Loading::begin(store, &request);
                let log = loading.log(store);
                let fields = store.fields_of(&request.namespace, &effective(&store.loads, store.commit()));
                let index = store.writable(&request);
                let outcome = take_in(index, &mut loading, at, options, fields, Some(log), read)?;
                loading.publish(store, outcome)
            }),
            (at, Some(before)) => self.attempt(|store| store.load_before(&request, (at, before), options, read)),
        }
    }

    /// What [`Store::load_version`] would do: a dry run, on a copy of the index.
    pub fn plan_version(
        &self,
        request: &LoadRequest,
        options: DeltaOptions,
        read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError> + Send,
    ) -> Result<LoadReport, StoreError> {
        let (at, before) = self.check_version(request)?;
        let mut log = effective(&self.loads, self.commit());
        let mut index = match before.and_then(|before| log.iter().position(|entry| entry.load == before)) {
            None => (*self.sound_view()?).clone(),
            Some(place) => {
                let index = self.graph_before(&log, place, at)?;
                log.truncate(place);
                index
            }
        };
        let mut loading = Loading::begin(self, request);
        let fields = self.fields_of(&request.namespace, &log);
        take_in(&mut index, &mut loading, at, options, fields, None, read)?;
        loading.check()?;
        Ok(LoadReport { commit: self.commit(), ..loading.report })
    }

    /// Puts a version before a later one of its namespace.
    fn load_before(
        &mut self,
        request: &LoadRequest,
        (at, before): (Time, LoadId),
        options: DeltaOptions,
        read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError> + Send,
    ) -> Result<LoadReport, StoreError> {
        let mut loading = Loading::begin(self, request);
        let log = effective(&self.loads, self.commit());
        let place = log.iter().position(|entry| entry.load == before).ok_or(StoreError::UnknownLoad(before))?;
        self.let_go();
        let mut trial = self.graph_before(&log, place, at)?;
        let original = Some(trial.clone());
        trial.declare(&request.schema);
        let fields = self.fields_of(&request.namespace, &log[..place]);
        let segments = Some(loading.log(self));
        let outcome = take_in(&mut trial, &mut loading, at, options, fields, segments, read)?;
        loading.check()?;
        let own_parts = outcome.written.segments.len() as u32;
        let splice = Splice::new(self, loading.report.load, &request.namespace, trial, original);
        let mut splice = splice.with_parts_from(own_parts).stopped_by(&request.stop);
        let unit = unit_at(&log, place);
        if unit.len() > 1 {
            let from = Some((at, (place - unit.start) as u32));
            splice.together(&log[unit.clone()], &mut Together { from, ..Together::default() })?;
            splice.later(&log[unit.end..])?;
        } else {
            splice.later(&log[place..])?;
        }
        let spliced = splice.finish();
        loading.publish_among(self, outcome, spliced, |record| record.before = Some(before))
    }

    /// The graph into which a version goes that takes effect at a time, before the load at a place in the log.
    fn graph_before(&self, log: &[Effective], place: usize, at: Time) -> Result<Index, StoreError> {
        let unit = unit_at(log, place);
        let mut graph = self.sound_log(&log[..unit.start], self.schema().clone())?;
        if unit.len() > 1 {
            let until = Some((at, (place - unit.start) as u32));
            self.replay_together(&log[unit], until, &mut graph)?;
        }
        Ok(graph)
    }

    /// The timestamp of a version, if it may be loaded, and the load before which it takes effect.
    fn check_version(&self, request: &LoadRequest) -> Result<(Time, Option<LoadId>), StoreError> {
        let at = request.timestamp.ok_or(StoreError::Incomplete("a timestamp"))?;
        request.version.as_ref().ok_or(StoreError::Incomplete("the name of the version"))?;
        if at == Time::FOREVER {
            return Err(DeltaError::NoMoment.into());
        }
        let own = || self.in_effect().filter(|load| load.namespace == request.namespace);
        let newest = own().filter_map(|load| load.timestamp).max().filter(|&newest| at <= newest);
        let (namespace, unit) = (request.namespace.clone(), self.schema().unit());
        if let Some(taken) = own().find(|load| load.timestamp == Some(at)) {
            let version = taken.version.clone().unwrap_or_else(|| "".into());
            return Err(StoreError::TimestampTaken { namespace, version, at: unit.format(at) });
        }
        let is_next = own().any(|load| load.is_version() && load.timestamp.is_some_and(|time| at < time));
        match newest {
            Some(newest) if !request.back_dated || !is_next => {
                Err(StoreError::TooEarly { namespace, at: unit.format(at), newest: unit.format(newest) })
            }
            _ if request.back_dated => Ok((at, self.next_version(&request.namespace, at))),
            _ => Ok((at, None)),
        }
    }

    /// The load before which a back-dated version stands: the first later version of any namespace behind its own last one,
    /// for namespaces may share elements.
    fn next_version(&self, namespace: &Name, at: Time) -> Option<LoadId> {
        let versions: Vec<_> = self.in_effect().filter(|load| load.is_version()).collect();
        let is_before = |load: &&LoadRecord| load.namespace == *namespace && load.timestamp < Some(at);
        let behind = versions.iter().rposition(is_before).map_or(0, |last| last + 1);
        versions[behind..].iter().find(|load| load.timestamp > Some(at)).map(|load| load.id)
    }

    /// The fields of a namespace after the last of its versions in a log.
    fn fields_of(&self, namespace: &str, log: &[Effective]) -> Option<Fields> {
        let mut records = log.iter().rev().filter_map(|entry| self.record(entry.load).ok());
        records.find(|record| record.is_version_of(namespace))?.fields.clone()
    }

    /// The types before the load that brought the request's version: read over them, the same version has the same values,
    /// whatever became wider later.
    fn schema_before(&self, request: &LoadRequest) -> Result<Schema, StoreError> {
        let load = self.registered(request).map_or(self.commit(), |load| load.commit);
        self.ledger.schema(Commit(load.0.saturating_sub(1)))
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
fn take_in(
    index: &mut Index,
    loading: &mut Loading<'_>,
    at: Time,
    options: DeltaOptions,
    known: Option<Fields>,
    log: Option<SegmentWriter>,
    read: impl FnOnce(&mut dyn Sink) -> Result<(), ReadError> + Send,
) -> Result<Outcome, StoreError> {
    let schema = index.schema().clone();
    let (types, add, end_foreign_edges) = (schema.clone(), options.add_fields, options.end_foreign_edges);
    let request = loading.request;
    let (joined, (Log { written, counts }, hasher)) = pipeline::run(
        move |chunks| read_whole((types, at), known, add, chunks, read),
        |arriving, reader, work| join_whole(index, (request, at, options), arriving, reader, &work),
        move |to_write, spent| write_log(schema, log, &to_write, &spent),
    )?;
    let Whole { rest, fields, left_out, report } = joined?;
    let hash = hasher.finish(&rest);
    let mut rejects = rest.rejects;
    rejects.append(left_out);
    loading.reject(rejects);
    loading.report.accepted = counts.total();
    loading.report.counts = counts;
    loading.report.delta = Some(report);
    loading.report.warnings = rest.warnings;
    Ok(Outcome { hash, written, format: Some(rest.format.name), fields, end_foreign_edges })
}

/// What joining came to.
struct Whole {
    rest: Rest,
    fields: Option<Fields>,
    left_out: Rejects,
    report: DeltaReport,
}

/// Joins a version with the graph, chunk by chunk, and in the end what it does not list.
fn join_whole(
    index: &mut Index,
    (request, at, options): (&LoadRequest, Time, DeltaOptions),
    arriving: Receiver<Chunk>,
    reader: Task<'_, ReadWhole>,
    work: &Pipe<Work>,
) -> Result<Whole, StoreError> {
    let mut join = VersionLoader::new(index, &request.namespace, at, options);
    let joined = join_all(&mut join, arriving, work);
    let ReadWhole { rest, common, reserved, result } = pipeline::joined(reader)?;
    joined?;
    done(result, &request.stop)?;
    allowed(reserved)?;
    join.set_schema(rest.schema.clone(), common.clone())?;
    let LoadedVersion { late, steps, rejects: left_out, report } = join.finish(&rest)?;
    // What several namespaces hold has features of its own.
    let schema = index.schema();
    for (rows, steps) in late {
        let _ = work.send((Some(schema.clone()), Some(Part::Late(rows)), steps));
    }
    // A writer that has failed tells why itself.
    let _ = work.send((Some(schema.clone()), None, steps));
    Ok(Whole { rest, fields: common.after, left_out, report })
}

fn read_whole(
    (schema, at): (Schema, Time),
    fields: Option<Fields>,
    add: bool,
    mut chunks: Chunks<Chunk>,
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
    let emit = |schema: &Schema, rows: Rows| {
        if *schema != types {
            types.clone_from(schema);
            suspects = self::suspects(schema);
            told = false;
        }
        reserved.extend(named_among(&suspects, &rows));
        let news = (!told).then(|| (schema.clone(), common.get().cloned().unwrap_or_default()));
        told = true;
        chunks.send((news, rows))
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

fn join_all(join: &mut VersionLoader<'_>, arriving: Receiver<Chunk>, work: &Pipe<Work>) -> Result<(), StoreError> {
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
                (LogStep::Create(row), Some(rows)) => {
                    created.push(row);
                    if !matches!(steps.peek(), Some(LogStep::Create(_))) {
                        done.counts.count_created(rows.are_edges(), created.len() as u64);
                        log.as_mut().map_or(Ok(()), |log| log.push_rows(rows, &created, &schema))?;
                        created.clear();
                    }
                }
                (LogStep::Create(_), None) => {}
                (LogStep::Event(event), _) => {
                    done.counts.count(event.action, &event.element);
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
