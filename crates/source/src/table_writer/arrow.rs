//! Tables as Arrow IPC files.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, PrimitiveBuilder};
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::ArrowError;
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use timeweft_graph::{DType, FeatureKind, Numbers, Value};

use super::chunk::{Cells, Chunk, Term};
use super::parquet::{bytes, dense};
use super::{CellKind, Column, misfit};

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
    pub(super) fn write(&mut self, columns: &[Column], chunks: &[Chunk]) -> io::Result<()> {
        let arrays =
            columns.iter().zip(chunks).map(|(column, chunk)| array(column, chunk)).collect::<Result<_, _>>()?;
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(io)?;
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

fn field(column: &Column) -> Field {
    let field = Field::new(&*column.name, data_type(column.kind), column.nullable);
    match column.kind {
        CellKind::Value(FeatureKind::Sparse { .. } | FeatureKind::Json) => {
            field.with_metadata([("ARROW:extension:name".to_owned(), "arrow.json".to_owned())].into())
        }
        _ => field,
    }
}

fn data_type(kind: CellKind) -> DataType {
    match kind {
        CellKind::Int => DataType::Int64,
        CellKind::NumberId => DataType::UInt64,
        CellKind::Float => DataType::Float64,
        CellKind::Bool => DataType::Boolean,
        CellKind::Value(FeatureKind::Dense { dtype, scalar: true }) => number(dtype),
        CellKind::Value(FeatureKind::Dense { dtype, scalar: false }) => DataType::List(element(number(dtype))),
        CellKind::Value(FeatureKind::Bytes) => DataType::Binary,
        CellKind::Text | CellKind::Id | CellKind::Value(_) => DataType::Utf8,
    }
}

fn element(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("element", data_type, false))
}

fn number(dtype: DType) -> DataType {
    match dtype {
        DType::F64 => DataType::Float64,
        DType::F32 => DataType::Float32,
        DType::F16 => DataType::Float16,
        DType::I64 => DataType::Int64,
        DType::I32 => DataType::Int32,
        DType::I16 => DataType::Int16,
        DType::I8 => DataType::Int8,
        DType::U64 => DataType::UInt64,
        DType::U32 => DataType::UInt32,
        DType::U16 => DataType::UInt16,
        DType::U8 => DataType::UInt8,
    }
}

fn array(column: &Column, chunk: &Chunk) -> io::Result<ArrayRef> {
    let present = chunk.present.as_deref();
    Ok(match &chunk.cells {
        Cells::Ints(ints) => Arc::new(PrimitiveArray::<Int64Type>::from_iter(spread(present, ints.iter().copied()))),
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
        Cells::Values(values) => of_values(column.kind, present, values)?,
    })
}

fn of_values(kind: CellKind, present: Option<&[bool]>, values: &[Value]) -> io::Result<ArrayRef> {
    macro_rules! numbers {
        ($scalar:expr, $numbers:ident, $type:ty) => {
            numbers::<$type>($scalar, present, values, |found| match found {
                Numbers::$numbers(values) => Some(values),
                _ => None,
            })
        };
    }
    let bytes = |value: &Value| bytes(kind, value).ok_or_else(|| misfit("a cell is not of the kind of its column"));
    match kind {
        CellKind::Value(FeatureKind::Dense { dtype, scalar }) => match dtype {
            DType::F64 => numbers!(scalar, F64, Float64Type),
            DType::F32 => numbers!(scalar, F32, Float32Type),
            DType::F16 => numbers!(scalar, F16, Float16Type),
            DType::I64 => numbers!(scalar, I64, Int64Type),
            DType::I32 => numbers!(scalar, I32, Int32Type),
            DType::I16 => numbers!(scalar, I16, Int16Type),
            DType::I8 => numbers!(scalar, I8, Int8Type),
            DType::U64 => numbers!(scalar, U64, UInt64Type),
            DType::U32 => numbers!(scalar, U32, UInt32Type),
            DType::U16 => numbers!(scalar, U16, UInt16Type),
            DType::U8 => numbers!(scalar, U8, UInt8Type),
        },
        CellKind::Value(FeatureKind::Bytes) => {
            let values = values.iter().map(bytes).collect::<io::Result<Vec<_>>>()?;
            Ok(Arc::new(BinaryArray::from_iter(spread(present, values.iter()))))
        }
        _ => {
            let text = |value| bytes(value).and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
            let texts = values.iter().map(text).collect::<io::Result<Vec<_>>>()?;
            Ok(Arc::new(StringArray::from_iter(spread(present, texts.iter()))))
        }
    }
}

/// The cells of all rows: those that are there, in their order, and nothing for the others.
fn spread<'a, T>(
    present: Option<&'a [bool]>,
    mut cells: impl ExactSizeIterator<Item = T> + 'a,
) -> impl Iterator<Item = Option<T>> + 'a {
    let n_rows = present.map_or(cells.len(), <[bool]>::len);
    (0..n_rows).map(move |row| if present.is_none_or(|present| present[row]) { cells.next() } else { None })
}

fn numbers<T: ArrowPrimitiveType>(
    scalar: bool,
    present: Option<&[bool]>,
    values: &[Value],
    take: impl Fn(&Numbers) -> Option<&Vec<T::Native>>,
) -> io::Result<ArrayRef> {
    let of = |value| dense(value).and_then(&take).filter(|numbers| !scalar || numbers.len() == 1);
    let values = values.iter().map(|value| of(value).ok_or_else(|| misfit("a cell is not of the kind of its column")));
    let values = values.collect::<io::Result<Vec<_>>>()?;
    if scalar {
        let numbers = values.iter().map(|values| values[0]);
        return Ok(Arc::new(PrimitiveArray::<T>::from_iter(spread(present, numbers))));
    }
    let mut lists = ListBuilder::new(PrimitiveBuilder::<T>::new()).with_field(element(T::DATA_TYPE));
    for list in spread(present, values.iter()) {
        lists.values().append_slice(list.map_or(&[][..], |list| list));
        lists.append(list.is_some());
    }
    Ok(Arc::new(lists.finish()))
}
