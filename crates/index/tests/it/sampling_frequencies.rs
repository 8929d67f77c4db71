//! How often random answers come. Seeds are fixed; each bound is exceeded by chance once in a thousand.

use timeweft_graph::{Action, EdgeIndex, EdgeTypeId, Element, Event, Name, NodeIndex, Time, Value};
use timeweft_index::Index;
use timeweft_index::sample::{
    AsOf, Choice, ElementSampling, Missing, Roots, Samples, Sampling, Scope, Slots, Steps, Walk, WalkTimes,
};

use crate::event_builders::apply;
use crate::random_lives::{edge_key, schema};
use crate::sampling_semantics::{by_weight, graph, sample, scope};

const OPEN: i64 = i64::MAX;

/// Fails if counts are too far from shares. The bound is Wilson and Hilferty's for one in a thousand.
fn assert_shares(counts: &[usize], shares: &[f64], what: &str) {
    let (n, all): (usize, f64) = (counts.iter().sum(), shares.iter().sum());
    let chi: f64 = counts
        .iter()
        .zip(shares)
        .map(|(&count, share)| {
            let expected = n as f64 * share / all;
            assert!(expected > 0.0 || count == 0, "{what}: something that cannot be");
            if expected > 0.0 { (count as f64 - expected).powi(2) / expected } else { 0.0 }
        })
        .sum();
    let df = (shares.iter().filter(|share| **share > 0.0).count() - 1) as f64;
    let h = 2.0 / (9.0 * df);
    let bound = df * (1.0 - h + 3.0902 * h.sqrt()).powi(3);
    assert!(chi < bound, "{what}: {chi} is above {bound}: {counts:?}");
}

fn drawn(index: &Index, sampling: &Sampling, times: &[i64]) -> Vec<u32> {
    sample(index, sampling, &vec![0; times.len()], times).into_iter().map(|slot| slot.0).collect()
}

fn tally(drawn: impl IntoIterator<Item = u32>, n: usize) -> Vec<usize> {
    let mut counts = vec![0; n];
    drawn.into_iter().for_each(|node| counts[node as usize] += 1);
    counts
}

fn large() -> Index {
    let zero = (1..6).map(|to| (0, to, u16::from(to > 2), to as f64, 0, OPEN));
    let one = [(6, 1.5), (7, 3.)].map(|(to, weight)| (1, to, 0, weight, 0, OPEN));
    let later = [(8, 1.5), (9, 3.)].map(|(to, weight)| (1, to, 0, weight, 1, OPEN));
    let rest = (10..15).map(|to| (1, to, 1, 1.0, 1, OPEN));
    graph(15, 0, &zero.chain(one).chain(later).chain(rest).collect::<Vec<_>>())
}

#[test]
fn weighted_draws_come_by_weight() {
    let index = large();
    let mut counts = vec![0; 6];
    for i in 0..1000u64 {
        let sampling = Sampling::new(scope(&[0, 1]), Choice::Weighted, 3).weight(by_weight()).seed(i * i);
        drawn(&index, &sampling, &[0]).into_iter().for_each(|node| counts[node as usize] += 1);
    }
    assert_shares(&counts, &[0., 1., 2., 3., 4., 5.], "weights 1 to 5");
}

#[test]
fn uniform_draws_come_alike() {
    let index = large();
    let uniform = |choice, k, seed| Sampling::new(scope(&[0, 1]), choice, k).seed(seed);
    let mut at_zero = vec![0; 15];
    for seed in 0..1000 {
        let found = sample(&index, &uniform(Choice::Uniform, 3, seed), &[1], &[0]);
        found.iter().for_each(|slot| at_zero[slot.0 as usize] += 1);
    }
    let mut only = vec![0.0; 15];
    (only[6], only[7]) = (1.0, 1.0);
    assert_shares(&at_zero, &only, "two at time 0");
    for choice in [Choice::Uniform, Choice::UniformDistinct] {
        let mut counts = vec![0; 15];
        for seed in 0..1000 {
            let found = sample(&index, &uniform(choice, 3, seed), &[0, 1], &[1, 1]);
            found.iter().for_each(|slot| counts[slot.0 as usize] += 1);
        }
        assert!(counts[1..6].iter().all(|n| (540..=660).contains(n)), "{counts:?}");
        assert!(counts[6..].iter().all(|n| (287..=380).contains(n)), "{counts:?}");
    }
}

#[test]
fn weights_of_three_and_seven_tenths() {
    let index = graph(3, 0, &[(0, 1, 0, 0.3, 0, OPEN), (0, 2, 0, 0.7, 0, OPEN)]);
    let sampling = Sampling::new(scope(&[0]), Choice::Weighted, 1).weight(by_weight()).seed(5);
    assert_shares(&tally(drawn(&index, &sampling, &vec![0; 90_000]), 3), &[0., 0.3, 0.7], ".3 : .7");
    let edges = ElementSampling {
        weight: Some("weight".into()),
        seed: 7,
        ..ElementSampling::new(vec![], Choice::Weighted, 90_000)
    };
    let found = index.sample_edges(&edges, Time(0), AsOf::At).unwrap();
    assert_shares(&tally(found.iter().map(|edge| edge.0), 2), &[0.3, 0.7], ".3 : .7");
}

/// Shares do not depend on how heavy all edges are together, and what weighs nothing is never drawn, be it first or last.
#[test]
fn weights_of_any_size_are_drawn_by_their_shares() {
    for unit in [5e-324, 1e-310, 1e-300, 1e-290, 1.0, 1e289] {
        let weights = [0.0, 3.0, 0.0, 5.0, 0.0];
        let rows: Vec<_> = (0..5).map(|at| (0, at + 1, 0, weights[at] * unit, 0, OPEN)).collect();
        let sampling = Sampling::new(scope(&[0]), Choice::Weighted, 7).weight(by_weight()).seed(6);
        let counts = tally(drawn(&graph(6, 0, &rows), &sampling, &vec![0; 10_000]), 6);
        assert_eq!(counts.iter().sum::<usize>(), 70_000);
        assert_shares(&counts, &[0., 0., 3., 0., 5., 0.], &format!("weights in units of {unit}"));
    }
}

/// An edge to each of so many nodes, of which some end at time 10, with the weights of a function; a third of the weights
/// change at time 5.
fn hub(n: usize, ends: impl Fn(usize) -> bool, weight: impl Fn(usize) -> f64) -> Index {
    let mut index = graph(n + 1, 0, &[]);
    let held = |weight: f64| vec![(Name::from("weight"), Some(Value::number(weight)))];
    for at in 1..=n {
        let edge = || Element::Edge(edge_key((0, 0, at, 0)));
        let first = if at % 3 == 0 { 7.0 } else { weight(at) };
        apply(&mut index, &Event::new(Time(1), Action::Create, edge()).with(held(first))).unwrap();
        if at % 3 == 0 {
            apply(&mut index, &Event::new(Time(5), Action::Update, edge()).with(held(weight(at)))).unwrap();
        }
        if ends(at) {
            apply(&mut index, &Event::new(Time(10), Action::Delete, edge())).unwrap();
        }
    }
    index
}

/// Draws of a hub at time 12, in 50 bins of its neighbors.
fn in_bins(drawn: impl IntoIterator<Item = u32>, n: usize) -> Vec<usize> {
    tally(drawn.into_iter().map(|node| (node - 1) * 50 / n as u32), 50)
}

#[test]
fn draws_at_a_hub_come_by_weight_whatever_ended() {
    let n = 3000;
    // Few ended, most ended at random, most ended in blocks.
    let ends: [fn(usize) -> bool; 3] = [|at| at % 10 == 0, |at| at % 97 != 0, |at| at % 1000 > 20];
    for (case, ends) in ends.into_iter().enumerate() {
        let weight = |at: usize| (at % 5) as f64;
        let index = hub(n, ends, weight);
        let seen = |at: usize| u8::from(!ends(at));
        let shares = |of: &dyn Fn(usize) -> f64| {
            let mut shares = vec![0.0; 50];
            (1..=n).for_each(|at| shares[(at - 1) * 50 / n] += f64::from(seen(at)) * of(at));
            shares
        };
        for k in [1, 10] {
            let times = vec![12; 40_000 / k];
            let uniform = Sampling::new(scope(&[0]), Choice::Uniform, k).seed(case as u64);
            assert_shares(&in_bins(drawn(&index, &uniform, &times), n), &shares(&|_| 1.0), "uniform");
            let weighted = Sampling::new(scope(&[0]), Choice::Weighted, k).weight(by_weight()).seed(case as u64);
            assert_shares(&in_bins(drawn(&index, &weighted, &times), n), &shares(&weight), "weighted");
            let first = |choice| {
                let sampling = Sampling::new(scope(&[0]), choice, k).weight(by_weight()).seed(40 + case as u64);
                drawn(&index, &sampling, &times).into_iter().step_by(k).collect::<Vec<_>>()
            };
            assert_shares(&in_bins(first(Choice::UniformDistinct), n), &shares(&|_| 1.0), "first of distinct ones");
            assert_shares(&in_bins(first(Choice::WeightedDistinct), n), &shares(&weight), "first by weight");
        }
    }
}

/// An edge a tick from 1 to `n`, of which some end at a time, with the weights of a function.
pub(crate) fn row(n: usize, ends: impl Fn(usize) -> i64, weight: impl Fn(usize) -> f64) -> Index {
    let mut events: Vec<(i64, bool, usize)> = (1..=n).map(|at| (at as i64, true, at)).collect();
    events.extend((1..=n).filter(|at| ends(*at) != OPEN).map(|at| (ends(at), false, at)));
    events.sort();
    let mut index = graph(n + 1, 0, &[]);
    for (time, begins, at) in events {
        let action = if begins { Action::Create } else { Action::Delete };
        let held = begins.then(|| (Name::from("weight"), Some(Value::number(weight(at)))));
        let event = Event::new(Time(time), action, Element::Edge(edge_key((0, 0, at, 0))));
        apply(&mut index, &event.with(held.into_iter().collect())).unwrap();
    }
    index
}

#[test]
fn draws_in_a_window_come_by_weight_whatever_lies_before() {
    let n = 6000;
    // None ended; a few of before and of the window; most of both at random; all but the last of the window.
    let ends: [fn(usize) -> i64; 4] = [
        |_| OPEN,
        |at| if at % 10 == 0 { at as i64 + 500 } else { OPEN },
        |at| if at % 29 != 0 { at as i64 + 1 + (at % 7) as i64 * 900 } else { OPEN },
        |at| if at < 5800 { 6000 } else { OPEN },
    ];
    // What lies before is as light, so heavy that sums still tell, too heavy for that.
    for (case, (ends, before)) in ends.iter().flat_map(|of| [1.0, 100.0, 1e15].map(|w| (of, w))).enumerate() {
        let (now, within) = (n as i64 + 1, 2345);
        let start = now - within;
        let light = |at: usize| (at % 5) as f64;
        let weight = |at: usize| if (at as i64) < start { before } else { light(at) };
        let index = row(n, ends, weight);
        let is_seen = |at: usize| at as i64 >= start && ends(at) > now;
        let shares = |of: &dyn Fn(usize) -> f64| {
            let mut shares = vec![0.0; 50];
            (1..=n).filter(|at| is_seen(*at)).for_each(|at| shares[(at - 1) * 50 / n] += of(at));
            shares
        };
        let (alike, by_share) = (shares(&|_| 1.0), shares(&light));
        for k in [1, 10] {
            let times = vec![now; 20_000 / k];
            let ask = |choice, seed| {
                let scope = scope(&[0]).within(within as u64);
                let sampling = Sampling::new(scope, choice, k).weight(by_weight()).seed(seed);
                let found = drawn(&index, &sampling, &times);
                assert!(found.iter().all(|node| is_seen(*node as usize)), "{choice:?} {case}");
                found
            };
            let first = |choice, seed| ask(choice, seed).into_iter().step_by(k).collect::<Vec<_>>();
            let seed = 7 * case as u64 + k as u64;
            assert_shares(&in_bins(ask(Choice::Uniform, seed), n), &alike, "uniform");
            assert_shares(&in_bins(ask(Choice::Weighted, seed), n), &by_share, "weighted");
            assert_shares(&in_bins(first(Choice::UniformDistinct, seed + 1), n), &alike, "first of distinct ones");
            assert_shares(&in_bins(first(Choice::WeightedDistinct, seed + 1), n), &by_share, "first by weight");
        }
    }
}

/// Two heavy edges among light ones: how many of the first two drawn are heavy, and in which order.
#[test]
fn weighted_distinct_draws_come_one_after_another() {
    // (light edges, k): looked through; drawn; drawn until that takes too long, as both heavy ones are taken soon.
    for (light, k) in [(8, 3), (400, 2), (4000, 10)] {
        let (heavy, n) = (light as f64, light + 2);
        let weight = move |at: usize| if at <= 2 { heavy } else { 1.0 };
        let index = hub(n, |_| false, weight);
        let sampling = Sampling::new(scope(&[0]), Choice::WeightedDistinct, k).weight(by_weight()).seed(light as u64);
        let found = drawn(&index, &sampling, &vec![12; 20_000]);
        let mut counts = [0; 4];
        for own in found.chunks(k) {
            counts[usize::from(own[0] <= 2) * 2 + usize::from(own[1] <= 2)] += 1;
            let distinct: std::collections::HashSet<_> = own.iter().collect();
            assert_eq!(distinct.len(), k);
        }
        let (l, h) = (light as f64, heavy);
        let (all, without_light, without_heavy) = (l + 2. * h, l - 1. + 2. * h, l + h);
        let light_first = l / all;
        let heavy_first = 2. * h / all;
        let shares = [
            light_first * (l - 1.) / without_light,
            light_first * 2. * h / without_light,
            heavy_first * l / without_heavy,
            heavy_first * h / without_heavy,
        ];
        assert_shares(&counts, &shares, "heavy and light");
    }
}

#[test]
fn distinct_uniform_draws_are_any_set_alike() {
    // All pairs in order of five neighbors.
    let rows: Vec<_> = (1..6).map(|to| (0, to, 0, 1.0, 0, OPEN)).collect();
    let index = graph(6, 0, &rows);
    let sampling = Sampling::new(scope(&[0]), Choice::UniformDistinct, 2).seed(3);
    let found = drawn(&index, &sampling, &vec![0; 20_000]);
    let pairs = found.chunks(2).map(|pair| (pair[0] - 1) * 5 + pair[1] - 1);
    let shares: Vec<f64> = (0..25).map(|pair| if pair / 5 == pair % 5 { 0.0 } else { 1.0 }).collect();
    assert_shares(&tally(pairs, 25), &shares, "pairs");
}

#[test]
fn second_steps_are_biased_as_told() {
    // From 0 to 1; from 1 back to 0, on to 2, a neighbor of 0, and to 3, which is none; weights 1, 2, 3.
    let rows = [
        (0, 1, 0, 1., 0, OPEN),
        (0, 2, 1, 1e-9, 0, OPEN),
        (1, 0, 0, 1., 0, OPEN),
        (1, 2, 0, 2., 0, OPEN),
        (1, 3, 0, 3., 0, OPEN),
    ];
    // In a window the edge from 0 to 2 is not seen, if it is older; then 2 is no neighbor of 0 either.
    let asks = [(0, None), (0, Some(1)), (0, Some(9)), (-9, Some(8)), (-9, Some(9))];
    let asks =
        asks.into_iter().flat_map(|ask| [(2.0, 0.5), (0.25, 4.0), (1.0, 0.001), (1000.0, 1000.0)].map(|pq| (ask, pq)));
    for ((older, within), (p, q)) in asks {
        let mut rows = rows;
        rows[1].4 = older;
        let index = graph(4, -9, &rows);
        let is_neighbor = within.is_none_or(|within| within as i64 >= -older);
        let scope = Scope { within, ..scope(&[0, 1]) };
        let walk = Walk { p, q, weight: by_weight(), seed: 11, ..Walk::new(scope, 2, WalkTimes::Any) };
        let n = 30_000;
        let (roots, times) = (vec![NodeIndex(0); n], vec![Time(0); n]);
        let mut nodes = vec![NodeIndex(0); 3 * n];
        let steps = Steps { nodes: &mut nodes, ..Steps::default() };
        index.walk(&walk, Roots::new(&roots, &times).unwrap(), steps).unwrap();
        let second = nodes.chunks(3).filter(|walk| walk[1] == NodeIndex(1)).map(|walk| walk[2].0);
        assert_shares(
            &tally(second, 4),
            &[1.0 / p, 0.0, if is_neighbor { 2.0 } else { 2.0 / q }, 3.0 / q],
            "second steps",
        );
    }
}

#[test]
fn forward_steps_come_alike() {
    let rows: Vec<_> =
        (1..9).map(|to| (0, to, (to % 2) as u16, 1.0, to as i64, if to == 5 { 5 } else { OPEN })).collect();
    let index = graph(9, 0, &rows);
    let walk = Walk { seed: 4, ..Walk::new(scope(&[0, 1]), 1, WalkTimes::Later) };
    let n = 20_000;
    let (roots, times) = (vec![NodeIndex(0); n], vec![Time(3); n]);
    let mut nodes = vec![NodeIndex(0); 2 * n];
    index.walk(&walk, Roots::new(&roots, &times).unwrap(), Steps { nodes: &mut nodes, ..Steps::default() }).unwrap();
    // The life of the edge to 5 ended when it began.
    let shares = [0., 0., 0., 1., 1., 0., 1., 1., 1.];
    assert_shares(&tally(nodes.chunks(2).map(|walk| walk[1].0), 9), &shares, "later edges");
}

#[test]
fn nodes_and_edges_come_alike_or_by_weight() {
    let index = hub(500, |at| at % 2 == 0, |at| at as f64);
    let shares: Vec<f64> = (0..500).map(|at| if at % 2 == 0 { 1.0 } else { 0.0 }).collect();
    let by_weight: Vec<f64> = (0..500).map(|at| if at % 2 == 0 { (at + 1) as f64 } else { 0.0 }).collect();
    let draw = |choice, n, weight: Option<&str>| {
        let sampling = ElementSampling {
            weight: weight.map(Name::from),
            seed: 5,
            ..ElementSampling::new(vec![EdgeTypeId(0)], choice, n)
        };
        index.sample_edges(&sampling, Time(12), AsOf::At).unwrap()
    };
    let counts = |edges: Vec<EdgeIndex>| tally(edges.into_iter().map(|edge| edge.0), 500);
    assert_shares(&counts(draw(Choice::Uniform, 100_000, None)), &shares, "edges");
    assert_shares(&counts(draw(Choice::Weighted, 100_000, Some("weight"))), &by_weight, "edges by weight");
    let mut all = draw(Choice::WeightedDistinct, 1000, Some("weight"));
    all.sort();
    all.dedup();
    assert_eq!((all.len(), draw(Choice::UniformDistinct, 100, None).len()), (250, 100));
    let nodes = ElementSampling { seed: 9, ..ElementSampling::new(vec![], Choice::Uniform, 50_100) };
    let found = index.sample_nodes(&nodes, Time(12), AsOf::At).unwrap();
    assert_shares(&tally(found.into_iter().map(|node| node.0), 501), &[1.0; 501], "nodes");
}

/// A hub of 100,000 edges, with times of three units; some edges live many times.
#[test]
fn a_hub_of_100_000_edges() {
    for (base, step) in [(1_500_000_000, 1), (1_600_000_000_000, 977), (1_700_000_000_000_000_000, 1_000_003_333)] {
        let n = 100_000i64;
        let time = |at: i64| base + at * step;
        let mut index = Index::new(schema());
        let node = |id: usize| Element::Node(crate::random_lives::key(id));
        (0..1001).for_each(|id| apply(&mut index, &Event::new(Time(base), Action::Create, node(id))).unwrap());
        // Life `at` begins at its number; of every four lives of an edge three end 500 later, some the fourth, too.
        let removed = |at: i64| if at / 1000 % 4 == 3 && at % 7 != 0 { OPEN } else { time(at + 500) };
        for at in 0..n {
            let edge =
                || Element::Edge(edge_key((0, (at / 4000 % 2) as u16, 1 + (at % 1000) as usize, (at / 4000) as usize)));
            apply(&mut index, &Event::new(Time(time(at)), Action::Create, edge())).unwrap();
            if removed(at) != OPEN {
                apply(&mut index, &Event::new(Time(removed(at)), Action::Delete, edge())).unwrap();
            }
        }
        let ask: Vec<i64> = (0..150).map(|i| (i * 7919) % n).collect();
        let times: Vec<Time> = ask.iter().map(|at| Time(time(*at))).collect();
        let roots = vec![NodeIndex(0); ask.len()];
        let roots = Roots::new(&roots, &times).unwrap();
        let mut counts = vec![0; ask.len()];
        index.degrees(&scope(&[0, 1]), roots, &mut counts).unwrap();
        for choice in [Choice::Last, Choice::Uniform, Choice::UniformDistinct] {
            let mut samples = Samples::default();
            let sampling = Sampling::new(scope(&[0, 1]), choice, 50).seed(2);
            index.sample(&sampling, roots, samples.slots(ask.len(), 50)).unwrap();
            for (root, &at) in ask.iter().enumerate() {
                let seen: Vec<i64> = (0..=at).filter(|life| removed(*life) > time(at)).collect();
                assert_eq!(counts[root] as usize, seen.len());
                let mut found: Vec<i64> =
                    samples.edges[root * 50..(root + 1) * 50].iter().map(|edge| i64::from(edge.0)).collect();
                let newest: Vec<i64> = seen.iter().rev().take(50).copied().collect();
                found.truncate(samples.counts[root] as usize);
                if choice == Choice::Last {
                    assert_eq!(found, newest);
                }
                let wanted = if choice == Choice::Uniform { 50 } else { seen.len().min(50) };
                assert_eq!(found.len(), wanted);
                assert!(found.iter().all(|edge| seen.binary_search(edge).is_ok()));
            }
        }
        let none = Slots { counts: None, ..Slots::default() };
        assert!(
            index
                .sample(
                    &Sampling { missing: Missing::NONE, ..Sampling::new(scope(&[0]), Choice::Last, 1) },
                    roots,
                    none
                )
                .is_ok()
        );
    }
}
