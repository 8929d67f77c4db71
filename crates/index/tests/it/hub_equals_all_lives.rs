//! A hub of 100,000 edges, most of which end and some of which are made again many times, against a look at all of them.

use timeweft_graph::{Action, EdgeIndex, EdgeTypeId, Element, Event, Name, NodeIndex, Time, Value};
use timeweft_index::sample::{
    AsOf, Choice, EdgeLists, EdgeTypes, HopTime, NO_EDGE, PageRank, Roots, Samples, Sampling, Scope, Side, Steps, Walk,
    WalkTimes,
};
use timeweft_index::{Index, Recency};

use crate::event_builders::apply;
use crate::random_lives::{Random, edge_key, key, schema};
use crate::sampling_semantics::{by_weight, scope};

const LIVES: usize = 100_000;
const ASKED: usize = 34_000;
const K: usize = 10;

/// Lives of edges out of the hub in the order of creation: when, until when, of which weight.
struct Hub {
    index: Index,
    created: Vec<i64>,
    removed: Vec<i64>,
    weights: Vec<f64>,
    /// The node at the other end, by the number of its key and index; the type of an edge is whether that is odd.
    leaves: Vec<usize>,
    /// The lives at each leaf.
    at: Vec<Vec<usize>>,
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
        let (created, removed, weights, leaves) = (vec![], vec![], vec![], vec![]);
        let mut hub = Hub { index, created, removed, weights, leaves, at: vec![vec![]; n_nodes] };
        let mut ends = vec![];
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
            hub.leaves.push(edge);
            hub.at[edge].push(at);
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

const CHOICES: [Choice; 6] = [
    Choice::Last,
    Choice::Uniform,
    Choice::UniformDistinct,
    Choice::Weighted,
    Choice::WeightedDistinct,
    Choice::Heaviest,
];

/// Lives in the order in which a choice takes them where that matters.
fn order(hub: &Hub, choice: Choice) -> Vec<usize> {
    let mut order: Vec<usize> = (0..LIVES).rev().collect();
    if choice == Choice::Heaviest {
        order.sort_by(|a, b| hub.weights[*b].total_cmp(&hub.weights[*a]));
    }
    order
}

/// Checks what was picked of some lives, in their order, against those that are alive, found by going through them until there
/// are enough.
fn check_picks(hub: &Hub, choice: Choice, time: Time, k: usize, all: impl Iterator<Item = usize>, found: &[usize]) {
    let drawn_by_weight = matches!(choice, Choice::Weighted | Choice::WeightedDistinct);
    let may = |life: &usize| hub.is_alive(*life, time.0) && (!drawn_by_weight || hub.weights[*life] > 0.0);
    let wanted: Vec<usize> = all.filter(may).take(k).collect();
    match choice {
        Choice::Last | Choice::Heaviest => assert_eq!(found, wanted, "{choice:?} {time}"),
        Choice::Uniform | Choice::Weighted => {
            assert_eq!(found.len(), if wanted.is_empty() { 0 } else { k }, "{choice:?} {time}");
        }
        _ => {
            assert_eq!(found.len(), wanted.len(), "{choice:?} {time}");
            assert!((1..found.len()).all(|at| !found[..at].contains(&found[at])), "{choice:?} {time}");
        }
    }
    assert!(found.iter().all(may), "{choice:?} {time}: {found:?}");
}

/// The lives in the slots of a root.
fn lives(samples: &Samples, root: usize, k: usize) -> Vec<usize> {
    samples.edges[root * k..(root + 1) * k][..samples.counts[root] as usize].iter().map(|edge| edge.at()).collect()
}

/// Checks all samples of a choice against what is alive.
fn check(choice: Choice) {
    let mut n = 0;
    for unit in UNITS {
        let hub = Hub::new(unit);
        let times = hub.times(unit.0 as u64 + 1);
        let (samples, order) = (sample(&hub, choice, &times), order(&hub, choice));
        for (root, time) in times.iter().enumerate() {
            check_picks(&hub, choice, *time, K, order.iter().copied(), &lives(&samples, root, K));
            n += 1;
        }
    }
    assert!(n >= 100_000, "{n}");
}

/// Windows of a few edges, of many and of nearly all, from the very time of an edge on or beside it.
fn windows(hub: &Hub, (_, step): (i64, i64)) -> [u64; 4] {
    let all = (hub.created[LIVES - 1] - hub.created[0]) as u64;
    [700 * step as u64, all / 10, all / 2 + 1, all - 300 * step as u64]
}

/// All choices in windows, so many roots each.
#[test]
fn windows_at_a_hub() {
    let (mut n, mut found_any) = (0, 0);
    for unit in UNITS {
        let hub = Hub::new(unit);
        let (nodes, mut random) = (of_hub(&hub.index), Random(3));
        for (choice, within) in CHOICES.into_iter().flat_map(|c| windows(&hub, unit).map(|within| (c, within))) {
            let mut times = hub.times(random.next());
            times.truncate(if choice == Choice::Heaviest { 60 } else { 400 });
            for time in times.iter_mut().step_by(2) {
                let created = hub.created[random.below(LIVES)];
                *time = Time(created + within as i64 + random.below(3) as i64 - 1);
            }
            let roots = Roots::new(&nodes[..times.len()], &times).unwrap();
            let scope = scope(&[0, 1]).within(within);
            let sampling = Sampling::new(scope.clone(), choice, K).weight(by_weight()).seed(2);
            let (mut samples, mut counts) = (Samples::default(), vec![7; times.len()]);
            hub.index.sample(&sampling, roots, samples.slots(times.len(), K)).unwrap();
            hub.index.degrees(&scope, roots, &mut counts).unwrap();
            let mut recencies = vec![Recency::default(); times.len()];
            hub.index.recencies(&scope, roots, &mut recencies).unwrap();
            let order = order(&hub, choice);
            for (root, time) in times.iter().enumerate() {
                let first = time.0 - within as i64;
                let start = hub.created.partition_point(|created| *created < first);
                let end = hub.created.partition_point(|created| *created <= time.0);
                let found = lives(&samples, root, K);
                match choice {
                    Choice::Heaviest => {
                        let own = order.iter().copied().filter(|life| *life >= start);
                        check_picks(&hub, choice, *time, K, own, &found);
                    }
                    _ => check_picks(&hub, choice, *time, K, (start..end).rev(), &found),
                }
                assert!(found.iter().all(|life| *life >= start), "{choice:?} {within} {time}");
                if root % 20 < 2 {
                    let alive = (start..end).filter(|life| hub.is_alive(*life, time.0)).count();
                    assert_eq!(counts[root] as usize, alive, "{within} {time}");
                }
                let recency = (recencies[root].count as usize, recencies[root].last);
                assert_eq!(recency, (end - start, (start < end).then(|| Time(hub.created[end - 1]))));
                (n, found_any) = (n + 1, found_any + usize::from(!found.is_empty()));
            }
        }
    }
    assert!(n == 24_720 && found_any > n * 3 / 4, "{n} {found_any}");
}

#[test]
fn last_k_at_a_hub() {
    check(Choice::Last);
}

#[test]
fn uniform_samples_at_a_hub() {
    check(Choice::Uniform);
}

#[test]
fn uniform_distinct_samples_at_a_hub() {
    check(Choice::UniformDistinct);
}

#[test]
fn weighted_samples_at_a_hub() {
    check(Choice::Weighted);
}

#[test]
fn weighted_distinct_samples_at_a_hub() {
    check(Choice::WeightedDistinct);
}

#[test]
fn heaviest_at_a_hub() {
    check(Choice::Heaviest);
}

#[test]
fn counts_and_counters_at_a_hub() {
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
fn quotas_at_a_hub() {
    let (mut n, quotas) = (0, [(EdgeTypeId(1), 4), (EdgeTypeId(0), 3)]);
    for unit in UNITS {
        let hub = Hub::new(unit);
        let (all, nodes) = (hub.times(unit.0 as u64 + 3), of_hub(&hub.index));
        for (choice, times) in CHOICES.into_iter().zip(all.chunks(ASKED.div_ceil(CHOICES.len()))) {
            let sampling = Sampling::new(scope(&[0, 1]), choice, 0).quotas(quotas.to_vec()).weight(by_weight());
            let (mut samples, order) = (Samples::default(), order(&hub, choice));
            let roots = Roots::new(&nodes[..times.len()], times).unwrap();
            hub.index.sample(&sampling, roots, samples.slots(times.len(), 7)).unwrap();
            for (root, time) in times.iter().enumerate() {
                let found = lives(&samples, root, 7);
                let is_odd = |life: &usize| hub.leaves[*life] % 2 == 1;
                let (odd, even) = found.split_at(found.iter().take_while(|life| is_odd(life)).count());
                let of = |odd| order.iter().copied().filter(move |life| is_odd(life) == odd);
                check_picks(&hub, choice, *time, 4, of(true), odd);
                check_picks(&hub, choice, *time, 3, of(false), even);
                n += 1;
            }
        }
    }
    assert!(n >= 100_000, "{n}");
}

/// Three hops: to leaves, back to the hub and out again, as of the first time or of each edge's.
#[test]
fn hops_at_a_hub() {
    let (mut n, sizes) = (0, [2, 1, 2]);
    for unit in UNITS {
        let hub = Hub::new(unit);
        let (all, nodes) = (hub.times(unit.0 as u64 + 4), of_hub(&hub.index));
        let asks = [HopTime::Root, HopTime::Edge].into_iter().flat_map(|time| CHOICES.map(|choice| (choice, time)));
        for ((choice, hop_time), times) in asks.zip(all.chunks(ASKED.div_ceil(2 * CHOICES.len()))) {
            let sampling = Sampling::new(both(), choice, 0).weight(by_weight()).seed(6);
            let (mut hops, order) = (Vec::new(), order(&hub, choice));
            let roots = Roots::new(&nodes[..times.len()], times).unwrap();
            hub.index.fan_out(&sampling, &sizes, hop_time, roots, &mut hops).unwrap();
            let mut asked: Vec<_> = times.iter().map(|time| Some((0, *time))).collect();
            for (samples, k) in hops.iter().zip(sizes) {
                let mut next = Vec::new();
                for (root, ask) in asked.iter().enumerate() {
                    let found = lives(samples, root, k);
                    match ask {
                        None => assert!(found.is_empty(), "{found:?}"),
                        Some((0, time)) => check_picks(&hub, choice, *time, k, order.iter().copied(), &found),
                        Some((leaf, time)) => {
                            let mut own = hub.at[*leaf].clone();
                            own.reverse();
                            if choice == Choice::Heaviest {
                                own.sort_by(|a, b| hub.weights[*b].total_cmp(&hub.weights[*a]));
                            }
                            check_picks(&hub, choice, *time, k, own.into_iter(), &found);
                        }
                    }
                    let to = |life: usize| if matches!(ask, Some((0, _))) { hub.leaves[life] } else { 0 };
                    let then =
                        |life: usize, time| if hop_time == HopTime::Edge { Time(hub.created[life]) } else { time };
                    let slot =
                        |at: usize| found.get(at).zip(*ask).map(|(&life, (_, time))| (to(life), then(life, time)));
                    next.extend((0..k).map(slot));
                    n += 1;
                }
                asked = next;
            }
        }
    }
    assert!(n >= 100_000, "{n}");
}

fn both() -> Scope {
    Scope::new(EdgeTypes::All, Side::Both, AsOf::At)
}

/// Walks of three steps from the hub: to a leaf, back and out again. How many steps were taken, and how many walks ended early.
fn check_walks(walk: &Walk, asked: usize) -> (usize, usize) {
    let (mut steps_taken, mut ends) = (0, 0);
    for unit in UNITS {
        let hub = Hub::new(unit);
        let (times, nodes) = (hub.times(unit.0 as u64 + 5), of_hub(&hub.index));
        let (times, nodes) = (&times[..asked], &nodes[..asked]);
        let (mut walked, mut edges) = (vec![NodeIndex(0); 4 * asked], vec![EdgeIndex(0); 3 * asked]);
        let steps = Steps { nodes: &mut walked, edges: Some(&mut edges), created: None };
        hub.index.walk(walk, Roots::new(nodes, times).unwrap(), steps).unwrap();
        for (root, time) in times.iter().enumerate() {
            let (mut time, mut first) = (time.0, true);
            for (edge, ends_of) in edges[3 * root..][..3].iter().zip(walked[4 * root..][..4].windows(2)) {
                let may = |life: usize| match walk.times {
                    WalkTimes::Later => hub.created[life] >= time + i64::from(!first),
                    WalkTimes::Earlier if !first => hub.is_alive(life, time - 1),
                    _ => hub.is_alive(life, time),
                };
                let may = |life: usize| may(life) && (walk.weight != by_weight() || hub.weights[life] > 0.0);
                let at_hub = ends_of[0] == nodes[0];
                if *edge == NO_EDGE {
                    let own = if at_hub { &[][..] } else { &hub.at[ends_of[0].at()] };
                    let any = if at_hub { (0..LIVES).any(may) } else { own.iter().any(|life| may(*life)) };
                    assert!(!any, "{walk:?} {time} {ends_of:?}");
                    ends += 1;
                    break;
                }
                let (life, leaf) = (edge.at(), hub.leaves[edge.at()]);
                let (here, there) = if at_hub { (nodes[0].at(), leaf) } else { (leaf, nodes[0].at()) };
                assert_eq!((ends_of[0].at(), ends_of[1].at()), (here, there), "{walk:?} {time}");
                assert!(may(life), "{walk:?} {time} {edge:?}");
                if walk.times != WalkTimes::Any {
                    time = hub.created[life];
                }
                (first, steps_taken) = (false, steps_taken + 1);
            }
        }
    }
    (steps_taken, ends)
}

/// The way back is always open: the edge that led to a leaf is still there, or began when the walk stands at it.
#[test]
fn plain_walks_at_a_hub() {
    let walk = Walk { seed: 8, weight: by_weight(), ..Walk::new(both(), 3, WalkTimes::Any) };
    assert_eq!(check_walks(&walk, ASKED), (9 * ASKED, 0));
}

#[test]
fn walks_that_are_not_later_at_a_hub() {
    assert_eq!(check_walks(&Walk { seed: 9, ..Walk::new(both(), 3, WalkTimes::NotLater) }, ASKED), (9 * ASKED, 0));
}

#[test]
fn earlier_walks_at_a_hub() {
    let (steps, ends) = check_walks(&Walk { seed: 10, ..Walk::new(both(), 3, WalkTimes::Earlier) }, ASKED);
    assert!(steps >= 3 * ASKED && ends > ASKED, "{steps} {ends}");
}

#[test]
fn later_walks_at_a_hub() {
    let (steps, ends) = check_walks(&Walk { seed: 11, ..Walk::new(both(), 3, WalkTimes::Later) }, ASKED);
    assert!(steps >= 3 * ASKED && ends > ASKED, "{steps} {ends}");
}

/// A biased step weighs every edge of the hub, so that few walks are asked for.
#[test]
fn biased_walks_at_a_hub() {
    let walk = Walk { seed: 12, p: 0.25, q: 4.0, ..Walk::new(both(), 3, WalkTimes::Any) };
    assert_eq!(check_walks(&walk, 300), (9 * 300, 0));
}

/// Of a star the exact ranks are known: from its center, each second step is back there.
#[test]
fn page_rank_at_a_hub() {
    let (alpha, eps, k, asked) = (0.15, 1e-7, 100, 60);
    for unit in UNITS {
        let hub = Hub::new(unit);
        let (times, nodes) = (hub.times(unit.0 as u64 + 6), of_hub(&hub.index));
        let (times, nodes) = (&times[..asked], &nodes[..asked]);
        let (mut found, mut ranks) = (vec![NodeIndex(7); asked * k], vec![7.0; asked * k]);
        let page_rank = PageRank { scope: both(), alpha, eps, k };
        hub.index.page_rank(&page_rank, Roots::new(nodes, times).unwrap(), &mut found, &mut ranks).unwrap();
        for (root, time) in times.iter().enumerate() {
            let edges = |leaf: usize| hub.at[leaf].iter().filter(|life| hub.is_alive(**life, time.0)).count() as f64;
            let all = hub.count(time.0) as f64;
            let center = if all == 0.0 { alpha } else { alpha / (1.0 - (1.0 - alpha) * (1.0 - alpha)) };
            for (node, rank) in found[root * k..][..k].iter().zip(&ranks[root * k..][..k]) {
                let (exact, degree) = match node {
                    node if *node == nodes[0] => (center, all),
                    node if node.at() < hub.at.len() => {
                        ((1.0 - alpha) * center * edges(node.at()) / all, edges(node.at()))
                    }
                    _ => (0.0, 0.0),
                };
                let lacks = exact - rank;
                assert!(
                    (-1e-12..=eps * degree.max(1.0) + 1e-12).contains(&lacks),
                    "{time} {node:?}: {rank} of {exact}"
                );
            }
            assert_eq!(found[root * k], nodes[0], "{time}");
            let there = found[root * k..][..k].iter().filter(|node| node.at() < hub.at.len()).count();
            let leaves = (1..hub.at.len()).filter(|leaf| edges(*leaf) > 0.0).count();
            assert_eq!(there, k.min(1 + leaves), "{time}");
        }
    }
}

#[test]
fn lists_at_a_hub() {
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
    }
}
