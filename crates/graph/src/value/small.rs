//! Values that fit in 31 bits.

use super::DType;
use super::bytes::SCALAR;

/// The bytes of a value, as [`super::Value::encode`] writes them, that a number of 31 bits stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SmallValue {
    bytes: [u8; 10],
    length: u8,
}

/// Whole numbers below this are small.
const LIMIT: i64 = 1 << 30;
/// Marks a single-precision number among small values.
const SINGLE: u32 = 1 << 30;

impl SmallValue {
    /// The number of a value's bytes, below 2^31, if there is one: for a scalar `i64` from 0 to 2^30 - 1, and for a scalar
    /// `f32` whose last two bits are 0, such as 1, 0.5 and 100, unless it is not a number.
    #[inline]
    pub fn number(bytes: &[u8]) -> Option<u32> {
        let [SCALAR, dtype, elements @ ..] = bytes else { return None };
        if *dtype == DType::I64 as u8 {
            let number = i64::from_le_bytes(elements.try_into().ok()?);
            return (0..LIMIT).contains(&number).then_some(number as u32);
        }
        if *dtype == DType::F32 as u8 {
            let number = f32::from_le_bytes(elements.try_into().ok()?);
            let bits = number.to_bits();
            return (bits & 3 == 0 && !number.is_nan()).then_some(SINGLE | bits >> 2);
        }
        None
    }

    /// The value that a number stands for.
    #[inline]
    pub fn of(number: u32) -> SmallValue {
        let mut bytes = [0; 10];
        bytes[0] = SCALAR;
        if number & SINGLE == 0 {
            bytes[1] = DType::I64 as u8;
            bytes[2..].copy_from_slice(&i64::from(number).to_le_bytes());
            SmallValue { bytes, length: 10 }
        } else {
            bytes[1] = DType::F32 as u8;
            bytes[2..6].copy_from_slice(&(number << 2).to_le_bytes());
            SmallValue { bytes, length: 6 }
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dense, Numbers, Value};

    fn encoded(numbers: Numbers, scalar: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        Value::Dense(Dense { numbers, scalar }).encode(&mut bytes);
        bytes
    }

    #[test]
    fn small_numbers_come_back_and_others_have_no_number() {
        for number in [0, 1, 11, LIMIT - 1] {
            let bytes = encoded(Numbers::I64(vec![number]), true);
            let back = SmallValue::number(&bytes).map(SmallValue::of);
            assert_eq!(back.as_ref().map(SmallValue::bytes), Some(&bytes[..]));
        }
        for number in [0.0, -0.0, 1.0, 0.5, -100.0, f32::INFINITY, f32::NEG_INFINITY] {
            let bytes = encoded(Numbers::F32(vec![number]), true);
            let back = SmallValue::number(&bytes).map(SmallValue::of);
            assert_eq!(back.as_ref().map(SmallValue::bytes), Some(&bytes[..]));
        }
        let others = [
            encoded(Numbers::I64(vec![-1]), true),
            encoded(Numbers::I64(vec![LIMIT]), true),
            encoded(Numbers::I64(vec![1]), false),
            encoded(Numbers::I32(vec![1]), true),
            encoded(Numbers::F32(vec![0.1]), true),
            encoded(Numbers::F32(vec![f32::NAN]), true),
            encoded(Numbers::F32(vec![f32::from_bits(u32::MAX << 2)]), true),
            encoded(Numbers::F64(vec![1.0]), true),
            Vec::new(),
        ];
        for bytes in others {
            assert_eq!(SmallValue::number(&bytes), None, "{bytes:?}");
        }
    }
}
