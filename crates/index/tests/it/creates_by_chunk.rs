//! Creates taken in by the chunk, against the same events one by one.

use timeweft_graph::rows::Rows;
use timeweft_graph::{
    Action, EdgeKey, EdgeTypeId, Element, ElementRef, Event, GraphView, IdRef, Interval, NodeKey, NodeTypeId, Reason,
    Schema, Time, TimeUnit,
};
use timeweft_index::Index;

fn index() -> Index {
    let mut schema = Schema::new(TimeUnit::Milli);
    let node = schema.add_node_type(&"n".into()).unwrap();
    schema.add_edge_type(node, &"r".into(), node).unwrap();
    Index::new(schema)
}

fn creates<'a>(elements: impl Iterator<Item = ElementRef<'a>>, times: &[i64]) -> Rows {
    let mut rows = Rows::default();
    elements.zip(times).for_each(|(element, time)| {
        rows.push(Action::Create, element, Some(Interval::open(Time(*time))), 0);
    });
    rows
}

fn nodes(ids: &[&str], times: &[i64]) -> Rows {
    creates(ids.iter().map(|id| ElementRef::Node(NodeTypeId(0), IdRef::of(id))), times)
}

fn edges(ends: &[(&str, &str)], times: &[i64]) -> Rows {
    creates(ends.iter().map(|ends| ElementRef::Edge(EdgeTypeId(0), [ends.0, ends.1].map(IdRef::of), None)), times)
}

fn node(id: &str) -> NodeKey {
    NodeKey::new("n", id)
}

/// The chunk gives what its events give, one by one: the same log, and the same refusal at the same position.
fn check(index: &mut Index, rows: &Rows) -> Option<(usize, Reason)> {
    let mut slow = index.clone();
    let events: Vec<Event> = rows.iter().map(|row| row.to_event(index.schema())).collect();
    let refused = events.iter().enumerate().find_map(|(at, event)| Some((at, slow.apply(event, &"".into()).err()?)));
    assert_eq!(index.apply_rows(rows, &"".into()).err(), refused);
    assert_eq!(index.events(), slow.events());
    refused
}

#[test]
fn a_refused_create_is_told_with_its_position() {
    let mut index = index();
    assert_eq!(check(&mut index, &nodes(&["1", "b", "c"], &[5, 6, 7])), None);
    assert_eq!(check(&mut index, &nodes(&["d", "b", "e"], &[8, 8, 8])), Some((1, Reason::NodeExists(node("b")))));
    assert_eq!(check(&mut index, &nodes(&["e", "f"], &[8, i64::MAX])).map(|refused| refused.0), Some(1));
    assert_eq!(check(&mut index, &edges(&[("1", "b"), ("c", "1")], &[8, 7])), None);
    let twice = EdgeKey { source: node("c"), relation: "r".into(), destination: node("1"), key: None };
    let exists = Reason::EdgeExists(Box::new(twice));
    assert_eq!(check(&mut index, &edges(&[("b", "1"), ("c", "1")], &[9, 9])), Some((1, exists)));
    assert_eq!(check(&mut index, &edges(&[("b", "x")], &[9])), Some((0, Reason::UnknownNode(node("x")))));
    let early = check(&mut index, &edges(&[("c", "b")], &[6]));
    assert!(matches!(early, Some((0, Reason::OutOfOrder { .. }))), "{early:?}");

    let end = Event::new(Time(10), Action::Delete, Element::Node(node("c")));
    index.apply(&end, &"".into()).unwrap();
    assert_eq!(check(&mut index, &edges(&[("c", "b")], &[11])), Some((0, Reason::DeletedNode(node("c")))));
    let early = check(&mut index, &nodes(&["c"], &[9]));
    assert!(matches!(early, Some((0, Reason::OutOfOrder { .. }))), "{early:?}");
    assert_eq!(check(&mut index, &nodes(&["c"], &[10])), None);
    assert_eq!(check(&mut index, &edges(&[("c", "1")], &[10])), None);
}
