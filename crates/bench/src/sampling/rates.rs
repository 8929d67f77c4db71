//! Rates of questions about many nodes on one thread: medians of short rounds.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use timeweft_graph::{Action, Deletes, NodeIndex, Time};
use timeweft_index::Index;
use timeweft_index::features::Owners;
use timeweft_index::sample::{AsOf, Choice, EdgeLists, EdgeTypes, Roots, Samples, Sampling, Scope, Side, WeightBy};

use super::made::{HORIZON, Random};
use crate::median;

/// Roots of one call, as where the peer is timed.
const BATCH: usize = 1024;

/// Neighbors of a sample.
const K: usize = 10;

/// Roots whose seconds are taken together: few, so that what else the machine does falls on some of them only.
const ROUND: usize = 1 << 16;

/// How often all roots are asked, after a time that does not count.
const PASSES: usize = 5;

/// Median seconds a root, by the name of the question; with a smaller graph beside it also how much of its rate is left, the
/// median of what rounds that take turns say, under `left NAME`.
pub(crate) type Rates = BTreeMap<String, f64>;

/// Asks everything about random nodes at random times, of a smaller graph beside it too if there is one.
pub(crate) fn all(index: &Index, smaller: Option<&Index>, roots: usize) -> Result<Rates> {
    let draw = |index: &Index, random: &mut Random| NodeIndex(random.below(index.n_nodes()) as u32);
    let indexes = std::iter::once(index).chain(smaller).collect();
    let mut bench = Bench { indexes, prefix: "", draw: &draw, roots, rates: Rates::new() };
    bench.counts()?;
    bench.samples("last", Choice::Last, WeightBy::One)?;
    bench.samples("uniform", Choice::Uniform, WeightBy::One)?;
    bench.samples("uniform_distinct", Choice::UniformDistinct, WeightBy::One)?;
    bench.samples("weighted", Choice::Weighted, weight())?;
    bench.samples("weighted_distinct", Choice::WeightedDistinct, weight())?;
    bench.samples("heaviest", Choice::Heaviest, weight())?;
    bench.neighbors()?;
    bench.features()?;
    Ok(bench.rates)
}

/// Asks for the last neighbors of every node, so that all lists have been read.
pub(crate) fn touch(index: &Index) -> Result<()> {
    let nodes: Vec<NodeIndex> = (0..index.n_nodes() as u32).map(NodeIndex).collect();
    let sampling = Sampling::new(Scope::new(EdgeTypes::All, Side::Both, AsOf::At), Choice::Last, K);
    let mut samples = Samples::default();
    for nodes in nodes.chunks(BATCH) {
        let times = vec![Time(HORIZON); nodes.len()];
        index.sample(&sampling, Roots::new(nodes, &times)?, samples.slots(nodes.len(), K))?;
    }
    Ok(())
}

/// The node with most edges that start there, how many these are, and rates of questions about it alone.
pub(crate) fn hub(index: &Index) -> Result<(usize, Rates)> {
    let nodes: Vec<NodeIndex> = (0..index.n_nodes() as u32).map(NodeIndex).collect();
    let mut counts = vec![0; nodes.len()];
    let ever = scope(AsOf::At).deletes(Deletes::Soft);
    let times = vec![Time::FOREVER; nodes.len()];
    index.degrees(&ever, Roots::new(&nodes, &times)?, &mut counts)?;
    let hub = (0..nodes.len()).max_by_key(|&at| counts[at]).context("there are no nodes")?;
    let draw = |_: &Index, _: &mut Random| nodes[hub];
    let mut bench = Bench { indexes: vec![index], prefix: "hub ", draw: &draw, roots: 1 << 16, rates: Rates::new() };
    bench.counts()?;
    bench.samples("last", Choice::Last, WeightBy::One)?;
    bench.samples("uniform", Choice::Uniform, WeightBy::One)?;
    bench.samples("weighted", Choice::Weighted, weight())?;
    Ok((counts[hub] as usize, bench.rates))
}

/// Median seconds of one call for all roots, into new arrays and into the same again. `python/bench/sampling.py` asks for the
/// same nodes and times.
pub(crate) fn calls(index: &Index, roots: usize) -> Result<(f64, f64)> {
    let scattered = |at: usize, n: usize| at * 2_654_435_761 % n;
    let nodes: Vec<_> = (0..roots).map(|at| NodeIndex(scattered(at, index.n_nodes()) as u32)).collect();
    let times: Vec<_> = (0..roots).map(|at| Time(scattered(at, HORIZON as usize) as i64)).collect();
    let sampling = Sampling::new(Scope::new(EdgeTypes::All, Side::Both, AsOf::Before), Choice::Last, K);
    let (mut fresh, mut again, mut kept) = (Vec::new(), Vec::new(), Samples::default());
    for _ in 0..CALLS {
        let (started, mut samples) = (Instant::now(), Samples::default());
        index.sample(&sampling, Roots::new(&nodes, &times)?, samples.slots(roots, K))?;
        fresh.push(started.elapsed().as_secs_f64());
        drop(samples);
        let started = Instant::now();
        index.sample(&sampling, Roots::new(&nodes, &times)?, kept.slots(roots, K))?;
        again.push(started.elapsed().as_secs_f64());
    }
    Ok((median(&mut fresh), median(&mut again)))
}

/// Calls whose median counts.
const CALLS: usize = 15;

/// Chronological replay: the last 10 neighbors, on either side and strictly before, of both ends and of one other node of
/// each edge in order of time; seconds a root.
pub(crate) fn replay(index: &Index) -> Result<f64> {
    let (mut random, n) = (Random(11), index.n_nodes());
    let (mut nodes, mut times) = (Vec::new(), Vec::new());
    for fact in index.facts().iter().filter(|fact| fact.action == Action::Create && fact.edge.is_some()) {
        nodes.extend([fact.source, fact.destination, NodeIndex(random.below(n) as u32)]);
        times.extend([fact.time; 3]);
    }
    let scope = Scope::new(EdgeTypes::All, Side::Both, AsOf::Before);
    let sampling = Sampling::new(scope, Choice::Last, K);
    let mut samples = Samples::default();
    let asked = Asked { index, nodes, times };
    let ask = |_: &Index, roots: Roots<'_>| Ok(index.sample(&sampling, roots, samples.slots(roots.len(), K))?);
    Ok(medians(&[asked], 600, ask)?.0)
}

fn weight() -> WeightBy {
    WeightBy::Feature("weight".into())
}

fn scope(as_of: AsOf) -> Scope {
    Scope::new(EdgeTypes::All, Side::Out, as_of)
}

/// Questions about roots that `draw` gives.
struct Bench<'a> {
    /// The graph, and a smaller one.
    indexes: Vec<&'a Index>,
    prefix: &'a str,
    draw: &'a dyn Fn(&Index, &mut Random) -> NodeIndex,
    roots: usize,
    rates: Rates,
}

impl Bench<'_> {
    fn rate(&mut self, name: &str, ask: impl FnMut(&Index, Roots<'_>) -> Result<()>) -> Result<()> {
        let asked = self.indexes.iter().map(|index| {
            let mut random = Random(7);
            let nodes = (0..self.roots).map(|_| (self.draw)(index, &mut random)).collect();
            let times = (0..self.roots).map(|_| Time(random.below(HORIZON as usize) as i64)).collect();
            Asked { index, nodes, times }
        });
        let (seconds, left) = medians(&asked.collect::<Vec<_>>(), BATCH, ask)?;
        self.rates.insert(format!("{}{name}", self.prefix), seconds);
        left.map(|left| self.rates.insert(format!("left {name}"), left));
        Ok(())
    }

    fn counts(&mut self) -> Result<()> {
        let mut counts = vec![0; BATCH];
        self.rate("counts", |index, roots| Ok(index.degrees(&scope(AsOf::At), roots, &mut counts[..roots.len()])?))
    }

    fn samples(&mut self, name: &str, choice: Choice, weight: WeightBy) -> Result<()> {
        let mut samples = Samples::default();
        let sampling = Sampling::new(scope(AsOf::At), choice, K).weight(weight).seed(3);
        self.rate(name, |index, roots| {
            let mut slots = samples.slots(roots.len(), K);
            // What the peer returns: ids and types, weights where it draws by them; with the last ones also their times.
            slots.edges = None;
            if choice != Choice::Last {
                slots.created = None;
            }
            if sampling.weight == WeightBy::One {
                slots.weights = None;
            }
            Ok(index.sample(&sampling, roots, slots)?)
        })
    }

    fn neighbors(&mut self) -> Result<()> {
        let mut lists = EdgeLists::default();
        self.rate("neighbors", |index, roots| Ok(index.edges_of(&scope(AsOf::At), &weight(), roots, &mut lists)?))
    }
}

/// Numbers of the feature that every node has.
const WIDTH: usize = 16;

impl Bench<'_> {
    fn features(&mut self) -> Result<()> {
        let (features, mut rows) = ([("0".into(), WIDTH)], vec![0f32; BATCH * WIDTH]);
        self.rate("node_features_16f", |index, roots| {
            let owners = Owners::nodes(roots, AsOf::At);
            Ok(index.dense_features(&features, owners, &mut rows[..roots.len() * WIDTH])?)
        })
    }
}

/// What one graph is asked about.
struct Asked<'a> {
    index: &'a Index,
    nodes: Vec<NodeIndex>,
    times: Vec<Time>,
}

/// Median seconds a root of the rounds on the first graph, where a call has so many roots; with a second one, whose rounds take
/// turns with those of the first, also the median share of its rate that the first one has.
fn medians(
    asked: &[Asked<'_>],
    batch: usize,
    mut ask: impl FnMut(&Index, Roots<'_>) -> Result<()>,
) -> Result<(f64, Option<f64>)> {
    let (mut seconds, mut shares) = (Vec::new(), Vec::new());
    for pass in 0..=PASSES {
        for start in (0..asked[0].nodes.len()).step_by(ROUND) {
            let mut round = |Asked { index, nodes, times }: &Asked<'_>| -> Result<f64> {
                let places = start..nodes.len().min(start + ROUND);
                let n = places.len() as f64;
                let started = Instant::now();
                for (nodes, times) in nodes[places.clone()].chunks(batch).zip(times[places].chunks(batch)) {
                    ask(index, Roots::new(nodes, times)?)?;
                }
                Ok(started.elapsed().as_secs_f64() / n)
            };
            let own = round(&asked[0])?;
            let other = asked.get(1).map(&mut round).transpose()?;
            if pass > 0 {
                seconds.push(own);
                shares.extend(other.map(|other| other / own));
            }
        }
    }
    let share = if shares.is_empty() { None } else { Some(crate::median(&mut shares)) };
    Ok((crate::median(&mut seconds), share))
}
