//! Events as records of a chunk, and back.

use super::{RowRef, Rows};
use crate::{
    Action, Element, ElementRef, Event, FeatureId, Features, Interval, NodeKey, Schema, Value, ValueRef, last_values,
};

impl Rows {
    /// Adds an event; gives whether it fits: a schema has its types, and the chunk has room for its values. What it ends of a feature that the schema has not says nothing
    /// and is left out, and so is a value that a later one of the same feature replaces.
    pub fn push_event(&mut self, event: &Event, schema: &Schema) -> bool {
        let node_type = |node: &NodeKey| schema.node_type(&node.node_type);
        let element = match &event.element {
            Element::Node(node) => node_type(node).map(|id| ElementRef::Node(id, node.id.as_ref())),
            Element::Edge(edge) => {
                let ends = node_type(&edge.source).zip(node_type(&edge.destination));
                let edge_type = ends.and_then(|(from, to)| schema.edge_type(from, &edge.relation, to));
                let ids = [edge.source.id.as_ref(), edge.destination.id.as_ref()];
                edge_type.map(|id| ElementRef::Edge(id, ids, edge.key.as_deref()))
            }
            Element::Merge { from, into } => node_type(from)
                .zip(node_type(into))
                .map(|types| ElementRef::Merge([(types.0, from.id.as_ref()), (types.1, into.id.as_ref())])),
        };
        let Some(element) = element else { return false };
        if !event.features.is_empty() {
            let owner = element.owner();
            let before = self.size();
            let mut fits = true;
            for (name, value) in last_values(&event.features) {
                match (schema.feature(owner, name), value) {
                    (Some((feature, _)), Some(value)) => self.feature(feature, ValueRef::Any(value)),
                    (Some((feature, _)), None) => self.encoded_feature(feature, &[]),
                    (None, None) => {}
                    (None, Some(_)) => fits = false,
                }
            }
            if !fits || u32::try_from(self.values.len()).is_err() {
                self.features.truncate(before.0);
                self.values.truncate(before.1);
                return false;
            }
        }
        self.push(event.action, element, Some(Interval::open(event.time)), 0);
        true
    }
}

impl RowRef<'_> {
    /// The event that it is, with its features sorted by name.
    pub fn to_event(self, schema: &Schema) -> Event {
        let defs = schema.features(self.owner());
        let named = |(id, bytes): (FeatureId, &[u8])| Some((defs.get(id.at())?.name.clone(), Value::decode(bytes)));
        let mut features: Features = self.features().filter_map(named).collect();
        features.sort_by(|a, b| a.0.cmp(&b.0));
        let element = self.to_element(schema);
        Event { time: self.life().created, action: self.action(), element, features }
    }

    /// The event that ends the life which it begins, if it ends.
    pub fn to_end(self, schema: &Schema) -> Option<Event> {
        let life = self.life();
        (!life.is_open()).then(|| Event::new(life.removed, Action::Delete, self.to_element(schema)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EdgeKey, FeatureDef, FeatureKind, IdRef, ListOrder, NodeTypeId, Owner, Time, TimeUnit};

    fn schema() -> (Schema, NodeTypeId) {
        let mut schema = Schema::new(TimeUnit::Step);
        let node_type = schema.add_node_type(&"n".into()).expect("room");
        for name in ["b", "a"] {
            let def = FeatureDef { name: name.into(), kind: FeatureKind::Text, order: ListOrder::List };
            schema.add_feature(Owner::Node(node_type), def);
        }
        (schema, node_type)
    }

    fn shown(event: &Event) -> String {
        let features: Vec<_> =
            event.features.iter().map(|(name, value)| format!("{name}={value:?}").replace('"', "")).collect();
        format!("{} {:?} {}", event.time, event.action, features.join(" "))
    }

    #[test]
    fn a_life_is_its_events() {
        let (schema, node_type) = schema();
        let node = |at| ElementRef::Node(node_type, IdRef::Int(at));
        let mut rows = Rows::default();
        rows.push(Action::Create, node(1), Some(Interval::open(Time(2))), 5);
        rows.feature(FeatureId(0), ValueRef::Text("x"));
        rows.push(Action::Create, node(2), Interval::new(Time(3), Time(9)), 6);
        rows.encoded_feature(FeatureId(0), &[]);
        rows.feature(FeatureId(1), ValueRef::Text("y"));
        rows.push(Action::Update, node(2), Some(Interval::open(Time(4))), 6);
        rows.encoded_feature(FeatureId(1), &[]);
        rows.push(Action::Update, node(2), Some(Interval::open(Time(5))), 6);
        let told: Vec<String> = rows.iter().map(|row| shown(&row.to_event(&schema))).collect();
        let expected = ["2 Create ", "3 Create b=Some(Text(x))", "4 Update a=Some(Text(y)) b=None", "5 Update a=None"];
        assert_eq!(told, expected);
        assert_eq!(
            rows.iter().filter_map(|row| row.to_end(&schema)).map(|end| shown(&end)).collect::<Vec<_>>(),
            ["9 Delete "]
        );
        assert_eq!(rows.iter().map(|row| row.changes().count()).collect::<Vec<_>>(), [0, 2, 1, 0]);
        assert_eq!(rows.iter().map(RowRef::ends_values).collect::<Vec<_>>(), [false, false, true, true]);
    }

    #[test]
    fn an_event_comes_back_with_the_last_value_of_each_feature() {
        let (mut schema, node_type) = schema();
        schema.add_edge_type(node_type, &"r".into(), node_type);
        let key = |id: &str| NodeKey::new("n", id);
        let edge =
            |key: &str| EdgeKey { source: node(1), relation: "r".into(), destination: node(2), key: Some(key.into()) };
        let text = |name: &str, text: &str| (name.into(), Some(Value::text(text)));
        let events = [
            Event::new(Time(1), Action::Create, Element::Node(key("042"))).with(vec![text("a", "1"), text("a", "2")]),
            Event::new(Time(2), Action::Update, Element::Node(key("7")))
                .with(vec![("b".into(), None), ("c".into(), None)]),
            Event::new(Time(3), Action::Delete, Element::Edge(edge("k"))),
            Event::new(Time(4), Action::Create, Element::Merge { from: key("x"), into: key("9") }),
        ];
        let mut rows = Rows::default();
        assert!(events.iter().all(|event| rows.push_event(event, &schema)));
        let mut expected = events;
        expected[0].features.remove(0);
        expected[1].features.remove(1);
        assert_eq!(rows.iter().map(|row| row.to_event(&schema)).collect::<Vec<_>>(), expected);
        let unknown = Event::new(Time(1), Action::Create, Element::Node(NodeKey::new("m", 1)));
        assert!(!rows.push_event(&unknown, &schema));
    }

    fn node(id: u64) -> NodeKey {
        NodeKey::new("n", id)
    }
}
