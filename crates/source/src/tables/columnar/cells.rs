//! Cells of arrays.

use std::borrow::Cow;
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType,
    IntervalYearMonthType, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{DataType, FieldRef, IntervalUnit, TimeUnit};
use timeweft_graph::{Dense, Numbers, Value};

use super::shape::{Mark, Shape, dtype};
use super::texts;
use crate::tables::cell::{Cell, Nested};

const DAY: i128 = 86_400_000_000_000;

/// An array with what its values mean.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) array: &'a dyn Array,
    pub(super) coarse: Option<&'a dyn Array>,
    pub(super) shape: &'a Shape,
}

/// Nanoseconds of a tick.
fn per(unit: &TimeUnit) -> i128 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

/// A number of a primitive array.
macro_rules! at {
    ($array:expr, $at:expr, $type:ty) => {
        $array.as_primitive::<$type>().value($at)
    };
}

impl<'a> View<'a> {
    /// A child of a nested value, or the values of a dictionary.
    fn inside(&self, array: &'a dyn Array, coarse: Option<&'a dyn Array>, child: Option<usize>) -> View<'a> {
        let shape = child.and_then(|child| self.shape.children.get(child)).unwrap_or(self.shape);
        View { array, coarse, shape }
    }

    /// The cell at a place.
    pub(super) fn cell(self, at: usize) -> Cell<'a> {
        let View { array, shape, .. } = self;
        if array.is_null(at) {
            return Cell::Null;
        }
        let number = |numbers: Numbers| Cell::Value(Value::Dense(Dense { numbers, scalar: true }));
        match (shape.mark, array.data_type()) {
            (_, DataType::Null) => Cell::Null,
            (_, DataType::Dictionary(..) | DataType::RunEndEncoded(..)) => match self.resolved(at) {
                Some((values, at)) => values.cell(at),
                None => Cell::Null,
            },
            (Mark::Bool8, DataType::Int8) => Cell::Bool(at!(array, at, Int8Type) != 0),
            (Mark::Int128 { signed }, DataType::FixedSizeBinary(_)) => {
                Cell::Decimal(int128(array.as_fixed_size_binary().value(at), signed))
            }
            (_, DataType::Boolean) => Cell::Bool(array.as_boolean().value(at)),
            (_, DataType::Int64) => Cell::Int(at!(array, at, Int64Type)),
            (_, DataType::Int32) => number(Numbers::I32(vec![at!(array, at, Int32Type)])),
            (_, DataType::Int16) => number(Numbers::I16(vec![at!(array, at, Int16Type)])),
            (_, DataType::Int8) => number(Numbers::I8(vec![at!(array, at, Int8Type)])),
            (_, DataType::UInt64) => number(Numbers::U64(vec![at!(array, at, UInt64Type)])),
            (_, DataType::UInt32) => number(Numbers::U32(vec![at!(array, at, UInt32Type)])),
            (_, DataType::UInt16) => number(Numbers::U16(vec![at!(array, at, UInt16Type)])),
            (_, DataType::UInt8) => number(Numbers::U8(vec![at!(array, at, UInt8Type)])),
            (_, DataType::Float64) => number(Numbers::F64(vec![at!(array, at, Float64Type)])),
            (_, DataType::Float32) => number(Numbers::F32(vec![at!(array, at, Float32Type)])),
            (_, DataType::Float16) => number(Numbers::F16(vec![at!(array, at, Float16Type)])),
            (_, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64) => match self.instant(at) {
                Some(nanos) => Cell::Nanos(nanos),
                None => Cell::Invalid("a time that cannot be told".into()),
            },
            (mark, _) => match (self.text(at), self.bytes(at)) {
                (Some(text), _) if mark == Mark::Json => Cell::Json(text),
                (Some(text), _) => Cell::String(text),
                (_, Some(bytes)) if mark == Mark::Uuid => Cell::String(texts::uuid(bytes).into()),
                (_, Some(bytes)) => Cell::Value(Value::Bytes(bytes.to_vec())),
                _ => self.exact_text(at).unwrap_or_else(|| self.nested(at)),
            },
        }
    }

    fn nested(self, at: usize) -> Cell<'a> {
        let numbers = self.items(at).and_then(|(items, range)| items.numbers(range));
        match numbers {
            Some(numbers) => Cell::Value(Value::Dense(Dense { numbers, scalar: false })),
            None => self.inner(at),
        }
    }

    /// What a dictionary or a run stands for; `None` for nothing.
    fn resolved(&self, at: usize) -> Option<(View<'a>, usize)> {
        if let Some(dictionary) = self.array.as_any_dictionary_opt() {
            let keys = dictionary.keys();
            let key = match keys.data_type() {
                DataType::Int8 => at!(keys, at, Int8Type).to_usize(),
                DataType::Int16 => at!(keys, at, Int16Type).to_usize(),
                DataType::Int32 => at!(keys, at, Int32Type).to_usize(),
                DataType::Int64 => at!(keys, at, Int64Type).to_usize(),
                DataType::UInt8 => at!(keys, at, UInt8Type).to_usize(),
                DataType::UInt16 => at!(keys, at, UInt16Type).to_usize(),
                DataType::UInt32 => at!(keys, at, UInt32Type).to_usize(),
                _ => at!(keys, at, UInt64Type).to_usize(),
            }?;
            return Some((self.inside(&**dictionary.values(), None, None), key));
        }
        let DataType::RunEndEncoded(ends, _) = self.array.data_type() else { return None };
        let (values, at) = match ends.data_type() {
            DataType::Int16 => {
                let runs = self.array.as_run::<Int16Type>();
                (runs.values(), runs.get_physical_index(at))
            }
            DataType::Int32 => {
                let runs = self.array.as_run::<Int32Type>();
                (runs.values(), runs.get_physical_index(at))
            }
            _ => {
                let runs = self.array.as_run::<Int64Type>();
                (runs.values(), runs.get_physical_index(at))
            }
        };
        Some((self.inside(&**values, None, None), at))
    }

    /// Nanoseconds since 1970.
    fn instant(&self, at: usize) -> Option<i128> {
        let array = self.array;
        Some(match array.data_type() {
            DataType::Date32 => i128::from(at!(array, at, Date32Type)) * DAY,
            DataType::Date64 => i128::from(at!(array, at, Date64Type)) * 1_000_000,
            DataType::Timestamp(unit, _) => {
                let ticks = match unit {
                    TimeUnit::Second => at!(array, at, TimestampSecondType),
                    TimeUnit::Millisecond => at!(array, at, TimestampMillisecondType),
                    TimeUnit::Microsecond => at!(array, at, TimestampMicrosecondType),
                    TimeUnit::Nanosecond => at!(array, at, TimestampNanosecondType),
                };
                match self.coarse {
                    // 64 bits of nanoseconds wrap: the whole seconds tell which turn it is.
                    Some(coarse) if matches!(coarse.data_type(), DataType::Timestamp(TimeUnit::Second, _)) => {
                        let start = i128::from(at!(coarse, at, TimestampSecondType)) * per(&TimeUnit::Second);
                        start + i128::from(ticks.wrapping_sub(start as i64))
                    }
                    _ => i128::from(ticks) * per(unit),
                }
            }
            _ => return None,
        })
    }

    fn text(&self, at: usize) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(match self.array.data_type() {
            DataType::Utf8 => self.array.as_string::<i32>().value(at),
            DataType::LargeUtf8 => self.array.as_string::<i64>().value(at),
            DataType::Utf8View => self.array.as_string_view().value(at),
            _ => return None,
        }))
    }

    fn bytes(&self, at: usize) -> Option<&'a [u8]> {
        Some(match self.array.data_type() {
            DataType::Binary => self.array.as_binary::<i32>().value(at),
            DataType::LargeBinary => self.array.as_binary::<i64>().value(at),
            DataType::BinaryView => self.array.as_binary_view().value(at),
            DataType::FixedSizeBinary(_) => self.array.as_fixed_size_binary().value(at),
            _ => return None,
        })
    }

    /// What is exact as text only.
    fn exact_text(&self, at: usize) -> Option<Cell<'a>> {
        let array = self.array;
        let string = |text: String| Cell::String(Cow::Owned(text));
        Some(match array.data_type() {
            DataType::Decimal32(_, scale) => decimal::<Decimal32Type>(array, at, *scale),
            DataType::Decimal64(_, scale) => decimal::<Decimal64Type>(array, at, *scale),
            DataType::Decimal128(_, scale) => decimal::<Decimal128Type>(array, at, *scale),
            DataType::Decimal256(_, scale) => decimal::<Decimal256Type>(array, at, *scale),
            DataType::Time32(unit) => {
                let ticks = match unit {
                    TimeUnit::Second => at!(array, at, Time32SecondType),
                    _ => at!(array, at, Time32MillisecondType),
                };
                string(texts::time_of_day(i128::from(ticks) * per(unit)))
            }
            DataType::Time64(unit) => {
                let ticks = match unit {
                    TimeUnit::Microsecond => at!(array, at, Time64MicrosecondType),
                    _ => at!(array, at, Time64NanosecondType),
                };
                string(texts::time_of_day(i128::from(ticks) * per(unit)))
            }
            DataType::Duration(unit) => {
                let ticks = match unit {
                    TimeUnit::Second => at!(array, at, DurationSecondType),
                    TimeUnit::Millisecond => at!(array, at, DurationMillisecondType),
                    TimeUnit::Microsecond => at!(array, at, DurationMicrosecondType),
                    TimeUnit::Nanosecond => at!(array, at, DurationNanosecondType),
                };
                string(texts::duration(i128::from(ticks) * per(unit)))
            }
            DataType::Interval(unit) => string(self.interval(unit, at)),
            _ => return None,
        })
    }

    fn interval(&self, unit: &IntervalUnit, at: usize) -> String {
        match unit {
            IntervalUnit::YearMonth => texts::interval(at!(self.array, at, IntervalYearMonthType).into(), 0, 0),
            IntervalUnit::DayTime => {
                let value = at!(self.array, at, IntervalDayTimeType);
                // Parquet's intervals have months too, and no Arrow type that its reader knows has all three.
                let months = self.coarse.map_or(0, |coarse| at!(coarse, at, IntervalYearMonthType));
                let nanos = i128::from(value.milliseconds) * per(&TimeUnit::Millisecond);
                texts::interval(months.into(), value.days.into(), nanos)
            }
            IntervalUnit::MonthDayNano => {
                let value = at!(self.array, at, IntervalMonthDayNanoType);
                texts::interval(value.months.into(), value.days.into(), value.nanoseconds.into())
            }
        }
    }

    /// The elements of a list.
    fn items(&self, at: usize) -> Option<(View<'a>, Range<usize>)> {
        let array = self.array;
        let (values, range) = match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                (list.values(), usizes(list.value_offsets()[at], list.value_offsets()[at + 1]))
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                (list.values(), usizes(list.value_offsets()[at], list.value_offsets()[at + 1]))
            }
            DataType::ListView(_) => {
                let list = array.as_list_view::<i32>();
                let start = list.value_offsets()[at];
                (list.values(), usizes(start, start + list.value_sizes()[at]))
            }
            DataType::LargeListView(_) => {
                let list = array.as_list_view::<i64>();
                let start = list.value_offsets()[at];
                (list.values(), usizes(start, start + list.value_sizes()[at]))
            }
            DataType::FixedSizeList(_, length) => {
                let list = array.as_fixed_size_list();
                let start = list.value_offset(at);
                (list.values(), usizes(start, start + *length))
            }
            _ => return None,
        };
        let coarse = self.coarse.and_then(list_values);
        Some((self.inside(&**values, coarse, Some(0)), range))
    }

    /// Numbers without a gap, as they lie.
    fn numbers(&self, range: Range<usize>) -> Option<Numbers> {
        let array = self.array;
        if self.shape.mark != Mark::Plain || range.clone().any(|at| array.is_null(at)) {
            return None;
        }
        macro_rules! numbers {
            ($($dtype:ident $type:ty),*) => {
                match dtype(array.data_type())? {
                    $(timeweft_graph::DType::$dtype => Numbers::$dtype(array.as_primitive::<$type>().values()[range].to_vec())),*
                }
            };
        }
        Some(numbers!(
            I8 Int8Type, I16 Int16Type, I32 Int32Type, I64 Int64Type, U8 UInt8Type, U16 UInt16Type, U32 UInt32Type,
            U64 UInt64Type, F16 Float16Type, F32 Float32Type, F64 Float64Type
        ))
    }

    /// The value at a place, which is not empty, with what is inside of it.
    fn inner(&self, at: usize) -> Cell<'a> {
        if let Some((items, range)) = self.items(at) {
            return Cell::Nested(Nested::List(range.map(|at| items.cell(at)).collect()));
        }
        Cell::Nested(match self.array.data_type() {
            DataType::Struct(fields) => {
                let parts = self.array.as_struct().columns().iter().zip(fields).enumerate();
                let coarse = self.coarse.map(|coarse| coarse.as_struct().columns());
                let member = |(child, (part, field)): (usize, (&'a ArrayRef, &'a FieldRef))| {
                    let coarse = coarse.and_then(|coarse| coarse.get(child)).map(|coarse| &**coarse);
                    (field.name().as_str(), self.inside(&**part, coarse, Some(child)).cell(at))
                };
                Nested::Struct(parts.map(member).collect())
            }
            DataType::Map(..) => {
                let (map, coarse) = (self.array.as_map(), self.coarse.map(|coarse| coarse.as_map()));
                let keys = self.inside(&**map.keys(), coarse.map(|coarse| &**coarse.keys()), Some(0));
                let values = self.inside(&**map.values(), coarse.map(|coarse| &**coarse.values()), Some(1));
                let entry = |at| Cell::Nested(Nested::List(vec![keys.cell(at), values.cell(at)]));
                let entries = usizes(map.value_offsets()[at], map.value_offsets()[at + 1]);
                Nested::List(entries.map(entry).collect())
            }
            DataType::Union(types, _) => {
                let union = self.array.as_union();
                let of = union.type_id(at);
                let child = types.iter().position(|(id, _)| id == of);
                let cell = self.inside(&**union.child(of), None, child).cell(union.value_offset(at));
                Nested::Union(Box::new(cell))
            }
            other => {
                let problem = format!("{other} is a type that is not read: cast it, or leave the column out");
                return Cell::Invalid(problem);
            }
        })
    }
}

/// The values of a list.
pub(super) fn list_values(array: &dyn Array) -> Option<&dyn Array> {
    Some(match array.data_type() {
        DataType::List(_) => &**array.as_list::<i32>().values(),
        DataType::LargeList(_) => &**array.as_list::<i64>().values(),
        DataType::ListView(_) => &**array.as_list_view::<i32>().values(),
        DataType::LargeListView(_) => &**array.as_list_view::<i64>().values(),
        DataType::FixedSizeList(..) => &**array.as_fixed_size_list().values(),
        _ => return None,
    })
}

fn usizes<T: ArrowNativeType>(start: T, end: T) -> Range<usize> {
    start.as_usize()..end.as_usize()
}

fn decimal<'a, T: DecimalType>(array: &dyn Array, at: usize, scale: i8) -> Cell<'a>
where
    T::Native: std::fmt::Display,
{
    Cell::Decimal(texts::decimal(&array.as_primitive::<T>().value(at).to_string(), scale))
}

fn int128(bytes: &[u8], signed: bool) -> String {
    let number = bytes.try_into().map_or(0, u128::from_le_bytes);
    if signed { number.cast_signed().to_string() } else { number.to_string() }
}
