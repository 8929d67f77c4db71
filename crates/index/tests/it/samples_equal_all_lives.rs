//! Samples and counts against a look at all lives: sets, how often, and order.

use std::collections::{HashMap, HashSet};

use timeweft_graph::{Deletes, EdgeIndex, EdgeTypeId, NodeIndex, Time};
use timeweft_index::Index;
use timeweft_index::sample::{
    AsOf, Choice, EdgeLists, EdgeTypes, HopTime, NO_NODE, Roots, Samples, Sampling, Scope, Side, WeightBy, Within,
};

use crate::random_lives::{Random, SCALES, Seen, TYPES, World};

/// Roots of each of the worlds; half of them ask the graph made at once, half the one kept up.
const ROOTS: usize = 13_000;

fn scopes() -> Vec<Scope> {
    let some = EdgeTypes::Only([2, 0, 2, 77].map(EdgeTypeId).into());
    vec![
        Scope::new(EdgeTypes::All, Side::Out, AsOf::At),
        Scope::new(some.clone(), Side::In, AsOf::Before),
        Scope::new(EdgeTypes::Only(vec![EdgeTypeId(1)]), Side::Both, AsOf::At),
        Scope::new(some, Side::Both, AsOf::Before).deletes(Deletes::Soft),
    ]
}

/// Roots with their answers.
struct Asked {
    world: World,
    nodes: Vec<NodeIndex>,
    times: Vec<Time>,
}

impl Asked {
    fn new(seed: u64, scale: usize, nodes: usize, steps: usize, roots: usize) -> Asked {
        let world = World::random(seed, SCALES[scale], nodes, steps);
        let mut random = Random(seed + 1000);
        // Now and then a node that is not there.
        let nodes = (0..roots).map(|_| NodeIndex(random.below(nodes + 1) as u32)).collect();
        let (first, span) = (world.first, (world.last - world.first) as usize);
        let mut time = || match random.below(50) {
            0 => Time::FOREVER,
            1 => Time::MIN,
            2 => Time(first - 1),
            // The very time of an event.
            3..20 => Time(world.lives[random.below(world.lives.len())].removed),
            20..30 => Time(world.lives[random.below(world.lives.len())].created),
            _ => Time(first + random.below(span + 2) as i64),
        };
        let times = (0..roots).map(|_| time()).collect();
        Asked { world, nodes, times }
    }

    /// Asks many of fewer roots at times whose windows begin when an edge was created.
    fn ask_at_windows(&mut self, within: u64) {
        self.nodes.truncate(self.nodes.len() / 4);
        self.times.truncate(self.nodes.len());
        let mut random = Random(within);
        for (node, time) in self.nodes.iter().zip(&mut self.times).step_by(2) {
            *time = self.world.window_time(&mut random, *node, within).unwrap_or(*time);
        }
    }

    fn roots(&self) -> Roots<'_> {
        Roots::new(&self.nodes, &self.times).unwrap()
    }

    fn seen(&self, scope: &Scope) -> Vec<Vec<Seen>> {
        let of = |(node, time): (&NodeIndex, &Time)| self.world.seen(scope, node.at(), time.0);
        self.nodes.iter().zip(&self.times).map(of).collect()
    }
}

/// Every scale of times, at once and kept up; of any time, and in a window.
fn each(mut check: impl FnMut(&Asked, &Index, &Scope)) {
    let asks = (0..SCALES.len()).flat_map(|scale| scopes().into_iter().map(move |scope| (scale, scope)));
    for (at, (scale, scope)) in asks.enumerate() {
        let mut asked = Asked::new(scale as u64, scale, 30, 3000, ROOTS / 2);
        let indexes = asked.world.indexes();
        indexes.iter().for_each(|index| check(&asked, index, &scope));
        let within = SCALES[scale].windows()[at % 5];
        asked.ask_at_windows(within);
        let scope = scope.within(within);
        indexes.iter().for_each(|index| check(&asked, index, &scope));
    }
}

fn by_weight() -> WeightBy {
    WeightBy::Feature("weight".into())
}

#[test]
fn counts_and_edges_equal_a_look_at_all_lives() {
    let (mut n, mut found) = (0, 0);
    each(|asked, index, scope| {
        let (mut counts, mut lists) = (vec![7; asked.nodes.len()], EdgeLists::default());
        index.degrees(scope, asked.roots(), &mut counts).unwrap();
        index.edges_of(scope, &by_weight(), asked.roots(), &mut lists).unwrap();
        let mut at = 0;
        for (root, seen) in asked.seen(scope).iter().enumerate() {
            assert_eq!(counts[root] as usize, seen.len(), "{scope:?} {:?} {}", asked.nodes[root], asked.times[root]);
            assert_eq!(lists.counts[root] as usize, seen.len());
            let own = at..at + seen.len();
            assert_eq!(listed(&lists, own), *seen, "{scope:?} {:?} {}", asked.nodes[root], asked.times[root]);
            at += seen.len();
            n += 1;
            found += seen.len();
        }
        assert_eq!(lists.edges.len(), at);
    });
    assert!(n >= 100_000 && found > n * 4, "{n} {found}");
}

fn listed(lists: &EdgeLists, own: std::ops::Range<usize>) -> Vec<Seen> {
    let seen = |at: usize| Seen {
        edge_type: lists.edge_types[at].0,
        direction: lists.directions[at],
        created: lists.created[at].0,
        edge: lists.edges[at].0,
        neighbor: lists.neighbors[at].0,
        removed: lists.removed[at].0,
        weight: lists.weights[at],
    };
    own.map(seen).collect()
}

#[test]
fn history_and_spans_equal_a_look_at_all_lives() {
    let mut n = 0;
    each(|asked, index, scope| {
        let mut random = Random(5);
        let span = ((asked.world.last - asked.world.first) / 3) as usize;
        let late = |time: &Time| match random.below(9) {
            0 => Time::FOREVER,
            1 => Time(time.0.saturating_sub(1)),
            2 => *time,
            _ => Time(time.0.saturating_add(random.below(span) as i64)),
        };
        let until: Vec<_> = asked.times.iter().map(late).collect();
        for within in [Within::Created, Within::Alive] {
            let mut lists = EdgeLists::default();
            let from = asked.roots();
            index.edges_within((scope, within), &by_weight(), from, &until, &mut lists).unwrap();
            let mut at = 0;
            for (root, (time, until)) in asked.times.iter().zip(&until).enumerate() {
                let all = asked.world.at_node(scope, asked.nodes[root].at(), until.0.saturating_sub(1));
                let is_in = |seen: &&Seen| {
                    let began = seen.created < until.0 && seen.created < seen.removed && time < until;
                    let later = if within == Within::Created { seen.created >= time.0 } else { seen.removed > time.0 };
                    // What never ends is there at the end of time.
                    began && (later || within == Within::Alive && seen.removed == i64::MAX)
                };
                let wanted: Vec<Seen> = all.iter().filter(is_in).copied().collect();
                let own = at..at + lists.counts[root] as usize;
                assert_eq!(listed(&lists, own.clone()), wanted, "{within:?} {scope:?} {time}..{until}");
                at = own.end;
                n += 1;
            }
        }
    });
    assert!(n >= 200_000, "{n}");
}

/// (edge, type, neighbor, created, weight)
type Picked = (u32, u16, u32, i64, f64);

/// The picks of a root.
fn picked(samples: &Samples, root: usize, k: usize) -> Vec<Picked> {
    let one = |at: usize| {
        let (edge, edge_type) = (samples.edges[at].0, samples.edge_types[at].0);
        (edge, edge_type, samples.neighbors[at].0, samples.created[at].0, samples.weights[at])
    };
    let filled = samples.counts[root] as usize;
    let empty = root * k + filled..(root + 1) * k;
    assert!(empty.clone().all(|at| samples.neighbors[at] == NO_NODE && samples.edges[at] == EdgeIndex(u32::MAX)));
    assert!(empty.clone().all(|at| samples.created[at] == Time::MIN && samples.weights[at] == 0.0));
    (root * k..root * k + filled).map(one).collect()
}

fn parts(seen: &Seen) -> Picked {
    (seen.edge, seen.edge_type, seen.neighbor, seen.created, seen.weight)
}

fn is_by_weight(choice: Choice) -> bool {
    matches!(choice, Choice::Weighted | Choice::WeightedDistinct)
}

/// Fails unless the picks are such as a choice may make of what is seen.
fn check_picks(choice: Choice, k: usize, mut seen: Vec<Seen>, picks: &[Picked], context: &dyn Fn() -> String) {
    if is_by_weight(choice) {
        seen.retain(|seen| seen.weight > 0.0);
    }
    let repeats = matches!(choice, Choice::Uniform | Choice::Weighted);
    let most = if repeats && !seen.is_empty() { k } else { seen.len().min(k) };
    assert_eq!(picks.len(), most, "{}", context());
    if matches!(choice, Choice::Last | Choice::Heaviest) {
        seen.sort_by(|a, b| {
            let heavier = b.weight.total_cmp(&a.weight);
            let newer = b.age().cmp(&a.age());
            if choice == Choice::Heaviest { heavier.then(newer) } else { newer }
        });
        let wanted: Vec<_> = seen.iter().take(k).map(parts).collect();
        return assert_eq!(picks, wanted, "{}", context());
    }
    // A loop is there once a side.
    let mut left: Vec<_> = seen.iter().map(parts).collect();
    for pick in picks {
        let at = left.iter().position(|known| known == pick);
        assert!(at.is_some(), "{pick:?} {}", context());
        if !repeats {
            left.swap_remove(at.unwrap());
        }
    }
}

fn check_choice(choice: Choice, k: usize) -> usize {
    let (mut n, mut found) = (0, 0);
    each(|asked, index, scope| {
        let sampling = Sampling::new(scope.clone(), choice, k).weight(by_weight()).seed(9);
        let mut samples = Samples::default();
        let slots = samples.slots(asked.nodes.len(), k);
        index.sample(&sampling, asked.roots(), slots).unwrap();
        for (root, seen) in asked.seen(scope).into_iter().enumerate() {
            let picks = picked(&samples, root, k);
            let context = || format!("{choice:?} {scope:?} {:?} {}", asked.nodes[root], asked.times[root]);
            n += 1;
            found += picks.len();
            check_picks(choice, k, seen, &picks, &context);
        }
    });
    assert!(found > n, "{found} of {n}");
    n
}

#[test]
fn last_k_equal_a_sort_of_all_lives() {
    assert!(check_choice(Choice::Last, 10) >= 100_000);
}

#[test]
fn uniform_samples_are_edges_of_the_time() {
    assert!(check_choice(Choice::Uniform, 10) >= 100_000);
}

#[test]
fn uniform_distinct_samples_are_edges_of_the_time_once_each() {
    assert!(check_choice(Choice::UniformDistinct, 10) >= 100_000);
}

#[test]
fn weighted_samples_are_edges_of_the_time() {
    assert!(check_choice(Choice::Weighted, 10) >= 100_000);
}

#[test]
fn weighted_distinct_samples_are_edges_of_the_time_once_each() {
    assert!(check_choice(Choice::WeightedDistinct, 10) >= 100_000);
}

#[test]
fn heaviest_equal_a_sort_of_all_lives() {
    assert!(check_choice(Choice::Heaviest, 5) >= 100_000);
}

#[test]
fn quotas_take_so_many_of_each_type() {
    let choices = [Choice::Last, Choice::Uniform, Choice::UniformDistinct, Choice::WeightedDistinct];
    let (mut n, mut found) = (0, 0);
    each(|asked, index, scope| {
        let choice = choices[n / ROOTS % 4];
        let quotas = [(EdgeTypeId(2), 2), (EdgeTypeId(0), 3), (EdgeTypeId(50), 1)];
        let sampling = Sampling::new(scope.clone(), choice, 0).quotas(quotas.to_vec()).weight(by_weight());
        let mut samples = Samples::default();
        index.sample(&sampling, asked.roots(), samples.slots(asked.nodes.len(), 6)).unwrap();
        for (root, seen) in asked.seen(scope).into_iter().enumerate() {
            // What was taken of each type lies side by side.
            let picks = picked(&samples, root, 6);
            let context = || format!("{choice:?} {scope:?} {:?} {}", asked.nodes[root], asked.times[root]);
            let mut rest = &picks[..];
            for (edge_type, k) in quotas {
                let own = seen.iter().filter(|seen| seen.edge_type == edge_type.0).copied().collect();
                let (taken, others) = rest.split_at(rest.iter().take_while(|pick| pick.1 == edge_type.0).count());
                check_picks(choice, k, own, taken, &context);
                rest = others;
            }
            assert!(rest.is_empty(), "{}", context());
            (n, found) = (n + 1, found + picks.len());
        }
    });
    assert!(n >= 100_000 && found > n, "{n} {found}");
}

/// The second hop of a fan-out: each slot of the first is a root of its own.
#[test]
fn hops_see_the_edges_of_their_times() {
    let asks = [
        (Choice::Last, HopTime::Root),
        (Choice::UniformDistinct, HopTime::Edge),
        (Choice::Weighted, HopTime::Edge),
        (Choice::Last, HopTime::Edge),
    ];
    let (mut n, mut found, mut at) = (0, 0, 0);
    each(|asked, index, scope| {
        let (choice, hop_time) = asks[at / 2 % 4];
        at += 1;
        let sampling = Sampling::new(scope.clone(), choice, 0).weight(by_weight()).seed(4);
        let mut hops = Vec::new();
        index.fan_out(&sampling, &[2, 3], hop_time, asked.roots(), &mut hops).unwrap();
        for (root, seen) in asked.seen(scope).into_iter().enumerate() {
            let context = || format!("{choice:?} {hop_time:?} {scope:?} {:?} {}", asked.nodes[root], asked.times[root]);
            let first = picked(&hops[0], root, 2);
            check_picks(choice, 2, seen, &first, &context);
            for slot in 0..2 {
                let second = picked(&hops[1], root * 2 + slot, 3);
                let Some(&(_, _, node, created, _)) = first.get(slot) else {
                    assert!(second.is_empty(), "{}", context());
                    continue;
                };
                let time = if hop_time == HopTime::Edge { created } else { asked.times[root].0 };
                let seen = asked.world.seen(scope, node as usize, time);
                check_picks(choice, 3, seen, &second, &context);
                found += second.len();
            }
            n += 1;
        }
    });
    assert!(n >= 100_000 && found > n, "{n} {found}");
}

#[test]
fn pairs_equal_a_look_at_all_lives() {
    let mut n = 0;
    let mut met = HashSet::new();
    for (at, _) in SCALES.iter().enumerate() {
        let asked = Asked::new(7, at, 30, 3000, ROOTS);
        for index in &asked.world.indexes() {
            let mut random = Random(3);
            for (&source, &time) in asked.nodes.iter().zip(&asked.times) {
                let destination = NodeIndex(random.below(4) as u32);
                let edge_type = EdgeTypeId(random.below(TYPES.into()) as u16);
                let ends = (source.at(), destination.at(), edge_type.0);
                let all =
                    || asked.world.lives.iter().filter(|life| (life.source, life.destination, life.edge_type) == ends);
                let before = || all().filter(|life| life.created < time.0).map(|life| life.created);
                let pair = index.pair_before(edge_type, source, destination, time);
                assert_eq!(
                    (pair.count as usize, pair.last),
                    (before().count(), before().max().map(Time)),
                    "{ends:?} {time}"
                );
                let linked = all().any(|life| life.is_alive(time.0));
                assert_eq!(index.is_linked(edge_type, source, destination, time), linked, "{ends:?} {time}");
                assert_eq!(
                    index.pair_edges(edge_type, source, destination, time).len(),
                    all().filter(|life| life.created <= time.0).count()
                );
                n += 1;
                met.insert((pair.count, linked));
            }
        }
    }
    assert!(n >= 100_000 && met.len() > 20, "{n} {}", met.len());
}

/// The worlds are such as the rest relies on: a hub, and edges that were made again many times.
#[test]
fn worlds_have_edges_that_live_many_times() {
    for scale in 0..SCALES.len() {
        let world = Asked::new(scale as u64, scale, 30, 3000, 1).world;
        let mut lives: HashMap<_, usize> = HashMap::new();
        for life in &world.lives {
            *lives.entry((life.source, life.edge_type, life.destination)).or_default() += 1;
        }
        let again = lives.values().filter(|lives| **lives >= 3).count();
        let most = lives.values().max().unwrap();
        let ended = world.lives.iter().filter(|life| life.removed != i64::MAX).count();
        let all = world.lives.len();
        assert!(again >= 50 && *most >= 10 && ended > all / 2, "{again} {most} {ended} of {all}");
    }
}

#[test]
fn samples_do_not_depend_on_threads_or_batches() {
    let asked = Asked::new(3, 3, 200, 6000, 20_000);
    let [index, _] = asked.world.indexes();
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    for choice in [Choice::Last, Choice::Uniform, Choice::UniformDistinct, Choice::Weighted, Choice::WeightedDistinct] {
        let sampling = Sampling::new(scopes().remove(0), choice, 7).weight(by_weight()).seed(1);
        let with = |threads: usize| {
            let mut samples = Samples::default();
            let slots = samples.slots(asked.nodes.len(), 7);
            pool(threads).install(|| index.sample(&sampling, asked.roots(), slots).unwrap());
            samples
        };
        let one = with(1);
        assert!([2, 3, 8].map(with).iter().all(|samples| *samples == one), "{choice:?}");
        let mut pieces = Samples::default();
        let mut start = 0;
        for len in (1..).map(|n| n * n) {
            let end = asked.nodes.len().min(start + len);
            let roots = Roots::new(&asked.nodes[start..end], &asked.times[start..end]).unwrap();
            let piece = Sampling { first_root: start as u64, ..sampling.clone() };
            let mut own = Samples::default();
            index.sample(&piece, roots, own.slots(end - start, 7)).unwrap();
            pieces.neighbors.extend(own.neighbors);
            pieces.edges.extend(own.edges);
            start = end;
            if start == asked.nodes.len() {
                break;
            }
        }
        assert!(pieces.edges == one.edges && pieces.neighbors == one.neighbors, "{choice:?}");
        let other = Sampling { seed: 2, ..sampling };
        let mut samples = Samples::default();
        index.sample(&other, asked.roots(), samples.slots(asked.nodes.len(), 7)).unwrap();
        assert_eq!(samples == one, choice == Choice::Last, "{choice:?}: the seed means nothing");
    }
}
