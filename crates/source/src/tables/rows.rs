//! Rows of tables in files of any format.

use std::io::BufRead;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use timeweft_graph::{FeatureKind, Name};

use super::cell::Cell;
use super::kind::Kind;
use super::mapping::FileSpec;
use super::text;
use crate::input::{Lines, plain_name};
use crate::text::json::{Members, parse};
use crate::{SourceError, open};

/// Reads row after row.
pub(crate) trait Rows {
    /// Names of the columns known so far; their places do not change.
    fn columns(&self) -> &[String];

    /// The kind that the file declares for a column.
    fn declared(&self, column: usize) -> Option<Kind>;

    /// Asks for the cells of a column; to be said before the first row is read. Why it cannot be read is told without the
    /// name of the column.
    fn want(&mut self, _column: usize) -> Result<(), String> {
        Ok(())
    }

    /// Reads the next row: `None` at the end, a problem for a row that cannot be read.
    fn advance(&mut self) -> Result<Option<Result<(), String>>, SourceError>;

    /// Where the row stands, counted from 1.
    fn line(&self) -> u64;

    /// What was chosen where the file leaves it open, for people. Ask when all rows are read.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// A cell of the row.
    fn cell(&self, column: usize) -> Cell<'_>;

    /// The kind of a column whose cells so far do not show it, such as empty lists, by what follows.
    fn kind_ahead(&self, _column: usize) -> Option<Kind> {
        None
    }

    /// The columns of the cells that the row has, where most rows lack most columns; `None` if it may have all.
    fn present(&self) -> Option<&[usize]> {
        None
    }

    /// The place of a column; one that an open table has not had yet gets a place.
    fn column(&mut self, name: &str) -> Option<usize>;
}

/// Opens the file of an entry.
pub(super) fn rows(
    spec: &FileSpec<'_>,
    root: &Path,
    null: Option<&[String]>,
) -> Result<(Name, Box<dyn Rows>), SourceError> {
    let path = root.join(spec.file);
    let plain = plain_name(&path);
    let format = spec.format.unwrap_or_else(|| plain.rsplit('.').next().unwrap_or_default());
    let unrecognised =
        |problem: String| SourceError::Unrecognised { path: path.clone(), as_what: "a version", problem };
    let delimiter = match (format, spec.delimiter.map(str::as_bytes)) {
        ("csv" | "tsv" | "txt", Some([one])) => *one,
        ("csv" | "tsv" | "txt", Some(_)) => {
            return Err(unrecognised("the delimiter must be one ASCII character".into()));
        }
        ("tsv", None) => b'\t',
        ("csv", None) => b',',
        ("jsonl" | "ndjson", _) => {
            let input = open(&path)?;
            let name = input.name().clone();
            return Ok((name.clone(), Box::new(JsonRows::new(input, &name, path))));
        }
        #[cfg(feature = "columnar")]
        (format, _) if let Some(form) = super::columnar::Form::of(format) => {
            let (name, rows) = super::columnar::ColumnarRows::open(&path, form)?;
            return Ok((name, Box::new(rows)));
        }
        #[cfg(not(feature = "columnar"))]
        ("parquet" | "arrow" | "feather", _) => {
            return Err(unrecognised("this build reads no Parquet and no Arrow: build it with `columnar`".into()));
        }
        _ => {
            let known = "expected `.csv`, `.tsv`, `.jsonl`, `.parquet` or `.arrow`, or `format` (and `delimiter`) in the mapping";
            return Err(unrecognised(format!("unknown kind of table `{format}`: {known}")));
        }
    };
    let input = open(&path)?;
    let name = input.name().clone();
    let dialect = text::dialect(spec, delimiter, null).map_err(unrecognised)?;
    Ok((name.clone(), Box::new(text::TextRows::new(input, &name, &dialect, spec.columns)?)))
}

/// One JSON object a line; a member is a column.
struct JsonRows<R> {
    /// The file, to look ahead in it.
    path: PathBuf,
    lines: Lines<R>,
    text: String,
    columns: Vec<String>,
    places: FxHashMap<String, usize>,
    /// Where the cells of the row stand in its text.
    cells: Vec<Option<Range<usize>>>,
    present: Vec<usize>,
}

impl<R: BufRead> JsonRows<R> {
    fn new(reader: R, file: &Name, path: PathBuf) -> JsonRows<R> {
        JsonRows {
            path,
            lines: Lines::new(reader, file),
            text: String::new(),
            columns: Vec::new(),
            places: FxHashMap::default(),
            cells: Vec::new(),
            present: Vec::new(),
        }
    }

    fn place(&mut self, name: &str) -> usize {
        if let Some(known) = self.places.get(name) {
            return *known;
        }
        self.columns.push(name.to_owned());
        self.places.insert(name.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
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

impl<R: BufRead> Rows for JsonRows<R> {
    fn columns(&self) -> &[String] {
        &self.columns
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
                self.text.clear();
                self.text.push_str(text);
                return Ok(Some(self.cut()));
            }
        }
        Ok(None)
    }

    fn line(&self) -> u64 {
        self.lines.line()
    }

    fn cell(&self, column: usize) -> Cell<'_> {
        let range = self.cells.get(column).cloned().flatten();
        match range.and_then(|range| self.text.get(range)) {
            None | Some("null") => Cell::Null,
            Some(raw) => Cell::Json(raw.into()),
        }
    }

    /// The first value of the column that shows what it is; where none does, empty lists are JSON.
    fn kind_ahead(&self, column: usize) -> Option<Kind> {
        let (name, input) = (self.columns.get(column)?, open(&self.path).ok()?);
        let file = input.name().clone();
        let mut ahead = JsonRows::new(input, &file, self.path.clone());
        while let Ok(Some(row)) = ahead.advance() {
            let at = ahead.places.get(name).copied();
            let shown = at.filter(|_| row.is_ok()).and_then(|at| ahead.cell(at).looks_like().ok().flatten());
            if shown.is_some() {
                return shown;
            }
        }
        Some(Kind::Plain(FeatureKind::Json))
    }

    fn present(&self) -> Option<&[usize]> {
        Some(&self.present)
    }

    fn column(&mut self, name: &str) -> Option<usize> {
        Some(self.place(name))
    }
}

/// Whether the file of an entry says the kinds of its columns.
pub(super) fn declares_kinds(spec: &FileSpec<'_>) -> bool {
    let name = spec.file.to_lowercase();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    let format = spec.format.unwrap_or_else(|| plain.rsplit('.').next().unwrap_or_default());
    !matches!(format, "csv" | "tsv" | "txt" | "jsonl" | "ndjson")
}
