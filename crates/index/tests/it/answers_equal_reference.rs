use std::collections::BTreeSet;

use proptest::prelude::*;
use timeweft_graph::{
    Action, At, Deletes, Direction, EdgeKey, Element, Event, FeatureDef, FeatureKind, GraphView, Interval, ListOrder,
    MergeRecord, Name, NodeIndex, NodeKey, Owner, Schema, Time,
};
use timeweft_index::Index;
use timeweft_index::sample::NO_NODE;
use timeweft_oracle::histories::{histories, node_keys, probe_times};
use timeweft_oracle::{ReferenceGraph, diff_states};

use crate::event_builders::apply;

/// An open schema; one with a declared set of lists; and a closed one that lacks most types.
fn schemas() -> Vec<Schema> {
    let mut declared = Schema::default();
    let user = declared.add_node_type(&"user".into()).unwrap();
    let def = FeatureDef { name: "f8".into(), kind: FeatureKind::Json, order: ListOrder::Set };
    declared.add_feature(Owner::Node(user), def).unwrap();
    let mut closed = declared.clone();
    let item = closed.add_node_type(&"item".into()).unwrap();
    closed.add_edge_type(user, &"likes".into(), user).unwrap();
    closed.add_edge_type(user, &"likes".into(), item).unwrap();
    closed.close();
    vec![Schema::default(), declared, closed]
}

/// Both graphs after the same events, which both accept or refuse for the same reason.
fn both(events: &[Event], schema: &Schema) -> (ReferenceGraph, Index) {
    let (mut reference, mut index) = (ReferenceGraph::new(schema.clone()), Index::new(schema.clone()));
    for event in events {
        assert_eq!(apply(&mut index, event), reference.apply(event), "{event:?}");
    }
    (reference, index)
}

fn edge_keys(events: &[Event]) -> BTreeSet<EdgeKey> {
    let key = |event: &Event| match &event.element {
        Element::Edge(key) => Some(key.clone()),
        _ => None,
    };
    events.iter().filter_map(key).collect()
}

/// Every question at one moment.
fn assert_equal_at(a: &impl GraphView, b: &impl GraphView, at: At, edges: &BTreeSet<EdgeKey>) {
    let relations = [None, Some("likes"), Some("nothing")];
    assert_eq!(a.counts(at), b.counts(at), "{at:?}");
    assert_eq!(a.nodes(None, at), b.nodes(None, at), "{at:?}");
    assert_eq!(a.nodes(Some("item"), at), b.nodes(Some("item"), at), "{at:?}");
    relations.iter().for_each(|name| assert_eq!(a.edges(*name, at), b.edges(*name, at), "{at:?}"));
    edges.iter().for_each(|key| assert_eq!(a.edge(key, at), b.edge(key, at), "{at:?}"));
    for key in &node_keys() {
        assert_eq!(a.node(key, at), b.node(key, at), "{at:?}");
        assert_eq!(a.resolve(key, at.time), b.resolve(key, at.time), "{at:?}");
        for direction in [Direction::Out, Direction::In] {
            for name in relations {
                let (x, y) = (a.neighbors(key, direction, name, at), b.neighbors(key, direction, name, at));
                assert_eq!(x, y, "{key} {direction:?} {name:?} {at:?}");
                assert_eq!(a.degree(key, direction, name, at), y.len(), "{key} {direction:?} {name:?} {at:?}");
            }
        }
    }
}

/// Every question of the two views.
fn assert_equal(a: &impl GraphView, b: &impl GraphView, events: &[Event]) {
    assert_eq!(a.events(), b.events());
    assert_eq!(a.schema(), b.schema());
    assert_eq!(a.merges(), b.merges());
    let edges = edge_keys(events);
    node_keys().iter().for_each(|key| assert_eq!(a.node_history(key), b.node_history(key), "{key}"));
    edges.iter().for_each(|key| assert_eq!(a.edge_history(key), b.edge_history(key), "{key}"));
    let times = probe_times(events);
    for &time in &times {
        assert_equal_at(a, b, At { time, deletes: Deletes::Hard }, &edges);
        assert_equal_at(a, b, At { time, deletes: Deletes::Soft }, &edges);
        for &other in times.iter().step_by(3) {
            assert_eq!(a.diff(time, other), b.diff(time, other), "{time} {other}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_equal_the_reference(events in histories()) {
        for schema in schemas() {
            let (reference, index) = both(&events, &schema);
            assert_equal(&index, &reference, &events);
        }
    }

    #[test]
    fn counts_by_type_are_those_of_the_elements(events in histories()) {
        let (reference, index) = both(&events, &Schema::default());
        for (time, deletes) in probe_times(&events).into_iter().flat_map(|t| [(t, Deletes::Hard), (t, Deletes::Soft)]) {
            let at = At { time, deletes };
            let (nodes, edges) = index.counts_by_type(at);
            let schema = index.schema();
            for (known, count) in schema.node_types().iter().zip(nodes) {
                prop_assert_eq!(reference.nodes(Some(&known.name), at).len(), count);
            }
            for (known, count) in schema.edge_types().iter().zip(edges) {
                let ends = (schema.node_type_name(known.source), schema.node_type_name(known.destination));
                let mut of_relation = reference.edges(Some(&known.relation), at);
                of_relation.retain(|edge| (edge.key.source.node_type.clone(), edge.key.destination.node_type.clone()) == ends);
                prop_assert_eq!(of_relation.len(), count);
            }
        }
    }

    #[test]
    fn differences_between_commits_equal_the_reference(events in histories(), cut in 0usize..40) {
        for schema in schemas() {
            let (old, old_index) = both(&events[..cut.min(events.len())], &schema);
            let (new, new_index) = both(&events, &schema);
            let times = probe_times(&events);
            for (&from, &to) in times.iter().zip(times.iter().skip(2)).step_by(2) {
                for deletes in [Deletes::Hard, Deletes::Soft] {
                    let [from, to] = [from, to].map(|time| At { time, deletes });
                    let two = new_index.diff_from((&old_index, from), to);
                    prop_assert_eq!(two, diff_states((&old, from), (&new, to)), "{:?} {:?}", from, to);
                    let back = old_index.diff_from((&new_index, from), to);
                    prop_assert_eq!(back, diff_states((&new, from), (&old, to)), "{:?} {:?}", from, to);
                    let one = new_index.diff_from((&new_index, from), to);
                    prop_assert_eq!(one, diff_states((&new, from), (&new, to)), "{:?} {:?}", from, to);
                }
            }
        }
    }

    #[test]
    fn its_own_events_give_it_again(events in histories()) {
        for schema in schemas() {
            let (_, index) = both(&events, &schema);
            let (_, again) = both(&index.events(), &schema);
            assert_equal(&again, &index, &events);
        }
    }

    #[test]
    fn edges_live_inside_both_ends(events in histories()) {
        let (_, index) = both(&events, &Schema::default());
        for time in probe_times(&events) {
            for edge in index.edges(None, At::time(time)) {
                prop_assert!(index.node(&edge.key.source, At::time(time)).is_some(), "{} at {time}", edge.key);
                prop_assert!(index.node(&edge.key.destination, At::time(time)).is_some(), "{} at {time}", edge.key);
            }
        }
    }

    #[test]
    fn a_refused_event_changes_nothing(events in histories()) {
        let mut index = Index::new(Schema::default());
        for event in &events {
            let before = index.clone();
            if index.apply(event, &Name::from("")).is_err() {
                prop_assert_eq!(index.n_nodes(), before.n_nodes());
                assert_equal_at(&index, &before, At::now(), &edge_keys(&events));
                prop_assert_eq!(index.schema(), before.schema());
                prop_assert_eq!(index.events().len(), before.events().len());
            }
        }
    }
}

/// Edges of few sources, each with more than are looked through, in the order of their sources: created, ended, created
/// again and created twice at once; then out of order.
#[test]
fn edges_of_large_sources_are_found() {
    const SIZES: [usize; 4] = [150, 3, 64, 65];
    let node = |id: String| NodeKey::new("n", id.as_str());
    let key = |source: usize, at: usize| EdgeKey {
        source: node(format!("s{source}")),
        relation: "r".into(),
        destination: node(format!("d{}", at % 40)),
        key: Some(at.to_string().into()),
    };
    let names = (0..SIZES.len()).map(|at| format!("s{at}")).chain((0..40).map(|at| format!("d{at}")));
    let mut events: Vec<Event> =
        names.map(|name| Event::new(Time(0), Action::Create, Element::Node(node(name)))).collect();
    let mut push = |action, key: EdgeKey| {
        let time = Time(events.len() as i64);
        events.push(Event::new(time, action, Element::Edge(key)));
    };
    let all = || (0..SIZES.len()).flat_map(|source| (0..SIZES[source]).map(move |at| (source, at)));
    for (source, at) in all() {
        push(Action::Create, key(source, at));
        if at % 3 == 0 {
            // One of the first, and one of the last.
            for again in [at / 2, at] {
                push(Action::Delete, key(source, again));
                push(Action::Create, key(source, again));
                push(Action::Create, key(source, again));
            }
        }
    }
    for (source, at) in all().filter(|(_, at)| at % 5 == 0) {
        push(Action::Create, key(source, at));
        push(Action::Delete, key(source, at));
        push(Action::Create, key(source, at));
    }
    let (reference, index) = both(&events, &Schema::default());
    assert_eq!(index.events(), reference.events());
    for (source, at) in all() {
        let key = key(source, at);
        assert_eq!(index.edge_history(&key), reference.edge_history(&key), "{key}");
    }
}

#[test]
fn histories_reach_what_they_are_for() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut accepted = 0;
    let mut given = 0;
    let mut reasons = BTreeSet::new();
    let (mut again, mut merged, mut outside, mut ended_by_node) = (0, 0, 0, 0);
    let (mut at_once, mut advice, mut changed, mut unmerged) = (0, 0, 0, 0);
    for _ in 0..300 {
        let events = histories().new_tree(&mut runner).unwrap().current();
        let mut graph = ReferenceGraph::new(Schema::default());
        for event in &events {
            given += 1;
            match graph.apply(event) {
                Ok(()) => accepted += 1,
                Err(reason) => {
                    reasons.insert(format!("{reason:?}").split([' ', '(', '{']).next().map(str::to_owned));
                }
            }
        }
        again += edge_keys(&events).iter().filter(|key| graph.edge_history(key).len() > 1).count();
        merged += graph.merges().len();
        let merges = graph.merges();
        let both = |a: &MergeRecord, b: &MergeRecord| {
            a.from == b.from && a.into < b.into && b.interval.contains(a.interval.created)
        };
        at_once += merges.iter().filter(|a| merges.iter().any(|b| both(a, b))).count();
        advice += merges.iter().filter(|merge| !MergeRecord::resolves(merge.features.get(MergeRecord::TYPE))).count();
        let of_merges = |action| {
            graph
                .events()
                .iter()
                .filter(|event| event.action == action && matches!(event.element, Element::Merge { .. }))
                .count()
        };
        changed += of_merges(Action::Update);
        unmerged += of_merges(Action::Delete);
        let created = |key: &NodeKey| graph.events().iter().any(|event| event.element == Element::Node(key.clone()));
        outside += graph.merges().iter().filter(|merge| !created(&merge.into)).count();
        let over = graph.edges(None, At { time: Time::FOREVER, deletes: Deletes::Soft });
        ended_by_node += over.iter().filter(|edge| edge.deleted).count();
    }
    assert!(accepted * 4 > given, "{accepted} of {given}");
    assert!(reasons.len() >= 10, "{reasons:?}");
    assert!(again > 30 && merged > 30 && ended_by_node > 100, "{again} {merged} {ended_by_node}");
    assert!(outside > 10, "{outside}");
    assert!(at_once > 20 && advice > 20 && changed > 20 && unmerged > 10, "{at_once} {advice} {changed} {unmerged}");
}

/// Columns as states: what `node_columns` and `edge_columns` say of each element, by key.
fn assert_columns(index: &Index, reference: &ReferenceGraph, at: At) {
    let deleted = |created: Time, removed: Time| !Interval { created, removed }.contains(at.time);
    for node_type in [None, Some("item"), Some("nothing")] {
        let columns = index.node_columns(node_type, at);
        let mut states: Vec<_> = (0..columns.nodes.len())
            .map(|row| {
                assert_eq!(index.node_type(columns.nodes[row]), columns.types[row]);
                let (created, removed) = (columns.created[row], columns.removed[row]);
                (index.node_key(columns.nodes[row]), created, removed, deleted(created, removed))
            })
            .collect();
        assert!(columns.nodes.is_sorted());
        states.sort();
        let expected = reference.nodes(node_type, at).into_iter();
        let expected: Vec<_> =
            expected.map(|node| (node.key, node.life.created, node.life.removed, node.deleted)).collect();
        assert_eq!(states, expected, "{at:?}");
    }
    for relation in [None, Some("likes"), Some("nothing")] {
        let columns = index.edge_columns(relation, at);
        let mut states: Vec<_> = (0..columns.edges.len())
            .map(|row| {
                let ends = (columns.types[row], columns.sources[row], columns.destinations[row]);
                assert_eq!(index.edge_ends(columns.edges[row]), ends);
                let (created, removed) = (columns.created[row], columns.removed[row]);
                (index.edge_key(columns.edges[row]), created, removed, deleted(created, removed))
            })
            .collect();
        states.sort();
        let expected = reference.edges(relation, at).into_iter();
        let expected: Vec<_> =
            expected.map(|edge| (edge.key, edge.life.created, edge.life.removed, edge.deleted)).collect();
        assert_eq!(states, expected, "{at:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn columns_are_the_states_and_ids_find_their_nodes(events in histories()) {
        let (reference, index) = both(&events, &Schema::default());
        for time in probe_times(&events) {
            for deletes in [Deletes::Hard, Deletes::Soft] {
                assert_columns(&index, &reference, At { time, deletes });
            }
        }
        let keys = node_keys();
        for node_type in ["user", "item", "nothing"] {
            let found = index.node_indices(node_type, keys.iter().map(|key| key.id.as_ref()));
            for (key, found) in keys.iter().zip(found) {
                let key = NodeKey { node_type: node_type.into(), id: key.id.clone() };
                prop_assert_eq!(index.node_index(&key).unwrap_or(NO_NODE), found);
            }
        }
    }

    #[test]
    fn ids_of_many_nodes_are_those_of_their_keys(events in histories()) {
        let (_, index) = both(&events, &Schema::default());
        // Every number of the graph, and some that it does not have.
        let mut nodes: Vec<NodeIndex> = (0..index.n_nodes() as u32 + 2).map(NodeIndex).rev().collect();
        nodes.push(NO_NODE);
        let found: Vec<_> = index.node_ids(nodes.iter().copied()).collect();
        prop_assert_eq!(found.len(), nodes.len());
        for (node, found) in nodes.into_iter().zip(found) {
            let key = (node.at() < index.n_nodes()).then(|| index.node_key(node));
            let found = found.map(|(of, id)| NodeKey { node_type: index.schema().node_type_name(of), id: id.to_id() });
            prop_assert_eq!(found, key);
        }
    }

    #[test]
    fn events_of_a_span_are_those_of_the_log_in_order_of_time(events in histories()) {
        let (_, index) = both(&events, &Schema::default());
        let mut sorted = index.events();
        sorted.sort_by_key(|event| event.time);
        let span = sorted.first().zip(sorted.last()).map(|(first, last)| (first.time, last.time));
        prop_assert_eq!(index.event_span(), span);
        let times = probe_times(&events);
        for (&from, &until) in times.iter().flat_map(|from| times.iter().map(move |until| (from, until))) {
            let is_in = |event: &&Event| event.time >= from && (event.time < until || until == Time::FOREVER);
            let expected: Vec<Event> = sorted.iter().filter(is_in).cloned().collect();
            let found = index.events_between(from, until);
            prop_assert_eq!(found.len(), expected.len());
            prop_assert_eq!(found.collect::<Vec<_>>(), expected, "{} {}", from, until);
        }
        // In this order they make the same graph.
        let mut again = Index::new(index.schema().clone());
        for event in index.events_between(Time::MIN, Time::FOREVER) {
            prop_assert_eq!(apply(&mut again, &event), Ok(()), "{:?}", event);
        }
        for time in times {
            let at = At { time, deletes: Deletes::Hard };
            prop_assert_eq!(again.nodes(None, at), index.nodes(None, at));
            prop_assert_eq!(again.edges(None, at), index.edges(None, at));
            prop_assert_eq!(again.merges(), index.merges());
        }
    }
}
