use std::cmp::Ordering;

use proptest::prelude::*;
use timeweft_graph::{
    Action, Deletes, Direction, EdgeIndex, EdgeKey, EdgeTypeId, Element, Event, FeatureId, GraphView, Interval, Life,
    Name, NodeIndex, Owner, Schema, Time, Value,
};
use timeweft_index::{Fact, Index, Neighbor, Recency};
use timeweft_oracle::histories::{histories, probe_times};

use crate::event_builders::apply;

/// Events, some after the model's structures are made, so that they are kept up and not only made.
fn build(events: &[Event], first: usize) -> Index {
    let mut index = Index::new(Schema::default());
    let first = first.min(events.len());
    events[..first].iter().for_each(|event| drop(apply(&mut index, event)));
    touch(&index);
    events[first..].iter().for_each(|event| drop(apply(&mut index, event)));
    index
}

/// Makes what is made on first use.
fn touch(index: &Index) {
    index.facts();
    index.degree_before(NodeIndex(0), Time(0));
    index.pair_before(EdgeTypeId(0), NodeIndex(0), NodeIndex(0), Time(0));
}

/// The log's edge creations in log order: the life's number is the position in this list.
struct Made {
    key: EdgeKey,
    created: Time,
    life: Option<Interval>,
}

fn made(index: &Index) -> Vec<Made> {
    let created = |event: Event| match event.element {
        Element::Edge(key) if event.action == Action::Create => Some((key, event.time)),
        _ => None,
    };
    let with_life = |(key, created): (EdgeKey, Time)| {
        let life = |life: &Life| life.interval.created == created;
        let life = index.edge_history(&key).into_iter().find(life).map(|life| life.interval);
        Made { key, created, life }
    };
    let mut made: Vec<Made> = index.events().into_iter().filter_map(created).map(with_life).collect();
    // Of several lives with one beginning only the last is real; the others ended when they began.
    for at in 0..made.len() {
        let later = made[at + 1..].iter().any(|other| other.key == made[at].key && other.created == made[at].created);
        if later {
            made[at].life = None;
        }
    }
    made
}

fn edge_type(index: &Index, key: &EdgeKey) -> EdgeTypeId {
    let schema = index.schema();
    let node_type = |name: &Name| schema.node_type(name).unwrap();
    schema.edge_type(node_type(&key.source.node_type), &key.relation, node_type(&key.destination.node_type)).unwrap()
}

/// The most recent neighbors by sorting everything.
fn naive_neighbors(index: &Index, node: NodeIndex, before: Time, k: usize, deletes: Deletes) -> Vec<Neighbor> {
    let key = index.node_key(node);
    let mut found = Vec::new();
    for (at, made) in made(index).into_iter().enumerate() {
        let visible = match (deletes, made.life) {
            (_, None) => false,
            (Deletes::Soft, Some(_)) => made.created < before,
            (Deletes::Hard, Some(life)) => made.created < before && life.contains(before.before()),
        };
        let sides = [
            (&made.key.source, &made.key.destination, Direction::Out),
            (&made.key.destination, &made.key.source, Direction::In),
        ];
        for (_, other, direction) in sides.into_iter().filter(|(this, _, _)| visible && **this == key) {
            let neighbor = Neighbor {
                node: index.node_index(other).unwrap(),
                edge_type: edge_type(index, &made.key),
                direction,
                created: made.created,
                edge: EdgeIndex(at as u32),
            };
            found.push((neighbor, made.key.relation.clone(), other.clone(), made.key.key.clone()));
        }
    }
    found.sort_by(|(a, relation_a, node_a, key_a), (b, relation_b, node_b, key_b)| -> Ordering {
        let later = b.created.cmp(&a.created);
        let names = (relation_a, a.direction, node_a, key_a).cmp(&(relation_b, b.direction, node_b, key_b));
        later.then(names)
    });
    found.into_iter().take(k).map(|(neighbor, ..)| neighbor).collect()
}

fn naive_recency(made: &[Made], before: Time, counts: impl Fn(&EdgeKey) -> bool) -> Recency {
    let times = || made.iter().filter(|made| made.created < before && counts(&made.key)).map(|made| made.created);
    Recency { count: times().count() as u32, last: times().max() }
}

fn all_nodes(index: &Index) -> impl Iterator<Item = NodeIndex> + Clone {
    (0..index.n_nodes() as u32).map(NodeIndex)
}

fn check_counters(index: &Index, time: Time) {
    let made = made(index);
    for node in all_nodes(index) {
        let key = index.node_key(node);
        let ends = made.iter().filter(|made| made.created < time).map(|made| [&made.key.source, &made.key.destination]);
        assert_eq!(index.degree_before(node, time), ends.flatten().filter(|end| **end == key).count());
        for edge_type_id in (0..index.schema().edge_types().len() as u16).map(EdgeTypeId) {
            let typed = |key: &EdgeKey| edge_type(index, key) == edge_type_id;
            let from = naive_recency(&made, time, |edge| typed(edge) && edge.source == key);
            let to = naive_recency(&made, time, |edge| typed(edge) && edge.destination == key);
            assert_eq!(index.source_before(edge_type_id, node, time), from);
            assert_eq!(index.destination_before(edge_type_id, node, time), to);
            for other in all_nodes(index) {
                let ends = |edge: &EdgeKey| edge.source == key && edge.destination == index.node_key(other);
                let pair = naive_recency(&made, time, |edge| typed(edge) && ends(edge));
                assert_eq!(index.pair_before(edge_type_id, node, other, time), pair);
            }
        }
    }
}

/// Facts by replaying the log into an index and asking what each event ended.
fn naive_facts(index: &Index) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut before = Index::new(Schema::default());
    for (log, event) in (0..).zip(index.events()) {
        let fact =
            |source, destination, edge, action| Fact { time: event.time, action, source, destination, edge, log };
        let mut after = before.clone();
        apply(&mut after, &event).unwrap();
        match &event.element {
            Element::Merge { .. } => {}
            Element::Edge(key) => {
                let edge = after.edge_index(key).unwrap();
                let (edge_type, source, destination) = after.edge_ends(edge);
                facts.push(fact(source, destination, Some((edge_type, edge)), event.action));
            }
            Element::Node(key) => {
                for edge in (0..after.n_edges() as u32).map(EdgeIndex) {
                    let ended = before.edge_alive(edge, Time::FOREVER) && !after.edge_alive(edge, Time::FOREVER);
                    let (edge_type, source, destination) = after.edge_ends(edge);
                    facts.extend(ended.then(|| fact(source, destination, Some((edge_type, edge)), Action::Delete)));
                }
                let node = after.node_index(key).unwrap();
                facts.push(fact(node, node, None, event.action));
            }
        }
        before = after;
    }
    facts.sort_by_key(|fact| fact.time);
    facts
}

fn named(index: &Index, owner: Owner, held: impl Iterator<Item = (FeatureId, Value)>) -> Vec<(Name, Value)> {
    let name = |id: FeatureId| index.schema().features(owner)[id.at()].name.clone();
    let mut named: Vec<_> = held.map(|(id, value)| (name(id), value)).collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named
}

fn check_elements(index: &Index, time: Time) {
    let at = timeweft_graph::At::time(time);
    for node in all_nodes(index) {
        let key = index.node_key(node);
        let state = index.node(&key, at);
        assert_eq!(index.alive(node, time), state.is_some());
        let features: Vec<_> = state.into_iter().flat_map(|state| state.features).collect();
        assert_eq!(named(index, Owner::Node(index.node_type(node)), index.node_features(node, time)), features);
    }
    for (edge, made) in (0..).map(EdgeIndex).zip(made(index)) {
        assert_eq!(index.edge_key(edge), made.key);
        let alive = made.life.is_some_and(|life| life.contains(time));
        assert_eq!(index.edge_alive(edge, time), alive);
        let state = index.edge(&made.key, at).filter(|_| alive);
        let features: Vec<_> = state.into_iter().flat_map(|state| state.features).collect();
        assert_eq!(named(index, Owner::Edge(index.edge_ends(edge).0), index.edge_features(edge, time)), features);
    }
}

fn check_destinations(index: &Index) {
    let made = made(index);
    for edge_type_id in (0..index.schema().edge_types().len() as u16).map(EdgeTypeId) {
        let of_type = made.iter().filter(|made| edge_type(index, &made.key) == edge_type_id);
        let mut keys: Vec<_> = of_type.map(|made| made.key.destination.clone()).collect();
        keys.sort();
        keys.dedup();
        let found: Vec<_> = index.destinations(edge_type_id).iter().map(|node| index.node_key(*node).clone()).collect();
        assert_eq!(found, keys);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn last_neighbors_equal_a_sort_of_everything(events in histories(), first in 0..90usize, k in 0..6usize) {
        let index = build(&events, first);
        let mut out = Vec::new();
        for time in probe_times(&events) {
            for node in all_nodes(&index) {
                for deletes in [Deletes::Hard, Deletes::Soft] {
                    index.last_neighbors(node, time, k, deletes, &mut out);
                    prop_assert_eq!(&out, &naive_neighbors(&index, node, time, k, deletes), "{:?} {} {:?}", node, time, deletes);
                }
            }
        }
    }

    #[test]
    fn counters_equal_a_recount(events in histories(), first in 0..90usize) {
        let index = build(&events, first);
        probe_times(&events).into_iter().for_each(|time| check_counters(&index, time));
        check_destinations(&index);
    }

    #[test]
    fn facts_equal_a_replay(events in histories(), first in 0..90usize) {
        let index = build(&events, first);
        prop_assert_eq!(index.facts(), &naive_facts(&index)[..]);
    }

    #[test]
    fn elements_by_number_equal_elements_by_name(events in histories()) {
        let index = build(&events, events.len());
        probe_times(&events).into_iter().for_each(|time| check_elements(&index, time));
        for node in all_nodes(&index) {
            let created = |event: &Event| event.action == Action::Create && event.element == Element::Node(index.node_key(node).clone());
            let first = index.events().iter().any(created);
            prop_assert_eq!(index.node_index(&index.node_key(node)), first.then_some(node));
        }
    }
}
