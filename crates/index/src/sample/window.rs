//! Windows: only edges that were created in the last ticks before a root's time.
//!
//! Lists are sorted by creation, so what a window leaves of one is its end. It is cut off before anybody reads the list: who
//! reads lists knows nothing of windows, and without one nothing costs more.

use timeweft_graph::Time;

use crate::adjacency::{BLOCK, ListPart, ListSource, Tick};

/// What a window leaves of the lists of a root, in a buffer that is used again from root to root.
#[derive(Default)]
pub(crate) struct Window {
    parts: Vec<ListPart>,
}

impl Window {
    /// The ends of whole lists from the first edge on that was created at a time or later, in the order of the lists. Of a
    /// long one the part up to the next block stands for itself, so that blocks of the other one are blocks of its list.
    #[inline(never)]
    pub(crate) fn cut<'a, T: Tick, P: ListSource<'a, T>>(
        &mut self,
        source: P,
        parts: impl IntoIterator<Item = ListPart>,
        first: Time,
    ) -> &[ListPart] {
        let sooner = if first == Time::MIN { None } else { T::floor(source.clock(), first.before()) };
        self.parts.clear();
        for part in parts {
            let over =
                sooner.map_or(0, |sooner| source.entries(&part).partition_point(|entry| entry.created <= sooner));
            let (start, end) = (part.start + over as u32, part.end);
            let block = (part.start + over.next_multiple_of(BLOCK) as u32).min(end);
            let split = if (end - start) as usize > BLOCK { block } else { start };
            let cut = [(start, split), (split, end)].map(|(start, end)| ListPart { start, end, ..part });
            self.parts.extend(cut.into_iter().filter(|part| part.len() > 0));
        }
        &self.parts
    }
}
