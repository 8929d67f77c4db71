//! Events of a span of time.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use timeweft::export::table_writer::{ValueColumn, time_array, time_type};
use timeweft::read::{Owner, last_values};
use timeweft::{Element, Event, Name, NodeKey, Value, View};

use super::{batch, json_features, push_id};
use crate::Result;
use crate::edges::{Relation, edge_types};
use crate::features::{FeatureColumns, Selected};

/// The columns beside those of features.
pub(crate) const NAMES: [&str; 10] = [
    "time",
    "action",
    "entity",
    "source_type",
    "source_id",
    "relation",
    "destination_type",
    "destination_id",
    "key",
    "ended",
];

/// Events of what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happened<'a> {
    /// All.
    Anything,
    /// To the edges of a relation.
    ToEdges(Relation<'a>),
}

/// Events, those of edges of a relation or all.
///
/// | column | type |
/// |---|---|
/// | `time` | `Timestamp(unit, "UTC")`, or `Int64` in a graph that counts steps |
/// | `action`, `entity` | `Utf8`: `create`, `update`, `delete` of a `node`, an `edge`, or a `merge` |
/// | `source_type`, `source_id`, `relation`, `destination_type`, `destination_id`, `key` | `Utf8`; of a node, the source is it |
/// | `ended` | `List(Utf8)`: the features whose value the event ends |
/// | features | of the edges of a relation: a column each; of all events: `features`, `Utf8` with a JSON object of what the event sets |
#[derive(Clone, Debug)]
pub struct EventTable {
    view: View,
    schema: SchemaRef,
    features: Option<FeatureColumns>,
}

impl EventTable {
    /// The table of these events.
    ///
    /// # Errors
    /// [`Error::Unknown`](crate::Error::Unknown) if the graph has no such relation.
    pub fn new(view: &View, what: Happened<'_>) -> Result<EventTable> {
        let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
        let mut fields = vec![Field::new("time", time_type(view.unit()), false)];
        fields.extend(NAMES[1..5].iter().map(|name| text(name, false)));
        fields.extend(NAMES[5..9].iter().map(|name| text(name, true)));
        let names = Field::new("element", DataType::Utf8, true);
        fields.push(Field::new(NAMES[9], DataType::List(Arc::new(names)), false));
        let features = match what {
            Happened::Anything => None,
            Happened::ToEdges(relation) => {
                let types = edge_types(view, relation)?;
                let owners: Vec<Owner> = types.into_iter().map(Owner::Edge).collect();
                Some(FeatureColumns::of(view.schema(), &owners, &Selected::All)?)
            }
        };
        match &features {
            Some(features) => fields.extend(features.fields(&NAMES)),
            None => fields.push(super::features_field()),
        }
        Ok(EventTable { view: view.clone(), schema: Arc::new(Schema::new(fields)), features })
    }

    /// All columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Some of the columns, by their places in the schema, of events.
    ///
    /// # Errors
    /// If a column is too large.
    pub fn batch(&self, events: &[Event], columns: &[usize]) -> Result<RecordBatch> {
        let array = |column: &usize| match column.checked_sub(NAMES.len()) {
            Some(feature) => self.feature(events, feature),
            None => self.fixed(events, *column),
        };
        batch(&self.schema, columns, columns.iter().map(array).collect::<Result<_>>()?, events.len())
    }

    fn fixed(&self, events: &[Event], column: usize) -> Result<ArrayRef> {
        let (unit, all) = (self.view.unit(), events.iter());
        Ok(match column {
            0 => time_array(unit, all.map(|event| Some(event.time.0))),
            1 => Arc::new(StringArray::from_iter_values(all.map(|event| event.action.name()))),
            2 => Arc::new(StringArray::from_iter_values(all.map(|event| event.element.kind().name()))),
            3 => Arc::new(StringArray::from_iter_values(all.map(|event| &*source(event).node_type))),
            4 => ids_of(all.map(|event| Some(source(event))))?,
            5 => texts(all.map(|event| match &event.element {
                Element::Edge(edge) => Some(&*edge.relation),
                _ => None,
            })),
            6 => texts(all.map(|event| destination(event).map(|node| &*node.node_type))),
            7 => ids_of(all.map(destination))?,
            8 => texts(all.map(|event| match &event.element {
                Element::Edge(edge) => edge.key.as_deref(),
                _ => None,
            })),
            _ => ended_features(events),
        })
    }

    fn feature(&self, events: &[Event], feature: usize) -> Result<ArrayRef> {
        let Some((name, kind)) = self.features.as_ref().and_then(|features| features.at(feature)) else {
            let owned = |event| set(event).map(|(name, value)| (name.clone(), value.clone())).collect();
            return Ok(json_features(events.iter().map(owned)));
        };
        let mut column = ValueColumn::new(kind);
        for event in events {
            match set(event).find(|(known, _)| *known == name) {
                Some((_, value)) => column.push_value(value)?,
                None => column.push_null()?,
            }
        }
        Ok(column.finish(None)?)
    }
}

/// What an event sets.
fn set(event: &Event) -> impl Iterator<Item = (&Name, &Value)> {
    last_values(&event.features).filter_map(|(name, value)| Some((name, value?)))
}

fn source(event: &Event) -> &NodeKey {
    match &event.element {
        Element::Node(node) => node,
        Element::Edge(edge) => &edge.source,
        Element::Merge { from, .. } => from,
    }
}

fn destination(event: &Event) -> Option<&NodeKey> {
    match &event.element {
        Element::Node(_) => None,
        Element::Edge(edge) => Some(&edge.destination),
        Element::Merge { into, .. } => Some(into),
    }
}

fn texts<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(texts.collect::<StringArray>())
}

fn ids_of<'a>(nodes: impl Iterator<Item = Option<&'a NodeKey>>) -> Result<ArrayRef> {
    let mut texts = StringBuilder::new();
    for node in nodes {
        match node {
            Some(node) => push_id(&mut texts, node.id.as_ref())?,
            None => texts.append_null(),
        }
    }
    Ok(Arc::new(texts.finish()))
}

/// The features whose value each event ends.
fn ended_features(events: &[Event]) -> ArrayRef {
    let names = Field::new("element", DataType::Utf8, true);
    let mut lists = ListBuilder::new(StringBuilder::new()).with_field(names);
    for event in events {
        let ended = last_values(&event.features).filter(|(_, value)| value.is_none());
        ended.for_each(|(name, _)| lists.values().append_value(name));
        lists.append(true);
    }
    Arc::new(lists.finish())
}
