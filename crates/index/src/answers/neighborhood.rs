//! All that is near some nodes at some time of a window, with all lives of that time: what people look at while they move
//! through time, in one answer.
//!
//! The work is bounded. A hub is not read whole: its newest neighbors lie at the end of a list, and its degree is counted by
//! bisection. At most [`Neighborhood::MOST_NEAR`] nodes are looked at, and at most [`Neighborhood::MOST_EDGES`] edges are in an answer.
//!
//! Slow reference: a plain loop over all lives (`neighborhoods_equal_all_lives`).

mod between;
mod near;

use rustc_hash::FxHashMap;
use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, Interval, Name, NodeIndex, Time};

use crate::Index;
use crate::elements::life::{LifeRecord, chain};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Neighborhood {
    /// From where: each once.
    pub roots: Vec<NodeIndex>,
    /// The first and the last tick of the window.
    pub window: (Time, Time),
    /// How far.
    pub hops: u32,
    /// Neighbors of each node by edge type and side: those with the newest life that overlaps the window. So many nodes that
    /// a node became, or that became it, count as neighbors too.
    pub k: usize,
    /// Further neighbors of single nodes.
    pub expand: Vec<Expansion>,
    /// Nodes of the answer at most: nearest hop first, then by degree, then by name.
    pub limit: usize,
}

impl Neighborhood {
    /// Nodes that are looked at, at most: where there are more, [`Surroundings::total`] is this.
    pub const MOST_NEAR: usize = 10_000;
    /// Edges of an answer, at most: those with the newest lives.
    pub const MOST_EDGES: usize = 10_000;
    /// Times of changes that an element has at most, the newest.
    pub const MOST_CHANGES: usize = 100;
    /// Further neighbors that an expansion adds at most.
    pub const MOST_EXPANDED: usize = 50;
    /// Marks of an answer, at most: more are thinned evenly.
    pub const MOST_MARKS: usize = 2_000;
}

/// Further neighbors of a node by one relation, at most [`Neighborhood::MOST_EXPANDED`]. A node that is not near is left out.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// The node.
    pub node: NodeIndex,
    /// The relation.
    pub relation: Name,
    /// The side of the node.
    pub direction: Direction,
}

/// The answer.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Surroundings {
    /// The nodes.
    pub nodes: Vec<NearNode>,
    /// The edges between them, sorted by key.
    pub edges: Vec<NearEdge>,
    /// Distinct times within the window at which anything above begins, changes or ends, ascending.
    pub marks: Vec<Time>,
    /// How many nodes are near, also those that are left out.
    pub total: usize,
}

/// A node of the answer.
#[derive(Clone, PartialEq, Debug)]
pub struct NearNode {
    /// Which.
    pub node: NodeIndex,
    /// Its least distance from a root.
    pub hop: u32,
    /// Edges at it in the window, also those that are not in the answer; one to itself is there on both sides.
    pub degree: usize,
    /// Its lives in the window.
    pub lives: Vec<Interval>,
    /// When a feature changed, in the window.
    pub changes: Vec<Time>,
    /// The position of the node of the answer that it became last in the window, and when that held.
    pub merged: Option<(usize, Interval)>,
    /// Edges in the window that are not in the answer.
    pub more: Vec<More>,
}

/// Edges that are left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct More {
    /// Of which type.
    pub edge_type: EdgeTypeId,
    /// On which side of the node.
    pub direction: Direction,
    /// How many.
    pub n: usize,
}

/// An edge of the answer.
#[derive(Clone, PartialEq, Debug)]
pub struct NearEdge {
    /// Its newest life in the window.
    pub edge: EdgeIndex,
    /// Position of its source among the nodes.
    pub source: usize,
    /// Position of its destination.
    pub destination: usize,
    /// Its lives in the window.
    pub lives: Vec<Interval>,
    /// When a feature changed, in the window.
    pub changes: Vec<Time>,
}

/// A window of time, both ends included.
#[derive(Clone, Copy)]
struct Window {
    from: Time,
    to: Time,
}

impl Window {
    /// Whether some tick of it lies in a life.
    fn overlaps(self, life: Interval) -> bool {
        life.created < life.removed && life.created <= self.to && life.removed > self.from
    }

    fn has(self, time: Time) -> bool {
        self.from <= time && time <= self.to
    }
}

impl Index {
    /// What is near some nodes. Nodes of a merge that never lived themselves are none.
    pub fn neighborhood(&self, asked: &Neighborhood) -> Surroundings {
        let window = Window { from: asked.window.0, to: asked.window.1 };
        let hops = self.near(asked, window);
        let total = hops.len();
        let shown = self.nearest_first(hops, window, asked.limit);
        let places: FxHashMap<NodeIndex, usize> = shown.iter().enumerate().map(|(at, near)| (near.node, at)).collect();
        let edges = self.edges_among(&places, window);
        let mut sent: FxHashMap<(NodeIndex, EdgeTypeId, Direction), usize> = FxHashMap::default();
        for edge in &edges {
            let (edge_type, source, destination) = self.edge_ends(edge.edge);
            *sent.entry((source, edge_type, Direction::Out)).or_default() += 1;
            *sent.entry((destination, edge_type, Direction::In)).or_default() += 1;
        }
        let node = |near: &near::Ranked| NearNode {
            node: near.node,
            hop: near.hop,
            degree: near.degree,
            lives: self.node_lives_in(near.node, window),
            changes: self.node_changes_in(near.node, window),
            merged: self.merged_within(near.node, &places, window),
            more: self.more(near.node, &sent, window),
        };
        let nodes: Vec<NearNode> = shown.iter().map(node).collect();
        Surroundings { marks: marks(&nodes, &edges, window), nodes, edges, total }
    }

    fn node_lives_in(&self, node: NodeIndex, window: Window) -> Vec<Interval> {
        let lives = chain(&self.nodes.lives, self.nodes.life(node)).map(|id| self.nodes.lives[id as usize].interval);
        let mut lives: Vec<Interval> = lives.filter(|life| window.overlaps(*life)).collect();
        lives.reverse();
        lives
    }

    fn node_changes_in(&self, node: NodeIndex, window: Window) -> Vec<Time> {
        let lives = chain(&self.nodes.lives, self.nodes.life(node)).map(|id| &self.nodes.lives[id as usize]);
        let changes = lives.filter(|life| window.overlaps(life.interval));
        newest(changes.flat_map(|life| self.feature_store.changes(life.feature_row(), life.interval)), window)
    }

    /// The last merge in the window by which a node became another one of the answer.
    fn merged_within(
        &self,
        node: NodeIndex,
        places: &FxHashMap<NodeIndex, usize>,
        window: Window,
    ) -> Option<(usize, Interval)> {
        let merges = self.episodes(node).filter(|merge| window.overlaps(merge.interval) && self.leads(merge));
        let placed = merges.filter_map(|merge| Some((*places.get(&merge.into)?, merge.interval)));
        placed.max_by_key(|(_, interval)| interval.created)
    }

    fn more(
        &self,
        node: NodeIndex,
        sent: &FxHashMap<(NodeIndex, EdgeTypeId, Direction), usize>,
        window: Window,
    ) -> Vec<More> {
        let lists = self.adjacency().lists(node);
        let rest = lists.map(|list| {
            let sent = sent.get(&(node, list.edge_type, list.direction)).copied().unwrap_or(0);
            let n = self.n_in(node, &list, window).saturating_sub(sent);
            More { edge_type: list.edge_type, direction: list.direction, n }
        });
        let mut more: Vec<More> = rest.filter(|more| more.n > 0).collect();
        more.sort_unstable_by_key(|more| (more.direction, more.edge_type));
        more
    }
}

/// The newest of some times within a window, ascending.
fn newest(times: impl Iterator<Item = Time>, window: Window) -> Vec<Time> {
    let mut times: Vec<Time> = times.filter(|time| window.has(*time)).collect();
    times.sort_unstable();
    times.dedup();
    times.split_off(times.len().saturating_sub(Neighborhood::MOST_CHANGES))
}

fn marks(nodes: &[NearNode], edges: &[NearEdge], window: Window) -> Vec<Time> {
    let ends = |interval: &Interval| [interval.created, interval.removed];
    let mut marks: Vec<Time> = Vec::new();
    for node in nodes {
        marks.extend(node.lives.iter().flat_map(ends).chain(node.changes.iter().copied()));
        marks.extend(node.merged.iter().flat_map(|(_, interval)| ends(interval)));
    }
    for edge in edges {
        marks.extend(edge.lives.iter().flat_map(ends).chain(edge.changes.iter().copied()));
    }
    marks.retain(|time| window.has(*time));
    marks.sort_unstable();
    marks.dedup();
    let n = marks.len();
    if n > Neighborhood::MOST_MARKS {
        marks = (0..Neighborhood::MOST_MARKS).map(|at| marks[at * (n - 1) / (Neighborhood::MOST_MARKS - 1)]).collect();
    }
    marks
}
