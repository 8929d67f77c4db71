//! Samples of neighbors: how many, chosen how, and the call that takes them for many roots.

use timeweft_graph::{Deletes, EdgeTypeId, Time};

use super::alive::Moment;
use super::choice::{Choice, SmallChoice};
use super::choose::{Chooser, Scratch};
use super::picks::PickedEdges;
use super::random::Stream;
use super::scale::{Scale, WeightBy};
use super::scope::{EdgeFilter, Roots, SampleError, Scope};
use super::slots::{Batch, Missing, Slots};
use super::small_degree::{Question, SMALL, SmallSampler};
use super::traversal::{Visitor, traverse};
use super::weights::Weights;
use crate::Index;
use crate::adjacency::{ListPart, ListSource, Tick};
use crate::parallel::share;

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
    /// `k` neighbors a root, weights 1.0, seed 0.
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
    /// If an array has the wrong length, the weight is no feature of one number, or the window is empty.
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
        self.sample_at(sampling, (hop, None), roots, slots)
    }

    /// The same for roots that have positions of their own among all.
    pub(crate) fn sample_at(
        &self,
        sampling: &Sampling,
        (hop, positions): (u64, Option<&[u64]>),
        roots: Roots<'_>,
        slots: Slots<'_>,
    ) -> Result<(), SampleError> {
        slots.check(roots.len(), sampling.width())?;
        let weights = self.weights(&sampling.weight)?;
        let choice = if weights.is_some() { sampling.choice } else { sampling.choice.unweighted() };
        // Only draws by weight, the heaviest and answers read weights.
        let weighs = weights.is_some() && (slots.weights.is_some() || choice.is_by_weight());
        let is_small = sampling.quotas.is_empty() && sampling.k <= SMALL;
        let job = Job {
            index: self,
            sampling,
            choice,
            small: choice.small().filter(|_| is_small),
            filter: &EdgeFilter::new(&sampling.scope)?,
            weights: weights.as_deref(),
            weighs,
            stream: Stream::new(sampling.seed, hop),
        };
        let batch = Batch { first: sampling.first_root, positions, roots, slots, k: sampling.width() };
        share(batch, GRAIN, &mut (), &|batch, ()| job.run(batch));
        Ok(())
    }
}

/// What all threads of a call have in common.
#[derive(Clone, Copy)]
struct Job<'a> {
    index: &'a Index,
    sampling: &'a Sampling,
    choice: Choice,
    /// The loop for roots of small degree, if there is one and it has room for `k`.
    small: Option<SmallChoice>,
    filter: &'a EdgeFilter,
    weights: Option<&'a Weights>,
    /// Whether weights are read, to choose or as an answer.
    weighs: bool,
    stream: Stream,
}

impl Job<'_> {
    /// Answers on the thread that it is called on, with wider vectors where the processor has them.
    #[cfg_attr(
        target_arch = "x86_64",
        expect(unsafe_code, reason = "a function compiled for wider vectors may only run where they exist")
    )]
    fn run(self, batch: Batch<'_>) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                // SAFETY: the processor has been asked for these features.
                return unsafe { self.run_v4(batch) };
            }
            if has!("avx2") {
                // SAFETY: as above.
                return unsafe { self.run_v3(batch) };
            }
        }
        self.run_here(batch);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2")]
    fn run_v4(self, batch: Batch<'_>) {
        self.run_here(batch);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_v3(self, batch: Batch<'_>) {
        self.run_here(batch);
    }

    #[inline(always)]
    fn run_here(self, batch: Batch<'_>) {
        let (adjacency, near, roots) = (self.index.adjacency(), self.weights.filter(|_| self.weighs), batch.roots);
        traverse(adjacency, self.filter, near, roots, &mut Worker { job: self, batch, chooser: Scratch::default() });
    }
}

/// One thread's part of a call.
struct Worker<'a, 'b> {
    job: Job<'a>,
    batch: Batch<'b>,
    chooser: Scratch,
}

impl Visitor for Worker<'_, '_> {
    type Scratch<T: Tick> = Box<SmallSampler<T>>;

    #[inline(always)]
    fn visit<'a, T: Tick, P: ListSource<'a, T>>(
        &mut self,
        small: &mut Box<SmallSampler<T>>,
        at: usize,
        source: P,
        parts: &[ListPart],
    ) {
        let Job { index, sampling, weights, .. } = self.job;
        let draws = self.job.stream.root(self.batch.position(at));
        let Batch { roots, slots, k, .. } = &mut self.batch;
        self.chooser.picks.clear();
        let last = sampling.scope.as_of.last(roots.times[at]);
        let tick = last.and_then(|last| T::floor(source.clock(), last));
        let scale = Scale::new(index, weights, last.unwrap_or(Time::MIN));
        let moment = tick.map(|at| Moment { at, soft: sampling.scope.deletes == Deletes::Soft });
        if let (Some(moment), Some(choice), true) = (moment, self.job.small, SmallSampler::<T>::takes(parts)) {
            let (k, weighs, missing) = (*k, self.job.weighs, &sampling.missing);
            let question = Question { moment, choice, k, weighs, scale, draws, at, missing };
            return small.answer(source, parts, question, slots);
        }
        if let Some(moment) = moment.filter(|_| !parts.is_empty()) {
            let mut chooser = Chooser { source, parts, moment, scale, draws, scratch: &mut self.chooser };
            if sampling.quotas.is_empty() {
                chooser.choose(self.job.choice, 0..parts.len(), sampling.k);
            }
            for &(edge_type, k) in &sampling.quotas {
                let start = parts.partition_point(|part| part.edge_type < edge_type);
                let end = parts.partition_point(|part| part.edge_type <= edge_type);
                chooser.choose(self.job.choice, start..end, k);
            }
        }
        slots.put(at, *k, &PickedEdges::new(source, parts, &self.chooser.picks, scale), &sampling.missing);
    }
}
