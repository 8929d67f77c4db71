//! Nodes and edges at a moment.

use std::collections::BTreeMap;

use arrow_schema::DataType;
use proptest::prelude::*;
use serde_json::json;
use timeweft::read::{EdgeState, GraphView, NodeState};
use timeweft::{Action, At, Deletes, EdgeKey, Element, Event, Interval, Name, NodeKey, Time, TimeUnit, Value, View};
use timeweft_arrow::{BATCH_ROWS, Error, Relation, Selected, edges, nodes};
use timeweft_oracle::histories::histories;

use crate::rows::{Row, id, rows};
use crate::world::{graph, load, moments};

/// Whether all ids of a type are numbers.
fn is_number(view: &View, of_type: &str) -> bool {
    let index = view.index();
    let all = (0..index.n_nodes() as u32).map(timeweft::read::NodeIndex);
    let mut of_type = all.map(|node| index.node_key(node)).filter(|key| *key.node_type == *of_type);
    of_type.all(|key| key.id.to_string().parse::<u64>().is_ok())
}

fn life(row: &mut Row, life: Interval) {
    row.insert("created".into(), life.created.0.into());
    if !life.is_open() {
        row.insert("removed".into(), life.removed.0.into());
    }
}

fn features(row: &mut Row, features: &BTreeMap<Name, Value>) {
    row.extend(features.iter().map(|(name, value)| (name.to_string(), value.to_json())));
}

fn node_row(view: &View, node: &NodeState, numbers: bool, at: At) -> Row {
    let mut row = Row::new();
    row.insert("node".into(), view.index().node_index(&node.key).unwrap().0.into());
    row.insert("type".into(), (*node.key.node_type).into());
    row.insert("id".into(), id(&node.key.id, numbers));
    life(&mut row, node.life);
    if at.deletes == Deletes::Soft {
        row.insert("deleted".into(), node.deleted.into());
    }
    features(&mut row, &node.features);
    row
}

fn edge_row(view: &View, edge: &EdgeState, numbers: [bool; 2], at: At) -> Row {
    let (index, key) = (view.index(), &edge.key);
    let mut row = Row::new();
    row.insert("edge".into(), index.edge_index_at(key, at).unwrap().0.into());
    for (end, node, numbers) in [("source", &key.source, numbers[0]), ("destination", &key.destination, numbers[1])] {
        row.insert(end.into(), index.node_index(node).unwrap().0.into());
        row.insert(format!("{end}_type"), (*node.node_type).into());
        row.insert(format!("{end}_id"), id(&node.id, numbers));
    }
    row.insert("relation".into(), (*key.relation).into());
    row.extend(key.key.as_ref().map(|key| ("key".to_owned(), json!(**key))));
    life(&mut row, edge.life);
    if at.deletes == Deletes::Soft {
        row.insert("deleted".into(), edge.deleted.into());
    }
    features(&mut row, &edge.features);
    row
}

fn sorted(mut rows: Vec<Row>, by: &str) -> Vec<Row> {
    rows.sort_by_key(|row| row[by].as_u64());
    rows
}

fn check_nodes(view: &View, at: At, of_type: Option<&str>) {
    let types: Vec<&str> = match of_type {
        Some(name) => vec![name],
        None => view.schema().node_types().iter().map(|known| &*known.name).collect(),
    };
    let numbers = types.iter().all(|name| is_number(view, name));
    let expected: Vec<Row> =
        view.index().nodes(of_type, at).iter().map(|node| node_row(view, node, numbers, at)).collect();
    let table = nodes(view, at, of_type, &Selected::All).unwrap();
    assert_eq!(rows(&table), sorted(expected, "node"), "{at:?}");
    let wanted = if numbers { DataType::UInt64 } else { DataType::Utf8 };
    assert_eq!(*table.schema.field_with_name("id").unwrap().data_type(), wanted);
    let plain = nodes(view, at, of_type, &Selected::None).unwrap();
    assert_eq!(plain.n_rows(), table.n_rows());
    assert_eq!(plain.schema.fields().len(), if at.deletes == Deletes::Soft { 6 } else { 5 });
}

fn check_edges(view: &View, at: At, relation: Option<&str>) {
    let schema = view.schema();
    let types = schema.edge_types().iter().filter(|edge| relation.is_none_or(|name| *edge.relation == *name));
    let all = |end: fn(&timeweft::read::EdgeType) -> timeweft::read::NodeTypeId| {
        types.clone().all(|edge| is_number(view, &schema.node_type_name(end(edge))))
    };
    let numbers = [all(|edge| edge.source), all(|edge| edge.destination)];
    let expected: Vec<Row> =
        view.index().edges(relation, at).iter().map(|edge| edge_row(view, edge, numbers, at)).collect();
    let table = edges(view, at, relation.map_or(Relation::Any, Relation::Named), &Selected::All).unwrap();
    assert_eq!(sorted(rows(&table), "edge"), sorted(expected, "edge"), "{at:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn tables_of_states_say_what_the_view_says(events in histories()) {
        let (_dir, graph) = graph(&events, TimeUnit::Milli);
        let view = graph.view();
        for time in moments(&events) {
            for deletes in [Deletes::Hard, Deletes::Soft] {
                let at = At { time, deletes };
                check_nodes(&view, at, None);
                check_edges(&view, at, None);
                for of_type in view.schema().node_types().iter().take(2) {
                    check_nodes(&view, at, Some(&of_type.name));
                }
                for of_type in view.schema().edge_types().iter().take(2) {
                    check_edges(&view, at, Some(&of_type.relation));
                }
            }
        }
    }
}

fn user(id: &str) -> NodeKey {
    NodeKey::new("user", id)
}

fn create(time: i64, element: Element) -> Event {
    Event::new(Time(time), Action::Create, element)
}

#[test]
fn lists_of_one_length_are_of_fixed_size() {
    let taste = |values: &[f32]| vec![("taste".into(), Some(Value::floats(values)))];
    let mut events = vec![
        create(1, Element::Node(user("1"))).with(taste(&[1.0, 2.0])),
        create(1, Element::Node(user("2"))),
        create(1, Element::Node(user("3"))).with(taste(&[3.0, 4.0])),
    ];
    let selected = Selected::Named(vec!["taste".into()]);
    let data_type = |events: &[Event]| {
        let (_dir, graph) = graph(events, TimeUnit::Second);
        let table = nodes(&graph.view(), At::now(), None, &selected).unwrap();
        (table.schema.field_with_name("taste").unwrap().data_type().clone(), rows(&table)[2]["taste"].clone())
    };
    let (fixed, last) = data_type(&events);
    assert!(matches!(fixed, DataType::FixedSizeList(_, 2)), "{fixed}");
    assert_eq!(last, json!([3.0, 4.0]));
    events.push(create(2, Element::Node(user("4"))).with(taste(&[5.0])));
    let (ragged, last) = data_type(&events);
    assert!(matches!(ragged, DataType::List(_)), "{ragged}");
    assert_eq!(last, json!([3.0, 4.0]));
}

#[test]
fn batches_are_bounded_and_together_hold_every_row() {
    let n = BATCH_ROWS * 2 + 3;
    let features = |at: usize| vec![("at".into(), Some(Value::number(at as f64)))];
    let mut events: Vec<Event> =
        (0..n).map(|at| create(1, Element::Node(user(&at.to_string()))).with(features(at))).collect();
    events.extend((1..n).map(|at| {
        let (source, destination) = (user("0"), user(&at.to_string()));
        create(2, Element::Edge(EdgeKey { source, relation: "knows".into(), destination, key: None }))
    }));
    let (_dir, graph) = graph(&events, TimeUnit::Second);
    let nodes = nodes(&graph.view(), At::now(), Some("user"), &Selected::All).unwrap();
    let sizes: Vec<usize> = nodes.batches.iter().map(|batch| batch.num_rows()).collect();
    assert_eq!(sizes, [BATCH_ROWS, BATCH_ROWS, 3]);
    for (at, row) in rows(&nodes).iter().enumerate() {
        assert_eq!((&row["id"], &row["at"]), (&json!(at), &json!(at as f64)));
    }
    let edges = edges(&graph.view(), At::now(), Relation::Triple("user", "knows", "user"), &Selected::None).unwrap();
    let sizes: Vec<usize> = edges.batches.iter().map(|batch| batch.num_rows()).collect();
    assert_eq!(sizes, [BATCH_ROWS, BATCH_ROWS, 2]);
    for (at, row) in rows(&edges).iter().enumerate() {
        assert_eq!((&row["destination_id"], &row["edge"]), (&json!(at + 1), &json!(at)));
    }
}

#[test]
fn an_id_that_ever_was_a_text_makes_all_ids_texts() {
    let mut events = vec![create(1, Element::Node(user("7")))];
    let (_dir, mut graph) = graph(&events, TimeUnit::Second);
    let data_type = |view: &View, at: At| {
        let table = nodes(view, at, Some("user"), &Selected::None).unwrap();
        (table.schema.field_with_name("id").unwrap().data_type().clone(), rows(&table)[0]["id"].clone())
    };
    assert_eq!(data_type(&graph.view(), At::now()), (DataType::UInt64, json!(7)));
    events = vec![
        create(2, Element::Node(user("x"))),
        Event::new(Time(3), Action::Delete, Element::Node(user("x"))),
        create(2, Element::Node(NodeKey::new("item", "1"))),
    ];
    load(&mut graph, &events);
    assert_eq!(data_type(&graph.view(), At::time(Time(1))), (DataType::Utf8, json!("7")));
    let items = nodes(&graph.view(), At::now(), Some("item"), &Selected::None).unwrap();
    assert_eq!(rows(&items)[0]["id"], json!(1), "another type has ids of its own");
}

#[test]
fn a_feature_with_the_name_of_a_column_is_marked() {
    let features = vec![("id".into(), Some(Value::text("own")))];
    let (_dir, graph) = graph(&[create(1, Element::Node(user("1"))).with(features)], TimeUnit::Second);
    let table = nodes(&graph.view(), At::now(), None, &Selected::All).unwrap();
    assert_eq!((&rows(&table)[0]["id"], &rows(&table)[0]["feature:id"]), (&json!(1), &json!("own")));
}

#[test]
fn what_the_graph_does_not_have_is_named() {
    let (_dir, graph) = graph(&[create(1, Element::Node(user("1")))], TimeUnit::Second);
    let view = graph.view();
    let error = nodes(&view, At::now(), Some("item"), &Selected::None).unwrap_err();
    assert_eq!(error.to_string(), "type: the graph has no node type `item`: it has user");
    assert!(matches!(error, Error::Unknown { .. }));
    let error = edges(&view, At::now(), Relation::Named("buys"), &Selected::None).unwrap_err();
    assert_eq!(error.to_string(), "relation: the graph has no relation `buys`: it has none");
    let error = nodes(&view, At::now(), None, &Selected::Named(vec!["age".into()])).unwrap_err();
    assert_eq!(error.to_string(), "features: the graph has no feature `age`: it has none");
}
