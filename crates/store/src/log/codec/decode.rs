//! Record batches into events.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use timeweft_graph::{
    Action, Dense, EdgeKey, Element, Event, ExternalId, FeatureKind, Name, NodeKey, Schema, Sparse, Time, Value,
};

use super::layout::{ACTIONS, Column, ENTITIES, feature_columns};
use super::{CodecError, numbers};

/// The events of a batch, in order, each with its features sorted by name. What was written before its feature became wider
/// in `schema` is given as what it is there.
pub(crate) fn decode(batch: &RecordBatch, schema: &Schema) -> Result<Vec<Event>, CodecError> {
    let rows = Columns::of(batch)?;
    let mut events = (0..batch.num_rows()).map(|row| rows.event(row)).collect::<Result<Vec<Event>, _>>()?;
    for (position, column) in feature_columns(&batch.schema())? {
        let read = read_values(&column, column.kind_in(schema), batch.column(position), &mut events);
        read.ok_or_else(|| CodecError::Column(batch.schema().field(position).name().clone()))?;
    }
    rows.read_ended(&mut events);
    for event in events.iter_mut().filter(|event| event.features.len() > 1) {
        event.features.sort_by(|a, b| a.0.cmp(&b.0));
    }
    Ok(events)
}

/// Whether every value of a batch is of the kind that a schema has for its feature, or of a narrower one.
pub(crate) fn fits(batch: &RecordBatch, schema: &Schema) -> Result<bool, CodecError> {
    Ok(feature_columns(&batch.schema())?.iter().all(|(_, column)| column.fits(schema)))
}

/// The columns that every event has.
pub(super) struct Columns<'a> {
    pub(super) times: &'a [i64],
    pub(super) actions: Names<'a>,
    pub(super) entities: Names<'a>,
    pub(super) source_types: Names<'a>,
    pub(super) source_ids: &'a arrow_array::StringArray,
    pub(super) relations: Names<'a>,
    pub(super) destination_types: Names<'a>,
    pub(super) destination_ids: &'a arrow_array::StringArray,
    pub(super) keys: &'a arrow_array::StringArray,
    pub(super) ended: &'a arrow_array::ListArray,
}

impl<'a> Columns<'a> {
    pub(super) fn of(batch: &'a RecordBatch) -> Result<Columns<'a>, CodecError> {
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| CodecError::Column(name.into()));
        let wrong = |name: &str| CodecError::Column(name.into());
        let text = |name: &str| column(name)?.as_string_opt::<i32>().ok_or_else(|| wrong(name));
        let names = |name: &str| Names::of(column(name)?).ok_or_else(|| wrong(name));
        let times = column("time")?.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong("time"))?;
        Ok(Columns {
            times: times.values(),
            actions: names("action")?,
            entities: names("entity")?,
            source_types: names("source_type")?,
            source_ids: text("source_id")?,
            relations: names("relation")?,
            destination_types: names("destination_type")?,
            destination_ids: text("destination_id")?,
            keys: text("key")?,
            ended: column("ended")?.as_list_opt::<i32>().ok_or_else(|| wrong("ended"))?,
        })
    }

    fn event(&self, row: usize) -> Result<Event, CodecError> {
        let bad = |problem| CodecError::Row { row, problem };
        let action = match self.actions.at(row).map(|name| &**name) {
            Some(name) if name == ACTIONS[0] => Action::Create,
            Some(name) if name == ACTIONS[1] => Action::Update,
            Some(name) if name == ACTIONS[2] => Action::Delete,
            _ => return Err(bad("no known action")),
        };
        let source = node(&self.source_types, self.source_ids, row).ok_or_else(|| bad("no source"))?;
        let destination = || node(&self.destination_types, self.destination_ids, row);
        let element = match self.entities.at(row).map(|name| &**name) {
            Some(name) if name == ENTITIES[0] => Element::Node(source),
            Some(name) if name == ENTITIES[1] => Element::Edge(EdgeKey {
                source,
                relation: self.relations.at(row).ok_or_else(|| bad("no relation"))?.clone(),
                destination: destination().ok_or_else(|| bad("no destination"))?,
                key: self.keys.is_valid(row).then(|| self.keys.value(row).into()),
            }),
            Some(name) if name == ENTITIES[2] => {
                Element::Merge { from: source, into: destination().ok_or_else(|| bad("no destination"))? }
            }
            _ => return Err(bad("no known entity")),
        };
        Ok(Event::new(Time(self.times[row]), action, element))
    }

    fn read_ended(&self, events: &mut [Event]) {
        for (row, event) in events.iter_mut().enumerate().filter(|(row, _)| self.ended.is_valid(*row)) {
            let names = self.ended.value(row);
            let names = names.as_string_opt::<i32>().into_iter().flatten().flatten();
            event.features.extend(names.map(|name| (Name::from(name), None)));
        }
    }
}

fn node(types: &Names, ids: &arrow_array::StringArray, row: usize) -> Option<NodeKey> {
    let node_type = types.at(row)?.clone();
    ids.is_valid(row).then(|| NodeKey { node_type, id: ExternalId::from(ids.value(row)) })
}

/// A dictionary column whose names are shared by all rows.
pub(super) struct Names<'a> {
    names: Vec<Name>,
    keys: &'a arrow_array::PrimitiveArray<Int32Type>,
}

impl<'a> Names<'a> {
    fn of(column: &'a ArrayRef) -> Option<Names<'a>> {
        let dictionary = column.as_dictionary_opt::<Int32Type>()?;
        let names = dictionary.values().as_string_opt::<i32>()?.iter();
        Some(Names { names: names.map(|name| Name::from(name.unwrap_or_default())).collect(), keys: dictionary.keys() })
    }

    /// The number of the name at a row.
    pub(super) fn key(&self, row: usize) -> Option<i32> {
        self.keys.is_valid(row).then(|| self.keys.value(row))
    }

    /// Whether this is the name at a row.
    pub(super) fn is(&self, row: usize, name: &str) -> bool {
        self.at(row).is_some_and(|known| **known == *name)
    }

    pub(super) fn at(&self, row: usize) -> Option<&Name> {
        self.keys.is_valid(row).then(|| self.names.get(usize::try_from(self.keys.value(row)).ok()?)).flatten()
    }
}

/// Hands the values of a column to their events; `None` if the column is of another type.
fn read_values(column: &Column, kind: FeatureKind, array: &ArrayRef, events: &mut [Event]) -> Option<()> {
    let names = match column.kind {
        FeatureKind::Category => Names::of(array),
        _ => None,
    };
    for (row, event) in events.iter_mut().enumerate().filter(|(row, _)| array.is_valid(*row)) {
        let value = match &names {
            Some(names) => Value::Category(names.at(row)?.clone()),
            None if kind != column.kind => value(column.kind, array, row)?.widened(kind)?,
            None => value(column.kind, array, row)?,
        };
        event.features.push((column.feature.clone(), Some(value)));
    }
    Some(())
}

pub(super) fn value(kind: FeatureKind, array: &ArrayRef, row: usize) -> Option<Value> {
    Some(match kind {
        FeatureKind::Dense { dtype, scalar: true } => {
            Value::Dense(Dense { numbers: numbers::read_one(dtype, array, row)?, scalar: true })
        }
        FeatureKind::Dense { dtype, scalar: false } => {
            let values = array.as_list_opt::<i32>()?.value(row);
            Value::Dense(Dense { numbers: numbers::read(dtype, &values)?, scalar: false })
        }
        FeatureKind::Sparse { dtype, rank } => {
            let point = array.as_struct_opt()?;
            let coordinates = point.column_by_name("coordinates")?.as_list_opt::<i32>()?.value(row);
            let values = point.column_by_name("values")?.as_list_opt::<i32>()?.value(row);
            Value::Sparse(Sparse {
                rank,
                coordinates: coordinates.as_primitive_opt::<Int64Type>()?.values().to_vec(),
                values: numbers::read(dtype, &values)?,
            })
        }
        FeatureKind::Text => Value::Text(array.as_string_opt::<i32>()?.value(row).into()),
        FeatureKind::Json => Value::Json(serde_json::from_str(array.as_string_opt::<i32>()?.value(row)).ok()?),
        FeatureKind::Bytes => Value::Bytes(array.as_binary_opt::<i32>()?.value(row).to_vec()),
        FeatureKind::Category => Value::Category(array.as_string_opt::<i32>()?.value(row).into()),
    })
}
