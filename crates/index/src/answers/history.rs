//! Everything that happened to a node, in order of time, a page of it.

use std::cmp::Reverse;
use std::ops::Range;

use timeweft_graph::{EdgeIndex, FeatureSpan, GraphView, Interval, MergeRecord, NodeKey, Time};

use crate::Index;
use crate::answers::incident::{sort_range, within};

/// Something that held for a while.
#[derive(Clone, PartialEq, Debug)]
pub enum Happening {
    /// The node lived.
    Life,
    /// A feature had a value.
    Feature(FeatureSpan),
    /// The node was another, or another was the node.
    Merge(MergeRecord),
    /// An edge at the node lived.
    Edge(EdgeIndex),
}

impl Happening {
    fn rank(&self) -> u8 {
        match self {
            Happening::Life => 0,
            Happening::Feature(_) => 1,
            Happening::Merge(_) => 2,
            Happening::Edge(_) => 3,
        }
    }
}

impl Index {
    /// A page of what happened to a node and had begun by a time: its lives, the values of its features, its merges and its
    /// edges, each with when it held; an end that was still to come is open. In order of time, or the newest first; of one
    /// time in the order of [`Happening`], edges by name.
    ///
    /// A hub is not sorted for it: only what the page passes is read.
    pub fn history_page(
        &self,
        node: &NodeKey,
        time: Time,
        newest: bool,
        page: Range<usize>,
    ) -> Vec<(Interval, Happening)> {
        let mut own = self.own_history(node, time, newest).into_iter().peekable();
        let mut edges = self.lives_begun(node, time, newest);
        let (mut found, mut passed, mut group) = (Vec::new(), 0, Vec::new());
        while passed < page.end {
            let edge_time = edges.next_time();
            let is_own = own.peek().is_some_and(|(interval, _)| {
                edge_time.is_none_or(|edge_time| !edges.is_before(edge_time, interval.created))
            });
            if is_own {
                let next = own.next();
                found.extend(next.filter(|_| passed >= page.start));
                passed += 1;
                continue;
            }
            let Some(edge_time) = edge_time else { break };
            edges.take(edge_time, &mut group);
            // A self-loop is on both sides.
            group.sort_unstable_by_key(|(_, edge)| *edge);
            group.dedup_by_key(|(_, edge)| *edge);
            let wanted = within(&page, passed, group.len());
            passed += group.len();
            sort_range(&mut group, wanted.clone(), |(_, a), (_, b)| self.compare_edges(*a, *b).then(a.cmp(b)));
            let lives = group[wanted].iter().map(|(_, edge)| (self.edge_interval(*edge), Happening::Edge(*edge)));
            found.extend(lives);
        }
        for (interval, _) in &mut found {
            if interval.removed > time {
                interval.removed = Time::FOREVER;
            }
        }
        found
    }

    /// What happened to the node itself.
    fn own_history(&self, node: &NodeKey, time: Time, newest: bool) -> Vec<(Interval, Happening)> {
        let mut all = Vec::new();
        for life in self.node_history(node) {
            all.push((life.interval, Happening::Life));
            all.extend(life.features.into_iter().map(|span| (span.interval, Happening::Feature(span))));
        }
        all.extend(self.merges_of(node).into_iter().map(|merge| (merge.interval, Happening::Merge(merge))));
        all.retain(|(interval, _)| interval.created <= time);
        if newest {
            all.sort_by_key(|(interval, happening)| (Reverse(interval.created), happening.rank()));
        } else {
            all.sort_by_key(|(interval, happening)| (interval.created, happening.rank()));
        }
        all
    }
}
