//! Rows as Arrow record batches, and as Arrow IPC files.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::{
    Float64Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt32Type, UInt64Type,
};
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, RecordBatch, RecordBatchOptions, StringArray,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::ArrowError;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit as ArrowUnit};
use timeweft_graph::{FeatureKind, TimeUnit, Value};

use super::chunk::{Cells, Chunk, Term};
use super::value_column::{self, ValueColumn};
use super::{Cell, CellKind, Column, GROUP};

/// Rows as record batches in memory, of at most 131,072 rows each. Times are timestamps in UTC, or whole numbers where the graph counts
/// steps; an end that is open is empty.
///
/// ```
/// use timeweft_source::table_writer::{Cell, CellKind, Column, RowBatches};
///
/// let mut rows = RowBatches::new(vec![Column::new("id", CellKind::Id), Column::nullable("age", CellKind::Float)]);
/// rows.row([Cell::Id(timeweft_graph::IdRef::of("7")), Cell::Null])?;
/// let (schema, batches) = rows.finish()?;
/// assert_eq!((schema.fields().len(), batches[0].num_rows()), (2, 1));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct RowBatches {
    schema: SchemaRef,
    columns: Vec<Column>,
    chunks: Vec<Chunk>,
    held: usize,
    batches: Vec<RecordBatch>,
}

impl RowBatches {
    /// No rows yet, with these columns.
    pub fn new(columns: Vec<Column>) -> RowBatches {
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let chunks = columns.iter().map(Chunk::new).collect();
        RowBatches { schema, columns, chunks, held: 0, batches: Vec::new() }
    }

    /// Adds a row: a cell for each column.
    ///
    /// # Errors
    /// If the cells are not those of the columns.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> io::Result<()> {
        super::push_row(&mut self.chunks, &self.columns, cells)?;
        self.held += 1;
        if self.held == GROUP { self.flush() } else { Ok(()) }
    }

    /// All of them; no batch if there was no row.
    ///
    /// # Errors
    /// If a batch has more than 2 GiB of text.
    pub fn finish(mut self) -> io::Result<(SchemaRef, Vec<RecordBatch>)> {
        if self.held > 0 {
            self.flush()?;
        }
        Ok((self.schema, self.batches))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.batches.push(batch(&self.schema, &self.columns, &self.chunks, self.held)?);
        self.chunks.iter_mut().for_each(Chunk::clear);
        self.held = 0;
        Ok(())
    }
}

/// A file in the making.
pub(super) struct ArrowTable<W: Write> {
    schema: SchemaRef,
    writer: FileWriter<W>,
}

impl<W: Write> ArrowTable<W> {
    pub(super) fn new(columns: &[Column], facts: &[(&str, String)], out: W) -> io::Result<ArrowTable<W>> {
        let facts = facts.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
        let fields: Vec<Field> = columns.iter().map(field).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, facts));
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).map_err(io)?;
        let writer = FileWriter::try_new_with_options(out, &schema, options).map_err(io)?;
        Ok(ArrowTable { schema, writer })
    }

    /// Writes rows as one batch.
    pub(super) fn write(&mut self, columns: &[Column], chunks: &[Chunk], rows: usize) -> io::Result<()> {
        let batch = batch(&self.schema, columns, chunks, rows)?;
        self.writer.write(&batch).map_err(io)
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.writer.finish().map_err(io)?;
        self.writer.into_inner().map_err(io)
    }
}

fn io(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, cause) => cause,
        other => io::Error::other(other),
    }
}

fn batch(schema: &SchemaRef, columns: &[Column], chunks: &[Chunk], rows: usize) -> io::Result<RecordBatch> {
    let arrays = columns.iter().zip(chunks).map(|(column, chunk)| array(column, chunk)).collect::<io::Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), arrays, &options).map_err(io)
}

fn field(column: &Column) -> Field {
    match column.kind {
        CellKind::Value(kind) => value_column::field(&column.name, kind, column.nullable),
        kind => Field::new(&*column.name, data_type(kind), column.nullable),
    }
}

fn data_type(kind: CellKind) -> DataType {
    match kind {
        CellKind::Int => DataType::Int64,
        CellKind::Index => DataType::UInt32,
        CellKind::NumberId => DataType::UInt64,
        CellKind::Float => DataType::Float64,
        CellKind::Bool => DataType::Boolean,
        CellKind::Time(unit) => time_type(unit),
        CellKind::Value(kind) => value_column::data_type(kind),
        CellKind::Texts => DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))),
        CellKind::Text | CellKind::Id => DataType::Utf8,
    }
}

/// The type of times of a unit: timestamps in UTC, or whole numbers for steps.
pub fn time_type(unit: TimeUnit) -> DataType {
    let stamp = |unit| DataType::Timestamp(unit, Some("UTC".into()));
    match unit {
        TimeUnit::Step => DataType::Int64,
        TimeUnit::Second => stamp(ArrowUnit::Second),
        TimeUnit::Milli => stamp(ArrowUnit::Millisecond),
        TimeUnit::Micro => stamp(ArrowUnit::Microsecond),
        TimeUnit::Nano => stamp(ArrowUnit::Nanosecond),
    }
}

/// Ticks as times of a unit.
pub fn time_array(unit: TimeUnit, ticks: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    fn of<T: ArrowPrimitiveType<Native = i64>>(
        unit: TimeUnit,
        ticks: impl IntoIterator<Item = Option<i64>>,
    ) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::from_iter(ticks).with_data_type(time_type(unit)))
    }
    match unit {
        TimeUnit::Step => of::<Int64Type>(unit, ticks),
        TimeUnit::Second => of::<TimestampSecondType>(unit, ticks),
        TimeUnit::Milli => of::<TimestampMillisecondType>(unit, ticks),
        TimeUnit::Micro => of::<TimestampMicrosecondType>(unit, ticks),
        TimeUnit::Nano => of::<TimestampNanosecondType>(unit, ticks),
    }
}

fn array(column: &Column, chunk: &Chunk) -> io::Result<ArrayRef> {
    let present = chunk.present.as_deref();
    Ok(match &chunk.cells {
        Cells::Ints(ints) => match column.kind {
            CellKind::Time(unit) => time_array(unit, spread(present, ints.iter().copied())),
            _ => Arc::new(PrimitiveArray::<Int64Type>::from_iter(spread(present, ints.iter().copied()))),
        },
        Cells::Indices(numbers) => {
            Arc::new(PrimitiveArray::<UInt32Type>::from_iter(spread(present, numbers.iter().copied())))
        }
        Cells::Floats(floats) => {
            Arc::new(PrimitiveArray::<Float64Type>::from_iter(spread(present, floats.iter().copied())))
        }
        Cells::Bools(bools) => Arc::new(BooleanArray::from_iter(spread(present, bools.iter().copied()))),
        Cells::Numbers(numbers) => {
            Arc::new(PrimitiveArray::<UInt64Type>::from_iter(spread(present, numbers.iter().copied())))
        }
        Cells::Terms(terms) => {
            let term = |term: &Term| match term {
                Term::Number(number) => number.to_string(),
                Term::Text(text) => text.to_string(),
            };
            let texts: Vec<String> = terms.terms.iter().map(term).collect();
            let codes = terms.codes.iter().map(|code| texts[*code as usize].as_str());
            Arc::new(StringArray::from_iter(spread(present, codes)))
        }
        Cells::Texts(lists) => {
            let mut texts =
                ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
            for list in spread(present, lists.iter()) {
                list.into_iter().flatten().for_each(|text| texts.values().append_value(text));
                texts.append(list.is_some());
            }
            Arc::new(texts.finish())
        }
        Cells::Values(values) => of_values(column.kind, present, values)?,
    })
}

fn of_values(kind: CellKind, present: Option<&[bool]>, values: &[Value]) -> io::Result<ArrayRef> {
    let kind = if let CellKind::Value(kind) = kind { kind } else { FeatureKind::Json };
    let mut column = ValueColumn::new(kind);
    for value in spread(present, values.iter()) {
        match value {
            None => column.push_null()?,
            Some(value) => column.push_value(value)?,
        }
    }
    column.finish(None)
}

/// The cells of all rows: those that are there, in their order, and nothing for the others.
fn spread<'a, T>(
    present: Option<&'a [bool]>,
    mut cells: impl ExactSizeIterator<Item = T> + 'a,
) -> impl Iterator<Item = Option<T>> + 'a {
    let n_rows = present.map_or(cells.len(), <[bool]>::len);
    (0..n_rows).map(move |row| if present.is_none_or(|present| present[row]) { cells.next() } else { None })
}
