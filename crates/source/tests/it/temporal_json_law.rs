//! Random lines of temporal JSON: the quick reader, the careful one and a plain one over JSON trees agree.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use timeweft_graph::{DType, Dense, FeatureKind, Interval, Record, SpanRows, Sparse, Time, Value, ValueSpans};
use timeweft_oracle::numbers_of_json;
use timeweft_source::temporal_json;

const TYPES: [(&str, DType); 13] = [
    ("double", DType::F64),
    ("float64", DType::F64),
    ("float", DType::F32),
    ("float32", DType::F32),
    ("float16", DType::F16),
    ("int64", DType::I64),
    ("int32", DType::I32),
    ("int16", DType::I16),
    ("int8", DType::I8),
    ("uint64", DType::U64),
    ("uint32", DType::U32),
    ("uint16", DType::U16),
    ("uint8", DType::U8),
];

/// Times of the generated lines lie below this.
const END: i64 = 24;

fn quick(text: &str) -> SpanRows {
    let mut rows = SpanRows::default();
    temporal_json::read(text.as_bytes(), &"f".into(), &mut rows).unwrap();
    rows
}

fn careful(text: &str) -> SpanRows {
    let mut rows = SpanRows::default();
    temporal_json::read_carefully(text.as_bytes(), &"f".into(), &mut rows).unwrap();
    rows
}

/// What the plain reader knows of a record: who it is, its life, and the value of each feature at each time.
type Plain = (String, Interval, Vec<Vec<(u32, Value)>>);

/// A record, or where it was refused.
#[derive(Debug, PartialEq)]
enum Read {
    Record(Box<Plain>),
    Refused(u64),
}

fn plain(text: &str) -> Vec<Read> {
    let mut records = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let node: Json = serde_json::from_str(text).unwrap();
        let head = format!("node {} {} {}", node["node_id"], node["node_type"], number(&node["node_weight"]));
        let Some(record) = record(head, &node, Interval::open(Time(0))) else {
            records.push(Read::Refused(line));
            continue;
        };
        let life = record.1;
        records.push(Read::Record(Box::new(record)));
        for edge in node["edge"].as_array().unwrap() {
            let ends = format!("{} {} {}", edge["src_id"], edge["dst_id"], edge["edge_type"]);
            let found = self::record(format!("edge {ends} {}", number(&edge["weight"])), edge, life);
            records.push(found.map_or(Read::Refused(line), |record| Read::Record(Box::new(record))));
        }
    }
    records
}

fn number(json: &Json) -> f32 {
    json.as_f64().unwrap() as f32
}

fn interval(json: &Json, owner: Interval) -> Option<Interval> {
    let created = json.get("created_at").map_or(owner.created, |ticks| Time(ticks.as_i64().unwrap()));
    let removed = json.get("removed_at").map_or(owner.removed, |ticks| match ticks.as_i64().unwrap() {
        -1 => Time::FOREVER,
        ticks => Time(ticks),
    });
    Interval::new(created, removed)
}

fn record(head: String, json: &Json, owner: Interval) -> Option<Plain> {
    let life = interval(json, owner)?;
    let mut features = std::collections::BTreeMap::new();
    for (key, map) in json.as_object().unwrap().iter().filter(|(key, _)| key.ends_with("_feature")) {
        for (number, value) in map.as_object().into_iter().flatten() {
            let known = features.insert(number.parse::<u32>().unwrap(), intervals(key, value, life)?);
            // One number, one feature.
            known.is_none().then_some(())?;
        }
    }
    let at = |time| {
        let held = features.iter().filter_map(|(number, spans)| {
            let inside = spans.iter().filter(|(interval, _)| interval.contains(Time(time)));
            let (_, value) = inside.max_by_key(|(interval, _)| interval.created)?;
            value.clone().map(|value| (*number, value))
        });
        if life.contains(Time(time)) { held.collect() } else { Vec::new() }
    };
    Some((head, life, (-2..END).map(at).collect()))
}

fn intervals(key: &str, json: &Json, life: Interval) -> Option<Vec<(Interval, Option<Value>)>> {
    let list = json.as_array().filter(|list| list.first().is_some_and(Json::is_object));
    let spans: Vec<_> = match list {
        None => vec![(life, value(key, json, json.get("coordinates")))],
        Some(list) => {
            let span =
                |item: &Json| Some((interval(item, life)?, value(key, &item["values"], item.get("coordinates"))));
            list.iter().map(span).collect::<Option<_>>()?
        }
    };
    let kinds = spans.iter().filter_map(|(_, value)| value.as_ref()).map(FeatureKind::of);
    let kinds: std::collections::HashSet<_> = kinds.collect();
    let begins: std::collections::HashSet<_> = spans.iter().map(|(interval, _)| interval.created).collect();
    (kinds.len() <= 1 && begins.len() == spans.len()).then_some(spans)
}

fn value(key: &str, json: &Json, coordinates: Option<&Json>) -> Option<Value> {
    let kind = key.strip_suffix("_feature").unwrap();
    let list = |json: &Json| json.as_array().cloned().unwrap_or_default();
    if kind == "binary" {
        let text = json.as_str().or_else(|| json[0].as_str())?;
        return Some(Value::Bytes(text.into()));
    }
    let (_, dtype) = TYPES.iter().find(|(name, _)| *name == kind.trim_start_matches("sparse_")).unwrap();
    let values = list(json.get("values").unwrap_or(json));
    if values.is_empty() {
        return None;
    }
    let numbers = numbers_of_json(*dtype, &values).unwrap();
    let Some(coordinates) = coordinates else { return Some(Value::Dense(Dense { numbers, scalar: false })) };
    let flat: Vec<i64> = list(coordinates)
        .iter()
        .flat_map(|point| match point {
            Json::Array(point) => point.iter().map(|number| number.as_i64().unwrap()).collect(),
            number => vec![number.as_i64().unwrap()],
        })
        .collect();
    let rank = flat.len() / values.len();
    Some(Value::Sparse(Sparse { rank: rank as u32, coordinates: flat, values: numbers }))
}

/// What was read, in the form of the plain reader.
fn told(rows: &SpanRows) -> Vec<Read> {
    let at = |values: ValueSpans<'_>| {
        let at = |time| {
            let inside = values.iter().filter(|span| span.interval.contains(Time(time)));
            inside.map(|span| (span.feature, Value::decode(span.value.0).unwrap())).collect()
        };
        (-2..END).map(at).collect()
    };
    let records = rows.iter().filter_map(|row| match row {
        (Record::Reject(_), line) => Some(Read::Refused(line)),
        (Record::NodeSpan(node, of_node), _) => {
            let head = format!("node {} {} {}", node.id, node.node_type, node.weight.unwrap());
            Some(Read::Record(Box::new((head, node.life, at(of_node)))))
        }
        (Record::EdgeSpan(edge, of_edge), _) => {
            let head = format!("edge {} {} {} {}", edge.source, edge.destination, edge.edge_type, edge.weight);
            Some(Read::Record(Box::new((head, edge.life, at(of_edge)))))
        }
        _ => None,
    });
    records.collect()
}

fn times() -> impl Strategy<Value = Map<String, Json>> {
    (proptest::option::weighted(0.6, 0..END), proptest::option::weighted(0.6, -1..END)).prop_map(
        |(created, removed)| {
            let mut times = Map::new();
            created.map(|ticks| times.insert("created_at".into(), ticks.into()));
            removed.map(|ticks| times.insert("removed_at".into(), ticks.into()));
            times
        },
    )
}

/// Values of one form: `(values, coordinates)`.
fn parts(form: usize) -> impl Strategy<Value = (Json, Option<Json>)> {
    let number = (0..100u32, 0..4u8).prop_map(move |(whole, fraction)| match TYPES[form % 13].1 {
        DType::F64 | DType::F32 | DType::F16 if fraction > 0 => json!(f64::from(whole) + f64::from(fraction) / 8.0),
        _ => json!(whole),
    });
    let count = if form < 13 { 0..4usize } else { 0..3 };
    (proptest::collection::vec(number, count), 1..3usize, any::<bool>(), "[a-z\"\\\\é\u{1F600} ]{0,4}").prop_map(
        move |(values, rank, is_flat, text)| match form {
            0..13 => (values.into(), None),
            26 if rank == 1 => (json!([text]), None),
            26 => (text.into(), None),
            _ => {
                let point = |at: usize| (0..rank).map(|axis| at + 10 * axis).collect::<Vec<_>>();
                let points = match (values.len(), is_flat) {
                    (0, _) => json!([]),
                    (1, true) => json!(point(3)),
                    (n, true) => json!((0..n).collect::<Vec<_>>()),
                    (n, false) => json!((0..n).map(point).collect::<Vec<_>>()),
                };
                (values.into(), Some(points))
            }
        },
    )
}

/// A feature: the key of its map, and its value.
fn feature() -> impl Strategy<Value = (String, Json)> {
    (0..27usize).prop_flat_map(|form| {
        let key = match form {
            0..13 => format!("{}_feature", TYPES[form].0),
            13..26 => format!("sparse_{}_feature", TYPES[form - 13].0),
            _ => "binary_feature".into(),
        };
        let plain = parts(form).prop_map(|(values, coordinates)| match coordinates {
            None => values,
            Some(coordinates) => json!({ "coordinates": coordinates, "values": values }),
        });
        let spans = (parts(form), times()).prop_map(|((values, coordinates), mut item)| {
            item.insert("values".into(), values);
            coordinates.map(|coordinates| item.insert("coordinates".into(), coordinates));
            Json::Object(item)
        });
        let spans = proptest::collection::vec(spans, 1..4).prop_map(Json::Array);
        (Just(key), prop_oneof![plain, spans])
    })
}

/// Times and features of a record.
fn members() -> impl Strategy<Value = Map<String, Json>> {
    let features = proptest::collection::vec((0..9u32, feature()), 0..4);
    (times(), features).prop_map(|(mut members, features)| {
        for (number, (key, value)) in features {
            let map = members.entry(key).or_insert_with(|| json!({}));
            map.as_object_mut().unwrap().insert(number.to_string(), value);
        }
        members
    })
}

prop_compose! {
    fn edge(source: u64)(members in members(), to in 0..9u64, of in 0..3u32, weight in 0..9u32) -> Json {
        let mut edge = members;
        edge.extend([("src_id".into(), source.into()), ("dst_id".into(), to.into())]);
        edge.extend([("edge_type".into(), of.into()), ("weight".into(), json!(f64::from(weight) / 10.0))]);
        Json::Object(edge)
    }
}

/// A line, with its members in a random order.
fn line() -> impl Strategy<Value = String> {
    (0..u64::MAX, members()).prop_flat_map(|(id, members)| {
        (Just((id, members)), proptest::collection::vec(edge(id), 0..4)).prop_flat_map(|((id, mut node), edges)| {
            node.extend([("node_id".into(), id.into()), ("node_type".into(), 3.into())]);
            node.extend([("node_weight".into(), json!(0.7)), ("edge".into(), edges.into())]);
            let members: Vec<String> = node.iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
            Just(members).prop_shuffle().prop_map(|members| format!("{{{}}}", members.join(",")))
        })
    })
}

/// What is put into lines to break them, or not.
const PIECES: [&str; 24] = [
    " ",
    "",
    "0",
    "-0",
    "1e400",
    "1.0",
    "1e2",
    "300",
    "-1",
    "null",
    "\"a\"",
    "[]",
    "{}",
    ",",
    "}",
    "]",
    "\"",
    "\\u0041",
    "18446744073709551616",
    "16777217",
    "0.1000000014901161200",
    "\"nan\"",
    "\"edge\":[],",
    "\"values\":[1],",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn three_readers_agree_on_lines(lines in proptest::collection::vec(line(), 1..4)) {
        let text = lines.join("\n");
        let rows = quick(&text);
        prop_assert_eq!(format!("{rows:?}"), format!("{:?}", careful(&text)));
        prop_assert_eq!(told(&rows), plain(&text), "{}", text);
    }

    #[test]
    fn both_readers_agree_on_broken_lines(
        line in line(),
        breaks in proptest::collection::vec((any::<prop::sample::Index>(), 0..3usize, 0..PIECES.len()), 1..4),
    ) {
        let mut text: Vec<char> = line.chars().collect();
        for (at, removed, piece) in breaks {
            let at = at.index(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, PIECES[piece].chars());
        }
        let text: String = text.into_iter().filter(|sign| *sign != '\n').collect();
        prop_assert_eq!(format!("{:?}", quick(&text)), format!("{:?}", careful(&text)), "{}", text);
    }
}

#[test]
fn numbers_at_the_borders_of_types_are_read_alike() {
    let numbers = [
        "0",
        "-0",
        "-0.0",
        "1",
        "-1",
        "127",
        "128",
        "-128",
        "-129",
        "255",
        "256",
        "65504",
        "65505",
        "65520",
        "1e5",
        "2049",
        "16777216",
        "16777217",
        "16777219.0",
        "1.00000005960464477539",
        "1.00000017881393432617",
        "3.4028235e38",
        "3.5e38",
        "1e-45",
        "7e-46",
        "1.1754943508e-38",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "36893488147419103232",
        "1e400",
        "5e-324",
        "0.1",
        "1E2",
        "1.5",
        "\"inf\"",
        "\"nan\"",
        "true",
        "null",
    ];
    let mut refused = 0;
    for (name, _) in TYPES {
        for number in numbers {
            let text = format!(
                "{{\"node_id\":1,\"node_type\":0,\"node_weight\":1,\"edge\":[],\"{name}_feature\":{{\"0\":[{number}]}}}}"
            );
            let (quick, careful) = (format!("{:?}", quick(&text)), format!("{:?}", careful(&text)));
            assert_eq!(quick, careful, "{name} {number}");
            refused += u32::from(quick.contains("Reject"));
        }
        let text = format!("{{\"node_id\":1,\"node_type\":0,\"node_weight\":{},\"edge\":[]}}", numbers[19]);
        assert_eq!(format!("{:?}", quick(&text)), format!("{:?}", careful(&text)));
    }
    assert!((200..400).contains(&refused), "{refused}");
}

#[test]
fn points_of_any_length_are_read_alike() {
    for coordinates in
        ["[]", "[[]]", "[[],[]]", "[[1],[]]", "[[1,2],[3,4]]", "[[1,2],[3]]", "[[[1]]]", "[1,[2]]", "[[1],2]"]
    {
        let sparse = format!("{{\"0\":{{\"coordinates\":{coordinates},\"values\":[1,2]}}}}");
        let line = format!(
            "{{\"node_id\":1,\"node_type\":0,\"node_weight\":1.0,\"sparse_int32_feature\":{sparse},\"edge\":[]}}"
        );
        assert_eq!(format!("{:?}", quick(&line)), format!("{:?}", careful(&line)), "{line}");
    }
}
