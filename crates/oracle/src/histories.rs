//! Random histories for property tests: small worlds in which everything collides, bad events included.

use half::f16;
use proptest::collection::vec;
use proptest::prelude::*;

use timeweft_graph::{
    Action, DType, Dense, EdgeKey, Element, Event, Features, Name, NodeKey, Numbers, Sparse, Time, Value,
};

/// Times of events lie about `0..TIMES`, so that many are equal.
const TIMES: i64 = 14;

/// Up to 90 events over three node types, two relations and every kind of value. Most are in order of time and make
/// sense; some are late, unknown, repeated, of the wrong kind or at the end of time. One history in four has its times
/// at random.
pub fn histories() -> impl Strategy<Value = Vec<Event>> {
    let forward = prop_oneof![20 => Just(0i64), 5 => Just(1i64), 1 => Just(3i64), 2 => -4i64..0];
    let forward = vec((forward, change()), 0..90).prop_map(|steps| {
        let mut now = 0;
        let timed = steps.into_iter().map(|(step, event)| {
            let time = Time(now + step);
            now = now.max(time.0);
            at(event, time)
        });
        timed.collect::<Vec<_>>()
    });
    let random = vec((0..TIMES, change()), 0..90)
        .prop_map(|steps| steps.into_iter().map(|(time, event)| at(event, Time(time))).collect::<Vec<_>>());
    let any = prop_oneof![3 => forward, 1 => random];
    (0..6usize, any).prop_map(|(living, events)| born(living).chain(events).collect())
}

/// The first nodes, created at the beginning, so that not every history starts among the unknown.
fn born(n: usize) -> impl Iterator<Item = Event> {
    let nodes = node_keys().into_iter().take(n).map(Element::Node);
    nodes.map(|element| Event::new(Time(0), Action::Create, element))
}

/// Puts an event at a time, but leaves one at the end of time there.
fn at(event: Event, time: Time) -> Event {
    Event { time: event.time.max(time), ..event }
}

/// Every time at which an answer can change, and one more on each side.
pub fn probe_times(events: &[Event]) -> Vec<Time> {
    let around = |event: &Event| [event.time.before(), event.time, Time(event.time.0.saturating_add(1))];
    let mut times: Vec<_> = events.iter().flat_map(around).chain([Time::MIN, Time(0), Time::FOREVER]).collect();
    times.sort_unstable();
    times.dedup();
    times
}

/// Every node that [`histories`] may name.
pub fn node_keys() -> Vec<NodeKey> {
    let types = ["user", "item", "tag"];
    ["1", "2", "x"].into_iter().flat_map(|id| types.map(|name| NodeKey::new(name, id))).collect()
}

/// An event whose time only says whether it is the end of time.
fn change() -> impl Strategy<Value = Event> {
    let time = prop_oneof![80 => Just(Time::MIN), 1 => Just(Time::FOREVER)];
    let empty = Just(Features::new());
    (time, element()).prop_flat_map(move |(time, (element, action))| {
        let features = match (action, &element) {
            (Action::Delete, _) => prop_oneof![30 => empty.clone(), 1 => features()].boxed(),
            (_, Element::Merge { .. }) => merge_features().boxed(),
            _ => features().boxed(),
        };
        features.prop_map(move |features| Event { time, action, element: element.clone(), features })
    })
}

fn element() -> impl Strategy<Value = (Element, Action)> {
    // Few pairs, so that merges are changed, ended and made again.
    let few = prop_oneof![8 => (0..2usize, 3..5usize), 1 => (0..9usize, 0..9usize)];
    let merge = few.prop_map(|(from, into)| {
        let keys = node_keys();
        Element::Merge { from: keys[from].clone(), into: keys[into].clone() }
    });
    prop_oneof![
        4 => (node_key().prop_map(Element::Node), action(3, 3, 3)),
        6 => (edge_key().prop_map(Element::Edge), action(5, 3, 2)),
        3 => (merge, action(5, 4, 3)),
    ]
}

fn action(creates: u32, updates: u32, deletes: u32) -> impl Strategy<Value = Action> {
    prop_oneof![creates => Just(Action::Create), updates => Just(Action::Update), deletes => Just(Action::Delete)]
}

/// Few nodes, the first ones most often, so that edges find living ends.
fn node_key() -> impl Strategy<Value = NodeKey> {
    let keys = node_keys();
    prop_oneof![3 => 0..3usize, 1 => 0..keys.len()].prop_map(move |at| keys[at].clone())
}

/// A few edges most often, so that they live again.
fn edge_key() -> impl Strategy<Value = EdgeKey> {
    let nodes = node_keys();
    let few = (0..3usize).prop_map(move |at| edge(nodes[at].clone(), "likes", nodes[1].clone(), None));
    let relation = prop_oneof![5 => Just("likes"), 1 => Just("knows")];
    let key = prop_oneof![6 => Just(None), 1 => Just(Some("a")), 1 => Just(Some("b"))];
    let any = (node_key(), relation, node_key(), key)
        .prop_map(|(source, relation, destination, key)| edge(source, relation, destination, key));
    prop_oneof![2 => few, 3 => any]
}

fn edge(source: NodeKey, relation: &str, destination: NodeKey, key: Option<&str>) -> EdgeKey {
    EdgeKey { source, relation: relation.into(), destination, key: key.map(Name::from) }
}

fn features() -> impl Strategy<Value = Features> {
    vec(feature(), 0..4)
}

/// A merge often says what it is; advice leads nowhere.
fn merge_features() -> impl Strategy<Value = Features> {
    let kind = prop_oneof![Just("replaced_by"), Just("consider")];
    let merge_type = prop_oneof![
        3 => kind.prop_map(|kind| Some(Some(Value::Category(kind.into())))),
        1 => Just(Some(None)),
        4 => Just(None),
    ];
    (vec(feature(), 0..2), merge_type).prop_map(|(mut features, merge_type)| {
        features.extend(merge_type.map(|value| (Name::from("type"), value)));
        features
    })
}

/// A feature is named after the kind of its values, but for a rare one of the wrong kind.
fn feature() -> impl Strategy<Value = (Name, Option<Value>)> {
    (0..KINDS, any::<bool>(), 0..24u8).prop_map(|(kind, variant, luck)| {
        let name = Name::from(format!("f{kind}").as_str());
        let value = match luck {
            0 => Some(value((kind + 1) % KINDS, variant)),
            1..5 => None,
            _ => Some(value(kind, variant)),
        };
        (name, value)
    })
}

const KINDS: usize = 10;

/// One of two values of a kind; two of the kinds are easily confused with another.
fn value(kind: usize, variant: bool) -> Value {
    let small = if variant { 1u8 } else { 2 };
    match kind {
        0 => Value::number(if variant { 0.0 } else { f64::NAN }),
        1 => Value::floats(if variant { &[1.0, 2.0] } else { &[] }),
        2 => Value::Dense(Dense { numbers: Numbers::I64(vec![small.into()]), scalar: true }),
        3 => Value::Dense(Dense { numbers: Numbers::F16(vec![f16::from_f32(small.into())]), scalar: false }),
        4 => Value::Sparse(Sparse { rank: 2, coordinates: vec![0, small.into()], values: Numbers::U8(vec![7]) }),
        5 => Value::text(if variant { "one" } else { "two" }),
        6 => Value::Category(if variant { "one".into() } else { "two".into() }),
        7 => Value::Bytes(vec![small]),
        8 => Value::Json(if variant { serde_json::json!(["b", "a", "b"]) } else { serde_json::json!({"n": 1.5}) }),
        _ => Value::Dense(Dense { numbers: numbers(DType::U16, small), scalar: true }),
    }
}

fn numbers(dtype: DType, value: u8) -> Numbers {
    Numbers::from_le_bytes(dtype, &[value, 0]).unwrap_or(Numbers::U16(Vec::new()))
}
