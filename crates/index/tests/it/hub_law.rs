//! A hub of 100,000 edges, most of which end and some of which are made again many times, against a look at all of them.

use timeweft_graph::{Action, EdgeIndex, Element, Event, Name, NodeIndex, Time, Value};
use timeweft_index::sample::{Choice, EdgeLists, Roots, Samples, Sampling, Steps, Walk, WalkTimes};
use timeweft_index::{Index, Recency};

use crate::sample_cases::{by_weight, scope};
use crate::sample_world::{Random, edge_key, key, schema};
use crate::world::apply;

const LIVES: usize = 100_000;
const ASKED: usize = 34_000;
const K: usize = 10;

/// Lives of edges out of the hub in the order of creation: when, until when, of which weight.
struct Hub {
    index: Index,
    created: Vec<i64>,
    removed: Vec<i64>,
    weights: Vec<f64>,
}

/// First times and steps of seconds, milliseconds and nanoseconds.
const UNITS: [(i64, i64); 3] =
    [(1_500_000_000, 1), (1_600_000_000_000, 977), (1_700_000_000_000_000_000, 1_000_003_333)];

impl Hub {
    /// Half of all lives are of 500 edges of two types, 100 each; the others are of edges that live once.
    fn new((base, step): (i64, i64)) -> Hub {
        let mut random = Random(base as u64);
        let mut index = Index::new(schema());
        let node = |id: usize| Element::Node(key(id));
        let n_nodes = 1 + 500 + LIVES / 2;
        (0..n_nodes).for_each(|id| apply(&mut index, &Event::new(Time(base), Action::Create, node(id))).unwrap());
        let (mut hub, mut ends) = (Hub { index, created: vec![], removed: vec![], weights: vec![] }, vec![]);
        for at in 0..LIVES {
            let again = at % 2 == 0;
            let edge = if again { 1 + at / 2 % 500 } else { 501 + at / 2 };
            let now = base + at as i64 / 2 * 2 * step;
            // What is made again has ended before: 500 rounds of two later.
            let lasts = 1 + random.below(if again { 999 } else { 60_000 }) as i64;
            let ends_at = if !again && random.below(4) == 0 { i64::MAX } else { now + lasts * step };
            let weight = random.below(8) as f64;
            hub.created.push(now);
            hub.removed.push(ends_at);
            hub.weights.push(weight);
            ends.push((ends_at, at, edge_key((0, (edge % 2) as u16, edge, 0)), weight));
        }
        let mut events: Vec<(i64, bool, usize)> = (0..LIVES).map(|at| (hub.created[at], true, at)).collect();
        events.extend(ends.iter().filter(|end| end.0 != i64::MAX).map(|end| (end.0, false, end.1)));
        events.sort();
        for (time, begins, at) in events {
            let action = if begins { Action::Create } else { Action::Delete };
            let weight = begins.then(|| (Name::from("weight"), Some(Value::number(ends[at].3))));
            let event = Event::new(Time(time), action, Element::Edge(ends[at].2.clone()));
            apply(&mut hub.index, &event.with(weight.into_iter().collect())).unwrap();
        }
        hub
    }

    fn is_alive(&self, life: usize, time: i64) -> bool {
        self.created[life] <= time && (time < self.removed[life] || self.removed[life] == i64::MAX)
    }

    /// How many are alive, by a look at all.
    fn count(&self, time: i64) -> usize {
        self.created
            .iter()
            .zip(&self.removed)
            .filter(|(created, removed)| **created <= time && time < **removed)
            .count()
    }

    fn times(&self, seed: u64) -> Vec<Time> {
        let mut random = Random(seed);
        let (first, last) = (self.created[0], *self.created.last().unwrap());
        let time = |random: &mut Random| match random.below(5) {
            0 => self.created[random.below(LIVES)],
            1 => self.removed[random.below(LIVES)].min(i64::MAX - 1),
            2 => last + 1,
            _ => first - 3 + random.below((last - first) as usize) as i64,
        };
        (0..ASKED).map(|_| Time(time(&mut random))).collect()
    }
}

fn of_hub(index: &Index) -> Vec<NodeIndex> {
    vec![index.node_index(&key(0)).unwrap(); ASKED]
}

fn sample(hub: &Hub, choice: Choice, times: &[Time]) -> Samples {
    let mut samples = Samples::default();
    let sampling = Sampling::new(scope(&[0, 1]), choice, K).weight(by_weight()).seed(2);
    let nodes = of_hub(&hub.index);
    hub.index.sample(&sampling, Roots::new(&nodes, times).unwrap(), samples.slots(ASKED, K)).unwrap();
    samples
}

/// Checks all samples of a choice against what is alive; `best` says which of two lives comes first where that matters.
fn check(choice: Choice) {
    let mut n = 0;
    for unit in UNITS {
        let hub = Hub::new(unit);
        let times = hub.times(unit.0 as u64 + 1);
        let samples = sample(&hub, choice, &times);
        let mut order: Vec<usize> = (0..LIVES).rev().collect();
        if choice == Choice::Heaviest {
            order.sort_by(|a, b| hub.weights[*b].total_cmp(&hub.weights[*a]));
        }
        let heavy = |life: usize| hub.weights[life] > 0.0;
        for (root, time) in times.iter().enumerate() {
            let own = &samples.edges[root * K..(root + 1) * K][..samples.counts[root] as usize];
            let found: Vec<usize> = own.iter().map(|edge| edge.at()).collect();
            // Which are alive, found by going through all until there are enough.
            let seen = order.iter().copied().filter(|life| hub.is_alive(*life, time.0));
            let drawn_by_weight = matches!(choice, Choice::Weighted | Choice::WeightedDistinct);
            let wanted: Vec<usize> = seen.filter(|life| !drawn_by_weight || heavy(*life)).take(K).collect();
            match choice {
                Choice::Last | Choice::Heaviest => assert_eq!(found, wanted, "{choice:?} {time}"),
                Choice::Uniform | Choice::Weighted => {
                    assert_eq!(found.len(), if wanted.is_empty() { 0 } else { K }, "{choice:?} {time}");
                }
                _ => {
                    assert_eq!(found.len(), wanted.len(), "{choice:?} {time}");
                    assert!((1..found.len()).all(|at| !found[..at].contains(&found[at])), "{choice:?} {time}");
                }
            }
            let may = |life: &usize| hub.is_alive(*life, time.0) && (!drawn_by_weight || heavy(*life));
            assert!(found.iter().all(may), "{choice:?} {time}: {found:?}");
            n += 1;
        }
    }
    assert!(n >= 100_000, "{n}");
}

#[test]
fn s49_last_k_at_a_hub() {
    check(Choice::Last);
}

#[test]
fn s49_uniform_samples_at_a_hub() {
    check(Choice::Uniform);
}

#[test]
fn s49_uniform_distinct_samples_at_a_hub() {
    check(Choice::UniformDistinct);
}

#[test]
fn s49_weighted_samples_at_a_hub() {
    check(Choice::Weighted);
}

#[test]
fn s49_weighted_distinct_samples_at_a_hub() {
    check(Choice::WeightedDistinct);
}

#[test]
fn s49_heaviest_at_a_hub() {
    check(Choice::Heaviest);
}

#[test]
fn s49_counts_and_counters_at_a_hub() {
    let mut n = 0;
    for unit in UNITS {
        let hub = Hub::new(unit);
        let (times, nodes) = (hub.times(unit.0 as u64), of_hub(&hub.index));
        let roots = Roots::new(&nodes, &times).unwrap();
        let (mut counts, mut recencies) = (vec![7; ASKED], vec![Recency::default(); ASKED]);
        hub.index.degrees(&scope(&[0, 1]), roots, &mut counts).unwrap();
        hub.index.recencies(&scope(&[0, 1]), roots, &mut recencies).unwrap();
        for (root, time) in times.iter().enumerate() {
            assert_eq!(counts[root] as usize, hub.count(time.0), "{time}");
            let begun = hub.created.iter().filter(|created| **created <= time.0).count();
            let last = begun.checked_sub(1).map(|last| Time(hub.created[last]));
            assert_eq!((recencies[root].count as usize, recencies[root].last), (begun, last), "{time}");
            n += 1;
        }
    }
    assert!(n >= 100_000, "{n}");
}

#[test]
fn s49_lists_and_walks_at_a_hub() {
    for unit in UNITS {
        let hub = Hub::new(unit);
        let (times, nodes) = (hub.times(unit.0 as u64 + 2), of_hub(&hub.index));
        let mut lists = EdgeLists::default();
        let few = Roots::new(&nodes[..300], &times[..300]).unwrap();
        hub.index.edges_of(&scope(&[0, 1]), &by_weight(), few, &mut lists).unwrap();
        let mut rest = lists.edges.iter().zip(&lists.edge_types).zip(&lists.weights);
        for (root, time) in times[..300].iter().enumerate() {
            let own: Vec<_> = rest.by_ref().take(lists.counts[root] as usize).collect();
            assert!(own.is_sorted_by_key(|((edge, edge_type), _)| (**edge_type, **edge)));
            assert!(own.iter().all(|((edge, _), weight)| **weight == hub.weights[edge.at()]));
            let mut found: Vec<usize> = own.iter().map(|((edge, _), _)| edge.at()).collect();
            found.sort_unstable();
            assert_eq!(found, (0..LIVES).filter(|life| hub.is_alive(*life, time.0)).collect::<Vec<_>>(), "{time}");
        }
        for kind in [WalkTimes::Any, WalkTimes::Later] {
            let walk = Walk { seed: 8, ..Walk::new(scope(&[0, 1]), 1, kind) };
            let (mut walked, mut edges) = (vec![NodeIndex(0); 2 * ASKED], vec![EdgeIndex(0); ASKED]);
            let steps = Steps { nodes: &mut walked, edges: Some(&mut edges), created: None };
            hub.index.walk(&walk, Roots::new(&nodes, &times).unwrap(), steps).unwrap();
            for (time, edge) in times.iter().zip(edges) {
                let may = |life: usize| match kind {
                    WalkTimes::Later => hub.created[life] >= time.0,
                    _ => hub.is_alive(life, time.0),
                };
                let is_right = if edge.at() < LIVES { may(edge.at()) } else { !(0..LIVES).any(may) };
                assert!(is_right, "{kind:?} {time} {edge:?}");
            }
        }
    }
}
