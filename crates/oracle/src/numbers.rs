//! Numbers of JSON, one by one.

use timeweft_graph::{DType, Numbers, f16};

/// Reads JSON numbers as `dtype`, exactly: what does not fit is an error, never a wrap.
pub fn numbers_of_json(dtype: DType, values: &[serde_json::Value]) -> Result<Numbers, String> {
    fn all<T>(
        values: &[serde_json::Value],
        dtype: DType,
        f: impl Fn(&serde_json::Value) -> Option<T>,
    ) -> Result<Vec<T>, String> {
        values.iter().map(|value| f(value).ok_or_else(|| format!("{value} is not a {}", dtype.name()))).collect()
    }
    macro_rules! integers {
        ($via:ident) => {
            all(values, dtype, |value| value.$via().and_then(|number| number.try_into().ok()))?
        };
    }
    Ok(match dtype {
        DType::F64 => Numbers::F64(all(values, dtype, serde_json::Value::as_f64)?),
        DType::F32 => Numbers::F32(all(values, dtype, |value| {
            value.as_f64().map(|number| number as f32).filter(|x| x.is_finite())
        })?),
        DType::F16 => {
            Numbers::F16(all(values, dtype, |value| value.as_f64().map(f16::from_f64).filter(|x| x.is_finite()))?)
        }
        DType::I64 => Numbers::I64(integers!(as_i64)),
        DType::I32 => Numbers::I32(integers!(as_i64)),
        DType::I16 => Numbers::I16(integers!(as_i64)),
        DType::I8 => Numbers::I8(integers!(as_i64)),
        DType::U64 => Numbers::U64(integers!(as_u64)),
        DType::U32 => Numbers::U32(integers!(as_u64)),
        DType::U16 => Numbers::U16(integers!(as_u64)),
        DType::U8 => Numbers::U8(integers!(as_u64)),
    })
}
