//! Values of one feature as a column of Arrow.
//!
//! | kind | column |
//! |---|---|
//! | one number | numbers of its type |
//! | a list of numbers | `List`; `FixedSizeList` where whoever asks knows that all lists are of one length |
//! | text, category | `Utf8` |
//! | bytes | `Binary` |
//! | JSON, sparse, and features that hold several kinds | `Utf8` with JSON, marked `arrow.json` |

use std::io;
use std::sync::Arc;

use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, FixedSizeListArray, ListArray, PrimitiveArray, StringArray,
};
use arrow_buffer::{Buffer, MutableBuffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef};
use timeweft_graph::{DType, FeatureKind, Value, ValueBytes};

use super::misfit;

/// Values of one feature, one behind the other. Its memory is that of the column that comes of it.
///
/// ```
/// use timeweft_graph::{DType, FeatureKind, Value};
/// use timeweft_source::table_writer::ValueColumn;
///
/// let mut column = ValueColumn::new(FeatureKind::Dense { dtype: DType::F32, scalar: false });
/// column.push_value(&Value::floats(&[1.0, 2.0]))?;
/// column.push_null()?;
/// assert_eq!(column.width(), Some(2));
/// assert_eq!(format!("{:?}", column.finish(Some(2))?.data_type()).starts_with("FixedSizeList"), true);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ValueColumn {
    kind: FeatureKind,
    bytes: MutableBuffer,
    /// Where each text, or list of bytes, ends; not for numbers.
    ends: Vec<i32>,
    present: NullBufferBuilder,
    /// Bytes of the lists so far: of none, of all of them, or `Err` where they differ.
    list: Result<Option<usize>, ()>,
    scratch: Vec<u8>,
}

impl ValueColumn {
    /// No values yet.
    pub fn new(kind: FeatureKind) -> ValueColumn {
        ValueColumn {
            kind,
            bytes: MutableBuffer::new(0),
            ends: vec![0],
            present: NullBufferBuilder::new(0),
            list: Ok(None),
            scratch: Vec::new(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.present.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no row has a value.
    pub fn has_no_value(&self) -> bool {
        self.list == Ok(None)
    }

    /// The length of the lists of numbers, if all lists so far are of one length.
    pub fn width(&self) -> Option<i32> {
        let FeatureKind::Dense { dtype, scalar: false } = self.kind else { return None };
        i32::try_from(self.list.ok()?? / dtype.size()).ok()
    }

    /// A row without a value.
    ///
    /// # Errors
    /// If there are too many rows.
    pub fn push_null(&mut self) -> io::Result<()> {
        if let FeatureKind::Dense { dtype, scalar: true } = self.kind {
            self.bytes.extend_zeros(dtype.size());
        } else {
            self.end()?;
        }
        self.present.append_null();
        Ok(())
    }

    /// A row with a value.
    ///
    /// # Errors
    /// If it is of another kind, or there are more than 2 GiB of texts or lists.
    pub fn push_value(&mut self, value: &Value) -> io::Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        value.encode(&mut scratch);
        let pushed = self.push(ValueBytes(&scratch));
        self.scratch = scratch;
        pushed
    }

    /// A row with a value, of which the bytes are given.
    ///
    /// # Errors
    /// As [`ValueColumn::push_value`].
    pub fn push(&mut self, value: ValueBytes<'_>) -> io::Result<()> {
        let other = || misfit("a cell is not of the kind of its column");
        match self.kind {
            FeatureKind::Dense { dtype, scalar: true } => {
                let number = value.scalar(dtype).filter(|number| number.len() == dtype.size()).ok_or_else(other)?;
                self.bytes.extend_from_slice(number);
                self.list = Ok(Some(0));
                self.present.append_non_null();
                return Ok(());
            }
            FeatureKind::Json | FeatureKind::Sparse { .. } => match value.kind() {
                Some(FeatureKind::Json) => self.extend(value.flat().ok_or_else(other)?),
                _ => {
                    let value = Value::decode(value.0).ok_or_else(other)?;
                    self.extend(value.to_json().to_string().as_bytes());
                }
            },
            kind if value.kind() != Some(kind) => return Err(other()),
            _ => self.extend(value.flat().ok_or_else(other)?),
        }
        self.end()?;
        self.present.append_non_null();
        Ok(())
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.list = match self.list {
            Ok(None) => Ok(Some(bytes.len())),
            Ok(Some(known)) if known == bytes.len() => self.list,
            _ => Err(()),
        };
        self.bytes.extend_from_slice(bytes);
    }

    fn end(&mut self) -> io::Result<()> {
        let size = if let FeatureKind::Dense { dtype, .. } = self.kind { dtype.size() } else { 1 };
        let end = i32::try_from(self.bytes.len() / size);
        self.ends.push(end.map_err(|_| misfit("a column has more than 2 GiB: ask for fewer rows at once"))?);
        Ok(())
    }

    /// The column. With a width its lists are of that many numbers each ([`ValueColumn::width`]).
    ///
    /// # Errors
    /// If the lists are of other lengths, or texts are no UTF-8.
    pub fn finish(mut self, width: Option<i32>) -> io::Result<ArrayRef> {
        let rows = self.len();
        let nulls = self.present.finish();
        let bytes = std::mem::replace(&mut self.bytes, MutableBuffer::new(0));
        let offsets = || OffsetBuffer::new(ScalarBuffer::from(self.ends.clone()));
        Ok(match (self.kind, width) {
            (FeatureKind::Dense { dtype, scalar: true }, _) => with_nulls(dtype, bytes.into(), nulls),
            (FeatureKind::Dense { dtype, scalar: false }, None) => {
                let numbers = numbers(dtype, bytes.into());
                Arc::new(ListArray::try_new(element(dtype), offsets(), numbers, nulls).map_err(arrow)?)
            }
            (FeatureKind::Dense { dtype, scalar: false }, Some(width)) => {
                let padded = if nulls.is_some() { self.padded(dtype, &bytes, width, rows) } else { bytes };
                let numbers = numbers(dtype, padded.into());
                let lists = FixedSizeListArray::try_new_with_length(element(dtype), width, numbers, nulls, rows);
                Arc::new(lists.map_err(arrow)?)
            }
            (FeatureKind::Bytes, _) => Arc::new(BinaryArray::try_new(offsets(), bytes.into(), nulls).map_err(arrow)?),
            _ => Arc::new(StringArray::try_new(offsets(), bytes.into(), nulls).map_err(arrow)?),
        })
    }

    /// The numbers of lists of one length, with zeros where there is no list.
    fn padded(&self, dtype: DType, bytes: &[u8], width: i32, rows: usize) -> MutableBuffer {
        let size = dtype.size();
        let row = width as usize * size;
        let mut padded = MutableBuffer::with_capacity(rows * row);
        for ends in self.ends.windows(2) {
            let list = &bytes[ends[0] as usize * size..ends[1] as usize * size];
            padded.extend_from_slice(list);
            padded.extend_zeros(row.saturating_sub(list.len()));
        }
        padded
    }
}

/// The field of a feature's column.
pub fn field(name: &str, kind: FeatureKind, nullable: bool) -> Field {
    let field = Field::new(name, data_type(kind), nullable);
    match kind {
        FeatureKind::Sparse { .. } | FeatureKind::Json => {
            field.with_metadata([("ARROW:extension:name".to_owned(), "arrow.json".to_owned())].into())
        }
        _ => field,
    }
}

/// The same with lists of this many numbers.
pub fn with_width(field: &Field, width: i32) -> Field {
    match field.data_type() {
        DataType::List(element) => field.clone().with_data_type(DataType::FixedSizeList(element.clone(), width)),
        _ => field.clone(),
    }
}

pub(super) fn data_type(kind: FeatureKind) -> DataType {
    match kind {
        FeatureKind::Dense { dtype, scalar: true } => number(dtype),
        FeatureKind::Dense { dtype, scalar: false } => DataType::List(element(dtype)),
        FeatureKind::Bytes => DataType::Binary,
        _ => DataType::Utf8,
    }
}

fn element(dtype: DType) -> FieldRef {
    Arc::new(Field::new("element", number(dtype), false))
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

fn numbers(dtype: DType, bytes: Buffer) -> ArrayRef {
    with_nulls(dtype, bytes, None)
}

/// Little-endian numbers as a column: the bytes are what Arrow has.
fn with_nulls(dtype: DType, bytes: Buffer, nulls: Option<NullBuffer>) -> ArrayRef {
    fn of<T: ArrowPrimitiveType>(bytes: Buffer, nulls: Option<NullBuffer>) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(bytes), nulls))
    }
    match dtype {
        DType::F64 => of::<Float64Type>(bytes, nulls),
        DType::F32 => of::<Float32Type>(bytes, nulls),
        DType::F16 => of::<Float16Type>(bytes, nulls),
        DType::I64 => of::<Int64Type>(bytes, nulls),
        DType::I32 => of::<Int32Type>(bytes, nulls),
        DType::I16 => of::<Int16Type>(bytes, nulls),
        DType::I8 => of::<Int8Type>(bytes, nulls),
        DType::U64 => of::<UInt64Type>(bytes, nulls),
        DType::U32 => of::<UInt32Type>(bytes, nulls),
        DType::U16 => of::<UInt16Type>(bytes, nulls),
        DType::U8 => of::<UInt8Type>(bytes, nulls),
    }
}

fn arrow(error: ArrowError) -> io::Error {
    io::Error::other(error)
}
