use timeweft_graph::{At, Deletes, Element, Event, GraphView, Name, NodeKey, Reason, Schema, Time};
use timeweft_index::Index;

use crate::event_builders::{create, delete, edge, merge, node, number, update};

fn foreign(owner: &str, result: Result<(), Reason>) -> bool {
    matches!(result, Err(Reason::ForeignNamespace { owner: found, .. }) if *found == *owner)
}

/// Nodes a and b of "one", c of "two"; an edge a-c of "two".
fn two_namespaces() -> (Index, Name, Name) {
    let (one, two) = (Name::from("one"), Name::from("two"));
    let mut index = Index::new(Schema::default());
    index.apply(&create(1, node("a")).with(number("x", 1.0)), &one).unwrap();
    index.apply(&create(1, node("b")), &one).unwrap();
    index.apply(&create(1, node("c")), &two).unwrap();
    index.apply(&create(2, edge("a", "r", "c")).with(number("w", 2.0)), &two).unwrap();
    (index, one, two)
}

#[test]
fn only_the_owner_touches_a_life() {
    let (mut index, one, two) = two_namespaces();
    let events = index.events().len();
    assert!(foreign("one", index.apply(&update(3, node("a")), &two)));
    assert!(foreign("one", index.apply(&delete(3, node("a")), &two)));
    assert!(foreign("one", index.apply(&delete(3, node("a")), &Name::from(""))));
    assert!(foreign("two", index.apply(&update(3, edge("a", "r", "c")), &one)));
    assert!(foreign("two", index.apply(&delete(3, edge("a", "r", "c")), &one)));
    assert_eq!(index.events().len(), events);
    index.apply(&update(3, node("a")), &one).unwrap();
    index.apply(&update(3, edge("a", "r", "c")), &two).unwrap();
}

#[test]
fn a_node_delete_ends_edges_of_every_namespace() {
    let (mut index, one, two) = two_namespaces();
    index.apply(&delete(3, node("a")), &one).unwrap();
    assert_eq!(index.live_edges_of(&two).count(), 0);
    assert_eq!(index.live_nodes_of(&one).map(|live| live.key.clone()).collect::<Vec<_>>(), [node("b")]);
}

#[test]
fn another_namespace_may_create_what_is_dead() {
    let (mut index, one, two) = two_namespaces();
    index.apply(&delete(3, node("b")), &one).unwrap();
    assert!(foreign("one", index.apply(&Event::new(Time(4), timeweft_graph::Action::Create, merged("b", "a")), &two)));
    index.apply(&create(4, merge("b", "a")), &one).unwrap();
    assert!(foreign("one", index.apply(&delete(5, merge("b", "a")), &two)));
    index.apply(&create(6, node("b")), &two).unwrap();
    assert_eq!(index.namespaces_of(&node("b"), At::now()), [two]);
    assert_eq!(index.merges()[0].interval.removed, Time(6));
    assert!(foreign("two", index.apply(&delete(7, node("b")), &one)));
}

fn merged(from: &str, into: &str) -> Element {
    Element::Merge { from: node(from), into: node(into) }
}

#[test]
fn live_elements_come_with_their_features() {
    let (index, one, two) = two_namespaces();
    let nodes: Vec<(NodeKey, Vec<String>)> = index
        .live_nodes_of(&one)
        .map(|live| (live.key.clone(), live.features.iter().map(|(name, value)| format!("{name}={value}")).collect()))
        .collect();
    assert_eq!(nodes, [(node("a"), vec!["x=1.0".to_owned()]), (node("b"), vec![])]);
    let edges: Vec<_> =
        index.live_edges_of(&two).map(|live| (index.edge_key(live.edge), live.features.len())).collect();
    assert_eq!(edges, [(edge("a", "r", "c"), 1)]);
    assert_eq!(index.namespaces_of_edge(&edge("a", "r", "c"), At::now()), [two]);
    assert!(index.namespaces_of(&node("nobody"), At::now()).is_empty());
    assert_eq!(index.live_nodes_of("three").count(), 0);
    let mut out = Vec::new();
    index.last_neighbors(index.node_index(&node("a")).unwrap(), Time(3), 5, Deletes::Hard, &mut out);
    assert_eq!(out.len(), 1);
}
