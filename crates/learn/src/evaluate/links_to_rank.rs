//! Links to rank.

use std::ops::Range;

use timeweft_graph::Time;

use crate::{Config, Freshness, GraphContext, Htgn, Task};

/// Links to rank: by which model, and how fresh the state is that answers may use.
#[derive(Clone)]
pub struct LinksToRank<'a> {
    /// The weights.
    pub model: &'a Htgn,
    /// The graph.
    pub graph: &'a GraphContext,
    /// The task that the links are of.
    pub task: &'a Task,
    /// How many candidates each link has, and how they are drawn.
    pub config: &'a Config,
    /// Numbers of the links.
    pub part: Range<usize>,
    /// What an answer may know.
    pub freshness: Freshness,
}

impl LinksToRank<'_> {
    /// The time strictly before which the answer for a link knows everything.
    pub(super) fn as_of(&self, number: usize) -> Time {
        let start = self.task.batch_start(number, self.part.start, self.freshness);
        self.task.time_of(start.unwrap_or(number))
    }
}
