//! What became of nodes.

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{Deletes, MergeRecord, NodeIndex, NodeKey};

use super::{Query, QueryError};
use crate::elements::merge::Merge;

/// The way from a node to the one that it has become.
#[derive(Clone, PartialEq, Debug)]
pub struct Resolution {
    /// The merges, one after the other; none if the node has become no other.
    pub steps: Vec<MergeRecord>,
    /// Where the way ends: the node itself if there are no steps.
    pub target: NodeKey,
    /// Whether the target is alive.
    pub alive: bool,
    /// Whether the target has become a node of the way: the merges go round in a circle.
    pub circular: bool,
}

impl Query<'_> {
    /// The merges of these nodes into others that hold, with soft deletes all that have begun, advice included, in canonical order.
    pub fn merges_from(&self, keys: &[NodeKey]) -> Result<Vec<MergeRecord>, QueryError> {
        let mut merges = self.merge_history(keys)?;
        let at = self.at;
        merges.retain(|merge| match at.deletes {
            Deletes::Hard => merge.interval.contains(at.time),
            Deletes::Soft => merge.interval.created <= at.time,
        });
        Ok(merges)
    }

    /// All merges of these nodes into others that ever held, in canonical order.
    pub fn merge_history(&self, keys: &[NodeKey]) -> Result<Vec<MergeRecord>, QueryError> {
        self.check_ids(keys)?;
        let mut nodes: Vec<NodeIndex> = keys.iter().filter_map(|key| self.index.named_node(key)).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let merges = nodes.into_iter().flat_map(|node| self.index.episodes(node));
        let mut merges: Vec<_> = merges.map(|merge| self.index.record(merge)).collect();
        merges.sort_unstable_by(MergeRecord::canonical_order);
        Ok(merges)
    }

    /// All nodes that have become this one, be it by way of others, each by the merge that leads on and the number of merges
    /// from there: the nearest first, then by key. One whose way ends in a circle is there as far as the circle leads here.
    pub fn origins(&self, key: &NodeKey) -> Vec<(MergeRecord, usize)> {
        let Some(target) = self.index.named_node(key) else { return Vec::new() };
        let mut into: FxHashMap<NodeIndex, Vec<NodeIndex>> = FxHashMap::default();
        for node in self.index.merged_nodes() {
            if let Some(merge) = self.leading(node) {
                into.entry(merge.into).or_default().push(node);
            }
        }
        let (mut seen, mut ring, mut found) = (FxHashSet::from_iter([target]), vec![target], Vec::new());
        for steps in 1.. {
            let near = ring.iter().filter_map(|node| into.get(node)).flatten();
            ring = near.copied().filter(|node| seen.insert(*node)).collect();
            if ring.is_empty() {
                break;
            }
            self.index.sort_nodes(&mut ring);
            let merges = ring.iter().filter_map(|node| self.leading(*node));
            found.extend(merges.map(|merge| (self.index.record(merge), steps)));
        }
        found
    }

    /// The merge that says what a node has become; with soft deletes, where none holds, the last one.
    fn leading(&self, node: NodeIndex) -> Option<&Merge> {
        let soft = || match self.at.deletes {
            Deletes::Hard => None,
            Deletes::Soft => self.index.last_leading(node, self.at.time),
        };
        self.index.leading(node, self.at.time).or_else(soft)
    }

    /// Follows the merges that hold and say so, step by step, to the node that `key` has become:
    /// [`timeweft_graph::GraphView::resolve`] with the way. With soft deletes a merge that has ended counts where none
    /// holds, the latest one.
    pub fn resolve(&self, key: &NodeKey) -> Resolution {
        let leading = |node| self.leading(node);
        let Some(start) = self.index.named_node(key) else {
            return Resolution { steps: Vec::new(), target: key.clone(), alive: false, circular: false };
        };
        let (mut way, mut last, mut steps) = (vec![start], start, Vec::new());
        let mut next = leading(start);
        while let Some(merge) = next.filter(|merge| !way.contains(&merge.into)) {
            steps.push(self.index.record(merge));
            way.push(merge.into);
            last = merge.into;
            next = leading(last);
        }
        let target = self.index.node_key(last);
        Resolution { steps, target, alive: self.index.alive(last, self.at.time), circular: next.is_some() }
    }
}
