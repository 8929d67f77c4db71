//! Walks against a look at all lives: each step takes an edge that it may, and a walk ends where there is none.

use timeweft_graph::{Deletes, EdgeIndex, EdgeTypeId, NodeIndex, Time};
use timeweft_index::sample::{AsOf, EdgeTypes, NO_EDGE, NO_NODE, Roots, Scope, Side, Steps, Walk, WalkTimes};

use crate::random_lives::{Random, SCALES, Seen, World};
use crate::sampling_semantics::by_weight;

const NODES: usize = 200;
const LENGTH: usize = 4;
/// Of each world and scope; one of the two indexes is asked about each half.
const ROOTS: usize = 7_000;

fn scopes() -> Vec<Scope> {
    vec![
        Scope::new(EdgeTypes::All, Side::Both, AsOf::At),
        Scope::new(EdgeTypes::Only(vec![EdgeTypeId(1), EdgeTypeId(0)]), Side::Out, AsOf::Before),
        Scope::new(EdgeTypes::All, Side::In, AsOf::At),
        Scope::new(EdgeTypes::All, Side::Both, AsOf::Before).deletes(Deletes::Soft),
    ]
}

/// The edges that a step may take from a node.
fn may_take(world: &World, walk: &Walk, step: usize, node: usize, time: Time) -> Vec<Seen> {
    let as_of = match walk.times {
        WalkTimes::NotLater if step > 0 => AsOf::At,
        WalkTimes::Earlier if step > 0 => AsOf::Before,
        WalkTimes::Later => {
            let all = world.at_node(&walk.scope, node, i64::MAX - 1).into_iter();
            let is_later = |created: i64| {
                let soon = walk.scope.within.is_none_or(|within| created <= time.0.saturating_add_unsigned(within));
                soon && if step == 0 { created >= time.0 } else { created > time.0 }
            };
            return all.filter(|seen| is_later(seen.created) && seen.created < seen.removed).collect();
        }
        _ => walk.scope.as_of,
    };
    let scope = Scope { as_of, ..walk.scope.clone() };
    let mut seen = world.seen(&scope, node, time.0);
    seen.retain(|seen| walk.weight != by_weight() || seen.weight > 0.0);
    seen
}

/// How many walks, steps and early ends there were.
fn check(make: impl Fn(Scope) -> Walk) -> [usize; 3] {
    let in_windows = check_in(|scope, within| make(scope.within(within)), ROOTS / 4);
    assert!(in_windows[1] > ROOTS && in_windows[2] > ROOTS, "{in_windows:?}");
    check_in(|scope, _| make(scope), ROOTS)
}

fn check_in(make: impl Fn(Scope, u64) -> Walk, roots: usize) -> [usize; 3] {
    let mut counts = [0; 3];
    for (scale, of) in SCALES.into_iter().enumerate() {
        let world = World::random(scale as u64 + 60, of, NODES, 6000);
        let indexes = world.indexes();
        let mut random = Random(scale as u64);
        for (at, scope) in scopes().into_iter().enumerate() {
            let walk = make(scope, of.windows()[(scale + at) % 5]);
            let nodes: Vec<_> = (0..roots).map(|_| NodeIndex(random.below(NODES + 1) as u32)).collect();
            let time = |node: &NodeIndex| {
                let within = walk.scope.within.filter(|_| node.at().is_multiple_of(2));
                let at = within.and_then(|within| world.window_time(&mut random, *node, within));
                at.unwrap_or_else(|| world.time(&mut random))
            };
            let times: Vec<_> = nodes.iter().map(time).collect();
            let mut walked = vec![NO_NODE; roots * (LENGTH + 1)];
            let (mut edges, mut created) = (vec![EdgeIndex(7); roots * LENGTH], vec![Time(7); roots * LENGTH]);
            let steps = Steps { nodes: &mut walked, edges: Some(&mut edges), created: Some(&mut created) };
            indexes[at % 2].walk(&walk, Roots::new(&nodes, &times).unwrap(), steps).unwrap();
            for (root, (node, time)) in nodes.iter().zip(&times).enumerate() {
                let own = &walked[root * (LENGTH + 1)..][..LENGTH + 1];
                assert_eq!(own[0], *node);
                let mut time = *time;
                for step in 0..LENGTH {
                    let slot = root * LENGTH + step;
                    let took = (edges[slot], own[step + 1], created[slot]);
                    let may = may_take(&world, &walk, step, own[step].at(), time);
                    if may.is_empty() {
                        assert_eq!(took, (NO_EDGE, NO_NODE, Time::MIN), "{walk:?} {own:?} {time}");
                        counts[2] += usize::from(own[step] != NO_NODE);
                        continue;
                    }
                    let is_one =
                        |seen: &Seen| (EdgeIndex(seen.edge), NodeIndex(seen.neighbor), Time(seen.created)) == took;
                    assert!(may.iter().any(is_one), "{walk:?} {own:?} {step} {time}: {took:?} is none of {may:?}");
                    if walk.times != WalkTimes::Any {
                        time = created[slot];
                    }
                    counts[1] += 1;
                }
                counts[0] += 1;
            }
        }
    }
    counts
}

fn assert_many([walks, steps, ends]: [usize; 3]) {
    assert!(walks >= 100_000 && steps > walks && ends > walks / 20, "{walks} walks, {steps} steps, {ends} ends");
}

#[test]
fn plain_walks_take_edges_of_the_time() {
    assert_many(check(|scope| Walk { seed: 1, ..Walk::new(scope, LENGTH, WalkTimes::Any) }));
}

#[test]
fn biased_walks_take_edges_of_the_time() {
    let biased = |scope| Walk { p: 0.25, q: 4.0, weight: by_weight(), ..Walk::new(scope, LENGTH, WalkTimes::Any) };
    assert_many(check(|scope| Walk { seed: 2, ..biased(scope) }));
}

#[test]
fn walks_that_are_not_later_take_edges_of_their_times() {
    assert_many(check(|scope| Walk { seed: 3, ..Walk::new(scope, LENGTH, WalkTimes::NotLater) }));
}

#[test]
fn earlier_walks_take_edges_of_their_times() {
    let weighted = |scope| Walk { weight: by_weight(), ..Walk::new(scope, LENGTH, WalkTimes::Earlier) };
    assert_many(check(|scope| Walk { seed: 4, ..weighted(scope) }));
}

#[test]
fn later_walks_take_edges_of_their_times() {
    assert_many(check(|scope| Walk { seed: 5, ..Walk::new(scope, LENGTH, WalkTimes::Later) }));
}
