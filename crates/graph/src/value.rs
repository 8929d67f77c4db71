//! Values of features: typed, compared bit by bit.

mod bytes;
mod kind;
mod numbers;
mod small;
mod widen;

use std::fmt;

use crate::Name;

pub use half::f16;

pub use bytes::{SparseBytes, ValueBytes, ValueRef};
pub use kind::{FeatureKind, ListOrder};
pub use numbers::{DType, NumberType, Numbers, not_finite};
pub use small::SmallValue;

/// A dense array, or one number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dense {
    /// The elements.
    pub numbers: Numbers,
    /// One number rather than a list of one.
    pub scalar: bool,
}

impl Dense {
    /// The name of one number that is none: `nan`, `inf` or `-inf`.
    pub fn not_finite(&self) -> Option<&'static str> {
        let number = match &self.numbers {
            Numbers::F64(numbers) => *numbers.first()?,
            Numbers::F32(numbers) => f64::from(*numbers.first()?),
            Numbers::F16(numbers) => f64::from(*numbers.first()?),
            _ => return None,
        };
        if self.scalar { not_finite(number) } else { None }
    }
}

/// A sparse tensor: `n` points of `rank` coordinates each, and `n` values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sparse {
    /// Number of coordinates of a point.
    pub rank: u32,
    /// `n * rank` coordinates, point after point.
    pub coordinates: Vec<i64>,
    /// `n` values.
    pub values: Numbers,
}

/// The value of a feature. Equality is typed: `1` is not `1.0` and not `true`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Numbers of one type.
    Dense(Dense),
    /// A sparse tensor.
    Sparse(Sparse),
    /// Free text.
    Text(Name),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// One of a small set of names.
    Category(Name),
    /// Anything else, structured.
    Json(serde_json::Value),
}

impl Value {
    /// One `f64`.
    pub fn number(value: f64) -> Value {
        Value::Dense(Dense { numbers: Numbers::F64(vec![value]), scalar: true })
    }

    /// A list of `f32`.
    pub fn floats(values: &[f32]) -> Value {
        Value::Dense(Dense { numbers: Numbers::F32(values.to_vec()), scalar: false })
    }

    /// A text.
    pub fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    /// Whether the value, as people see it, is this text. What is no number has several spellings.
    ///
    /// ```
    /// use timeweft_graph::Value;
    /// assert!(Value::number(1.5).shows_as("1.5"));
    /// assert!(Value::number(f64::NAN).shows_as("NaN") && Value::number(f64::INFINITY).shows_as("Infinity"));
    /// assert!(!Value::text("nan").shows_as("NaN"));
    /// ```
    pub fn shows_as(&self, text: &str) -> bool {
        let special = match self {
            Value::Dense(dense) => dense.not_finite(),
            _ => None,
        };
        match special {
            Some("nan") => text.eq_ignore_ascii_case("nan"),
            Some(name) => {
                let small = text.to_ascii_lowercase();
                small.strip_suffix("inity").unwrap_or(&small).trim_start_matches('+') == name
            }
            None => self.to_string() == text,
        }
    }

    /// For people and for `--json`: bytes as text where they are UTF-8, else as a list of numbers.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Dense(dense) => {
                let mut items = dense.numbers.to_json();
                if dense.scalar { items.pop().unwrap_or_default() } else { items.into() }
            }
            Value::Sparse(sparse) => {
                let points: Vec<_> = sparse.coordinates.chunks(sparse.rank.max(1) as usize).collect();
                serde_json::json!({ "coordinates": points, "values": sparse.values.to_json() })
            }
            Value::Text(text) | Value::Category(text) => serde_json::Value::from(&**text),
            Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => text.into(),
                Err(_) => bytes.clone().into(),
            },
            Value::Json(value) => value.clone(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) | Value::Category(text) => f.write_str(text),
            Value::Bytes(bytes) => f.write_str(&String::from_utf8_lossy(bytes)),
            Value::Dense(dense) if let Some(name) = dense.not_finite() => f.write_str(name),
            other => other.to_json().fmt(f),
        }
    }
}
