//! Event streams as JSON lines.

use proptest::prelude::*;
use timeweft_graph::{
    Action, DType, Dense, Element, Event, FeatureDef, FeatureKind, ListOrder, NodeKey, Numbers, Owner, Place, Schema,
    Time, TimeUnit, Value,
};
use timeweft_source::JsonlReader;

use crate::replay::{edge, node, whole};

fn read(text: &str, schema: &Schema) -> Vec<Result<(Event, Place), String>> {
    let mut reader = JsonlReader::new(text.as_bytes(), &"f".into(), schema);
    let records = whole(|sink| reader.read(sink)).into_iter();
    records.map(|record| record.map_err(|reject| reject.to_string())).collect()
}

fn one(text: &str) -> Result<(Event, Place), String> {
    read(text, &Schema::new(TimeUnit::Step)).into_iter().next().unwrap()
}

/// A line of a node of type `a` with these features.
fn with_features(features: &str) -> String {
    format!(r#"{{"time":1,"action":"update","entity":"node","source":{{"type":"a","id":1,"features":{features}}}}}"#)
}

fn feature(features: &str) -> Result<Option<Value>, String> {
    one(&with_features(features)).map(|record| record.0.features[0].1.clone())
}

fn declared(kind: FeatureKind, value: &str) -> Result<Value, String> {
    let mut schema = Schema::new(TimeUnit::Step);
    let owner = Owner::Node(schema.add_node_type(&"a".into()).unwrap());
    schema.add_feature(owner, FeatureDef { name: "x".into(), kind, order: ListOrder::List }).unwrap();
    let mut records = read(&with_features(&format!("{{\"x\":{value}}}")), &schema);
    records.remove(0).map(|record| record.0.features[0].1.clone().unwrap())
}

#[test]
fn an_edge_line_updates_its_ends_first() {
    let text = r#"{"time":5,"action":"create","entity":"edge","source":{"type":"user","id":"u1","features":{"age":31}},"edge":{"type":"buys","key":"k","features":{"price":9.5}},"destination":{"type":"item","id":9,"features":{"tags":["a","b"],"gone":null}}}"#;
    let records = read(text, &Schema::new(TimeUnit::Step));
    let events: Vec<_> = records.into_iter().map(|record| record.unwrap().0).collect();
    assert_eq!(events.len(), 3);
    assert_eq!((events[0].action, &events[0].element), (Action::Update, &Element::Node(NodeKey::new("user", "u1"))));
    assert_eq!(events[0].features, [("age".into(), Some(Value::number(31.0)))]);
    assert_eq!((events[1].action, &events[1].element), (Action::Update, &Element::Node(node("item", 9))));
    let tags = Value::Json(serde_json::json!(["a", "b"]));
    assert_eq!(events[1].features, [("tags".into(), Some(tags)), ("gone".into(), None)]);
    let key = edge(NodeKey::new("user", "u1"), "buys", node("item", 9), Some("k"));
    assert_eq!((events[2].action, &events[2].element), (Action::Create, &Element::Edge(key)));
    assert_eq!(events[2].time, Time(5));
}

#[test]
fn undeclared_values_are_what_they_look_like() {
    assert_eq!(feature(r#"{"x":1}"#), Ok(Some(Value::number(1.0))));
    assert_eq!(feature(r#"{"x":"1"}"#), Ok(Some(Value::text("1"))));
    assert_eq!(feature(r#"{"x":true}"#), Ok(Some(Value::Json(true.into()))));
    assert_eq!(feature(r#"{"x":{"a":[1]}}"#), Ok(Some(Value::Json(serde_json::json!({"a":[1]})))));
    assert_eq!(feature(r#"{"x":null}"#), Ok(None));
    let list = Value::Dense(Dense { numbers: Numbers::F64(vec![1.0, -0.5]), scalar: false });
    assert_eq!(feature(r#"{"x":[1,-0.5]}"#), Ok(Some(list)));
    assert_eq!(feature(r#"{"x":9007199254740992}"#), Ok(Some(Value::number(9007199254740992.0))));
}

#[test]
fn an_empty_list_takes_the_kind_of_earlier_lists() {
    let schema = Schema::new(TimeUnit::Step);
    let lines =
        [r#"{"x":["a"]}"#, r#"{"x":[]}"#, r#"{"y":[1]}"#, r#"{"y":[]}"#, r#"{"y":["not as before"]}"#, r#"{"y":[]}"#];
    let text = lines.map(with_features).join("\n");
    let read = read(&text, &schema);
    let value = |at: usize| read[at].as_ref().unwrap().0.features[0].1.clone().unwrap();
    assert_eq!(value(1), Value::Json(serde_json::json!([])));
    assert_eq!((value(3), value(5)), (numbers(&[]), numbers(&[])));
}

fn numbers(list: &[f64]) -> Value {
    Value::Dense(Dense { numbers: Numbers::F64(list.to_vec()), scalar: false })
}

#[test]
fn first_empty_list_of_json_lines_is_a_value() {
    let json = Value::Json(serde_json::json!([]));
    let first = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|features| with_features(features)).collect();
        read(&lines.join("\n"), &Schema::new(TimeUnit::Step))[0].clone().map(|record| record.0.features)
    };
    let told = |value: &Value| Ok(vec![("x".into(), Some(value.clone()))]);
    assert_eq!(first(&[r#"{"x":[]}"#, r#"{"y":["a"]}"#, r#"{"x":[]}"#, r#"{"x":[1]}"#]), told(&numbers(&[])));
    assert_eq!(first(&[r#"{"x":[]}"#, r#"{"x":["a"]}"#, r#"{"x":[1]}"#]), told(&json));
    assert_eq!(first(&[r#"{"x":[]}"#, r#"{"x":{"a":1}}"#]), told(&json));
    assert_eq!(first(&[r#"{"x":[]}"#, r#"{"x":null}"#, r#"{"x":[]}"#]), told(&json));
    let told_by_number = first(&[r#"{"x":[]}"#, r#"{"x":5}"#, r#"{"x":[1]}"#]).unwrap_err();
    assert!(
        told_by_number.starts_with("f:1: feature `x`: expected a number of type f64, got `[]`"),
        "{told_by_number}"
    );
    // What cannot be read shows nothing, and is told in its turn.
    let text = [&with_features(r#"{"x":[]}"#), "{", &with_features(r#"{"x":[2]}"#)].map(|line| format!("{line}\n"));
    let read = read(&text.concat(), &Schema::new(TimeUnit::Step));
    assert_eq!(read[0].as_ref().unwrap().0.features[0].1, Some(numbers(&[])));
    assert!(read[1].as_ref().unwrap_err().starts_with("f:2: "));
}

#[test]
fn empty_lists_of_one_line_are_told_by_each_other_and_by_type() {
    let edge = |source: &str, edge: &str, destination: &str| {
        format!(
            r#"{{"time":1,"action":"create","entity":"edge","source":{{"type":"a","id":1,"features":{{"x":{source}}}}},"edge":{{"type":"r","features":{{"x":{edge}}}}},"destination":{{"type":"a","id":2,"features":{{"x":{destination}}}}}}}"#
        )
    };
    let values = |text: String| {
        let records = read(&text, &Schema::new(TimeUnit::Step)).into_iter();
        records.map(|record| record.unwrap().0.features[0].1.clone().unwrap()).collect::<Vec<_>>()
    };
    let json = Value::Json(serde_json::json!([]));
    assert_eq!(values(edge("[]", "[]", "[4]")), [numbers(&[]), numbers(&[4.0]), json.clone()]);
    let two = edge("[]", "[]", "[]") + "\n" + &edge("[1]", "[\"a\"]", "[]");
    assert_eq!(values(two)[..3], [numbers(&[]), numbers(&[]), json]);
}

proptest! {
    /// What a list is does not depend on the order of lines.
    #[test]
    fn the_order_of_lines_does_not_matter_to_empty_lists(
        mut lines in prop::collection::vec((0..3_usize, 0..3_usize), 1..12),
        seed in any::<u64>(),
    ) {
        let values = [["[]", "[1]", "[2,3]"], ["[]", "[\"a\"]", "{\"b\":1}"], ["[]", "[]", "[]"]];
        let found = |lines: &[(usize, usize)]| {
            let text: Vec<String> = lines
                .iter()
                .map(|(feature, at)| with_features(&format!("{{\"x{feature}\":{}}}", values[*feature][*at])))
                .collect();
            let records = read(&text.join("\n"), &Schema::new(TimeUnit::Step));
            let mut found: Vec<String> =
                records.into_iter().map(|record| format!("{:?}", record.unwrap().0.features)).collect();
            found.sort();
            found
        };
        let before = found(&lines);
        let n = lines.len() as u64;
        lines.rotate_left((seed % n) as usize);
        lines.swap(0, (seed / n % n) as usize);
        prop_assert_eq!(found(&lines), before);
    }
}

#[test]
fn declared_values_are_read_exactly() {
    let scalar = |dtype| FeatureKind::Dense { dtype, scalar: true };
    let dense = |numbers| Value::Dense(Dense { numbers, scalar: true });
    assert_eq!(declared(scalar(DType::I64), "9007199254740993"), Ok(dense(Numbers::I64(vec![9007199254740993]))));
    assert_eq!(declared(scalar(DType::U64), "18446744073709551615"), Ok(dense(Numbers::U64(vec![u64::MAX]))));
    assert_eq!(declared(scalar(DType::F32), "0.1"), Ok(dense(Numbers::F32(vec![0.1]))));
    assert_eq!(declared(FeatureKind::Category, "\"red\""), Ok(Value::Category("red".into())));
    assert_eq!(declared(FeatureKind::Bytes, "[0,255]"), Ok(Value::Bytes(vec![0, 255])));
    assert_eq!(declared(FeatureKind::Json, "[]"), Ok(Value::Json(serde_json::json!([]))));
    let cases = [
        (scalar(DType::I64), "1.5", "expected a number of type i64, got `1.5`"),
        (scalar(DType::I8), "300", "expected a number of type i8, got `300`"),
        (scalar(DType::U64), "-1", "expected a number of type u64, got `-1`"),
        (scalar(DType::F32), "16777217", "expected a number of type f32, got `16777217`"),
        (scalar(DType::F64), "9007199254740993", "expected a number of type f64, got `9007199254740993`"),
        (scalar(DType::F32), "1e39", "expected a number of type f32, got `1e39`"),
        (scalar(DType::F64), "\"1\"", "expected a number of type f64"),
        (scalar(DType::F64), "[1]", "expected a number of type f64"),
        (FeatureKind::Dense { dtype: DType::F64, scalar: false }, "1", "expected f64[], got `1`"),
        (FeatureKind::Text, "1", "expected text, got `1`"),
        (FeatureKind::Category, "[\"red\"]", "expected category"),
        (FeatureKind::Bytes, "[256]", "expected bytes"),
        (FeatureKind::Json, "[18446744073709551616]", "does not fit 64 bits"),
        (
            FeatureKind::Sparse { dtype: DType::F32, rank: 2 },
            r#"{"coordinates":[1,2],"values":[1,2]}"#,
            "sparse f32 of rank 2",
        ),
        (
            FeatureKind::Sparse { dtype: DType::F32, rank: 1 },
            r#"{"coordinates":[1,2,3],"values":[1,2]}"#,
            "do not fit 2 values",
        ),
    ];
    for (kind, value, expected) in cases {
        let problem = declared(kind, value).unwrap_err();
        assert!(problem.contains(expected), "{kind} {value}: {problem}");
    }
}

/// Lines that are refused, and what the message says.
const BAD_LINES: &[(&str, &str)] = &[
    (r#"{"time":1,"action":"create""#, "EOF while parsing an object"),
    (r#"[1,"create"]"#, "expected an object in braces"),
    (r#"{"time":1,"action":"create","entity":"node","source":{"type":"a","id":1}} x"#, "trailing characters"),
    (r#"{"action":"create","entity":"node","source":{"type":"a","id":1}}"#, "missing field `time`"),
    (
        r#"{"time":1,"action":"make","entity":"node","source":{"type":"a","id":1}}"#,
        "expected one of `create`, `update`, `delete`",
    ),
    (
        r#"{"time":1,"action":"create","entity":"vertex","source":{"type":"a","id":1}}"#,
        "expected one of `node`, `edge`, `merge`",
    ),
    (r#"{"time":1,"action":"create","entity":"node","source":{"type":"a"}}"#, "source: missing field `id`"),
    (
        r#"{"time":1,"action":"create","entity":"node","source":{"type":"a","id":-1}}"#,
        "source: id: expected a text or a whole number",
    ),
    (
        r#"{"time":1,"action":"create","entity":"node","source":{"type":"a","id":1.5}}"#,
        "source: id: expected a text or a whole number",
    ),
    (r#"{"time":1,"action":"create","entity":"node","source":{"type":1,"id":1}}"#, "source: type: expected a text"),
    (r#"{"time":1,"action":"create","entity":"node","source":{"type":"","id":1}}"#, "an empty text names nothing"),
    (
        r#"{"time":1,"action":"create","entity":"node","source":{"type":"a","id":1,"feature":{}}}"#,
        "source: unknown field `feature`",
    ),
    (r#"{"time":1,"tme":1,"action":"create","entity":"node","source":{"type":"a","id":1}}"#, "unknown field `tme`"),
    (r#"{"time":1,"time":2,"action":"create","entity":"node","source":{"type":"a","id":1}}"#, "`time` is given twice"),
    (
        r#"{"time":1.5,"action":"create","entity":"node","source":{"type":"a","id":1}}"#,
        "time: expected a whole number of ticks",
    ),
    (
        r#"{"time":"2016-05-17","action":"create","entity":"node","source":{"type":"a","id":1}}"#,
        "this graph counts steps",
    ),
    (
        r#"{"time":9223372036854775808,"action":"create","entity":"node","source":{"type":"a","id":1}}"#,
        "does not fit 64 bits",
    ),
    (r#"{"time":"forever","action":"create","entity":"node","source":{"type":"a","id":1}}"#, "not the end of time"),
    (
        r#"{"time":1,"action":"create","entity":"node","source":{"type":"a","id":1},"destination":{"type":"a","id":1}}"#,
        "a node event has only `source`",
    ),
    (
        r#"{"time":1,"action":"create","entity":"edge","source":{"type":"a","id":1},"destination":{"type":"a","id":1}}"#,
        "missing field `edge`",
    ),
    (
        r#"{"time":1,"action":"create","entity":"edge","source":{"type":"a","id":1},"edge":{"type":"r"}}"#,
        "missing field `destination`",
    ),
    (
        r#"{"time":1,"action":"create","entity":"merge","source":{"type":"a","id":1}}"#,
        "a merge has `source` and `destination`",
    ),
    (
        r#"{"time":1,"action":"create","entity":"merge","source":{"type":"a","id":1},"edge":{"type":"r"},"destination":{"type":"a","id":2}}"#,
        "edge of a merge: ",
    ),
    (
        r#"{"time":1,"action":"create","entity":"merge","source":{"type":"a","id":1,"features":{"x":1}},"destination":{"type":"a","id":2}}"#,
        "the nodes of a merge carry no features",
    ),
    (
        r#"{"time":1,"action":"delete","entity":"node","source":{"type":"a","id":1,"features":{"x":1}}}"#,
        "a delete carries no features",
    ),
    (
        r#"{"time":1,"action":"create","entity":"node","source":{"type":"a","id":1,"features":{"x":1,"x":2}}}"#,
        "`x` is given twice",
    ),
    (r#"{"time":1,"action":"create","entity":"node","source":{"type":"a","id":1,"features":[1]}}"#, "features: "),
    (
        r#"{"time":1,"action":"create","entity":"node","source":{"type":"a","id":1,"features":{"x":9007199254740993}}}"#,
        "declare the feature as i64",
    ),
    (
        r#"{"time":1,"action":"create","entity":"node","source":{"type":"a","id":1,"features":{"x":[9007199254740993]}}}"#,
        "declare the feature as i64",
    ),
];

#[test]
fn bad_lines_say_what_is_expected() {
    for (line, expected) in BAD_LINES {
        let problem = one(line).unwrap_err();
        assert!(problem.starts_with("f:1: ") && problem.contains(expected), "{line}\n{problem}\nexpected: {expected}");
    }
}

#[test]
fn one_bad_line_does_not_spoil_the_next() {
    let good = r#"{"time":1,"action":"create","entity":"node","source":{"type":"a","id":1}}"#;
    let mut text = format!("\u{feff}{good}\r\n\n{{\n").into_bytes();
    text.extend([0xff, b'\n']);
    text.extend(good.as_bytes());
    let mut reader = JsonlReader::new(text.as_slice(), &"f".into(), &Schema::new(TimeUnit::Step));
    let lines: Vec<(bool, u64)> = whole(|sink| reader.read(sink))
        .into_iter()
        .map(|record| record.map_or_else(|reject| (false, reject.place.line), |record| (true, record.1.line)))
        .collect();
    assert_eq!(lines, [(true, 1), (false, 3), (false, 4), (true, 5)]);
}

#[test]
fn times_follow_the_unit() {
    let line = r#"{"time":"1970-01-02T00:00:01Z","action":"create","entity":"node","source":{"type":"a","id":1}}"#;
    let record = read(line, &Schema::new(TimeUnit::Milli)).remove(0).unwrap();
    assert_eq!(record.0.time, Time(86_401_000));
}

#[test]
fn the_same_id_as_number_and_as_text() {
    let line =
        |id: &str| format!(r#"{{"time":1,"action":"create","entity":"node","source":{{"type":"a","id":{id}}}}}"#);
    assert_eq!(one(&line("42")), one(&line("\"42\"")));
    assert_ne!(one(&line("42")), one(&line("\"042\"")));
}
