//! Counts at any time by bisection, from sorted times that the first question makes: what people ask of a graph again and
//! again while they move through time.
//!
//! Slow reference: [`Index::counts_by_type`] and [`Index::event_span`], which look at all lives.

use timeweft_graph::{At, Deletes, EdgeIndex, Time};

use crate::Index;
use crate::elements::life::{LifeRecord, chain};
use crate::elements::tally::{Tallies, Tally};

impl Index {
    /// How many nodes of each type a view shows, and how many edges, in the order of the schema: [`Index::counts_by_type`]
    /// without a look at the elements, once the first question has sorted their times.
    pub fn tallied_counts(&self, at: At) -> (Vec<usize>, Vec<usize>) {
        let count = |tally: &Tally| match at.deletes {
            Deletes::Hard => tally.count(at.time),
            Deletes::Soft => tally.count_begun(at.time),
        };
        let tallies = self.tallies();
        (tallies.nodes.iter().map(count).collect(), tallies.edges.iter().map(count).collect())
    }

    /// The times of the first and the last event: [`Index::event_span`], found once.
    pub fn tallied_span(&self) -> Option<(Time, Time)> {
        self.tallies().span
    }

    pub(crate) fn tallies(&self) -> &Tallies {
        self.tallies.get_or_init(|| self.tally().into())
    }

    fn tally(&self) -> Tallies {
        let mut nodes = vec![Tally::default(); self.schema.node_types().len()];
        for life in self.nodes.lives.iter().filter(|life| life.is_real()) {
            let is_first = !chain(&self.nodes.lives, life.previous).any(|id| self.nodes.lives[id as usize].is_real());
            let changes = self.feature_store.changes(life.feature_row(), life.interval);
            nodes[life.node_type.at()].add(life.interval, is_first, changes);
        }
        let (mut edges, mut odd) = (vec![Tally::default(); self.schema.edge_types().len()], Vec::new());
        for (edge, life) in (0u32..).map(EdgeIndex).zip(self.edges.lives.iter()) {
            let is_first = !chain(&self.edges.lives, life.previous).any(|id| self.edges.lives[id as usize].is_real());
            if !is_first || !life.is_real() {
                odd.push((life.source, edge));
                odd.extend((life.source != life.destination).then_some((life.destination, edge)));
            }
            if life.is_real() {
                let changes = self.feature_store.changes(life.feature_row(), life.interval);
                edges[life.edge_type.at()].add(life.interval, is_first, changes);
            }
        }
        nodes.iter_mut().chain(&mut edges).for_each(Tally::sort);
        odd.sort_unstable();
        Tallies { nodes, edges, span: self.event_span(), odd }
    }
}
