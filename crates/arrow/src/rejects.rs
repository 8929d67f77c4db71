//! Records that a load refused, as a table.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use timeweft::load::Reject;

/// The rejected records with their reasons in words and their rows as JSON texts, where these are known: `file`, `row` (the line
/// of a text, from 1; null where there is none), `reason`, `record`.
pub fn rejects<'a>(told: impl IntoIterator<Item = (&'a Reject, String, Option<&'a str>)>) -> RecordBatch {
    let (mut files, mut rows, mut reasons, mut records) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (reject, reason, record) in told {
        records.push(record);
        files.push(reject.place.file.to_string());
        rows.push(Some(reject.place.line).filter(|row| *row > 0));
        reasons.push(reason);
    }
    let n = rows.len();
    let schema = Schema::new(vec![
        Field::new("file", DataType::Utf8, false),
        Field::new("row", DataType::UInt64, true),
        Field::new("reason", DataType::Utf8, false),
        Field::new("record", DataType::Utf8, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(files)),
        Arc::new(UInt64Array::from(rows)),
        Arc::new(StringArray::from(reasons)),
        Arc::new(StringArray::from(records)),
    ];
    let schema = Arc::new(schema);
    let made = RecordBatch::try_new(schema.clone(), columns);
    debug_assert!(made.is_ok(), "{n} rows in each column");
    made.unwrap_or_else(|_| RecordBatch::new_empty(schema))
}
