//! Which nodes are near, and which of them come first.

use std::cmp::Reverse;

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{EdgeIndex, NodeIndex};

use super::{Neighborhood, Window};
use crate::adjacency::List;
use crate::answers::incident::sort_range;
use crate::elements::life::{LifeRecord, chain};
use crate::elements::merge::Merge;
use crate::{Index, NONE};

/// A node with what its place follows from.
#[derive(Clone, Copy)]
pub(super) struct Ranked {
    pub(super) node: NodeIndex,
    pub(super) hop: u32,
    pub(super) degree: usize,
}

impl Index {
    /// The nodes that are near, each with its hop.
    pub(super) fn near(&self, asked: &Neighborhood, window: Window) -> FxHashMap<NodeIndex, u32> {
        let mut hops: FxHashMap<NodeIndex, u32> = asked.roots.iter().map(|root| (*root, 0)).collect();
        let mut ring: Vec<NodeIndex> = asked.roots.clone();
        for hop in 1..=asked.hops {
            let mut found: Vec<NodeIndex> = self.merged_beside(&ring, asked.k, window);
            for &node in &ring {
                if hops.len() + found.len() >= 2 * Neighborhood::MOST_NEAR {
                    break;
                }
                for list in self.adjacency().lists(node) {
                    found.extend(self.newest_in(&list, asked.k, window, |_| true));
                }
            }
            ring.clear();
            for node in found {
                if hops.len() < Neighborhood::MOST_NEAR && !hops.contains_key(&node) {
                    hops.insert(node, hop);
                    ring.push(node);
                }
            }
        }
        self.expand(asked, window, &mut hops);
        hops
    }

    fn expand(&self, asked: &Neighborhood, window: Window, hops: &mut FxHashMap<NodeIndex, u32>) {
        for expansion in &asked.expand {
            let Some(hop) = hops.get(&expansion.node).copied() else { continue };
            let lists = self.adjacency().lists(expansion.node).filter(|list| {
                list.direction == expansion.direction && *self.relation(list.edge_type) == expansion.relation
            });
            let mut left = Neighborhood::MOST_EXPANDED;
            for list in lists {
                let further = self.newest_in(&list, left, window, |node| !hops.contains_key(&node));
                left -= further.len();
                hops.extend(further.into_iter().map(|node| (node, hop + 1)));
            }
        }
    }

    /// The neighbors in a list with the newest lives in the window, each once.
    fn newest_in(
        &self,
        list: &List<'_>,
        k: usize,
        window: Window,
        is_wanted: impl Fn(NodeIndex) -> bool,
    ) -> Vec<NodeIndex> {
        let mut found: Vec<NodeIndex> = Vec::new();
        if k == 0 {
            return found;
        }
        for seen in list.newest(list.begun(window.to), Some(window.from)) {
            let lives = seen.created < seen.removed && seen.removed > window.from;
            if lives && is_wanted(seen.neighbor) && !found.contains(&seen.neighbor) {
                found.push(seen.neighbor);
                if found.len() == k {
                    break;
                }
            }
        }
        found
    }

    /// Nodes that some nodes became in the window, and those that became them: of each node the newest.
    fn merged_beside(&self, ring: &[NodeIndex], k: usize, window: Window) -> Vec<NodeIndex> {
        let ring: FxHashSet<NodeIndex> = ring.iter().copied().collect();
        let (mut found, mut counts) = (Vec::new(), FxHashMap::<(NodeIndex, bool), usize>::default());
        let ended = |merge: &&Merge| window.overlaps(merge.interval);
        let near = self.merges.all.iter().filter(ended);
        let mut near: Vec<&Merge> =
            near.filter(|merge| ring.contains(&merge.from) || ring.contains(&merge.into)).collect();
        near.sort_by_key(|merge| Reverse(merge.interval.created));
        for merge in near.into_iter().filter(|merge| self.leads(merge)) {
            for (node, other, is_from) in [(merge.from, merge.into, true), (merge.into, merge.from, false)] {
                let lived = self.nodes.life(other) != NONE;
                let count = counts.entry((node, is_from)).or_default();
                if ring.contains(&node) && lived && *count < k {
                    *count += 1;
                    found.push(other);
                }
            }
        }
        found
    }

    /// Roots, then the others by hop, degree and name; as many as are wanted.
    pub(super) fn nearest_first(&self, hops: FxHashMap<NodeIndex, u32>, window: Window, limit: usize) -> Vec<Ranked> {
        let degree = |node| self.adjacency().lists(node).map(|list| self.n_in(node, &list, window)).sum();
        let mut ranked: Vec<Ranked> =
            hops.into_iter().map(|(node, hop)| Ranked { node, hop, degree: degree(node) }).collect();
        let n = limit.min(ranked.len());
        sort_range(&mut ranked, 0..n, |a, b| {
            let near = (a.hop, Reverse(a.degree)).cmp(&(b.hop, Reverse(b.degree)));
            near.then_with(|| self.compare_nodes(a.node, b.node))
        });
        ranked.truncate(n);
        ranked
    }

    /// How many edges of a list have a life in the window: long lists are counted by bisection, and what that counts too
    /// often is taken off.
    pub(super) fn n_in(&self, node: NodeIndex, list: &List<'_>, window: Window) -> usize {
        if !list.is_long() {
            let lives = list.newest(list.begun(window.to), None);
            return lives.filter(|seen| self.is_first_in(seen.edge, window)).count();
        }
        let n = list.begun(window.to) - list.ended(window.from);
        let odd = &self.tallies().odd;
        let first = odd.partition_point(|(of, _)| *of < node);
        let own = odd[first..].iter().take_while(|(of, _)| *of == node);
        let of_list = own.filter(|(_, edge)| {
            let (edge_type, source, destination) = self.edge_ends(*edge);
            let end = if list.direction == timeweft_graph::Direction::Out { source } else { destination };
            edge_type == list.edge_type && end == node
        });
        let is_counted = |edge: EdgeIndex| {
            let life = self.edge_interval(edge);
            life.created <= window.to && life.removed > window.from
        };
        n - of_list.filter(|(_, edge)| is_counted(*edge) && !self.is_first_in(*edge, window)).count()
    }

    /// Whether a life of an edge is its first one in the window.
    pub(super) fn is_first_in(&self, edge: EdgeIndex, window: Window) -> bool {
        let life = self.edges.get(edge);
        let earlier = || chain(&self.edges.lives, life.previous).map(|id| self.edges.get(EdgeIndex(id)));
        let is_later = || earlier().find(|life| life.is_real()).is_some_and(|life| life.interval.removed > window.from);
        window.overlaps(life.interval) && !is_later()
    }
}
