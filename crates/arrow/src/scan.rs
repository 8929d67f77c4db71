//! Nodes, edges and events batch by batch, with columns that are known before the first row is read: what a query engine
//! needs. Ids are always texts, and lists of numbers are always `List`: neither follows from the rows.
//!
//! Slow reference: [`nodes`](crate::nodes), [`edges`](crate::edges) and [`GraphView`](timeweft::read::GraphView).

mod edges;
mod events;
mod nodes;
mod values;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{Field, Schema, SchemaRef};
use timeweft::export::table_writer::{time_array, time_type, value_field};
use timeweft::read::{FeatureKind, IdRef, Index, NodeIndex};
use timeweft::{At, Deletes, Name, Time, TimeUnit, Value};

pub use edges::EdgeTable;
pub use events::{EventTable, Happened};
pub use nodes::NodeTable;
pub use values::FeatureValues;

use crate::Result;
use crate::cells::features;

/// The column of all features as one JSON object, where rows are of several types.
pub const FEATURES: &str = "features";

/// The fields of a life: `created`, `removed`, and with soft deletes `deleted`.
fn life_fields(unit: TimeUnit, deletes: Deletes) -> Vec<Field> {
    let time = |name: &str, nullable| Field::new(name, time_type(unit), nullable);
    let mut fields = vec![time("created", false), time("removed", true)];
    if deletes == Deletes::Soft {
        fields.push(Field::new("deleted", arrow_schema::DataType::Boolean, false));
    }
    fields
}

/// The field of all features as one JSON object.
fn features_field() -> Field {
    value_field(FEATURES, FeatureKind::Json, false)
}

/// Features of each row as one JSON object.
fn json_features(rows: impl Iterator<Item = BTreeMap<Name, Value>>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.map(|held| features(&held).to_string())))
}

fn begun(unit: TimeUnit, times: &[Time]) -> ArrayRef {
    time_array(unit, times.iter().map(|time| Some(time.0)))
}

fn ended(unit: TimeUnit, times: &[Time]) -> ArrayRef {
    time_array(unit, times.iter().map(|time| (*time != Time::FOREVER).then_some(time.0)))
}

fn is_over(at: At, removed: &[Time]) -> ArrayRef {
    let is_over = removed.iter().map(|end| Some(*end <= at.time && *end != Time::FOREVER));
    Arc::new(is_over.collect::<BooleanArray>())
}

/// Ids as texts.
fn ids(index: &Index, nodes: &[NodeIndex]) -> Result<ArrayRef> {
    let mut texts = StringBuilder::with_capacity(nodes.len(), nodes.len() * 8);
    nodes.iter().try_for_each(|node| push_id(&mut texts, index.node_id(*node)))?;
    Ok(Arc::new(texts.finish()))
}

/// A number is written into the column, not into a text of its own.
fn push_id(texts: &mut StringBuilder, id: IdRef<'_>) -> Result<()> {
    match id {
        IdRef::Int(number) => {
            write!(texts, "{number}").map_err(std::io::Error::other)?;
            texts.append_value("");
        }
        IdRef::Text(text) => texts.append_value(text),
    }
    Ok(())
}

/// A batch of some of the columns, which may be none.
fn batch(schema: &Schema, columns: &[usize], arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let fields: Vec<Field> = columns.iter().map(|column| schema.field(*column).clone()).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
}
