//! Rows of a table as maps, to be compared with what the library says.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Field, TimeUnit};
use serde_json::{Value as Json, json};
use timeweft::Value;
use timeweft_arrow::Table;

/// A row: the cells that are not null.
pub(crate) type Row = BTreeMap<String, Json>;

pub(crate) fn rows(table: &Table) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in &table.batches {
        assert_eq!(batch.schema(), table.schema, "all batches are of one schema");
        assert!(batch.num_rows() > 0, "no batch is empty");
        for row in 0..batch.num_rows() {
            let fields = table.schema.fields().iter().zip(batch.columns());
            let cells = fields.filter(|(_, column)| !column.is_null(row));
            rows.push(cells.map(|(field, column)| (field.name().clone(), cell(field, column, row))).collect());
        }
    }
    rows
}

pub(crate) fn cell(field: &Field, column: &ArrayRef, row: usize) -> Json {
    let is_json = field.metadata().get("ARROW:extension:name").is_some_and(|name| name == "arrow.json");
    match column.data_type() {
        DataType::Utf8 if is_json => serde_json::from_str(column.as_string::<i32>().value(row)).unwrap(),
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Binary => Value::Bytes(column.as_binary::<i32>().value(row).to_vec()).to_json(),
        DataType::List(_) => list(&column.as_list::<i32>().value(row)),
        DataType::FixedSizeList(..) => list(&column.as_fixed_size_list().value(row)),
        DataType::Timestamp(unit, zone) => {
            assert_eq!(zone.as_deref(), Some("UTC"));
            match unit {
                TimeUnit::Second => column.as_primitive::<TimestampSecondType>().value(row).into(),
                TimeUnit::Millisecond => column.as_primitive::<TimestampMillisecondType>().value(row).into(),
                TimeUnit::Microsecond => column.as_primitive::<TimestampMicrosecondType>().value(row).into(),
                TimeUnit::Nanosecond => column.as_primitive::<TimestampNanosecondType>().value(row).into(),
            }
        }
        DataType::Float64 => float(column.as_primitive::<Float64Type>().value(row).to_string()),
        DataType::Float32 => float(column.as_primitive::<Float32Type>().value(row).to_string()),
        DataType::Float16 => float(column.as_primitive::<Float16Type>().value(row).to_string()),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(row).into(),
        other => panic!("no test has a column of {other}"),
    }
}

fn list(column: &ArrayRef) -> Json {
    let element = Field::new("element", column.data_type().clone(), true);
    (0..column.len()).map(|row| cell(&element, column, row)).collect()
}

/// As the library writes numbers in JSON.
fn float(text: String) -> Json {
    Value::number(text.parse().unwrap()).to_json()
}

/// An id as a column of it holds it.
pub(crate) fn id(id: impl ToString, is_number: bool) -> Json {
    let text = id.to_string();
    if is_number { json!(text.parse::<u64>().unwrap()) } else { text.into() }
}
