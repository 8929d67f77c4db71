//! Rows of JSON lines.

use std::io::BufRead;
use std::ops::Range;
use std::path::PathBuf;

use rustc_hash::FxHashMap;
use timeweft_graph::{FeatureKind, Name};

use super::cell::Cell;
use super::kind::Kind;
use super::rows::Rows;
use crate::text::json::{Members, parse};
use crate::text::lines::Lines;
use crate::{SourceError, open};

/// The members of one JSON object after the other; a member is a column.
#[derive(Default)]
pub(crate) struct JsonObject {
    text: String,
    columns: Vec<String>,
    places: FxHashMap<String, usize>,
    /// Where the cells of the object stand in its text.
    cells: Vec<Option<Range<usize>>>,
    present: Vec<usize>,
}

impl JsonObject {
    /// Takes the place of the object before.
    pub(crate) fn set(&mut self, text: &str) -> Result<(), String> {
        self.text.clear();
        self.text.push_str(text);
        self.cut()
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The place of a column; one that no object has had yet gets a place.
    pub(crate) fn place(&mut self, name: &str) -> usize {
        if let Some(known) = self.places.get(name) {
            return *known;
        }
        self.columns.push(name.to_owned());
        self.places.insert(name.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
    }

    pub(crate) fn cell(&self, column: usize) -> Cell<'_> {
        let range = self.cells.get(column).cloned().flatten();
        match range.and_then(|range| self.text.get(range)) {
            None | Some("null") => Cell::Null,
            Some(raw) => Cell::Json(raw.into()),
        }
    }

    pub(crate) fn present(&self) -> &[usize] {
        &self.present
    }

    fn cut(&mut self) -> Result<(), String> {
        let text = std::mem::take(&mut self.text);
        while let Some(at) = self.present.pop() {
            self.cells[at] = None;
        }
        let members = parse::<Members<'_>>(&text).map(|members| {
            for (name, raw) in members.0 {
                let at = self.place(&name);
                let start = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
                self.cells.resize(self.cells.len().max(at + 1), None);
                self.cells[at] = Some(start..start + raw.get().len());
                self.present.push(at);
            }
        });
        self.text = text;
        members
    }
}

/// One JSON object a line.
pub(super) struct JsonRows<R> {
    /// The file, to look ahead in it.
    path: PathBuf,
    lines: Lines<R>,
    object: JsonObject,
}

impl<R: BufRead> JsonRows<R> {
    pub(super) fn new(reader: R, file: &Name, path: PathBuf) -> JsonRows<R> {
        JsonRows { path, lines: Lines::new(reader, file), object: JsonObject::default() }
    }
}

impl<R: BufRead> Rows for JsonRows<R> {
    fn columns(&self) -> &[String] {
        self.object.columns()
    }

    fn declared(&self, _: usize) -> Option<Kind> {
        None
    }

    fn advance(&mut self) -> Result<Option<Result<(), String>>, SourceError> {
        while self.lines.advance()? {
            let text = match self.lines.text() {
                Ok(text) => text.trim(),
                Err(reject) => return Ok(Some(Err(reject.reason.to_string()))),
            };
            if !text.is_empty() {
                return Ok(Some(self.object.set(text)));
            }
        }
        Ok(None)
    }

    fn line(&self) -> u64 {
        self.lines.line()
    }

    fn cell(&self, column: usize) -> Cell<'_> {
        self.object.cell(column)
    }

    /// The first value of the column that shows what it is; where none does, empty lists are JSON.
    fn kind_ahead(&self, column: usize) -> Option<Kind> {
        let (name, input) = (self.columns().get(column)?, open(&self.path).ok()?);
        let file = input.name().clone();
        let mut ahead = JsonRows::new(input, &file, self.path.clone());
        while let Ok(Some(row)) = ahead.advance() {
            let at = ahead.object.places.get(name).copied();
            let shown = at.filter(|_| row.is_ok()).and_then(|at| ahead.cell(at).looks_like().ok().flatten());
            if shown.is_some() {
                return shown;
            }
        }
        Some(Kind::Plain(FeatureKind::Json))
    }

    fn present(&self) -> Option<&[usize]> {
        Some(self.object.present())
    }

    fn column(&mut self, name: &str) -> Option<usize> {
        Some(self.object.place(name))
    }
}
