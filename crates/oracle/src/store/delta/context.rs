//! What the merges of a version ask for.

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::delta::{MergeContext, Past};
use timeweft_graph::{At, Deletes, MergeRecord, NodeKey, Time};

use super::{Plan, Stays};

/// The graph just before a version, and what the version lists.
pub(super) struct Context<'p, 'a> {
    plan: &'p Plan<'a>,
    stays: &'p Stays<'a>,
    open: FxHashMap<NodeKey, Vec<MergeRecord>>,
    /// Targets of the open merges that other namespaces made.
    elsewhere: FxHashMap<NodeKey, Vec<NodeKey>>,
    targets: FxHashSet<NodeKey>,
}

impl<'p, 'a> Context<'p, 'a> {
    pub(super) fn new(plan: &'p Plan<'a>, stays: &'p Stays<'a>) -> Context<'p, 'a> {
        let mut open: FxHashMap<NodeKey, Vec<MergeRecord>> = FxHashMap::default();
        for merge in plan.before.open_merges() {
            open.entry(merge.from.clone()).or_default().push(merge);
        }
        let (mut elsewhere, mut targets) = (FxHashMap::<NodeKey, Vec<NodeKey>>::default(), FxHashSet::default());
        for merge in plan.before.graph().merges() {
            let own = open.get(&merge.from).is_some_and(|own| own.iter().any(|own| own.into == merge.into));
            if merge.interval.is_open() && !own {
                elsewhere.entry(merge.from).or_default().push(merge.into.clone());
            }
            targets.insert(merge.into);
        }
        Context { plan, stays, open, elsewhere, targets }
    }
}

impl MergeContext for Context<'_, '_> {
    fn stays(&self, node: &NodeKey) -> bool {
        self.stays.contains(node)
    }

    fn is_kept(&self, node: &NodeKey) -> bool {
        self.stays.kept.contains(node)
    }

    fn past(&self, node: &NodeKey) -> Past {
        let graph = self.plan.before.graph();
        let gone = self.plan.own_nodes.contains(node) && !self.stays.contains(node);
        if self.plan.needed.contains(node) {
            Past::Needed
        } else if gone && !self.plan.ending.contains(node) {
            Past::LivesElsewhere
        } else if self.plan.own_nodes.contains(node) {
            Past::Lives
        } else if graph.node(node, At::now()).is_some() {
            Past::LivesElsewhere
        } else if graph.node(node, At { time: Time::FOREVER, deletes: Deletes::Soft }).is_none() {
            if self.targets.contains(node) { Past::Named } else { Past::Never }
        } else if self.plan.before.is_own(node) {
            Past::Ended
        } else {
            Past::EndedElsewhere
        }
    }

    fn open_merges(&self, from: &NodeKey) -> Vec<MergeRecord> {
        self.open.get(from).cloned().unwrap_or_default()
    }

    fn merged_elsewhere(&self, from: &NodeKey) -> Vec<NodeKey> {
        self.elsewhere.get(from).cloned().unwrap_or_default()
    }
}
