//! Batches of facts, cut between timestamps only.

use std::ops::Range;

use timeweft_index::Fact;

/// Cuts `range` of the facts into batches of at least `size` facts that never end inside a timestamp. A timestamp with as
/// many facts is a batch of its own. `offset` shortens the first batch, so that borders move between epochs.
pub fn batches(facts: &[Fact], range: Range<usize>, size: usize, offset: usize) -> Vec<Range<usize>> {
    let (mut cuts, size) = (Vec::new(), size.max(1));
    let (mut start, mut goal) = (range.start, range.start.saturating_add(size - offset % size));
    while start < range.end {
        let cut = goal.min(range.end);
        // The facts of the time at which the batch is full.
        let time = facts[cut - 1].time;
        let end = cut + facts[cut..range.end].partition_point(|fact| fact.time == time);
        let first = start + facts[start..cut].partition_point(|fact| fact.time < time);
        if first > start && end - first >= size {
            cuts.push(start..first);
            start = first;
        }
        cuts.push(start..end);
        (start, goal) = (end, end.saturating_add(size));
    }
    cuts
}
