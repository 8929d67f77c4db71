//! Nodes and edges that several namespaces hold, and nodes that stand in.

use serde_json::json;
use timeweft_graph::{
    Action, At, Dangling, DeltaOptions, DeltaReport, Element, Event, GraphView, Interval, Reason, Time, Value,
};
use timeweft_store::{LoadReport, LoadRequest, Store};

use crate::order::stream;
use crate::world::{edge, edge_lives, fresh, life, lives, load, load_version, node, version};

fn load_as(store: &mut Store, namespace: &str, time: i64, lines: &[&str]) -> LoadReport {
    load_with(store, namespace, time, lines, DeltaOptions { allow_empty: true, ..DeltaOptions::default() })
}

fn load_with(store: &mut Store, namespace: &str, time: i64, lines: &[&str], options: DeltaOptions) -> LoadReport {
    let request = LoadRequest::new(namespace, "test").version(&format!("v{time}"), Time(time));
    load_version(store, request, version(lines), options).unwrap()
}

fn back_dated(store: &mut Store, namespace: &str, time: i64, lines: &[&str]) -> LoadReport {
    let request = LoadRequest::new(namespace, "test").version(&format!("v{time}"), Time(time));
    let options = DeltaOptions { allow_empty: true, ..DeltaOptions::default() };
    load_version(store, LoadRequest { back_dated: true, ..request }, version(lines), options).unwrap()
}

fn report(report: &LoadReport) -> &DeltaReport {
    report.delta.as_ref().unwrap()
}

fn open(created: i64) -> Interval {
    life(created, None)
}

/// The plain value of a node, and what a namespace says of it: none if it does not hold it.
fn says(store: &Store, id: &str, namespace: &str, time: i64) -> [Option<serde_json::Value>; 2] {
    let view = store.view();
    let plain = view.node(&node(id), At::time(Time(time))).and_then(|state| state.features.get("data").cloned());
    let own = view.node_says(&node(id), namespace, Time(time));
    let own = own.map(|values| values.get("data").map_or(json!(null), |value| value.to_json()));
    [plain.map(|value| value.to_json()), own]
}

#[test]
fn shared_import_a_term_ends_with_the_last_namespace_that_holds_it() {
    let (dir, mut store) = fresh();
    let edge = edge("", "P2", "P1");
    load_as(&mut store, "cl", 2020, &["n C1", "n P1 1", "e has/ C1 P1"]);
    let second = load_as(&mut store, "pato", 2021, &["n P1 2", "n P2", "e  P2 P1"]);
    assert_eq!((report(&second).nodes.shared, report(&second).nodes.new, second.n_rejected), (1, 2, 0));
    assert_eq!(says(&store, "P1", "pato", 2021), [Some(json!(1)), Some(json!(2))]);
    let third = load_as(&mut store, "cl", 2022, &["n C1"]);
    let of = report(&third);
    assert_eq!((of.nodes.gone, of.nodes.left_to_others, of.edges.gone, of.deletions.omitted), (1, 1, 1, 0));
    assert_eq!((lives(&*store.view(), "P1"), edge_lives(&*store.view(), &edge)), (vec![open(2020)], vec![open(2021)]));
    assert_eq!(says(&store, "P1", "pato", 2022), [Some(json!(2)), Some(json!(2))]);
    assert_eq!(says(&store, "P1", "cl", 2021)[1], Some(json!(1)));
    assert_eq!(says(&store, "P1", "cl", 2022)[1], None);
    let same = load_as(&mut store, "pato", 2023, &["n P1 2", "n P2", "e  P2 P1"]);
    assert_eq!((same.accepted, report(&same).nodes.shared), (0, 0));
    let gone = |namespace: &str| {
        let view = store.view();
        let comparison = view.compare_from((&view, At::time(Time(2021))), At::time(Time(2022)));
        comparison.of_namespace(namespace).changes().to_diff().nodes_removed
    };
    assert_eq!((gone("cl"), gone("pato").len()), (vec![node("P1")], 0));

    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    store.verify().unwrap();
    assert_eq!(store.view().namespaces_of(&node("P1"), At::time(Time(2021))), ["cl".into(), "pato".into()]);
    assert_eq!(store.view().namespaces_of(&node("P1"), At::time(Time(2022))), ["pato".into()]);
    load_as(&mut store, "pato", 2024, &["n P2"]);
    assert_eq!(lives(&*store.view(), "P1"), [life(2020, Some(2024))]);
    assert_eq!(edge_lives(&*store.view(), &edge), [life(2021, Some(2024))]);
}

#[test]
fn debian_virtual_a_node_that_stands_in_has_no_value_of_an_earlier_release() {
    let (_dir, mut store) = fresh();
    let mut at = |time, lines: &[&str]| {
        let options = DeltaOptions { dangling: Dangling::Stub, ..DeltaOptions::default() };
        load_with(&mut store, "deb", time, lines, options)
    };
    at(2021, &["n mutt", "e  mutt agent"]);
    at(2022, &["n mutt", "n agent 1", "e  mutt agent"]);
    let third = at(2023, &["n mutt", "e  mutt agent"]);
    assert_eq!((report(&third).nodes.stubs, report(&third).nodes.emptied, third.accepted), (1, 1, 1));
    let same = at(2024, &["n mutt", "e  mutt agent"]);
    assert_eq!((report(&same).nodes.stubs, report(&same).nodes.emptied, same.accepted), (1, 0, 0));
    at(2025, &["n mutt", "n agent 2", "e  mutt agent"]);
    let values = [2021, 2022, 2023, 2024, 2025].map(|time| says(&store, "agent", "deb", time)[0].clone());
    assert_eq!(values, [None, Some(json!(1)), None, None, Some(json!(2))]);
    assert_eq!(lives(&*store.view(), "agent"), [open(2021)]);
}

/// No edge is needed by the version that calls its end merged or deleted, whatever the policy.
#[test]
fn nothing_stands_in_for_a_node_that_the_version_itself_calls_gone() {
    for dangling in [Dangling::Drop, Dangling::Stub] {
        let (_dir, mut store) = fresh();
        let options = || DeltaOptions { dangling, ..DeltaOptions::default() };
        load_with(&mut store, "ns", 1, &["n A 1", "n B 2", "n C"], options());
        let lines = ["n C", "e  C A", "e  C B", "e  C never", "m A C", "d B", "d never"];
        let second = load_with(&mut store, "ns", 2, &lines, options());
        assert_eq!((report(&second).edges.dangling, report(&second).merges.merged, second.n_rejected), (3, 1, 3));
        assert!(second.rejects.iter().all(|reject| matches!(reject.reason, Reason::NotListed { lived: true, .. })));
        assert_eq!(store.view().counts(At::now()).nodes, 1, "{dangling:?}");
        assert_eq!(store.view().resolve(&node("A"), Time(2)), node("C"));
    }
}

#[test]
fn edges_of_others_keep_a_node_without_a_value() {
    let (_dir, mut store) = fresh();
    let edge = edge("", "C1", "P1");
    load_as(&mut store, "pato", 1, &["n P1 1", "n P2"]);
    load_as(&mut store, "cl", 2, &["n C1", "e  C1 P1"]);
    let third = load_as(&mut store, "pato", 3, &["n P2", "m P1 P2"]);
    let of = report(&third);
    assert_eq!((of.nodes.gone, of.nodes.handed_over, of.needed_by.get("cl"), third.n_rejected), (1, 1, Some(&1), 0));
    assert_eq!((lives(&*store.view(), "P1"), edge_lives(&*store.view(), &edge)), (vec![open(1)], vec![open(2)]));
    assert_eq!(says(&store, "P1", "cl", 3), [None, Some(json!(null))]);
    // The next version of cl decides as if it alone were there.
    let fourth = load_as(&mut store, "cl", 4, &["n C1", "e  C1 P1"]);
    assert_eq!((report(&fourth).edges.dangling, fourth.n_rejected), (1, 1));
    assert_eq!(
        (lives(&*store.view(), "P1"), edge_lives(&*store.view(), &edge)),
        (vec![life(1, Some(4))], vec![life(2, Some(4))])
    );
    let fifth = load_as(&mut store, "pato", 5, &["n P2", "m P1 P2"]);
    assert_eq!((report(&fifth).merges.after_deletion, fifth.n_rejected), (1, 0));
    assert_eq!(store.view().resolve(&node("P1"), Time(5)), node("P2"));
}

#[test]
fn a_load_that_is_asked_to_ends_edges_of_others() {
    let (_dir, mut store) = fresh();
    load_as(&mut store, "pato", 1, &["n P1 1", "n P2"]);
    load_as(&mut store, "cl", 2, &["n C1", "e  C1 P1"]);
    let options = DeltaOptions { end_foreign_edges: true, ..DeltaOptions::default() };
    let third = load_with(&mut store, "pato", 3, &["n P2"], options);
    assert_eq!((report(&third).nodes.handed_over, report(&third).edges.ended_elsewhere), (0, 1));
    assert_eq!(lives(&*store.view(), "P1"), [life(1, Some(3))]);
    assert_eq!(edge_lives(&*store.view(), &edge("", "C1", "P1")), [life(2, Some(3))]);
}

#[test]
fn a_stub_gives_way_to_whoever_lists_the_node() {
    let (_dir, mut store) = fresh();
    let stub = || DeltaOptions { dangling: Dangling::Stub, ..DeltaOptions::default() };
    load_with(&mut store, "cl", 1, &["n C1", "e  C1 P1"], stub());
    let second = load_as(&mut store, "pato", 2, &["n P1 1"]);
    assert_eq!((report(&second).nodes.new, second.n_rejected), (1, 0));
    assert_eq!(store.view().namespaces_of(&node("P1"), At::now()), ["pato".into(), "cl".into()]);
    assert_eq!(says(&store, "P1", "pato", 2), [Some(json!(1)), Some(json!(1))]);
    load_with(&mut store, "cl", 3, &["n C1", "e  C1 P1"], stub());
    assert_eq!(store.view().namespaces_of(&node("P1"), At::now()), ["pato".into()]);
    load_as(&mut store, "pato", 4, &["n P2"]);
    assert_eq!(
        (lives(&*store.view(), "P1"), says(&store, "P1", "cl", 4)[1].clone()),
        (vec![open(1)], Some(json!(null)))
    );
}

#[test]
fn events_of_another_namespace_leave_shared_elements_alone() {
    let (_dir, mut store) = fresh();
    let create = |time, id: &str| crate::world::create(time, timeweft_graph::Element::Node(node(id)));
    load(&mut store, &[create(1, "P1")]).unwrap();
    load_as(&mut store, "pato", 2, &["n P1 1"]);
    let event = |action| timeweft_graph::Event::new(Time(3), action, timeweft_graph::Element::Node(node("P1")));
    let refused = load(&mut store, &[event(timeweft_graph::Action::Delete), create(3, "P3")]).unwrap();
    assert!(matches!(&refused.rejects[0].reason, Reason::ForeignNamespace { owner, .. } if **owner == *"pato"));
    assert_eq!(lives(&*store.view(), "P1"), [open(1)]);
}

#[test]
fn what_a_namespace_changed_is_told_by_the_names_that_it_has_in_the_end() {
    let (_dir, mut store) = fresh();
    load_as(&mut store, "cl", 1, &["n P1 1"]);
    load_as(&mut store, "pato", 2, &["n P1 2"]);
    load_as(&mut store, "cl", 3, &["n P1 3"]);
    load_as(&mut store, "pato", 4, &["n P1 4"]);
    load_as(&mut store, "cl", 5, &["n C1"]);
    load_as(&mut store, "pato", 6, &["n P1 6"]);
    let view = store.view();
    let told = |namespace: &str, from: i64, to: i64| {
        let comparison = view.compare_from((&view, At::time(Time(from))), At::time(Time(to)));
        let own = comparison.of_namespace(namespace).changes().to_diff();
        let features = own.nodes_updated.iter().flat_map(|of| of.features.iter().map(ToString::to_string));
        (features.collect::<Vec<_>>(), own.nodes_removed.len())
    };
    let nothing = || (Vec::<String>::new(), 0);
    assert_eq!((told("cl", 2, 3), told("pato", 2, 3)), ((vec!["data".into()], 0), nothing()));
    assert_eq!((told("cl", 3, 4), told("pato", 3, 4)), (nothing(), (vec!["pato::data".into()], 0)));
    // It speaks in the end.
    assert_eq!((told("cl", 4, 6), told("pato", 4, 6)), ((vec![], 1), (vec!["data".into()], 0)));
    assert_eq!(told("other", 1, 6), nothing());
}

#[test]
fn nobody_ends_by_an_event_what_another_namespace_holds_too() {
    let (_dir, mut store) = fresh();
    let lines = ["n P1 1", "n P2 1", "e  P1 P2"];
    load_as(&mut store, "cl", 1, &lines);
    load_as(&mut store, "pato", 2, &lines);
    let cases = [("cl", "pato"), ("pato", "cl")];
    for (at, (namespace, other)) in (3..).zip(cases) {
        let ends = [Element::Node(node("P1")), Element::Edge(edge("", "P1", "P2"))];
        let mut events: Vec<Event> = ends.map(|element| Event::new(Time(at), Action::Delete, element)).into();
        events.push(crate::world::create(at, Element::Node(node(&format!("of {namespace}")))));
        let refused = stream(&mut store, LoadRequest::new(namespace, "events"), &events).unwrap();
        assert_eq!(refused.n_rejected, 2, "{namespace}");
        let is_foreign =
            |reason: &Reason| matches!(reason, Reason::ForeignNamespace { owner, .. } if **owner == *other);
        assert!(refused.rejects.iter().all(|reject| is_foreign(&reject.reason)), "{:?}", refused.rejects);
    }
    assert_eq!(lives(&*store.view(), "P1"), [open(1)]);
    assert_eq!(edge_lives(&*store.view(), &edge("", "P1", "P2")), [open(1)]);
}

#[test]
fn the_last_namespace_that_held_a_node_says_what_it_became() {
    let (_dir, mut store) = fresh();
    load_as(&mut store, "cl", 1, &["n P1 1"]);
    load_as(&mut store, "pato", 2, &["n P1 2", "n P2"]);
    load_as(&mut store, "cl", 3, &["n C1"]);
    load_as(&mut store, "pato", 4, &["n P2"]);
    assert_eq!(lives(&*store.view(), "P1"), [life(1, Some(4))]);
    let merge = Event::new(Time(5), Action::Create, Element::Merge { from: node("P1"), into: node("P2") });
    let mut by = |namespace: &str| {
        let other = crate::world::create(5, Element::Node(node(&format!("of {namespace}"))));
        stream(&mut store, LoadRequest::new(namespace, "events"), &[other, merge.clone()]).unwrap().n_rejected
    };
    assert_eq!((by("go"), by("pato")), (1, 0));
    let view = store.view();
    let merged = |namespace: &str| {
        let comparison = view.compare_from((&view, At::time(Time(4))), At::time(Time(5)));
        comparison.of_namespace(namespace).changes().merged().count()
    };
    assert_eq!((merged("go"), merged("cl"), merged("pato")), (0, 0, 1));
}

#[test]
fn a_version_goes_before_another_one_among_late_events_of_its_time() {
    let (dir, mut store) = fresh();
    let event = |time, action, id: &str| Event::new(Time(time), action, Element::Node(node(id)));
    let says =
        |time, id: &str| event(time, Action::Update, id).with(vec![("x".into(), Some(Value::Json(time.into())))]);
    let events = || LoadRequest::new("ev", "events");
    let first = [event(1, Action::Create, "a"), event(1, Action::Create, "b"), says(30, "b"), says(90, "a")];
    stream(&mut store, events(), &first).unwrap();
    load_as(&mut store, "ns", 100, &["n A"]);
    let late = stream(&mut store, events(), &[event(20, Action::Delete, "b"), says(60, "a")]).unwrap();
    assert_eq!((late.order.placed, late.later.n_dropped), (2, 1), "what b said at 30 is set aside");
    let between = back_dated(&mut store, "ns", 60, &["n A", "n B"]);
    assert_eq!((between.n_rejected, between.later.n_dropped), (0, 0));
    for _ in 0..2 {
        let view = store.view();
        let x = |time| view.node(&node("a"), At::time(Time(time))).and_then(|state| state.features.get("x").cloned());
        let json = |time: i64| Some(Value::Json(time.into()));
        assert_eq!([59, 60, 89, 90].map(x), [None, json(60), json(60), json(90)]);
        assert_eq!((lives(&*view, "b"), lives(&*view, "B")), (vec![life(1, Some(20))], vec![life(60, Some(100))]));
        store.verify().unwrap();
        drop(store);
        store = Store::open(dir.path()).unwrap();
    }
}

#[test]
fn what_a_namespace_says_before_its_version_ends_with_it() {
    let (_dir, mut store) = fresh();
    load_as(&mut store, "ns", 100, &["n A"]);
    let early = [crate::world::create(50, Element::Node(node("D")))];
    stream(&mut store, LoadRequest::new("other", "events"), &early).unwrap();
    assert_eq!(lives(&*store.view(), "D"), [open(50)]);
    let early = [crate::world::create(50, Element::Node(node("E")))];
    stream(&mut store, LoadRequest::new("ns", "events"), &early).unwrap();
    assert_eq!(lives(&*store.view(), "E"), [life(50, Some(100))]);
}

/// What each namespace says of two terms at some times.
fn state(store: &Store) -> Vec<[Option<serde_json::Value>; 2]> {
    let asked = [1, 2, 3, 4, 5, 6].into_iter().flat_map(|time| ["P1", "P2"].map(|id| (time, id)));
    asked.flat_map(|(time, id)| ["cl", "pato"].map(|namespace| says(store, id, namespace, time))).collect()
}

#[test]
fn rollback_and_back_dating_of_one_of_two_that_share() {
    let versions: [(&str, i64, &[&str]); 5] = [
        ("cl", 1, &["n P1 1", "n P2 1"]),
        ("pato", 2, &["n P1 2", "n P2 2"]),
        ("cl", 3, &["n P1 3"]),
        ("pato", 4, &["n P2 4"]),
        ("cl", 5, &["n P2 5"]),
    ];
    for without in 0..versions.len() {
        let (_dir, mut whole) = fresh();
        let (_dir_of_other, mut other) = fresh();
        for (at, (namespace, time, lines)) in versions.iter().enumerate() {
            load_as(&mut whole, namespace, *time, lines);
            if at != without {
                load_as(&mut other, namespace, *time, lines);
            }
        }
        let expected = state(&whole);
        let undone = whole.loads()[without].id;
        whole.rollback(undone).unwrap();
        assert_eq!(state(&whole), state(&other), "rolled back {without}");
        let (namespace, time, lines) = versions[without];
        let later = back_dated(&mut other, namespace, time, lines);
        assert_eq!((later.n_rejected, later.later.n_dropped), (0, 0));
        assert_eq!(state(&other), expected, "back-dated {without}");
        whole.verify().unwrap();
        other.verify().unwrap();
    }
}

/// Whatever one of two namespaces that share says late comes to what it had come to in time, and goes again.
#[test]
fn late_events_between_versions_of_two_that_share() {
    let versions: [(&str, i64, &[&str]); 5] = [
        ("cl", 10, &["n P1 1", "n P2 1", "e  P1 P2"]),
        ("pato", 20, &["n P1 2", "n P2 2"]),
        ("cl", 30, &["n P1 3"]),
        ("pato", 40, &["n P2 4", "n P1 2"]),
        ("cl", 50, &["n P2 5"]),
    ];
    let bring = |store: &mut Store, (namespace, time, lines): (&str, i64, &[&str])| {
        load_as(store, namespace, time, lines);
    };
    let (_dir, mut without) = fresh();
    versions.iter().for_each(|version| bring(&mut without, *version));
    let mut taken = 0;
    for (gap, namespace, id, action) in late_cases(versions.len()) {
        let (_dir, mut in_time) = fresh();
        let (dir, mut late) = fresh();
        versions[..=gap].iter().for_each(|version| bring(&mut in_time, *version));
        let event = Event::new(Time(10 * gap as i64 + 15), action, Element::Node(node(id)));
        let said = if action == Action::Update { vec![("data".into(), Some(Value::Json(9.into())))] } else { vec![] };
        let events = [event.with(said)];
        let expected = stream(&mut in_time, LoadRequest::new(namespace, "late"), &events);
        versions[gap + 1..].iter().for_each(|version| bring(&mut in_time, *version));
        versions.iter().for_each(|version| bring(&mut late, *version));
        let loaded = stream(&mut late, LoadRequest::new(namespace, "late"), &events);
        let case = format!("{namespace} {action:?} {id} after {gap}: {loaded:?}");
        assert_eq!(loaded.is_ok(), expected.is_ok(), "{case} {expected:?}");
        assert_eq!(every_state(&late), every_state(&in_time), "{case}");
        late.verify().unwrap();
        if let Ok(loaded) = loaded {
            taken += 1;
            drop(late);
            let mut late = Store::open(dir.path()).unwrap();
            assert_eq!(every_state(&late), every_state(&in_time), "{case}");
            late.rollback(loaded.load).unwrap();
            assert_eq!(every_state(&late), every_state(&without), "{case}");
            late.verify().unwrap();
        }
    }
    assert!(taken >= 5, "{taken} cases were taken in");
}

/// Behind which version, by whom, of which node, and what.
fn late_cases(versions: usize) -> impl Iterator<Item = (usize, &'static str, &'static str, Action)> {
    let of = |gap| ["cl", "pato"].into_iter().flat_map(move |namespace| ["P1", "P2"].map(|id| (gap, namespace, id)));
    let told = |(gap, namespace, id)| [Action::Update, Action::Delete].map(|action| (gap, namespace, id, action));
    (0..versions).flat_map(of).flat_map(told)
}

/// What each namespace says of two terms at every fifth time, and their lives.
fn every_state(store: &Store) -> Vec<String> {
    let asked = (1..13).flat_map(|time| ["P1", "P2"].map(|id| (5 * time, id)));
    let said = asked.flat_map(|(time, id)| ["cl", "pato"].map(|namespace| says(store, id, namespace, time)));
    let view = store.view();
    let lives = ["P1", "P2"].map(|id| format!("{:?}", lives(&*view, id)));
    let edges = format!("{:?}", edge_lives(&*view, &edge("", "P1", "P2")));
    said.map(|said| format!("{said:?}")).chain(lives).chain([edges]).collect()
}
