//! What came, changed and went in each of many spans of time.

use timeweft_graph::{NodeTypeId, Time};

use crate::Index;
use crate::elements::tally::Tally;

/// Numbers of elements by spans of time of equal width, one after the other.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Timeline {
    /// Where the spans begin, and where the last one ends: one more than there are spans.
    pub borders: Vec<Time>,
    /// Lives that begin in each.
    pub created: Vec<u64>,
    /// Elements and times within at which features of a life changed; several that change at once count once.
    pub updated: Vec<u64>,
    /// Lives that end in each.
    pub removed: Vec<u64>,
}

impl Index {
    /// Nodes and edges, or the nodes of some types alone, from one time to another, both included, in `bins` spans; in as many
    /// as there are ticks, if that is fewer. A few bisections for each, once the first question has sorted all times.
    ///
    /// Slow reference: a recount of all lives (`timeline_equals_recount`).
    pub fn timeline(&self, from: Time, to: Time, bins: usize, node_types: Option<&[NodeTypeId]>) -> Timeline {
        let (tallies, mut timeline) =
            (self.tallies(), Timeline { borders: borders(from, to, bins), ..Timeline::default() });
        let nodes = tallies.nodes.iter().enumerate();
        let meant = nodes.filter(|(at, _)| node_types.is_none_or(|types| types.iter().any(|id| id.at() == *at)));
        let edges = if node_types.is_none() { &tallies.edges[..] } else { &[] };
        let n = timeline.borders.len().saturating_sub(1);
        for counts in [&mut timeline.created, &mut timeline.updated, &mut timeline.removed] {
            counts.resize(n, 0);
        }
        for tally in meant.map(|(_, tally)| tally).chain(edges) {
            timeline.add(tally);
        }
        timeline
    }
}

impl Timeline {
    fn add(&mut self, tally: &Tally) {
        count(&self.borders, &tally.created, &mut self.created);
        count(&self.borders, &tally.updated, &mut self.updated);
        count(&self.borders, &tally.removed, &mut self.removed);
    }
}

/// Borders of spans, of which one has as many ticks as the next or one more.
fn borders(from: Time, to: Time, bins: usize) -> Vec<Time> {
    let width = i128::from(to.0) - i128::from(from.0) + 1;
    let bins = (bins as i128).min(width);
    if bins <= 0 {
        return Vec::new();
    }
    // Nothing happens at the end of time, so the last border may stand there.
    let border = |at: i128| Time((i128::from(from.0) + width * at / bins).min(i128::from(i64::MAX)) as i64);
    (0..=bins).map(border).collect()
}

fn count(borders: &[Time], times: &[Time], counts: &mut [u64]) {
    let before = |border: &Time| times.partition_point(|time| time < border);
    let Some(mut last) = borders.first().map(before) else { return };
    for (count, border) in counts.iter_mut().zip(&borders[1..]) {
        let next = last + times[last..].partition_point(|time| time < border);
        *count += (next - last) as u64;
        last = next;
    }
}
