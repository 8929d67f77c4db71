//! Elements in the order of their keys, however many there are, and what lists of numbers say.

use proptest::prelude::*;
use timeweft_graph::{
    Action, At, Deletes, Direction, EdgeIndex, EdgeKey, Element, Event, GraphView, Interval, NodeKey, Schema, Time,
};
use timeweft_index::Index;
use timeweft_oracle::ReferenceGraph;
use timeweft_oracle::histories::{histories, node_keys, probe_times};

use crate::event_builders::apply;

fn both(events: &[Event]) -> (ReferenceGraph, Index) {
    let (mut reference, mut index) = (ReferenceGraph::new(Schema::default()), Index::new(Schema::default()));
    for event in events {
        assert_eq!(apply(&mut index, event), reference.apply(event), "{event:?}");
    }
    (reference, index)
}

/// Every life of an edge at a node, by asking every edge that was ever there.
fn naive_lives(graph: &ReferenceGraph, key: &NodeKey) -> Vec<(EdgeKey, Interval)> {
    let ever = At { time: Time::FOREVER, deletes: Deletes::Soft };
    let keys = graph.edges(None, ever).into_iter().map(|edge| edge.key);
    let at_node = keys.filter(|edge| edge.source == *key || edge.destination == *key);
    let lives = |edge: EdgeKey| graph.edge_history(&edge).into_iter().map(move |life| (edge.clone(), life.interval));
    at_node.flat_map(lives).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edges_compare_as_their_keys(events in histories()) {
        let (_, index) = both(&events);
        let edges = || (0..index.n_edges() as u32).map(EdgeIndex);
        for (a, b) in edges().flat_map(|a| edges().map(move |b| (a, b))) {
            prop_assert_eq!(index.compare_edges(a, b), index.edge_key(a).cmp(&index.edge_key(b)));
        }
    }

    #[test]
    fn what_is_at_a_node_equals_the_reference(events in histories()) {
        let (reference, index) = both(&events);
        for key in node_keys() {
            let lives = index.incident_lives(&key).into_iter();
            let lives: Vec<_> = lives.map(|edge| (index.edge_key(edge), index.edge_interval(edge))).collect();
            prop_assert_eq!(lives, naive_lives(&reference, &key));
            let merges = reference.merges().into_iter().filter(|merge| merge.from == key || merge.into == key);
            prop_assert_eq!(index.merges_of(&key), merges.collect::<Vec<_>>());
            for time in probe_times(&events) {
                prop_assert_eq!(index.n_merges(time), reference.counts(At::time(time)).merges);
                for deletes in [Deletes::Hard, Deletes::Soft] {
                    let at = At { time, deletes };
                    let edges = index.incident_edges(&key, Direction::In, None, at).into_iter();
                    let states: Vec<_> = edges.map(|edge| index.edge_state(edge, time)).collect();
                    prop_assert_eq!(states, reference.neighbors(&key, Direction::In, None, at));
                }
            }
        }
    }

    /// One after the other as all at once, and only as far as somebody asks.
    #[test]
    fn elements_one_by_one_are_all_of_them(events in histories(), n in 0usize..5) {
        let (reference, index) = both(&events);
        let at = At { time: Time::FOREVER, deletes: Deletes::Soft };
        prop_assert_eq!(index.iter_nodes(None, at).collect::<Vec<_>>(), reference.nodes(None, at));
        let edges: Vec<_> = reference.iter_edges(Some("likes"), at).take(n).collect();
        prop_assert_eq!(index.iter_edges(Some("likes"), at).take(n).collect::<Vec<_>>(), edges);
    }
}

/// Ids that are numbers and texts, short, long and of one beginning, under several types; few edges among many nodes, and many.
#[test]
fn ids_of_all_kinds_come_in_order() {
    let ids =
        ["7", "70", "8", "18446744073709551615", "a", "abcdefgh", "abcdefghi", "abcdefghia", "abcdefg", "é", "007", ""];
    let node = |of: &str, id: String| NodeKey::new(of, id.as_str());
    let mut events = Vec::new();
    for (of, id) in ["z", "n", "é"].into_iter().flat_map(|of| ids.map(|id| (of, id.to_owned()))) {
        events.push(Event::new(Time(0), Action::Create, Element::Node(node(of, id))));
    }
    events.extend((0..200).map(|id| Event::new(Time(0), Action::Create, Element::Node(node("n", format!("x{id}"))))));
    let edge = |at: usize| EdgeKey {
        source: node(["z", "n"][at % 2], ids[at * 5 % ids.len()].to_owned()),
        relation: ["r", "a", "q"][at / 5 % 3].into(),
        destination: node(["é", "z", "n"][at / 2 % 3], ids[at * 7 % ids.len()].to_owned()),
        key: (!at.is_multiple_of(4)).then(|| format!("{}", at % 11).as_str().into()),
    };
    let (few, many) = (events.len() + 8, events.len() + 400);
    events.extend((0..400).map(|at| Event::new(Time(1 + at as i64), Action::Create, Element::Edge(edge(at)))));
    for n in [few, many] {
        let mut reference = ReferenceGraph::new(Schema::default());
        let mut index = Index::new(Schema::default());
        for event in &events[..n] {
            assert_eq!(apply(&mut index, event), reference.apply(event));
        }
        assert_eq!(index.nodes(None, At::now()), reference.nodes(None, At::now()));
        assert_eq!(index.edges(None, At::now()), reference.edges(None, At::now()));
        let (early, late) = (Time(3), Time(n as i64));
        assert_eq!(index.diff(early, late), reference.diff(early, late));
    }
}
