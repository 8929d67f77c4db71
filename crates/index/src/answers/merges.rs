//! Which node has become which, at a time.

use timeweft_graph::{MergeRecord, NodeIndex, Owner, Time, Value};

use crate::elements::life::{LifeRecord, chain};
use crate::elements::merge::Merge;
use crate::{Index, NONE};

impl Index {
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
        let holding = self.episodes(node).filter(|merge| merge.interval.contains(time));
        holding.filter(|merge| MergeRecord::resolves(self.merge_type(merge, time).as_ref())).last()
    }

    /// The last merge that had begun by a time and says what a node has become, be it over.
    pub(crate) fn last_leading(&self, node: NodeIndex, time: Time) -> Option<&Merge> {
        let mut begun = self.episodes(node).filter(|merge| merge.interval.created <= time);
        begun.find(|merge| MergeRecord::resolves(self.merge_type(merge, merge.as_of(time)).as_ref()))
    }

    /// The merges of a node that ever held, newest first.
    pub(crate) fn episodes(&self, node: NodeIndex) -> impl Iterator<Item = &Merge> {
        let merges = chain(&self.merges.all, self.nodes.merge(node)).map(|at| &self.merges.all[at as usize]);
        merges.filter(|merge| merge.is_real())
    }

    /// Whether a merge says what a node has become.
    pub(crate) fn leads(&self, merge: &Merge) -> bool {
        MergeRecord::resolves(self.merge_type(merge, merge.as_of(Time::FOREVER)).as_ref())
    }

    fn merge_type(&self, merge: &Merge, time: Time) -> Option<Value> {
        let (id, _) = self.schema.feature(Owner::Merge, MergeRecord::TYPE)?;
        self.feature_store.value(self.feature_store.value_at(merge.feature_row(), id, time))
    }

    /// The merges of a namespace that hold at the end of time, in the order of the log.
    pub fn open_merges_of(&self, namespace: &str) -> Vec<MergeRecord> {
        let wanted = self.namespaces.find(namespace);
        let open = self.merges.all.iter().filter(|merge| merge.interval.is_open());
        open.filter(|merge| Some(merge.namespace) == wanted).map(|merge| self.record(merge)).collect()
    }

    /// The merges of a node that hold at the end of time and are of some namespaces, in the order of the log.
    pub(crate) fn open_merges(&self, from: NodeIndex, is_of: impl Fn(u32) -> bool) -> Vec<MergeRecord> {
        let open = self.merges.open_of(self.nodes.merge(from)).map(|merge| &self.merges.all[merge as usize]);
        let wanted = open.filter(|merge| is_of(merge.namespace));
        let mut merges: Vec<_> = wanted.map(|merge| self.record(merge)).collect();
        merges.reverse();
        merges
    }

    /// Nodes that ever became another, each once.
    pub(crate) fn merged_nodes(&self) -> Vec<NodeIndex> {
        let mut nodes: Vec<NodeIndex> =
            self.merges.all.iter().filter(|merge| merge.is_real()).map(|merge| merge.from).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// Nodes that never lived and to which merges lead.
    pub(crate) fn unborn_targets(&self) -> impl Iterator<Item = NodeIndex> {
        let targets = self.merges.all.iter().filter(|merge| merge.is_real()).map(|merge| merge.into);
        targets.filter(|&node| self.nodes.life(node) == NONE)
    }
}
