//! Events into record batches.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, DictionaryArray, Int32Array, Int64Array, ListArray, ListBuilder, RecordBatch, StringArray,
    StringBuilder, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Int32Type, SchemaRef};
use rustc_hash::FxHashMap;
use timeweft_graph::{DType, Element, Event, ExternalId, FeatureKind, Name, NodeKey, Numbers, Sparse, Value};

use super::layout::{ACTIONS, Column, ENTITIES, Layout, Owner, item, sparse_fields};
use super::{CodecError, numbers};

/// Encodes chunks of events for one segment. Its dictionaries grow from chunk to chunk.
pub(crate) struct Encoder {
    layout: Layout,
    actions: ArrayRef,
    entities: ArrayRef,
    source_types: Dictionary,
    relations: Dictionary,
    destination_types: Dictionary,
    categories: FxHashMap<usize, Dictionary>,
}

impl Encoder {
    /// An encoder whose columns are those that `first` needs.
    pub(crate) fn new(first: &[Event], metadata: &HashMap<String, String>) -> Result<Encoder, CodecError> {
        Ok(Encoder {
            layout: Layout::of(first, metadata)?,
            actions: Arc::new(StringArray::from(ACTIONS.to_vec())),
            entities: Arc::new(StringArray::from(ENTITIES.to_vec())),
            source_types: Dictionary::default(),
            relations: Dictionary::default(),
            destination_types: Dictionary::default(),
            categories: FxHashMap::default(),
        })
    }

    /// The columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.layout.schema
    }

    /// The events as a batch; `None` if some feature has no column here.
    pub(crate) fn encode(&mut self, events: &[Event]) -> Result<Option<RecordBatch>, CodecError> {
        let Some(cells) = self.cells(events) else { return Ok(None) };
        let mut columns = self.event_columns(events)?;
        for (position, cells) in cells.iter().enumerate() {
            columns.push(self.feature_column(position, cells, events.len())?);
        }
        Ok(Some(RecordBatch::try_new(self.layout.schema.clone(), columns)?))
    }

    /// The values by column, each with its row. The last of several values of one feature counts.
    fn cells<'a>(&self, events: &'a [Event]) -> Option<Vec<Vec<(usize, &'a Value)>>> {
        let mut cells = vec![Vec::new(); self.layout.columns.len()];
        for (row, event) in events.iter().enumerate().filter(|(_, event)| !event.features.is_empty()) {
            let owner = Owner::of(&event.element)?;
            let places = self.layout.places(&owner);
            for (feature, value) in last_values(event) {
                if let Some(value) = value {
                    cells.get_mut(*places?.get(feature)?)?.push((row, value));
                }
            }
        }
        Some(cells)
    }

    fn event_columns(&mut self, events: &[Event]) -> Result<Vec<ArrayRef>, CodecError> {
        let keys = |key: fn(&Event) -> i32| Int32Array::from_iter_values(events.iter().map(key));
        let actions = keys(|event| event.action as i32);
        let entities = keys(|event| match event.element {
            Element::Node(_) => 0,
            Element::Edge(_) => 1,
            Element::Merge { .. } => 2,
        });
        let destination = |event| destination(event).map(|node: &NodeKey| &node.node_type);
        Ok(vec![
            Arc::new(Int64Array::from_iter_values(events.iter().map(|event| event.time.0))),
            Arc::new(DictionaryArray::<Int32Type>::try_new(actions, self.actions.clone())?),
            Arc::new(DictionaryArray::<Int32Type>::try_new(entities, self.entities.clone())?),
            self.source_types.column(events.iter().map(|event| Some(&source(event).node_type)))?,
            ids(events.iter().map(|event| Some(&source(event).id))),
            self.relations.column(events.iter().map(relation))?,
            self.destination_types.column(events.iter().map(destination))?,
            ids(events.iter().map(|event| self::destination(event).map(|node| &node.id))),
            Arc::new(events.iter().map(key).collect::<StringArray>()),
            ended(events),
        ])
    }

    fn feature_column(
        &mut self,
        position: usize,
        cells: &[(usize, &Value)],
        n_rows: usize,
    ) -> Result<ArrayRef, CodecError> {
        let column = &self.layout.columns[position];
        if let FeatureKind::Category = column.kind {
            let dictionary = self.categories.entry(position).or_default();
            return dictionary.column(spread(cells, n_rows).map(|value| match value {
                Some(Value::Category(name)) => Some(name),
                _ => None,
            }));
        }
        plain_column(column, cells, n_rows).ok_or_else(|| CodecError::Kind(column.feature.to_string()))
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

/// The features of an event, each name once with its last value.
fn last_values(event: &Event) -> impl Iterator<Item = (&Name, Option<&Value>)> {
    let features = &event.features;
    features.iter().enumerate().filter_map(|(at, (name, value))| {
        let again = features[at + 1..].iter().any(|(later, _)| later == name);
        (!again).then_some((name, value.as_ref()))
    })
}

fn ended(events: &[Event]) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for event in events {
        let mut any = false;
        for (name, _) in last_values(event).filter(|(_, value)| value.is_none()) {
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

fn plain_column(column: &Column, cells: &[(usize, &Value)], n_rows: usize) -> Option<ArrayRef> {
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
        FeatureKind::Category => return None,
    })
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

/// Names of one column, numbered in the order in which they come.
#[derive(Default)]
struct Dictionary {
    numbers: FxHashMap<Name, i32>,
    names: Vec<Name>,
    array: Option<ArrayRef>,
    last: Option<(Name, i32)>,
}

impl Dictionary {
    fn column<'a>(&mut self, names: impl Iterator<Item = Option<&'a Name>>) -> Result<ArrayRef, CodecError> {
        let keys: Int32Array = names.map(|name| name.map(|name| self.number(name))).collect();
        let known = self.array.take().filter(|array| array.len() == self.names.len());
        let array =
            known.unwrap_or_else(|| Arc::new(StringArray::from_iter_values(self.names.iter().map(|name| &**name))));
        self.array = Some(array.clone());
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, array)?))
    }

    fn number(&mut self, name: &Name) -> i32 {
        if let Some((last, number)) = &self.last
            && Arc::ptr_eq(last, name)
        {
            return *number;
        }
        let number = match self.numbers.get(name) {
            Some(&number) => number,
            None => {
                let number = self.names.len() as i32;
                self.numbers.insert(name.clone(), number);
                self.names.push(name.clone());
                number
            }
        };
        self.last = Some((name.clone(), number));
        number
    }
}
