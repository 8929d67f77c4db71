//! Edges: every life is an [`EdgeIndex`]; lives of one edge are chained.

use std::hash::{Hash, Hasher};

use bytemuck::{Pod, Zeroable};
use rustc_hash::{FxHashMap, FxHasher};
use timeweft_graph::{EdgeIndex, EdgeTypeId, FeatureId, Interval, NodeIndex, Time};

use crate::NONE;
use crate::elements::life::{LifeRecord, life_record};
use crate::feature_store::FeatureRow;
use crate::memory::array::Array;
use crate::memory::hash_table::NumberTable;

/// What makes an edge the same edge over all its lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct EdgeIdentity {
    pub(crate) edge_type: EdgeTypeId,
    pub(crate) source: NodeIndex,
    pub(crate) destination: NodeIndex,
    /// Number of its key, or [`NONE`].
    pub(crate) key: u32,
}

/// An edge's ends and type, as far as they are known.
pub(crate) struct EdgeEnds {
    pub(crate) source: Option<NodeIndex>,
    pub(crate) destination: Option<NodeIndex>,
    pub(crate) edge_type: Option<EdgeTypeId>,
}

/// One life of an edge.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct EdgeLife {
    pub(crate) interval: Interval,
    pub(crate) source: NodeIndex,
    pub(crate) destination: NodeIndex,
    pub(crate) key: u32,
    pub(crate) previous: u32,
    pub(crate) next: u32,
    /// Its [`FeatureRow`].
    feature_row: u32,
    pub(crate) namespace: u32,
    pub(crate) edge_type: EdgeTypeId,
    only: FeatureId,
}

impl EdgeLife {
    /// What makes it the same edge as its other lives.
    pub(crate) fn identity(&self) -> EdgeIdentity {
        EdgeIdentity { edge_type: self.edge_type, source: self.source, destination: self.destination, key: self.key }
    }
}

life_record!(EdgeLife);

/// All lives of all edges, in the order of creation in the log.
#[derive(Clone, Default)]
pub(crate) struct Edges {
    pub(crate) lives: Array<EdgeLife>,
    /// How many lives, from the first on, come in the order of their sources: the first [`RUN`] of each source are found by
    /// bisection. Graphs that arrive as lists of edges are all like that.
    pub(crate) ordered: usize,
    /// Where the lives of the last source in order begin.
    pub(crate) last_run: usize,
    /// Latest life of each identity with any other life.
    pub(crate) table: NumberTable,
    /// Latest update of the open lives that have one.
    pub(crate) updated: FxHashMap<u32, Time>,
}

/// The most edges of one source that are searched one by one.
const RUN: usize = 64;

impl Edges {
    /// Reserves memory for more lives.
    pub(crate) fn reserve(&mut self, edges: usize) {
        self.lives.reserve(edges);
    }

    /// The latest life of an edge.
    pub(crate) fn find(&self, identity: EdgeIdentity) -> Option<EdgeIndex> {
        // As long as all come in order, the table has only what came behind many of the same source.
        if self.ordered == self.lives.len() && self.is_new_or_few(identity.source) {
            return self.find_ordered(identity).map(EdgeIndex);
        }
        let latest = self.table.find(hash(identity), |at| self.lives[at as usize].identity() == identity);
        latest.or_else(|| self.find_ordered(identity)).map(EdgeIndex)
    }

    /// Whether a source comes after all sources so far, or is the last of them and has few lives.
    fn is_new_or_few(&self, source: NodeIndex) -> bool {
        let last = self.lives.last().map(|last| last.source);
        last.is_none_or(|last| last < source || last == source && !is_full(&self.lives, self.lives.len(), source))
    }

    /// The same among the first lives of its source in order.
    fn find_ordered(&self, identity: EdgeIdentity) -> Option<u32> {
        let (lives, n) = (self.lives.checked(), self.ordered);
        // Most often it is asked whether a new edge is there already, behind all others.
        let run = match n.checked_sub(1).and_then(|last| lives.get(last)) {
            Some(last) if last.source < identity.source => return None,
            // Those of one source often come together, and then they are the last.
            Some(last) if last.source == identity.source && !is_full(&self.lives, n, identity.source) => {
                n.saturating_sub(RUN)..n
            }
            Some(last) if last.source == identity.source => self.last_run..self.last_run + RUN,
            _ => {
                let start = lives.partition_point(n, |life| life.source < identity.source);
                start..n.min(start + RUN)
            }
        };
        let of_later = |at: &usize| lives.at(*at).source > identity.source;
        let of_source = |at: &usize| lives.at(*at).source == identity.source;
        let mut own = run.rev().skip_while(of_later).take_while(of_source);
        own.find(|&at| lives.at(at).identity() == identity).map(|at| at as u32)
    }

    /// Opens a life behind the latest one, which [`Edges::find`] gave, and makes it that.
    pub(crate) fn open(
        &mut self,
        identity: EdgeIdentity,
        latest: Option<EdgeIndex>,
        feature_row: FeatureRow,
        namespace: u32,
    ) -> EdgeIndex {
        let life = self.lives.len() as u32;
        let EdgeIdentity { edge_type, source, destination, key } = identity;
        let previous = latest.map_or(NONE, |latest| latest.0);
        self.note_latest(identity, life);
        self.lives.push(EdgeLife {
            interval: Interval::open(feature_row.begun),
            source,
            destination,
            key,
            previous,
            next: NONE,
            feature_row: feature_row.at,
            namespace,
            edge_type,
            only: feature_row.only,
        });
        if let Some(previous) = self.lives.get_mut(previous as usize) {
            previous.next = life;
        }
        EdgeIndex(life)
    }

    /// Notes the latest life of an identity, which is about to be pushed.
    fn note_latest(&mut self, identity: EdgeIdentity, life: u32) {
        let lives = &self.lives;
        let in_order = self.ordered == lives.len() && lives.last().is_none_or(|last| last.source <= identity.source);
        if !in_order || is_full(lives, lives.len(), identity.source) {
            let of = |at: u32| lives[at as usize].identity();
            if !in_order && self.ordered == lives.len() {
                // All that follow go into the table.
                self.table.grow(self.table.len() + lives.room(), |at| hash(of(at)));
            }
            self.table.replace(hash(identity), life, |at| of(at) == identity, |at| hash(of(at)));
        }
        if in_order && lives.last().is_none_or(|last| last.source < identity.source) {
            self.last_run = lives.len();
        }
        self.ordered += usize::from(in_order);
    }

    /// Ends an open life.
    pub(crate) fn close(&mut self, edge: EdgeIndex, time: Time) {
        self.lives[edge.at()].interval.removed = time;
        self.updated.remove(&edge.0);
    }

    /// Notes an update of an open life.
    pub(crate) fn touch(&mut self, edge: EdgeIndex, time: Time) {
        self.updated.insert(edge.0, time);
    }

    /// Time of the latest event of an edge, given its latest life.
    pub(crate) fn latest(&self, edge: EdgeIndex) -> Time {
        let life = self.get(edge).interval;
        if life.is_open() { self.updated.get(&edge.0).copied().unwrap_or(life.created) } else { life.removed }
    }

    /// The life.
    pub(crate) fn get(&self, edge: EdgeIndex) -> &EdgeLife {
        &self.lives[edge.at()]
    }

    /// Whether a later life of the same edge has begun by `time`.
    pub(crate) fn is_superseded(&self, edge: EdgeIndex, time: Time) -> bool {
        let mut next = self.get(edge).next;
        while next != NONE {
            let life = &self.lives[next as usize];
            if life.is_real() {
                return life.interval.created <= time;
            }
            next = life.next;
        }
        false
    }

    /// The latest life of every edge.
    pub(crate) fn latest_lives(&self) -> impl Iterator<Item = u32> {
        (0u32..).zip(self.lives.iter()).filter(|(_, life)| life.next == NONE).map(|(at, _)| at)
    }
}

/// Whether the last [`RUN`] of the first lives are all of a source, so that a further one goes into the table.
fn is_full(lives: &Array<EdgeLife>, len: usize, source: NodeIndex) -> bool {
    len.checked_sub(RUN).is_some_and(|first| lives[first].source == source)
}

fn hash(identity: EdgeIdentity) -> u64 {
    let mut hasher = FxHasher::default();
    identity.hash(&mut hasher);
    hasher.finish()
}
