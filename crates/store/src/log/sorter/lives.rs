//! The events of lives, brought in the order of the log.

use std::path::Path;

use timeweft_graph::{Event, Name, Place};

use super::{MEMORY, Sorter};
use crate::StoreError;

/// Ranks that events of one time have among each other.
const RANKS: usize = 7;

/// Sorts by time and rank, and keeps the order of the source among events of one rank: each rank is sorted by itself.
pub(crate) struct LivesInOrder {
    ranks: [Sorter; RANKS],
    place: Place,
}

impl LivesInOrder {
    /// A sorter that writes beside the log in `dir` what does not fit in memory.
    pub(crate) fn new(dir: &Path) -> LivesInOrder {
        LivesInOrder::with_memory(dir, MEMORY / RANKS)
    }

    fn with_memory(dir: &Path, memory: usize) -> LivesInOrder {
        let file: Name = "".into();
        LivesInOrder { ranks: std::array::from_fn(|_| Sorter::new(dir, memory)), place: Place::new(&file, 0) }
    }

    pub(crate) fn push(&mut self, event: &Event) -> Result<(), StoreError> {
        let (time, rank) = event.order();
        self.ranks[usize::from(rank) % RANKS].push(time, 0, &self.place, Some(event))
    }

    /// Hands over all of them in order.
    pub(crate) fn each(self, mut each: impl FnMut(&Event) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let sorted = self.ranks.map(Sorter::sort);
        let mut readers = sorted.iter().map(super::Sorted::read).collect::<Result<Vec<_>, _>>()?;
        loop {
            // Of one time the first rank.
            let next = readers.iter().enumerate().filter_map(|(rank, reader)| Some((reader.time()?, rank))).min();
            let Some((_, rank)) = next else { return Ok(()) };
            if let Some(event) = readers[rank].next()?.and_then(|item| item.event) {
                each(&event)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use timeweft_graph::{Action, EdgeKey, Element, NodeKey, Time};

    use super::*;

    #[test]
    fn lives_come_by_time_and_rank_in_memory_and_on_disk() {
        let node = |at: u64| NodeKey::new("n", at);
        let edge = |at: u64| EdgeKey { source: node(at), relation: "r".into(), destination: node(at + 1), key: None };
        let mut events = Vec::new();
        for at in 0..500u64 {
            let time = Time((at * 7 % 31) as i64);
            for action in Action::ALL {
                events.push(Event::new(time, action, Element::Edge(edge(at))));
                events.push(Event::new(time, action, Element::Node(node(at))));
            }
        }
        let mut expected = events.clone();
        expected.sort_by_key(Event::order);
        let dir = tempfile::tempdir().expect("a folder");
        for memory in [1 << 20, 1 << 10] {
            let mut lives = LivesInOrder::with_memory(dir.path(), memory);
            events.iter().try_for_each(|event| lives.push(event)).expect("room");
            let mut found = Vec::new();
            let read = lives.each(|event| {
                found.push(event.clone());
                Ok(())
            });
            read.expect("they can be read");
            assert_eq!(found, expected);
        }
    }
}
