//! Opening: runs of creates, which are read in bulk, among all else that a log holds.

use serde_json::json;
use timeweft_graph::{
    Action, Dense, Element, Event, FeatureDef, FeatureKind, Features, GraphView, ListOrder, Name, NodeKey, Numbers,
    Owner, Schema, Sparse, Time, TimeUnit, Value,
};
use timeweft_store::Store;

use crate::world::{create, edge, load, node};

/// A value of every kind, by turns; some are null, some lists are in no order.
fn features(at: i64) -> Features {
    let value = match at % 11 {
        0 => Value::text("text \u{e9}"),
        1 => Value::Category(format!("c{}", at % 3).into()),
        2 => Value::Bytes(vec![0, at as u8]),
        3 => Value::Json(json!({"b": [0.1, at], "a": null})),
        4 => Value::Json(json!(null)),
        5 => Value::number(-0.0),
        6 => Value::Dense(Dense { numbers: Numbers::I64(vec![at]), scalar: true }),
        7 => Value::Dense(Dense { numbers: Numbers::U8(vec![at as u8]), scalar: true }),
        8 => Value::floats(&[at as f32, 1.0]),
        9 => Value::Sparse(Sparse { rank: 1, coordinates: vec![at], values: Numbers::F32(vec![0.5]) }),
        _ => Value::Json(json!(["z", "a", "z", at])),
    };
    let name = |name: String| Name::from(name);
    let kind = FeatureKind::of(&value).to_string();
    let list = name(if at % 11 == 10 { "set".into() } else { format!("z{kind}") });
    // Not in the order of names.
    vec![(list, Some(value)), (name("a".into()), Some(Value::text("first")))]
}

fn with(mut event: Event, features: Features) -> Event {
    event.features = features;
    event
}

#[test]
fn runs_of_creates_open_as_they_were_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let mut schema = Schema::new(TimeUnit::Milli);
    let term = schema.add_node_type(&"term".into()).unwrap();
    let set = FeatureDef { name: "set".into(), kind: FeatureKind::Json, order: ListOrder::Set };
    schema.add_feature(Owner::Node(term), set).unwrap();
    let mut store = Store::create(dir.path(), schema).unwrap();
    let id = |at: i64| if at % 2 == 0 { format!("{at}") } else { format!("n{at}") };

    let mut events: Vec<Event> =
        (0..6_000).map(|at| with(create(at / 7, Element::Node(node(&id(at)))), features(at))).collect();
    // An end of a value in a create, and few creates between other events, are no run.
    events.push(with(create(900, Element::Node(node("ended"))), vec![("a".into(), None)]));
    events.push(Event::new(Time(900), Action::Delete, Element::Node(node(&id(5)))));
    events.push(create(901, Element::Node(node(&id(5)))));
    events.extend((1..6_000).map(|at| {
        let key = if at % 3 == 0 { "k" } else { "" };
        with(create(1_000, Element::Edge(edge(key, &id(at), &id(at / 2)))), features(at))
    }));
    events.push(Event::new(Time(1_001), Action::Delete, Element::Node(node(&id(0)))));
    events.extend((6_000..6_100).map(|at| create(1_002, Element::Node(NodeKey::new("other", &*id(at))))));
    let report = load(&mut store, &events).unwrap();
    assert_eq!((report.accepted, report.n_rejected), (events.len() as u64, 0), "{:?}", report.rejects.first());
    // The nodes live again: creates of nodes and edges that are known, in runs.
    let ends = (1..200).map(|at| Event::new(Time(2_000), Action::Delete, Element::Node(node(&id(at)))));
    let again = (1..200).map(|at| with(create(2_001, Element::Node(node(&id(at)))), features(at + 1)));
    let edges = (3..200).map(|at| create(2_001, Element::Edge(edge("", &id(at), &id(at / 2)))));
    assert_eq!(load(&mut store, &ends.chain(again).chain(edges).collect::<Vec<_>>()).unwrap().n_rejected, 0);

    let (before, schema) = (store.view(), store.schema().clone());
    store.verify().unwrap();
    drop(store);
    let opened = Store::open(dir.path()).unwrap();
    assert_eq!(*opened.schema(), schema);
    assert!(opened.view().events() == before.events(), "the events differ");
    for at in 0..6_100 {
        let key = node(&id(at));
        assert_eq!(opened.view().node_index(&key), before.node_index(&key), "{key}");
    }
}
