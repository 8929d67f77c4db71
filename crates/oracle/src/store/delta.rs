//! The slow delta: from a whole version to the events that lead there, over plain maps of everything.
//!
//! The fast one is `timeweft_index`'s join. Both share what says how one element or one merge row changes
//! (`timeweft_graph::delta`).

mod absent;
mod context;
mod unknown;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::delta::{
    Canonical, Common, DeletionReport, DeltaReport, ElementReport, Fields, by_element, is_reserved, merge_delta,
};
use timeweft_graph::{
    Action, At, Dangling, Deletes, DeltaError, DeltaOptions, EdgeKey, Element, Event, Features, Name, NodeKey,
    OwnerName, Place, Reason, Reject, Time, Value,
};

use self::unknown::Unknown;
use super::Before;
use crate::{Listed, Version};

/// The events that turn the namespace into a version.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Delta {
    /// The events, all at the timestamp of the version.
    pub(super) events: Vec<Event>,
    /// Where each event comes from; an element that is absent has no line.
    pub(super) places: Vec<Place>,
    /// Records that the delta leaves out, beside those that the source could not read.
    pub(super) rejects: Vec<Reject>,
    /// What changed, in numbers.
    pub(super) report: DeltaReport,
    /// The fields of the namespace after the version; `None` if they follow from the data.
    pub(super) fields: Option<Fields>,
}

/// The events that lead from the live elements of a namespace to a version.
///
/// Values are compared in the canonical form of their feature's [`timeweft_graph::ListOrder`]; JSON null means no value.
pub(super) fn delta(
    before: &Before<'_>,
    version: &Version,
    at: Time,
    options: &DeltaOptions,
) -> Result<Delta, DeltaError> {
    check(before, version, at, options)?;
    let mut plan = Plan::new(before, version, at, options);
    let nodes = plan.first_listing(&version.nodes, "node", |report| &mut report.nodes);
    let mut edges = plan.first_listing(&version.edges, "edge", |report| &mut report.edges);
    let kept = plan.kept_nodes(&nodes);
    let stubs = plan.dangling((&nodes, &kept), &mut edges, options.dangling)?;
    let stays = Stays { listed: nodes, stubs, kept };
    plan.nodes(&stays);
    plan.edges(&edges);
    plan.check_sections(&stays, &options.empty_types)?;
    plan.merges(&stays);
    Ok(plan.finish())
}

fn check(before: &Before<'_>, version: &Version, at: Time, options: &DeltaOptions) -> Result<(), DeltaError> {
    if at == Time::FOREVER {
        return Err(DeltaError::NoMoment);
    }
    if let Some(newest) = before.newest().filter(|&newest| at <= newest) {
        return Err(DeltaError::NotAfter { at, newest });
    }
    let empty = version.nodes.is_empty() && version.edges.is_empty() && version.rejects.is_empty();
    if empty && !options.allow_empty {
        return Err(DeltaError::Empty { nodes: before.nodes().len() as u64, edges: before.edges().len() as u64 });
    }
    let reserved = reserved(version);
    if reserved.is_empty() { Ok(()) } else { Err(DeltaError::Reserved(reserved)) }
}

/// The reserved names among the features that the version has or that its reader knows.
fn reserved(version: &Version) -> Vec<Name> {
    let fields = version.format.fields.iter().flatten();
    let known = fields.flat_map(|(owner, features)| {
        let defs = version.schema.features(*owner);
        features.iter().filter_map(|id| defs.get(id.at())).map(|def| &def.name)
    });
    let nodes = version.nodes.iter().flat_map(|record| &record.features).map(|(name, _)| name);
    let edges = version.edges.iter().flat_map(|record| &record.features).map(|(name, _)| name);
    let merges = version.merges.iter().flat_map(|record| &record.features).map(|(name, _)| name);
    let names: BTreeSet<_> = known.chain(nodes).chain(edges).chain(merges).filter(|name| is_reserved(name)).collect();
    names.into_iter().cloned().collect()
}

/// Elements by key, each in its one valid listing.
type Listing<'a, K> = FxHashMap<&'a K, &'a Listed<K>>;

/// Nodes of the namespace that live after the load.
struct Stays<'a> {
    listed: Listing<'a, NodeKey>,
    stubs: FxHashSet<&'a NodeKey>,
    /// Those that live on because a record that could not be read is, or may be, theirs.
    kept: FxHashSet<NodeKey>,
}

impl Stays<'_> {
    fn contains(&self, node: &NodeKey) -> bool {
        self.listed.contains_key(node) || self.stubs.contains(node) || self.kept.contains(node)
    }
}

/// Events by kind, in the order in which they will stand.
#[derive(Default)]
struct Stages {
    edge_deletes: Vec<(Event, Place)>,
    node_deletes: Vec<(Event, Place)>,
    node_creates: Vec<(Event, Place)>,
    merges: Vec<(Event, Place)>,
    node_updates: Vec<(Event, Place)>,
    edge_creates: Vec<(Event, Place)>,
    edge_updates: Vec<(Event, Place)>,
}

struct Plan<'a> {
    before: &'a Before<'a>,
    version: &'a Version,
    canonical: Canonical<'a>,
    common: Common,
    at: Time,
    own_nodes: FxHashSet<NodeKey>,
    own_edges: FxHashSet<EdgeKey>,
    namespace: Name,
    options: &'a DeltaOptions,
    /// Nodes that end with the version.
    ending: FxHashSet<NodeKey>,
    /// Nodes that nobody lists any more and that edges of other namespaces need.
    needed: FxHashSet<NodeKey>,
    unknown: Unknown<'a>,
    absent: Place,
    stages: Stages,
    rejects: Vec<Reject>,
    report: DeltaReport,
}

impl<'a> Plan<'a> {
    fn new(before: &'a Before<'a>, version: &'a Version, at: Time, options: &'a DeltaOptions) -> Plan<'a> {
        let fields = Fields::of(&version.schema, &version.format);
        let common = Common::new(before.fields().as_ref(), fields.as_ref(), options.add_fields);
        let (new_fields, missing_fields) = (common.new_fields(), common.missing_fields());
        Plan {
            before,
            version,
            canonical: Canonical::new(before.graph().schema(), &version.schema),
            common,
            at,
            own_nodes: before.nodes().into_iter().collect(),
            own_edges: before.edges().into_iter().collect(),
            namespace: before.namespace(),
            options,
            ending: FxHashSet::default(),
            needed: FxHashSet::default(),
            unknown: Unknown::of(version.unreadable.iter().map(|(_, told)| told)),
            absent: Place { file: "<not listed>".into(), line: 0 },
            stages: Stages::default(),
            rejects: Vec::new(),
            report: DeltaReport { new_fields, missing_fields, ..DeltaReport::default() },
        }
    }

    /// Every key once. Of several records of one key the first by place counts, whatever the order of the list.
    fn first_listing<K: unknown::Key>(
        &mut self,
        records: &'a [Listed<K>],
        what: &str,
        report: impl Fn(&mut DeltaReport) -> &mut ElementReport,
    ) -> Listing<'a, K> {
        let mut listing = Listing::with_capacity_and_hasher(records.len(), Default::default());
        let mut repeats = Vec::new();
        for record in records.iter().filter(|record| !record.key.is_unread(self)) {
            match listing.get_mut(&record.key) {
                None => _ = listing.insert(&record.key, record),
                Some(first) if record.place < first.place => repeats.push(std::mem::replace(first, record)),
                Some(_) => repeats.push(record),
            }
        }
        for record in repeats {
            let first = &listing[&record.key].place;
            let why = format!("{what} {} is listed twice: it stands at {first} already", record.key);
            self.reject(&record.place, Reason::Malformed(why));
            report(&mut self.report).duplicates += 1;
        }
        report(&mut self.report).listed = listing.len() as u64;
        listing
    }

    fn reject(&mut self, place: &Place, reason: Reason) {
        self.rejects.push(Reject { place: place.clone(), reason });
    }

    /// Applies the policy to edges at nodes that will not live; gives the nodes that stand in as stubs.
    fn dangling(
        &mut self,
        (nodes, kept): (&Listing<'a, NodeKey>, &FxHashSet<NodeKey>),
        edges: &mut Listing<'a, EdgeKey>,
        policy: Dangling,
    ) -> Result<FxHashSet<&'a NodeKey>, DeltaError> {
        let no_more = self.no_more();
        let mut stubs = FxHashSet::default();
        let mut first: Option<(&Listed<EdgeKey>, &NodeKey)> = None;
        for edge in &self.version.edges {
            let ends = [&edge.key.source, &edge.key.destination].into_iter();
            let lives = |end: &NodeKey| nodes.contains_key(end) || kept.contains(end) || self.is_foreign(end);
            let missing: Vec<_> = ends.filter(|end| !lives(end)).collect();
            let refused = missing.iter().find(|end| policy != Dangling::Stub || no_more.contains(*end));
            let Some(&end) = refused else {
                stubs.extend(missing);
                continue;
            };
            if let Some(edge) = edges.remove(&edge.key) {
                // The first by place, whatever the order of the list.
                if first.is_none_or(|(known, _)| edge.place < known.place) {
                    first = Some((edge, end));
                }
                self.report.edges.dangling += 1;
                let lived = self.before.graph().node(end, At { time: Time::FOREVER, deletes: Deletes::Soft });
                let lived = lived.is_some() || no_more.contains(end);
                self.reject(&edge.place, Reason::NotListed { node: end.clone(), lived });
            }
        }
        match first {
            Some((edge, missing)) if policy == Dangling::Reject => Err(DeltaError::Dangling {
                place: edge.place.clone(),
                edge: Box::new(edge.key.clone()),
                missing: missing.clone(),
                count: self.report.edges.dangling,
            }),
            _ => Ok(stubs),
        }
    }

    /// Nodes that the version itself calls merged or deleted: nothing stands in for them.
    fn no_more(&self) -> FxHashSet<&'a NodeKey> {
        let merged = self.version.merges.iter().map(|row| &row.from);
        merged.chain(self.version.deleted.iter().map(|row| &row.node)).collect()
    }

    /// Whether another namespace holds the node.
    fn is_foreign(&self, node: &NodeKey) -> bool {
        self.living_node(node).is_some_and(|node| node.shares().has_others(&self.namespace))
    }

    fn nodes(&mut self, stays: &Stays<'a>) {
        for record in &self.version.nodes {
            let counts = stays.listed.get(&record.key).is_some_and(|first| std::ptr::eq(*first, record));
            if counts {
                self.node(record);
            }
        }
        self.stubs(stays);
        self.absent_nodes(stays);
    }

    fn node(&mut self, record: &Listed<NodeKey>) {
        let graph = self.before.graph();
        let key = &record.key;
        let owner = OwnerName::Node(key.node_type.clone());
        let mut features = self.canonical.node(key, &record.features);
        features.retain(|name, _| self.common.counts(&owner, name));
        let event = |action, features| Event { time: self.at, action, element: Element::Node(key.clone()), features };
        if let Some(node) = self.living_node(key) {
            let taken = node.take(&self.namespace, features, &|name| self.common.counts(&owner, name));
            taken.count(&mut self.report.nodes, &owner, &self.common);
            if !taken.all.is_empty() {
                self.stages.node_updates.push((event(Action::Update, taken.all), record.place.clone()));
            }
        } else {
            let lived = graph.node(key, At { time: Time::FOREVER, deletes: Deletes::Soft }).is_some();
            self.report.nodes.count_created(lived);
            self.stages.node_creates.push((event(Action::Create, all(features)), record.place.clone()));
        }
    }

    fn edges(&mut self, listing: &Listing<'a, EdgeKey>) {
        for record in &self.version.edges {
            let counts = listing.get(&record.key).is_some_and(|first| std::ptr::eq(*first, record));
            if counts {
                self.edge(record);
            }
        }
        self.absent_edges(listing);
    }

    fn edge(&mut self, record: &Listed<EdgeKey>) {
        let graph = self.before.graph();
        let key = &record.key;
        let (source, destination) = (key.source.node_type.clone(), key.destination.node_type.clone());
        let owner = OwnerName::Edge(source, key.relation.clone(), destination);
        let mut features = self.canonical.edge(key, &record.features);
        features.retain(|name, _| self.common.counts(&owner, name));
        let event = |action, features| Event { time: self.at, action, element: Element::Edge(key.clone()), features };
        if let Some(edge) = self.living_edge(key) {
            let taken = edge.take(&self.namespace, features, &|name| self.common.counts(&owner, name));
            taken.count(&mut self.report.edges, &owner, &self.common);
            if !taken.all.is_empty() {
                self.stages.edge_updates.push((event(Action::Update, taken.all), record.place.clone()));
            }
        } else {
            let lived = graph.edge(key, At { time: Time::FOREVER, deletes: Deletes::Soft }).is_some();
            self.report.edges.count_created(lived);
            self.stages.edge_creates.push((event(Action::Create, all(features)), record.place.clone()));
        }
    }

    fn merges(&mut self, stays: &Stays<'a>) {
        let context = context::Context::new(self, stays);
        let (version, counts) = (self.version, |name: &Name| self.common.counts(&OwnerName::Merge, name));
        let merged = merge_delta(&context, &version.merges, &version.deleted, &self.canonical, &counts, self.at);
        self.stages.merges = merged.events;
        self.rejects.extend(merged.rejects);
        self.report.merges = merged.merges;
        let omitted = self.ending.len() as u64 - merged.explained as u64;
        self.report.deletions = DeletionReport { omitted, ..merged.deletions };
    }

    /// Puts the events in the order that the ingest law accepts.
    fn finish(self) -> Delta {
        let mut stages = self.stages;
        // What several namespaces hold may have features that are new: in one order, whatever that of the records.
        stages.node_updates.sort_by(|a, b| by_element(&a.0, &b.0));
        stages.edge_updates.sort_by(|a, b| by_element(&a.0, &b.0));
        let ordered = [
            stages.edge_deletes,
            stages.node_deletes,
            stages.node_creates,
            stages.merges,
            stages.node_updates,
            stages.edge_creates,
            stages.edge_updates,
        ];
        let (events, places) = ordered.into_iter().flatten().unzip();
        Delta { events, places, rejects: self.rejects, report: self.report, fields: self.common.after }
    }
}

fn all(features: BTreeMap<Name, Value>) -> Features {
    features.into_iter().map(|(name, value)| (name, Some(value))).collect()
}
