//! Wrong answers that the links of a batch share: a node that is drawn once is embedded once, whoever is asked about it.
//!
//! Equations: `docs/model.md#loss-and-negatives`.

use rustc_hash::FxHashMap;
use timeweft_graph::NodeIndex;

use crate::splitmix64;

/// Nodes that a batch draws at least, for each side. More cost embeddings; with fewer, links of one batch learn from the same few.
const LEAST: usize = 128;

/// The draw of one batch.
pub(crate) struct SharedNegatives<'a> {
    /// Nodes that negatives are drawn from, by side.
    pools: &'a [Vec<NodeIndex>],
    key: u64,
    /// Negatives of a link.
    negatives: usize,
    drawn: FxHashMap<usize, Vec<NodeIndex>>,
}

impl<'a> SharedNegatives<'a> {
    /// A draw by a key, for links with so many negatives each.
    pub(crate) fn new(pools: &'a [Vec<NodeIndex>], key: u64, negatives: usize) -> SharedNegatives<'a> {
        SharedNegatives { pools, key, negatives, drawn: FxHashMap::default() }
    }

    /// How many nodes there are to draw from.
    pub(crate) fn n_pool(&self, side: usize) -> usize {
        self.pools[side].len()
    }

    /// `n` nodes for one link, by a key of its own. None of those that are not `free`, unless there are no others.
    pub(crate) fn take(&mut self, side: usize, key: u64, n: usize, free: impl Fn(NodeIndex) -> bool) -> Vec<NodeIndex> {
        let (pool, most) = (&self.pools[side], LEAST.max(2 * self.negatives));
        let draw = splitmix64(self.key ^ side as u64);
        let shared = self.drawn.entry(side).or_insert_with(|| draw_from(pool, draw, most));
        let start = (splitmix64(key) % shared.len() as u64) as usize;
        let from = if shared.iter().any(|&node| free(node)) {
            &shared[..]
        } else if pool.iter().any(|&node| free(node)) {
            &pool[..]
        } else {
            return (0..n).map(|at| shared[(start + at) % shared.len()]).collect();
        };
        (0..).map(|at| from[(start + at) % from.len()]).filter(|&node| free(node)).take(n).collect()
    }
}

/// As many nodes by chance, or all of a pool that has no more.
fn draw_from(pool: &[NodeIndex], key: u64, most: usize) -> Vec<NodeIndex> {
    if pool.len() <= most {
        return pool.to_vec();
    }
    (0..most as u64).map(|draw| pool[(splitmix64(key ^ draw) % pool.len() as u64) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(n: u32) -> Vec<NodeIndex> {
        (0..n).map(NodeIndex).collect()
    }

    #[test]
    fn links_of_a_batch_share_few_nodes_and_take_free_ones() {
        let pools = vec![nodes(5), nodes(10_000)];
        let mut shared = SharedNegatives::new(&pools, 7, 24);
        let mut seen = std::collections::BTreeSet::new();
        for link in 0..200 {
            let taken = shared.take(1, link, 24, |node| node.0 % 3 != 0);
            assert_eq!(taken.len(), 24);
            assert!(taken.iter().all(|node| node.0 % 3 != 0));
            seen.extend(taken);
        }
        assert!((60..=128).contains(&seen.len()), "{}", seen.len());
        let other = SharedNegatives::new(&pools, 8, 24).take(1, 0, 24, |_| true);
        assert!(other.iter().filter(|node| seen.contains(node)).count() < 6, "another batch draws others");
        // A small pool is taken whole, again and again; where nothing is free, what is there.
        assert_eq!(shared.take(0, 3, 4, |node| node.0 == 2), [NodeIndex(2); 4]);
        assert_eq!(shared.take(0, 3, 6, |_| false).len(), 6);
        // What is free outside of the draw is found.
        let drawn = shared.drawn[&1].clone();
        let taken = shared.take(1, 9, 3, |node| !drawn.contains(&node));
        assert!(taken.len() == 3 && taken.iter().all(|node| !drawn.contains(node)));
    }
}
