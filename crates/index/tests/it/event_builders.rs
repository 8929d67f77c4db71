//! Short ways to say events.

use timeweft_graph::{Action, EdgeKey, Element, Event, Features, Name, NodeKey, Reason, Schema, Time, Value};
use timeweft_index::Index;

pub(crate) fn node(id: &str) -> NodeKey {
    NodeKey::new("n", id)
}

pub(crate) fn edge(source: &str, relation: &str, destination: &str) -> EdgeKey {
    EdgeKey { source: node(source), relation: relation.into(), destination: node(destination), key: None }
}

pub(crate) fn create(time: i64, element: impl Into<Subject>) -> Event {
    Event::new(Time(time), Action::Create, element.into().0)
}

pub(crate) fn update(time: i64, element: impl Into<Subject>) -> Event {
    Event::new(Time(time), Action::Update, element.into().0)
}

pub(crate) fn delete(time: i64, element: impl Into<Subject>) -> Event {
    Event::new(Time(time), Action::Delete, element.into().0)
}

pub(crate) fn merge(from: &str, into: &str) -> Subject {
    Subject(Element::Merge { from: node(from), into: node(into) })
}

pub(crate) fn number(name: &str, value: f64) -> Features {
    vec![(name.into(), Some(Value::number(value)))]
}

/// What an event is about.
pub(crate) struct Subject(Element);

impl From<NodeKey> for Subject {
    fn from(key: NodeKey) -> Self {
        Subject(Element::Node(key))
    }
}

impl From<EdgeKey> for Subject {
    fn from(key: EdgeKey) -> Self {
        Subject(Element::Edge(key))
    }
}

impl From<Element> for Subject {
    fn from(element: Element) -> Self {
        Subject(element)
    }
}

/// An index of events that are all good, without a namespace.
pub(crate) fn index(events: &[Event]) -> Index {
    let mut index = Index::new(Schema::default());
    events.iter().for_each(|event| apply(&mut index, event).unwrap());
    index
}

pub(crate) fn apply(index: &mut Index, event: &Event) -> Result<(), Reason> {
    index.apply(event, &Name::from(""))
}
