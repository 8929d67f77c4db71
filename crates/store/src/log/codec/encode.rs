//! Events into record batches.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, BinaryArray, Int64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, SchemaRef};
use rustc_hash::FxHashMap;
use timeweft_graph::{
    DType, Element, Event, ExternalId, FeatureKind, Name, NodeKey, Numbers, Sparse, Value, last_values,
};

use super::dictionary::Dictionary;
use super::layout::{ACTIONS, Column, ENTITIES, Layout, Owner, item, sparse_fields};
use super::{CodecError, numbers};

/// Encodes chunks of events for one segment.
pub(crate) struct Encoder {
    pub(super) layout: Layout,
    pub(super) actions: Dictionary,
    pub(super) entities: Dictionary,
    pub(super) node_types: Dictionary,
    pub(super) relations: Dictionary,
    /// By column. A category that had to grow is plain text from then on.
    pub(super) categories: FxHashMap<usize, Dictionary>,
}

impl Encoder {
    /// An encoder with the columns and names that `first` needs, and those of the segment before.
    pub(crate) fn new(
        earlier: Option<&Encoder>,
        first: &[Event],
        metadata: &HashMap<String, String>,
    ) -> Result<Encoder, CodecError> {
        let known = earlier.map(|earlier| earlier.layout.categories(first)).unwrap_or_default();
        let outgrown = |column: usize| {
            let dictionary = earlier.and_then(|earlier| earlier.categories.get(&column));
            let cells = known.get(&column);
            dictionary.zip(cells).is_some_and(|(dictionary, cells)| !dictionary.has_all(cells.iter().copied()))
        };
        let layout = Layout::new(earlier.map(|earlier| &earlier.layout), first, metadata, outgrown)?;
        let node_types = first.iter().flat_map(|event| [Some(source(event)), destination(event)]).flatten();
        let categories = layout.categories(first).into_iter().map(|(column, names)| {
            let known = earlier.and_then(|earlier| earlier.categories.get(&column));
            (column, Dictionary::of(known, names.into_iter()))
        });
        Ok(Encoder {
            actions: Dictionary::constant(&ACTIONS),
            entities: Dictionary::constant(&ENTITIES),
            node_types: Dictionary::of(
                earlier.map(|earlier| &earlier.node_types),
                node_types.map(|node| &node.node_type),
            ),
            relations: Dictionary::of(earlier.map(|earlier| &earlier.relations), first.iter().filter_map(relation)),
            categories: categories.collect(),
            layout,
        })
    }

    /// The columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.layout.schema
    }

    /// The events as a batch; `None` if some feature has no column here, or some name is in no dictionary.
    pub(crate) fn encode(&self, events: &[Event]) -> Result<Option<RecordBatch>, CodecError> {
        let (Some(cells), Some(mut columns)) = (self.cells(events), self.event_columns(events)) else {
            return Ok(None);
        };
        for (position, cells) in cells.iter().enumerate() {
            match self.feature_column(position, cells, events.len())? {
                Some(column) => columns.push(column),
                None => return Ok(None),
            }
        }
        Ok(Some(RecordBatch::try_new(self.layout.schema.clone(), columns)?))
    }

    /// The values by column, each with its row. The last of several values of one feature counts.
    fn cells<'a>(&self, events: &'a [Event]) -> Option<Vec<Vec<(usize, &'a Value)>>> {
        let mut cells = vec![Vec::new(); self.layout.columns.len()];
        for (row, event) in events.iter().enumerate().filter(|(_, event)| !event.features.is_empty()) {
            let owner = Owner::of(&event.element);
            let places = self.layout.places(&owner);
            for (feature, value) in last_values(&event.features) {
                if let Some(value) = value {
                    cells.get_mut(*places?.get(feature)?)?.push((row, value));
                }
            }
        }
        Some(cells)
    }

    fn event_columns(&self, events: &[Event]) -> Option<Vec<ArrayRef>> {
        let destination = |event| destination(event).map(|node: &NodeKey| &node.node_type);
        let entity = |event: &Event| match event.element {
            Element::Node(_) => 0,
            Element::Edge(_) => 1,
            Element::Merge { .. } => 2,
        };
        Some(vec![
            Arc::new(Int64Array::from_iter_values(events.iter().map(|event| event.time.0))),
            self.actions.numbered(events.iter().map(|event| event.action as i32))?,
            self.entities.numbered(events.iter().map(entity))?,
            self.node_types.column(events.iter().map(|event| Some(&source(event).node_type)))?,
            ids(events.iter().map(|event| Some(&source(event).id))),
            self.relations.column(events.iter().map(relation))?,
            self.node_types.column(events.iter().map(destination))?,
            ids(events.iter().map(|event| self::destination(event).map(|node| &node.id))),
            Arc::new(events.iter().map(key).collect::<StringArray>()),
            ended(events),
        ])
    }

    fn feature_column(
        &self,
        position: usize,
        cells: &[(usize, &Value)],
        n_rows: usize,
    ) -> Result<Option<ArrayRef>, CodecError> {
        if let Some(dictionary) = self.categories.get(&position) {
            return Ok(dictionary.column(spread(cells, n_rows).map(|value| value.and_then(category))));
        }
        let column = &self.layout.columns[position];
        let plain = plain_column(column, cells, n_rows);
        plain.ok_or_else(|| CodecError::Kind(column.feature.to_string())).map(Some)
    }
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

fn relation(event: &Event) -> Option<&Name> {
    match &event.element {
        Element::Edge(edge) => Some(&edge.relation),
        _ => None,
    }
}

fn key(event: &Event) -> Option<&str> {
    match &event.element {
        Element::Edge(edge) => edge.key.as_deref(),
        _ => None,
    }
}

fn ids<'a>(ids: impl Iterator<Item = Option<&'a ExternalId>>) -> ArrayRef {
    let mut builder = StringBuilder::new();
    for id in ids {
        match id {
            None => builder.append_null(),
            Some(ExternalId::Text(text)) => builder.append_value(text),
            Some(ExternalId::Int(number)) => {
                // Writing into a buffer in memory cannot fail.
                _ = write!(builder, "{number}");
                builder.append_value("");
            }
        }
    }
    Arc::new(builder.finish())
}

fn ended(events: &[Event]) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for event in events {
        let mut any = false;
        for (name, _) in last_values(&event.features).filter(|(_, value)| value.is_none()) {
            builder.values().append_value(name);
            any = true;
        }
        builder.append(any);
    }
    Arc::new(builder.finish())
}

/// One optional value a row.
fn spread<'a>(cells: &[(usize, &'a Value)], n_rows: usize) -> impl Iterator<Item = Option<&'a Value>> {
    let mut cells = cells.iter().peekable();
    (0..n_rows).map(move |row| cells.next_if(|(at, _)| *at == row).map(|(_, value)| *value))
}

pub(super) fn plain_column(column: &Column, cells: &[(usize, &Value)], n_rows: usize) -> Option<ArrayRef> {
    let values = || spread(cells, n_rows);
    Some(match column.kind {
        FeatureKind::Dense { dtype, scalar: true } => {
            let rows: Option<Vec<_>> = cells.iter().map(|(row, value)| Some((*row, dense(value)?))).collect();
            numbers::scalars(dtype, valid(cells, n_rows), rows?.into_iter())?
        }
        FeatureKind::Dense { dtype, scalar: false } => {
            let parts: Option<Vec<_>> = cells.iter().map(|(_, value)| dense(value)).collect();
            numbers_list(dtype, &parts?, cells, n_rows)?
        }
        FeatureKind::Sparse { dtype, .. } => sparse_column(dtype, cells, n_rows)?,
        FeatureKind::Text => Arc::new(
            values()
                .map(|value| if let Some(Value::Text(text)) = value { Some(text) } else { None })
                .collect::<StringArray>(),
        ),
        FeatureKind::Json => Arc::new(
            values()
                .map(|value| if let Some(Value::Json(json)) = value { Some(json.to_string()) } else { None })
                .collect::<StringArray>(),
        ),
        FeatureKind::Bytes => Arc::new(
            values()
                .map(|value| if let Some(Value::Bytes(bytes)) = value { Some(bytes) } else { None })
                .collect::<BinaryArray>(),
        ),
        FeatureKind::Category => Arc::new(values().map(|value| value.and_then(category)).collect::<StringArray>()),
    })
}

pub(super) fn category(value: &Value) -> Option<&Name> {
    match value {
        Value::Category(name) => Some(name),
        _ => None,
    }
}

fn dense(value: &Value) -> Option<&Numbers> {
    match value {
        Value::Dense(dense) => Some(&dense.numbers),
        _ => None,
    }
}

fn valid(cells: &[(usize, &Value)], n_rows: usize) -> NullBuffer {
    NullBuffer::from_iter(spread(cells, n_rows).map(|value| value.is_some()))
}

fn numbers_list(dtype: DType, parts: &[&Numbers], cells: &[(usize, &Value)], n_rows: usize) -> Option<ArrayRef> {
    let values = numbers::concatenated(dtype, parts.iter().copied())?;
    let lengths = lengths(cells, n_rows, parts.iter().map(|part| part.len()));
    let field = item(numbers::data_type(dtype));
    Some(Arc::new(ListArray::try_new(field, lengths, values, Some(valid(cells, n_rows))).ok()?))
}

/// Offsets of lists, of which rows without a cell are empty.
fn lengths(cells: &[(usize, &Value)], n_rows: usize, lengths: impl Iterator<Item = usize>) -> OffsetBuffer<i32> {
    let mut lengths = lengths;
    OffsetBuffer::from_lengths(
        spread(cells, n_rows).map(|value| value.and_then(|_| lengths.next()).unwrap_or_default()),
    )
}

fn sparse_column(dtype: DType, cells: &[(usize, &Value)], n_rows: usize) -> Option<ArrayRef> {
    let parts: Option<Vec<&Sparse>> = cells
        .iter()
        .map(|(_, value)| match value {
            Value::Sparse(sparse) => Some(sparse),
            _ => None,
        })
        .collect();
    let parts = parts?;
    let coordinates: Vec<i64> = parts.iter().flat_map(|part| part.coordinates.iter().copied()).collect();
    let values = numbers::concatenated(dtype, parts.iter().map(|part| &part.values))?;
    let list = |data_type, lengths, values| ListArray::try_new(item(data_type), lengths, values, None).ok();
    let coordinates = list(
        DataType::Int64,
        lengths(cells, n_rows, parts.iter().map(|part| part.coordinates.len())),
        Arc::new(Int64Array::from(coordinates)),
    )?;
    let values =
        list(numbers::data_type(dtype), lengths(cells, n_rows, parts.iter().map(|part| part.values.len())), values)?;
    let children: Vec<ArrayRef> = vec![Arc::new(coordinates), Arc::new(values)];
    Some(Arc::new(StructArray::try_new(sparse_fields(dtype), children, Some(valid(cells, n_rows))).ok()?))
}
