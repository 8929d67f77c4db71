//! Events as a table, an event a row.

use std::collections::BTreeMap;
use std::io::{self, Write};

use timeweft_graph::{Element, Event, FeatureKind, Name, NodeKey, Value, last_values};

use super::csv::{ENDED, feature_column};
use crate::table_writer::{Cell, CellKind, Column, TableFormat, TableWriter};
use crate::text::feature_text;

/// Writes events as a table that [`crate::ColumnarReader`] reads back: time, action, entity and ends of each event, a column
/// for each feature, and one with the names of those whose value it ends.
///
/// A feature has the type of its values; where they are of several kinds, the column is JSON, and it takes a graph that
/// declares the features to read it back. `facts` are what the file carries beside its rows.
///
/// `events` hands all of them over, one by one, each time that it is called: once to learn which columns there are, and once
/// to write. So they need not be in memory.
///
/// # Errors
/// If nothing can be written, and whatever goes wrong with the events.
pub fn write_event_table<W: Write + Send, E: From<io::Error>>(
    out: W,
    format: TableFormat,
    events: impl Fn(&mut dyn FnMut(&Event) -> Result<(), E>) -> Result<(), E>,
    facts: &[(&str, String)],
) -> Result<W, E> {
    let mut kinds = BTreeMap::new();
    events(&mut |event| {
        note_kinds(&mut kinds, event);
        Ok(())
    })?;
    let mut columns = vec![
        Column::new("time", CellKind::Int),
        Column::new("action", CellKind::Text),
        Column::new("entity", CellKind::Text),
        Column::new("source_type", CellKind::Text),
        Column::new("source", CellKind::Id),
        Column::nullable("relation", CellKind::Text),
        Column::nullable("destination_type", CellKind::Text),
        Column::nullable("destination", CellKind::Id),
        Column::nullable("key", CellKind::Text),
        Column::nullable(ENDED, CellKind::Value(FeatureKind::Json)),
    ];
    let of_kind = |(name, kind): (&Name, &FeatureKind)| Column::nullable(&feature_column(name), CellKind::Value(*kind));
    columns.extend(kinds.iter().map(|(name, kind)| of_kind((name, kind))));
    let places: BTreeMap<&Name, usize> = kinds.keys().zip(0..).collect();
    let mut table = TableWriter::new(format, columns, facts, out)?;
    events(&mut |event| {
        let mut features = vec![Cell::Null; kinds.len()];
        let mut ended = Vec::new();
        for (name, value) in last_values(&event.features) {
            match (value, places.get(name)) {
                (Some(value), Some(at)) => features[*at] = cell(value, kinds[name])?,
                _ => ended.push(serde_json::Value::from(&**name)),
            }
        }
        let ended = (!ended.is_empty()).then(|| Value::Json(ended.into()));
        Ok(table.row(element(event).into_iter().chain([Cell::from(ended)]).chain(features))?)
    })?;
    Ok(table.finish()?)
}

/// Notes the kind of each feature to which an event gives a value; JSON where they are of several kinds.
fn note_kinds(kinds: &mut BTreeMap<Name, FeatureKind>, event: &Event) {
    for (name, value) in &event.features {
        let Some(value) = value else { continue };
        let kind = FeatureKind::of(value);
        match kinds.get_mut(name) {
            None => _ = kinds.insert(name.clone(), kind),
            Some(known) if *known != kind => *known = FeatureKind::Json,
            Some(_) => {}
        }
    }
}

fn cell(value: &Value, kind: FeatureKind) -> io::Result<Cell<'static>> {
    Ok(Cell::Value(Box::new(match kind {
        FeatureKind::Json | FeatureKind::Sparse { .. } => {
            let mut text = String::new();
            feature_text::write(value, &mut text);
            Value::Json(serde_json::from_str(&text)?)
        }
        _ => value.clone(),
    })))
}

/// Time, action, and what it is about.
fn element(event: &Event) -> [Cell<'_>; 9] {
    let (source, relation, destination, key) = match &event.element {
        Element::Node(key) => (key, Cell::Null, None, Cell::Null),
        Element::Edge(edge) => {
            let relation = Cell::Text(&edge.relation);
            (&edge.source, relation, Some(&edge.destination), Cell::from(edge.key.as_deref()))
        }
        Element::Merge { from, into } => (from, Cell::Null, Some(into), Cell::Null),
    };
    let [source_type, source] = node(source);
    let [destination_type, destination] = destination.map_or([Cell::Null, Cell::Null], node);
    let (action, entity) = (Cell::Text(event.action.name()), Cell::Text(event.element.kind().name()));
    [Cell::Int(event.time.0), action, entity, source_type, source, relation, destination_type, destination, key]
}

fn node(node: &NodeKey) -> [Cell<'_>; 2] {
    [Cell::Text(&node.node_type), Cell::Id(node.id.as_ref())]
}
