//! How far back gradients reach: truncated back-propagation through time.
//!
//! Equations: `docs/model.md#loss-and-negatives`.

use std::collections::VecDeque;
use std::ops::Range;

/// The last batches, whose facts every step of training remembers anew, from the memory before them: gradients reach back
/// over all of them, and what they leave is never older than the weights. Upstream frameworks keep the graph of operations
/// of several batches instead and step once for all of them, which at event freshness is a larger batch.
#[derive(Debug)]
pub(crate) struct TbpttWindow {
    batches: VecDeque<Range<usize>>,
    length: usize,
    /// One after the last fact that was pushed.
    end: usize,
}

impl TbpttWindow {
    /// Of at most `length` batches.
    pub(crate) fn new(length: usize) -> TbpttWindow {
        TbpttWindow { batches: VecDeque::new(), length, end: 0 }
    }

    /// The facts that are remembered anew.
    pub(crate) fn facts(&self) -> Range<usize> {
        self.batches.front().map_or(self.end, |first| first.start)..self.end
    }

    /// One batch more, the one that follows.
    pub(crate) fn push(&mut self, batch: Range<usize>) {
        self.end = batch.end;
        self.batches.push_back(batch);
    }

    /// Lets the oldest go until the rest fits; `take_in` gets to know up to which fact.
    pub(crate) fn shrink(&mut self, take_in: impl FnOnce(usize)) {
        let too_many = self.batches.len().saturating_sub(self.length);
        if let Some(last) = self.batches.drain(..too_many).next_back() {
            take_in(last.end);
        }
    }

    /// All of them are taken in.
    pub(crate) fn clear(&mut self) {
        self.batches.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_batches_are_remembered_and_the_others_taken_in() {
        let mut window = TbpttWindow::new(2);
        assert_eq!(window.facts(), 0..0);
        let mut taken = Vec::new();
        for batch in [0..10, 10..15, 15..30, 30..31] {
            window.push(batch);
            window.shrink(|until| taken.push(until));
        }
        assert_eq!((window.facts(), &taken[..]), (15..31, &[10, 15][..]));
        window.clear();
        assert_eq!(window.facts(), 31..31, "what follows begins where the last ended");
    }
}
