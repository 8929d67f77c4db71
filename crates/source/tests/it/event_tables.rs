//! Event tables in Parquet and Arrow files, and the same data in text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::*;
use parquet::basic::Compression;
use timeweft_graph::{
    Action, DType, Dense, EdgeKey, Element, Event, FeatureDef, FeatureKind, ListOrder, NodeKey, Numbers, Owner, Schema,
    Sparse, Time, TimeUnit as Unit, Value,
};
use timeweft_oracle::Version;
use timeweft_source::table_writer::TableFormat;
use timeweft_source::{
    ColumnarOptions, ColumnarReader, CsvOptions, CsvReader, TablesOptions, open, tables, write_event_table,
};

use crate::columnar::{batch, features, write_parquet};
use crate::replay::whole;

fn read(path: &Path, schema: &Schema) -> (Vec<Event>, Vec<String>, ColumnarReader) {
    let mut reader = ColumnarReader::open(path, schema, &ColumnarOptions::default()).unwrap();
    let (mut events, mut rejects) = (Vec::new(), Vec::new());
    for record in whole(|sink| reader.read(sink)) {
        match record {
            Ok((event, _)) => events.push(event),
            Err(reject) => rejects.push(format!("{}: {}", reject.place.line, reject.reason)),
        }
    }
    (events, rejects, reader)
}

fn declare(schema: &mut Schema, owner: Owner, features: &[(&str, FeatureKind)]) {
    for (name, kind) in features {
        let def = FeatureDef { name: (*name).into(), kind: *kind, order: ListOrder::List };
        schema.add_feature(owner, def).unwrap();
    }
}

fn dense(dtype: DType) -> FeatureKind {
    FeatureKind::Dense { dtype, scalar: true }
}

#[test]
fn a_stream_of_interactions_is_read_as_from_csv() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let table = batch(vec![
        ("src", Arc::new(Int32Array::from(vec![Some(1), Some(2), None, Some(4)])) as ArrayRef),
        ("dst", Arc::new(StringArray::from(vec!["x", "y", "z", "x"]))),
        ("time", Arc::new(TimestampMillisecondArray::from(vec![Some(1_500), Some(2_000), Some(3_000), None]))),
        ("weight", Arc::new(Float32Array::from(vec![Some(0.5), None, Some(1.0), Some(1.0)]))),
        ("tags", Arc::new(StringArray::from(vec!["", "t", "t", "t"]))),
    ]);
    write_parquet(&path, &table, Compression::SNAPPY);
    let (events, rejects, mut reader) = read(&path, &Schema::new(Unit::Second));
    assert!(!reader.has_action());
    let edge = |source: &str, destination: &str| {
        Element::Edge(EdgeKey {
            source: NodeKey::new("node", source),
            relation: "link".into(),
            destination: NodeKey::new("node", destination),
            key: None,
        })
    };
    let weight = Value::Dense(Dense { numbers: Numbers::F32(vec![0.5]), scalar: true });
    let expected = [
        Event::new(Time(1), Action::Create, edge("1", "x"))
            .with(vec![("weight".into(), Some(weight)), ("tags".into(), Some(Value::text("")))]),
        Event::new(Time(2), Action::Create, edge("2", "y")).with(vec![("tags".into(), Some(Value::text("t")))]),
    ];
    assert_eq!(events, expected);
    assert_eq!(rejects, ["3: the source is empty", "4: the time is empty"]);
    let (read, size) = reader.progress();
    assert_eq!(Some(read.get()), size, "all of it was read");
    let notes = reader.notes();
    assert!(notes.len() == 1 && notes[0].contains("finer than the unit s (the first on line 1)"), "{notes:?}");
    let (_, rejects, _) = self::read(&path, &Schema::new(Unit::Step));
    assert_eq!(rejects[0], "1: time: a time of the calendar has no meaning in a graph that counts steps");
}

#[test]
fn columns_that_make_no_events_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write_parquet(&path, &batch(vec![("x", Arc::new(Int8Array::from(vec![1])) as ArrayRef)]), Compression::SNAPPY);
    let error = ColumnarReader::open(&path, &Schema::default(), &ColumnarOptions::default()).err().unwrap();
    assert!(
        error.to_string().contains("no column `time`") && error.to_string().contains("the columns are: x"),
        "{error}"
    );
    std::fs::write(&path, "src,dst,time\n1,2,3\n").unwrap();
    let error = ColumnarReader::open(&path, &Schema::default(), &ColumnarOptions::default()).err().unwrap();
    assert!(error.to_string().contains("this is no whole Parquet file"), "{error}");
}

/// Events with all that a log can hold.
fn log() -> Vec<Event> {
    let (a, b) = (NodeKey::new("user", "1"), NodeKey::new("item", "b, \"c\""));
    let edge = |key: Option<&str>| {
        let key = key.map(Into::into);
        Element::Edge(EdgeKey { source: a.clone(), relation: "buys".into(), destination: b.clone(), key })
    };
    let set = |name: &str, value: Value| (name.into(), Some(value));
    let number = |numbers: Numbers| Value::Dense(Dense { numbers, scalar: true });
    vec![
        Event::new(Time(-5), Action::Create, Element::Node(a.clone())).with(vec![
            set("time", number(Numbers::I64(vec![i64::MAX]))),
            set("f32", number(Numbers::F32(vec![f32::NAN]))),
            set("u8", number(Numbers::U8(vec![255]))),
            set("point", Value::floats(&[1.0, f32::INFINITY])),
            set("empty", Value::floats(&[])),
            set("name", Value::text("")),
            set("both", Value::text("a\nb")),
            set("feature:odd", Value::text("x")),
        ]),
        Event::new(Time(0), Action::Create, Element::Node(b.clone())).with(vec![
            set("both", Value::number(-0.0)),
            set("raw", Value::Bytes(vec![255, 0])),
            set("class", Value::Category("c".into())),
            set("doc", Value::Json(serde_json::json!({"a": [1, null], "$json": 1}))),
            set("null", Value::Json(serde_json::Value::Null)),
            set("half", number(Numbers::F16(vec![half::f16::from_f32(0.1)]))),
            set("sparse", Value::Sparse(Sparse { rank: 2, coordinates: vec![0, 4], values: Numbers::I16(vec![-1]) })),
        ]),
        Event::new(Time(1), Action::Create, edge(None)).with(vec![set("key", Value::text("k"))]),
        Event::new(Time(1), Action::Create, edge(Some("2"))),
        Event::new(Time(2), Action::Update, Element::Node(a.clone())).with(vec![
            set("name", Value::text("n")),
            ("time".into(), None),
            ("never".into(), None),
        ]),
        Event::new(Time(3), Action::Delete, edge(Some("2"))),
        Event::new(Time(4), Action::Create, Element::Merge { from: a, into: b })
            .with(vec![set("why", Value::text("w"))]),
    ]
}

fn sorted(mut events: Vec<Event>) -> Vec<Event> {
    events.iter_mut().for_each(|event| event.features.sort_by(|(a, _), (b, _)| a.cmp(b)));
    events
}

#[test]
fn a_table_of_events_is_read_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let events = log();
    let mut schema = Schema::new(Unit::Second);
    for event in &events {
        let owner = match &event.element {
            Element::Node(key) => Owner::Node(schema.add_node_type(&key.node_type).unwrap()),
            Element::Edge(key) => {
                let ends = [&key.source, &key.destination].map(|node| schema.add_node_type(&node.node_type).unwrap());
                Owner::Edge(schema.add_edge_type(ends[0], &key.relation, ends[1]).unwrap())
            }
            Element::Merge { .. } => Owner::Merge,
        };
        for (name, value) in &event.features {
            let Some(value) = value else { continue };
            declare(&mut schema, owner, &[(name, FeatureKind::of(value))]);
        }
    }
    for (name, format) in [("a.parquet", TableFormat::Parquet), ("a.arrow", TableFormat::Arrow)] {
        let path = folder.path().join(name);
        let facts = [("timeweft.unit", "s".to_owned())];
        let file = std::fs::File::create(&path).unwrap();
        let all = |each: &mut dyn FnMut(&Event) -> std::io::Result<()>| events.iter().try_for_each(each);
        write_event_table(file, format, all, &facts).unwrap();
        let (read, rejects, reader) = read(&path, &schema);
        assert_eq!(rejects, [""; 0]);
        assert_eq!(sorted(read), sorted(events.clone()), "{name}");
        assert!(reader.has_action());
    }
    // Without a schema, a feature of one kind has it from the file.
    let path = folder.path().join("a.parquet");
    let (read, ..) = self::read(&path, &Schema::new(Unit::Second));
    assert_eq!(sorted(read)[4..], sorted(events)[4..]);
}

fn pandas(name: &str) -> PathBuf {
    Path::new("tests/data/pandas").join(name)
}

/// The kinds of the frame, by the column; `bool` is kept as JSON, and times as ticks.
const FRAME: [(&str, FeatureKind, &str); 9] = [
    ("int64", FeatureKind::Dense { dtype: DType::I64, scalar: true }, "int"),
    ("float64", FeatureKind::Dense { dtype: DType::F64, scalar: true }, "float"),
    ("bool", FeatureKind::Json, "bool"),
    ("text", FeatureKind::Text, "text"),
    ("naive", FeatureKind::Dense { dtype: DType::I64, scalar: true }, "time"),
    ("zoned", FeatureKind::Dense { dtype: DType::I64, scalar: true }, "time"),
    ("category", FeatureKind::Text, "text"),
    ("Int64", FeatureKind::Dense { dtype: DType::I64, scalar: true }, "int"),
    ("code", FeatureKind::Text, "text"),
];

#[test]
fn pandas_csv_and_parquet_of_one_frame_are_equal_graphs_through_a_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| {
        std::fs::copy(pandas(name), folder.path().join(name)).unwrap();
        let kinds: Vec<String> = FRAME.iter().map(|(name, _, kind)| format!("{name} = \"{kind}\"")).collect();
        let mapping = format!(
            "[[nodes]]\nfile = \"{name}\"\ntype = \"n\"\nid = \"code\"\nfeatures = {{ {} }}\n\
             [[edges]]\nfile = \"{name}\"\nrelation = \"r\"\nsource = {{ type = \"n\", column = \"src\" }}\n\
             destination = {{ type = \"m\", column = \"dst\" }}\nfeatures = {{ time = \"int\" }}\n",
            kinds.join(", ")
        );
        let path = folder.path().join("map.toml");
        std::fs::write(&path, mapping).unwrap();
        let mut version = Version::new(Schema::new(Unit::Second));
        tables::read(&path, &TablesOptions::default(), &mut version).unwrap();
        version
    };
    let csv = read("frame.csv");
    let told = features(&csv);
    assert_eq!(told[0].len(), 9);
    assert!(told[0].contains(&"naive: i64 = 1709210096".to_owned()), "{told:?}");
    assert!(told[0].contains(&"zoned: i64 = 1709206496".to_owned()), "{told:?}");
    assert!(told[2].contains(&"int64: i64 = 9007199254740993".to_owned()), "{told:?}");
    assert_eq!(told[1].len(), 7, "what is not there is no value: {told:?}");
    for name in ["frame.parquet", "frame.feather"] {
        let other = read(name);
        assert_eq!(features(&other), told, "{name}");
        let keys = |version: &Version| version.nodes.iter().map(|node| node.key.clone()).collect::<Vec<_>>();
        assert_eq!(keys(&other), keys(&csv));
        let edges = |version: &Version| {
            version.edges.iter().map(|edge| (edge.key.clone(), edge.features.clone())).collect::<Vec<_>>()
        };
        assert_eq!(edges(&other), edges(&csv));
    }
}

#[test]
fn pandas_csv_and_parquet_of_one_frame_are_equal_events() {
    let mut schema = Schema::new(Unit::Second);
    let node = schema.add_node_type(&"node".into()).unwrap();
    let edge = Owner::Edge(schema.add_edge_type(node, &"link".into(), node).unwrap());
    declare(&mut schema, edge, &FRAME.map(|(name, kind, _)| (name, kind)));
    assert_eq!(dense(DType::I64), FRAME[0].1);
    let input = open(&pandas("frame.csv")).unwrap();
    let mut reader = CsvReader::new(input, &"frame.csv".into(), &schema, &CsvOptions::default()).unwrap();
    let csv: Vec<Event> = whole(|sink| reader.read(sink)).into_iter().map(|record| record.unwrap().0).collect();
    assert_eq!((csv.len(), csv[0].features.len(), csv[1].features.len()), (3, 9, 7));
    for name in ["frame.parquet", "frame.feather"] {
        let (events, rejects, _) = read(&pandas(name), &schema);
        assert_eq!(rejects, [""; 0]);
        assert_eq!(events, csv, "{name}");
    }
}
