//! Events as a table, an event a row.

use std::collections::BTreeMap;
use std::io::{self, Write};

use timeweft_graph::{Element, Event, FeatureKind, Name, NodeKey, Value, last_values};

use super::csv::{ENDED, feature_column};
use crate::table_writer::{Cell, CellKind, Column, TableFormat, TableWriter};
use crate::text::feature_text;

/// The columns of a table of events: time, action, entity and ends of each event, a column for each feature, and one with the
/// names of those whose value it ends.
///
/// A feature has the type of its values; where they are of several kinds, the column is JSON.
///
/// ```
/// use timeweft_graph::{Action, Element, Event, NodeKey, Time, Value};
/// use timeweft_source::EventColumns;
/// use timeweft_source::table_writer::CellKind;
///
/// let user = Element::Node(NodeKey::new("user", "u1"));
/// let event = Event::new(Time(5), Action::Create, user).with(vec![("age".into(), Some(Value::number(31.0)))]);
/// let mut columns = EventColumns::default();
/// columns.note(&event);
/// assert_eq!(columns.columns(CellKind::Int, CellKind::Id).last().map(|column| &*column.name), Some("age"));
/// assert_eq!(columns.row(&event)?.len(), 11);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct EventColumns {
    /// Each feature with its kind, and its place behind the other columns once all are known.
    features: BTreeMap<Name, (FeatureKind, usize)>,
}

impl EventColumns {
    /// Notes the kind of each feature to which an event gives a value; JSON where they are of several kinds.
    pub fn note(&mut self, event: &Event) {
        for (name, value) in &event.features {
            let Some(value) = value else { continue };
            let kind = FeatureKind::of(value);
            match self.features.get_mut(name) {
                None => _ = self.features.insert(name.clone(), (kind, 0)),
                Some((known, _)) if *known != kind => *known = FeatureKind::Json,
                Some(_) => {}
            }
        }
    }

    /// The columns, once all events are noted; with times and ids of these kinds.
    pub fn columns(&mut self, time: CellKind, id: CellKind) -> Vec<Column> {
        let mut columns = vec![
            Column::new("time", time),
            Column::new("action", CellKind::Text),
            Column::new("entity", CellKind::Text),
            Column::new("source_type", CellKind::Text),
            Column::new("source", id),
            Column::nullable("relation", CellKind::Text),
            Column::nullable("destination_type", CellKind::Text),
            Column::nullable("destination", id),
            Column::nullable("key", CellKind::Text),
            Column::nullable(ENDED, CellKind::Value(FeatureKind::Json)),
        ];
        for (name, (kind, place)) in &mut self.features {
            *place = columns.len();
            columns.push(Column::nullable(&feature_column(name), CellKind::Value(*kind)));
        }
        columns
    }

    /// The cells of an event, one for each of the columns that were given.
    ///
    /// # Errors
    /// If a value cannot be written as JSON.
    pub fn row<'e>(&self, event: &'e Event) -> io::Result<Vec<Cell<'e>>> {
        let mut row: Vec<Cell<'e>> = element(event).into();
        let ended = row.len();
        row.resize(ended + 1 + self.features.len(), Cell::Null);
        let mut names = Vec::new();
        for (name, value) in last_values(&event.features) {
            match (value, self.features.get(name)) {
                (Some(value), Some((kind, place))) => row[*place] = cell(value, *kind)?,
                _ => names.push(serde_json::Value::from(&**name)),
            }
        }
        if !names.is_empty() {
            row[ended] = Cell::from(Value::Json(names.into()));
        }
        Ok(row)
    }
}

/// Writes events as a table that [`crate::ColumnarReader`] reads back ([`EventColumns`]).
///
/// Where values of a feature are of several kinds, the column is JSON, and it takes a graph that
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
    let mut columns = EventColumns::default();
    events(&mut |event| {
        columns.note(event);
        Ok(())
    })?;
    let mut table = TableWriter::new(format, columns.columns(CellKind::Int, CellKind::Id), facts, out)?;
    events(&mut |event| Ok(table.row(columns.row(event)?)?))?;
    Ok(table.finish()?)
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
