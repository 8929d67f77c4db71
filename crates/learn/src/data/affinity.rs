//! Which relation follows which between the same two nodes: an edge of one foretells an edge of another. Measured on
//! the training part only.
//!
//! Equations: `docs/model.md#counters`.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use timeweft_graph::{Action, Direction, NodeIndex, Time};
use timeweft_index::Fact;

use crate::data::directed_relation::DirectedRelation;

/// How many later edges of one side an edge of another one foretells between the same nodes.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Affinity {
    /// For each side the others that it followed, sorted, each with later edges an edge.
    followed: Vec<Vec<(u32, f32)>>,
}

impl Affinity {
    /// Edges added to the count of each side: rare ones foretell little.
    const PRIOR: f32 = 20.0;

    /// Measures `facts`, which are the training part, of a graph with a number of edge types. A single type has nothing to
    /// tell that other counters do not.
    pub(crate) fn fit(facts: &[Fact], n_edge_types: usize) -> Affinity {
        if n_edge_types < 2 {
            return Affinity::default();
        }
        let mut counts = vec![Affinity::PRIOR; 2 * n_edge_types];
        let mut hits: FxHashMap<(u32, u32), f32> = FxHashMap::default();
        // First time of each side that an ordered pair of nodes met by.
        let mut known: FxHashMap<(NodeIndex, NodeIndex), Vec<(DirectedRelation, Time)>> = FxHashMap::default();
        for fact in facts.iter().filter(|fact| fact.action == Action::Create) {
            let Some((edge_type, _)) = fact.edge else { continue };
            let (out, back) =
                (DirectedRelation::new(edge_type, Direction::Out), DirectedRelation::new(edge_type, Direction::In));
            for (node, other, side) in [(fact.source, fact.destination, out), (fact.destination, fact.source, back)] {
                counts[side.at()] += 1.0;
                let sides = known.entry((node, other)).or_default();
                for (before, _) in sides.iter().filter(|(_, time)| *time < fact.time) {
                    *hits.entry((side.at() as u32, before.at() as u32)).or_default() += 1.0;
                }
                if !sides.iter().any(|(before, _)| *before == side) {
                    sides.push((side, fact.time));
                }
            }
        }
        let mut followed = vec![Vec::new(); counts.len()];
        for ((side, before), hits) in hits {
            followed[side as usize].push((before, hits / counts[before as usize]));
        }
        followed.iter_mut().for_each(|list: &mut Vec<(u32, f32)>| list.sort_by_key(|(before, _)| *before));
        Affinity { followed }
    }

    /// Whether nothing was measured.
    pub(crate) fn is_none(&self) -> bool {
        self.followed.is_empty()
    }

    /// What an edge of side `before` says of a later one of `side`; 0 where nothing was measured.
    pub(crate) fn of(&self, side: DirectedRelation, before: DirectedRelation) -> f32 {
        let Some(list) = self.followed.get(side.at()) else { return 0.0 };
        let at = list.binary_search_by_key(&(before.at() as u32), |(before, _)| *before);
        at.map_or(0.0, |at| list[at].1)
    }
}
