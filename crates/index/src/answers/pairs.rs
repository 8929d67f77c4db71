//! Edges from one node to another: which, how many, and when the last.

use timeweft_graph::{EdgeIndex, EdgeTypeId, NodeIndex, Time};

use crate::adjacency::of_csr;
use crate::adjacency::pairs::{FlatPair, Pair, Pairs};
use crate::{Index, Recency};

impl Index {
    fn pairs(&self) -> &Pairs {
        self.pairs.get_or_init(|| Pairs::of(self.adjacency(), &self.edges))
    }

    /// Edges of a type from `source` to `destination` created strictly before `time`.
    pub fn pair_before(&self, edge_type: EdgeTypeId, source: NodeIndex, destination: NodeIndex, time: Time) -> Recency {
        if time == Time::MIN {
            Recency::default()
        } else {
            self.pair_by((edge_type, source, destination), time.before())
        }
    }

    /// Edges of a pair created by a time.
    pub(crate) fn pair_by(&self, pair: Pair, by: Time) -> Recency {
        let pairs = self.pairs();
        let flat = of_csr!(self.adjacency(), lists => pairs.flat(&lists, pair, by).map(FlatPair::tally));
        let (count, last) = flat.unwrap_or_default();
        let later = pairs.later(pair);
        let later = &later[..later.partition_point(|(created, _)| *created <= by)];
        let last = later.last().map(|(created, _)| *created).max(last);
        Recency { count: count + later.len() as u32, last }
    }

    /// The lives of edges of a type from `source` to `destination` that began by a time, by (created, arrival). Costs
    /// O(log degree) and what is found.
    pub fn pair_edges(
        &self,
        edge_type: EdgeTypeId,
        source: NodeIndex,
        destination: NodeIndex,
        by: Time,
    ) -> Vec<EdgeIndex> {
        let (pairs, pair) = (self.pairs(), (edge_type, source, destination));
        let mut found: Vec<(Time, EdgeIndex)> = Vec::new();
        of_csr!(self.adjacency(), lists => found.extend(pairs.flat(&lists, pair, by).into_iter().flat_map(FlatPair::edges)));
        let later = pairs.later(pair);
        found.extend(later.iter().filter(|(created, _)| *created <= by));
        found.sort_unstable();
        found.into_iter().map(|(_, edge)| edge).collect()
    }

    /// Whether some edge of a type from `source` to `destination` is alive at a time.
    pub fn is_linked(&self, edge_type: EdgeTypeId, source: NodeIndex, destination: NodeIndex, time: Time) -> bool {
        let pair = (edge_type, source, destination);
        self.newest_between(pair, (Time::MIN, time), |edge| self.edge_alive(edge, time)).is_some()
    }

    /// The newest edge of a pair that was created in `[first, by]` and passes, of one time the one that arrived last. Costs
    /// O(log degree) and what does not pass.
    pub(crate) fn newest_between(
        &self,
        pair: Pair,
        (first, by): (Time, Time),
        passes: impl Fn(EdgeIndex) -> bool,
    ) -> Option<EdgeIndex> {
        let pairs = self.pairs();
        let later = pairs.later(pair);
        let later = &later[..later.partition_point(|(created, _)| *created <= by)];
        let is_in = |(created, _): &(Time, EdgeIndex)| *created >= first;
        let newest = |(_, edge): &(Time, EdgeIndex)| passes(*edge);
        let later = later.iter().rev().copied().take_while(is_in).find(newest);
        let flat = of_csr!(self.adjacency(), lists => {
            pairs.flat(&lists, pair, by).and_then(|flat| flat.edges().rev().take_while(is_in).find(newest))
        });
        later.max(flat).map(|(_, edge)| edge)
    }

    /// Keeps the pairs up with a new edge.
    pub(crate) fn count(&mut self, edge: EdgeIndex) {
        let Some(pairs) = self.pairs.get_mut() else { return };
        if self.adjacency.get().is_some_and(|adjacency| adjacency.is_csr(&pairs.id)) {
            pairs.add(&self.edges, edge);
        } else {
            self.pairs.take();
        }
    }
}
