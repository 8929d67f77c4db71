//! Small graphs worked out by hand; tests are named after the sections of temporal-intervals.

use std::collections::BTreeMap;

use timeweft_graph::{
    Action, Deletes, EdgeIndex, EdgeTypeId, Element, Event, Name, NodeIndex, NodeTypeId, Schema, Time, Value,
};
use timeweft_index::Index;
use timeweft_index::sample::{
    AsOf, Choice, EdgeLists, EdgeTypes, ElementSampling, HopTime, Missing, NO_NODE, PageRank, Roots, SampleError,
    Samples, Sampling, Scope, Side, Slots, Steps, Walk, WalkTimes, WeightBy,
};

use crate::event_builders::apply;
use crate::random_lives::{edge_key, key, schema};

const OPEN: i64 = i64::MAX;

/// (source, destination, type, weight, created, removed)
type Row = (usize, usize, u16, f64, i64, i64);

/// Nodes 0 to `n` from time `born` on, and edges.
pub(crate) fn graph(n: usize, born: i64, rows: &[Row]) -> Index {
    let mut index = Index::new(schema());
    (0..n).for_each(|id| put(&mut index, born, Action::Create, Element::Node(key(id)), None));
    let mut twins: BTreeMap<(usize, u16, usize), usize> = BTreeMap::new();
    for &(source, destination, edge_type, weight, created, removed) in rows {
        let twin = twins.entry((source, edge_type, destination)).or_default();
        let edge = || Element::Edge(edge_key((source, edge_type, destination, *twin)));
        put(&mut index, created, Action::Create, edge(), (edge_type < 2).then_some(weight));
        if removed != OPEN {
            put(&mut index, removed, Action::Delete, edge(), None);
        }
        *twin += 1;
    }
    index
}

fn put(index: &mut Index, time: i64, action: Action, element: Element, weight: Option<f64>) {
    let features = weight.map(|weight| (Name::from("weight"), Some(Value::number(weight))));
    apply(index, &Event::new(Time(time), action, element).with(features.into_iter().collect())).unwrap();
}

pub(crate) fn scope(types: &[u16]) -> Scope {
    Scope::new(EdgeTypes::Only(types.iter().map(|id| EdgeTypeId(*id)).collect()), Side::Out, AsOf::At)
}

fn ever(types: &[u16]) -> Scope {
    scope(types).deletes(Deletes::Soft)
}

pub(crate) fn nodes(ids: &[u32]) -> Vec<NodeIndex> {
    ids.iter().map(|id| NodeIndex(*id)).collect()
}

pub(crate) fn times(times: &[i64]) -> Vec<Time> {
    times.iter().map(|time| Time(*time)).collect()
}

pub(crate) fn counts(index: &Index, scope: &Scope, ids: &[u32], at: &[i64]) -> Vec<u32> {
    let mut counts = vec![9; ids.len()];
    index.degrees(scope, Roots::new(&nodes(ids), &times(at)).unwrap(), &mut counts).unwrap();
    counts
}

pub(crate) fn by_weight() -> WeightBy {
    WeightBy::Feature("weight".into())
}

/// (neighbor, type, weight, created)
type Near = (u32, u16, f64, i64);

/// All edges, and counts.
fn neighbors(index: &Index, types: &[u16], ids: &[u32], at: &[i64]) -> (Vec<Near>, Vec<u32>) {
    let mut out = EdgeLists::default();
    index.edges_of(&scope(types), &by_weight(), Roots::new(&nodes(ids), &times(at)).unwrap(), &mut out).unwrap();
    let one = |at: usize| (out.neighbors[at].0, out.edge_types[at].0, out.weights[at], out.created[at].0);
    ((0..out.edges.len()).map(one).collect(), out.counts)
}

/// (neighbor, type, weight, created) in each slot.
pub(crate) fn sample(index: &Index, sampling: &Sampling, ids: &[u32], at: &[i64]) -> Vec<(u32, u16, f64, i64)> {
    let mut out = Samples::default();
    let slots = out.slots(ids.len(), sampling.width());
    index.sample(sampling, Roots::new(&nodes(ids), &times(at)).unwrap(), slots).unwrap();
    let one = |at: usize| (out.neighbors[at].0, out.edge_types[at].0, out.weights[at], out.created[at].0);
    (0..out.edges.len()).map(one).collect()
}

fn missing(neighbor: u32, weight: f64, edge_type: u16, created: i64) -> Missing {
    let (neighbor, edge_type) = (NodeIndex(neighbor), EdgeTypeId(edge_type));
    Missing { neighbor, edge: EdgeIndex(0), edge_type, created: Time(created), weight }
}

fn sampling(types: &[u16], choice: Choice, k: usize, missing: Missing) -> Sampling {
    Sampling { missing, ..Sampling::new(scope(types), choice, k).weight(by_weight()) }
}

const SMALL: [Row; 5] =
    [(0, 1, 0, 1., 0, 1), (0, 2, 0, 2., 0, 1), (1, 3, 0, 1., 0, 1), (1, 4, 0, 1., 1, 2), (1, 5, 1, 7., 2, 3)];

#[test]
fn counts_and_neighbors_of_a_batch() {
    let index = graph(8, 0, &SMALL);
    let count = |types: &[u16], at: i64| counts(&index, &scope(types), &[0, 1], &[at, at]);
    assert_eq!(count(&[0], 2), [0, 0]);
    assert_eq!(count(&[0], 0), [2, 1]);
    assert_eq!(count(&[1], 2), [0, 1]);
    assert_eq!(count(&[0, 1], 2), [0, 1]);
    assert_eq!(count(&[77, 100], 0), [0, 0]);
    assert_eq!(counts(&index, &scope(&[0, 1]), &[99, 100], &[0, 0]), [0, 0]);
    let near = |types: &[u16], at: i64| neighbors(&index, types, &[0, 1], &[at, at]);
    assert_eq!(near(&[0], 2), (vec![], vec![0, 0]));
    assert_eq!(near(&[0], 0), (vec![(1, 0, 1., 0), (2, 0, 2., 0), (3, 0, 1., 0)], vec![2, 1]));
    assert_eq!(near(&[1], 2), (vec![(5, 1, 7., 2)], vec![0, 1]));
    assert_eq!(near(&[1, 0, 1], 2), (vec![(5, 1, 7., 2)], vec![0, 1]));
    assert_eq!(near(&[77, 100], 0), (vec![], vec![0, 0]));
    assert_eq!(neighbors(&index, &[0, 1], &[99, 100], &[0, 0]), (vec![], vec![0, 0]));
}

const MEDIUM: [Row; 7] = [
    (0, 1, 0, 1., 0, 1),
    (0, 2, 0, 2., 0, 1),
    (1, 3, 0, 1., 0, 1),
    (1, 4, 0, 1., 1, OPEN),
    (1, 5, 1, 1., 1, OPEN),
    (1, 6, 1, 1.5, 0, 1),
    (1, 7, 1, 3., 2, 3),
];

#[test]
fn counts_and_neighbors_of_a_batch_at_each_time() {
    let index = graph(8, 0, &MEDIUM);
    assert_eq!(counts(&index, &ever(&[1]), &[0, 1], &[OPEN, OPEN]), [0, 3]);
    assert_eq!(counts(&index, &scope(&[0, 1]), &[0, 1], &[2, 2]), [0, 3]);
    assert_eq!(counts(&index, &scope(&[1]), &[0, 1], &[2, 2]), [0, 2]);
    let near = |types: &[u16]| neighbors(&index, types, &[0, 1], &[2, 2]);
    assert_eq!(near(&[1]), (vec![(5, 1, 1., 1), (7, 1, 3., 2)], vec![0, 2]));
    assert_eq!(near(&[0, 1]), (vec![(4, 0, 1., 1), (5, 1, 1., 1), (7, 1, 3., 2)], vec![0, 3]));
    assert_eq!(near(&[0]), (vec![(4, 0, 1., 1)], vec![0, 1]));
    assert_eq!(near(&[66, 100]), (vec![], vec![0, 0]));
    // The two-server rows: [1] and [0, 1].
    assert_eq!(counts(&index, &scope(&[1]), &[0, 1], &[2, 2]), [0, 2]);
}

/// Each row of 4.2 that draws, for many seeds: what may stand in the two slots of node 1.
#[test]
fn samples_are_of_the_right_set() {
    let index = graph(8, 0, &MEDIUM);
    let empty = (42, 13, 0.5, -1);
    let (four, five, seven) = ((4, 0, 1., 1), (5, 1, 1., 1), (7, 1, 3., 2));
    type Case<'a> = (Choice, &'a [u16], i64, &'a [Near], usize);
    let now: [Case<'_>; 11] = [
        (Choice::Weighted, &[1], 2, &[five, seven], 2),
        (Choice::Weighted, &[0, 1], 2, &[four, five, seven], 2),
        (Choice::Weighted, &[1], 0, &[(6, 1, 1.5, 0)], 2),
        (Choice::Weighted, &[66, 100], 2, &[], 0),
        (Choice::Uniform, &[1], 2, &[five, seven], 2),
        (Choice::UniformDistinct, &[1], 2, &[five, seven], 2),
        (Choice::Uniform, &[1], 1, &[five], 2),
        (Choice::UniformDistinct, &[1], 1, &[five], 1),
        (Choice::Weighted, &[0], 2, &[four], 2),
        (Choice::Uniform, &[0], 2, &[four], 2),
        (Choice::UniformDistinct, &[0], 2, &[four], 1),
    ];
    for (choice, types, at, all, filled) in now {
        let mut seen = std::collections::HashSet::new();
        for seed in 0..200 {
            let sampling = sampling(types, choice, 2, missing(42, 0.5, 13, -1)).seed(seed);
            let slots = sample(&index, &sampling, &[0, 1], &[at, at]);
            let zero = if at == 0 { &slots[..0] } else { &slots[..2] };
            assert!(zero.iter().all(|slot| *slot == empty), "{slots:?}");
            assert!(slots[2..2 + filled].iter().all(|slot| all.contains(slot)), "{choice:?} {types:?} {slots:?}");
            assert!(slots[2 + filled..].iter().all(|slot| *slot == empty), "{slots:?}");
            assert!(choice != Choice::UniformDistinct || slots[2] != slots[3]);
            seen.extend(slots[2..2 + filled].iter().map(|slot| slot.0));
        }
        assert_eq!(seen.len(), all.len(), "{choice:?} {types:?} {at}");
    }
    // Uniform with replacement, types [0, 1] at 0: of node 0 one of two, of node 1 one of two.
    let both = sampling(&[0, 1], Choice::Uniform, 2, missing(42, 0.5, 13, -1)).seed(36);
    let slots = sample(&index, &both, &[0, 1], &[0, 0]);
    assert!(slots[..2].iter().all(|slot| [1, 2].contains(&slot.0) && slot.1 == 0 && slot.3 == 0));
    assert!(slots[2..].iter().all(|slot| [3, 6].contains(&slot.0) && slot.3 == 0));
    let unknown = sampling(&[0, 1], Choice::Weighted, 2, missing(42, 0.5, 13, -1));
    assert_eq!(sample(&index, &unknown, &[99, 100], &[2, 2]), [empty; 4]);
    let last = sampling(&[0], Choice::Last, 2, missing(42, 0.5, 13, 99));
    let none = (42, 13, 0.5, 99);
    assert_eq!(sample(&index, &last, &[0, 1], &[2, 2]), [none, none, (4, 0, 1., 1), none]);
}

#[test]
fn last_n() {
    let edges = |i: usize| {
        (0..10).map(move |j| (i, 10 * i + j, ((10 * i + j) % 3) as u16, 1.0, j as i64, (10 * i + j + 10) as i64))
    };
    let rows: Vec<Row> = (0..10).flat_map(edges).collect();
    let index = graph(100, -10, &rows);
    let all = sampling(&[0, 1, 2], Choice::Last, 2, missing(1000, 2., 42, -1));
    let none = (1000, 42, 2., -1);
    let edge = |id: u32, created: i64| (id, (id % 3) as u16, 1.0, created);
    assert_eq!(
        sample(&index, &all, &[1, 7, 15], &[5, 7, 15]),
        [edge(15, 5), edge(14, 4), edge(77, 7), edge(76, 6), none, none]
    );
    let four = sampling(&[0, 1, 2, 3, 4], Choice::Last, 4, missing(1000, 3., 13, 23));
    let none = (1000, 13, 3., 23);
    let first = [edge(11, 1), edge(10, 0), none, none];
    let found = sample(&index, &four, &[1, 7, 8], &[1, -5, 1000]);
    assert_eq!(found[..4], first);
    assert_eq!(found[4..], [none; 8]);
    let some = sampling(&[1, 77], Choice::Last, 3, missing(1000, 3., 13, 23));
    assert_eq!(sample(&index, &some, &[1, 8], &[1, 1000]), [edge(10, 0), none, none, none, none, none]);
}

/// Node 42 from 13 to 23, whose edge to 99 lives twice.
fn document() -> Index {
    let mut index = Index::new(schema());
    let (a, b) = ((42, 0, 99, 0), (42, 1, 101, 0));
    (0..102).filter(|id| *id != 42).for_each(|id| put(&mut index, 0, Action::Create, Element::Node(key(id)), None));
    put(&mut index, 13, Action::Create, Element::Node(key(42)), None);
    put(&mut index, 13, Action::Create, Element::Edge(edge_key(a)), Some(2.0));
    put(&mut index, 13, Action::Create, Element::Edge(edge_key(b)), Some(1.0));
    put(&mut index, 15, Action::Delete, Element::Edge(edge_key(a)), None);
    put(&mut index, 17, Action::Create, Element::Edge(edge_key(a)), Some(2.0));
    put(&mut index, 19, Action::Delete, Element::Edge(edge_key(b)), None);
    put(&mut index, 23, Action::Delete, Element::Node(key(42)), None);
    index
}

#[test]
fn the_document_and_what_last_n_did_wrong() {
    let index = document();
    let node = |id: usize| index.node_index(&key(id)).unwrap().0;
    let root = node(42);
    type Case<'a> = (std::ops::RangeInclusive<i64>, &'a [(usize, i64)]);
    let expected: [Case<'_>; 6] = [
        (12..=12, &[]),
        (13..=14, &[(99, 13), (101, 13)]),
        (15..=16, &[(101, 13)]),
        (17..=18, &[(99, 17), (101, 13)]),
        (19..=22, &[(99, 17)]),
        (23..=30, &[]),
    ];
    for (range, edges) in expected {
        for at in range {
            let wanted: Vec<_> = edges.iter().map(|(id, created)| (node(*id), *created)).collect();
            let found = neighbors(&index, &[0, 1], &[root], &[at]).0;
            assert_eq!(found.iter().map(|edge| (edge.0, edge.3)).collect::<Vec<_>>(), wanted, "{at}");
            assert_eq!(counts(&index, &scope(&[0, 1]), &[root], &[at]), [wanted.len() as u32], "{at}");
            for choice in [Choice::Last, Choice::UniformDistinct, Choice::WeightedDistinct, Choice::Heaviest] {
                let sampling = sampling(&[0, 1], choice, 3, Missing::NONE);
                let slots = sample(&index, &sampling, &[root], &[at]);
                let mut found: Vec<_> =
                    slots.iter().filter(|slot| slot.0 != NO_NODE.0).map(|slot| (slot.0, slot.3)).collect();
                found.sort_by_key(|found| wanted.iter().position(|wanted| wanted == found));
                assert_eq!(found, wanted, "{choice:?} {at}");
            }
        }
    }
    let mut all = EdgeLists::default();
    let roots = [NodeIndex(root)];
    let roots = Roots::new(&roots, &[Time::FOREVER]).unwrap();
    index.edges_of(&ever(&[0, 1]), &WeightBy::One, roots, &mut all).unwrap();
    assert_eq!(all.neighbors, nodes(&[node(99), node(99), node(101)]));
}

fn triangle() -> Index {
    let mut types = Schema::default();
    let ids = ["0", "1", "2"].map(|name| types.add_node_type(&name.into()).unwrap());
    types.add_edge_type(ids[0], &"0".into(), ids[1]).unwrap();
    types.add_edge_type(ids[1], &"1".into(), ids[2]).unwrap();
    types.add_edge_type(ids[2], &"1".into(), ids[0]).unwrap();
    let mut index = Index::new(types);
    let node = |node_type: &str, id: u64| timeweft_graph::NodeKey::new(node_type, id);
    for key in [node("0", 9), node("1", 0), node("2", 5)] {
        put(&mut index, 0, Action::Create, Element::Node(key), None);
    }
    let mut link = |source, relation: &str, destination, weight| {
        let edge = timeweft_graph::EdgeKey { source, relation: relation.into(), destination, key: None };
        put(&mut index, 0, Action::Create, Element::Edge(edge), Some(weight));
    };
    link(node("0", 9), "0", node("1", 0), 0.5);
    link(node("1", 0), "1", node("2", 5), 1.0);
    link(node("2", 5), "1", node("0", 9), 0.7);
    index
}

#[test]
fn the_triangle() {
    let index = triangle();
    // 9 is node 0, 0 is node 1, 5 is node 2.
    let found = neighbors(&index, &[0, 1, 2], &[0, 1], &[1, 1]);
    assert_eq!(found, (vec![(1, 0, 0.5, 0), (2, 1, 1.0, 0)], vec![1, 1]));
    let found = neighbors(&index, &[1, 2], &[0, 1, 2], &[1, 1, 1]);
    assert_eq!(found, (vec![(2, 1, 1.0, 0), (0, 2, 0.7, 0)], vec![0, 1, 1]));
    let (ids, at) = (nodes(&[0, 2, 1, 88]), times(&[0, 0, -1, 0]));
    let types = index.node_types_of(Roots::new(&ids, &at).unwrap(), AsOf::At);
    assert_eq!(types, [Some(NodeTypeId(0)), Some(NodeTypeId(2)), None, None]);
    let per_type = |at: i64| [0, 1, 2, 9].map(|id| index.count_nodes(NodeTypeId(id), Time(at)));
    assert_eq!((per_type(0), per_type(-1)), ([1, 1, 1, 0], [0; 4]));
    assert_eq!([0, 1, 2, 9].map(|id| index.count_edges(EdgeTypeId(id), Time(0))), [1, 1, 1, 0]);
    let all = ElementSampling::new(vec![], Choice::UniformDistinct, 10);
    let mut drawn = index.sample_nodes(&all, Time(0), AsOf::At).unwrap();
    drawn.sort();
    assert_eq!(drawn, nodes(&[0, 1, 2]));
    assert!(index.sample_nodes(&all, Time(0), AsOf::Before).unwrap().is_empty());
    let two = ElementSampling::new([2, 2, 44].map(NodeTypeId).into(), Choice::Uniform, 3);
    assert_eq!(index.sample_nodes(&two, Time(5), AsOf::At).unwrap(), nodes(&[2, 2, 2]));
    let all =
        ElementSampling { weight: Some("weight".into()), ..ElementSampling::new(vec![], Choice::WeightedDistinct, 9) };
    let mut drawn = index.sample_edges(&all, Time(0), AsOf::At).unwrap();
    drawn.sort();
    assert_eq!(drawn, [0, 1, 2].map(EdgeIndex));
}

/// Zachary's karate club: the friends of each member that come before him.
const KARATE: [&[u32]; 34] = [
    &[],
    &[1],
    &[1, 2],
    &[1, 2, 3],
    &[1],
    &[1],
    &[1, 5, 6],
    &[1, 2, 3, 4],
    &[1, 3],
    &[3],
    &[1, 5, 6],
    &[1],
    &[1, 4],
    &[1, 2, 3, 4],
    &[],
    &[],
    &[6, 7],
    &[1, 2],
    &[],
    &[1, 2],
    &[],
    &[1, 2],
    &[],
    &[],
    &[],
    &[24, 25],
    &[],
    &[3, 24, 25],
    &[3],
    &[24, 27],
    &[2, 9],
    &[1, 25, 26, 29],
    &[3, 9, 15, 16, 19, 21, 23, 24, 30, 31, 32],
    &[9, 10, 14, 15, 16, 19, 20, 21, 23, 24, 27, 28, 29, 30, 31, 32, 33],
];

fn karate() -> Index {
    let pairs =
        KARATE.iter().enumerate().flat_map(|(at, known)| known.iter().map(move |other| (at + 1, *other as usize)));
    let both = |(a, b): (usize, usize)| [(a, b, 0, 1.0, 0, OPEN), (b, a, 0, 1.0, 0, OPEN)];
    let rows: Vec<Row> = pairs.flat_map(both).collect();
    assert_eq!(rows.len(), 2 * 78);
    graph(35, 0, &rows)
}

fn page_rank(index: &Index, page_rank: &PageRank, id: u32, at: i64) -> Vec<(u32, f64)> {
    let (mut found, mut ranks) = (vec![NO_NODE; page_rank.k], vec![9.0; page_rank.k]);
    let (ids, at) = (nodes(&[id]), times(&[at]));
    index.page_rank(page_rank, Roots::new(&ids, &at).unwrap(), &mut found, &mut ranks).unwrap();
    found.iter().map(|node| node.0).zip(ranks).collect()
}

#[test]
fn page_rank_of_the_karate_club() {
    let index = karate();
    let ask = PageRank { scope: scope(&[0]), alpha: 0.1, eps: 1e-4, k: 5 };
    let found = page_rank(&index, &ask, 2, 0);
    let wanted = [(2, 0.1724), (1, 0.1152), (34, 0.0717), (3, 0.0677), (4, 0.0521)];
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.0 == wanted.0 && (found.1 - wanted.1).abs() < 6e-5, "{found:?} {wanted:?}");
    }
    // Of a type without edges, and before there was anything.
    let lonely = [(2, 0.1), (NO_NODE.0, 0.0), (NO_NODE.0, 0.0), (NO_NODE.0, 0.0), (NO_NODE.0, 0.0)];
    assert_eq!(page_rank(&index, &PageRank { scope: scope(&[1]), ..ask.clone() }, 2, 0), lonely);
    assert_eq!(page_rank(&index, &ask, 2, -1), lonely);
    let bad = PageRank { alpha: 0.0, ..ask };
    let refused = index.page_rank(&bad, Roots::new(&[], &[]).unwrap(), &mut [], &mut []);
    assert_eq!(refused, Err(SampleError::Range { what: "alpha", value: "0".into(), wanted: "in (0, 1]" }));
}

#[test]
fn page_rank_sees_the_graph_of_its_time() {
    let index = graph(4, 0, &[(0, 1, 0, 1., 0, 5), (0, 2, 0, 1., 5, OPEN), (2, 3, 0, 1., 7, OPEN)]);
    let ask = PageRank { scope: scope(&[0]), alpha: 0.5, eps: 1e-6, k: 3 };
    let reached = |at: i64| {
        let found = page_rank(&index, &ask, 0, at);
        found.into_iter().filter(|(node, _)| *node != NO_NODE.0).collect::<Vec<_>>()
    };
    assert_eq!(reached(4), [(0, 0.5), (1, 0.25)]);
    assert_eq!(reached(5), [(0, 0.5), (2, 0.25)]);
    assert_eq!(reached(7), [(0, 0.5), (2, 0.25), (3, 0.125)]);
}

fn walk(index: &Index, walk: &Walk, ids: &[u32], at: &[i64]) -> Vec<Vec<u32>> {
    let mut walked = vec![NodeIndex(7); ids.len() * (walk.length + 1)];
    let steps = Steps { nodes: &mut walked, ..Steps::default() };
    index.walk(walk, Roots::new(&nodes(ids), &times(at)).unwrap(), steps).unwrap();
    walked.chunks(walk.length + 1).map(|walk| walk.iter().map(|node| node.0).collect()).collect()
}

#[test]
fn walks_are_along_edges() {
    let index = karate();
    let ask = Walk { p: 2.0, q: 0.5, weight: by_weight(), seed: 1, ..Walk::new(scope(&[0]), 10, WalkTimes::Any) };
    let roots: Vec<u32> = (1..35).cycle().take(3000).collect();
    let walks = walk(&index, &ask, &roots, &vec![3; roots.len()]);
    for (root, walk) in roots.iter().zip(&walks) {
        assert_eq!(walk[0], *root);
        let is_edge = |step: &[u32]| index.is_linked(EdgeTypeId(0), NodeIndex(step[0]), NodeIndex(step[1]), Time(3));
        assert!(walk.windows(2).all(is_edge), "{walk:?}");
    }
    let none = Walk { scope: scope(&[1]), ..ask.clone() };
    assert_eq!(walk(&index, &none, &[2], &[0])[0], [[2].to_vec(), vec![NO_NODE.0; 10]].concat());
    let bad = Walk { p: 0.0, ..ask };
    let refused = index.walk(&bad, Roots::new(&[], &[]).unwrap(), Steps::default());
    assert_eq!(refused.unwrap_err().to_string(), "`p` is 0, but must be a number above 0");
}

#[test]
fn walks_respect_times() {
    // 0 -5-> 1 -5-> 2 -4-> 3 -9-> 4
    let rows = [(0, 1, 0, 1., 5, OPEN), (1, 2, 0, 1., 5, OPEN), (2, 3, 0, 1., 4, OPEN), (3, 4, 0, 1., 9, OPEN)];
    let index = graph(5, 0, &rows);
    let from = |id: u32, times: WalkTimes, at: i64, as_of: AsOf| {
        let scope = Scope { as_of, ..scope(&[0]) };
        let walk = walk(&index, &Walk::new(scope, 4, times), &[id], &[at]).remove(0);
        walk.into_iter().take_while(|node| *node != NO_NODE.0).collect::<Vec<_>>()
    };
    assert_eq!(from(0, WalkTimes::Any, 9, AsOf::At), [0, 1, 2, 3, 4]);
    assert_eq!(from(0, WalkTimes::Any, 9, AsOf::Before), [0, 1, 2, 3]);
    assert_eq!(from(0, WalkTimes::NotLater, 9, AsOf::At), [0, 1, 2, 3]);
    assert_eq!(from(0, WalkTimes::Earlier, 9, AsOf::At), [0, 1]);
    assert_eq!(from(1, WalkTimes::Earlier, 9, AsOf::At), [1, 2, 3]);
    assert_eq!(from(1, WalkTimes::Earlier, 5, AsOf::Before), [1]);
    assert_eq!(from(2, WalkTimes::Later, 4, AsOf::At), [2, 3, 4]);
    assert_eq!(from(2, WalkTimes::Later, 5, AsOf::At), [2]);
    assert_eq!(from(0, WalkTimes::Later, 0, AsOf::At), [0, 1]);
}

#[test]
fn fan_out_goes_on_from_what_it_found() {
    let rows = [
        (0, 1, 0, 1., 2, OPEN),
        (0, 2, 0, 1., 6, OPEN),
        (1, 3, 0, 1., 1, OPEN),
        (1, 4, 0, 1., 2, OPEN),
        (2, 5, 0, 1., 8, OPEN),
    ];
    let index = graph(6, 0, &rows);
    let hops = |hop_time, as_of| {
        let sampling = Sampling::new(Scope { as_of, ..scope(&[0]) }, Choice::Last, 0);
        let (ids, at) = (nodes(&[0, 5]), times(&[9, 9]));
        let mut hops = Vec::new();
        index.fan_out(&sampling, &[3, 2], hop_time, Roots::new(&ids, &at).unwrap(), &mut hops).unwrap();
        let of = |samples: &Samples| samples.neighbors.iter().map(|node| node.0).collect::<Vec<_>>();
        assert_eq!(of(&hops[0]), [2, 1, NO_NODE.0, NO_NODE.0, NO_NODE.0, NO_NODE.0]);
        assert!(hops[1].neighbors[4..].iter().all(|node| *node == NO_NODE) && hops[1].counts.len() == 6);
        of(&hops[1])[..4].to_vec()
    };
    assert_eq!(hops(HopTime::Root, AsOf::At), [5, NO_NODE.0, 4, 3]);
    assert_eq!(hops(HopTime::Edge, AsOf::At), [NO_NODE.0, NO_NODE.0, 4, 3]);
    assert_eq!(hops(HopTime::Edge, AsOf::Before), [NO_NODE.0, NO_NODE.0, 3, NO_NODE.0]);
}

#[test]
fn lengths_and_weights_are_checked() {
    let index = graph(2, 0, &[(0, 1, 0, 1., 0, OPEN), (0, 1, 2, 1., 0, OPEN)]);
    let short = Roots::new(&nodes(&[0, 1]), &times(&[1])).unwrap_err();
    assert_eq!(short.to_string(), "`times` has 1 elements, but 2 are needed");
    let (ids, at) = (nodes(&[0, 1]), times(&[1, 1]));
    let roots = Roots::new(&ids, &at).unwrap();
    assert!(matches!(index.degrees(&scope(&[0]), roots, &mut [0]), Err(SampleError::Length { what: "counts", .. })));
    let three = Sampling::new(scope(&[0]), Choice::Last, 3);
    let mut neighbors = vec![NO_NODE; 5];
    let slots = Slots { neighbors: Some(&mut neighbors), ..Slots::default() };
    let refused = index.sample(&three, roots, slots).unwrap_err();
    assert_eq!(refused, SampleError::Length { what: "neighbors", len: 5, wanted: 6 });
    let unknown = three.clone().weight(WeightBy::Feature("wieght".into()));
    assert!(matches!(index.sample(&unknown, roots, Slots::default()), Err(SampleError::UnknownWeight { .. })));
    let without = three.clone().weight(WeightBy::PerType(vec![(EdgeTypeId(2), "weight".into())]));
    assert!(matches!(index.sample(&without, roots, Slots::default()), Err(SampleError::UnknownWeight { .. })));
    let mut named = graph(2, 0, &[]);
    let text = vec![("weight".into(), Some(Value::text("much")))];
    let edge = timeweft_graph::EdgeKey { source: key(0), relation: "say".into(), destination: key(1), key: None };
    apply(&mut named, &Event::new(Time(1), Action::Create, Element::Edge(edge)).with(text)).unwrap();
    let refused = named.sample(&three.weight(by_weight()), roots, Slots::default()).unwrap_err();
    assert!(matches!(refused, SampleError::NotAWeight { .. }), "{refused}");
}

#[test]
fn weights_are_exact() {
    let rows = [(0, 1, 0, 16_777_216., 0, OPEN), (0, 2, 0, 1., 0, OPEN), (0, 3, 0, 1., 0, OPEN)];
    let index = graph(4, 0, &rows);
    let weights: Vec<f64> = neighbors(&index, &[0], &[0], &[0]).0.iter().map(|edge| edge.2).collect();
    assert_eq!(weights, [16_777_216., 1., 1.]);
    let two = sampling(&[0], Choice::WeightedDistinct, 3, Missing::NONE);
    let found: Vec<u32> = sample(&index, &two, &[0], &[0]).iter().map(|slot| slot.0).collect();
    assert!(found.len() == 3 && [1, 2, 3].iter().all(|id| found.contains(id)));
}

#[test]
fn weights_that_are_no_weights_are_told_but_not_drawn() {
    let rows = [
        (0, 1, 0, -3., 0, OPEN),
        (0, 2, 0, f64::NAN, 0, OPEN),
        (0, 3, 0, f64::INFINITY, 0, OPEN),
        (0, 3, 1, 0., 0, OPEN),
    ];
    let index = graph(4, 0, &rows);
    let all: Vec<f64> = neighbors(&index, &[0, 1], &[0], &[0]).0.iter().map(|edge| edge.2).collect();
    assert!(all[0] == -3. && all[1].is_nan() && all[2] == f64::INFINITY && all[3] == 0.);
    let drawn = sample(&index, &sampling(&[0, 1], Choice::Weighted, 50, Missing::NONE), &[0], &[0]);
    assert!(drawn.iter().all(|slot| slot.2 == f64::INFINITY));
    let heaviest = sample(&index, &sampling(&[0, 1], Choice::Heaviest, 4, Missing::NONE), &[0], &[0]);
    assert!(heaviest[0].2 == f64::INFINITY && heaviest[1].2 == 0. && heaviest[2].2 == -3. && heaviest[3].2.is_nan());
}

#[test]
fn node_lives_bound_types_and_samples() {
    let index = document();
    let node = index.node_index(&key(42)).unwrap();
    let (ids, at) = (vec![node; 4], times(&[12, 13, 22, 23]));
    let alive = index.node_types_of(Roots::new(&ids, &at).unwrap(), AsOf::At);
    assert_eq!(alive.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true, false]);
    let all = ElementSampling::new(vec![], Choice::UniformDistinct, 1000);
    for (time, lives) in [(12, false), (13, true), (22, true), (23, false)] {
        let drawn = index.sample_nodes(&all, Time(time), AsOf::At).unwrap();
        assert_eq!((drawn.contains(&node), drawn.len()), (lives, 101 + usize::from(lives)), "{time}");
        assert_eq!(index.count_nodes(NodeTypeId(0), Time(time)), drawn.len());
        let edges =
            index.sample_edges(&ElementSampling::new(vec![], Choice::UniformDistinct, 1000), Time(time), AsOf::At);
        let count: usize = (0..3).map(|id| index.count_edges(EdgeTypeId(id), Time(time))).sum();
        assert_eq!(edges.unwrap().len(), count);
        assert_eq!(count, if lives { 1 + usize::from(time == 13) } else { 0 }, "{time}");
    }
}

#[test]
fn common_neighbors_before_a_time() {
    let rows = [
        (0, 2, 0, 1., 1, OPEN),
        (0, 2, 0, 1., 2, OPEN),
        (0, 3, 0, 1., 3, 5),
        (0, 4, 0, 1., 3, OPEN),
        (1, 2, 0, 1., 4, OPEN),
        (1, 3, 0, 1., 6, OPEN),
        (1, 4, 1, 1., 1, OPEN),
    ];
    let index = graph(5, 0, &rows);
    let shared = |side: Side, a: u32, b: u32, time: i64| {
        let scope = Scope::new(EdgeTypes::Only(vec![EdgeTypeId(0)]), side, AsOf::Before).deletes(Deletes::Soft);
        let (nodes, times, mut counts) = ([NodeIndex(a)], [Time(time)], [0]);
        index.common_neighbors(&scope, Roots::new(&nodes, &times).unwrap(), &[NodeIndex(b)], &mut counts).unwrap();
        counts[0]
    };
    assert_eq!([4, 5, 6, 7].map(|time| shared(Side::Out, 0, 1, time)), [0, 1, 1, 2]);
    let shared = |a: u32, b: u32, time: i64| shared(Side::In, a, b, time);
    assert_eq!([(2, 3, 4), (2, 3, 7), (2, 4, 4), (2, 99, 9)].map(|(a, b, time)| shared(a, b, time)), [1, 2, 1, 0]);
}
