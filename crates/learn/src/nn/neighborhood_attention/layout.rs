use std::ops::Range;

use crate::nn::offsets::{check_offsets, groups, segment};

/// Roots and neighbors in one tile.
const TILE: usize = 512;

/// Which entries each root reads: a root owns a run of pairs, a pair (root, relation) a run of neighbors.
#[derive(Clone, Copy, Debug)]
pub struct Neighbors<'a> {
    /// E: entry of each neighbor.
    pub entry: &'a [u32],
    /// Q + 1: pairs of each root.
    pub root_pairs: &'a [u32],
    /// P + 1: neighbors of each pair.
    pub pair_neighbors: &'a [u32],
    /// P: relation of each pair.
    pub pair_relation: &'a [u32],
}

/// The structure of [`Neighbors`], cut into tiles. It depends on the data only, never on threads.
#[derive(Debug)]
pub(super) struct Layout {
    root_pairs: Vec<u32>,
    pair_neighbors: Vec<u32>,
    pub(super) pair_relation: Vec<u32>,
    /// P: place of each pair. A tile has the places that its pairs have, in the order of relations.
    pub(super) place: Vec<u32>,
    /// P: root at each place.
    pub(super) place_root: Vec<u32>,
    /// Runs of places of one tile and relation.
    runs: Vec<Run>,
    pub(super) tiles: Vec<Tile>,
    /// The relations that are read, in the order of their slots.
    pub(super) relations: Vec<u32>,
    /// What the roots read: rows of a table made of the entries, or the entries themselves.
    pub(super) rows: Rows,
}

/// Neighboring places of one relation and of different roots.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) relation: u32,
    /// Position of the relation among those that are read.
    pub(super) slot: usize,
    pub(super) places: Range<usize>,
}

/// Neighboring roots, whose work is one task.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub(super) roots: Range<usize>,
    pub(super) places: Range<usize>,
    pub(super) neighbors: Range<usize>,
    runs: Range<usize>,
}

/// The rows that neighbors are read from.
#[derive(Debug)]
pub(super) struct Rows {
    /// E: row of each neighbor.
    pub(super) of: Vec<u32>,
    /// Entry of each row, by relation; absent where the rows are the entries.
    pub(super) projected: Option<Projected>,
}

/// Rows that are keys and values of an entry for one relation.
#[derive(Debug)]
pub(super) struct Projected {
    pub(super) entry: Vec<u32>,
    /// relations + 1: rows of each relation.
    pub(super) offsets: Vec<u32>,
}

impl Layout {
    /// # Panics
    /// If offsets or indices do not agree with each other and with the numbers of entries and relations.
    pub(super) fn new(neighbors: &Neighbors<'_>, n_entries: usize, n_relations: usize) -> Layout {
        check(neighbors, n_entries, n_relations);
        let Neighbors { root_pairs, pair_neighbors, pair_relation, .. } = *neighbors;
        let mut layout = Layout {
            root_pairs: root_pairs.to_vec(),
            pair_neighbors: pair_neighbors.to_vec(),
            pair_relation: pair_relation.to_vec(),
            place: vec![0; pair_relation.len()],
            place_root: vec![0; pair_relation.len()],
            runs: Vec::new(),
            tiles: Vec::new(),
            relations: Vec::new(),
            rows: Rows::choose(neighbors, n_entries, n_relations),
        };
        let work = root_pairs.iter().enumerate();
        let work: Vec<u32> = work.map(|(root, &pair)| pair_neighbors[pair as usize] + root as u32).collect();
        let mut read = vec![false; n_relations];
        pair_relation.iter().for_each(|&relation| read[relation as usize] = true);
        layout.relations = (0..n_relations as u32).filter(|&relation| read[relation as usize]).collect();
        for roots in groups(&work, TILE) {
            layout.push_tile(roots);
        }
        layout
    }

    fn push_tile(&mut self, roots: Range<usize>) {
        let places = self.root_pairs[roots.start] as usize..self.root_pairs[roots.end] as usize;
        let neighbors = self.pair_neighbors[places.start] as usize..self.pair_neighbors[places.end] as usize;
        let mut pairs: Vec<(u32, u32, u32)> = roots
            .clone()
            .flat_map(|root| self.pairs(root).map(move |pair| (pair, root)))
            .map(|(pair, root)| (self.pair_relation[pair], pair as u32, root as u32))
            .collect();
        pairs.sort_unstable();
        let first_run = self.runs.len();
        for (place, &(relation, pair, root)) in places.clone().zip(&pairs) {
            self.place[pair as usize] = place as u32;
            self.place_root[place] = root;
            match self.runs[first_run..].last_mut() {
                // Two pairs of one root never stand in one run: rows of a run are distinct.
                Some(run) if run.relation == relation && self.place_root[place - 1] != root => run.places.end += 1,
                _ => {
                    let slot = self.relations.partition_point(|&read| read < relation);
                    self.runs.push(Run { relation, slot, places: place..place + 1 });
                }
            }
        }
        self.tiles.push(Tile { roots, places, neighbors, runs: first_run..self.runs.len() });
    }

    pub(super) fn n_roots(&self) -> usize {
        self.root_pairs.len() - 1
    }

    pub(super) fn n_neighbors(&self) -> usize {
        self.rows.of.len()
    }

    pub(super) fn n_pairs(&self) -> usize {
        self.pair_relation.len()
    }

    #[inline(always)]
    pub(super) fn pairs(&self, root: usize) -> Range<usize> {
        segment(&self.root_pairs, root)
    }

    #[inline(always)]
    pub(super) fn neighbors(&self, pair: usize) -> Range<usize> {
        segment(&self.pair_neighbors, pair)
    }

    /// The neighbors of all pairs of a root.
    #[inline(always)]
    pub(super) fn neighbors_of(&self, root: usize) -> Range<usize> {
        let pairs = self.pairs(root);
        self.pair_neighbors[pairs.start] as usize..self.pair_neighbors[pairs.end] as usize
    }

    pub(super) fn runs(&self, tile: &Tile) -> &[Run] {
        &self.runs[tile.runs.clone()]
    }

    /// Places of each relation, in order.
    pub(super) fn places_by_relation(&self, n_relations: usize) -> Groups {
        let mut relation = vec![0; self.n_pairs()];
        for run in &self.runs {
            relation[run.places.clone()].fill(run.relation);
        }
        Groups::new(&relation, n_relations)
    }

    /// Of each neighbor its root, or the place of its pair.
    pub(super) fn readers(&self, by_place: bool) -> Vec<u32> {
        let mut readers = vec![0; self.n_neighbors()];
        for (pair, &place) in self.place.iter().enumerate() {
            let reader = if by_place { place } else { self.place_root[place as usize] };
            readers[self.neighbors(pair)].fill(reader);
        }
        readers
    }
}

/// # Panics
/// With the name of the operation.
fn check(neighbors: &Neighbors<'_>, n_entries: usize, n_relations: usize) {
    let Neighbors { entry, root_pairs, pair_neighbors, pair_relation } = *neighbors;
    check_offsets("neighborhood_attention", root_pairs, pair_relation.len());
    check_offsets("neighborhood_attention", pair_neighbors, entry.len());
    assert_eq!(pair_neighbors.len(), pair_relation.len() + 1, "neighborhood_attention: a relation for each pair");
    let below = |of: &[u32], n: usize| of.iter().all(|&at| (at as usize) < n);
    assert!(below(entry, n_entries), "neighborhood_attention: an entry beyond {n_entries}");
    assert!(below(pair_relation, n_relations), "neighborhood_attention: a relation beyond {n_relations}");
}

impl Rows {
    /// Projects the entries where that is less work: a projected row costs about what an absorbed pair does, and neighbors
    /// that read it cost half as much.
    fn choose(neighbors: &Neighbors<'_>, n_entries: usize, n_relations: usize) -> Rows {
        let n_pairs = neighbors.pair_relation.len();
        let limit = n_pairs + n_pairs / 2;
        match Rows::project(neighbors, n_entries, n_relations, limit) {
            Some(rows) => rows,
            None => Rows { of: neighbors.entry.to_vec(), projected: None },
        }
    }

    /// The distinct (relation, entry) that are read, unless there are more than `limit`.
    fn project(neighbors: &Neighbors<'_>, n_entries: usize, n_relations: usize, limit: usize) -> Option<Rows> {
        let pairs = Groups::new(neighbors.pair_relation, n_relations);
        let mut of = vec![0; neighbors.entry.len()];
        let (mut entries, mut offsets) = (Vec::new(), vec![0]);
        let (mut seen_by, mut row_of) = (vec![u32::MAX; n_entries], vec![0; n_entries]);
        for relation in 0..n_relations {
            for &pair in pairs.of(relation) {
                for j in segment(neighbors.pair_neighbors, pair as usize) {
                    let entry = neighbors.entry[j] as usize;
                    if seen_by[entry] != relation as u32 {
                        seen_by[entry] = relation as u32;
                        row_of[entry] = entries.len() as u32;
                        entries.push(entry as u32);
                    }
                    of[j] = row_of[entry];
                }
            }
            if entries.len() > limit {
                return None;
            }
            offsets.push(entries.len() as u32);
        }
        Some(Rows { of, projected: Some(Projected { entry: entries, offsets }) })
    }
}

/// Members of groups, in ascending order within each.
#[derive(Debug)]
pub(super) struct Groups {
    offsets: Vec<u32>,
    members: Vec<u32>,
}

impl Groups {
    /// From the group of each member.
    pub(super) fn new(group_of: &[u32], n_groups: usize) -> Groups {
        let mut offsets = vec![0; n_groups + 1];
        group_of.iter().for_each(|&group| offsets[group as usize + 1] += 1);
        (0..n_groups).for_each(|group| offsets[group + 1] += offsets[group]);
        let (mut next, mut members) = (offsets.clone(), vec![0; group_of.len()]);
        for (member, &group) in group_of.iter().enumerate() {
            members[next[group as usize] as usize] = member as u32;
            next[group as usize] += 1;
        }
        Groups { offsets, members }
    }

    pub(super) fn of(&self, group: usize) -> &[u32] {
        &self.members[segment(&self.offsets, group)]
    }
}
