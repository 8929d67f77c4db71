//! The rows that a load refused, as they stand in their source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value as Json};
use timeweft_graph::{Name, Reject, TimeUnit, Value};

use crate::Frame;
use crate::tables::Cell;
use crate::tables::columnar::{ColumnarRows, Form};
use crate::tables::rows::Rows as _;
use crate::text::byte_lines::ByteLines;
use crate::{SourceError, plain_name};

/// Rows by their numbers, as JSON texts.
type Found = BTreeMap<u64, String>;

/// The row of each reject as a JSON text: of a data frame, a Parquet or an Arrow file an object of its columns, with times
/// of the calendar as texts; of other files the line, as it is where it is JSON, else as a text. None where the source cannot
/// be read again: a stream, standard input, a repository.
///
/// It reads each source again, up to the last of these rows. `frames` are those that the load read.
pub fn refused_rows(rejects: &[Reject], frames: &[Frame]) -> Vec<Option<String>> {
    let mut wanted: BTreeMap<&Name, BTreeSet<u64>> = BTreeMap::new();
    for reject in rejects.iter().filter(|reject| reject.place.line > 0) {
        wanted.entry(&reject.place.file).or_default().insert(reject.place.line);
    }
    // That a source cannot be read any more is no error of the load, which is over.
    let found: BTreeMap<&Name, Found> =
        wanted.iter().filter_map(|(file, lines)| Some((*file, rows_of(file, lines, frames)?.ok()?))).collect();
    rejects.iter().map(|reject| found.get(&reject.place.file)?.get(&reject.place.line).cloned()).collect()
}

fn rows_of(file: &Name, lines: &BTreeSet<u64>, frames: &[Frame]) -> Option<Result<Found, SourceError>> {
    if let Some(frame) = frames.iter().find(|frame| frame.name() == file) {
        return frame.can_reread().then(|| columnar(ColumnarRows::of_frame(frame)?, lines));
    }
    let path = Path::new(&**file);
    if !path.is_file() {
        return None;
    }
    let name = plain_name(path);
    Some(match name.rsplit_once('.').and_then(|(_, ending)| Form::of(ending)) {
        Some(form) => ColumnarRows::open(path, form).and_then(|(_, rows)| columnar(rows, lines)),
        None => texts(path, lines),
    })
}

fn columnar(mut rows: ColumnarRows, lines: &BTreeSet<u64>) -> Result<Found, SourceError> {
    let mut found = Found::new();
    let columns = rows.columns().to_vec();
    // What cannot be read is told in its cells.
    (0..columns.len()).for_each(|at| _ = rows.want(at));
    while found.len() < lines.len() && rows.advance()?.is_some() {
        if lines.contains(&rows.line()) {
            let cells = columns.iter().enumerate().map(|(at, name)| (name.clone(), json(rows.cell(at))));
            found.insert(rows.line(), Json::Object(cells.collect::<Map<_, _>>()).to_string());
        }
    }
    Ok(found)
}

/// A cell as JSON. Numbers that JSON has no word for are texts.
fn json(cell: Cell<'_>) -> Json {
    match cell {
        Cell::Value(Value::Bytes(bytes)) => String::from_utf8_lossy(&bytes).into(),
        Cell::Value(value) => {
            let text = value.to_string();
            serde_json::from_str(&text).unwrap_or(Json::String(text))
        }
        other => other.json(TimeUnit::Step).unwrap_or_else(Json::String),
    }
}

fn texts(path: &Path, lines: &BTreeSet<u64>) -> Result<Found, SourceError> {
    let mut found = Found::new();
    let mut read = ByteLines::open(path)?;
    while found.len() < lines.len() && read.advance()? {
        if lines.contains(&read.line()) {
            let text = String::from_utf8_lossy(read.bytes());
            let text = text.trim_end_matches(['\r', '\n']);
            let is_json = text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<Json>(text).is_ok();
            found
                .insert(read.line(), if is_json { text.to_owned() } else { Json::String(text.to_owned()).to_string() });
        }
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, RecordBatch, RecordBatchIterator, StringArray, TimestampSecondArray};
    use timeweft_graph::{Place, Reason};

    use super::*;

    fn reject(file: &str, line: u64) -> Reject {
        Reject { place: Place::new(&file.into(), line), reason: Reason::Malformed(String::new()) }
    }

    #[test]
    fn rows_are_json_whatever_they_stand_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("a.csv"), "src,dst\n1,2\r\n\"x\",3\n").unwrap();
        std::fs::write(path("b.jsonl"), "{\"time\": 1}\n{\"time\":\n").unwrap();
        let columns: [(&str, ArrayRef); 3] = [
            ("id", Arc::new(Float64Array::from(vec![Some(1.5), Some(f64::NAN), None]))),
            ("at", Arc::new(TimestampSecondArray::from(vec![0, 60, 0]))),
            ("text", Arc::new(StringArray::from(vec!["a\"b", "", "c"]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let schema = batch.schema();
        let again = move || -> Result<crate::frame::Batches, arrow_schema::ArrowError> {
            let batches = [batch.slice(0, 1), batch.slice(1, 2)].map(Ok);
            Ok(Box::new(RecordBatchIterator::new(batches, schema.clone())))
        };
        let frames = [Frame::again("frame", again).unwrap()];
        let (csv, jsonl) = (path("a.csv"), path("b.jsonl"));
        let (csv, jsonl) = (csv.to_string_lossy(), jsonl.to_string_lossy());
        let rejects = [
            reject(&csv, 2),
            reject(&csv, 3),
            reject(&csv, 9),
            reject(&jsonl, 1),
            reject(&jsonl, 2),
            reject("frame", 1),
            reject("frame", 2),
            reject("frame", 3),
            reject("<stdin>", 1),
            reject(&csv, 0),
        ];
        let told = refused_rows(&rejects, &frames);
        let told: Vec<_> = told.iter().map(Option::as_deref).collect();
        let expected = [
            Some(r#""1,2""#),
            Some(r#""\"x\",3""#),
            None,
            Some(r#"{"time": 1}"#),
            Some(r#""{\"time\":""#),
            Some(r#"{"at":"1970-01-01T00:00:00Z","id":1.5,"text":"a\"b"}"#),
            Some(r#"{"at":"1970-01-01T00:01:00Z","id":"nan","text":""}"#),
            Some(r#"{"at":"1970-01-01T00:00:00Z","id":null,"text":"c"}"#),
            None,
            None,
        ];
        assert_eq!(told, expected);
    }
}
