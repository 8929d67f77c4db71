//! What kind of values a feature holds, and how its lists compare.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DType, Value};

/// What kind of values a feature holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum FeatureKind {
    /// Numbers of one element type; `scalar` if each value is one number rather than a list.
    #[allow(missing_docs)]
    Dense { dtype: DType, scalar: bool },
    /// Sparse tensors of one rank and element type.
    #[allow(missing_docs)]
    Sparse { dtype: DType, rank: u32 },
    /// Free text.
    Text,
    /// Raw bytes.
    Bytes,
    /// One of a small set of names.
    Category,
    /// Structured values.
    Json,
}

impl FeatureKind {
    /// The kind of a value.
    pub fn of(value: &Value) -> FeatureKind {
        match value {
            Value::Dense(dense) => FeatureKind::Dense { dtype: dense.numbers.dtype(), scalar: dense.scalar },
            Value::Sparse(sparse) => FeatureKind::Sparse { dtype: sparse.values.dtype(), rank: sparse.rank },
            Value::Text(_) => FeatureKind::Text,
            Value::Bytes(_) => FeatureKind::Bytes,
            Value::Category(_) => FeatureKind::Category,
            Value::Json(_) => FeatureKind::Json,
        }
    }
}

impl fmt::Display for FeatureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeatureKind::Dense { dtype, scalar: true } => f.write_str(dtype.name()),
            FeatureKind::Dense { dtype, scalar: false } => write!(f, "{}[]", dtype.name()),
            FeatureKind::Sparse { dtype, rank } => write!(f, "sparse {} of rank {rank}", dtype.name()),
            FeatureKind::Text => f.write_str("text"),
            FeatureKind::Bytes => f.write_str("bytes"),
            FeatureKind::Category => f.write_str("category"),
            FeatureKind::Json => f.write_str("json"),
        }
    }
}

/// Whether the order of a JSON list matters when two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListOrder {
    /// Order and repetition matter.
    #[default]
    List,
    /// Only membership matters: stored sorted, without repeats.
    Set,
    /// Repetition matters, order does not: stored sorted.
    Multiset,
}

impl ListOrder {
    /// The one form in which values that mean the same are stored. Only JSON lists are touched.
    pub fn canonical(self, value: Value) -> Value {
        let (order, Value::Json(serde_json::Value::Array(mut items))) = (self, value.clone()) else { return value };
        if order == ListOrder::List {
            return value;
        }
        items.sort_by_cached_key(|item| item.to_string());
        if order == ListOrder::Set {
            items.dedup();
        }
        Value::Json(items.into())
    }
}
