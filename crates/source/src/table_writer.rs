//! Answers as tables in files: JSON lines or Parquet, the same rows with the same columns in both.
//!
//! ```
//! use timeweft_source::table_writer::{Cell, CellKind, Column, TableFormat, TableWriter};
//!
//! let columns = vec![Column::new("root", CellKind::Int), Column::nullable("key", CellKind::Text)];
//! let mut table = TableWriter::new(TableFormat::Jsonl, columns, &[], Vec::new())?;
//! table.row([Cell::Int(0), Cell::Null])?;
//! table.row([Cell::Int(1), Cell::Text("a".into())])?;
//! assert_eq!(table.finish()?, b"{\"root\":0,\"key\":null}\n{\"root\":1,\"key\":\"a\"}\n");
//! # Ok::<(), std::io::Error>(())
//! ```

#[cfg(feature = "columnar")]
mod parquet;

use std::io::{self, Write};
use std::path::Path;

use timeweft_graph::{ExternalId, FeatureKind, Name, Value};

/// How a table is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableFormat {
    /// One JSON object a row, a member a column.
    Jsonl,
    /// Apache Parquet, compressed.
    Parquet,
}

impl TableFormat {
    /// The format that a file name tells: `.jsonl`, `.ndjson` (also `-`, standard output) or `.parquet`.
    pub fn of(path: &Path) -> Option<TableFormat> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl" | "ndjson") => Some(TableFormat::Jsonl),
            Some("parquet") => Some(TableFormat::Parquet),
            None if path == Path::new("-") => Some(TableFormat::Jsonl),
            _ => None,
        }
    }
}

/// A column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name, unlike all others of its table.
    pub name: Name,
    /// What its cells hold.
    pub kind: CellKind,
    /// Whether a cell may be [`Cell::Null`].
    pub nullable: bool,
}

impl Column {
    /// A column without empty cells.
    pub fn new(name: &str, kind: CellKind) -> Column {
        Column { name: name.into(), kind, nullable: false }
    }

    /// A column in which cells may be empty.
    pub fn nullable(name: &str, kind: CellKind) -> Column {
        Column { name: name.into(), kind, nullable: true }
    }
}

/// What the cells of a column hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CellKind {
    /// Whole numbers.
    Int,
    /// Numbers of 64 bits.
    Float,
    /// Truth values.
    Bool,
    /// Texts.
    Text,
    /// Ids: in JSON a number where one reads as a number, in Parquet always a text.
    Id,
    /// Values of a feature of this kind. In Parquet numbers keep their type (`f16` is widened to 32 bits), lists of them
    /// are lists, and sparse and JSON values, also where the column is [`FeatureKind::Json`] for others, are JSON texts.
    Value(FeatureKind),
}

/// A cell.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Cell {
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(Name),
    Id(ExternalId),
    Value(Box<Value>),
}

impl<T> From<Option<T>> for Cell
where
    Cell: From<T>,
{
    fn from(cell: Option<T>) -> Cell {
        cell.map_or(Cell::Null, Cell::from)
    }
}

macro_rules! cell_from {
    ($($type:ty => $make:expr;)*) => {
        $(impl From<$type> for Cell {
            fn from(value: $type) -> Cell {
                $make(value)
            }
        })*
    };
}

cell_from! {
    i64 => Cell::Int;
    f64 => Cell::Float;
    bool => Cell::Bool;
    Name => Cell::Text;
    ExternalId => Cell::Id;
    Value => |value| Cell::Value(Box::new(value));
}

/// Rows are handed on in so many at once: the row groups of a Parquet file, so that its bytes do not depend on how its
/// rows came.
const GROUP: usize = 1 << 17;

/// Rows of JSON are handed on sooner.
const LINES: usize = 1 << 10;

/// Writes a table, row after row.
pub struct TableWriter<W: Write + Send> {
    columns: Vec<Column>,
    /// Rows to be written, one after another.
    cells: Vec<Cell>,
    /// Cells that are handed on at once.
    full: usize,
    n_rows: u64,
    out: Out<W>,
}

enum Out<W: Write + Send> {
    Jsonl {
        out: W,
        names: Vec<String>,
        line: Vec<u8>,
    },
    #[cfg(feature = "columnar")]
    Parquet(parquet::ParquetTable<W>),
}

impl<W: Write + Send> TableWriter<W> {
    /// Begins a table with these columns. `facts` are names and texts that a Parquet file carries beside its rows.
    ///
    /// # Errors
    /// If nothing can be written, or this build writes no Parquet.
    pub fn new(
        format: TableFormat,
        columns: Vec<Column>,
        facts: &[(&str, String)],
        out: W,
    ) -> io::Result<TableWriter<W>> {
        let (out, rows) = match format {
            TableFormat::Jsonl => {
                let start = |at: usize| if at == 0 { "{" } else { "," };
                let name = |(at, column): (usize, &Column)| Ok(start(at).to_owned() + &to_json(&column.name)? + ":");
                let names = columns.iter().enumerate().map(name).collect::<io::Result<_>>()?;
                (Out::Jsonl { out, names, line: Vec::new() }, LINES)
            }
            #[cfg(feature = "columnar")]
            TableFormat::Parquet => (Out::Parquet(parquet::ParquetTable::new(&columns, facts, out)?), GROUP),
            #[cfg(not(feature = "columnar"))]
            TableFormat::Parquet => {
                let problem = "this build writes no Parquet: build it with that feature, or write JSON lines";
                return Err(io::Error::new(io::ErrorKind::Unsupported, problem));
            }
        };
        let full = rows * columns.len();
        Ok(TableWriter { columns, cells: Vec::new(), full, n_rows: 0, out })
    }

    /// Adds a row: a cell for each column.
    ///
    /// # Errors
    /// If nothing can be written, or the cells are not those of the columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> io::Result<()> {
        let before = self.cells.len();
        self.cells.extend(cells);
        if self.cells.len() - before != self.columns.len() {
            return Err(misfit("a row has other columns than its table"));
        }
        self.n_rows += 1;
        if self.cells.len() >= self.full { self.flush() } else { Ok(()) }
    }

    /// Rows so far.
    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// Writes what is left, and the end of the file.
    ///
    /// # Errors
    /// If nothing can be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        match self.out {
            Out::Jsonl { mut out, .. } => out.flush().map(|()| out),
            #[cfg(feature = "columnar")]
            Out::Parquet(table) => table.finish(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.cells.is_empty() {
            match &mut self.out {
                Out::Jsonl { out, names, line } => {
                    for row in self.cells.chunks(names.len()) {
                        line.clear();
                        write_json(line, names, row)?;
                        out.write_all(line)?;
                    }
                }
                #[cfg(feature = "columnar")]
                Out::Parquet(table) => table.write(&self.columns, &self.cells)?,
            }
        }
        self.cells.clear();
        Ok(())
    }
}

fn write_json(line: &mut Vec<u8>, names: &[String], row: &[Cell]) -> io::Result<()> {
    for (name, cell) in names.iter().zip(row) {
        line.extend_from_slice(name.as_bytes());
        match cell {
            Cell::Null => line.extend_from_slice(b"null"),
            Cell::Int(number) => serde_json::to_writer(&mut *line, number)?,
            Cell::Float(number) => serde_json::to_writer(&mut *line, number)?,
            Cell::Bool(truth) => serde_json::to_writer(&mut *line, truth)?,
            Cell::Text(text) => serde_json::to_writer(&mut *line, &**text)?,
            Cell::Id(id) => serde_json::to_writer(&mut *line, id)?,
            Cell::Value(value) => serde_json::to_writer(&mut *line, &value.to_json())?,
        }
    }
    line.extend_from_slice(b"}\n");
    Ok(())
}

fn to_json(text: &str) -> io::Result<String> {
    Ok(serde_json::to_string(text)?)
}

fn misfit(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}
