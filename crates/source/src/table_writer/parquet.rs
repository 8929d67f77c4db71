//! Tables as Parquet files.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit as ParquetUnit, Type as Physical, ZstdLevel};
use parquet::column::writer::{ColumnCloseResult, ColumnWriter, get_column_writer, get_typed_column_writer_mut};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnDescPtr, ColumnPath, Type, TypePtr};
use rayon::prelude::*;
use timeweft_graph::{DType, FeatureKind, Numbers, TimeUnit, Value, threads};

use super::chunk::{Cells, Chunk, Term};
use super::{CellKind, Column, misfit};

/// A file in the making.
pub(super) struct ParquetTable<W: Write + Send> {
    writer: SerializedFileWriter<W>,
}

impl<W: Write + Send> ParquetTable<W> {
    pub(super) fn new(columns: &[Column], facts: &[(&str, String)], out: W) -> io::Result<ParquetTable<W>> {
        let fields = columns.iter().map(|column| field(column).map(Arc::new)).collect::<Result<_, _>>().map_err(io)?;
        let schema = Type::group_type_builder("table").with_fields(fields).build().map_err(io)?;
        let facts = facts.iter().map(|(name, text)| KeyValue::new((*name).to_owned(), text.clone())).collect();
        let properties = WriterProperties::builder()
            .set_created_by(concat!("timeweft ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(facts))
            .set_statistics_enabled(EnabledStatistics::Chunk);
        // Comparing texts for the least and greatest takes as long as encoding them, and no reader looks them up by these.
        let texts = columns.iter().filter(|column| leaf(column.kind).0 == Physical::BYTE_ARRAY);
        let path = |column: &Column| ColumnPath::new(vec![column.name.to_string()]);
        let properties = texts.fold(properties, |properties, column| {
            properties.set_column_statistics_enabled(path(column), EnabledStatistics::None)
        });
        let writer = SerializedFileWriter::new(out, TypePtr::new(schema), Arc::new(properties.build())).map_err(io)?;
        Ok(ParquetTable { writer })
    }

    /// Writes rows as one row group. Its columns are encoded side by side: that is most of the work of a table.
    pub(super) fn write(&mut self, columns: &[Column], chunks: &[Chunk]) -> io::Result<()> {
        let descriptors = self.writer.schema_descr().columns();
        let properties = self.writer.properties();
        threads::prepare();
        let columns = columns.par_iter().zip(chunks).zip(descriptors);
        let encoded = columns.map(|((column, chunk), descriptor)| encode(column, chunk, (descriptor, properties)));
        let encoded: Vec<_> = encoded.collect::<io::Result<_>>()?;
        let mut group = self.writer.next_row_group().map_err(io)?;
        for (bytes, end) in encoded {
            group.append_column(&bytes, end).map_err(io)?;
        }
        group.close().map_err(io)?;
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<W> {
        self.writer.into_inner().map_err(io)
    }
}

fn io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => cause.downcast::<io::Error>().map_or_else(io::Error::other, |cause| *cause),
        other => io::Error::other(other),
    }
}

fn is_list(kind: CellKind) -> bool {
    matches!(kind, CellKind::Texts | CellKind::Value(FeatureKind::Dense { scalar: false, .. }))
}

/// The type of a column; a list is a group of a repeated group, as readers expect it.
fn field(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = leaf(column.kind);
    let primitive = |name, repetition| {
        let leaf = Type::primitive_type_builder(name, physical).with_logical_type(logical.clone());
        leaf.with_repetition(repetition).build()
    };
    let repetition = if column.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    if !is_list(column.kind) {
        return primitive(&column.name, repetition);
    }
    let element = Arc::new(primitive("element", Repetition::REQUIRED)?);
    let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED).with_fields(vec![element]);
    let group = Type::group_type_builder(&column.name).with_repetition(repetition);
    group.with_logical_type(Some(LogicalType::List)).with_fields(vec![Arc::new(list.build()?)]).build()
}

/// How the values of a kind lie in a file, and what they mean.
fn leaf(kind: CellKind) -> (Physical, Option<LogicalType>) {
    let integer = |bits, signed| Some(LogicalType::integer(bits, signed));
    match kind {
        CellKind::Int => (Physical::INT64, None),
        CellKind::Time(unit) => (Physical::INT64, stamp(unit)),
        CellKind::Index => (Physical::INT32, integer(32, false)),
        CellKind::NumberId => (Physical::INT64, integer(64, false)),
        CellKind::Float => (Physical::DOUBLE, None),
        CellKind::Bool => (Physical::BOOLEAN, None),
        CellKind::Text | CellKind::Texts | CellKind::Id => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        CellKind::Value(kind) => match kind {
            FeatureKind::Dense { dtype, .. } => match dtype {
                DType::F64 => (Physical::DOUBLE, None),
                DType::F32 | DType::F16 => (Physical::FLOAT, None),
                DType::I64 => (Physical::INT64, None),
                DType::I32 => (Physical::INT32, None),
                DType::I16 => (Physical::INT32, integer(16, true)),
                DType::I8 => (Physical::INT32, integer(8, true)),
                DType::U64 => (Physical::INT64, integer(64, false)),
                DType::U32 => (Physical::INT32, integer(32, false)),
                DType::U16 => (Physical::INT32, integer(16, false)),
                DType::U8 => (Physical::INT32, integer(8, false)),
            },
            FeatureKind::Text | FeatureKind::Category => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            FeatureKind::Bytes => (Physical::BYTE_ARRAY, None),
            FeatureKind::Sparse { .. } | FeatureKind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        },
    }
}

/// Times in UTC. There is no timestamp of seconds: they are plain numbers, as steps are.
fn stamp(unit: TimeUnit) -> Option<LogicalType> {
    match unit {
        TimeUnit::Step | TimeUnit::Second => None,
        TimeUnit::Milli => Some(LogicalType::timestamp(true, ParquetUnit::MILLIS)),
        TimeUnit::Micro => Some(LogicalType::timestamp(true, ParquetUnit::MICROS)),
        TimeUnit::Nano => Some(LogicalType::timestamp(true, ParquetUnit::NANOS)),
    }
}

/// Encodes a column of a row group in memory.
fn encode(
    column: &Column,
    chunk: &Chunk,
    (descriptor, properties): (&ColumnDescPtr, &WriterPropertiesPtr),
) -> io::Result<(Bytes, ColumnCloseResult)> {
    let mut bytes = Vec::new();
    let mut out = TrackedWrite::new(&mut bytes);
    let pages = Box::new(SerializedPageWriter::new(&mut out));
    let mut writer = get_column_writer(descriptor.clone(), properties.clone(), pages);
    let shape = Shape { present: chunk.present.as_deref(), is_list: is_list(column.kind) };
    match &chunk.cells {
        Cells::Ints(ints) => shape.write::<Int64Type>(&mut writer, ints, None)?,
        Cells::Indices(numbers) => {
            let numbers: Vec<i32> = numbers.iter().map(|number| number.cast_signed()).collect();
            shape.write::<Int32Type>(&mut writer, &numbers, None)?;
        }
        Cells::Texts(lists) => {
            let lengths: Vec<usize> = lists.iter().map(Vec::len).collect();
            let texts: Vec<ByteArray> = lists.iter().flatten().map(|text| text.as_bytes().to_vec().into()).collect();
            shape.write::<ByteArrayType>(&mut writer, &texts, Some(&lengths))?;
        }
        Cells::Floats(floats) => shape.write::<DoubleType>(&mut writer, floats, None)?,
        Cells::Bools(bools) => shape.write::<BoolType>(&mut writer, bools, None)?,
        Cells::Numbers(numbers) => {
            // The bits stay; the logical type says that there is no sign.
            let numbers: Vec<i64> = numbers.iter().map(|number| number.cast_signed()).collect();
            shape.write::<Int64Type>(&mut writer, &numbers, None)?;
        }
        Cells::Terms(terms) => {
            let texts: Vec<ByteArray> = terms.terms.iter().map(term_bytes).collect();
            let texts: Vec<ByteArray> = terms.codes.iter().map(|code| texts[*code as usize].clone()).collect();
            shape.write::<ByteArrayType>(&mut writer, &texts, None)?;
        }
        Cells::Values(values) => shape.values(&mut writer, column.kind, values)?,
    }
    let end = writer.close().map_err(io)?;
    out.flush()?;
    drop(out);
    Ok((bytes.into(), end))
}

fn term_bytes(term: &Term) -> ByteArray {
    match term {
        Term::Number(number) => number.to_string().into_bytes().into(),
        Term::Text(text) => text.as_bytes().to_vec().into(),
    }
}

/// Which cells of a column are there, and whether each is a list.
struct Shape<'a> {
    present: Option<&'a [bool]>,
    is_list: bool,
}

impl Shape<'_> {
    fn values(&self, writer: &mut ColumnWriter<'_>, kind: CellKind, values: &[Value]) -> io::Result<()> {
        match leaf(kind).0 {
            Physical::INT32 => self.taken::<Int32Type>(writer, values, |value, out| i32s(dense(value)?, out)),
            Physical::INT64 => self.taken::<Int64Type>(writer, values, |value, out| i64s(dense(value)?, out)),
            Physical::FLOAT => self.taken::<FloatType>(writer, values, |value, out| f32s(dense(value)?, out)),
            Physical::DOUBLE => self.taken::<DoubleType>(writer, values, |value, out| match dense(value)? {
                Numbers::F64(numbers) => all(out, numbers, |number| number),
                _ => None,
            }),
            _ => self.taken::<ByteArrayType>(writer, values, |value, out| one(out, bytes(kind, value)?.into())),
        }
    }

    /// Writes the numbers that `take` appends for each value; it tells how many, or `None` for a value of another kind.
    fn taken<T: DataType>(
        &self,
        writer: &mut ColumnWriter<'_>,
        values: &[Value],
        take: impl Fn(&Value, &mut Vec<T::T>) -> Option<usize>,
    ) -> io::Result<()> {
        let (mut elements, mut lengths) = (Vec::new(), Vec::with_capacity(values.len()));
        for value in values {
            let taken = take(value, &mut elements).filter(|n| self.is_list || *n == 1);
            lengths.push(taken.ok_or_else(|| misfit("a cell is not of the kind of its column"))?);
        }
        self.write::<T>(writer, &elements, Some(&lengths))
    }

    /// Writes elements; `lengths` tells how many each cell that is there has, one if left out.
    fn write<T: DataType>(
        &self,
        writer: &mut ColumnWriter<'_>,
        elements: &[T::T],
        lengths: Option<&[usize]>,
    ) -> io::Result<()> {
        // How deep the way to a value is defined: the cell, then the element of a list.
        let nullable = self.present.is_some();
        let (empty, full) = (i16::from(nullable), i16::from(nullable) + i16::from(self.is_list));
        let (mut defined, mut repeated) = (Vec::new(), Vec::new());
        if self.is_list {
            let mut lengths = lengths.unwrap_or_default().iter();
            let rows = self.present.map_or(lengths.len(), <[bool]>::len);
            for row in 0..rows {
                let is_there = self.present.is_none_or(|present| present[row]);
                match is_there.then(|| lengths.next().copied().unwrap_or(0)) {
                    None => defined.push(0),
                    Some(0) => defined.push(empty),
                    Some(n) => defined.resize(defined.len() + n, full),
                }
                repeated.push(0);
                repeated.resize(defined.len(), 1);
            }
        } else if let Some(present) = self.present {
            defined.extend(present.iter().map(|is_there| i16::from(*is_there)));
        }
        let defined = (full > 0).then_some(defined.as_slice());
        let repeated = self.is_list.then_some(repeated.as_slice());
        get_typed_column_writer_mut::<T>(writer).write_batch(elements, defined, repeated).map_err(io)?;
        Ok(())
    }
}

fn one<T>(out: &mut Vec<T>, value: T) -> Option<usize> {
    out.push(value);
    Some(1)
}

fn all<S: Copy, T>(out: &mut Vec<T>, values: &[S], convert: impl Fn(S) -> T) -> Option<usize> {
    out.extend(values.iter().map(|value| convert(*value)));
    Some(values.len())
}

pub(super) fn dense(value: &Value) -> Option<&Numbers> {
    match value {
        Value::Dense(dense) => Some(&dense.numbers),
        _ => None,
    }
}

fn i32s(numbers: &Numbers, out: &mut Vec<i32>) -> Option<usize> {
    match numbers {
        Numbers::I32(values) => all(out, values, |value| value),
        Numbers::I16(values) => all(out, values, i32::from),
        Numbers::I8(values) => all(out, values, i32::from),
        // The bits stay; the logical type says that there is no sign.
        Numbers::U32(values) => all(out, values, u32::cast_signed),
        Numbers::U16(values) => all(out, values, i32::from),
        Numbers::U8(values) => all(out, values, i32::from),
        _ => None,
    }
}

fn i64s(numbers: &Numbers, out: &mut Vec<i64>) -> Option<usize> {
    match numbers {
        Numbers::I64(values) => all(out, values, |value| value),
        Numbers::U64(values) => all(out, values, u64::cast_signed),
        _ => None,
    }
}

fn f32s(numbers: &Numbers, out: &mut Vec<f32>) -> Option<usize> {
    match numbers {
        Numbers::F32(values) => all(out, values, |value| value),
        Numbers::F16(values) => all(out, values, f32::from),
        _ => None,
    }
}

/// The text or the bytes of a value.
pub(super) fn bytes(kind: CellKind, value: &Value) -> Option<Vec<u8>> {
    let as_json = matches!(kind, CellKind::Value(FeatureKind::Json | FeatureKind::Sparse { .. }));
    Some(match value {
        value if as_json => value.to_json().to_string().into_bytes(),
        Value::Text(text) | Value::Category(text) => text.as_bytes().to_vec(),
        Value::Bytes(bytes) => bytes.clone(),
        _ => return None,
    })
}
