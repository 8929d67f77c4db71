//! Record batches as rows of JSON.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit as ArrowUnit};
use serde::Serialize;
use serde_json::{Number, Value as Json, json};
use timeweft::{Time, TimeUnit};
use utoipa::ToSchema;

/// A column of an answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct Column {
    name: String,
    #[serde(rename = "type")]
    column_type: ColumnType,
}

/// What the cells of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ColumnType {
    Text,
    Integer,
    Float,
    Boolean,
    /// RFC 3339 in UTC.
    Time,
    Json,
}

impl Column {
    pub(crate) fn of(field: &Field) -> Column {
        Column { name: field.name().clone(), column_type: type_of(field) }
    }
}

/// Whether the texts of a column are JSON.
fn is_json(field: &Field) -> bool {
    field.metadata().get("ARROW:extension:name").is_some_and(|name| name == "arrow.json")
}

fn type_of(field: &Field) -> ColumnType {
    match field.data_type() {
        _ if is_json(field) => ColumnType::Json,
        kind if kind.is_integer() => ColumnType::Integer,
        kind if kind.is_floating() => ColumnType::Float,
        DataType::Boolean => ColumnType::Boolean,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => ColumnType::Time,
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::Struct(_) => {
            ColumnType::Json
        }
        DataType::Dictionary(_, values) => type_of(&Field::new("", (**values).clone(), true)),
        _ => ColumnType::Text,
    }
}

/// The rows of a batch.
pub(crate) fn rows(batch: &RecordBatch) -> impl Iterator<Item = Vec<Json>> {
    let (columns, schema) = (batch.columns(), batch.schema_ref());
    let json: Vec<bool> = schema.fields().iter().map(|field| is_json(field)).collect();
    (0..batch.num_rows()).map(move |row| {
        let cells = columns.iter().zip(&json);
        cells.map(|(column, is_json)| if *is_json { parsed(cell(column, row)) } else { cell(column, row) }).collect()
    })
}

/// JSON that stands in a text.
fn parsed(cell: Json) -> Json {
    match &cell {
        Json::String(text) => serde_json::from_str(text).unwrap_or(cell),
        _ => cell,
    }
}

/// One cell as JSON.
fn cell(array: &dyn Array, row: usize) -> Json {
    if array.is_null(row) {
        return Json::Null;
    }
    match array.data_type() {
        DataType::Null => Json::Null,
        DataType::Boolean => Json::Bool(array.as_boolean().value(row)),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::Float16 => float(array.as_primitive::<Float16Type>().value(row).to_f64()),
        DataType::Float32 => float32(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Timestamp(unit, _) => time(array, row, *unit),
        DataType::Date32 => moment(TimeUnit::Second, i64::from(primitive::<Date32Type>(array, row)) * 86_400),
        DataType::Date64 => moment(TimeUnit::Milli, primitive::<Date64Type>(array, row)),
        DataType::List(_) => list(&*array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(&*array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(&*array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter();
            fields.iter().zip(columns).map(|(field, of)| (field.name().clone(), cell(of, row))).collect()
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            cell(dictionary.values(), dictionary.normalized_keys()[row])
        }
        _ => number(array, row).unwrap_or_else(|| format!("{:?}", array.slice(row, 1)).into()),
    }
}

fn primitive<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

/// The largest number that JSON's readers hold exactly.
const EXACT: u64 = 1 << 53;

fn number(array: &dyn Array, row: usize) -> Option<Json> {
    let signed = match array.data_type() {
        DataType::Int8 => primitive::<Int8Type>(array, row).into(),
        DataType::Int16 => primitive::<Int16Type>(array, row).into(),
        DataType::Int32 => primitive::<Int32Type>(array, row).into(),
        DataType::Int64 => primitive::<Int64Type>(array, row),
        DataType::UInt8 => primitive::<UInt8Type>(array, row).into(),
        DataType::UInt16 => primitive::<UInt16Type>(array, row).into(),
        DataType::UInt32 => primitive::<UInt32Type>(array, row).into(),
        DataType::UInt64 => {
            let value = primitive::<UInt64Type>(array, row);
            return Some(if value > EXACT { value.to_string().into() } else { value.into() });
        }
        _ => return None,
    };
    Some(if signed.unsigned_abs() > EXACT { signed.to_string().into() } else { signed.into() })
}

/// A number; as text where JSON has none.
fn float(value: f64) -> Json {
    match Number::from_f64(value) {
        Some(number) => Json::Number(number),
        None if value.is_nan() => "NaN".into(),
        None => if value > 0.0 { "Infinity" } else { "-Infinity" }.into(),
    }
}

/// The shortest decimal that is this number: widened to 64 bits it would have digits that nobody wrote.
fn float32(value: f32) -> Json {
    if value.is_finite() { json!(value) } else { float(value.into()) }
}

fn time(array: &dyn Array, row: usize, unit: ArrowUnit) -> Json {
    match unit {
        ArrowUnit::Second => moment(TimeUnit::Second, primitive::<TimestampSecondType>(array, row)),
        ArrowUnit::Millisecond => moment(TimeUnit::Milli, primitive::<TimestampMillisecondType>(array, row)),
        ArrowUnit::Microsecond => moment(TimeUnit::Micro, primitive::<TimestampMicrosecondType>(array, row)),
        ArrowUnit::Nanosecond => moment(TimeUnit::Nano, primitive::<TimestampNanosecondType>(array, row)),
    }
}

fn moment(unit: TimeUnit, ticks: i64) -> Json {
    unit.format(Time(ticks)).into()
}

fn list(values: &dyn Array) -> Json {
    (0..values.len()).map(|row| cell(values, row)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampSecondArray, UInt64Array};

    use super::*;

    #[test]
    fn cells_lose_nothing() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("text", Arc::new(StringArray::from(vec![Some("a"), None]))),
            ("large", Arc::new(UInt64Array::from(vec![1 << 53, (1 << 53) + 1]))),
            ("small", Arc::new(Int64Array::from(vec![-5, i64::MIN]))),
            ("float", Arc::new(Float64Array::from(vec![1.5, f64::NEG_INFINITY]))),
            ("time", Arc::new(TimestampSecondArray::from(vec![0, 86_400]).with_timezone("UTC"))),
        ];
        let batch = RecordBatch::try_from_iter(columns).expect("a batch");
        let read: Vec<Json> = rows(&batch).map(Json::from).collect();
        assert_eq!(read[0], json!(["a", 9_007_199_254_740_992u64, -5, 1.5, "1970-01-01T00:00:00Z"]));
        assert_eq!(
            read[1],
            json!([null, "9007199254740993", "-9223372036854775808", "-Infinity", "1970-01-02T00:00:00Z"])
        );
    }
}
