//! Counts of edges, and the edges themselves: all that are seen, that were created in a span of time, that lived in it.

use timeweft_graph::{Deletes, Direction, EdgeIndex, EdgeTypeId, NodeIndex, Time, threads};

use super::alive::{Moment, Pick, Picks, is_over};
use super::scope::{AsOf, Roots, SampleError, Scope, Taken, check_length};
use super::traversal::{Visitor, Width, visit};
use super::weights::{Scale, WeightBy, Weights};
use crate::Index;
use crate::adjacency::{BLOCK, Part, Parts, Tick};

/// Edges of many roots, those of a root side by side in the order (edge type, side, created, arrival): `counts` says how
/// many each root has. Arrays are filled anew by each question and keep their room.
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
    fn append(&mut self, other: &mut EdgeLists) {
        self.counts.append(&mut other.counts);
        self.neighbors.append(&mut other.neighbors);
        self.edges.append(&mut other.edges);
        self.edge_types.append(&mut other.edge_types);
        self.directions.append(&mut other.directions);
        self.created.append(&mut other.created);
        self.removed.append(&mut other.removed);
        self.weights.append(&mut other.weights);
    }

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
    /// How many edges of a scope each root has as of its time, into `counts`, one a root. Each costs O(log degree).
    ///
    /// # Errors
    /// If `counts` has another length than the roots.
    pub fn degrees(&self, scope: &Scope, roots: Roots<'_>, counts: &mut [u32]) -> Result<(), SampleError> {
        check_length("counts", counts.len(), roots.len())?;
        self.count_shared(scope, &Taken::new(scope), roots, counts);
        Ok(())
    }

    fn count_shared(&self, scope: &Scope, taken: &Taken, roots: Roots<'_>, counts: &mut [u32]) {
        if roots.len() >= 2 * GRAIN {
            let half = roots.len() / 2;
            let ((near, far), (here, there)) = (roots.split_at(half), counts.split_at_mut(half));
            let (a, b) =
                (|| self.count_shared(scope, taken, near, here), || self.count_shared(scope, taken, far, there));
            threads::join(a, b);
            return;
        }
        let soft = scope.deletes == Deletes::Soft;
        let mut counter = Counter { as_of: scope.as_of, soft, times: roots.times, counts };
        visit(self.adjacency(), taken, None, roots.nodes, &mut counter);
    }

    /// The edges of a scope that each root has as of its time.
    ///
    /// # Errors
    /// If the weight is no feature of one number.
    pub fn edges_of(
        &self,
        scope: &Scope,
        weight: &WeightBy,
        roots: Roots<'_>,
        out: &mut EdgeLists,
    ) -> Result<(), SampleError> {
        let ask = Ask { taken: &Taken::new(scope), kind: Kind::Seen(scope.as_of, scope.deletes == Deletes::Soft) };
        self.list(ask, weight, roots, None, out)
    }

    /// The edges of some types on a side of each root within `[from, until)`, where the roots' times are `from`, and
    /// weights are as of the last time before `until`. Lives that ended when they began are none. From [`Time::MIN`] until
    /// [`Time::FOREVER`] it is the whole history.
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
        self.list(Ask { taken: &Taken::new(scope), kind: Kind::Within(within) }, weight, from, Some(until), out)
    }

    fn list(
        &self,
        ask: Ask<'_>,
        weight: &WeightBy,
        roots: Roots<'_>,
        until: Option<&[Time]>,
        out: &mut EdgeLists,
    ) -> Result<(), SampleError> {
        let weights = self.weights(weight)?;
        out.clear();
        self.list_shared(ask, weights.as_deref(), roots, until, out);
        Ok(())
    }

    fn list_shared(
        &self,
        ask: Ask<'_>,
        weights: Option<&Weights>,
        roots: Roots<'_>,
        until: Option<&[Time]>,
        out: &mut EdgeLists,
    ) {
        if roots.len() >= 2 * GRAIN {
            let half = roots.len() / 2;
            let (near, far) = roots.split_at(half);
            let (sooner, later) = until.map(|until| until.split_at(half)).unzip();
            let mut rest = EdgeLists::default();
            let (here, there) = (&mut *out, &mut rest);
            threads::join(
                || self.list_shared(ask, weights, near, sooner, here),
                || self.list_shared(ask, weights, far, later, there),
            );
            out.append(&mut rest);
            return;
        }
        let mut lister = Lister { index: self, ask, weights, times: roots.times, until, out, alive: Picks::default() };
        visit(self.adjacency(), ask.taken, weights, roots.nodes, &mut lister);
    }
}

struct Counter<'b> {
    as_of: AsOf,
    soft: bool,
    times: &'b [Time],
    counts: &'b mut [u32],
}

impl Visitor for Counter<'_> {
    fn visit<'a, T: Width, P: Parts<'a, T>>(&mut self, at: usize, source: P, parts: &[Part]) {
        let tick = self.as_of.last(self.times[at]).and_then(|last| T::floor(source.clock(), last));
        self.counts[at] = tick.map_or(0, |at| {
            let moment = Moment { at, soft: self.soft };
            moment.count_all(source, parts) as u32
        });
    }
}

#[derive(Clone, Copy)]
struct Ask<'a> {
    taken: &'a Taken,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// As of a time, with what has ended or without.
    Seen(AsOf, bool),
    Within(Within),
}

struct Lister<'a, 'b> {
    index: &'a Index,
    ask: Ask<'a>,
    weights: Option<&'a Weights>,
    times: &'b [Time],
    until: Option<&'b [Time]>,
    out: &'b mut EdgeLists,
    alive: Picks,
}

impl Visitor for Lister<'_, '_> {
    fn visit<'a, T: Width, P: Parts<'a, T>>(&mut self, at: usize, source: P, parts: &[Part]) {
        let clock = source.clock();
        let floor = |time: Option<Time>| time.and_then(|time| T::floor(clock, time));
        let before = |time: Time| AsOf::Before.last(time);
        self.alive.clear();
        let (time, last) = match self.ask.kind {
            Kind::Seen(as_of, _) => (self.times[at], as_of.last(self.times[at])),
            Kind::Within(_) => (self.times[at], self.until.and_then(|until| before(until[at]))),
        };
        if let (Some(end), true) = (floor(last), last.is_some_and(|last| !self.is_span() || last >= time)) {
            for part in parts.iter().enumerate() {
                match self.ask.kind {
                    Kind::Seen(_, soft) => self.alive.gather(source, part, Moment { at: end, soft }),
                    Kind::Within(Within::Created) => {
                        let started = floor(before(time)).map_or(0, |sooner| source.run(part.1).begun(sooner));
                        self.created(source, part, started..source.run(part.1).begun(end));
                    }
                    Kind::Within(Within::Alive) => self.lived(source, part, floor(Some(time)), end),
                }
            }
        }
        self.write(source, parts, last.unwrap_or(Time::MIN));
    }
}

impl Lister<'_, '_> {
    fn is_span(&self) -> bool {
        matches!(self.ask.kind, Kind::Within(_))
    }

    /// Adds a range of a list.
    fn created<'a, T: Tick, P: Parts<'a, T>>(
        &mut self,
        source: P,
        (at, part): (usize, &Part),
        places: std::ops::Range<usize>,
    ) {
        let entries = source.entries(part);
        let real = places.filter(|&place| entries[place].created < entries[place].removed);
        real.for_each(|place| self.alive.push(Pick::new(at, part.start as usize + place)));
    }

    /// Adds what began by `end` and was removed after `from`, or is there still.
    fn lived<'a, T: Tick, P: Parts<'a, T>>(&mut self, source: P, (at, part): (usize, &Part), from: Option<T>, end: T) {
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

    fn write<'a, T: Tick, P: Parts<'a, T>>(&mut self, source: P, parts: &[Part], last: Time) {
        let (picks, out, clock) = (self.alive.as_slice(), &mut *self.out, source.clock());
        let scale = Scale::new(self.index, self.weights, last);
        out.counts.push(picks.len() as u32);
        for &pick in picks {
            let part = &parts[pick.part()];
            let entry = source.entry(part, pick.place());
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
