//! The negatives of an answer: other ends of a new edge, other edges that could have been removed, other nodes that could
//! have gone.
//!
//! Equations: `docs/model.md#loss-and-negatives`.

use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, NodeIndex};
use timeweft_index::Index;

use crate::{Config, Link, Predict, splitmix64};

/// Everything that answers are looked for among, in an order of names.
#[derive(Clone)]
pub(crate) enum NegativeCandidates {
    /// Of new edges: candidates of each edge type, outwards and inwards.
    Ends(Vec<[Vec<NodeIndex>; 2]>),
    /// Of removed edges: the lives of each edge type.
    Edges(Vec<Vec<EdgeIndex>>),
    /// Of nodes that go: those of each node type.
    Nodes(Vec<Vec<NodeIndex>>),
}

/// Draws for each negative that is wanted.
const DRAWS: usize = 64;

impl NegativeCandidates {
    /// Those of a configuration's task.
    pub(crate) fn of(index: &Index, config: &Config) -> NegativeCandidates {
        match config.train.predict {
            Predict::Created => NegativeCandidates::Ends(ends(index, config)),
            Predict::Removed => NegativeCandidates::Edges(edges(index)),
            Predict::Gone => NegativeCandidates::Nodes(nodes(index)),
        }
    }

    /// The candidates of a type and side, if links are new edges.
    pub(crate) fn pool(&self, edge_type: EdgeTypeId, direction: Direction) -> &[NodeIndex] {
        match self {
            NegativeCandidates::Ends(pools) => {
                pools.get(edge_type.at()).map_or(&[], |pools| &pools[usize::from(direction == Direction::In)])
            }
            NegativeCandidates::Edges(_) | NegativeCandidates::Nodes(_) => &[],
        }
    }

    /// `count` edges or nodes of the kind of a link that were there just before it and stay, drawn by the counter hash of a
    /// key; all of them for 0. None if nothing stays, and for new edges.
    pub(crate) fn draw(&self, index: &Index, link: &Link, count: usize, key: impl Fn(u64) -> u64) -> Vec<Link> {
        let stays_edge =
            |edge: EdgeIndex| index.edge_alive(edge, link.time.before()) && index.edge_alive(edge, link.time);
        let stays_node = |node: NodeIndex| index.alive(node, link.time.before()) && index.alive(node, link.time);
        match self {
            NegativeCandidates::Ends(_) => Vec::new(),
            NegativeCandidates::Edges(by_type) => {
                let all = by_type.get(link.edge_type.at()).map_or(&[][..], Vec::as_slice);
                let drawn = draw(all, count, key, stays_edge).into_iter().map(|edge| index.edge_ends(edge));
                drawn.map(|(_, source, destination)| Link { source, destination, ..*link }).collect()
            }
            NegativeCandidates::Nodes(by_type) => {
                let all = by_type.get(index.node_type(link.source).at()).map_or(&[][..], Vec::as_slice);
                let drawn = draw(all, count, key, stays_node).into_iter();
                drawn.map(|node| Link { source: node, destination: node, ..*link }).collect()
            }
        }
    }

    /// The candidates of link number `event` as links, by the protocol's hash.
    pub(crate) fn ranked(&self, index: &Index, (event, link): (usize, &Link), count: usize, seed: u64) -> Vec<Link> {
        if !matches!(self, NegativeCandidates::Ends(_)) {
            return self.draw(index, link, count, |draw| splitmix64((seed << 48) ^ ((event as u64) << 16) ^ draw));
        }
        let pool = self.pool(link.edge_type, link.direction);
        let truth = pool.iter().position(|&node| node == link.destination).unwrap_or(usize::MAX);
        let drawn = candidates(event, truth, pool.len(), count, seed).into_iter();
        drawn.filter_map(|at| pool.get(at)).map(|&destination| Link { destination, ..*link }).collect()
    }
}

/// `count` that stay, or all of them for 0. Where little of what ever was is there, few draws meet something: then all that
/// stay are looked up first.
fn draw<T: Copy>(all: &[T], count: usize, key: impl Fn(u64) -> u64, stays: impl Fn(T) -> bool) -> Vec<T> {
    let there = || all.iter().copied().filter(|&one| stays(one));
    let of = |all: &[T], draw: u64| all[(key(draw) % all.len() as u64) as usize];
    if count == 0 || all.is_empty() {
        return there().collect();
    }
    let draws = (0..(count * DRAWS) as u64).map(|draw| of(all, draw));
    let drawn: Vec<T> = draws.filter(|&one| stays(one)).take(count).collect();
    if drawn.len() == count {
        return drawn;
    }
    let there: Vec<T> = there().collect();
    (0..if there.is_empty() { 0 } else { count as u64 }).map(|draw| of(&there, draw)).collect()
}

/// Candidates of each edge type, outwards and inwards.
fn ends(index: &Index, config: &Config) -> Vec<[Vec<NodeIndex>; 2]> {
    let by_type = if config.evaluate.all_nodes { nodes(index) } else { Vec::new() };
    (0..)
        .zip(index.schema().edge_types())
        .map(|(id, edge)| {
            let [destinations, sources] = match config.evaluate.all_nodes {
                true => [edge.destination, edge.source].map(|node_type| by_type[node_type.at()].clone()),
                false => [index.destinations(EdgeTypeId(id)), index.sources(EdgeTypeId(id))],
            };
            [destinations, if config.train.both_ends { sources } else { Vec::new() }]
        })
        .collect()
}

fn edges(index: &Index) -> Vec<Vec<EdgeIndex>> {
    let mut by_type = vec![Vec::new(); index.schema().edge_types().len()];
    for edge in (0..index.n_edges() as u32).map(EdgeIndex) {
        by_type[index.edge_ends(edge).0.at()].push(edge);
    }
    for edges in &mut by_type {
        edges.sort_by_cached_key(|&edge| index.edge_key(edge).to_string());
    }
    by_type
}

fn nodes(index: &Index) -> Vec<Vec<NodeIndex>> {
    let mut by_type = vec![Vec::new(); index.schema().node_types().len()];
    (0..index.n_nodes() as u32).map(NodeIndex).for_each(|node| by_type[index.node_type(node).at()].push(node));
    by_type.iter_mut().for_each(|nodes| nodes.sort_by(|&a, &b| index.compare_nodes(a, b)));
    by_type
}

/// The fixed candidates of an event: positions in the pool, the true one left out.
///
/// Gives fewer than `count` only if the pool has no other destination.
pub fn candidates(event: usize, truth: usize, pool: usize, count: usize, seed: u64) -> Vec<usize> {
    if pool < 2 {
        return Vec::new();
    }
    (0u64..)
        .map(|draw| (splitmix64((seed << 48) ^ ((event as u64) << 16) ^ draw) % pool as u64) as usize)
        .filter(|&drawn| drawn != truth)
        .take(count)
        .collect()
}
