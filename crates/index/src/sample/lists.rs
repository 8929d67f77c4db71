//! Counts of edges, and the edges themselves: all that are seen, that were created in a span of time, that lived in it.

use timeweft_graph::{Deletes, Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time};

use super::alive::{Moment, is_over};
use super::picks::{Pick, Picks, entry_of};
use super::scale::{Scale, WeightBy};
use super::scope::{AsOf, EdgeFilter, Roots, SampleError, Scope, check_length};
use super::traversal::{Visitor, traverse};
use super::weights::Weights;
use crate::Index;
use crate::adjacency::{BLOCK, ListPart, ListSource, Tick};
use crate::parallel::{Gather, share};

/// Edges of many roots, those of a root side by side in the order (edge type, side, created, arrival): `counts` says how
/// many each root has. Each question fills the arrays anew and keeps their memory.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EdgeLists {
    /// How many edges each root has.
    pub counts: Vec<u32>,
    /// The node at the other end.
    pub neighbors: Vec<NodeIndex>,
    /// The edge's life.
    pub edges: Vec<EdgeIndex>,
    /// The edge's type.
    pub edge_types: Vec<EdgeTypeId>,
    /// Which side of it the root is.
    pub directions: Vec<Direction>,
    /// When it was created.
    pub created: Vec<Time>,
    /// When it was or will be removed; [`Time::FOREVER`] if never.
    pub removed: Vec<Time>,
    /// Its weight as of the time that was asked for; 1.0 where edges have none.
    pub weights: Vec<f64>,
}

impl EdgeLists {
    pub(crate) fn clear(&mut self) {
        self.counts.clear();
        self.neighbors.clear();
        self.edges.clear();
        self.edge_types.clear();
        self.directions.clear();
        self.created.clear();
        self.removed.clear();
        self.weights.clear();
    }
}

impl Gather for EdgeLists {
    fn empty(&self) -> EdgeLists {
        EdgeLists::default()
    }
    fn append(&mut self, mut next: EdgeLists) {
        self.counts.append(&mut next.counts);
        self.neighbors.append(&mut next.neighbors);
        self.edges.append(&mut next.edges);
        self.edge_types.append(&mut next.edge_types);
        self.directions.append(&mut next.directions);
        self.created.append(&mut next.created);
        self.removed.append(&mut next.removed);
        self.weights.append(&mut next.weights);
    }
}

/// Which edges of a span of time `[from, until)` are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Within {
    /// Those created in it.
    Created,
    /// Those that lived at some time of it.
    Alive,
}

/// Fewer roots than this are not worth another thread.
const GRAIN: usize = 1024;

impl Index {
    /// How many edges of a scope each root has as of its time, into `counts`, one a root. Each costs O(log degree); with
    /// [`Scope::within`] and edges that have ended, O(edges created in the window).
    ///
    /// # Errors
    /// If `counts` has another length than the roots, or the window is empty.
    pub fn degrees(&self, scope: &Scope, roots: Roots<'_>, counts: &mut [u32]) -> Result<(), SampleError> {
        check_length("counts", counts.len(), roots.len())?;
        let (filter, soft) = (EdgeFilter::new(scope)?, scope.deletes == Deletes::Soft);
        share((roots, counts), GRAIN, &mut (), &|(roots, counts), ()| {
            let mut counter = Counter { as_of: scope.as_of, soft, times: roots.times, counts };
            traverse(self.adjacency(), &filter, None, roots, &mut counter);
        });
        Ok(())
    }

    /// The edges of a scope that each root has as of its time.
    ///
    /// # Errors
    /// If the weight is no feature of one number, or the window is empty.
    pub fn edges_of(
        &self,
        scope: &Scope,
        weight: &WeightBy,
        roots: Roots<'_>,
        out: &mut EdgeLists,
    ) -> Result<(), SampleError> {
        let span = Span::Seen { as_of: scope.as_of, soft: scope.deletes == Deletes::Soft };
        self.list(scope, span, weight, (roots, None), out)
    }

    /// The edges of some types on a side of each root within `[from, until)`, where the roots' times are `from`, and
    /// weights are as of the last time before `until`. Lives that ended when they began are none. From [`Time::MIN`] until
    /// [`Time::FOREVER`] it is the whole history. Of the scope only types and side are looked at.
    ///
    /// # Errors
    /// If there are more or fewer ends than roots, or the weight is no feature of one number.
    pub fn edges_within(
        &self,
        (scope, within): (&Scope, Within),
        weight: &WeightBy,
        from: Roots<'_>,
        until: &[Time],
        out: &mut EdgeLists,
    ) -> Result<(), SampleError> {
        check_length("until", until.len(), from.len())?;
        self.list(scope, Span::Within(within), weight, (from, Some(until)), out)
    }

    fn list(
        &self,
        scope: &Scope,
        span: Span,
        weight: &WeightBy,
        roots: (Roots<'_>, Option<&[Time]>),
        out: &mut EdgeLists,
    ) -> Result<(), SampleError> {
        let (weights, filter) = (self.weights(weight)?, EdgeFilter::new(scope)?);
        let weights = weights.as_deref();
        let filter = if matches!(span, Span::Within(_)) { filter.without_window() } else { filter };
        out.clear();
        share(roots, GRAIN, out, &|(roots, until), out| {
            let (times, alive) = (roots.times, Picks::default());
            let mut lister = Lister { index: self, span, weights, times, until, out, alive };
            traverse(self.adjacency(), &filter, weights, roots, &mut lister);
        });
        Ok(())
    }
}

struct Counter<'b> {
    as_of: AsOf,
    soft: bool,
    times: &'b [Time],
    counts: &'b mut [u32],
}

impl Visitor for Counter<'_> {
    type Scratch<T: Tick> = ();

    fn visit<'a, T: Tick, P: ListSource<'a, T>>(&mut self, (): &mut (), at: usize, source: P, parts: &[ListPart]) {
        let tick = self.as_of.last(self.times[at]).and_then(|last| T::floor(source.clock(), last));
        self.counts[at] = tick.map_or(0, |at| {
            let moment = Moment { at, soft: self.soft };
            moment.count_all(source, parts) as u32
        });
    }
}

/// Which edges are listed.
#[derive(Clone, Copy)]
enum Span {
    /// Those seen as of a time, with what has ended if deletes are soft.
    Seen {
        as_of: AsOf,
        soft: bool,
    },
    Within(Within),
}

struct Lister<'a, 'b> {
    index: &'a Index,
    span: Span,
    weights: Option<&'a Weights>,
    times: &'b [Time],
    until: Option<&'b [Time]>,
    out: &'b mut EdgeLists,
    alive: Picks,
}

impl Visitor for Lister<'_, '_> {
    type Scratch<T: Tick> = ();

    fn visit<'a, T: Tick, P: ListSource<'a, T>>(&mut self, (): &mut (), at: usize, source: P, parts: &[ListPart]) {
        let clock = source.clock();
        let floor = |time: Option<Time>| time.and_then(|time| T::floor(clock, time));
        let before = |time: Time| AsOf::Before.last(time);
        self.alive.clear();
        let (time, last) = match self.span {
            Span::Seen { as_of, .. } => (self.times[at], as_of.last(self.times[at])),
            Span::Within(_) => (self.times[at], self.until.and_then(|until| before(until[at]))),
        };
        if let (Some(end), true) = (floor(last), last.is_some_and(|last| !self.is_span() || last >= time)) {
            for part in parts.iter().enumerate() {
                match self.span {
                    Span::Seen { soft, .. } => self.alive.gather(source, part, Moment { at: end, soft }),
                    Span::Within(Within::Created) => {
                        let started = floor(before(time)).map_or(0, |sooner| source.run(part.1).begun(sooner));
                        self.created(source, part, started..source.run(part.1).begun(end));
                    }
                    Span::Within(Within::Alive) => self.lived(source, part, floor(Some(time)), end),
                }
            }
        }
        self.write(source, parts, last.unwrap_or(Time::MIN));
    }
}

impl Lister<'_, '_> {
    fn is_span(&self) -> bool {
        matches!(self.span, Span::Within(_))
    }

    /// Adds a range of a list.
    fn created<'a, T: Tick, P: ListSource<'a, T>>(
        &mut self,
        source: P,
        (at, part): (usize, &ListPart),
        places: std::ops::Range<usize>,
    ) {
        let entries = source.entries(part);
        let real = places.filter(|&place| entries[place].created < entries[place].removed);
        real.for_each(|place| self.alive.push(Pick::new(at, part.start as usize + place)));
    }

    /// Adds what began by `end` and was removed after `from`, or is there still.
    fn lived<'a, T: Tick, P: ListSource<'a, T>>(
        &mut self,
        source: P,
        (at, part): (usize, &ListPart),
        from: Option<T>,
        end: T,
    ) {
        let run = source.run(part);
        let begun = run.begun(end);
        for block in 0..begun.div_ceil(BLOCK) {
            if from.is_some_and(|at| is_over(&run, block, Moment { at, soft: false })) {
                continue;
            }
            for place in block * BLOCK..begun.min((block + 1) * BLOCK) {
                let entry = &run.entries[place];
                if entry.created < entry.removed && from.is_none_or(|from| entry.outlives(from)) {
                    self.alive.push(Pick::new(at, part.start as usize + place));
                }
            }
        }
    }

    fn write<'a, T: Tick, P: ListSource<'a, T>>(&mut self, source: P, parts: &[ListPart], last: Time) {
        let (picks, out, clock) = (self.alive.as_slice(), &mut *self.out, source.clock());
        let scale = Scale::new(self.index, self.weights, last);
        out.counts.push(picks.len() as u32);
        for &pick in picks {
            let part = &parts[pick.part()];
            let entry = entry_of(source, parts, pick);
            out.neighbors.push(entry.neighbor());
            out.edges.push(entry.edge());
            out.edge_types.push(part.edge_type);
            out.directions.push(part.direction);
            out.created.push(entry.created.time(clock));
            out.removed.push(entry.removed.time(clock));
            out.weights.push(scale.weigh::<T, P>(pick.place(), entry));
        }
    }
}
