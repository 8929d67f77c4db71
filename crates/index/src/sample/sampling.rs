//! Samples of neighbors: how many, chosen how, and the call that takes them for many roots.

use std::ops::Range;

use timeweft_graph::{Deletes, EdgeTypeId, Time, threads};

use super::alive::Moment;
use super::choose::{Chooser, Scratch};
use super::random::Stream;
use super::scope::{Roots, SampleError, Scope, Taken};
use super::slots::{Missing, Slots};
use super::small_degree::{Ask, Few};
use super::traversal::{Rooms, Visitor, Width, visit};
use super::weights::{Scale, WeightBy, Weights};
use crate::Index;
use crate::adjacency::{Part, Parts, Tick};

/// Which of the edges in scope are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// The most recently created ones, newest first; of one time, those that arrived last.
    Last,
    /// Any with equal chance, each draw anew.
    Uniform,
    /// Any with equal chance, none twice; all of them, in random order, where there are no more.
    UniformDistinct,
    /// Any by its share of the weight, each draw anew.
    Weighted,
    /// One after another by its share of the weight that is left, none twice.
    WeightedDistinct,
    /// The heaviest, heaviest first; of one weight, the newest.
    Heaviest,
}

/// How neighbors are sampled.
#[derive(Clone, PartialEq, Debug)]
pub struct Sampling {
    /// From which edges.
    pub scope: Scope,
    /// Which of them.
    pub choice: Choice,
    /// How many a root.
    pub k: usize,
    /// If there are any: how many of each edge type, in this order, in place of `k`. A root's slots hold those of the
    /// first type, then those of the next, and what is missing at the end.
    pub quotas: Vec<(EdgeTypeId, usize)>,
    /// What edges weigh.
    pub weight: WeightBy,
    /// Equal seeds give equal samples.
    pub seed: u64,
    /// Position of the first root among all roots, where they come in several batches.
    pub first_root: u64,
    /// What is written into slots that stay empty.
    pub missing: Missing,
}

/// Fewer roots than this are not worth another thread.
const GRAIN: usize = 1024;

impl Sampling {
    /// So many neighbors a root, weights 1.0, seed 0.
    pub fn new(scope: Scope, choice: Choice, k: usize) -> Sampling {
        let weight = WeightBy::One;
        Sampling { scope, choice, k, quotas: Vec::new(), weight, seed: 0, first_root: 0, missing: Missing::NONE }
    }

    /// The same with this weight.
    pub fn weight(self, weight: WeightBy) -> Sampling {
        Sampling { weight, ..self }
    }

    /// The same with this seed.
    pub fn seed(self, seed: u64) -> Sampling {
        Sampling { seed, ..self }
    }

    /// The same with these quotas.
    pub fn quotas(self, quotas: Vec<(EdgeTypeId, usize)>) -> Sampling {
        Sampling { quotas, ..self }
    }

    /// Slots of a root: `k`, or the sum of the quotas.
    pub fn width(&self) -> usize {
        if self.quotas.is_empty() { self.k } else { self.quotas.iter().map(|(_, k)| k).sum() }
    }
}

impl Index {
    /// Samples neighbors of each root as of its time, into the slots given: [`Sampling::width`] a root.
    ///
    /// # Errors
    /// If an array has the wrong length, or the weight is no feature of one number.
    pub fn sample(&self, sampling: &Sampling, roots: Roots<'_>, slots: Slots<'_>) -> Result<(), SampleError> {
        self.sample_hop(sampling, 0, roots, slots)
    }

    pub(crate) fn sample_hop(
        &self,
        sampling: &Sampling,
        hop: u64,
        roots: Roots<'_>,
        slots: Slots<'_>,
    ) -> Result<(), SampleError> {
        slots.check(roots.len(), sampling.width())?;
        let weights = self.weights(&sampling.weight)?;
        let (taken, width) = (Taken::new(&sampling.scope), sampling.width());
        let job = Job { index: self, sampling, taken: &taken, weights: weights.as_deref(), hop, width };
        job.share(sampling.first_root, roots, slots);
        Ok(())
    }
}

/// What all threads of a call have in common.
#[derive(Clone, Copy)]
struct Job<'a> {
    index: &'a Index,
    sampling: &'a Sampling,
    taken: &'a Taken,
    weights: Option<&'a Weights>,
    hop: u64,
    width: usize,
}

impl Job<'_> {
    /// Halves the roots between two threads as long as that is worth it.
    fn share(self, first: u64, roots: Roots<'_>, slots: Slots<'_>) {
        if roots.len() < 2 * GRAIN {
            return self.run(first, roots, slots);
        }
        let half = roots.len() / 2;
        let ((near, far), (here, there)) = (roots.split_at(half), slots.split_at(half, self.width));
        threads::join(|| self.share(first, near, here), || self.share(first + half as u64, far, there));
    }

    /// Answers on the thread that it is called on, with wider vectors where the processor has them.
    #[cfg_attr(
        target_arch = "x86_64",
        expect(unsafe_code, reason = "a function compiled for wider vectors may only run where they exist")
    )]
    fn run(self, first: u64, roots: Roots<'_>, slots: Slots<'_>) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                // SAFETY: the processor has been asked for these features.
                return unsafe { self.run_v4(first, roots, slots) };
            }
            if has!("avx2") {
                // SAFETY: as above.
                return unsafe { self.run_v3(first, roots, slots) };
            }
        }
        self.run_here(first, roots, slots);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2")]
    fn run_v4(self, first: u64, roots: Roots<'_>, slots: Slots<'_>) {
        self.run_here(first, roots, slots);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_v3(self, first: u64, roots: Roots<'_>, slots: Slots<'_>) {
        self.run_here(first, roots, slots);
    }

    #[inline(always)]
    fn run_here(self, first: u64, roots: Roots<'_>, slots: Slots<'_>) {
        let adjacency = self.index.adjacency();
        // Only draws by weight, the heaviest and answers read them.
        let near = self.weights.filter(|_| slots.weights.is_some() || self.sampling.choice.is_by_weight());
        let (scratch, rooms, plain) = (Scratch::default(), Box::default(), self.sampling.quotas.is_empty());
        let stream = Stream::new(self.sampling.seed, self.hop);
        let mut worker = Worker { job: self, first, times: roots.times, slots, scratch, rooms, stream, plain };
        visit(adjacency, self.taken, near, roots.nodes, &mut worker);
    }
}

impl Choice {
    fn is_by_weight(self) -> bool {
        matches!(self, Choice::Weighted | Choice::WeightedDistinct | Choice::Heaviest)
    }
}

/// One thread's part of a call.
struct Worker<'a, 'b> {
    job: Job<'a>,
    first: u64,
    times: &'b [Time],
    slots: Slots<'b>,
    scratch: Scratch,
    rooms: Box<Rooms>,
    stream: Stream,
    /// Whether there are no quotas.
    plain: bool,
}

impl Visitor for Worker<'_, '_> {
    #[inline(always)]
    fn visit<'a, T: Width, P: Parts<'a, T>>(&mut self, at: usize, source: P, parts: &[Part]) {
        let Job { index, sampling, weights, .. } = self.job;
        self.scratch.picks.clear();
        let last = sampling.scope.as_of.last(self.times[at]);
        let tick = last.and_then(|last| T::floor(source.clock(), last));
        let scale = Scale::new(index, weights, last.unwrap_or(Time::MIN));
        if let (Some(tick), true) = (tick, self.plain && Few::<T>::takes(sampling.choice, sampling.k, parts)) {
            let ask = Ask {
                moment: Moment { at: tick, soft: sampling.scope.deletes == Deletes::Soft },
                choice: sampling.choice,
                k: sampling.k,
                weighs: weights.is_some() && (self.slots.weights.is_some() || sampling.choice.is_by_weight()),
                scale,
                draws: self.stream.root(self.first.wrapping_add(at as u64)),
                at,
                own: at * self.job.width..(at + 1) * self.job.width,
                missing: &sampling.missing,
            };
            return T::few(&mut self.rooms).answer(source, parts, ask, &mut self.slots);
        }
        if let Some(tick) = tick.filter(|_| !parts.is_empty()) {
            let moment = Moment { at: tick, soft: sampling.scope.deletes == Deletes::Soft };
            let draws = self.stream.root(self.first.wrapping_add(at as u64));
            let mut chooser = Chooser { source, parts, moment, scale, draws, scratch: &mut self.scratch };
            if sampling.quotas.is_empty() {
                chooser.choose(sampling.choice, 0..parts.len(), sampling.k);
            }
            for &(edge_type, k) in &sampling.quotas {
                let start = parts.partition_point(|part| part.edge_type < edge_type);
                let end = parts.partition_point(|part| part.edge_type <= edge_type);
                chooser.choose(sampling.choice, start..end, k);
            }
        }
        self.write(at, source, parts, scale);
    }
}

impl Worker<'_, '_> {
    /// Writes what was picked, and what stands for nothing behind it.
    #[inline]
    fn write<'a, T: Tick, P: Parts<'a, T>>(&mut self, at: usize, source: P, parts: &[Part], scale: Scale<'_>) {
        fn own<'b, T>(array: &'b mut Option<&mut [T]>, own: &Range<usize>) -> Option<&'b mut [T]> {
            array.as_mut().map(|array| &mut array[own.clone()])
        }
        let (width, missing) = (self.job.width, &self.job.sampling.missing);
        let (picks, range, clock) = (&self.scratch.picks[..], at * width..(at + 1) * width, source.clock());
        let (neighbors, edges) = (&mut own(&mut self.slots.neighbors, &range), &mut own(&mut self.slots.edges, &range));
        let edge_types = &mut own(&mut self.slots.edge_types, &range);
        let created = &mut own(&mut self.slots.created, &range);
        let weights = &mut own(&mut self.slots.weights, &range);
        for (slot, pick) in picks.iter().enumerate() {
            let part = &parts[pick.part()];
            let entry = source.entry(part, pick.place());
            put(neighbors, slot, || entry.neighbor());
            put(edges, slot, || entry.edge());
            put(edge_types, slot, || part.edge_type);
            put(created, slot, || entry.created.time(clock));
            put(weights, slot, || scale.weigh::<T, P>(pick.place(), entry));
        }
        for slot in picks.len()..width {
            put(neighbors, slot, || missing.neighbor);
            put(edges, slot, || missing.edge);
            put(edge_types, slot, || missing.edge_type);
            put(created, slot, || missing.created);
            put(weights, slot, || missing.weight);
        }
        if let Some(counts) = &mut self.slots.counts {
            counts[at] = picks.len() as u32;
        }
    }
}

#[inline]
fn put<T>(slots: &mut Option<&mut [T]>, at: usize, value: impl FnOnce() -> T) {
    if let Some(slots) = slots {
        slots[at] = value();
    }
}
