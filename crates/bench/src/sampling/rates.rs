//! Rates of questions about many nodes on one thread: medians of short rounds.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use timeweft_graph::{Action, Deletes, NodeIndex, Time};
use timeweft_index::Index;
use timeweft_index::features::Owners;
use timeweft_index::sample::{AsOf, Choice, EdgeLists, EdgeTypes, Roots, Samples, Sampling, Scope, Side, WeightBy};

use super::made::{HORIZON, Random};

/// Roots of one call, as where the peer is timed.
const BATCH: usize = 1024;

/// Neighbors of a sample.
const K: usize = 10;

/// Roots whose seconds are taken together: few, so that what else the machine does falls on some of them only.
const ROUND: usize = 1 << 16;

/// How often all roots are asked, after a time that does not count.
const PASSES: usize = 5;

/// Median seconds a root, by the name of the question.
pub(crate) type Rates = BTreeMap<String, f64>;

/// Asks everything about random nodes at random times.
pub(crate) fn all(index: &Index, roots: usize) -> Result<Rates> {
    let nodes = index.n_nodes();
    let mut bench =
        Bench { index, prefix: "", draw: &|random| NodeIndex(random.below(nodes) as u32), roots, rates: Rates::new() };
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
    let mut bench = Bench { index, prefix: "hub ", draw: &|_| nodes[hub], roots: 1 << 16, rates: Rates::new() };
    bench.counts()?;
    bench.samples("last", Choice::Last, WeightBy::One)?;
    bench.samples("uniform", Choice::Uniform, WeightBy::One)?;
    bench.samples("weighted", Choice::Weighted, weight())?;
    Ok((counts[hub] as usize, bench.rates))
}

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
    median(&nodes, &times, 600, |roots| Ok(index.sample(&sampling, roots, samples.slots(roots.len(), K))?))
}

fn weight() -> WeightBy {
    WeightBy::Feature("weight".into())
}

fn scope(as_of: AsOf) -> Scope {
    Scope::new(EdgeTypes::All, Side::Out, as_of)
}

/// Questions about roots that `draw` gives.
struct Bench<'a> {
    index: &'a Index,
    prefix: &'a str,
    draw: &'a dyn Fn(&mut Random) -> NodeIndex,
    roots: usize,
    rates: Rates,
}

impl Bench<'_> {
    fn rate(&mut self, name: &str, ask: impl FnMut(Roots<'_>) -> Result<()>) -> Result<()> {
        let mut random = Random(7);
        let nodes: Vec<_> = (0..self.roots).map(|_| (self.draw)(&mut random)).collect();
        let times: Vec<_> = (0..self.roots).map(|_| Time(random.below(HORIZON as usize) as i64)).collect();
        let seconds = median(&nodes, &times, BATCH, ask)?;
        self.rates.insert(format!("{}{name}", self.prefix), seconds);
        Ok(())
    }

    fn counts(&mut self) -> Result<()> {
        let (index, mut counts) = (self.index, vec![0; BATCH]);
        self.rate("counts", |roots| Ok(index.degrees(&scope(AsOf::At), roots, &mut counts[..roots.len()])?))
    }

    fn samples(&mut self, name: &str, choice: Choice, weight: WeightBy) -> Result<()> {
        let (index, mut samples) = (self.index, Samples::default());
        let sampling = Sampling::new(scope(AsOf::At), choice, K).weight(weight).seed(3);
        self.rate(name, |roots| {
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
        let (index, mut lists) = (self.index, EdgeLists::default());
        self.rate("neighbors", |roots| Ok(index.edges_of(&scope(AsOf::At), &weight(), roots, &mut lists)?))
    }
}

/// Numbers of the feature that every node has.
const WIDTH: usize = 16;

impl Bench<'_> {
    fn features(&mut self) -> Result<()> {
        let (index, features, mut rows) = (self.index, [("0".into(), WIDTH)], vec![0f32; BATCH * WIDTH]);
        self.rate("node_features_16f", |roots| {
            let owners = Owners::nodes(roots, AsOf::At);
            Ok(index.dense_features(&features, owners, &mut rows[..roots.len() * WIDTH])?)
        })
    }
}

/// Median seconds a root of the rounds, where a call has so many roots.
fn median(
    nodes: &[NodeIndex],
    times: &[Time],
    batch: usize,
    mut ask: impl FnMut(Roots<'_>) -> Result<()>,
) -> Result<f64> {
    let mut seconds = Vec::new();
    for pass in 0..=PASSES {
        for (nodes, times) in nodes.chunks(ROUND).zip(times.chunks(ROUND)) {
            let started = Instant::now();
            for (nodes, times) in nodes.chunks(batch).zip(times.chunks(batch)) {
                ask(Roots::new(nodes, times)?)?;
            }
            if pass > 0 {
                seconds.push(started.elapsed().as_secs_f64() / nodes.len() as f64);
            }
        }
    }
    Ok(crate::median(&mut seconds))
}
