//! Rates of questions about many nodes, on graphs like those that the peer's generator makes: one thread, median of 5 rounds.
//!
//! `cargo run --release -p timeweft-index --example sampling_rates -- [nodes] [degree] [skew] [rounds] [name of one rate]`
//!
//! A share of .3 of the edges ends; destinations and out-degrees are skewed with `skew` > 0. One JSON object a rate.

use std::sync::LazyLock;
use std::time::Instant;

use timeweft_graph::{Action, EdgeKey, EdgeTypeId, Element, Event, Name, NodeIndex, NodeKey, Schema, Time, Value};
use timeweft_index::Index;
use timeweft_index::features::Owners;
use timeweft_index::sample::{AsOf, Choice, EdgeTypes, Roots, Samples, Sampling, Scope, Side, WeightBy};

const HORIZON: i64 = 1_000_000;
const ROOTS: usize = 1 << 20;
/// Roots of one call, as where the peer is timed.
const BATCH: usize = 1024;
const K: usize = 10;
/// Numbers of a node's feature.
const WIDTH: usize = 16;

/// Random enough for a benchmark (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Nodes by their share, the first ones most often.
struct Shares(Vec<f64>);

impl Shares {
    fn new(nodes: usize, skew: f64) -> Shares {
        let mut sum = 0.0;
        let sums = (1..=nodes).map(|rank| {
            sum += (rank as f64).powf(-skew);
            sum
        });
        Shares(sums.collect())
    }

    fn draw(&self, random: &mut Random) -> usize {
        let at = random.unit() * self.0.last().copied().unwrap_or(0.0);
        self.0.partition_point(|sum| *sum <= at).min(self.0.len() - 1)
    }
}

fn make(nodes: usize, degree: usize, skew: f64) -> Index {
    let mut random = Random(1);
    let shares = Shares::new(nodes, skew);
    let mut degrees = vec![if skew > 0.0 { 0 } else { degree }; nodes];
    if skew > 0.0 {
        (0..nodes * degree).for_each(|_| degrees[shares.draw(&mut random)] += 1);
    }
    let (none, key) = (Name::from(""), |id: usize| NodeKey::new("node", id as u64));
    let mut index = Index::new(Schema::default());
    index.reserve(nodes, nodes * degree);
    let mut apply = |event: &Event| index.apply(event, &none).is_ok();
    let feature = Name::from("0");
    for id in 0..nodes {
        let floats: Vec<f32> = (0..WIDTH).map(|_| random.unit() as f32).collect();
        let create = Event::new(Time(0), Action::Create, Element::Node(key(id)));
        assert!(apply(&create.with(vec![(feature.clone(), Some(Value::floats(&floats)))])));
    }
    let relations: Vec<Name> = (0..3).map(|relation| relation.to_string().into()).collect();
    let weight = Name::from("weight");
    for (source, &degree) in degrees.iter().enumerate() {
        for at in 0..degree.max(1) {
            let destination = if skew > 0.0 { shares.draw(&mut random) } else { random.below(nodes) };
            let created = random.below(HORIZON as usize) as i64;
            let removed = (random.unit() < 0.3).then(|| created + 1 + random.below(HORIZON as usize / 4) as i64);
            let heavy = (random.unit() * 1000.0).round() / 1000.0 + 0.001;
            for twin in 0.. {
                let parallel = (twin > 0).then(|| Name::from(twin.to_string().as_str()));
                let edge = EdgeKey {
                    source: key(source),
                    relation: relations[at % 3].clone(),
                    destination: key(destination),
                    key: parallel,
                };
                let create = Event::new(Time(created), Action::Create, Element::Edge(edge.clone()));
                if apply(&create.with(vec![(weight.clone(), Some(Value::number(heavy)))])) {
                    removed.map(|at| apply(&Event::new(Time(at), Action::Delete, Element::Edge(edge))));
                    break;
                }
            }
        }
    }
    index
}

/// Seconds that this thread has run, where the system tells, so that others on the machine count less.
fn seconds_of_thread() -> f64 {
    let run = std::fs::read_to_string("/proc/thread-self/schedstat");
    let nanos = run.ok().and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    nanos.map_or_else(|| START.elapsed().as_secs_f64(), |nanos| nanos / 1e9)
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

struct Bench<'a> {
    index: &'a Index,
    only: Option<&'a str>,
    hub: Option<NodeIndex>,
    rounds: usize,
}

impl Bench<'_> {
    /// Times a question about roots at random nodes and times, and prints the median of 5.
    fn rate(&self, name: &str, mut ask: impl FnMut(Roots<'_>)) {
        if self.only.is_some_and(|only| only != name) {
            return;
        }
        let mut random = Random(7);
        let n = if self.hub.is_some() { 1 << 17 } else { ROOTS };
        let mut seconds: Vec<f64> = (0..=self.rounds)
            .map(|_| {
                let any = |random: &mut Random| NodeIndex(random.below(self.index.n_nodes()) as u32);
                let nodes: Vec<_> = (0..n).map(|_| self.hub.unwrap_or_else(|| any(&mut random))).collect();
                let times: Vec<_> = (0..n).map(|_| Time(random.below(HORIZON as usize) as i64)).collect();
                let start = seconds_of_thread();
                for (nodes, times) in nodes.chunks(BATCH).zip(times.chunks(BATCH)) {
                    let Ok(roots) = Roots::new(nodes, times) else { return f64::NAN };
                    ask(roots);
                }
                seconds_of_thread() - start
            })
            .skip(1)
            .collect();
        seconds.sort_by(f64::total_cmp);
        let hub = if self.hub.is_some() { "hub_" } else { "" };
        println!(
            "{{\"name\":\"{hub}{name}\",\"roots_per_s\":{:.0},\"ns_per_root\":{:.1},\"least_ns\":{:.1}}}",
            n as f64 / seconds[self.rounds / 2],
            seconds[self.rounds / 2] / n as f64 * 1e9,
            seconds[0] / n as f64 * 1e9
        );
    }

    fn samples(&self, name: &str, choice: Choice, weight: WeightBy) {
        let sampling = Sampling::new(scope(), choice, K).weight(weight).seed(3);
        let mut samples = Samples::default();
        self.rate(name, |roots| {
            let mut slots = samples.slots(roots.len(), K);
            // What the peer returns, and with the last ones their times.
            slots.edges = None;
            if choice != Choice::Last {
                slots.created = None;
            }
            if sampling.weight == WeightBy::One {
                slots.weights = None;
            }
            assert!(self.index.sample(&sampling, roots, slots).is_ok());
        });
    }

    fn all(&self) {
        let weight = || WeightBy::Feature("weight".into());
        let mut counts = vec![0; ROOTS];
        self.rate("counts", |roots| {
            assert!(self.index.degrees(&scope(), roots, &mut counts[..roots.len()]).is_ok());
        });
        self.samples("last", Choice::Last, WeightBy::One);
        self.samples("uniform", Choice::Uniform, WeightBy::One);
        self.samples("uniform_distinct", Choice::UniformDistinct, WeightBy::One);
        self.samples("weighted", Choice::Weighted, weight());
        self.samples("weighted_distinct", Choice::WeightedDistinct, weight());
        self.samples("heaviest", Choice::Heaviest, weight());
        let (features, mut rows) = ([("0".into(), WIDTH)], vec![0f32; BATCH * WIDTH]);
        self.rate("node_features_16f", |roots| {
            let (owners, out) = (Owners::nodes(roots, AsOf::At), &mut rows[..roots.len() * WIDTH]);
            assert!(self.index.dense_features(&features, owners, out).is_ok());
        });
        let mut lists = timeweft_index::sample::EdgeLists::default();
        if self.hub.is_none() {
            self.rate("neighbors", |roots| {
                assert!(self.index.edges_of(&scope(), &weight(), roots, &mut lists).is_ok());
            });
        }
    }
}

fn scope() -> Scope {
    Scope::new(EdgeTypes::Only([0, 1, 2].map(EdgeTypeId).into()), Side::Out, AsOf::At)
}

fn main() {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: f64| given.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (nodes, degree, skew) = (number(0, 50_000.0) as usize, number(1, 10.0) as usize, number(2, 0.0));
    let start = Instant::now();
    let index = make(nodes, degree, skew);
    eprintln!("{} nodes, {} edges made in {:.1?}", index.n_nodes(), index.n_edges(), start.elapsed());
    let rounds = number(3, 5.0) as usize;
    let only = given.get(4).map(String::as_str);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let Ok(one) = one else { return };
    one.install(|| {
        Bench { index: &index, only, hub: None, rounds }.all();
        // The node with most edges has the lowest number where there is skew.
        if skew > 0.0 {
            Bench { index: &index, only, hub: Some(NodeIndex(0)), rounds }.all();
        }
    });
}
