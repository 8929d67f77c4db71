//! Events as JSON lines.

use std::fmt::Write as _;
use std::io::{self, Write};

use timeweft_graph::{EdgeKey, Element, Event, ExternalId, Features, NodeKey, last_values};

use crate::text::feature_text;

/// Writes an event as one JSON line. [`crate::JsonlReader`] reads it back unchanged, given a schema that declares its
/// features; a feature that the event sets twice is written as it is set last.
///
/// ```
/// use timeweft_graph::{Action, Element, Event, NodeKey, Time, Value};
/// let user = Element::Node(NodeKey::new("user", "u1"));
/// let event = Event::new(Time(5), Action::Create, user).with(vec![("age".into(), Some(Value::number(31.0)))]);
/// let mut line = Vec::new();
/// timeweft_source::write_event(&mut line, &event)?;
/// assert_eq!(
///     String::from_utf8_lossy(&line),
///     "{\"time\":5,\"action\":\"create\",\"entity\":\"node\",\"source\":{\"type\":\"user\",\"id\":\"u1\",\"features\":{\"age\":31.0}}}\n"
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_event(out: &mut impl Write, event: &Event) -> io::Result<()> {
    let mut line = String::with_capacity(192);
    let (action, entity) = (event.action.name(), event.element.kind().name());
    let _ = write!(line, "{{\"time\":{},\"action\":\"{action}\",\"entity\":\"{entity}\"", event.time.0);
    match &event.element {
        Element::Node(key) => node("source", key, &event.features, &mut line),
        Element::Edge(key) => edge(key, &event.features, &mut line),
        Element::Merge { from, into } => {
            node("source", from, &Vec::new(), &mut line);
            merge(&event.features, &mut line);
            node("destination", into, &Vec::new(), &mut line);
        }
    }
    line.push_str("}\n");
    out.write_all(line.as_bytes())
}

fn node(role: &str, key: &NodeKey, features: &Features, line: &mut String) {
    let _ = write!(line, ",\"{role}\":{{\"type\":");
    feature_text::write_text(&key.node_type, line);
    line.push_str(",\"id\":");
    match &key.id {
        ExternalId::Int(number) => {
            let _ = write!(line, "{number}");
        }
        ExternalId::Text(text) => feature_text::write_text(text, line),
    }
    write_features(features, line);
    line.push('}');
}

fn edge(key: &EdgeKey, features: &Features, line: &mut String) {
    node("source", &key.source, &Vec::new(), line);
    line.push_str(",\"edge\":{\"type\":");
    feature_text::write_text(&key.relation, line);
    if let Some(key) = &key.key {
        line.push_str(",\"key\":");
        feature_text::write_text(key, line);
    }
    write_features(features, line);
    line.push('}');
    node("destination", &key.destination, &Vec::new(), line);
}

/// The features of a merge stand where those of an edge do.
fn merge(features: &Features, line: &mut String) {
    if features.is_empty() {
        return;
    }
    let mut members = String::new();
    write_features(features, &mut members);
    line.push_str(",\"edge\":{");
    line.push_str(members.trim_start_matches(','));
    line.push('}');
}

fn write_features(features: &Features, line: &mut String) {
    if features.is_empty() {
        return;
    }
    line.push_str(",\"features\":{");
    // A JSON object holds a name once, and what an event sets last is what holds.
    for (written, (name, value)) in last_values(features).enumerate() {
        if written > 0 {
            line.push(',');
        }
        feature_text::write_text(name, line);
        line.push(':');
        match value {
            Some(value) => feature_text::write(value, line),
            None => line.push_str("null"),
        }
    }
    line.push('}');
}
