//! Answers as tables in files: JSON lines, Parquet or Arrow IPC, the same rows with the same columns in all.
//!
//! ```
//! use timeweft_source::table_writer::{Cell, CellKind, Column, TableFormat, TableWriter};
//!
//! let columns = vec![Column::new("root", CellKind::Int), Column::nullable("key", CellKind::Text)];
//! let mut table = TableWriter::new(TableFormat::Jsonl, columns, &[], Vec::new())?;
//! table.row([Cell::Int(0), Cell::Null])?;
//! table.row([Cell::Int(1), Cell::Text("a")])?;
//! assert_eq!(table.finish()?, b"{\"root\":0,\"key\":null}\n{\"root\":1,\"key\":\"a\"}\n");
//! # Ok::<(), std::io::Error>(())
//! ```

#[cfg(feature = "columnar")]
mod arrow;
#[cfg(feature = "columnar")]
mod batch_file;
mod chunk;
#[cfg(feature = "columnar")]
mod parquet;
#[cfg(feature = "columnar")]
mod value_column;

use std::io::{self, Write};
use std::path::Path;

use timeweft_graph::{FeatureKind, IdRef, Name, Time, TimeUnit, Value};

#[cfg(feature = "columnar")]
pub use self::arrow::{RowBatches, time_array, time_type};
#[cfg(feature = "columnar")]
pub use self::batch_file::{write_batches, write_parquet};
use self::chunk::Chunk;
#[cfg(feature = "columnar")]
pub use self::value_column::{ValueColumn, field as value_field, with_width};

/// How a table is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableFormat {
    /// One JSON object a row, a member a column.
    Jsonl,
    /// Apache Parquet, compressed.
    Parquet,
    /// An Arrow IPC file, compressed.
    Arrow,
}

impl TableFormat {
    /// The format that a file name tells: `.jsonl`, `.ndjson` (also `-`, standard output), `.parquet`, or `.arrow` and
    /// `.feather`.
    pub fn of(path: &Path) -> Option<TableFormat> {
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
        match extension.as_deref() {
            Some("jsonl" | "ndjson") => Some(TableFormat::Jsonl),
            Some("parquet" | "parq" | "pq") => Some(TableFormat::Parquet),
            Some("arrow" | "feather" | "ipc") => Some(TableFormat::Arrow),
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
    /// Times of a graph that counts in this unit: ticks in JSON.
    Time(TimeUnit),
    /// Dense numbers of nodes and edges, of 32 bits without a sign.
    Index,
    /// Numbers of 64 bits.
    Float,
    /// Truth values.
    Bool,
    /// Texts.
    Text,
    /// Lists of texts.
    Texts,
    /// Ids: in JSON a number where one reads as a number, in Parquet always a text.
    Id,
    /// Ids that are whole numbers, numbers without a sign of 64 bits in Parquet; another id is an error.
    NumberId,
    /// Values of a feature of this kind. In Parquet and Arrow numbers keep their type (in Parquet `f16` is widened to
    /// 32 bits), lists of them are lists, and sparse and JSON values, also where the column is [`FeatureKind::Json`] for others, are JSON texts.
    Value(FeatureKind),
}

/// A cell. Texts are borrowed: what a table has seen already is not copied.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Cell<'a> {
    Null,
    Int(i64),
    Index(u32),
    Float(f64),
    Bool(bool),
    Text(&'a str),
    Texts(Vec<Name>),
    Id(IdRef<'a>),
    Value(Box<Value>),
}

impl Cell<'_> {
    /// A time, as ticks; nothing for the end of time.
    pub fn time(time: Time) -> Cell<'static> {
        if time == Time::FOREVER { Cell::Null } else { Cell::Int(time.0) }
    }
}

impl<'a, T> From<Option<T>> for Cell<'a>
where
    Cell<'a>: From<T>,
{
    fn from(cell: Option<T>) -> Cell<'a> {
        cell.map_or(Cell::Null, Cell::from)
    }
}

macro_rules! cell_from {
    ($($type:ty => $make:expr;)*) => {
        $(impl<'a> From<$type> for Cell<'a> {
            fn from(value: $type) -> Cell<'a> {
                $make(value)
            }
        })*
    };
}

cell_from! {
    i64 => Cell::Int;
    f64 => Cell::Float;
    bool => Cell::Bool;
    &'a str => Cell::Text;
    &'a Name => |name: &'a Name| Cell::Text(name);
    IdRef<'a> => Cell::Id;
    Value => |value| Cell::Value(Box::new(value));
}

/// Rows that are handed on at once: the row groups of a Parquet file and the batches of an Arrow file, so that its bytes do not depend on how its
/// rows came.
#[cfg(feature = "columnar")]
const GROUP: usize = 1 << 17;

/// Rows of JSON are handed on sooner.
const LINES: usize = 1 << 10;

/// Writes a table, row after row.
pub struct TableWriter<W: Write + Send> {
    columns: Vec<Column>,
    /// Rows to be written, column by column.
    chunks: Vec<Chunk>,
    /// How many they are, and at how many they are handed on.
    held: usize,
    full: usize,
    n_rows: u64,
    out: Out<W>,
}

enum Out<W: Write + Send> {
    Jsonl {
        out: W,
        names: Vec<String>,
        lines: Vec<u8>,
    },
    #[cfg(feature = "columnar")]
    Parquet(parquet::ParquetTable<W>),
    #[cfg(feature = "columnar")]
    Arrow(Box<arrow::ArrowTable<W>>),
}

impl<W: Write + Send> TableWriter<W> {
    /// Begins a table with these columns. `facts` are names and texts that a Parquet or Arrow file carries beside its rows.
    ///
    /// # Errors
    /// If nothing can be written, or this build writes no such files.
    pub fn new(
        format: TableFormat,
        columns: Vec<Column>,
        facts: &[(&str, String)],
        out: W,
    ) -> io::Result<TableWriter<W>> {
        let (out, full) = match format {
            TableFormat::Jsonl => {
                let start = |at: usize| if at == 0 { "{" } else { "," };
                let name = |(at, column): (usize, &Column)| Ok(start(at).to_owned() + &to_json(&column.name)? + ":");
                let names = columns.iter().enumerate().map(name).collect::<io::Result<_>>()?;
                (Out::Jsonl { out, names, lines: Vec::new() }, LINES)
            }
            #[cfg(feature = "columnar")]
            TableFormat::Parquet => (Out::Parquet(parquet::ParquetTable::new(&columns, facts, out)?), GROUP),
            #[cfg(feature = "columnar")]
            TableFormat::Arrow => (Out::Arrow(Box::new(arrow::ArrowTable::new(&columns, facts, out)?)), GROUP),
            #[cfg(not(feature = "columnar"))]
            TableFormat::Parquet | TableFormat::Arrow => {
                // Lines carry no facts.
                _ = facts;
                let problem =
                    "this build writes no Parquet and no Arrow: build it with `columnar`, or write JSON lines";
                return Err(io::Error::new(io::ErrorKind::Unsupported, problem));
            }
        };
        let chunks = columns.iter().map(Chunk::new).collect();
        Ok(TableWriter { columns, chunks, held: 0, full, n_rows: 0, out })
    }

    /// Adds a row: a cell for each column.
    ///
    /// # Errors
    /// If nothing can be written, or the cells are not those of the columns.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> io::Result<()> {
        push_row(&mut self.chunks, &self.columns, cells)?;
        self.n_rows += 1;
        self.held += 1;
        if self.held == self.full { self.flush() } else { Ok(()) }
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
            #[cfg(feature = "columnar")]
            Out::Arrow(table) => table.finish(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.held > 0 {
            match &mut self.out {
                Out::Jsonl { out, names, lines } => {
                    lines.clear();
                    for row in 0..self.held {
                        for (name, chunk) in names.iter().zip(&mut self.chunks) {
                            lines.extend_from_slice(name.as_bytes());
                            chunk.write_json(row, lines)?;
                        }
                        lines.extend_from_slice(b"}\n");
                    }
                    out.write_all(lines)?;
                }
                #[cfg(feature = "columnar")]
                Out::Parquet(table) => table.write(&self.columns, &self.chunks)?,
                #[cfg(feature = "columnar")]
                Out::Arrow(table) => table.write(&self.columns, &self.chunks, self.held)?,
            }
        }
        self.chunks.iter_mut().for_each(Chunk::clear);
        self.held = 0;
        Ok(())
    }
}

/// Adds the cells of a row to those of the rows before.
#[inline]
fn push_row<'a>(chunks: &mut [Chunk], columns: &[Column], cells: impl IntoIterator<Item = Cell<'a>>) -> io::Result<()> {
    let mut cells = cells.into_iter();
    for (chunk, column) in chunks.iter_mut().zip(columns) {
        let cell = cells.next().ok_or_else(|| misfit("a row has other columns than its table"))?;
        chunk.push(cell, column)?;
    }
    if cells.next().is_some() {
        return Err(misfit("a row has other columns than its table"));
    }
    Ok(())
}

fn to_json(text: &str) -> io::Result<String> {
    Ok(serde_json::to_string(text)?)
}

fn misfit(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}
