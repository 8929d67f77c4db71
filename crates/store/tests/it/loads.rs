use std::collections::HashMap;
use std::sync::Arc;

use timeweft_graph::{
    Action, At, Commit, Dangling, DeltaOptions, Dense, Direction, Element, Event, FeatureKind, GraphView, Name,
    NodeKey, Numbers, Reason, Reject, Schema, Sparse, Time, TimeUnit, Value,
};
use timeweft_oracle::pushed;
use timeweft_oracle::{Listed, Version};
use timeweft_store::{KEPT_REJECTS, LoadRequest, Repeats, Store, StoreError};

use crate::world::{answers, create, edge, fresh, load, load_version, node, place, records};

fn nodes(time: i64, ids: &[&str]) -> Vec<Event> {
    ids.iter().map(|id| create(time, Element::Node(node(id)))).collect()
}

#[test]
fn a_load_is_in_the_registry_with_what_it_brought() {
    let (dir, mut store) = fresh();
    let mut request = LoadRequest::new("ns", "file.jsonl").version("1", Time(5));
    request.release_timestamp = Some(Time(4));
    let mut events = nodes(1, &["a", "b"]);
    events.push(create(0, Element::Edge(edge("", "a", "c"))));
    let report = store.load(request, records(&events)).unwrap();
    assert_eq!((report.load.0, report.commit, report.accepted, report.n_rejected), (1, Commit(1), 2, 1));
    assert_eq!(report.counts.nodes.created, 2);
    assert!(matches!(report.rejects[0].reason, Reason::OutOfOrder { .. } | Reason::UnknownNode(_)));
    assert_eq!(report.rejects[0].place, place(3));

    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let [load] = store.loads() else { panic!("{:?}", store.loads()) };
    assert_eq!((&*load.namespace, load.version.as_deref(), &*load.source), ("ns", Some("1"), "file.jsonl"));
    assert_eq!((load.timestamp, load.release_timestamp), (Some(Time(5)), Some(Time(4))));
    assert_eq!((load.events, load.rejected, load.counts), (2, 1, report.counts));
    assert!(load.completed >= load.started && load.started > 1_600_000_000_000);
    assert_eq!(store.schema().unit(), TimeUnit::Milli);
    assert!(store.size_on_disk().unwrap() > 1_000);
}

#[test]
fn a_rejected_edge_leaves_no_stub() {
    let (_dir, mut store) = fresh();
    let stub = LoadRequest { dangling: Dangling::Stub, ..LoadRequest::new("ns", "test") };
    let text = |text: &str| vec![("f".into(), Some(Value::text(text)))];
    let mut events = nodes(10, &["a", "gone"]);
    events.push(Event::new(Time(10), Action::Delete, Element::Node(node("gone"))));
    events.push(create(10, Element::Edge(edge("k", "a", "a"))).with(vec![("f".into(), Some(Value::number(1.0)))]));
    // Too early for one end; at a node that is gone; with a value of another kind; an update of that kind.
    events.push(create(5, Element::Edge(edge("", "zombie", "a"))));
    events.push(create(11, Element::Edge(edge("", "ghost", "gone"))));
    events.push(create(11, Element::Edge(edge("", "x", "y"))).with(text("no number")));
    events.push(Event::new(Time::FOREVER, Action::Update, Element::Node(node("end"))));
    let report = store.load(stub.clone(), records(&events)).unwrap();
    assert_eq!((report.accepted, report.n_rejected, report.counts.stubs), (4, 4, 0));
    for id in ["zombie", "ghost", "x", "y", "end"] {
        assert!(store.view().node_history(&node(id)).is_empty(), "{id}");
    }
    // A loop at one missing node needs one stub.
    let report = store.load(stub, records(&[create(12, Element::Edge(edge("", "z", "z")))])).unwrap();
    assert_eq!((report.accepted, report.counts.stubs), (2, 1));
}

#[test]
fn a_pinned_reader_is_unaffected_by_loads() {
    let (_dir, mut store) = fresh();
    load(&mut store, &nodes(1, &["a"])).unwrap();
    let pinned = store.view();
    let before = answers(&*pinned, &nodes(1, &["a"]));
    load(&mut store, &nodes(2, &["b"])).unwrap();
    assert_eq!(answers(&*pinned, &nodes(1, &["a"])), before);
    assert_eq!((pinned.counts(At::now()).nodes, store.view().counts(At::now()).nodes), (1, 2));
    assert_eq!(store.view_at(Commit(1)).unwrap().counts(At::now()).nodes, 1);
    assert!(matches!(store.view_at(Commit(3)), Err(StoreError::UnknownCommit { .. })));
}

#[test]
fn without_a_reader_nothing_is_copied() {
    let (_dir, mut store) = fresh();
    load(&mut store, &nodes(1, &["a"])).unwrap();
    let address = Arc::as_ptr(&store.view());
    load(&mut store, &nodes(2, &["b"])).unwrap();
    assert_eq!(Arc::as_ptr(&store.view()), address);
}

#[test]
fn a_failed_load_leaves_the_old_graph() {
    for pin in [false, true] {
        let (_dir, mut store) = fresh();
        load(&mut store, &nodes(1, &["a"])).unwrap();
        let reader = pin.then(|| store.view());
        let mut request = LoadRequest::new("test", "test");
        request.max_rejects = Some(1);
        let events = [nodes(2, &["b", "c"]), nodes(3, &["a", "b"])].concat();
        let failed = store.load(request, records(&events));
        assert!(matches!(failed, Err(StoreError::TooManyRejects { max: 1, .. })), "{failed:?}");
        assert_eq!((store.commit(), store.view().counts(At::now()).nodes), (Commit(1), 1));
        assert_eq!(load(&mut store, &nodes(2, &["b"])).unwrap().commit, Commit(2));
        drop(reader);
    }
}

#[test]
fn rejects_are_kept_up_to_a_bound_and_all_counted() {
    let (_dir, mut store) = fresh();
    let bad = Reject { place: place(9), reason: Reason::Malformed("bad".into()) };
    let all = nodes(1, &["a"]).into_iter().map(|event| Ok((event, place(1))));
    let report = store
        .load(
            LoadRequest::new("test", "test"),
            pushed(all.chain(std::iter::repeat_n(Err(bad.clone()), KEPT_REJECTS + 5))),
        )
        .unwrap();
    assert_eq!((report.rejects.len(), report.n_rejected as usize), (KEPT_REJECTS, KEPT_REJECTS + 5));
    let nothing = store.load(LoadRequest::new("test", "test"), pushed([Err(bad)]));
    assert!(matches!(nothing, Err(StoreError::NothingAccepted(report)) if report.n_rejected == 1));
    assert_eq!(store.commit(), Commit(1));
}

fn with_policy(dangling: Dangling, repeats: Repeats) -> LoadRequest {
    LoadRequest { dangling, repeats, ..LoadRequest::new("test", "test") }
}

#[test]
fn dangling_edges_follow_the_policy() {
    let events = [nodes(1, &["a"]), vec![create(2, Element::Edge(edge("", "a", "gone")))]].concat();

    let (_dir, mut store) = fresh();
    let report = store.load(with_policy(Dangling::Drop, Repeats::Reject), records(&events)).unwrap();
    assert_eq!((report.accepted, report.n_rejected), (1, 1));

    let (_dir, mut store) = fresh();
    let refused = store.load(with_policy(Dangling::Reject, Repeats::Reject), records(&events));
    assert!(matches!(refused, Err(StoreError::Dangling(reject)) if reject.place == place(2)));
    assert_eq!((store.commit(), store.view().counts(At::now()).nodes), (Commit(0), 0));

    let (dir, mut store) = fresh();
    let report = store.load(with_policy(Dangling::Stub, Repeats::Reject), records(&events)).unwrap();
    assert_eq!((report.accepted, report.n_rejected, report.counts.stubs), (3, 0, 1));
    assert_eq!(report.counts.nodes.created, 2);
    drop(store);
    let view = Store::open(dir.path()).unwrap().view();
    assert_eq!(view.node(&node("gone"), At::now()).unwrap().life.created, Time(2));
}

#[test]
fn a_stub_serves_both_ends_and_updates_of_nodes() {
    let (_dir, mut store) = fresh();
    let update = Event::new(Time(3), Action::Update, Element::Node(node("late")));
    let update = update.with(vec![("data".into(), Some(Value::number(1.0)))]);
    let delete = Event::new(Time(3), Action::Delete, Element::Node(node("never")));
    let events = [create(2, Element::Edge(edge("", "a", "b"))), update, delete];
    let report = store.load(with_policy(Dangling::Stub, Repeats::Reject), records(&events)).unwrap();
    assert_eq!((report.counts.stubs, report.accepted, report.n_rejected), (3, 5, 1));
    assert_eq!(store.view().node(&node("late"), At::now()).unwrap().features.len(), 1);
}

#[test]
fn repeated_edges_become_parallel_when_asked() {
    let repeat = |time| create(time, Element::Edge(edge("", "a", "b")));
    let events = [nodes(1, &["a", "b"]), vec![repeat(2), repeat(3), create(3, Element::Edge(edge("4", "a", "b")))]];
    let events = [events.concat(), vec![repeat(4), repeat(5)]].concat();
    let (dir, mut store) = fresh();
    let report = store.load(with_policy(Dangling::Drop, Repeats::Parallel), records(&events)).unwrap();
    assert_eq!((report.accepted, report.n_rejected, report.counts.parallel), (7, 0, 3));
    store.load(with_policy(Dangling::Drop, Repeats::Parallel), records(&[repeat(6)])).unwrap();
    let keys = |store: &Store| -> Vec<_> {
        let edges = store.view().neighbors(&node("a"), Direction::Out, None, At::now());
        edges.into_iter().map(|edge| edge.key.key.unwrap_or_else(|| "-".into()).to_string()).collect()
    };
    assert_eq!(keys(&store), ["-", "2", "3", "4", "5", "6"]);
    drop(store);
    assert_eq!(keys(&Store::open(dir.path()).unwrap()), ["-", "2", "3", "4", "5", "6"]);

    let (_dir, mut store) = fresh();
    let report = store.load(with_policy(Dangling::Drop, Repeats::Reject), records(&events)).unwrap();
    assert_eq!(report.n_rejected, 3);
}

#[test]
fn the_same_version_of_events_again_is_no_load_and_other_events_are_an_error() {
    let (dir, mut store) = fresh();
    let request = || LoadRequest::new("ns", "test").version("1", Time(1));
    let first = store.load(request(), records(&nodes(1, &["a"]))).unwrap();
    let size = std::fs::read(dir.path().join("catalogue.redb")).unwrap();
    let again = store.load(request(), records(&nodes(1, &["a"]))).unwrap();
    assert!(again.unchanged && !first.unchanged);
    assert_eq!((again.load, again.commit, again.accepted), (first.load, first.commit, 0));
    assert_eq!(std::fs::read(dir.path().join("catalogue.redb")).unwrap(), size);
    let other = store.load(request(), records(&nodes(1, &["b"])));
    assert!(matches!(other, Err(StoreError::VersionTaken { .. })));
    assert_eq!(store.loads().len(), 1);
}

/// Values of every kind, and names that could meet in a column's name.
#[test]
fn every_kind_of_value_comes_back_bit_by_bit_from_files_and_from_the_catalogue() {
    let dense = |numbers, scalar| Value::Dense(Dense { numbers, scalar });
    let values = [
        dense(Numbers::F64(vec![f64::from_bits(0x7ff8_0000_dead_beef)]), true),
        dense(Numbers::F32(vec![-0.0, f32::INFINITY]), false),
        dense(Numbers::F16(vec![half::f16::from_bits(0x7e01)]), false),
        dense(Numbers::I64(vec![i64::MIN, i64::MAX]), false),
        dense(Numbers::I32(vec![-7]), true),
        dense(Numbers::I16(vec![]), false),
        dense(Numbers::I8(vec![-128]), true),
        dense(Numbers::U64(vec![u64::MAX]), true),
        dense(Numbers::U32(vec![1, 2, 3]), false),
        dense(Numbers::U16(vec![9]), true),
        dense(Numbers::U8(vec![0, 255]), false),
        Value::Sparse(Sparse { rank: 2, coordinates: vec![1, 2, 3, 4], values: Numbers::F32(vec![0.5, 1.5]) }),
        Value::Sparse(Sparse { rank: 3, coordinates: vec![], values: Numbers::U8(vec![]) }),
        Value::text("\u{0} ä 漢"),
        Value::Bytes(vec![0, 255, 1]),
        Value::Category("red".into()),
        Value::Json(serde_json::json!({"b": [1, 1.0, null, true], "a": 0.1, "x": 5e-324, "y": 1.7976931348623157e308})),
        Value::Json(serde_json::Value::Null),
    ];
    let mut event = create(1, Element::Node(node("a.b")));
    event.features = (0..).zip(&values).map(|(n, value)| (format!("f{n:02}").into(), Some(value.clone()))).collect();
    let mut other = create(1, Element::Node(timeweft_graph::NodeKey::new("term.f", "042")));
    other.features = vec![("01".into(), Some(Value::Category("é".into()))), ("time".into(), Some(Value::text("t")))];
    let mut third = create(2, Element::Edge(edge("k", "a.b", "a.b")));
    third.features = vec![("f".into(), Some(Value::Category("blue".into())))];
    let mut end = Event::new(Time(3), Action::Update, Element::Node(node("a.b")));
    end.features =
        vec![("f00".into(), None), ("f15".into(), Some(Value::Category("blue".into()))), ("f16".into(), None)];
    let some = vec![event, other, third, end];
    let many: Vec<Event> =
        (0..5_000u64).map(|n| create(1, Element::Node(timeweft_graph::NodeKey::new("n", n)))).collect();

    for events in [some.clone(), [some, many].concat()] {
        let (dir, mut store) = fresh();
        let report = load(&mut store, &events).unwrap();
        assert_eq!((report.n_rejected, &report.rejects), (0, &vec![]));
        assert_eq!(dir.path().join("log/p0-1-0.arrow").exists(), events.len() > 4_096);
        let before = store.view();
        drop(store);
        let after = Store::open(dir.path()).unwrap().view();
        assert!(after.events() == events && before.events() == events);
        assert_eq!(after.schema(), before.schema());
    }
}

/// The first chunk of a load knows few names; later ones bring a relation and categories, and then more categories.
#[test]
fn dictionaries_do_not_change_within_a_segment() {
    let (dir, mut store) = fresh();
    let key = |n: u64| timeweft_graph::NodeKey::new("n", n);
    let tagged = |n: u64| {
        let tag = Value::Category(format!("tag {}", n / 30_000).as_str().into());
        create(1, Element::Node(key(n))).with(vec![("tag".into(), Some(tag))])
    };
    let linked = |n: u64| {
        let ends = timeweft_graph::EdgeKey { source: key(n), relation: "r".into(), destination: key(0), key: None };
        create(2, Element::Edge(ends))
    };
    let events: Vec<Event> = (0..140_000).map(tagged).chain((0..100).map(linked)).collect();
    load(&mut store, &events).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert!(store.view().events() == events);
    for part in 0..3 {
        let file = std::fs::File::open(dir.path().join(format!("log/p0-1-{part}.arrow"))).unwrap();
        let reader = arrow_ipc::reader::FileReader::try_new(file, None).unwrap();
        let plain = reader.schema().field_with_name("n.tag").unwrap().data_type() == &arrow_schema::DataType::Utf8;
        assert_eq!(plain, part > 0, "a category that had to grow is plain text");
    }
}

#[test]
fn an_end_of_an_unknown_feature_is_not_in_the_log() {
    let (dir, mut store) = fresh();
    let first = create(1, Element::Node(node("a"))).with(vec![("later".into(), None)]);
    let second = create(1, Element::Node(node("b"))).with(vec![("later".into(), Some(Value::number(1.0)))]);
    load(&mut store, &[first, second]).unwrap();
    let before = store.view().events();
    assert!(before[0].features.is_empty());
    drop(store);
    assert_eq!(Store::open(dir.path()).unwrap().view().events(), before);
}

#[test]
fn values_that_no_column_can_hold_are_rejected() {
    let (_dir, mut store) = fresh();
    let with = |id: &str, value| create(1, Element::Node(node(id))).with(vec![("f".into(), Some(value))]);
    let events = [
        with("a", Value::Dense(Dense { numbers: Numbers::F32(vec![1.0, 2.0]), scalar: true })),
        with("b", Value::Sparse(Sparse { rank: 2, coordinates: vec![1], values: Numbers::F32(vec![1.0]) })),
        with("c", Value::number(1.0)),
    ];
    let report = load(&mut store, &events).unwrap();
    assert_eq!((report.accepted, report.n_rejected), (1, 2));
    assert!(matches!(report.rejects[1].reason, Reason::Malformed(_)));
}

#[test]
fn declared_types_are_kept_and_the_schema_is_that_of_the_commit() {
    let (dir, mut store) = fresh();
    load(&mut store, &nodes(1, &["a"])).unwrap();
    let mut request = LoadRequest::new("test", "test");
    request.schema.add_node_type(&"declared".into()).unwrap();
    store.load(request, records(&nodes(2, &["b"]))).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let names = |schema: &Schema| schema.node_types().iter().map(|node| node.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(store.schema()), ["term", "declared"]);
    assert_eq!(names(GraphView::schema(&*store.view_at(Commit(1)).unwrap())), ["term"]);
    assert!(names(GraphView::schema(&*store.view_at(Commit(0)).unwrap())).is_empty());
}

/// New features in the middle of a large load begin a new file; all of it is one commit.
#[test]
fn a_large_load_with_late_features_has_several_segments() {
    let (dir, mut store) = fresh();
    let plain = |n: u64| create(1, Element::Node(timeweft_graph::NodeKey::new("n", n)));
    let text = |n: u64| plain(n).with(vec![("name".into(), Some(Value::text(&n.to_string())))]);
    let events: Vec<Event> = (0..66_000).map(plain).chain((66_000..66_100).map(text)).collect();
    let report = load(&mut store, &events).unwrap();
    assert_eq!((report.accepted, report.commit), (66_100, Commit(1)));
    assert!(dir.path().join("log/p0-1-1.arrow").exists() && !dir.path().join("log/p0-1-2.arrow").exists());
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    assert!(store.view().events() == events);
    let found = store.verify().unwrap();
    assert_eq!((found.loads, found.segments, found.events), (1, 2, 66_100));
    let name = GraphView::schema(&*store.view()).node_types()[0].features[0].kind;
    assert_eq!(name, FeatureKind::Text);
}

/// Memory and disk keep the same of an event that names a feature twice: the last value.
#[test]
fn a_feature_named_twice_keeps_its_last_value() {
    let (_dir, mut store) = fresh();
    let element = Element::Node(node("a"));
    let features =
        [("x", "1"), ("y", "y"), ("x", "2")].map(|(name, value)| (Name::from(name), Some(Value::text(value))));
    let features = features.to_vec();
    load(&mut store, &[create(1, element.clone()).with(features)]).unwrap();
    let known = store.view().node(&node("a"), At::now()).unwrap().features;
    assert_eq!(known.values().map(ToString::to_string).collect::<Vec<_>>(), ["2", "y"]);
    store.verify().unwrap();
}

#[test]
fn values_of_every_kind_of_a_large_version_come_back() {
    let dense = |numbers, scalar| Value::Dense(Dense { numbers, scalar });
    let value = |n: i64| match n % 8 {
        0 => ("text", Value::text(&format!("text {n}"))),
        1 => ("json", Value::Json(serde_json::json!([{"val": n}, "é"]))),
        2 => ("list", dense(Numbers::F32(vec![n as f32; (n % 5) as usize]), false)),
        3 => ("bytes", Value::Bytes(n.to_le_bytes().to_vec())),
        4 => ("number", dense(Numbers::I64(vec![n]), true)),
        5 => {
            let (coordinates, values) = (vec![n, 2, 0, 1], Numbers::F64(vec![0.5, n as f64]));
            ("sparse", Value::Sparse(Sparse { rank: 2, coordinates, values }))
        }
        // Later nodes bring names and features that those of the first chunk do not have.
        6 => ("category", Value::Category(format!("c{}", n / 9_000).into())),
        _ => (if n < 30_000 { "early" } else { "late" }, Value::Json(true.into())),
    };
    let (dir, mut store) = fresh();
    let mut version = Version::default();
    for n in 0..40_000 {
        let (name, value) = value(n);
        let (features, place) = (vec![(name.into(), value)], place(1));
        version.nodes.push(Listed { key: node(&format!("n{n}")), features, place });
    }
    for n in 0..20_000 {
        let key = edge(if n < 18_000 { "is_a/" } else { "part_of/" }, &format!("n{n}"), &format!("n{}", n + 1));
        let (name, value) = value(n);
        version.edges.push(Listed { key, features: vec![(name.into(), value)], place: place(1) });
    }
    let listed: HashMap<NodeKey, Vec<(Name, Value)>> =
        version.nodes.iter().map(|node| (node.key.clone(), node.features.clone())).collect();
    let request = LoadRequest::new("test", "a").version("a", Time(5));
    let report = load_version(&mut store, request, version, DeltaOptions::default()).unwrap();
    assert_eq!((report.accepted, report.n_rejected), (60_000, 0));
    let before = store.view().events();
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    assert!(store.view().events() == before, "the log is another graph than what was loaded");
    store.verify().unwrap();
    for event in before {
        if let Element::Node(key) = &event.element {
            let listed = listed[key].iter().map(|(name, value)| (name.clone(), Some(value.clone())));
            assert!(event.features == listed.collect::<Vec<_>>(), "{key}");
        }
    }
}
