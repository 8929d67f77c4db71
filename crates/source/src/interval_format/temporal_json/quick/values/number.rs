//! Numbers of one type, exactly; and coordinates.

use std::fmt;

use half::f16;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use timeweft_graph::DType;

use super::Shape;

/// Appends a whole number; what does not fit is an error.
pub(super) fn push_integer<E: Error>(dtype: DType, number: i128, out: &mut Vec<u8>) -> Result<(), E> {
    macro_rules! integer {
        ($type:ty) => {{
            let number = <$type>::try_from(number).map_err(|_| E::custom("out of range"))?;
            out.extend_from_slice(&number.to_le_bytes());
        }};
    }
    macro_rules! float {
        ($number:expr, $wide:expr) => {{
            let float = $number;
            if $wide(float) as i128 != number {
                return Err(E::custom("not exact"));
            }
            out.extend_from_slice(&float.to_le_bytes());
        }};
    }
    match dtype {
        DType::F64 => float!(number as f64, |float: f64| float),
        DType::F32 => float!(number as f32, f64::from),
        DType::F16 => float!(f16::from_f64(number as f64), f64::from),
        DType::I64 => integer!(i64),
        DType::I32 => integer!(i32),
        DType::I16 => integer!(i16),
        DType::I8 => integer!(i8),
        DType::U64 => integer!(u64),
        DType::U32 => integer!(u32),
        DType::U16 => integer!(u16),
        DType::U8 => integer!(u8),
    }
    Ok(())
}

/// Beyond this, the text may have been a whole number, which would have to be exact.
const WHOLE: f64 = (1u64 << 63) as f64;
/// The bits of an `f64` that an `f32` lacks.
const LOST: u64 = (1 << 29) - 1;
/// Of these, those of a number in the middle between two.
const MIDDLE: u64 = 1 << 28;

/// Appends a number that was written with a fraction or an exponent.
pub(super) fn push_float<E: Error>(dtype: DType, number: f64, out: &mut Vec<u8>) -> Result<(), E> {
    if number.abs() >= WHOLE {
        return Err(E::custom("perhaps a whole number"));
    }
    match dtype {
        DType::F64 => out.extend_from_slice(&number.to_le_bytes()),
        DType::F32 => {
            // Rounded twice, a number in the middle between two may end up at the wrong one.
            let is_middle = number.to_bits() & LOST == MIDDLE;
            let is_small = number != 0.0 && number.abs() < f64::from(f32::MIN_POSITIVE);
            if is_middle || is_small {
                return Err(E::custom("perhaps rounded twice"));
            }
            out.extend_from_slice(&(number as f32).to_le_bytes());
        }
        DType::F16 => {
            let narrow = f16::from_f64(number);
            if !narrow.is_finite() {
                return Err(E::custom("out of range"));
            }
            out.extend_from_slice(&narrow.to_le_bytes());
        }
        _ => return Err(E::custom("no whole number")),
    }
    Ok(())
}

/// A list of whole numbers or of points.
pub(super) struct Coordinates<'a>(pub(super) &'a mut Vec<i64>);

impl<'de> DeserializeSeed<'de> for Coordinates<'_> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Coordinates<'_> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("coordinates")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        self.0.clear();
        let (mut first, mut count) = (None, 0);
        while let Some(length) = list.next_element_seed(Point { out: self.0, is_inner: false })? {
            count += 1;
            if *first.get_or_insert(length) != length {
                return Err(A::Error::custom("points of different lengths"));
            }
        }
        Ok(match first.flatten() {
            None => Shape::Flat,
            Some(rank) => Shape::Points { count, rank },
        })
    }
}

/// A coordinate, or a point: its length is given.
struct Point<'a> {
    out: &'a mut Vec<i64>,
    is_inner: bool,
}

impl<'de> DeserializeSeed<'de> for Point<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Point<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a coordinate or a point")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<usize>, E> {
        self.out.push(i64::try_from(number).map_err(E::custom)?);
        Ok(None)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Option<usize>, E> {
        self.out.push(number);
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<usize>, A::Error> {
        if self.is_inner {
            return Err(A::Error::custom("a point in a point"));
        }
        let mut length = 0;
        while list.next_element_seed(Point { out: self.out, is_inner: true })?.is_some() {
            length += 1;
        }
        if length == 0 {
            return Err(A::Error::custom("a point without coordinates"));
        }
        Ok(Some(length))
    }
}
