//! Feature values as JSON text, without loss.
//!
//! | kind | text |
//! |---|---|
//! | dense | a number, or a list of numbers; `"nan"`, `"inf"`, `"-inf"` for what JSON has no number for, `"nan:7ff8000000000001"` for a NaN with other bits |
//! | sparse | `{"coordinates": [[0, 4], [2, 5]], "values": [1, 7]}`; points of rank 1 may be flat: `[4, 5]` |
//! | text, category | a text |
//! | bytes | a text where they are UTF-8, else a list of numbers from 0 to 255 |
//! | json | itself; `{"$json": null}` for the value `null`, because a plain `null` ends a value |

use std::fmt::Write;

use half::f16;
use serde::Deserialize;
use serde_json::value::RawValue;
use timeweft_graph::{DType, Dense, FeatureKind, Numbers, Sparse, Value};

use crate::text::json::{excerpt, is_integer, is_number, oversized_integer, parse};

/// Beyond this, neighboring integers share one `f64`.
const EXACT: i128 = 1 << 53;

/// What an undeclared feature looks like.
pub(crate) enum Inferred {
    /// A value of an obvious kind.
    Value(Value),
    /// `[]`: a list, but of what?
    EmptyList,
}

/// Reads a value without a declared kind: number, list of numbers, text, or JSON.
pub(crate) fn infer(raw: &str) -> Result<Inferred, String> {
    let value = match raw.as_bytes().first() {
        Some(b'"') => Value::Text(parse::<String>(raw)?.into()),
        Some(b'[') => {
            let items: Vec<&RawValue> = parse(raw)?;
            if items.is_empty() {
                return Ok(Inferred::EmptyList);
            }
            if items.iter().all(|item| is_number(item.get())) { list(items)? } else { json(raw)? }
        }
        _ if is_number(raw) => scalar(raw)?,
        _ => json(raw)?,
    };
    Ok(Inferred::Value(value))
}

fn scalar(raw: &str) -> Result<Value, String> {
    exact(raw)?;
    Ok(Value::Dense(Dense { numbers: numbers(DType::F64, [raw])?, scalar: true }))
}

fn list(items: Vec<&RawValue>) -> Result<Value, String> {
    items.iter().try_for_each(|item| exact(item.get()))?;
    let numbers = numbers(DType::F64, items.iter().map(|item| item.get()))?;
    Ok(Value::Dense(Dense { numbers, scalar: false }))
}

/// Refuses integers that an `f64` may change.
pub(crate) fn exact(raw: &str) -> Result<(), String> {
    let safe = !is_integer(raw) || raw.parse::<i128>().is_ok_and(|number| number.abs() <= EXACT);
    if safe {
        return Ok(());
    }
    Err(format!(
        "{} is beyond 2^53, where f64 loses digits: declare the feature as i64 or u64, or give a text",
        excerpt(raw)
    ))
}

/// Reads a value of a declared kind exactly.
pub(crate) fn read(kind: FeatureKind, raw: &str) -> Result<Value, String> {
    let expected = || format!("expected {kind}, got {}", excerpt(raw));
    Ok(match kind {
        FeatureKind::Dense { dtype, scalar: true } => {
            Value::Dense(Dense { numbers: numbers(dtype, [raw])?, scalar: true })
        }
        FeatureKind::Dense { dtype, scalar: false } => {
            let items: Vec<&RawValue> = parse(raw).map_err(|_| expected())?;
            let numbers = numbers(dtype, items.iter().map(|item| item.get()))?;
            Value::Dense(Dense { numbers, scalar: false })
        }
        FeatureKind::Sparse { dtype, rank } => {
            let parts: SparseParts = parse(raw).map_err(|problem| format!("{}: {problem}", expected()))?;
            let value = Value::Sparse(sparse(dtype, Some(rank), parts.coordinates.get(), parts.values.get())?);
            if FeatureKind::of(&value) != kind {
                return Err(expected());
            }
            value
        }
        FeatureKind::Text => Value::Text(parse::<String>(raw).map_err(|_| expected())?.into()),
        FeatureKind::Category => Value::Category(parse::<String>(raw).map_err(|_| expected())?.into()),
        FeatureKind::Bytes => bytes(raw).ok_or_else(expected)?,
        FeatureKind::Json => json(raw)?,
    })
}

fn bytes(raw: &str) -> Option<Value> {
    let bytes = match parse::<String>(raw) {
        Ok(text) => text.into_bytes(),
        Err(_) => parse::<Vec<u8>>(raw).ok()?,
    };
    Some(Value::Bytes(bytes))
}

/// The name that wraps a JSON value which would otherwise mean something else.
const WRAPPER: &str = "$json";

fn json(raw: &str) -> Result<Value, String> {
    if let Some(number) = oversized_integer(raw) {
        return Err(format!("{} does not fit 64 bits: give it as a text", excerpt(number)));
    }
    let value: serde_json::Value = parse(raw)?;
    Ok(Value::Json(match value {
        serde_json::Value::Object(mut members) if members.len() == 1 && members.contains_key(WRAPPER) => {
            members.remove(WRAPPER).unwrap_or_default()
        }
        other => other,
    }))
}

fn needs_wrapper(value: &serde_json::Value) -> bool {
    value.is_null() || value.as_object().is_some_and(|members| members.len() == 1 && members.contains_key(WRAPPER))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SparseParts<'a> {
    #[serde(borrow)]
    coordinates: &'a RawValue,
    #[serde(borrow)]
    values: &'a RawValue,
}

/// Reads a sparse tensor. Without a given `rank`, flat coordinates are points of rank 1, or one point if there is one value.
pub(crate) fn sparse(dtype: DType, rank: Option<u32>, coordinates: &str, values: &str) -> Result<Sparse, String> {
    let items: Vec<&RawValue> = parse(values).map_err(|problem| format!("values: {problem}"))?;
    let values = numbers(dtype, items.iter().map(|item| item.get()))?;
    let (inferred, coordinates) = points(coordinates, values.len())?;
    // Without coordinates nothing shows the rank: an empty tensor, or a declared rank of 0.
    let rank = rank.filter(|_| coordinates.is_empty()).unwrap_or(if coordinates.is_empty() { 1 } else { inferred });
    if coordinates.len() != values.len() * rank as usize {
        return Err(format!(
            "{} coordinates of rank {rank} do not fit {} values: give one point a value",
            coordinates.len(),
            values.len()
        ));
    }
    Ok(Sparse { rank, coordinates, values })
}

/// Rank and flat coordinates of `count` points.
fn points(raw: &str, count: usize) -> Result<(u32, Vec<i64>), String> {
    if let Ok(flat) = parse::<Vec<i64>>(raw) {
        let rank = if count == 1 { flat.len() } else { 1 };
        return Ok((u32::try_from(rank).unwrap_or(u32::MAX), flat));
    }
    let nested: Vec<Vec<i64>> = parse(raw)
        .map_err(|_| format!("coordinates: expected a list of whole numbers or of points, got {}", excerpt(raw)))?;
    let rank = nested.first().map_or(0, Vec::len);
    if nested.iter().any(|point| point.len() != rank) || nested.len() != count {
        return Err(format!("coordinates: expected {count} points of {rank} numbers, got {}", excerpt(raw)));
    }
    Ok((u32::try_from(rank).unwrap_or(u32::MAX), nested.concat()))
}

/// Reads numbers of one type from their texts; what does not fit is an error, never a wrap.
pub(crate) fn numbers<'a>(dtype: DType, texts: impl IntoIterator<Item = &'a str>) -> Result<Numbers, String> {
    let texts = texts.into_iter();
    macro_rules! collect {
        ($read:expr) => {
            texts.map(|text| $read(text).ok_or_else(|| misfit(dtype, text))).collect::<Result<_, _>>()?
        };
    }
    Ok(match dtype {
        DType::F64 => Numbers::F64(collect!(float::<f64>)),
        DType::F32 => Numbers::F32(collect!(float::<f32>)),
        DType::F16 => Numbers::F16(collect!(float::<f16>)),
        DType::I64 => Numbers::I64(collect!(integer)),
        DType::I32 => Numbers::I32(collect!(integer)),
        DType::I16 => Numbers::I16(collect!(integer)),
        DType::I8 => Numbers::I8(collect!(integer)),
        DType::U64 => Numbers::U64(collect!(integer)),
        DType::U32 => Numbers::U32(collect!(integer)),
        DType::U16 => Numbers::U16(collect!(integer)),
        DType::U8 => Numbers::U8(collect!(integer)),
    })
}

fn misfit(dtype: DType, text: &str) -> String {
    format!("expected a number of type {}, got {}", dtype.name(), excerpt(text))
}

/// Reads a whole number, also with zeros behind a point, as floats that are whole are written.
fn integer<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok().or_else(|| {
        let (whole, zeros) = text.split_once('.')?;
        let is_whole = !zeros.is_empty() && zeros.bytes().all(|digit| digit == b'0');
        is_whole.then(|| whole.parse().ok())?
    })
}

/// The name of an infinity that is written without quotation marks, in the ways of Python, R, SQL and Java.
pub(crate) fn infinity(word: &str) -> Option<&'static str> {
    let (name, rest) = match word.as_bytes().first()? {
        b'-' => ("\"-inf\"", &word[1..]),
        b'+' => ("\"inf\"", &word[1..]),
        _ => ("\"inf\"", word),
    };
    (rest.eq_ignore_ascii_case("inf") || rest.eq_ignore_ascii_case("infinity")).then_some(name)
}

/// Reads a float: fractions round to the nearest, whole numbers must be exact, nothing overflows to infinity.
fn float<T: Float>(text: &str) -> Option<T> {
    if let Some(name) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        return special(name);
    }
    // The bare words `nan` and `inf`, which Rust would take, are no numbers here.
    let value = T::nearest(text).filter(|value| value.widen().is_finite())?;
    let exact = !is_integer(text) || text.parse::<i128>().is_ok_and(|whole| value.widen() as i128 == whole);
    exact.then_some(value)
}

fn special<T: Float>(name: &str) -> Option<T> {
    match name {
        "nan" => Some(T::from_f64(f64::NAN)),
        "inf" => Some(T::from_f64(f64::INFINITY)),
        "-inf" => Some(T::from_f64(f64::NEG_INFINITY)),
        other => T::from_hex(other.strip_prefix("nan:")?).filter(|value| value.widen().is_nan()),
    }
}

/// What the three float types share.
trait Float: Copy {
    fn nearest(text: &str) -> Option<Self>;
    fn from_f64(value: f64) -> Self;
    fn from_hex(bits: &str) -> Option<Self>;
    fn hex(self) -> String;
    fn widen(self) -> f64;
    fn shortest(self) -> String;
}

macro_rules! float {
    ($type:ty, $bits:ty, $nearest:expr, $from_f64:expr, $shortest:expr) => {
        impl Float for $type {
            fn nearest(text: &str) -> Option<Self> {
                $nearest(text)
            }
            fn from_f64(value: f64) -> Self {
                $from_f64(value)
            }
            fn from_hex(bits: &str) -> Option<Self> {
                <$bits>::from_str_radix(bits, 16).ok().map(Self::from_bits)
            }
            fn hex(self) -> String {
                format!("{:x}", self.to_bits())
            }
            fn widen(self) -> f64 {
                f64::from(self)
            }
            fn shortest(self) -> String {
                $shortest(self)
            }
        }
    };
}

float!(f64, u64, |text: &str| text.parse().ok(), |value| value, |value| format!("{value:?}"));
float!(f32, u32, |text: &str| text.parse().ok(), |value| value as f32, |value| format!("{value:?}"));
float!(f16, u16, |text: &str| text.parse().ok().map(f16::from_f64), f16::from_f64, |value: f16| format!(
    "{:?}",
    value.to_f32()
));

/// Appends a value as JSON text.
pub(crate) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Dense(Dense { numbers, scalar: true }) => write_elements(numbers, out),
        Value::Dense(Dense { numbers, scalar: false }) => write_list(numbers, out),
        Value::Sparse(sparse) => write_sparse(sparse, out),
        Value::Text(text) | Value::Category(text) => write_text(text, out),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => write_text(text, out),
            Err(_) => out.push_str(&serde_json::Value::from(bytes.clone()).to_string()),
        },
        Value::Json(value) if needs_wrapper(value) => {
            let _ = write!(out, "{{\"{WRAPPER}\":{value}}}");
        }
        Value::Json(value) => {
            let _ = write!(out, "{value}");
        }
    }
}

/// Appends a text with quotes and escapes.
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn write_sparse(sparse: &Sparse, out: &mut String) {
    let rank = sparse.rank as usize;
    let points: Vec<&[i64]> = match rank {
        0 => vec![&[]; sparse.values.len()],
        _ => sparse.coordinates.chunks(rank).collect(),
    };
    let _ = write!(out, "{{\"coordinates\":{},\"values\":", serde_json::json!(points));
    write_list(&sparse.values, out);
    out.push('}');
}

fn write_list(numbers: &Numbers, out: &mut String) {
    out.push('[');
    write_elements(numbers, out);
    out.push(']');
}

fn write_elements(numbers: &Numbers, out: &mut String) {
    macro_rules! each {
        ($values:expr, $write:expr) => {
            for (at, value) in $values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                $write(*value, out);
            }
        };
    }
    macro_rules! integers {
        ($values:expr) => {
            each!($values, |value, out: &mut String| {
                let _ = write!(out, "{value}");
            })
        };
    }
    match numbers {
        Numbers::F64(values) => each!(values, write_float),
        Numbers::F32(values) => each!(values, write_float),
        Numbers::F16(values) => each!(values, write_float),
        Numbers::I64(values) => integers!(values),
        Numbers::I32(values) => integers!(values),
        Numbers::I16(values) => integers!(values),
        Numbers::I8(values) => integers!(values),
        Numbers::U64(values) => integers!(values),
        Numbers::U32(values) => integers!(values),
        Numbers::U16(values) => integers!(values),
        Numbers::U8(values) => integers!(values),
    }
}

fn write_float<T: Float>(value: T, out: &mut String) {
    let wide = value.widen();
    if wide.is_finite() {
        out.push_str(&value.shortest());
    } else if wide.is_infinite() {
        out.push_str(if wide > 0.0 { "\"inf\"" } else { "\"-inf\"" });
    } else if value.hex() == T::from_f64(f64::NAN).hex() {
        out.push_str("\"nan\"");
    } else {
        let _ = write!(out, "\"nan:{}\"", value.hex());
    }
}
