//! Rows as JSON, and what kind of column each is: what the command line and the server print.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit as ArrowUnit};
use datafusion::arrow::compute::cast;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::Value;
use timeweft::{Time, TimeUnit};

use crate::{Error, Result};

/// What the cells of a column are, in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum ColumnKind {
    Text,
    Integer,
    Float,
    Boolean,
    Time,
    Json,
}

/// The largest whole number that every reader of JSON takes exactly: 2^53 - 1.
const EXACT: u64 = (1 << 53) - 1;

impl ColumnKind {
    /// That of a column of an answer.
    pub fn of(field: &Field) -> ColumnKind {
        let is_json = field.metadata().get("ARROW:extension:name").is_some_and(|name| name == "arrow.json");
        match field.data_type() {
            _ if is_json => ColumnKind::Json,
            of_type if of_type.is_integer() => ColumnKind::Integer,
            of_type if of_type.is_floating() => ColumnKind::Float,
            DataType::Boolean => ColumnKind::Boolean,
            DataType::Timestamp(..) => ColumnKind::Time,
            of_type if of_type.is_nested() => ColumnKind::Json,
            _ => ColumnKind::Text,
        }
    }

    /// As a word: `text`, `integer`, `float`, `boolean`, `time`, `json`.
    pub fn name(self) -> &'static str {
        match self {
            ColumnKind::Text => "text",
            ColumnKind::Integer => "integer",
            ColumnKind::Float => "float",
            ColumnKind::Boolean => "boolean",
            ColumnKind::Time => "time",
            ColumnKind::Json => "json",
        }
    }
}

/// The cells of a batch, row by row. A time is its RFC 3339 text; a whole number beyond 2^53, and a number that is none (`nan`,
/// `inf`, `-inf`), is a text; lists are arrays, and JSON is what it says.
///
/// # Errors
/// If a column cannot be shown.
pub fn json_rows(batch: &RecordBatch) -> Result<Vec<Vec<Value>>> {
    let columns = batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, array)| column(field, array))
        .collect::<Result<Vec<_>>>()?;
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    Ok((0..batch.num_rows()).map(|_| columns.iter_mut().filter_map(Iterator::next).collect()).collect())
}

fn failed(error: arrow_schema::ArrowError) -> Error {
    Error::Failed { message: error.to_string() }
}

fn column(field: &Field, array: &ArrayRef) -> Result<Vec<Value>> {
    let present = array.logical_nulls();
    let is_null = |row| present.as_ref().is_some_and(|nulls| nulls.is_null(row));
    let cells = |cell: &dyn Fn(usize) -> Value| -> Vec<Value> {
        (0..array.len()).map(|row| if is_null(row) { Value::Null } else { cell(row) }).collect()
    };
    Ok(match array.data_type() {
        DataType::Null => vec![Value::Null; array.len()],
        DataType::UInt64 => {
            let numbers = array.as_primitive::<UInt64Type>();
            cells(&|row| match numbers.value(row) {
                number if number > EXACT => number.to_string().into(),
                number => number.into(),
            })
        }
        of_type if of_type.is_integer() => {
            let numbers = cast(array, &DataType::Int64).map_err(failed)?;
            let numbers = numbers.as_primitive::<Int64Type>();
            cells(&|row| match numbers.value(row) {
                number if number.unsigned_abs() > EXACT => number.to_string().into(),
                number => number.into(),
            })
        }
        DataType::Float16 => cells(&|row| float(array.as_primitive::<Float16Type>().value(row).into())),
        // The text of a narrow number is shorter than that of the wide one next to it.
        DataType::Float32 => cells(&|row| {
            let number = array.as_primitive::<Float32Type>().value(row);
            float(number.to_string().parse().unwrap_or(number.into()))
        }),
        DataType::Float64 => cells(&|row| float(array.as_primitive::<Float64Type>().value(row))),
        DataType::Boolean => cells(&|row| array.as_boolean().value(row).into()),
        DataType::Timestamp(unit, _) => times(array, *unit, &cells),
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let inner = Field::new("element", lists.value_type(), true);
            let values = column(&inner, lists.values())?;
            let offsets = lists.value_offsets();
            cells(&|row| values[offsets[row] as usize..offsets[row + 1] as usize].into())
        }
        DataType::Struct(fields) => {
            let held = array.as_struct();
            let inner = fields.iter().zip(held.columns()).map(|(field, array)| column(field, array));
            let inner = inner.collect::<Result<Vec<_>>>()?;
            let object = |row: usize| {
                fields.iter().zip(&inner).map(|(field, cells)| (field.name().clone(), cells[row].clone())).collect()
            };
            cells(&|row| Value::Object(object(row)))
        }
        DataType::Binary => cells(&|row| {
            let bytes = array.as_binary::<i32>().value(row);
            std::str::from_utf8(bytes).map_or_else(|_| bytes.to_vec().into(), Value::from)
        }),
        DataType::Utf8 if ColumnKind::of(field) == ColumnKind::Json => cells(&|row| {
            let text = array.as_string::<i32>().value(row);
            serde_json::from_str(text).unwrap_or_else(|_| text.into())
        }),
        DataType::Utf8 => cells(&|row| array.as_string::<i32>().value(row).into()),
        _ => {
            let options = FormatOptions::default();
            let shown = ArrayFormatter::try_new(array.as_ref(), &options).map_err(failed)?;
            cells(&|row| shown.value(row).to_string().into())
        }
    })
}

fn float(number: f64) -> Value {
    let name = if number.is_nan() {
        "nan"
    } else if number > 0.0 {
        "inf"
    } else {
        "-inf"
    };
    serde_json::Number::from_f64(number).map_or_else(|| name.into(), Value::Number)
}

type Cells<'a> = &'a dyn Fn(&dyn Fn(usize) -> Value) -> Vec<Value>;

fn times(array: &ArrayRef, unit: ArrowUnit, cells: Cells<'_>) -> Vec<Value> {
    let text = |unit: TimeUnit, tick: i64| Value::from(unit.format(Time(tick)));
    match unit {
        ArrowUnit::Second => {
            cells(&|row| text(TimeUnit::Second, array.as_primitive::<TimestampSecondType>().value(row)))
        }
        ArrowUnit::Millisecond => {
            cells(&|row| text(TimeUnit::Milli, array.as_primitive::<TimestampMillisecondType>().value(row)))
        }
        ArrowUnit::Microsecond => {
            cells(&|row| text(TimeUnit::Micro, array.as_primitive::<TimestampMicrosecondType>().value(row)))
        }
        ArrowUnit::Nanosecond => {
            cells(&|row| text(TimeUnit::Nano, array.as_primitive::<TimestampNanosecondType>().value(row)))
        }
    }
}
