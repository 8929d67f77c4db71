//! Events.

use arrow_schema::{DataType, TimeUnit as ArrowUnit};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use timeweft::{Element, Event, NodeKey, Time, TimeUnit};
use timeweft_arrow::events;
use timeweft_oracle::histories::histories;

use crate::rows::{Row, id, rows};
use crate::world::{graph, moments};

fn row(event: &Event, numbers: bool) -> Row {
    let mut row = Row::new();
    let mut node = |end: &str, key: &NodeKey| {
        row.insert(format!("{end}_type"), (*key.node_type).into());
        row.insert(end.into(), id(&key.id, numbers));
    };
    match &event.element {
        Element::Node(key) => node("source", key),
        Element::Edge(edge) => {
            node("source", &edge.source);
            node("destination", &edge.destination);
            row.insert("relation".into(), (*edge.relation).into());
            row.extend(edge.key.as_ref().map(|key| ("key".to_owned(), json!(**key))));
        }
        Element::Merge { from, into } => {
            node("source", from);
            node("destination", into);
        }
    }
    row.insert("time".into(), event.time.0.into());
    row.insert("action".into(), event.action.name().into());
    row.insert("entity".into(), event.element.kind().name().into());
    // What an event sets last is what holds.
    let sets = event.features.iter().enumerate();
    let last = sets.filter(|(at, (name, _))| event.features[at + 1..].iter().all(|(later, _)| later != name));
    let features: Vec<_> = last.map(|(_, set)| set).collect();
    let ended = features.iter().filter(|(_, value)| value.is_none());
    let ended: Vec<Json> = ended.map(|(name, _)| json!(**name)).collect();
    if !ended.is_empty() {
        row.insert("_ended".into(), ended.into());
    }
    let values = features.iter().filter_map(|(name, value)| Some((name.to_string(), value.as_ref()?.to_json())));
    row.extend(values);
    row
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_table_of_events_says_what_the_log_says(history in histories()) {
        let (_dir, graph) = graph(&history, TimeUnit::Micro);
        let view = graph.view();
        let all: Vec<Event> = (0..view.index().n_events()).map(|at| view.index().event_at(at).unwrap()).collect();
        let numbers = (0..view.index().n_nodes() as u32)
            .all(|node| view.index().node_key(timeweft::read::NodeIndex(node)).id.to_string().parse::<u64>().is_ok());
        let times = moments(&history);
        for (from, until) in times.iter().zip(times.iter().skip(2)).chain([(&Time::MIN, &Time::FOREVER)]) {
            let within = |event: &&Event| *from <= event.time && (event.time < *until || *until == Time::FOREVER);
            let mut expected: Vec<&Event> = all.iter().filter(within).collect();
            expected.sort_by_key(|event| event.time);
            let expected: Vec<Row> = expected.into_iter().map(|event| row(event, numbers)).collect();
            let found = rows(&events(&view, *from, *until).unwrap());
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn times_have_the_unit_of_the_graph() {
    for (unit, expected) in [
        (TimeUnit::Step, DataType::Int64),
        (TimeUnit::Second, DataType::Timestamp(ArrowUnit::Second, Some("UTC".into()))),
        (TimeUnit::Nano, DataType::Timestamp(ArrowUnit::Nanosecond, Some("UTC".into()))),
    ] {
        let (_dir, graph) = graph(&[], unit);
        let table = events(&graph.view(), Time::MIN, Time::FOREVER).unwrap();
        assert_eq!(*table.schema.field_with_name("time").unwrap().data_type(), expected);
        assert_eq!(table.n_rows(), 0);
    }
}
