//! The counters of many queries in blocks: what says something of the asker, of a candidate, and of the two is there once
//! for each, and for two who never had to do with each other not at all.

use crate::model::counters::columns::{ASKER, MET, NODE_BLOCK, PAIR_BLOCK, WIDTH};

/// Counters of C queries. All values are of order 1; what was never is 0.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Counted {
    /// `[A, 10]`: what askers did.
    pub asker: Vec<f32>,
    /// C: the row of each query's asker.
    pub asker_of: Vec<u32>,
    /// `[B, 28]`: when candidates were answers, and what they did.
    pub node: Vec<f32>,
    /// C: the row of each query's candidate.
    pub node_of: Vec<u32>,
    /// `[P, 36]`: what the two had to do with each other, for queries of which anything is to be told; all others have zeros.
    pub pair: Vec<f32>,
    /// P: the query of each such row, in ascending order.
    pub pair_at: Vec<u32>,
}

impl Counted {
    /// Width of the rows of askers.
    pub const ASKER: usize = ASKER;
    /// Width of the rows of candidates.
    pub const NODE: usize = NODE_BLOCK;
    /// Width of the rows of pairs.
    pub const PAIR: usize = PAIR_BLOCK;
    /// Width of whole rows.
    pub const WIDTH: usize = WIDTH;
    /// Where the parts of a whole row come from: the block of a pair up to here stands before the candidate's and the
    /// asker's, its rest behind them.
    pub const SPLIT: usize = MET;

    /// The counters of `n` queries about whom nothing is known.
    pub(crate) fn nothing(n: usize) -> Counted {
        let of = vec![0; n];
        Counted {
            asker: vec![0.0; ASKER],
            asker_of: of.clone(),
            node: vec![0.0; NODE_BLOCK],
            node_of: of,
            ..Counted::default()
        }
    }

    /// Makes room for all of some parts.
    pub(crate) fn reserve(&mut self, parts: &[Counted]) {
        let all = |of: fn(&Counted) -> usize| parts.iter().map(of).sum();
        self.asker.reserve(all(|part| part.asker.len()));
        self.node.reserve(all(|part| part.node.len()));
        self.pair.reserve(all(|part| part.pair.len()));
        self.asker_of.reserve(all(|part| part.asker_of.len()));
        self.node_of.reserve(all(|part| part.node_of.len()));
        self.pair_at.reserve(all(|part| part.pair_at.len()));
    }

    /// Appends the counters of further queries.
    pub(crate) fn append(&mut self, other: &Counted) {
        let [askers, nodes, queries] =
            [self.asker.len() / ASKER, self.node.len() / NODE_BLOCK, self.node_of.len()].map(|n| n as u32);
        self.asker.extend_from_slice(&other.asker);
        self.node.extend_from_slice(&other.node);
        self.pair.extend_from_slice(&other.pair);
        self.asker_of.extend(other.asker_of.iter().map(|row| row + askers));
        self.node_of.extend(other.node_of.iter().map(|row| row + nodes));
        self.pair_at.extend(other.pair_at.iter().map(|query| query + queries));
    }

    /// Whole rows `[C, 74]`: PAIR, ANY, REPLY, then the candidate's block, the asker's, and WALKS and AFFINITY.
    pub fn rows(&self) -> Vec<f32> {
        let mut rows = vec![0.0; self.node_of.len() * WIDTH];
        for ((row, &asker), &node) in rows.chunks_exact_mut(WIDTH).zip(&self.asker_of).zip(&self.node_of) {
            let (asker, node) = (asker as usize * ASKER, node as usize * NODE_BLOCK);
            row[MET..MET + NODE_BLOCK].copy_from_slice(&self.node[node..node + NODE_BLOCK]);
            row[MET + NODE_BLOCK..][..ASKER].copy_from_slice(&self.asker[asker..asker + ASKER]);
        }
        for (pair, &query) in self.pair.chunks_exact(PAIR_BLOCK).zip(&self.pair_at) {
            let row = &mut rows[query as usize * WIDTH..][..WIDTH];
            row[..MET].copy_from_slice(&pair[..MET]);
            row[MET + NODE_BLOCK + ASKER..].copy_from_slice(&pair[MET..]);
        }
        rows
    }
}
