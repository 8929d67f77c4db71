//! A whole version meets the namespace that it is a version of: each listed record is joined with what lives, and what
//! differs is applied at once.
//!
//! Records arrive in any order, in chunks. A record is found where the one after the last one lives, or else by its hash;
//! releases list their records in nearly the same order every time, so most cost one comparison of adjacent bytes
//! and nothing is sorted. What no record names is gone in the end.
//!
//! Slow reference: `timeweft_oracle::ReferenceStore`.

mod absent;
mod edges;
mod nodes;
mod rest;
mod shared;
mod stubs;
mod unknown;

use bytemuck::Pod;
use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::delta::{Common, DeltaError, DeltaOptions, DeltaReport, ElementReport};
use timeweft_graph::rows::{Projection, RowRef, Rows};
use timeweft_graph::{
    Action, EdgeKey, Element, Event, FeatureId, Features, Name, NodeIndex, Owner, OwnerName, Place, Reason, Reject,
    Rejects, Schema, Time,
};

use self::shared::Shared;
use self::stubs::Waiting;
use self::unknown::Unknown;
use crate::elements::life::{LifeRecord, chain};
use crate::feature_store::FeatureRow;
use crate::memory::array::Array;
use crate::{Index, NONE};

/// What the index took in, in that order.
#[derive(Debug)]
pub enum LogStep {
    /// The record at this position of the chunk was created as it stands.
    Create(u32),
    /// An event.
    Event(Box<Event>),
}

/// Stands for a value that has no number yet: no value has this one.
const NEW_VALUE: u32 = NONE - 1;

/// A version on its way into an index.
pub struct VersionLoader<'a> {
    index: &'a mut Index,
    namespace_id: u32,
    namespace: Name,
    at: Time,
    options: DeltaOptions,
    /// How the features that the reader knows stand to those of the namespace.
    common: Common,
    /// The features that are compared, by number.
    projection: Projection,
    listed_nodes: Bits,
    /// Nodes that lived before and do not any more.
    gone_nodes: Bits,
    /// Nodes that ended, or should have.
    ended_nodes: u64,
    /// Nodes that stand in for missing ones.
    stubs: Bits,
    /// Nodes that never lived and to which merges led before the version: a node of it may end such a merge as it begins.
    unborn_targets: FxHashSet<NodeIndex>,
    listed_edges: Bits,
    /// Elements that several namespaces hold.
    shared: Shared,
    /// Edges that wait for the end of the version.
    waiting: Waiting,
    unknown: Unknown,
    started: bool,
    /// Nodes from this number on came with this version.
    first_new: u32,
    next_node: u32,
    next_source: u32,
    next_edge: u32,
    /// The first edge that lacks an end.
    dangling: Option<(Place, Box<EdgeKey>, timeweft_graph::NodeKey)>,
    dangling_edges: FxHashSet<EdgeKey>,
    changed: FxHashMap<(Owner, FeatureId), u64>,
    report: DeltaReport,
    rejects: Rejects,
    steps: Vec<LogStep>,
    sets: Vec<(FeatureId, u32)>,
}

/// What a version changed beside the steps already given.
#[derive(Debug)]
pub struct LoadedVersion {
    /// Edges that waited for the end of the version, and the steps of each chunk.
    pub late: Vec<(Rows, Vec<LogStep>)>,
    /// The last steps; none of them is a create of a record.
    pub steps: Vec<LogStep>,
    /// Records that were left out.
    pub rejects: Rejects,
    /// What changed, in numbers.
    pub report: DeltaReport,
}

impl<'a> VersionLoader<'a> {
    /// A version of a namespace that takes effect at a time, which is after the newest of the namespace.
    pub fn new(index: &'a mut Index, namespace: &Name, at: Time, options: DeltaOptions) -> VersionLoader<'a> {
        let (namespace_id, first_new) = (index.namespaces.add(namespace), index.n_nodes() as u32);
        let shared = Shared::of(index, namespace);
        let unborn_targets = index.unborn_targets().collect();
        VersionLoader {
            unborn_targets,
            listed_nodes: Bits::new(index.n_nodes()),
            stubs: Bits::new(0),
            gone_nodes: Bits::new(0),
            ended_nodes: 0,
            listed_edges: Bits::new(index.n_edges()),
            shared,
            waiting: Waiting::default(),
            unknown: Unknown::nothing(),
            index,
            namespace_id,
            namespace: namespace.clone(),
            at,
            options,
            common: Common::default(),
            projection: Projection::default(),
            started: false,
            first_new,
            next_node: 0,
            next_source: 0,
            next_edge: 0,
            dangling: None,
            dangling_edges: FxHashSet::default(),
            changed: FxHashMap::default(),
            report: DeltaReport::default(),
            rejects: Rejects::default(),
            steps: Vec::new(),
            sets: Vec::new(),
        }
    }

    /// Types that the reader of the version has declared by now: those of the index and what came after them; and how
    /// its fields stand to those of the namespace.
    pub fn set_schema(&mut self, schema: Schema, common: Common) -> Result<(), DeltaError> {
        self.index.widen_to(&schema).map_err(|problem| problem.of(&schema))?;
        self.projection = common.projection(&schema);
        self.report.new_fields = common.new_fields();
        self.report.missing_fields = common.missing_fields();
        self.index.schema = schema;
        self.common = common;
        Ok(())
    }

    /// Takes in a chunk.
    pub fn rows(&mut self, rows: &Rows) -> Result<Vec<LogStep>, Reason> {
        self.index.check_room(rows.len() * 64)?;
        if !self.started && rows.expected.0 > 0 {
            self.reserve(rows);
        }
        self.started |= !rows.is_empty();
        self.note_unreadable(&rows.unreadable, rows.file());
        self.steps.reserve(rows.len() / 8);
        for row in rows.iter() {
            match row.owner() {
                Owner::Edge(_) => self.edge(row),
                _ => self.node(row),
            }
        }
        Ok(std::mem::take(&mut self.steps))
    }

    /// Ends what was not listed, and takes in what else the version says.
    pub fn finish(mut self, rest: &timeweft_graph::rows::Rest) -> Result<LoadedVersion, DeltaError> {
        let late = self.late(rest);
        let listed = self.report.nodes.listed + self.report.edges.listed;
        // Where all was rejected, the rejects are the message.
        if listed == 0 && rest.rejects.is_empty() && self.rejects.is_empty() && !self.options.allow_empty {
            return Err(self.empty());
        }
        if let (timeweft_graph::Dangling::Reject, Some((place, edge, missing))) =
            (self.options.dangling, self.dangling.take())
        {
            return Err(DeltaError::Dangling { place, edge, missing, count: self.report.edges.dangling });
        }
        self.count_kept_nodes();
        self.absent();
        self.check_sections(rest)?;
        self.change_shared();
        self.merges(rest);
        for (&(owner, feature), &count) in &self.changed {
            let schema = &self.index.schema;
            let owner_name = match owner {
                Owner::Edge(id) => schema.edge_types()[id.at()].relation.to_string(),
                other => schema.owner_name(other),
            };
            let name = format!("{owner_name}.{}", schema.features(owner)[feature.at()].name);
            let report = if matches!(owner, Owner::Edge(_)) { &mut self.report.edges } else { &mut self.report.nodes };
            *report.changed_features.entry(name).or_default() += count;
        }
        Ok(LoadedVersion { late, steps: self.steps, rejects: self.rejects, report: self.report })
    }

    /// Reserves memory for what the version has more than the graph: growing step by step copies everything several times.
    fn reserve(&mut self, rows: &Rows) {
        // What is announced before anything is read is a guess, good enough to begin a graph with.
        if rows.is_empty() && self.index.n_nodes() > 0 {
            return;
        }
        let nodes = rows.expected.0.saturating_sub(self.index.n_nodes());
        let edges = rows.expected.1.saturating_sub(self.index.n_edges());
        self.index.reserve(nodes, edges);
        if rows.is_empty() {
            self.index.touch_room(nodes, edges);
        } else {
            self.index.reserve_values(rows, nodes);
        }
    }

    fn reject(&mut self, place: Place, reason: Reason) {
        self.rejects.push(Reject { place, reason });
    }

    /// Puts the numbers of a record's values into [`VersionLoader::sets`].
    fn intern(&mut self, row: RowRef<'_>) {
        self.index.feature_store.values.add_row(row, &mut self.sets);
    }

    /// What turns the features of a life into those of a record; [`NONE`] ends a value. In [`VersionLoader::sets`], in the order of
    /// names.
    fn compare(&mut self, feature_row: FeatureRow, row: RowRef<'_>) {
        self.sets.clear();
        let compared = self.projection.get(&row.owner());
        let skipped = |feature: FeatureId| compared.is_some_and(|compared| !compared.contains(&feature));
        let mut wanted = row.features().peekable();
        for (feature, value) in self.index.feature_store.at(feature_row, Time::FOREVER) {
            // A value that is new gets its number below: the columns are being read here.
            while let Some((early, _)) = wanted.next_if(|(wanted, _)| *wanted < feature) {
                self.sets.push((early, NEW_VALUE));
            }
            match wanted.next_if(|(wanted, _)| *wanted == feature) {
                Some((_, bytes)) if self.index.feature_store.bytes(value).is_some_and(|held| *held == *bytes) => {}
                Some(_) => self.sets.push((feature, NEW_VALUE)),
                None if skipped(feature) => {}
                None => self.sets.push((feature, NONE)),
            }
        }
        self.sets.extend(wanted.map(|(feature, _)| (feature, NEW_VALUE)));
        if self.sets.is_empty() {
            return;
        }
        // Both are sorted by feature.
        let mut sets = self.sets.iter_mut().filter(|set| set.1 != NONE).peekable();
        for (feature, bytes) in row.features() {
            if let Some(set) = sets.next_if(|set| set.0 == feature) {
                set.1 = self.index.feature_store.values.add(row.owner(), feature, bytes);
            }
        }
        // As the log is written, so that what is in memory is what the log replays to.
        let defs = self.index.schema.features(row.owner());
        self.sets.sort_by(|a, b| defs[a.0.at()].name.cmp(&defs[b.0.at()].name));
    }

    /// The features in [`VersionLoader::sets`] as an event has them.
    fn named(&self, owner: Owner) -> Features {
        let defs = self.index.schema.features(owner);
        let named =
            self.sets.iter().map(|&(id, value)| (defs[id.at()].name.clone(), self.index.feature_store.value(value)));
        named.collect()
    }

    /// Counts the features that differ; whether all of them are new to the namespace.
    fn count_changes(&mut self, owner: Owner) -> bool {
        let (schema, common) = (&self.index.schema, &self.common);
        let name = (!self.report.new_fields.is_empty()).then(|| OwnerName::of(schema, owner));
        let defs = schema.features(owner);
        let is_new =
            |feature: FeatureId| name.as_ref().is_some_and(|name| common.is_new(name, &defs[feature.at()].name));
        let mut only_new = true;
        for &(feature, _) in self.sets.iter().filter(|(feature, _)| !is_new(*feature)) {
            *self.changed.entry((owner, feature)).or_default() += 1;
            only_new = false;
        }
        only_new
    }

    fn step(&mut self, action: Action, element: Element, features: Features) {
        self.steps.push(LogStep::Event(Box::new(Event { time: self.at, action, element, features })));
    }
}

/// Counts a changed element.
fn count_changed(report: &mut ElementReport, only_new: bool) {
    *(if only_new { &mut report.migrated } else { &mut report.changed }) += 1;
}

/// Counts a created element.
fn count_created(report: &mut ElementReport, lived_before: bool) {
    *(if lived_before { &mut report.reappeared } else { &mut report.new }) += 1;
}

/// Whether an element ever lived, given its latest life: one that ended when it began is none.
fn lived<L: LifeRecord + Pod>(lives: &Array<L>, latest: u32) -> bool {
    chain(lives, latest).any(|life| lives[life as usize].is_real())
}

/// One bit a number.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(n: usize) -> Bits {
        Bits(vec![0; n.div_ceil(64)])
    }

    fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Sets a bit; whether it was not set before.
    fn set(&mut self, at: usize) -> bool {
        if self.0.len() <= at / 64 {
            self.0.resize((at / 64 + 1).max(self.0.len() * 2), 0);
        }
        let word = &mut self.0[at / 64];
        let new = *word >> (at % 64) & 1 == 0;
        *word |= 1 << (at % 64);
        new
    }
}
