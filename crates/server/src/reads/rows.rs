//! Rows of a table as JSON objects.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::{DataType, Field, TimeUnit};
use serde_json::{Map, Value as Json};
use timeweft_arrow::Table;

use super::values::exact;
use crate::problem::{Code, Problem};

/// An object a row: the columns by name.
pub(super) fn objects(table: &Table) -> Result<Vec<Json>, Problem> {
    let mut rows = Vec::with_capacity(table.n_rows());
    for batch in &table.batches {
        for row in 0..batch.num_rows() {
            let mut object = Map::new();
            for (field, column) in table.schema.fields().iter().zip(batch.columns()) {
                object.insert(field.name().clone(), cell(field, column, row)?);
            }
            rows.push(Json::Object(object));
        }
    }
    Ok(rows)
}

fn cell(field: &Field, array: &dyn Array, row: usize) -> Result<Json, Problem> {
    if array.is_null(row) {
        return Ok(Json::Null);
    }
    Ok(match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => whole(number::<Int8Type>(array, row)),
        DataType::Int16 => whole(number::<Int16Type>(array, row)),
        DataType::Int32 => whole(number::<Int32Type>(array, row)),
        DataType::Int64 => whole(number::<Int64Type>(array, row)),
        DataType::UInt8 => whole(number::<UInt8Type>(array, row)),
        DataType::UInt16 => whole(number::<UInt16Type>(array, row)),
        DataType::UInt32 => whole(number::<UInt32Type>(array, row)),
        // Ids are text, also where they are whole numbers.
        DataType::UInt64 if field.name() == "id" => number::<UInt64Type>(array, row).to_string().into(),
        DataType::UInt64 => whole(number::<UInt64Type>(array, row)),
        DataType::Float16 => float(number::<Float16Type>(array, row).to_f64()),
        DataType::Float32 => single(number::<Float32Type>(array, row)),
        DataType::Float64 => float(number::<Float64Type>(array, row)),
        DataType::Timestamp(unit, _) => ticks(*unit, array, row).to_string().into(),
        DataType::Utf8 => text(field, array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(field, array.as_string::<i64>().value(row)),
        DataType::Binary => array.as_binary::<i32>().value(row).to_vec().into(),
        DataType::LargeBinary => array.as_binary::<i64>().value(row).to_vec().into(),
        DataType::List(of) => list(of, &array.as_list::<i32>().value(row))?,
        DataType::LargeList(of) => list(of, &array.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(of, _) => list(of, &array.as_fixed_size_list().value(row))?,
        other => {
            let message = format!("column `{}` is {other}, which has no JSON", field.name());
            return Err(Problem::new(Code::Internal, message));
        }
    })
}

fn number<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn whole(number: impl Into<serde_json::Number>) -> Json {
    exact(Json::Number(number.into()))
}

fn float(number: f64) -> Json {
    let special = || {
        if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
    };
    serde_json::Number::from_f64(number).map_or_else(|| special().into(), Json::Number)
}

/// The shortest text of its own type, as values of features have it.
fn single(number: f32) -> Json {
    if number.is_finite() {
        float(number.to_string().parse().unwrap_or(f64::from(number)))
    } else {
        float(number.into())
    }
}

fn ticks(unit: TimeUnit, array: &dyn Array, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => number::<TimestampSecondType>(array, row),
        TimeUnit::Millisecond => number::<TimestampMillisecondType>(array, row),
        TimeUnit::Microsecond => number::<TimestampMicrosecondType>(array, row),
        TimeUnit::Nanosecond => number::<TimestampNanosecondType>(array, row),
    }
}

fn text(field: &Field, text: &str) -> Json {
    match field.extension_type_name() {
        Some("arrow.json") => serde_json::from_str(text).map_or_else(|_| text.into(), exact),
        _ => text.into(),
    }
}

fn list(of: &Field, items: &dyn Array) -> Result<Json, Problem> {
    (0..items.len()).map(|row| cell(of, items, row)).collect::<Result<Vec<_>, _>>().map(Json::Array)
}
