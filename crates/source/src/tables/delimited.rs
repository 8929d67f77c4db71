//! Rows of delimited text.

use std::io::Read;

use rustc_hash::FxHashMap;
use timeweft_graph::Name;

use super::cell::Cell;
use super::kind::Kind;
use super::mapping::FileSpec;
use super::rows::Rows;
use crate::SourceError;
use crate::text::delimited::{Delimiter, Dialect, Mark, Records};

/// The dialect that an entry of a mapping describes.
pub(super) fn dialect(spec: &FileSpec<'_>, delimiter: u8, null: Option<&[String]>) -> Result<Dialect, String> {
    let dialect = Dialect {
        quote: mark("quote", spec.quote)?,
        escape: mark("escape", spec.escape)?,
        comment: spec.comment.map(<[String]>::to_vec),
        header: spec.header,
        null: spec.null.or(null).map_or_else(|| vec![String::new()], <[String]>::to_vec),
        ..Dialect::new(Delimiter::Byte(delimiter))
    };
    dialect.check()?;
    Ok(dialect)
}

fn mark(name: &str, given: Option<&str>) -> Result<Mark, String> {
    match given.map(str::as_bytes) {
        None => Ok(Mark::Natural),
        Some(b"none") => Ok(Mark::Absent),
        Some([byte]) => Ok(Mark::Byte(*byte)),
        Some(_) => Err(format!("`{name}` must be one ASCII character, or \"none\"")),
    }
}

/// Cells between delimiters.
pub(super) struct TextRows<R> {
    records: Records<R>,
    file: Name,
    columns: Vec<String>,
    places: FxHashMap<String, usize>,
    null: Vec<String>,
}

impl<R: Read> TextRows<R> {
    pub(super) fn new(
        input: R,
        file: &Name,
        dialect: &Dialect,
        columns: Option<&[String]>,
    ) -> Result<TextRows<R>, SourceError> {
        let records = Records::new(input, file, dialect)?;
        let mut rows = TextRows {
            records,
            file: file.clone(),
            columns: Vec::new(),
            places: FxHashMap::default(),
            null: dialect.null.clone(),
        };
        let header = match dialect.header.unwrap_or(columns.is_none()) {
            true => Some(rows.header()?),
            false => None,
        };
        rows.columns = match (columns, header) {
            (Some(columns), _) => columns.to_vec(),
            (None, Some(header)) => header,
            (None, None) => return Err(rows.fail("there is no header: name the columns in `columns`".into())),
        };
        let mut places = FxHashMap::default();
        let mut columns = rows.columns.iter().enumerate();
        let repeated = columns.position(|(at, name)| places.insert(name.clone(), at).is_some());
        rows.places = places;
        match repeated {
            Some(at) => Err(rows.fail(format!("column `{}` is there twice", rows.columns[at]))),
            None => Ok(rows),
        }
    }

    fn header(&mut self) -> Result<Vec<String>, SourceError> {
        match self.records.advance()? {
            Some(Ok(())) => {}
            Some(Err(problem)) => return Err(self.fail(problem)),
            None => {
                let problem = "there is no header: the file is empty; give a first line that names the columns";
                return Err(self.fail(problem.into()));
            }
        }
        let names = (0..self.records.n_cells()).map(|at| self.records.text(at).map(|name| name.trim().to_owned()));
        names
            .collect::<Result<_, _>>()
            .map_err(|_| self.fail("the header is not UTF-8 text: save the file as UTF-8".into()))
    }

    fn fail(&self, problem: String) -> SourceError {
        let columns = if self.columns.is_empty() { "none".into() } else { self.columns.join(", ") };
        SourceError::Columns { file: self.file.clone(), problem, columns }
    }
}

impl<R: Read> Rows for TextRows<R> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn column(&mut self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    fn declared(&self, _: usize) -> Option<Kind> {
        Some(Kind::TEXT)
    }

    fn advance(&mut self) -> Result<Option<Result<(), String>>, SourceError> {
        let Some(row) = self.records.advance()? else { return Ok(None) };
        let (found, expected) = (self.records.n_cells(), self.columns.len());
        Ok(Some(row.and_then(|()| match found == expected {
            true => Ok(()),
            false => Err(format!("{found} cells, but {expected} columns{}", self.records.hint())),
        })))
    }

    fn line(&self) -> u64 {
        self.records.line()
    }

    fn notes(&self) -> Vec<String> {
        self.records.notes()
    }

    /// A word that says that there is no value says so without quotes; an empty cell does with them too, as programs write
    /// it that quote all cells.
    fn cell(&self, column: usize) -> Cell<'_> {
        match self.records.cell(column) {
            Some((text, is_quoted)) if (text.is_empty() || !is_quoted) && self.null.iter().any(|null| null == text) => {
                Cell::Null
            }
            Some((text, _)) => Cell::Text(text),
            None => Cell::Invalid("not UTF-8 text: convert the file to UTF-8".into()),
        }
    }
}
