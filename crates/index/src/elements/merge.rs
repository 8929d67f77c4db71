//! Merges: which node became which, and when.

use bytemuck::{Pod, Zeroable};
use timeweft_graph::{
    Action, Event, FeatureId, Interval, MergeRecord, Name, NodeIndex, NodeKey, Owner, Reason, Time, Value,
};

use crate::NONE;
use crate::elements::events::Subject;
use crate::elements::life::{Life, chain};
use crate::feature_store::{MANY, Track};
use crate::index::Index;
use crate::intake::check::full;
use crate::memory::array::Array;

/// One episode in which `from` is `into`. One that ended when it began is never shown.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Merge {
    pub(crate) interval: Interval,
    pub(crate) from: NodeIndex,
    pub(crate) into: NodeIndex,
    /// The episode of `from` before this one, or [`NONE`].
    previous: u32,
    /// Its [`Track`].
    track: u32,
    pub(crate) namespace: u32,
    only: FeatureId,
    unused: u16,
}

impl Life for Merge {
    fn interval(&self) -> Interval {
        self.interval
    }
    fn previous(&self) -> u32 {
        self.previous
    }
    fn track(&self) -> Track {
        Track { at: self.track, only: self.only, begun: self.interval.created }
    }
    fn set_track(&mut self, track: Track) {
        (self.track, self.only) = (track.at, track.only);
    }
}

/// All merges, in the order of the log.
#[derive(Clone, Default)]
pub(crate) struct Merges {
    pub(crate) all: Array<Merge>,
}

impl Merges {
    /// The open merges of a node, newest first, given its latest one.
    pub(crate) fn open_of(&self, latest: u32) -> impl Iterator<Item = u32> {
        chain(&self.all, latest).filter(|&merge| self.all[merge as usize].interval.is_open())
    }

    /// Ends all open merges of a node, given its latest one.
    pub(crate) fn close_all(&mut self, latest: u32, time: Time) {
        let mut at = latest;
        while at != NONE {
            let merge = &mut self.all[at as usize];
            if merge.interval.is_open() {
                merge.interval.removed = time;
            }
            at = merge.previous;
        }
    }
}

/// The two nodes of an event; the second may be one that no event has named.
struct Ends<'a> {
    from: &'a NodeKey,
    into: &'a NodeKey,
    from_index: NodeIndex,
    into_index: Option<NodeIndex>,
}

impl Ends<'_> {
    fn refused(&self, why: &str) -> Reason {
        refused(self.from, self.into, why)
    }
}

fn refused(from: &NodeKey, into: &NodeKey, why: &str) -> Reason {
    Reason::BadMerge(format!("{from} into {into}: {why}"))
}

impl Index {
    pub(crate) fn apply_merge(
        &mut self,
        event: &Event,
        from: &NodeKey,
        into: &NodeKey,
        namespace: &Name,
    ) -> Result<(), Reason> {
        // A node that never lived may become another if one became it.
        let from_index = self.find_named(from)?;
        let into_index = self.find_named(into)?;
        if from == into {
            return Err(refused(from, into, "a node cannot merge into itself"));
        }
        let from_index = from_index.ok_or_else(|| Reason::UnknownNode(from.clone()))?;
        let ends = Ends { from, into, from_index, into_index };
        let open = self.open_merge(&ends);
        let merge = match event.action {
            Action::Create => self.begin_merge(event, &ends, open, namespace)?,
            Action::Update => self.own_merge(event, &ends, open, namespace)?,
            Action::Delete => {
                let merge = self.own_merge(event, &ends, open, namespace)?;
                self.merges.all[merge as usize].interval.removed = event.time;
                merge
            }
        };
        self.nodes.latest[from_index.at()] = event.time;
        let sets = self.sets(Owner::Merge, &event.features);
        let own = &mut self.merges.all[merge as usize];
        own.set_track(self.columns.update(own.track(), event.time, &sets));
        self.accept(event.action, Subject::Merge(merge), event.time, &sets);
        Ok(())
    }

    fn find_named(&self, key: &NodeKey) -> Result<Option<NodeIndex>, Reason> {
        Ok(self.check_node_type(&key.node_type)?.and_then(|node_type| self.nodes.find(node_type, key.id.as_ref())))
    }

    fn open_merge(&self, ends: &Ends<'_>) -> Option<u32> {
        let latest = self.nodes.merge(ends.from_index);
        let into = ends.into_index?;
        self.merges.open_of(latest).find(|&merge| self.merges.all[merge as usize].into == into)
    }

    /// A target that was never created gets its number, and its type becomes known, but it lives nowhere.
    fn begin_merge(
        &mut self,
        event: &Event,
        ends: &Ends<'_>,
        open: Option<u32>,
        namespace: &Name,
    ) -> Result<u32, Reason> {
        self.check_last_holder(ends.from_index, namespace, || format!("node {}", ends.from))?;
        if self.nodes.latest_life(ends.from_index).is_some_and(|life| life.interval.is_open()) {
            return Err(ends.refused("the first node is still alive: delete it first"));
        }
        if open.is_some() {
            return Err(ends.refused("this merge holds already"));
        }
        self.check_order(ends.from_index, event.time)?;
        self.check_features(Some(Owner::Merge), || "merge".into(), &event.features)?;

        let node_type = self.schema.add_node_type(&ends.into.node_type).ok_or_else(|| full("node types"))?;
        let into = ends.into_index.unwrap_or_else(|| self.nodes.add(node_type, ends.into.id.as_ref()));
        let namespace = self.namespaces.add(namespace);
        let merge = self.merges.all.len() as u32;
        let previous = std::mem::replace(&mut self.nodes.merge[ends.from_index.at()], merge);
        let (interval, from) = (Interval::open(event.time), ends.from_index);
        self.merges.all.push(Merge { interval, from, into, previous, track: NONE, namespace, only: MANY, unused: 0 });
        Ok(merge)
    }

    /// The open merge that an event may change or end.
    fn own_merge(&self, event: &Event, ends: &Ends<'_>, open: Option<u32>, namespace: &Name) -> Result<u32, Reason> {
        let merge = open.ok_or_else(|| ends.refused("no such merge holds"))?;
        let owner = self.merges.all[merge as usize].namespace;
        self.check_namespace(owner, namespace, || format!("merge of node {}", ends.from))?;
        self.check_order(ends.from_index, event.time)?;
        self.check_features(Some(Owner::Merge), || "merge".into(), &event.features)?;
        Ok(merge)
    }

    /// The node that `node` has become at a time: follows merges that hold then, and stops before going round in a circle.
    pub(crate) fn resolve_index(&self, node: NodeIndex, time: Time) -> NodeIndex {
        let mut path = vec![node];
        let mut last = node;
        while let Some(next) = self.leading(last, time).map(|merge| merge.into).filter(|next| !path.contains(next)) {
            path.push(next);
            last = next;
        }
        last
    }

    /// The merge that says what a node has become at a time: of those that hold the first in the log, which is the last
    /// of the chain.
    pub(crate) fn leading(&self, node: NodeIndex, time: Time) -> Option<&Merge> {
        let merges = chain(&self.merges.all, self.nodes.merge(node)).map(|at| &self.merges.all[at as usize]);
        let leading = merges.filter(|merge| {
            let holds = merge.is_real() && merge.interval.contains(time);
            holds && MergeRecord::resolves(self.merge_type(merge, time).as_ref())
        });
        leading.last()
    }

    /// The last merge that had begun by a time and says what a node has become, be it over.
    pub(crate) fn last_leading(&self, node: NodeIndex, time: Time) -> Option<&Merge> {
        let mut merges = chain(&self.merges.all, self.nodes.merge(node)).map(|at| &self.merges.all[at as usize]);
        merges.find(|merge| {
            let begun = merge.is_real() && merge.interval.created <= time;
            begun && MergeRecord::resolves(self.merge_type(merge, merge.as_of(time)).as_ref())
        })
    }

    fn merge_type(&self, merge: &Merge, time: Time) -> Option<Value> {
        let (id, _) = self.schema.feature(Owner::Merge, MergeRecord::TYPE)?;
        let mut held = self.columns.at(merge.track(), time);
        held.find(|(feature, _)| *feature == id).and_then(|(_, value)| self.columns.value(value))
    }

    /// The merges of a namespace that hold at the end of time, in the order of the log.
    pub fn open_merges_of(&self, namespace: &str) -> Vec<MergeRecord> {
        let wanted = self.namespaces.find(namespace);
        let open = self.merges.all.iter().filter(|merge| merge.interval.is_open());
        open.filter(|merge| Some(merge.namespace) == wanted).map(|merge| self.record(merge)).collect()
    }

    /// The merges of a node that hold at the end of time and are of a namespace, or those of all others, in the order of
    /// the log.
    pub(crate) fn open_merges(&self, from: NodeIndex, namespace: u32, own: bool) -> Vec<MergeRecord> {
        let open = self.merges.open_of(self.nodes.merge(from)).map(|merge| &self.merges.all[merge as usize]);
        let wanted = open.filter(|merge| (merge.namespace == namespace) == own);
        let mut merges: Vec<_> = wanted.map(|merge| self.record(merge)).collect();
        merges.reverse();
        merges
    }

    /// Nodes that never lived and to which merges lead.
    pub(crate) fn named_only(&self) -> impl Iterator<Item = NodeIndex> {
        let targets = self.merges.all.iter().filter(|merge| merge.is_real()).map(|merge| merge.into);
        targets.filter(|&node| self.nodes.life(node) == NONE)
    }
}
