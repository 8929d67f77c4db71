use timeweft_graph::{
    Action, At, Counts, Deletes, Direction, EdgeKey, Element, Event, FeatureDef, FeatureKind, Features, GraphView,
    Interval, ListOrder, Name, NodeIndex, NodeKey, Owner, Reason, Schema, Time, TimeUnit, Value,
};
use timeweft_index::Index;

use crate::event_builders::{apply, create, delete, edge, index, merge, node, number, update};

fn soft(time: i64) -> At {
    At { time: Time(time), deletes: Deletes::Soft }
}

fn hard(time: i64) -> At {
    At::time(Time(time))
}

fn life(created: i64, removed: i64) -> Interval {
    Interval::new(Time(created), Time(removed)).unwrap()
}

fn intervals(history: timeweft_graph::ElementHistory) -> Vec<Interval> {
    history.into_iter().map(|life| life.interval).collect()
}

#[test]
fn a_node_delete_ends_its_edges_on_both_sides() {
    let index = index(&[
        create(0, node("a")),
        create(0, node("b")),
        create(1, edge("a", "r", "b")),
        create(1, edge("b", "r", "a")),
        create(1, edge("a", "r", "a")),
        create(1, edge("b", "r", "b")),
        delete(5, node("a")),
    ]);
    assert_eq!(index.edges(None, hard(4)).len(), 4);
    assert_eq!(
        index.edges(None, hard(5)).iter().map(|state| state.key.clone()).collect::<Vec<_>>(),
        [edge("b", "r", "b")]
    );
    assert_eq!(index.degree(&node("b"), Direction::In, None, hard(5)), 1);
    assert_eq!(index.degree(&node("a"), Direction::Out, None, hard(4)), 2);
    // Three implied edge deletes stand just before the node's own.
    let facts: Vec<_> = index.facts()[6..].iter().map(|fact| (fact.edge.is_some(), fact.time, fact.log)).collect();
    assert_eq!(facts, [(true, Time(5), 6), (true, Time(5), 6), (true, Time(5), 6), (false, Time(5), 6)]);
}

#[test]
fn a_node_cannot_end_before_an_event_of_its_edges() {
    let mut index = index(&[
        create(0, node("a")),
        create(0, node("b")),
        create(1, edge("a", "r", "b")),
        update(7, edge("a", "r", "b")),
    ]);
    let late = |known: i64| Reason::OutOfOrder {
        unit: TimeUnit::Step,
        time: Time(5),
        known: Time(known),
        element: "an edge of node n b".into(),
    };
    assert_eq!(apply(&mut index, &delete(5, node("b"))), Err(late(7)));
    apply(&mut index, &delete(9, edge("a", "r", "b"))).unwrap();
    assert_eq!(apply(&mut index, &delete(5, node("b"))), Err(late(9)));
    apply(&mut index, &delete(9, node("b"))).unwrap();
}

#[test]
fn a_new_life_has_no_features_and_no_edges() {
    let index = index(&[
        create(0, node("a")).with(number("x", 1.0)),
        create(0, node("b")),
        create(1, edge("a", "r", "b")).with(number("w", 1.0)),
        delete(2, node("a")),
        create(4, node("a")),
        create(6, edge("a", "r", "b")),
    ]);
    assert_eq!(index.node(&node("a"), hard(3)), None);
    assert!(index.node(&node("a"), hard(4)).unwrap().features.is_empty());
    assert_eq!(index.edge(&edge("a", "r", "b"), hard(5)), None);
    assert!(index.edge(&edge("a", "r", "b"), hard(6)).unwrap().features.is_empty());
    assert_eq!(intervals(index.node_history(&node("a"))), [life(0, 2), Interval::open(Time(4))]);
    assert_eq!(intervals(index.edge_history(&edge("a", "r", "b"))), [life(1, 2), Interval::open(Time(6))]);
}

#[test]
fn soft_deletes_keep_the_last_values_marked() {
    let index = index(&[
        create(0, node("a")).with(number("x", 1.0)),
        update(3, node("a")).with(number("x", 2.0)),
        delete(5, node("a")),
    ]);
    let gone = index.node(&node("a"), soft(9)).unwrap();
    assert!(gone.deleted);
    assert_eq!(gone.life, life(0, 5));
    assert_eq!(gone.features["x"], Value::number(2.0));
    let then = index.node(&node("a"), soft(2)).unwrap();
    assert!(!then.deleted);
    assert_eq!(then.features["x"], Value::number(1.0));
    assert_eq!(index.node(&node("a"), hard(9)), None);
}

#[test]
fn a_life_between_two_states_that_show_what_is_gone_began_and_ended() {
    let lives = |times: [i64; 2]| [create(times[0], edge("a", "r", "b")), delete(times[1], edge("a", "r", "b"))];
    let mut events = vec![create(0, node("a")), create(0, node("b")), create(0, node("c")), delete(2, node("c"))];
    events.extend(lives([1, 2]));
    events.extend([create(4, node("c")), delete(5, node("c"))]);
    events.extend(lives([4, 5]));
    let index = index(&events);
    let between = |from, to| {
        let diff = index.diff_from((&index, from), to);
        assert_eq!((&diff.nodes_created, &diff.edges_created), (&diff.nodes_removed, &diff.edges_removed));
        (diff.nodes_created, diff.edges_created.len())
    };
    assert_eq!(between(soft(2), soft(6)), (vec![NodeKey::new("n", "c")], 1));
    assert_eq!((between(soft(2), soft(3)), between(soft(5), soft(6))), ((vec![], 0), (vec![], 0)));
    assert_eq!(between(hard(2), hard(6)), (vec![], 0), "who does not see what is gone saw nothing");
}

#[test]
fn a_value_that_is_back_is_no_change() {
    let values = [
        [Value::number(1.0), Value::number(2.0)],
        [Value::text("a text that is longer than a few bytes"), Value::text("b")],
        [Value::Json(serde_json::json!({"a": [1]})), Value::Json(false.into())],
        [Value::floats(&[1.0; 9]), Value::floats(&[2.0; 3])],
    ];
    for [one, other] in values {
        let with = |value: &Value| vec![("x".into(), Some(value.clone()))];
        let mut events = Vec::new();
        for element in [Element::Node(node("a")), Element::Node(node("b")), Element::Edge(edge("a", "r", "b"))] {
            let change = |time, action, value| Event::new(Time(time), action, element.clone()).with(with(value));
            events.push(change(0, Action::Create, &one));
            events.extend([change(1, Action::Update, &other), change(2, Action::Update, &one)]);
        }
        events.sort_by_key(|event| event.time);
        let index = index(&events);
        let updated = |from: i64, to: i64| {
            let diff = index.diff(Time(from), Time(to));
            (diff.nodes_updated.len(), diff.edges_updated.len())
        };
        assert_eq!((updated(0, 1), updated(1, 2), updated(0, 2)), ((2, 1), (2, 1), (0, 0)), "{one}");
    }
}

#[test]
fn what_differs_between_commits_is_found_by_name_whatever_the_numbers() {
    let others = |x: f64| {
        [
            create(0, node("a")).with(vec![("w".into(), Some(Value::number(5.0))), number("x", x).remove(0)]),
            create(0, node("b")),
            create(0, edge("a", "r", "b")).with(number("w", 5.0)),
            create(0, edge("b", "q", "a")).with(number("x", x)),
        ]
    };
    let shop = create(0, NodeKey::new("shop", "z")).with(number("x", 1.0));
    let before = index(&[&others(1.0)[..], std::slice::from_ref(&shop)].concat());
    // Types, relations and features come in another order.
    let mut after = others(2.0);
    after.reverse();
    after.sort_by_key(|event| matches!(event.element, Element::Edge(_)));
    after[1].features.reverse();
    let after = index(&[std::slice::from_ref(&shop), &after[..]].concat());
    let diff = after.diff_from((&before, hard(1)), hard(1));
    assert!(diff.nodes_created.is_empty() && diff.nodes_removed.is_empty());
    assert!(diff.edges_created.is_empty() && diff.edges_removed.is_empty());
    let x: [Name; 1] = ["x".into()];
    assert_eq!((diff.nodes_updated.len(), diff.edges_updated.len()), (1, 1));
    assert_eq!((&diff.nodes_updated[0].key, &diff.nodes_updated[0].features[..]), (&node("a"), &x[..]));
    assert_eq!((&diff.edges_updated[0].key, &diff.edges_updated[0].features[..]), (&edge("b", "q", "a"), &x[..]));
}

#[test]
fn a_life_that_ends_when_it_begins_was_never_there() {
    let index =
        index(&[create(0, node("a")), create(3, node("b")), create(3, edge("a", "r", "b")), delete(3, node("b"))]);
    for at in [hard(3), soft(3), soft(9)] {
        assert_eq!(index.node(&node("b"), at), None);
        assert!(index.neighbors(&node("a"), Direction::Out, None, at).is_empty());
        assert_eq!(index.degree(&node("a"), Direction::Out, None, at), 0);
    }
    assert!(index.node_history(&node("b")).is_empty());
    assert_eq!(index.events().len(), 4);
    // The creation was a fact, and counts as one.
    let (a, b) = (index.node_index(&node("a")).unwrap(), index.node_index(&node("b")).unwrap());
    let edge_type = index.facts()[2].edge.unwrap().0;
    assert_eq!(index.pair_before(edge_type, a, b, Time(4)).count, 1);
}

#[test]
fn the_last_of_two_updates_at_one_time_wins() {
    let index = index(&[
        create(0, node("a")).with(number("x", 1.0)),
        update(4, node("a")).with(number("x", 2.0)),
        update(4, node("a")).with(number("x", 1.0)),
        update(6, node("a")).with(number("x", 1.0)),
        update(8, node("a")).with(vec![("x".into(), None)]),
    ]);
    let spans: Vec<_> = index.node_history(&node("a"))[0].features.iter().map(|span| span.interval).collect();
    assert_eq!(spans, [life(0, 8)]);
}

#[test]
fn sets_of_a_declared_feature_do_not_depend_on_order() {
    let mut declared = Schema::default();
    let id = declared.add_node_type(&"n".into()).unwrap();
    let def = FeatureDef { name: "tags".into(), kind: FeatureKind::Json, order: ListOrder::Set };
    declared.add_feature(Owner::Node(id), def).unwrap();
    let mut index = Index::new(Schema::default());
    index.declare(&declared);
    let tags = |list: serde_json::Value| vec![("tags".into(), Some(Value::Json(list)))];
    let events = [
        create(0, node("a")).with(tags(serde_json::json!(["x", "y"]))),
        update(5, node("a")).with(tags(serde_json::json!(["y", "x", "x"]))),
    ];
    events.iter().for_each(|event| apply(&mut index, event).unwrap());
    assert_eq!(index.node_history(&node("a"))[0].features.len(), 1);
}

/// delta-load 6.5, X1: a chain of merges resolves to its end.
#[test]
fn a_chain_of_merges_resolves_to_its_end() {
    for merges in [[("A", "B"), ("B", "C")], [("B", "C"), ("A", "B")]] {
        let mut index = index(&["A", "B", "C"].map(|id| create(100, node(id))));
        ["A", "B"].iter().for_each(|id| apply(&mut index, &delete(200, node(id))).unwrap());
        merges.iter().for_each(|(from, into)| apply(&mut index, &create(200, merge(from, into))).unwrap());
        assert_eq!(index.resolve(&node("A"), Time(200)), node("C"));
        assert_eq!(index.resolve(&node("A"), Time(199)), node("A"));
        assert_eq!(index.merges().len(), 2);
    }
}

/// delta-load 6.5, X5: merge, the merged node comes back, and is merged again: two episodes.
#[test]
fn a_node_merged_twice_has_two_episodes() {
    let mut index = index(&[
        create(100, node("A")),
        create(100, node("B")),
        create(100, edge("A", "x", "B")),
        delete(200, node("A")),
        create(200, merge("A", "B")),
        update(300, node("B")).with(number("d", 1.0)),
    ]);
    // A cumulative merge list names the merge again.
    assert!(matches!(apply(&mut index, &create(300, merge("A", "B"))), Err(Reason::BadMerge(_))));
    for event in [create(400, node("A")), delete(500, node("A")), create(500, merge("A", "B"))] {
        apply(&mut index, &event).unwrap();
    }
    let episodes: Vec<_> = index.merges().into_iter().map(|merge| merge.interval).collect();
    assert_eq!(episodes, [life(200, 400), Interval::open(Time(500))]);
    assert_eq!(intervals(index.node_history(&node("A"))), [life(100, 200), life(400, 500)]);
    assert_eq!(intervals(index.edge_history(&edge("A", "x", "B"))), [life(100, 200)]);
    assert_eq!(index.resolve(&node("A"), Time(450)), node("A"));
    assert_eq!(index.resolve(&node("A"), Time::FOREVER), node("B"));
}

/// delta-load 6.5, X4 with a target of another graph: the record is kept, and the target lives nowhere.
#[test]
fn x4b_a_target_outside_the_graph_lives_nowhere() {
    let mut index = index(&[create(1, node("a")), delete(5, node("a")), create(5, merge("a", "out"))]);
    let (a, out) = (node("a"), node("out"));
    assert_eq!(index.resolve(&a, Time(5)), out);
    assert_eq!((index.merges().len(), index.merges()[0].into.clone()), (1, out.clone()));
    for at in [soft(0), soft(5), soft(9), hard(5), At::now()] {
        assert_eq!(index.node(&out, at), None);
        assert!(!index.nodes(None, at).iter().any(|state| state.key == out));
    }
    assert_eq!(index.counts(hard(5)), Counts { nodes: 0, edges: 0, merges: 1 });
    assert!(index.node_history(&out).is_empty() && index.edges(None, soft(9)).is_empty());
    assert_eq!((index.node_index(&out), index.namespaces_of(&out, At::now()).len()), (None, 0));
    assert_eq!(index.live_nodes_of("").count(), 0);
    let number = NodeIndex(1);
    assert_eq!((index.node_key(number), index.alive(number, Time(9))), (out.clone(), false));
    assert_eq!(index.node_features(number, Time(9)).count(), 0);
    assert_eq!((index.n_nodes(), index.facts().len()), (2, 2));

    let unknown = Err(Reason::UnknownNode(out.clone()));
    apply(&mut index, &create(5, node("b"))).unwrap();
    assert_eq!(apply(&mut index, &update(9, node("out"))), unknown);
    assert_eq!(apply(&mut index, &delete(9, node("out"))), unknown);
    assert_eq!(apply(&mut index, &create(9, edge("b", "r", "out"))), unknown);
    assert_eq!(apply(&mut index, &create(9, edge("out", "r", "b"))), unknown);
    // A node that never lived may become another once one has become it.
    assert!(apply(&mut index, &create(9, merge("never", "b"))).is_err());
    assert_eq!(apply(&mut index, &create(4, merge("out", "b"))), unknown);
    assert_eq!(apply(&mut index, &create(9, merge("out", "b"))), Ok(()));
    assert_eq!([index.resolve(&a, Time(8)), index.resolve(&a, Time(9))], [out.clone(), node("b")]);
    assert_eq!(index.resolve(&out, Time(9)), node("b"));
}

#[test]
fn a_target_outside_the_graph_may_be_created_at_any_time_by_anyone() {
    let mut index = index(&[create(1, node("a")), delete(5, node("a")), create(5, merge("a", "out"))]);
    index.apply(&create(-3, node("out")).with(number("x", 1.0)), &Name::from("two")).unwrap();
    assert_eq!((index.n_nodes(), index.node_index(&node("out"))), (2, Some(NodeIndex(1))));
    assert_eq!(intervals(index.node_history(&node("out"))), [Interval::open(Time(-3))]);
    assert_eq!(index.namespaces_of(&node("out"), At::now()), ["two".into()]);
    assert_eq!(index.live_nodes_of("two").count(), 1);
    assert_eq!(index.resolve(&node("a"), Time(5)), node("out"));
    apply(&mut index, &delete(6, merge("a", "out"))).unwrap();
    assert_eq!(index.resolve(&node("a"), Time(6)), node("a"));
}

#[test]
fn the_type_of_a_target_outside_the_graph_is_learned_or_refused() {
    let into = NodeKey::new("other", "x");
    let event = create(5, Element::Merge { from: node("a"), into: into.clone() });
    let mut open = index(&[create(1, node("a")), delete(5, node("a"))]);
    let refused = Event { action: Action::Delete, ..event.clone() };
    assert!(matches!(apply(&mut open, &refused), Err(Reason::BadMerge(_))));
    assert_eq!((open.schema().node_types().len(), open.n_nodes()), (1, 1));
    apply(&mut open, &event).unwrap();
    assert!(open.schema().node_type("other").is_some());

    let mut schema = Schema::default();
    schema.add_node_type(&"n".into()).unwrap();
    schema.close();
    let mut closed = Index::new(schema);
    [create(1, node("a")), delete(5, node("a"))].iter().for_each(|event| apply(&mut closed, event).unwrap());
    assert_eq!(apply(&mut closed, &event), Err(Reason::UnknownNodeType("other".into())));
    apply(&mut closed, &create(5, merge("a", "out"))).unwrap();
}

fn merge_type(name: &str) -> Features {
    vec![("type".into(), Some(Value::Category(name.into())))]
}

/// delta-load 6.5, X22: a node is replaced by one and another may be considered: both are kept, the first one leads.
#[test]
fn a_node_has_merges_into_several_nodes() {
    let mut index = index(&[
        create(1, node("a")),
        create(1, node("b")),
        delete(5, node("a")),
        create(5, merge("a", "b")).with(merge_type("consider")),
        create(5, merge("a", "c")).with(merge_type("replaced_by")),
        create(6, merge("a", "d")),
    ]);
    assert_eq!(index.counts(hard(6)).merges, 3);
    assert_eq!(index.resolve(&node("a"), Time(6)), node("c"));
    apply(&mut index, &update(7, merge("a", "b")).with(merge_type("replaced_by"))).unwrap();
    assert_eq!(index.resolve(&node("a"), Time(6)), node("c"));
    assert_eq!(index.resolve(&node("a"), Time(7)), node("b"));
    assert!(matches!(apply(&mut index, &create(8, merge("a", "d"))), Err(Reason::BadMerge(_))));
    apply(&mut index, &delete(8, merge("a", "b"))).unwrap();
    assert!(matches!(apply(&mut index, &update(8, merge("a", "b"))), Err(Reason::BadMerge(_))));
    assert_eq!(index.resolve(&node("a"), Time(8)), node("c"));
    apply(&mut index, &create(9, node("a"))).unwrap();
    let episodes: Vec<_> = index.merges().into_iter().map(|merge| (merge.interval, merge.features.len())).collect();
    assert_eq!(episodes, [(life(5, 8), 1), (life(5, 9), 1), (life(6, 9), 0)]);
    assert_eq!(index.counts(hard(9)).merges, 0);
}

#[test]
fn merges_in_a_circle_resolve_all_the_same() {
    let index = index(&[
        create(0, node("a")),
        create(0, node("b")),
        delete(1, node("a")),
        delete(1, node("b")),
        create(1, merge("a", "b")),
        create(1, merge("b", "a")),
    ]);
    assert_eq!(index.resolve(&node("a"), Time(2)), node("b"));
    assert_eq!(index.resolve(&node("b"), Time(2)), node("a"));
}

#[test]
fn a_hub_counts_and_skips_what_is_gone() {
    let n = 1000;
    let id = |at: i64| at.to_string();
    let mut events = vec![create(0, node("hub"))];
    events.extend((0..n).map(|at| create(0, node(&id(at)))));
    events.extend((0..n).map(|at| create(at + 1, edge(&id(at), "r", "hub"))));
    // All but every hundredth edge end, newest first.
    events.extend((0..n).rev().filter(|at| at % 100 != 0).map(|at| delete(2 * n - at, edge(&id(at), "r", "hub"))));
    let mut index = index(&events);
    let hub = node("hub");
    for time in [0, 1, 500, 1000, 1001, 1500, 1999, 2000, 3000] {
        let alive = index.edges(None, hard(time)).len();
        assert_eq!(index.degree(&hub, Direction::In, None, hard(time)), alive, "{time}");
        assert_eq!(index.neighbors(&hub, Direction::In, Some("r"), hard(time)).len(), alive, "{time}");
        let mut out = Vec::new();
        index.last_neighbors(index.node_index(&hub).unwrap(), Time(time + 1), 5000, Deletes::Hard, &mut out);
        assert_eq!(out.len(), alive, "{time}");
    }
    assert_eq!(index.degree(&hub, Direction::In, None, At::now()), 10);
    // Each late edge at the front moves all others by one, over the borders of blocks that are gone.
    for at in 0..70 {
        let late = EdgeKey { key: Some("front".into()), ..edge(&id(at), "r", "hub") };
        apply(&mut index, &create(1, late)).unwrap();
        assert_eq!(index.neighbors(&hub, Direction::In, None, At::now()).len(), 11 + at as usize);
    }
    // Edges that come late, between the others, are found among the dead.
    for at in 0..n {
        let late = EdgeKey { key: Some("late".into()), ..edge(&id(at), "r", "hub") };
        apply(&mut index, &create((at * 7) % n + 1, late.clone())).unwrap();
        if at % 3 == 0 {
            apply(&mut index, &delete(1500, late)).unwrap();
        }
    }
    for time in [1, 77, 500, 1000, 1499, 1500, 3000] {
        let alive = index.edges(None, hard(time)).len();
        assert_eq!(index.degree(&hub, Direction::In, None, hard(time)), alive, "{time}");
        assert_eq!(index.neighbors(&hub, Direction::In, None, hard(time)).len(), alive, "{time}");
        let mut out = Vec::new();
        index.last_neighbors(index.node_index(&hub).unwrap(), Time(time + 1), 5000, Deletes::Hard, &mut out);
        assert_eq!(out.len(), alive, "{time}");
    }
}

#[test]
fn counters_take_late_edges_at_their_time() {
    let mut index = index(&[create(0, node("a")), create(0, node("b"))]);
    let mut made = |key: &str, time: i64| {
        let edge = EdgeKey { key: Some(key.into()), ..edge("a", "r", "b") };
        apply(&mut index, &create(time, edge)).unwrap();
        let (a, b) = (index.node_index(&node("a")).unwrap(), index.node_index(&node("b")).unwrap());
        let edge_type = index.facts()[2].edge.unwrap().0;
        [5, 8, 9, 10].map(|time| index.pair_before(edge_type, a, b, Time(time))).map(|pair| (pair.count, pair.last))
    };
    let last = |time: i64| Some(Time(time));
    assert_eq!(made("1", 5), [(0, None), (1, last(5)), (1, last(5)), (1, last(5))]);
    assert_eq!(made("2", 9), [(0, None), (1, last(5)), (1, last(5)), (2, last(9))]);
    assert_eq!(made("3", 7), [(0, None), (2, last(7)), (2, last(7)), (3, last(9))]);
    assert_eq!(made("4", 2), [(1, last(2)), (3, last(7)), (3, last(7)), (4, last(9))]);
}

/// (source, destination, type, created, removed): an edge of the graphs of temporal-intervals 4.1 and 4.2.
type Row = (u64, u64, &'static str, i64, i64);

const OPEN: i64 = i64::MAX;

const SMALL: [Row; 5] = [(0, 1, "0", 0, 1), (0, 2, "0", 0, 1), (1, 3, "0", 0, 1), (1, 4, "0", 1, 2), (1, 5, "1", 2, 3)];

const MEDIUM: [Row; 7] = [
    (0, 1, "0", 0, 1),
    (0, 2, "0", 0, 1),
    (1, 3, "0", 0, 1),
    (1, 4, "0", 1, OPEN),
    (1, 5, "1", 1, OPEN),
    (1, 6, "1", 0, 1),
    (1, 7, "1", 2, 3),
];

fn numbered(id: u64) -> NodeKey {
    NodeKey::new("n", id)
}

fn rows(rows: &[Row]) -> Index {
    let mut events: Vec<Event> = (0..8).map(|id| create(0, numbered(id))).collect();
    for &(source, destination, relation, created, removed) in rows {
        let key = EdgeKey {
            source: numbered(source),
            relation: relation.into(),
            destination: numbered(destination),
            key: None,
        };
        events.push(create(created, key.clone()));
        events.extend((removed != OPEN).then(|| delete(removed, key)));
    }
    index(&events)
}

/// Destinations of nodes 0 and 1 by relations at a time, with the times of creation.
fn found(index: &Index, relations: &[&str], time: i64) -> Vec<(String, i64)> {
    let one = |id: u64, relation: &str| index.neighbors(&numbered(id), Direction::Out, Some(relation), hard(time));
    let all = [0, 1].into_iter().flat_map(|id| relations.iter().flat_map(move |relation| one(id, relation)));
    all.map(|edge| (edge.key.destination.id.to_string(), edge.life.created.0)).collect()
}

fn degrees(index: &Index, relations: &[&str], time: i64) -> Vec<usize> {
    let one = |id: u64| {
        relations.iter().map(|name| index.degree(&numbered(id), Direction::Out, Some(name), hard(time))).sum()
    };
    [0, 1].map(one).into()
}

fn named(found: &[(&str, i64)]) -> Vec<(String, i64)> {
    found.iter().map(|(id, created)| (id.to_string(), *created)).collect()
}

#[test]
fn counts_and_neighbors() {
    let index = rows(&SMALL);
    assert_eq!(degrees(&index, &["0"], 2), [0, 0]);
    assert_eq!(degrees(&index, &["0"], 0), [2, 1]);
    assert_eq!(degrees(&index, &["1"], 2), [0, 1]);
    assert_eq!(degrees(&index, &["0", "1"], 2), [0, 1]);
    assert_eq!(degrees(&index, &["-1", "100"], 2), [0, 0]);
    assert_eq!(index.degree(&numbered(99), Direction::Out, None, hard(2)), 0);
    assert_eq!(found(&index, &["0"], 2), named(&[]));
    assert_eq!(found(&index, &["0"], 0), named(&[("1", 0), ("2", 0), ("3", 0)]));
    assert_eq!(found(&index, &["1"], 2), named(&[("5", 2)]));
    assert_eq!(found(&index, &["0", "1"], 2), named(&[("5", 2)]));
    assert!(index.neighbors(&numbered(99), Direction::Out, None, hard(2)).is_empty());
}

#[test]
fn counts_and_neighbors_at_each_time() {
    let index = rows(&MEDIUM);
    assert_eq!(degrees(&index, &["0", "1"], 2), [0, 3]);
    assert_eq!(degrees(&index, &["1"], 2), [0, 2]);
    assert_eq!(found(&index, &["1"], 2), named(&[("5", 1), ("7", 2)]));
    assert_eq!(found(&index, &["0", "1"], 2), named(&[("4", 1), ("5", 1), ("7", 2)]));
    assert_eq!(found(&index, &["0"], 2), named(&[("4", 1)]));
    // "Without a time" there means every edge that ever was: here, the soft view at the end of time.
    let ever = At { time: Time::FOREVER, deletes: Deletes::Soft };
    assert_eq!([0, 1].map(|id| index.degree(&numbered(id), Direction::Out, Some("1"), ever)), [0, 3]);
}
