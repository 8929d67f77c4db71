//! The edges between the nodes of an answer.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;
use timeweft_graph::{Direction, EdgeIndex, EdgeTypeId, Interval, NodeIndex, Time};

use super::{NearEdge, Neighborhood, Window, newest};
use crate::elements::edge::EdgeLife;
use crate::elements::life::LifeRecord;
use crate::{Index, NONE};

impl Index {
    /// The edges of which both ends have a place, sorted by key; where there are too many, those with the newest lives.
    pub(super) fn edges_among(&self, places: &FxHashMap<NodeIndex, usize>, window: Window) -> Vec<NearEdge> {
        let mut edges: Vec<NearEdge> = self
            .first_lives_among(places, window)
            .into_iter()
            .map(|first| {
                let lives: Vec<EdgeIndex> = self.lives_from(first, window).collect();
                let (_, source, destination) = self.edge_ends(first);
                NearEdge {
                    edge: lives.last().copied().unwrap_or(first),
                    source: places[&source],
                    destination: places[&destination],
                    lives: lives.iter().map(|edge| self.edge_interval(*edge)).collect(),
                    changes: self.edge_changes(&lives, window),
                }
            })
            .collect();
        if edges.len() > Neighborhood::MOST_EDGES {
            edges.sort_unstable_by_key(|edge| Reverse((self.edge_interval(edge.edge).created, edge.edge)));
            edges.truncate(Neighborhood::MOST_EDGES);
        }
        edges.sort_unstable_by(|a, b| self.compare_edges(a.edge, b.edge));
        edges
    }

    /// The first life in the window of each edge. Each type is read from the side on which the lists are shorter, so that a
    /// hub among nodes of few edges is not gone through.
    fn first_lives_among(&self, places: &FxHashMap<NodeIndex, usize>, window: Window) -> Vec<EdgeIndex> {
        let mut lengths: FxHashMap<EdgeTypeId, [usize; 2]> = FxHashMap::default();
        for list in places.keys().flat_map(|node| self.adjacency().lists(*node)) {
            lengths.entry(list.edge_type).or_default()[usize::from(list.direction == Direction::In)] += list.len();
        }
        let mut found = Vec::new();
        for list in places.keys().flat_map(|node| self.adjacency().lists(*node)) {
            let [out, inward] = lengths[&list.edge_type];
            if (list.direction == Direction::In) != (inward < out) {
                continue;
            }
            let seen = list.newest(list.begun(window.to), Some(window.from));
            let among = seen.filter(|seen| places.contains_key(&seen.neighbor));
            found.extend(among.map(|seen| seen.edge).filter(|edge| self.is_first_in(*edge, window)));
        }
        found
    }

    /// A life of an edge and the later ones that are in the window.
    fn lives_from(&self, first: EdgeIndex, window: Window) -> impl Iterator<Item = EdgeIndex> {
        let next = |edge: &EdgeIndex| Some(self.edges.get(*edge).next).filter(|next| *next != NONE).map(EdgeIndex);
        let lives = std::iter::successors(Some(first), next);
        lives.filter(move |edge| window.overlaps(self.edge_interval(*edge)))
    }

    fn edge_changes(&self, lives: &[EdgeIndex], window: Window) -> Vec<Time> {
        let changes = |edge: &EdgeIndex| {
            let life: &EdgeLife = self.edges.get(*edge);
            let interval: Interval = life.interval;
            self.feature_store.changes(life.feature_row(), interval)
        };
        newest(lives.iter().flat_map(changes), window)
    }
}
