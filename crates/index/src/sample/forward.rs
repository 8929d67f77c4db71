//! Steps forward in time: along an edge created after the one before.

use timeweft_graph::{Time, threads};

use super::alive::{Moment, Pick};
use super::random::Draws;
use super::scope::{AsOf, Roots, Taken};
use super::slots::Slots;
use super::traversal::{Visitor, Width, visit};
use crate::Index;
use crate::adjacency::{Part, Parts, Tick};

/// Fewer roots than this are not worth another thread.
const GRAIN: usize = 1024;

/// A step of walks forward in time; the first may take edges of the root's own time.
#[derive(Clone, Copy)]
pub(crate) struct Forward {
    pub(crate) seed: u64,
    pub(crate) hop: u64,
    pub(crate) first: u64,
}

impl Forward {
    /// One step for each root.
    pub(crate) fn step(self, index: &Index, taken: &Taken, roots: Roots<'_>, slots: Slots<'_>) {
        if roots.len() >= 2 * GRAIN {
            let half = roots.len() / 2;
            let ((near, far), (here, there)) = (roots.split_at(half), slots.split_at(half, 1));
            let rest = Forward { first: self.first + half as u64, ..self };
            threads::join(|| self.step(index, taken, near, here), || rest.step(index, taken, far, there));
            return;
        }
        let mut stepper = Stepper { step: self, times: roots.times, slots, ranges: Vec::new() };
        visit(index.adjacency(), taken, None, roots.nodes, &mut stepper);
    }
}

struct Stepper<'b> {
    step: Forward,
    times: &'b [Time],
    slots: Slots<'b>,
    /// Where the edges of each list begin that come later, and how many they are.
    ranges: Vec<(usize, usize)>,
}

impl Visitor for Stepper<'_> {
    fn visit<'a, T: Width, P: Parts<'a, T>>(&mut self, at: usize, source: P, parts: &[Part]) {
        let Forward { seed, hop, first } = self.step;
        let over = if hop == 0 { AsOf::Before.last(self.times[at]) } else { Some(self.times[at]) };
        let tick = over.and_then(|over| T::floor(source.clock(), over));
        self.ranges.clear();
        for part in parts {
            let run = source.run(part);
            let over = tick.map_or(0, |tick| run.begun(tick));
            self.ranges.push((part.start as usize + over, part.len() - over));
        }
        let Some(pick) = self.draw(source, parts, Draws::new(seed, hop, first.wrapping_add(at as u64))) else { return };
        let entry = source.entry(&parts[pick.part()], pick.place());
        if let Some(neighbors) = &mut self.slots.neighbors {
            neighbors[at] = entry.neighbor();
        }
        if let Some(edges) = &mut self.slots.edges {
            edges[at] = entry.edge();
        }
        if let Some(created) = &mut self.slots.created {
            created[at] = entry.created.time(source.clock());
        }
    }
}

/// So many draws may meet lives that ended when they began before these are counted.
const TRIES: usize = 64;

impl Stepper<'_> {
    /// Any of the later edges.
    fn draw<'a, T: Tick, P: Parts<'a, T>>(&self, source: P, parts: &[Part], mut draws: Draws) -> Option<Pick> {
        // Lives that ended when they began never are.
        let moment = Moment { at: T::NEVER, soft: true };
        let is_real = |pick: Pick| moment.sees(source.entry(&parts[pick.part()], pick.place()));
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
