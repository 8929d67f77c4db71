//! How a load is taken out of the middle of the effective log ([`crate::log::effective`]) or put there.
//!
//! That may change what other loads come to; then the splice brings segments of its own that stand for those of the other
//! loads.
//!
//! The next version of the same namespace after the splice must come to the same state as before: its events are derived
//! anew, from the state that it now meets to the one that it led to. From there on everything is as it was, unless
//! namespaces share elements: then another namespace may lead from then on. Versions of other namespaces until
//! there, or to the end, are derived anew as well, each to what the namespace itself held. Loads of events keep theirs, but
//! for those that the graph now refuses, such as an edge at a node that is not there any more.
//! Those are set aside: a load keeps what it wrote itself, and with the next splice all of it is tried again.

mod together;

use std::collections::{BTreeMap, BTreeSet};

use timeweft_graph::delta::Common;
use timeweft_graph::rows::{Projection, RowWriter, Rows};
use timeweft_graph::{
    Action, DeltaOptions, Element, ElementRef, Event, Features, LoadId, MergeRecord, Name, NodeKey, Owner, Reason,
    Record, Schema, Sink, Stop, Time, ValueRef,
};
use timeweft_index::{Index, LoadedVersion, LogStep, VersionLoader};

use crate::StoreError;
use crate::folder::log_dir;
use crate::load::content_hash::{EventSet, hash_of_event};
use crate::load::{Dropped, LoadRecord, SpliceReport};
use crate::log::effective::{Effective, units};
use crate::log::segment::{SegmentWriter, Written, metadata};
use crate::store::Store;

pub(crate) use together::{Guest, Together};

/// The most dropped events that are kept in full; all are counted.
const KEPT: usize = 1_000;

/// The graph while later loads are applied again.
pub(crate) struct Splice<'a> {
    store: &'a Store,
    /// The load that makes the splice.
    id: LoadId,
    namespace: Name,
    /// Ends it early.
    stop: Stop,
    /// The graph as it will be.
    trial: Index,
    /// The graph as it was, until the next version of the namespace.
    original: Option<Index>,
    written: Written,
    next_part: u32,
    report: SpliceReport,
    /// Whether a load stays as it is of which the graph took in the events in another order.
    reordered: bool,
    /// The latest time of an event that does not fit.
    aside: Option<Time>,
}

/// What a splice came to.
pub(crate) struct Spliced {
    /// The graph as it is then.
    pub(crate) graph: Index,
    pub(crate) written: Written,
    pub(crate) report: SpliceReport,
    /// Whether a load stays as it is of which the graph took in the events in another order.
    pub(crate) reordered: bool,
    /// The latest time of an event that does not fit.
    pub(crate) aside: Option<Time>,
}

/// The events that a load wrote itself, as far as they are not derived.
struct Own {
    /// Where they are.
    entry: Effective,
    /// Those of them, by their positions, that are not in effect.
    aside: BTreeSet<u64>,
}

/// A load while it is taken in again.
struct Member<'a> {
    entry: Effective,
    record: &'a LoadRecord,
    own: Own,
    /// The events that the graph refuses now, by their positions.
    refused: BTreeSet<u64>,
}

impl<'a> Splice<'a> {
    /// A splice by load `id`.
    pub(crate) fn new(
        store: &'a Store,
        id: LoadId,
        namespace: &Name,
        trial: Index,
        original: Option<Index>,
    ) -> Splice<'a> {
        let (namespace, stop) = (namespace.clone(), Stop::default());
        let (written, report) = (Written::default(), SpliceReport::default());
        let (next_part, reordered, aside) = (0, false, None);
        Splice { store, id, namespace, stop, trial, original, written, next_part, report, reordered, aside }
    }

    /// The same for a load that may be stopped.
    pub(crate) fn stopped_by(self, stop: &Stop) -> Splice<'a> {
        Splice { stop: stop.clone(), ..self }
    }

    /// Ends the splice if the load that makes it was stopped.
    fn go_on(&self) -> Result<(), StoreError> {
        if self.stop.is_asked() { Err(StoreError::Stopped) } else { Ok(()) }
    }

    /// What it came to.
    pub(crate) fn finish(self) -> Spliced {
        let Splice { trial: graph, written, report, reordered, aside, .. } = self;
        Spliced { graph, written, report, reordered, aside }
    }

    /// The same beside a load that itself has no more parts than these.
    pub(crate) fn with_parts_from(mut self, part: u32) -> Splice<'a> {
        self.next_part = part;
        self
    }

    /// Applies the loads after the splice again.
    pub(crate) fn later(&mut self, log: &[Effective]) -> Result<(), StoreError> {
        units(log).try_for_each(|unit| match unit {
            [entry] => self.one(*entry),
            unit => self.together(unit, &mut Together::default()),
        })
    }

    fn one(&mut self, entry: Effective) -> Result<(), StoreError> {
        self.go_on()?;
        let record = self.store.record(entry.load)?;
        if let Some(original) = &mut self.original {
            self.store.replay_unit(&[entry], original)?;
        }
        match (self.original.take(), record.timestamp.filter(|_| record.is_version())) {
            (Some(original), Some(at)) => {
                self.derive(entry, record, at, &original)?;
                let over = record.is_version_of(&self.namespace) && !original.is_shared() && !self.trial.is_shared();
                self.original = (!over).then_some(original);
                Ok(())
            }
            (original, _) => {
                self.original = original;
                self.apply(entry)
            }
        }
    }

    /// Derives the events of a version anew: from the state that it now meets to the one that it led to.
    fn derive(&mut self, entry: Effective, record: &LoadRecord, at: Time, original: &Index) -> Result<(), StoreError> {
        let mut known = EventSet::default();
        self.store.events_of(entry, self.trial.schema(), |event| {
            known.add(event);
            Ok(())
        })?;
        let mut log = self.writer(record);
        let mut derived = EventSet::default();
        let dropped = {
            let mut taken = |event: Event, schema: &Schema| {
                derived.add(&event);
                log.push(&event, schema)
            };
            let mut dropped = join_state(&mut self.trial, original, record, at, &mut taken)?;
            dropped.extend(join_merges(&mut self.trial, original, &record.namespace, at, &mut taken)?);
            dropped
        };
        dropped.into_iter().for_each(|why| self.drop_event(entry.load, why));
        if !derived.same(&known) {
            return self.replace(entry.load, log);
        }
        self.reordered |= !derived.same_order(&known);
        Ok(())
    }

    /// Applies the events of a load as they are, but for those that are refused.
    fn apply(&mut self, entry: Effective) -> Result<(), StoreError> {
        let mut member = self.store.member(entry)?;
        let (mut position, schema) = (0, self.trial.schema().clone());
        self.store.events_of(member.own.entry, &schema, |event| {
            self.try_event(&mut member, position, event);
            position += 1;
            Ok(())
        })?;
        self.settle(&member)
    }

    /// Applies an event of a load, or notes that it is refused.
    fn try_event(&mut self, member: &mut Member<'_>, position: u64, event: &Event) {
        let Err(reason) = self.trial.apply(event, &member.record.namespace) else { return };
        member.refused.insert(position);
        self.aside = self.aside.max(Some(event.time));
        // A node that is said to begin, and nothing more, has begun earlier.
        let is_birth = event.action == Action::Create && event.features.is_empty();
        if is_birth && matches!(reason, Reason::NodeExists(_)) {
            return;
        }
        if !member.own.aside.contains(&position) {
            self.drop_event(member.entry.load, reason.to_string());
        }
    }

    /// Writes the events of a load again if others of them are refused than before.
    fn settle(&mut self, member: &Member<'_>) -> Result<(), StoreError> {
        if member.refused == member.own.aside {
            return Ok(());
        }
        let (mut log, schema) = (self.writer(member.record), self.trial.schema().clone());
        let mut position = 0u64;
        self.store.events_of(member.own.entry, &schema, |event| {
            position += 1;
            if member.refused.contains(&(position - 1)) { Ok(()) } else { log.push(event, &schema) }
        })?;
        self.replace(member.entry.load, log)
    }

    fn writer(&self, record: &LoadRecord) -> SegmentWriter {
        let metadata = metadata(self.id, &record.namespace, self.trial.schema());
        SegmentWriter::new(&log_dir(&self.store.dir), self.id, metadata).standing_for(record.id, self.next_part)
    }

    fn replace(&mut self, load: LoadId, log: SegmentWriter) -> Result<(), StoreError> {
        let written = log.finish(self.trial.schema())?;
        self.next_part = written.segments.iter().map(|segment| segment.part + 1).max().unwrap_or(self.next_part);
        self.written.segments.extend(written.segments);
        self.written.batches.extend(written.batches);
        self.report.replaced.push(load);
        Ok(())
    }

    fn drop_event(&mut self, load: LoadId, why: String) {
        self.report.n_dropped += 1;
        if self.report.dropped.len() < KEPT {
            self.report.dropped.push(Dropped { load, why });
        }
    }
}

impl Store {
    /// A load that is to be taken in again.
    fn member(&self, entry: Effective) -> Result<Member<'_>, StoreError> {
        let (record, refused) = (self.record(entry.load)?, BTreeSet::new());
        Ok(Member { entry, record, own: self.own(entry)?, refused })
    }

    /// The events that a load wrote itself. Those of a version are what it came to.
    fn own(&self, entry: Effective) -> Result<Own, StoreError> {
        let own = Effective { written_by: entry.load, ..entry };
        if entry == own || self.record(entry.load)?.is_version() {
            return Ok(Own { entry, aside: BTreeSet::new() });
        }
        let mut in_effect = Vec::new();
        self.events_of(entry, self.schema(), |event| {
            in_effect.push(hash_of_event(event));
            Ok(())
        })?;
        let (mut in_effect, mut aside, mut position) = (in_effect.into_iter().peekable(), BTreeSet::new(), 0);
        self.events_of(own, self.schema(), |event| {
            if in_effect.next_if_eq(&hash_of_event(event)).is_none() {
                aside.insert(position);
            }
            position += 1;
            Ok(())
        })?;
        Ok(Own { entry: own, aside })
    }
}

/// Takes an event that was applied, and the types that it is of.
type Take<'a> = dyn FnMut(Event, &Schema) -> Result<(), StoreError> + 'a;

/// Brings the live nodes and edges of a namespace to those of another graph. Gives why something was left out.
fn join_state(
    trial: &mut Index,
    wanted: &Index,
    record: &LoadRecord,
    at: Time,
    taken: &mut Take<'_>,
) -> Result<Vec<String>, StoreError> {
    let (schema, namespace) = (trial.schema().clone(), &record.namespace);
    let end_foreign_edges = record.end_foreign_edges;
    let options = DeltaOptions { allow_empty: true, end_foreign_edges, ..DeltaOptions::default() };
    let mut join = VersionLoader::new(trial, namespace, at, options);
    join.set_schema(schema.clone(), Common::default())?;
    let mut failed: Result<(), StoreError> = Ok(());
    let emit = |schema: &Schema, rows: Rows| {
        if failed.is_ok() {
            failed = join_rows(&mut join, &rows, schema, taken);
        }
        failed.is_ok().then_some(rows)
    };
    let mut writer = RowWriter::new(schema, at, |_, _| Projection::default(), emit);
    send_state(wanted, namespace, &mut writer);
    let rest = writer.finish();
    failed?;
    let LoadedVersion { steps, rejects, .. } = join.finish(&rest)?;
    for step in steps {
        if let LogStep::Event(event) = step {
            taken(*event, trial.schema())?;
        }
    }
    Ok(rejects.iter().map(|reject| reject.reason.to_string()).collect())
}

fn join_rows(
    join: &mut VersionLoader<'_>,
    rows: &Rows,
    schema: &Schema,
    taken: &mut Take<'_>,
) -> Result<(), StoreError> {
    for step in join.rows(rows).map_err(|reason| StoreError::Full(Box::new(reason)))? {
        let event = match step {
            LogStep::Event(event) => *event,
            LogStep::Create(row) => rows.get(row as usize).to_event(schema),
        };
        taken(event, schema)?;
    }
    Ok(())
}

/// Pushes the live nodes and edges of a namespace into a sink. Types and features have the numbers that they have in the
/// sink's schema, which knows more but not otherwise.
fn send_state(index: &Index, namespace: &Name, sink: &mut dyn Sink) {
    let schema = index.schema();
    for node in index.live_nodes_of(namespace) {
        let Some(node_type) = schema.node_type(&node.key.node_type) else { continue };
        let features: Vec<_> = numbered(schema, Owner::Node(node_type), &node.features).collect();
        sink.record(Record::Listed(ElementRef::Node(node_type, node.key.id.as_ref()), &features), 0);
    }
    for edge in index.live_edges_of(namespace) {
        let (edge_type, ..) = index.edge_ends(edge.edge);
        let features: Vec<_> = numbered(schema, Owner::Edge(edge_type), &edge.features).collect();
        let ends = [edge.source.id.as_ref(), edge.destination.id.as_ref()];
        sink.record(Record::Listed(ElementRef::Edge(edge_type, ends, edge.key.map(|key| &**key)), &features), 0);
    }
}

fn numbered<'v>(
    schema: &Schema,
    owner: Owner,
    features: &'v [(Name, timeweft_graph::Value)],
) -> impl Iterator<Item = (timeweft_graph::FeatureId, ValueRef<'v>)> {
    features.iter().filter_map(move |(name, value)| Some((schema.feature(owner, name)?.0, ValueRef::Any(value))))
}

/// Brings the open merges of a namespace to those of another graph. Gives why something was left out.
fn join_merges(
    trial: &mut Index,
    wanted: &Index,
    namespace: &Name,
    at: Time,
    taken: &mut Take<'_>,
) -> Result<Vec<String>, StoreError> {
    let mut dropped = Vec::new();
    let mut waiting: Vec<(Event, Option<Reason>)> =
        merge_events(trial, wanted, namespace, at).into_iter().map(|event| (event, None)).collect();
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut early = Vec::new();
        for (event, _) in waiting {
            match trial.apply(&event, namespace) {
                Ok(()) => taken(event, trial.schema())?,
                // A node that never lived waits for the merge that leads to it.
                Err(reason @ Reason::UnknownNode(_)) => early.push((event, Some(reason))),
                Err(reason) => dropped.push(reason.to_string()),
            }
        }
        if early.len() == before {
            dropped.extend(early.drain(..).filter_map(|(_, reason)| Some(reason?.to_string())));
        }
        waiting = early;
    }
    Ok(dropped)
}

/// The events that bring the open merges of a namespace to those of another graph, in the same order, for the first of
/// several merges of a node leads.
fn merge_events(trial: &Index, wanted: &Index, namespace: &Name, at: Time) -> Vec<Event> {
    let (known, wanted) = (by_node(trial.open_merges_of(namespace)), by_node(wanted.open_merges_of(namespace)));
    let mut events = Vec::new();
    let froms: BTreeSet<&NodeKey> = known.keys().chain(wanted.keys()).collect();
    for from in froms {
        let of = |merges: &BTreeMap<NodeKey, Vec<MergeRecord>>| merges.get(from).cloned().unwrap_or_default();
        let (known, wanted) = (of(&known), of(&wanted));
        let same = known.iter().zip(&wanted).take_while(|(a, b)| a.into == b.into).count();
        let event = |action, merge: &MergeRecord, features| {
            let element = Element::Merge { from: merge.from.clone(), into: merge.into.clone() };
            Event { time: at, action, element, features }
        };
        events.extend(known[same..].iter().map(|merge| event(Action::Delete, merge, Features::new())));
        for (a, b) in known.iter().zip(&wanted).take(same).filter(|(a, b)| a.features != b.features) {
            let ended = a.features.keys().filter(|name| !b.features.contains_key(*name));
            let mut features: Features = ended.map(|name| (name.clone(), None)).collect();
            features.extend(b.features.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
            features.sort_by(|a, b| a.0.cmp(&b.0));
            events.push(event(Action::Update, b, features));
        }
        for merge in &wanted[same..] {
            let features = merge.features.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
            events.push(event(Action::Create, merge, features.collect()));
        }
    }
    events
}

fn by_node(merges: Vec<MergeRecord>) -> BTreeMap<NodeKey, Vec<MergeRecord>> {
    let mut by_node: BTreeMap<NodeKey, Vec<MergeRecord>> = BTreeMap::new();
    merges.into_iter().for_each(|merge| by_node.entry(merge.from.clone()).or_default().push(merge));
    by_node
}
