//! Steps forward in time: along an edge created after the one before.

use timeweft_graph::Time;

use super::alive::Moment;
use super::picks::{Pick, PickedEdges, entry_of};
use super::random::{Draws, Stream};
use super::scale::Scale;
use super::scope::{AsOf, EdgeFilter};
use super::slots::{Batch, Missing};
use super::traversal::{Visitor, traverse};
use crate::Index;
use crate::adjacency::{ListPart, ListSource, Tick};
use crate::parallel::share;

/// Fewer roots than this are not worth another thread.
const GRAIN: usize = 1024;

/// A step of walks forward in time.
#[derive(Clone, Copy)]
pub(crate) struct Forward<'a> {
    pub(crate) index: &'a Index,
    pub(crate) filter: &'a EdgeFilter,
    /// Within how many ticks edges follow each other.
    pub(crate) within: Option<u64>,
    /// The first step may take edges of the root's own time.
    pub(crate) is_first: bool,
    pub(crate) stream: Stream,
}

impl Forward<'_> {
    /// One step for each root.
    pub(crate) fn step(self, batch: Batch<'_>) {
        share(batch, GRAIN, &mut (), &|batch, ()| {
            let roots = batch.roots;
            let mut stepper = Stepper { step: self, batch, ranges: Vec::new() };
            traverse(self.index.adjacency(), self.filter, None, roots, &mut stepper);
        });
    }
}

struct Stepper<'a, 'b> {
    step: Forward<'a>,
    batch: Batch<'b>,
    /// Where the edges of each list begin that come later, and how many they are.
    ranges: Vec<(usize, usize)>,
}

impl Visitor for Stepper<'_, '_> {
    type Scratch<T: Tick> = ();

    fn visit<'a, T: Tick, P: ListSource<'a, T>>(&mut self, (): &mut (), at: usize, source: P, parts: &[ListPart]) {
        let Forward { index, within, is_first, stream, .. } = self.step;
        let time = self.batch.roots.times[at];
        let over = if is_first { AsOf::Before.last(time) } else { Some(time) };
        let tick = over.and_then(|over| T::floor(source.clock(), over));
        let end = within.map(|within| T::floor(source.clock(), Time(time.0.saturating_add_unsigned(within))));
        self.ranges.clear();
        for part in parts {
            let run = source.run(part);
            let over = tick.map_or(0, |tick| run.begun(tick));
            let end = end.map_or(part.len(), |end| end.map_or(0, |end| run.begun(end)));
            self.ranges.push((part.start as usize + over, end.saturating_sub(over)));
        }
        let pick = self.draw(source, parts, stream.root(self.batch.first.wrapping_add(at as u64)));
        let scale = Scale::new(index, None, Time::MIN);
        self.batch.slots.put(at, 1, &PickedEdges::new(source, parts, pick.as_slice(), scale), &Missing::NONE);
    }
}

/// How many draws may meet lives that ended when they began before those lives are counted.
const TRIES: usize = 64;

impl Stepper<'_, '_> {
    /// Any of the later edges.
    fn draw<'a, T: Tick, P: ListSource<'a, T>>(&self, source: P, parts: &[ListPart], mut draws: Draws) -> Option<Pick> {
        // Lives that ended when they began never are.
        let moment = Moment { at: T::NEVER, soft: true };
        let is_real = |pick: Pick| moment.sees(entry_of(source, parts, pick));
        let all: usize = self.ranges.iter().map(|(_, len)| len).sum();
        if all == 0 {
            return None;
        }
        for _ in 0..TRIES {
            let mut at = draws.below(all);
            for (part, &(start, len)) in self.ranges.iter().enumerate() {
                if at < len {
                    let pick = Pick::new(part, start + at);
                    if is_real(pick) {
                        return Some(pick);
                    }
                    break;
                }
                at -= len;
            }
        }
        let places = self
            .ranges
            .iter()
            .enumerate()
            .flat_map(|(part, &(start, len))| (start..start + len).map(move |place| Pick::new(part, place)));
        let real: Vec<Pick> = places.filter(|&pick| is_real(pick)).collect();
        (!real.is_empty()).then(|| real[draws.below(real.len())])
    }
}
