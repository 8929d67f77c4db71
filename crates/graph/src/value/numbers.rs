//! Arrays of numbers of one element type.

use std::fmt;
use std::str::FromStr;

use half::f16;
use serde::{Deserialize, Serialize};

/// A type of the elements of dense and sparse features: one for each [`DType`].
pub trait NumberType: Copy + Default + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// Which one it is.
    const DTYPE: DType;

    /// Reads little-endian elements into the first places of `out`, whole ones only and as many as there is room for, and
    /// gives how many.
    fn read_le(bytes: &[u8], out: &mut [Self]) -> usize;
}

macro_rules! numbers {
    ($($variant:ident $type:ty, $name:literal;)*) => {
        /// Element type of dense and sparse features.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[allow(missing_docs)]
        pub enum DType { $(#[serde(rename = $name)] $variant),* }

        impl DType {
            /// Short name: `f32`, `i64`, ...
            pub fn name(self) -> &'static str {
                match self { $(DType::$variant => $name),* }
            }

            /// Bytes of an element.
            pub fn size(self) -> usize {
                match self { $(DType::$variant => size_of::<$type>()),* }
            }

            /// Inverse of `as u8`.
            pub(super) fn from_u8(number: u8) -> Option<DType> {
                [$(DType::$variant),*].into_iter().find(|dtype| *dtype as u8 == number)
            }
        }

        impl FromStr for DType {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text { $($name => Ok(DType::$variant),)* other => Err(format!("`{other}` is not an element type")) }
            }
        }

        $(impl NumberType for $type {
            const DTYPE: DType = DType::$variant;

            #[inline]
            fn read_le(bytes: &[u8], out: &mut [$type]) -> usize {
                let (elements, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
                out.iter_mut().zip(elements).for_each(|(place, element)| *place = <$type>::from_le_bytes(*element));
                elements.len().min(out.len())
            }
        })*

        /// A typed array of numbers.
        #[derive(Clone, Debug)]
        #[allow(missing_docs)]
        pub enum Numbers { $($variant(Vec<$type>)),* }

        impl Numbers {
            /// Element type.
            pub fn dtype(&self) -> DType {
                match self { $(Numbers::$variant(_) => DType::$variant),* }
            }

            /// Number of elements.
            pub fn len(&self) -> usize {
                match self { $(Numbers::$variant(values) => values.len()),* }
            }

            /// Little-endian bytes, element after element.
            pub fn to_le_bytes(&self) -> Vec<u8> {
                match self { $(Numbers::$variant(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect()),* }
            }

            /// Appends these bytes.
            pub(super) fn extend_le_bytes(&self, out: &mut Vec<u8>) {
                match self { $(Numbers::$variant(values) => values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()))),* }
            }

            /// Inverse of [`Numbers::to_le_bytes`]; `None` if the length is not a multiple of the element size.
            pub fn from_le_bytes(dtype: DType, bytes: &[u8]) -> Option<Numbers> {
                match dtype {
                    $(DType::$variant => {
                        let (chunks, rest) = bytes.as_chunks::<{ size_of::<$type>() }>();
                        rest.is_empty().then(|| Numbers::$variant(chunks.iter().map(|chunk| <$type>::from_le_bytes(*chunk)).collect()))
                    }),*
                }
            }
        }
    };
}

numbers! {
    F64 f64, "f64"; F32 f32, "f32"; F16 f16, "f16";
    I64 i64, "i64"; I32 i32, "i32"; I16 i16, "i16"; I8 i8, "i8";
    U64 u64, "u64"; U32 u32, "u32"; U16 u16, "u16"; U8 u8, "u8";
}

impl Numbers {
    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements as `f64`, for reading by people and by models (64-bit integers may round).
    pub fn to_f64(&self) -> Vec<f64> {
        fn widen<T: Copy>(values: &[T], f: impl Fn(T) -> f64) -> Vec<f64> {
            values.iter().map(|&value| f(value)).collect()
        }
        match self {
            Numbers::F64(v) => v.clone(),
            Numbers::F32(v) => widen(v, f64::from),
            Numbers::F16(v) => widen(v, f64::from),
            Numbers::I64(v) => widen(v, |x| x as f64),
            Numbers::I32(v) => widen(v, f64::from),
            Numbers::I16(v) => widen(v, f64::from),
            Numbers::I8(v) => widen(v, f64::from),
            Numbers::U64(v) => widen(v, |x| x as f64),
            Numbers::U32(v) => widen(v, f64::from),
            Numbers::U16(v) => widen(v, f64::from),
            Numbers::U8(v) => widen(v, f64::from),
        }
    }

    /// The elements as JSON numbers. Floats of 16 and 32 bits print shortest for their own type; what JSON has no number for
    /// is the text `"nan"`, `"inf"` or `"-inf"`.
    pub fn to_json(&self) -> Vec<serde_json::Value> {
        macro_rules! each {
            ($v:expr) => {
                $v.iter().map(|&x| serde_json::Value::from(x)).collect()
            };
        }
        match self {
            Numbers::F64(v) => v.iter().map(|x| float(*x)).collect(),
            Numbers::F32(v) => v.iter().map(|x| shortest(&x.to_string())).collect(),
            Numbers::F16(v) => v.iter().map(|x| shortest(&x.to_string())).collect(),
            Numbers::I64(v) => each!(v),
            Numbers::I32(v) => each!(v),
            Numbers::I16(v) => each!(v),
            Numbers::I8(v) => each!(v),
            Numbers::U64(v) => each!(v),
            Numbers::U32(v) => each!(v),
            Numbers::U16(v) => each!(v),
            Numbers::U8(v) => each!(v),
        }
    }
}

fn shortest(text: &str) -> serde_json::Value {
    text.parse::<f64>().map_or(serde_json::Value::Null, float)
}

fn float(value: f64) -> serde_json::Value {
    not_finite(value).map_or_else(|| value.into(), serde_json::Value::from)
}

/// The name of what JSON has no number for: `nan`, `inf` or `-inf`; `None` of all other numbers.
pub fn not_finite(value: f64) -> Option<&'static str> {
    match value {
        value if value.is_nan() => Some("nan"),
        f64::INFINITY => Some("inf"),
        f64::NEG_INFINITY => Some("-inf"),
        _ => None,
    }
}

/// Bit-wise: NaN equals itself, 0.0 and -0.0 differ, element types never mix.
impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        self.dtype() == other.dtype() && self.to_le_bytes() == other.to_le_bytes()
    }
}
impl Eq for Numbers {}
