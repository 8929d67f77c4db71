//! The newest facts of a history are taken back: others of their time came, and what is of one time stands in an order of names.

use timeweft_graph::{Action, EdgeIndex, EdgeTypeId, NodeIndex};
use timeweft_index::Fact;

use crate::data::edge_history::{EdgeHistory, NONE};
use crate::data::meetings::{LastPlaces, pair_key};

impl EdgeHistory {
    /// How many facts are in.
    pub(crate) fn n_facts(&self) -> usize {
        self.times.len()
    }

    /// Undoes the last facts, which are all of the newest time, in O(1) each.
    ///
    /// Slow reference: a history of the facts before.
    pub(crate) fn take_back(&mut self, facts: &[Fact]) {
        let Some(moment) = self.times.len().checked_sub(facts.len()).filter(|_| !facts.is_empty()) else { return };
        self.times.truncate(moment);
        let moment = moment as u32;
        self.bring_back_removed();
        for fact in facts {
            let Some((edge_type, edge)) = fact.edge else { continue };
            self.take_back_counts(edge_type, moment);
            if fact.action == Action::Create {
                self.take_back_edge(edge, [fact.source, fact.destination], moment);
            }
        }
    }

    fn take_back_counts(&mut self, edge_type: EdgeTypeId, moment: u32) {
        for moments in self.of_type.get_mut(edge_type.at()).into_iter().flatten() {
            moments.truncate(moments.partition_point(|&known| known < moment));
        }
    }

    /// Edges that the newest facts removed are there again.
    fn bring_back_removed(&mut self) {
        for (edge, ends, places) in std::mem::take(&mut self.newest_removed) {
            self.places[edge.at()] = places;
            for (node, place) in ends.into_iter().zip(places) {
                let Some(history) = self.nodes.get_mut(node.at()) else { continue };
                if let Some(removed) = history.removed.get_mut(place as usize) {
                    *removed = NONE;
                }
                history.first_removed = history.removed.iter().copied().min().unwrap_or(NONE);
            }
        }
    }

    /// Takes all meetings of a moment away from both ends of one of its edges.
    fn take_back_edge(&mut self, edge: EdgeIndex, ends: [NodeIndex; 2], moment: u32) {
        if let Some(places) = self.places.get_mut(edge.at()) {
            *places = [NONE; 2];
        }
        for node in ends {
            let Some(history) = self.nodes.get_mut(node.at()) else { continue };
            while history.met.moments().last().is_some_and(|&last| last >= moment) {
                let (Some((partner, previous)), Some(side)) = (history.met.pop(), history.sides.pop()) else { break };
                set(&mut self.last, pair_key(node.0, partner), previous);
                let at = history.lists.binary_search_by_key(&side, |(side, _)| *side);
                let list = at.ok().map_or(NONE, |at| history.lists[at].1);
                if let Some((partner, previous)) = self.by_side.get_mut(list as usize).and_then(|list| list.pop()) {
                    set(&mut self.last_by_side, pair_key(list, partner), previous);
                }
            }
            history.removed.truncate(history.met.len());
        }
    }
}

/// The place of a last meeting, 0 for none.
fn set(last: &mut LastPlaces, key: u64, place: u32) {
    match place {
        0 => _ = last.remove(&key),
        place => _ = last.insert(key, place),
    }
}
