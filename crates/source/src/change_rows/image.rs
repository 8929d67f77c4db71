//! A row inside of another: what a JSON object in a cell holds.

use timeweft_graph::FeatureKind;

use crate::SourceError;
use crate::tables::Cell;
use crate::tables::json_lines::JsonObject;
use crate::tables::kind::Kind;
use crate::tables::rows::Rows;

/// The members of a JSON object as the columns of a row.
#[derive(Default)]
pub(super) struct Image {
    object: JsonObject,
    line: u64,
}

impl Image {
    /// Takes the place of the image before.
    pub(super) fn set(&mut self, text: &str, line: u64) -> Result<(), String> {
        self.line = line;
        self.object.set(text)
    }
}

impl Rows for Image {
    fn columns(&self) -> &[String] {
        self.object.columns()
    }

    fn declared(&self, _: usize) -> Option<Kind> {
        None
    }

    /// An image is one row, and it is set.
    fn advance(&mut self) -> Result<Option<Result<(), String>>, SourceError> {
        Ok(None)
    }

    fn line(&self) -> u64 {
        self.line
    }

    fn cell(&self, column: usize) -> Cell<'_> {
        self.object.cell(column)
    }

    fn kind_ahead(&self, _: usize) -> Option<Kind> {
        Some(Kind::Plain(FeatureKind::Json))
    }

    fn present(&self) -> Option<&[usize]> {
        Some(self.object.present())
    }

    fn column(&mut self, name: &str) -> Option<usize> {
        Some(self.object.place(name))
    }
}

/// A cell by the name of its column; empty where there is no such column.
pub(super) fn cell<'r>(rows: &'r mut dyn Rows, name: &str) -> Cell<'r> {
    match rows.column(name) {
        Some(at) => rows.cell(at),
        None => Cell::Null,
    }
}

/// A cell as text: a word, a number, a truth value; `None` if it is empty or holds something else.
pub(super) fn text(rows: &mut dyn Rows, name: &str) -> Option<String> {
    match cell(rows, name) {
        Cell::Bool(truth) => Some(truth.to_string()),
        Cell::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Cell::Json(raw) if matches!(&*raw, "true" | "false") => Some(raw.into_owned()),
        other => other.id().ok().flatten().map(|text| text.into_owned()),
    }
}

/// A whole number in a cell.
pub(super) fn number(rows: &mut dyn Rows, name: &str) -> Option<i128> {
    text(rows, name)?.parse().ok()
}

/// The JSON object that a cell holds, as itself or as text; `None` if there is none.
pub(super) fn object(
    rows: &mut dyn Rows,
    name: &str,
    unit: timeweft_graph::TimeUnit,
) -> Result<Option<String>, String> {
    let text = match cell(rows, name) {
        Cell::Null => return Ok(None),
        Cell::Json(raw) if raw.starts_with('"') => crate::text::json::parse::<String>(&raw)?,
        Cell::Json(raw) => raw.into_owned(),
        Cell::Text(text) => text.to_owned(),
        Cell::String(text) => text.into_owned(),
        Cell::Nested(nested) => nested.json(unit)?.to_string(),
        _ => return Ok(None),
    };
    let text = text.trim();
    Ok((text.starts_with('{')).then(|| text.to_owned()))
}
