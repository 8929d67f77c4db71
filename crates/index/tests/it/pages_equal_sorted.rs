//! Pages of edges and of histories are parts of everything, sorted.

use std::cmp::Reverse;

use proptest::prelude::*;
use timeweft_graph::{At, Deletes, Direction, EdgeIndex, GraphView, Interval, NodeKey, Schema, Time};
use timeweft_index::sample::Side;
use timeweft_index::{EdgeOrder, Happening, Incident, Index};
use timeweft_oracle::histories::{histories, node_keys, probe_times};

use crate::event_builders::apply;
use crate::random_lives::{Random, SCALES, World, key};

/// All edges, sorted: what a page is a part of.
fn sorted(index: &Index, of: Incident<'_>, at: At, order: EdgeOrder) -> Vec<(Direction, EdgeIndex)> {
    let sides: &[Direction] = match of.side {
        Side::Out => &[Direction::Out],
        Side::In => &[Direction::In],
        Side::Both => &[Direction::Out, Direction::In],
    };
    let edges = |side: &Direction| {
        let side = *side;
        index.incident_edges(of.node, side, of.relation, at).into_iter().map(move |edge| (side, edge))
    };
    let mut all: Vec<_> = sides.iter().flat_map(edges).collect();
    let created = |edge: EdgeIndex| index.edge_interval(edge).created;
    match order {
        EdgeOrder::Newest => all.sort_by_key(|(_, edge)| Reverse(created(*edge))),
        EdgeOrder::Oldest => all.sort_by_key(|(_, edge)| created(*edge)),
        EdgeOrder::Name => {}
    }
    all
}

/// All that happened, sorted.
fn told(index: &Index, node: &NodeKey, time: Time, newest: bool) -> Vec<(Interval, Happening)> {
    let mut all: Vec<(Interval, Happening)> = Vec::new();
    for life in index.node_history(node) {
        all.push((life.interval, Happening::Life));
        all.extend(life.features.into_iter().map(|span| (span.interval, Happening::Feature(span))));
    }
    all.extend(index.merges_of(node).into_iter().map(|merge| (merge.interval, Happening::Merge(merge))));
    let rank = |happening: &Happening| match happening {
        Happening::Life => 0,
        Happening::Feature(_) => 1,
        Happening::Merge(_) => 2,
        Happening::Edge(_) => 3,
    };
    all.sort_by_key(|(_, happening)| rank(happening));
    all.extend(index.incident_lives(node).into_iter().map(|edge| (index.edge_interval(edge), Happening::Edge(edge))));
    all.retain(|(interval, _)| interval.created <= time);
    if newest {
        all.sort_by_key(|(interval, _)| Reverse(interval.created));
    } else {
        all.sort_by_key(|(interval, _)| interval.created);
    }
    for (interval, _) in &mut all {
        interval.removed = if interval.removed > time { Time::FOREVER } else { interval.removed };
    }
    all
}

/// Pages of a size, one behind the other.
fn walked<T>(size: usize, page: impl Fn(std::ops::Range<usize>) -> Vec<T>) -> Vec<T> {
    let mut all = Vec::new();
    loop {
        let found = page(all.len()..all.len() + size);
        let n = found.len();
        all.extend(found);
        if n < size {
            return all;
        }
    }
}

fn check_edges(index: &Index, node: &NodeKey, at: At, size: usize, relations: &[Option<&str>]) {
    for side in [Side::Out, Side::In, Side::Both] {
        for relation in relations {
            let of = Incident { node, side, relation: *relation };
            let mut n = 0;
            for order in [EdgeOrder::Newest, EdgeOrder::Oldest, EdgeOrder::Name] {
                let all = sorted(index, of, at, order);
                let pages = walked(size, |page| index.incident_page(of, at, order, page));
                assert_eq!(pages, all, "{node} {at:?} {order:?}");
                n = all.len();
            }
            assert_eq!(index.n_incident(of, at), n);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn pages_of_random_histories(events in histories(), size in 1usize..5) {
        let mut index = Index::new(Schema::default());
        events.iter().for_each(|event| _ = apply(&mut index, event));
        for time in probe_times(&events).into_iter().step_by(3) {
            for node in node_keys() {
                for deletes in [Deletes::Hard, Deletes::Soft] {
                    check_edges(&index, &node, At { time, deletes }, size, &[None, Some("likes")]);
                }
                for newest in [false, true] {
                    let pages = walked(size, |page| index.history_page(&node, time, newest, page));
                    prop_assert_eq!(pages, told(&index, &node, time, newest));
                }
            }
        }
    }
}

#[test]
fn pages_of_a_hub() {
    let world = World::random(11, SCALES[1], 20, 4_000);
    for index in world.indexes() {
        let mut random = Random(3);
        for _ in 0..12 {
            let (node, time) = (key(random.below(3)), world.time(&mut random));
            let size = 1 + random.below(700);
            for deletes in [Deletes::Hard, Deletes::Soft] {
                check_edges(&index, &node, At { time, deletes }, size, &[None, Some("1")]);
            }
            for newest in [false, true] {
                let pages = walked(size, |page| index.history_page(&node, time, newest, page));
                assert_eq!(pages, told(&index, &node, time, newest));
            }
        }
    }
}
