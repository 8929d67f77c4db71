//! Event streams as tables.

use std::fs::File;
use std::io::BufReader;

use timeweft_graph::{
    Action, DType, Dense, Element, Event, FeatureDef, FeatureKind, ListOrder, NodeKey, Numbers, Owner, Place, Schema,
    Time, TimeUnit, Value,
};
use timeweft_oracle::world::data;
use timeweft_source::{CsvOptions, CsvReader, Delimiter, SourceError};

use crate::replay::{edge, node, whole};

pub(crate) fn read_as(text: &str, schema: &Schema, options: &CsvOptions) -> Vec<Result<(Event, Place), String>> {
    let mut reader = CsvReader::new(text.as_bytes(), &"f".into(), schema, options).unwrap();
    let records = whole(|sink| reader.read(sink)).into_iter();
    records.map(|record| record.map_err(|reject| reject.to_string())).collect()
}

pub(crate) fn read(text: &str) -> Vec<Result<(Event, Place), String>> {
    read_as(text, &Schema::new(TimeUnit::Step), &CsvOptions::default())
}

pub(crate) fn header_error(text: &str) -> String {
    let schema = Schema::new(TimeUnit::Step);
    let error = CsvReader::new(text.as_bytes(), &"f".into(), &schema, &CsvOptions::default()).err().unwrap();
    assert!(matches!(error, SourceError::Columns { .. }));
    error.to_string()
}

#[test]
fn a_plain_stream_has_defaults() {
    let records = read("src,dst,time\n1,2,0\n3,x,114878\n");
    let event = &records[1].as_ref().unwrap().0;
    assert_eq!((event.time, event.action), (Time(114878), Action::Create));
    assert_eq!(event.element, Element::Edge(edge(node("node", 3), "link", NodeKey::new("node", "x"), None)));
    assert_eq!(records[1].as_ref().unwrap().1.line, 3);
}

#[test]
fn every_column_has_its_meaning() {
    let text = "time,action,entity,source_type,source,edge_type,key,destination_type,destination,weight,note\n\
        1,CREATE,node,user,u1,,,,,,\"a, b\"\n\
        2,create,edge,user,u1,buys,k,item,9,0.5,\n\
        3,delete,edge,user,u1,buys,k,item,9,,\n\
        4,create,merge,user,u1,,,user,u2,,moved\n";
    let records: Vec<_> = read(text).into_iter().map(Result::unwrap).map(|record| record.0).collect();
    assert_eq!(records[0].element, Element::Node(NodeKey::new("user", "u1")));
    assert_eq!(records[0].features, [("note".into(), Some(Value::text("a, b")))]);
    let bought = edge(NodeKey::new("user", "u1"), "buys", node("item", 9), Some("k"));
    assert_eq!(records[1].element, Element::Edge(bought));
    assert_eq!(records[1].features, [("weight".into(), Some(Value::number(0.5)))]);
    assert_eq!((records[2].action, records[2].features.len()), (Action::Delete, 0));
    let merge = Element::Merge { from: NodeKey::new("user", "u1"), into: NodeKey::new("user", "u2") };
    assert_eq!(records[3].element, merge);
    assert_eq!(records[3].features, [("note".into(), Some(Value::text("moved")))]);
}

#[test]
fn a_table_without_destinations_is_of_nodes() {
    let records = read("time,src,size\n1,7,2\n");
    assert_eq!(records[0].as_ref().unwrap().0.element, Element::Node(node("node", 7)));
}

#[test]
fn has_action_is_known_from_the_header() {
    let has = |text: &str| {
        let reader = CsvReader::new(text.as_bytes(), &"f".into(), &Schema::new(TimeUnit::Step), &CsvOptions::default());
        reader.unwrap().has_action()
    };
    assert!(has("src,dst,time,action\n"));
    assert!(!has("src,dst,time,actions\n"));
}

#[test]
fn a_column_with_a_text_is_of_texts_from_its_first_row_on() {
    let records = read("src,dst,time,x\n1,2,0,12\n1,2,1,A\n1,2,2,12\n1,2,3,\n1,2,4,nan\n");
    let values: Vec<_> = records.iter().map(|record| record.as_ref().unwrap().0.features.clone()).collect();
    let text = |text: &str| vec![("x".into(), Some(Value::text(text)))];
    assert_eq!(values, [text("12"), text("A"), text("12"), Vec::new(), text("nan")]);
}

#[test]
fn declared_columns_are_read_as_their_kind() {
    let mut schema = Schema::new(TimeUnit::Second);
    let node = schema.add_node_type(&"node".into()).unwrap();
    let link = Owner::Edge(schema.add_edge_type(node, &"link".into(), node).unwrap());
    let kinds = [
        ("count", FeatureKind::Dense { dtype: DType::I64, scalar: true }),
        ("load", FeatureKind::Dense { dtype: DType::F32, scalar: true }),
        ("peak", FeatureKind::Dense { dtype: DType::F64, scalar: true }),
        ("code", FeatureKind::Text),
        ("color", FeatureKind::Category),
        ("tags", FeatureKind::Json),
    ];
    for (name, kind) in kinds {
        schema.add_feature(link, FeatureDef { name: name.into(), kind, order: ListOrder::List }).unwrap();
    }
    let text = "src,dst,time,count,load,peak,code,color,tags\n1,2,1970-01-02,9007199254740993,nan,-inf,007,red,\"[\"\"a\"\"]\"\n1,2,0,1.5,,,,,\n1,2,0,3.0,,,NA,NA,NULL\n";
    let records = read_as(text, &schema, &CsvOptions::default());
    let event = &records[0].as_ref().unwrap().0;
    let scalar = |numbers| Some(Value::Dense(Dense { numbers, scalar: true }));
    let values: Vec<_> = event.features.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(event.time, Time(86_400));
    assert_eq!(values[0], scalar(Numbers::I64(vec![9007199254740993])));
    // `nan` is no value, in a declared column as in another one.
    assert_eq!(&*event.features[1].0, "peak");
    assert_eq!(values[1], scalar(Numbers::F64(vec![f64::NEG_INFINITY])));
    assert_eq!(values[2], Some(Value::text("007")));
    assert_eq!(values[3], Some(Value::Category("red".into())));
    assert_eq!(values[4], Some(Value::Json(serde_json::json!(["a"]))));
    let problem = records[1].as_ref().unwrap_err();
    assert_eq!(
        problem,
        "f:3: feature `count`: expected a number of type i64, got `1.5`: declare it as f64 before the first load (`Graph::create_with`), \
         or in the mapping of a version"
    );
    let whole = &records[2].as_ref().unwrap().0.features;
    let text = |name: &str, value| (name.into(), Some(value));
    let expected = [text("code", Value::text("NA")), text("color", Value::Category("NA".into()))];
    assert_eq!(whole[0].1, scalar(Numbers::I64(vec![3])));
    assert_eq!(whole[1..], expected);
}

#[test]
fn bad_rows_are_told_with_their_line() {
    let text = "src,dst,time,action,x\n1,2,0,create\n1,,0,create,\n1,2,soon,create,\n1,2,,create,\n1,2,0,make,\n1,2,0,delete,7\n\"1\"2,2,0,create,1\n1,2,0,,1\n";
    let expected = [
        "f:2: expected 5 cells, got 4",
        "f:3: the destination is empty",
        "f:4: time: `soon` is not a time",
        "f:5: the time is empty",
        "f:6: action: expected create, update or delete, got `make`",
        "f:7: a delete carries no features: empty the cell `x`",
        "f:8: cell 1 goes on behind its closing quotation mark: ",
    ];
    let records = read(text);
    for (record, expected) in records.iter().zip(expected) {
        let problem = record.as_ref().unwrap_err();
        assert!(problem.starts_with(expected), "{problem}\nexpected: {expected}");
    }
    assert_eq!(records[7].as_ref().unwrap().0.action, Action::Create);
    assert_eq!(records.len(), 8);
}

#[test]
fn bad_headers_name_the_columns() {
    assert!(header_error("src,dst\n1,2\n").contains("no column `time`: name it in the header"));
    assert!(header_error("a,dst,time\n").ends_with("the columns are: a, dst, time"));
    assert!(header_error("src,source,time\n").contains("`source` is there twice, or under two names"));
    assert!(header_error("src,dst,time,x,x\n").contains("`x` is there twice"));
    assert!(header_error("src,dst,time,\n").contains("a column has no name"));
    assert!(header_error("").contains("the source is empty"));
}

#[test]
fn words_without_a_header_are_named_by_options() {
    let columns = ["src", "relation", "dst", "time", "_"].map(str::to_owned).to_vec();
    let options = CsvOptions { columns: Some(columns), ..CsvOptions::delimited(Delimiter::Whitespace) };
    let records = read_as("19\t6  151 0 -1\n\n5 7\n", &Schema::new(TimeUnit::Step), &options);
    let event = &records[0].as_ref().unwrap().0;
    assert_eq!(event.element, Element::Edge(edge(node("node", 19), "6", node("node", 151), None)));
    assert!(event.features.is_empty());
    assert_eq!(records[1].as_ref().unwrap_err(), "f:3: expected 5 cells, got 2");
}

#[test]
fn uci_reads_whole() {
    let Some(path) = data("uci_reads_whole", "uci/events.csv") else { return };
    let input = timeweft_source::open(&path).unwrap();
    let name = input.name().clone();
    let mut reader = CsvReader::new(input, &name, &Schema::new(TimeUnit::Second), &CsvOptions::default()).unwrap();
    assert!(!reader.has_action());
    let records = whole(|sink| reader.read(sink)).into_iter();
    let creates = records.filter(|record| record.as_ref().unwrap().0.action == Action::Create).count();
    assert_eq!(creates, 59_835);
}

#[test]
fn wikipedia_reads_whole() {
    let Some(path) = data("wikipedia_reads_whole", "wikipedia/ml_wikipedia.txt") else { return };
    let options = CsvOptions {
        columns: Some(["src", "dst", "time"].map(str::to_owned).to_vec()),
        ..CsvOptions::delimited(Delimiter::Whitespace)
    };
    let file = BufReader::new(File::open(path).unwrap());
    let mut reader = CsvReader::new(file, &"wikipedia".into(), &Schema::new(TimeUnit::Second), &options).unwrap();
    let records: Vec<_> = whole(|sink| reader.read(sink)).into_iter().map(Result::unwrap).collect();
    assert_eq!(records.len(), 157_474);
    assert_eq!(records[0].0.element, Element::Edge(edge(node("node", 1), "link", node("node", 8228), None)));
    assert!(records.is_sorted_by_key(|record| record.0.time));
}
