//! Edges that wait for all nodes to be known, packed; and which of them are lives of one edge.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use timeweft_graph::spans::PackedSpan;
use timeweft_graph::{EdgeSpan, EdgeTypeId, Interval, Time, ValueSpans};

use super::nodes::Node;

/// An edge that waits.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    pub(super) life: Interval,
    /// Numbers of its ends among the nodes of the source.
    pub(super) ends: [u32; 2],
    /// Id of the second, which would have to be fetched from far away.
    pub(super) destination: u64,
    /// Number in the source; once it is bound, that of its type among those; once declared, what became of it.
    pub(super) edge_type: u32,
    pub(super) weight: f32,
    pub(super) line: u64,
    /// Position in the line; the highest bit says that the begin is a default.
    position: u32,
    /// One after its last value in its chunk.
    spans: u32,
}

/// What became of an edge that is refused: it is outside of the life of an end, or, beside its type, its features do not
/// fit.
pub(super) const UNBOUND: u32 = u32::MAX;
pub(super) const UNFIT: u32 = 1 << 16;

/// In a position: the edge has no begin of its own.
const DEFAULT: u32 = 1 << 31;

impl Waiting {
    /// Position among the edges of its line.
    pub(super) fn position(&self) -> u32 {
        self.position & !DEFAULT
    }

    /// Whether its begin is that of its source, for none was given.
    pub(super) fn starts_by_default(&self) -> bool {
        self.position & DEFAULT != 0
    }

    /// The type of an edge that is bound and fits.
    pub(super) fn fit_type(&self) -> Option<EdgeTypeId> {
        u16::try_from(self.edge_type).ok().map(EdgeTypeId)
    }

    /// What lives of one edge from the same source share, once they are bound.
    pub(super) fn pair(&self) -> (u32, u32) {
        (self.ends[1], self.edge_type & !UNFIT)
    }
}

/// Edges that lie side by side.
const PIECE: usize = 1 << 15;

/// All edges, by position; pieces that are done with can be let go.
#[derive(Default)]
pub(super) struct Edges {
    pieces: Vec<Piece>,
}

#[derive(Default)]
struct Piece {
    edges: Vec<Waiting>,
    spans: Vec<PackedSpan>,
    bytes: Vec<u8>,
    /// How many intervals of values were cut, of the edges that have some: position in the piece, and count.
    clipped: Vec<(u32, u32)>,
}

impl Edges {
    pub(super) fn len(&self) -> usize {
        self.pieces.last().map_or(0, |last| (self.pieces.len() - 1) * PIECE + last.edges.len())
    }

    pub(super) fn push(&mut self, edge: &EdgeSpan, values: ValueSpans<'_>, line: u64, ends: [u32; 2]) {
        if self.pieces.last().is_none_or(|last| last.edges.len() == PIECE) {
            self.pieces.push(Piece { edges: Vec::with_capacity(PIECE), ..Piece::default() });
        }
        let Some(piece) = self.pieces.last_mut() else { return };
        for span in values.iter() {
            let start = piece.bytes.len();
            piece.bytes.extend_from_slice(span.value.0);
            let (feature, kind, interval) = (span.feature, span.kind, span.interval);
            piece.spans.push(PackedSpan { feature, kind, interval, start, end: piece.bytes.len() });
        }
        if values.clipped > 0 {
            piece.clipped.push((piece.edges.len() as u32, values.clipped));
        }
        let &EdgeSpan { destination, life, edge_type, weight, .. } = edge;
        let position = if edge.starts_by_default { edge.position | DEFAULT } else { edge.position };
        let spans = piece.spans.len() as u32;
        piece.edges.push(Waiting { life, ends, destination, edge_type, weight, line, position, spans });
    }

    pub(super) fn get(&self, at: usize) -> &Waiting {
        &self.pieces[at / PIECE].edges[at % PIECE]
    }

    pub(super) fn get_mut(&mut self, at: usize) -> &mut Waiting {
        &mut self.pieces[at / PIECE].edges[at % PIECE]
    }

    /// The values of an edge.
    pub(super) fn values(&self, at: usize) -> ValueSpans<'_> {
        let piece = &self.pieces[at / PIECE];
        if piece.spans.is_empty() && piece.clipped.is_empty() {
            return ValueSpans::default();
        }
        let at = at % PIECE;
        let start = at.checked_sub(1).map_or(0, |before| piece.edges[before].spans as usize);
        let found = piece.clipped.binary_search_by_key(&(at as u32), |(at, _)| *at);
        let clipped = found.map_or(0, |found| piece.clipped[found].1);
        ValueSpans::new(&piece.spans[start..piece.edges[at].spans as usize], &piece.bytes, clipped)
    }

    /// Lets go of the piece that ends before an edge, if one does.
    pub(super) fn forget_before(&mut self, at: usize) {
        if let Some(done) = (at / PIECE).checked_sub(1).filter(|_| at.is_multiple_of(PIECE)) {
            self.pieces[done] = Piece::default();
        }
    }

    /// Positions in the order of the ids of their sources; those of one source in their order.
    pub(super) fn by_source(&self, nodes: &[Node]) -> Vec<u32> {
        let mut by_id: Vec<u32> = (0..nodes.len() as u32).collect();
        by_id.sort_unstable_by_key(|node| nodes[*node as usize].id);
        let mut next = vec![0u32; nodes.len()];
        let sources = || self.pieces.iter().flat_map(|piece| &piece.edges).map(|edge| edge.ends[0] as usize);
        sources().for_each(|source| next[source] += 1);
        let mut start = 0;
        for node in by_id {
            let next = &mut next[node as usize];
            (*next, start) = (start, start + *next);
        }
        let mut order = vec![0; self.len()];
        for (at, source) in sources().enumerate() {
            order[next[source] as usize] = at as u32;
            next[source] += 1;
        }
        order
    }
}

/// Which parallel edge each life belongs to, for lives that come sorted by pair and time.
#[derive(Default)]
pub(super) struct Lanes {
    pair: Option<(u32, u32)>,
    /// How many parallel edges there are.
    n: usize,
    /// When the latest life of a parallel edge ends, the earliest first.
    ends: BinaryHeap<Reverse<(Time, usize)>>,
    /// Parallel edges whose latest life has ended, the lowest number first.
    free: BinaryHeap<Reverse<usize>>,
}

impl Lanes {
    /// The number of the first parallel edge that is free, from 1.
    pub(super) fn next(&mut self, pair: (u32, u32), life: Interval) -> usize {
        if self.pair != Some(pair) {
            (self.pair, self.n) = (Some(pair), 0);
            self.ends.clear();
            self.free.clear();
        }
        while let Some(ended) = self.ends.peek().filter(|Reverse((end, _))| *end <= life.created) {
            self.free.push(Reverse(ended.0.1));
            self.ends.pop();
        }
        let lane = self.free.pop().map_or(self.n + 1, |Reverse(lane)| lane);
        self.n = self.n.max(lane);
        self.ends.push(Reverse((life.removed, lane)));
        lane
    }
}
