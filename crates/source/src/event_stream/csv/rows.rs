//! Rows of cells with their place.

use std::io::BufRead;

use csv::{Reader, ReaderBuilder, StringRecord};
use timeweft_graph::{Name, Place, Reject};

use super::Delimiter;
use crate::SourceError;
use crate::event_stream::jsonl::malformed;
use crate::input::Lines;

/// Why a row could not be had.
pub(crate) enum Problem {
    /// This row alone.
    Row(Reject),
    /// All that follows.
    Source(SourceError),
}

/// The rows of a table; the cells are kept until the next row.
pub(crate) struct Rows<R> {
    cutter: Cutter<R>,
    file: Name,
    cells: StringRecord,
}

enum Cutter<R> {
    Csv(Box<Reader<R>>),
    Words(Lines<R>),
}

impl<R: BufRead> Rows<R> {
    pub(crate) fn new(reader: R, file: &Name, delimiter: Delimiter) -> Rows<R> {
        let cutter = match delimiter {
            Delimiter::Whitespace => Cutter::Words(Lines::new(reader, file)),
            Delimiter::Byte(byte) => {
                let mut builder = ReaderBuilder::new();
                builder.has_headers(false).flexible(true).delimiter(byte);
                Cutter::Csv(Box::new(builder.from_reader(reader)))
            }
        };
        Rows { cutter, file: file.clone(), cells: StringRecord::new() }
    }

    /// Reads the first row as names of columns.
    pub(crate) fn header(&mut self) -> Result<Vec<String>, SourceError> {
        let problem = match self.advance() {
            Ok(Some(_)) => return Ok(self.cells.iter().map(str::to_owned).collect()),
            Ok(None) => "there is no header: the source is empty".to_owned(),
            Err(Problem::Row(reject)) => reject.reason.to_string(),
            Err(Problem::Source(error)) => return Err(error),
        };
        Err(SourceError::Columns { file: self.file.clone(), problem, columns: "none".into() })
    }

    /// The cells of the row read last.
    pub(crate) fn cells(&self) -> &StringRecord {
        &self.cells
    }

    /// Reads the next row that is not blank; `None` at the end.
    pub(crate) fn advance(&mut self) -> Result<Option<Place>, Problem> {
        match &mut self.cutter {
            Cutter::Csv(reader) => {
                let more = reader.read_record(&mut self.cells).map_err(|error| problem(&self.file, error))?;
                let line = self.cells.position().map_or(0, csv::Position::line);
                Ok(more.then(|| Place::new(&self.file, line)))
            }
            Cutter::Words(lines) => loop {
                if !lines.advance().map_err(Problem::Source)? {
                    return Ok(None);
                }
                let place = lines.place();
                let text = lines.text().map_err(Problem::Row)?;
                if !text.trim().is_empty() {
                    self.cells.clear();
                    text.split_ascii_whitespace().for_each(|word| self.cells.push_field(word));
                    return Ok(Some(place));
                }
            },
        }
    }
}

fn problem(file: &Name, error: csv::Error) -> Problem {
    let line = error.position().map_or(0, csv::Position::line);
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(cause) => Problem::Source(SourceError::Read { file: file.clone(), line, cause }),
        _ => Problem::Row(malformed(&Place::new(file, line), format!("{text}: convert the file to UTF-8"))),
    }
}
