//! What the writer writes, the reader reads, bit by bit.

use half::f16;
use proptest::collection::vec;
use proptest::prelude::*;
use timeweft_graph::{
    Action, DType, Dense, Element, Event, ExternalId, FeatureDef, FeatureKind, ListOrder, NodeKey, Numbers, Owner,
    Schema, Sparse, Time, TimeUnit, Value,
};
use timeweft_oracle::histories::histories;
use timeweft_source::{JsonlReader, write_event};

use crate::replay::{edge, node, whole};

fn round_trip(events: &[Event], schema: &Schema) -> Vec<Event> {
    let mut text = Vec::new();
    for event in events {
        write_event(&mut text, event).unwrap();
    }
    let mut reader = JsonlReader::new(text.as_slice(), &"f".into(), schema);
    whole(|sink| reader.read(sink))
        .into_iter()
        .map(|record| record.unwrap_or_else(|reject| panic!("{reject}\n{}", String::from_utf8_lossy(&text))).0)
        .collect()
}

/// Numbers of any type from their bytes, so that every bit pattern comes up.
fn numbers(bytes: Vec<u8>, dtype: DType) -> Numbers {
    let size = Numbers::from_le_bytes(dtype, &[]).map_or(1, |_| match dtype {
        DType::F64 | DType::I64 | DType::U64 => 8,
        DType::F32 | DType::I32 | DType::U32 => 4,
        DType::F16 | DType::I16 | DType::U16 => 2,
        DType::I8 | DType::U8 => 1,
    });
    Numbers::from_le_bytes(dtype, &bytes[..bytes.len() / size * size]).unwrap()
}

fn dtypes() -> impl Strategy<Value = DType> {
    use DType::*;
    prop::sample::select(vec![F64, F32, F16, I64, I32, I16, I8, U64, U32, U16, U8])
}

fn any_numbers() -> impl Strategy<Value = Numbers> {
    prop_oneof![
        (vec(any::<u8>(), 0..48), dtypes()).prop_map(|(bytes, dtype)| numbers(bytes, dtype)),
        vec(special(), 0..4).prop_map(Numbers::F64),
        vec(special(), 0..4).prop_map(|list| Numbers::F32(list.into_iter().map(|x| x as f32).collect())),
        vec(special(), 0..4).prop_map(|list| Numbers::F16(list.into_iter().map(f16::from_f64).collect())),
        vec(any::<f64>(), 0..4).prop_map(Numbers::F64),
        vec(any::<f32>(), 0..4).prop_map(Numbers::F32),
    ]
}

fn special() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![
        0.0,
        -0.0,
        f64::NAN,
        -f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e300,
        5e-324,
        0.1,
        1e16,
    ])
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Into::into),
        ".*".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Into::into),
            vec(("[a-c]|\\$json", inner), 0..3).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        any_numbers().prop_map(|numbers| Value::Dense(Dense { numbers, scalar: false })),
        any_numbers()
            .prop_filter("one", |numbers| numbers.len() == 1)
            .prop_map(|numbers| Value::Dense(Dense { numbers, scalar: true })),
        (any_numbers(), 0..4_u32, any::<i64>()).prop_map(|(values, rank, seed)| {
            let coordinates = (0..values.len() as i64 * i64::from(rank)).map(|at| seed.wrapping_mul(at + 1)).collect();
            Value::Sparse(Sparse { rank, coordinates, values })
        }),
        ".*".prop_map(|text| Value::text(&text)),
        ".*".prop_map(|text| Value::Category(text.into())),
        vec(any::<u8>(), 0..12).prop_map(Value::Bytes),
        json().prop_map(Value::Json),
    ]
}

/// The schema under which this value is of its own kind.
fn schema_for(value: &Value) -> Schema {
    let mut schema = Schema::new(TimeUnit::Step);
    let node = schema.add_node_type(&"a".into()).unwrap();
    let edge = schema.add_edge_type(node, &"r".into(), node).unwrap();
    for owner in [Owner::Node(node), Owner::Edge(edge), Owner::Merge] {
        let def = FeatureDef { name: "x".into(), kind: FeatureKind::of(value), order: ListOrder::List };
        schema.add_feature(owner, def).unwrap();
    }
    schema
}

fn ids() -> impl Strategy<Value = ExternalId> {
    prop_oneof![any::<u64>().prop_map(ExternalId::Int), ".+".prop_map(|text| ExternalId::from(text.as_str()))]
}

proptest! {
    #[test]
    fn every_value_comes_back(value in values(), time in any::<i64>(), ended in any::<bool>()) {
        prop_assume!(time != i64::MAX);
        let set = vec![("x".into(), (!ended).then(|| value.clone()))];
        let events = [
            Event::new(Time(time), Action::Update, Element::Node(node("a", 1))).with(set.clone()),
            Event::new(Time(time), Action::Create, Element::Edge(edge(node("a", 1), "r", node("a", 2), None))).with(set.clone()),
            Event::new(Time(time), Action::Update, Element::Merge { from: node("a", 1), into: node("a", 2) }).with(set),
        ];
        prop_assert_eq!(round_trip(&events, &schema_for(&value)), events);
    }

    #[test]
    fn every_element_comes_back(a in ids(), b in ids(), key in proptest::option::of(".+"), name in ".+") {
        let ends = [NodeKey::new(&name, a), NodeKey::new("b", b)];
        let [from, into] = ends.clone();
        let mut events = Vec::new();
        for action in [Action::Create, Action::Update, Action::Delete] {
            events.push(Event::new(Time(-3), action, Element::Node(from.clone())));
            events.push(Event::new(Time(5), action, Element::Merge { from: from.clone(), into: into.clone() }));
            events.push(Event::new(Time(4), action, Element::Edge(edge(from.clone(), &name, into.clone(), key.as_deref()))));
        }
        prop_assert_eq!(round_trip(&events, &Schema::new(TimeUnit::Step)), events);
    }

    #[test]
    fn a_log_comes_back(history in histories()) {
        use timeweft_graph::GraphView;
        let mut graph = timeweft_oracle::ReferenceGraph::new(Schema::new(TimeUnit::Step));
        for event in history.iter().filter(|event| event.time != Time::FOREVER) {
            let _ = graph.apply(event);
        }
        let mut log = graph.events();
        for event in &mut log {
            let all = event.features.clone();
            let mut at = 0;
            event.features.retain(|(name, _)| {
                at += 1;
                all[at..].iter().all(|(later, _)| later != name)
            });
        }
        prop_assert_eq!(round_trip(&log, graph.schema()), log);
    }
}

#[test]
fn known_hard_values_come_back() {
    let values = [
        Value::Json(serde_json::Value::Null),
        Value::Json(serde_json::json!({ "$json": 1 })),
        Value::Dense(Dense { numbers: Numbers::F32(vec![f32::from_bits(0x7fc0_0001)]), scalar: true }),
        Value::Sparse(Sparse { rank: 0, coordinates: vec![], values: Numbers::U8(vec![7, 8]) }),
        Value::Sparse(Sparse { rank: 3, coordinates: vec![], values: Numbers::F64(vec![]) }),
        Value::Sparse(Sparse { rank: 1, coordinates: vec![4], values: Numbers::F64(vec![-0.0]) }),
        Value::Bytes(vec![0xff, 0xfe]),
        Value::text("a\n\"b\"\u{2028}\0"),
    ];
    for value in values {
        let event = Event::new(Time(1), Action::Update, Element::Node(node("a", 1)))
            .with(vec![("x".into(), Some(value.clone()))]);
        assert_eq!(round_trip(std::slice::from_ref(&event), &schema_for(&value)), [event]);
    }
}
