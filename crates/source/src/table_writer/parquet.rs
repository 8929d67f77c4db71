//! Tables as Parquet files.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use timeweft_graph::{DType, FeatureKind, Numbers, Value};

use super::{Cell, CellKind, Column, misfit};

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
            .set_key_value_metadata(Some(facts));
        let writer = SerializedFileWriter::new(out, TypePtr::new(schema), Arc::new(properties.build())).map_err(io)?;
        Ok(ParquetTable { writer })
    }

    /// Writes rows as one row group.
    pub(super) fn write(&mut self, columns: &[Column], cells: &[Cell]) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(io)?;
        for (at, column) in columns.iter().enumerate() {
            let Some(writer) = group.next_column().map_err(io)? else { break };
            let cells = cells.iter().skip(at).step_by(columns.len());
            Chunk { writer, nullable: column.nullable, is_list: is_list(column.kind) }.write(column.kind, cells)?;
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
    matches!(kind, CellKind::Value(FeatureKind::Dense { scalar: false, .. }))
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
        CellKind::Float => (Physical::DOUBLE, None),
        CellKind::Bool => (Physical::BOOLEAN, None),
        CellKind::Text | CellKind::Id => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
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

/// A column of a row group.
struct Chunk<'a> {
    writer: SerializedColumnWriter<'a>,
    nullable: bool,
    is_list: bool,
}

impl Chunk<'_> {
    fn write<'c>(self, kind: CellKind, cells: impl Iterator<Item = &'c Cell>) -> io::Result<()> {
        match leaf(kind).0 {
            Physical::BOOLEAN => self.put::<BoolType>(cells, |cell, out| match cell {
                Cell::Bool(truth) => one(out, *truth),
                _ => None,
            }),
            Physical::INT32 => self.put::<Int32Type>(cells, |cell, out| i32s(dense(cell)?, out)),
            Physical::INT64 => self.put::<Int64Type>(cells, |cell, out| match cell {
                Cell::Int(number) => one(out, *number),
                _ => i64s(dense(cell)?, out),
            }),
            Physical::FLOAT => self.put::<FloatType>(cells, |cell, out| f32s(dense(cell)?, out)),
            Physical::DOUBLE => self.put::<DoubleType>(cells, |cell, out| match (cell, dense(cell)) {
                (Cell::Float(number), _) => one(out, *number),
                (_, Some(Numbers::F64(numbers))) => all(out, numbers, |number| number),
                _ => None,
            }),
            _ => self.put::<ByteArrayType>(cells, |cell, out| one(out, ByteArray::from(bytes(kind, cell)?))),
        }
    }

    /// Writes the values that `take` appends for each cell; it tells how many, or `None` for a cell of another kind.
    fn put<'c, T: DataType>(
        mut self,
        cells: impl Iterator<Item = &'c Cell>,
        take: impl Fn(&Cell, &mut Vec<T::T>) -> Option<usize>,
    ) -> io::Result<()> {
        let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        // How deep the way to a value is defined: the cell, then the element of a list.
        let (empty, full) = (i16::from(self.nullable), i16::from(self.nullable) + i16::from(self.is_list));
        for cell in cells {
            let n = match cell {
                Cell::Null if self.nullable => None,
                cell => {
                    let taken = take(cell, &mut values).filter(|n| self.is_list || *n == 1);
                    Some(taken.ok_or_else(|| misfit("a cell is not of the kind of its column"))?)
                }
            };
            match n {
                None => defined.push(0),
                Some(0) => defined.push(empty),
                Some(n) => defined.resize(defined.len() + n, full),
            }
            repeated.push(0);
            repeated.resize(defined.len(), 1);
        }
        let defined = (full > 0).then_some(defined.as_slice());
        let repeated = self.is_list.then_some(repeated.as_slice());
        self.writer.typed::<T>().write_batch(&values, defined, repeated).map_err(io)?;
        self.writer.close().map_err(io)
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

fn dense(cell: &Cell) -> Option<&Numbers> {
    match cell {
        Cell::Value(value) => match &**value {
            Value::Dense(dense) => Some(&dense.numbers),
            _ => None,
        },
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

fn bytes(kind: CellKind, cell: &Cell) -> Option<Vec<u8>> {
    let as_json = matches!(kind, CellKind::Value(FeatureKind::Json | FeatureKind::Sparse { .. }));
    Some(match cell {
        Cell::Text(text) => text.as_bytes().to_vec(),
        Cell::Id(id) => id.to_string().into_bytes(),
        Cell::Value(value) if as_json => value.to_json().to_string().into_bytes(),
        Cell::Value(value) => match &**value {
            Value::Text(text) | Value::Category(text) => text.as_bytes().to_vec(),
            Value::Bytes(bytes) => bytes.clone(),
            _ => return None,
        },
        _ => return None,
    })
}
