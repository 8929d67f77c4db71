//! Values as bytes: one form for storing, comparing and hashing. Equal values have equal bytes.

use serde_json::Value as Json;

use super::{DType, Dense, Numbers, Sparse, Value};
use crate::FeatureKind;

/// A value as a reader of a format has it at hand, borrowed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum ValueRef<'a> {
    /// Free text.
    Text(&'a str),
    /// One of a small set of names.
    Category(&'a str),
    /// A JSON truth value.
    Bool(bool),
    /// One `i64`.
    Int(i64),
    /// One `f64`.
    Float(f64),
    /// One `f32`.
    Single(f32),
    /// Structured.
    Json(&'a Json),
    /// Structured, as the text that [`serde_json`] writes for it: no spaces, keys sorted, and lists whose order means
    /// nothing in their canonical order. Readers that write the text themselves save building a tree for each record.
    RawJson(&'a str),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// A list of numbers.
    Dense {
        /// Element type.
        dtype: DType,
        /// The elements, little endian, element after element.
        elements: &'a [u8],
    },
    /// A sparse tensor.
    Sparse {
        /// Element type of the values.
        dtype: DType,
        /// Number of coordinates of a point.
        rank: u32,
        /// Coordinates, point after point.
        coordinates: &'a [i64],
        /// The values, little endian, value after value.
        elements: &'a [u8],
    },
    /// Any value.
    Any(&'a Value),
}

const TEXT: u8 = 0;
const CATEGORY: u8 = 1;
const BYTES: u8 = 2;
const JSON: u8 = 3;
const DENSE: u8 = 4;
pub(super) const SCALAR: u8 = 5;
const SPARSE: u8 = 6;

impl ValueRef<'_> {
    /// The value, owned.
    pub fn to_value(&self) -> Value {
        let scalar = |numbers| Value::Dense(Dense { numbers, scalar: true });
        match *self {
            ValueRef::Text(text) => Value::Text(text.into()),
            ValueRef::Category(name) => Value::Category(name.into()),
            ValueRef::Bool(truth) => Value::Json(truth.into()),
            ValueRef::Int(number) => scalar(Numbers::I64(vec![number])),
            ValueRef::Float(number) => scalar(Numbers::F64(vec![number])),
            ValueRef::Single(number) => scalar(Numbers::F32(vec![number])),
            ValueRef::Json(json) => Value::Json(json.clone()),
            // What is no JSON stays what it is: a text.
            ValueRef::RawJson(text) => Value::Json(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
            ValueRef::Bytes(bytes) => Value::Bytes(bytes.into()),
            ValueRef::Dense { dtype, elements } => {
                Value::Dense(Dense { numbers: whole_elements(dtype, elements), scalar: false })
            }
            ValueRef::Sparse { dtype, rank, coordinates, elements } => {
                Value::Sparse(Sparse { rank, coordinates: coordinates.into(), values: whole_elements(dtype, elements) })
            }
            ValueRef::Any(value) => value.clone(),
        }
    }

    /// The bytes of one `f32`.
    #[inline]
    pub fn single_bytes(number: f32) -> [u8; 6] {
        let [a, b, c, d] = number.to_le_bytes();
        [SCALAR, DType::F32 as u8, a, b, c, d]
    }

    /// Its kind.
    #[inline]
    pub fn kind(&self) -> FeatureKind {
        match self {
            ValueRef::Text(_) => FeatureKind::Text,
            ValueRef::Category(_) => FeatureKind::Category,
            ValueRef::Bool(_) | ValueRef::Json(_) | ValueRef::RawJson(_) => FeatureKind::Json,
            ValueRef::Int(_) => FeatureKind::Dense { dtype: DType::I64, scalar: true },
            ValueRef::Float(_) => FeatureKind::Dense { dtype: DType::F64, scalar: true },
            ValueRef::Single(_) => FeatureKind::Dense { dtype: DType::F32, scalar: true },
            ValueRef::Bytes(_) => FeatureKind::Bytes,
            ValueRef::Dense { dtype, .. } => FeatureKind::Dense { dtype: *dtype, scalar: false },
            ValueRef::Sparse { dtype, rank, .. } => FeatureKind::Sparse { dtype: *dtype, rank: *rank },
            ValueRef::Any(value) => FeatureKind::of(value),
        }
    }

    /// Appends its bytes.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            ValueRef::Text(text) => tagged(out, TEXT, text.as_bytes()),
            ValueRef::Category(name) => tagged(out, CATEGORY, name.as_bytes()),
            ValueRef::Bool(true) => out.extend_from_slice(&[JSON, b't', b'r', b'u', b'e']),
            ValueRef::Bool(false) => out.extend_from_slice(&[JSON, b'f', b'a', b'l', b's', b'e']),
            ValueRef::Int(number) => scalar(out, DType::I64, number.to_le_bytes()),
            ValueRef::Float(number) => scalar(out, DType::F64, number.to_le_bytes()),
            ValueRef::Single(number) => out.extend_from_slice(&ValueRef::single_bytes(number)),
            ValueRef::Json(json) => json_bytes(out, json),
            ValueRef::RawJson(text) => tagged(out, JSON, text.as_bytes()),
            ValueRef::Bytes(bytes) => tagged(out, BYTES, bytes),
            ValueRef::Dense { dtype, elements } => {
                out.extend([DENSE, dtype as u8]);
                out.extend_from_slice(elements);
            }
            ValueRef::Sparse { dtype, rank, coordinates, elements } => {
                sparse_head(out, dtype, rank, coordinates);
                out.extend_from_slice(elements);
            }
            ValueRef::Any(value) => value.encode(out),
        }
    }
}

impl Value {
    /// Appends the bytes of the value. Typed: `1`, `1.0` and `true` have different bytes, and so have `0.0` and `-0.0`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Value::Text(text) => tagged(out, TEXT, text.as_bytes()),
            Value::Category(name) => tagged(out, CATEGORY, name.as_bytes()),
            Value::Bytes(bytes) => tagged(out, BYTES, bytes),
            Value::Json(json) => json_bytes(out, json),
            Value::Dense(dense) => {
                out.extend([if dense.scalar { SCALAR } else { DENSE }, dense.numbers.dtype() as u8]);
                dense.numbers.extend_le_bytes(out);
            }
            Value::Sparse(sparse) => {
                sparse_head(out, sparse.values.dtype(), sparse.rank, &sparse.coordinates);
                sparse.values.extend_le_bytes(out);
            }
        }
    }

    /// The number in the bytes of a value that is one number, as `f64` (64-bit integers may round); `None` for others.
    ///
    /// ```
    /// use timeweft_graph::Value;
    /// let mut bytes = Vec::new();
    /// Value::number(0.5).encode(&mut bytes);
    /// assert_eq!(Value::number_in(&bytes), Some(0.5));
    /// ```
    pub fn number_in(bytes: &[u8]) -> Option<f64> {
        let &[SCALAR, dtype, ref rest @ ..] = bytes else { return None };
        match (dtype, rest.first_chunk()) {
            // Weights are looked at by the million.
            (dtype, Some(number)) if dtype == DType::F64 as u8 => Some(f64::from_le_bytes(*number)),
            _ => Numbers::from_le_bytes(DType::from_u8(dtype)?, rest)?.to_f64().first().copied(),
        }
    }

    /// The value of bytes that [`Value::encode`] wrote; `None` for other bytes.
    pub fn decode(bytes: &[u8]) -> Option<Value> {
        let (&tag, rest) = bytes.split_first()?;
        let text = || std::str::from_utf8(rest).ok();
        Some(match tag {
            TEXT => Value::Text(text()?.into()),
            CATEGORY => Value::Category(text()?.into()),
            BYTES => Value::Bytes(rest.into()),
            JSON => Value::Json(match rest {
                b"true" => Json::Bool(true),
                b"false" => Json::Bool(false),
                other => serde_json::from_slice(other).ok()?,
            }),
            DENSE | SCALAR => {
                let (&dtype, rest) = rest.split_first()?;
                let numbers = Numbers::from_le_bytes(DType::from_u8(dtype)?, rest)?;
                Value::Dense(Dense { numbers, scalar: tag == SCALAR })
            }
            SPARSE => sparse(rest)?,
            _ => return None,
        })
    }
}

/// The bytes that [`Value::encode`] wrote, read in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ValueBytes<'a>(pub &'a [u8]);

impl<'a> ValueBytes<'a> {
    /// The kind of the value; `None` if the bytes are none.
    #[inline]
    pub fn kind(self) -> Option<FeatureKind> {
        Some(match *self.0 {
            [TEXT, ..] => FeatureKind::Text,
            [CATEGORY, ..] => FeatureKind::Category,
            [BYTES, ..] => FeatureKind::Bytes,
            [JSON, ..] => FeatureKind::Json,
            [tag @ (DENSE | SCALAR), dtype, ..] => {
                FeatureKind::Dense { dtype: DType::from_u8(dtype)?, scalar: tag == SCALAR }
            }
            [SPARSE, dtype, ref rest @ ..] => {
                let rank = u32::from_le_bytes(*rest.first_chunk()?);
                FeatureKind::Sparse { dtype: DType::from_u8(dtype)?, rank }
            }
            _ => return None,
        })
    }

    /// The text of a text or category, or the JSON text of a structured value.
    #[inline]
    pub fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.text_bytes()?).ok()
    }

    /// The bytes of this text.
    #[inline]
    pub fn text_bytes(self) -> Option<&'a [u8]> {
        match self.0.split_first()? {
            (&(TEXT | CATEGORY | JSON), rest) => Some(rest),
            _ => None,
        }
    }

    /// The little-endian bytes of one number of an element type.
    #[inline]
    pub fn scalar(self, dtype: DType) -> Option<&'a [u8]> {
        let (tags, rest) = self.0.split_first_chunk::<2>()?;
        (*tags == [SCALAR, dtype as u8]).then_some(rest)
    }

    /// The little-endian elements of a list of numbers, or of one number, of an element type.
    #[inline]
    pub fn elements(self, dtype: DType) -> Option<&'a [u8]> {
        match *self.0 {
            [DENSE | SCALAR, known, ref elements @ ..] if known == dtype as u8 => Some(elements),
            _ => None,
        }
    }

    /// What is flat in the value: the bytes of a text, category or structured value, raw bytes, or little-endian elements
    /// of any type. A sparse tensor is not flat.
    #[inline]
    pub fn flat(self) -> Option<&'a [u8]> {
        match *self.0 {
            [TEXT | CATEGORY | JSON | BYTES, ref rest @ ..] | [DENSE | SCALAR, _, ref rest @ ..] => Some(rest),
            _ => None,
        }
    }

    /// The parts of a sparse tensor of an element type.
    #[inline]
    pub fn sparse(self, dtype: DType) -> Option<SparseBytes<'a>> {
        let &[SPARSE, known, ref rest @ ..] = self.0 else { return None };
        sparse_parts(rest).filter(|_| known == dtype as u8)
    }
}

/// A sparse tensor, read in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SparseBytes<'a> {
    /// Number of coordinates of a point.
    pub rank: u32,
    /// `n * rank` coordinates of 64 bits, little endian, point after point.
    pub coordinates: &'a [[u8; 8]],
    /// `n` values, little endian.
    pub values: &'a [u8],
}

#[inline]
fn tagged(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend_from_slice(bytes);
}

/// Numbers of bytes that hold whole elements; what is more has no meaning.
fn whole_elements(dtype: DType, bytes: &[u8]) -> Numbers {
    let whole = bytes.len() - bytes.len() % dtype.size();
    Numbers::from_le_bytes(dtype, &bytes[..whole]).unwrap_or(Numbers::U8(Vec::new()))
}

/// All of a sparse tensor before its values.
fn sparse_head(out: &mut Vec<u8>, dtype: DType, rank: u32, coordinates: &[i64]) {
    out.extend([SPARSE, dtype as u8]);
    out.extend_from_slice(&rank.to_le_bytes());
    out.extend_from_slice(&(coordinates.len() as u64).to_le_bytes());
    coordinates.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
}

fn scalar(out: &mut Vec<u8>, dtype: DType, bytes: [u8; 8]) {
    // All at once: each piece asks anew whether there is room.
    let mut all = [SCALAR, dtype as u8, 0, 0, 0, 0, 0, 0, 0, 0];
    all[2..].copy_from_slice(&bytes);
    out.extend_from_slice(&all);
}

fn json_bytes(out: &mut Vec<u8>, json: &Json) {
    out.push(JSON);
    // Writing into memory fails for no JSON value: its keys are texts.
    let _ = serde_json::to_writer(out, json);
}

fn sparse(bytes: &[u8]) -> Option<Value> {
    let (&dtype, rest) = bytes.split_first()?;
    let SparseBytes { rank, coordinates, values } = sparse_parts(rest)?;
    Some(Value::Sparse(Sparse {
        rank,
        coordinates: coordinates.iter().map(|number| i64::from_le_bytes(*number)).collect(),
        values: Numbers::from_le_bytes(DType::from_u8(dtype)?, values)?,
    }))
}

/// The parts of a sparse tensor behind its element type.
fn sparse_parts(bytes: &[u8]) -> Option<SparseBytes<'_>> {
    let (rank, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (coordinates, values) = rest.split_at_checked(length.checked_mul(8)?)?;
    Some(SparseBytes { rank: u32::from_le_bytes(*rank), coordinates: coordinates.as_chunks().0, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::NumberType;

    #[test]
    fn every_kind_comes_back_and_types_differ() {
        let sparse = Sparse { rank: 2, coordinates: vec![1, 2, 3, 4], values: Numbers::F32(vec![0.5, -1.0]) };
        let values = [
            Value::text("a"),
            Value::Category("a".into()),
            Value::Bytes(vec![97]),
            Value::Json(serde_json::json!({"b": [1, 1.0, true, null, "x"], "a": 18446744073709551615u64})),
            Value::Json(serde_json::json!(1)),
            Value::Json(serde_json::json!(1.0)),
            Value::Json(serde_json::json!(true)),
            Value::number(1.0),
            Value::floats(&[1.0]),
            ValueRef::Int(1).to_value(),
            Value::Sparse(sparse),
        ];
        let bytes: Vec<Vec<u8>> = values
            .iter()
            .map(|value| {
                let mut bytes = Vec::new();
                value.encode(&mut bytes);
                assert_eq!(Value::decode(&bytes).as_ref(), Some(value));
                assert_eq!(ValueBytes(&bytes).kind(), Some(FeatureKind::of(value)));
                bytes
            })
            .collect();
        let distinct: std::collections::BTreeSet<_> = bytes.iter().collect();
        assert_eq!(distinct.len(), values.len());
    }

    #[test]
    fn a_borrowed_value_has_the_bytes_of_the_owned_one() {
        let json = serde_json::json!(["x"]);
        for borrowed in [
            ValueRef::Text("t"),
            ValueRef::Category("c"),
            ValueRef::Bool(true),
            ValueRef::Int(-3),
            ValueRef::Float(0.1),
            ValueRef::Single(0.1),
            ValueRef::Json(&json),
            ValueRef::RawJson(r#"[{"a":"\"\u0001\\é","b":1.5}]"#),
            ValueRef::Bytes(&[0, 255]),
            ValueRef::Dense { dtype: DType::I16, elements: &[1, 0, 255, 255] },
            ValueRef::Sparse { dtype: DType::U8, rank: 2, coordinates: &[1, -2, 3, 4], elements: &[7, 8] },
        ] {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            borrowed.encode(&mut a);
            borrowed.to_value().encode(&mut b);
            assert_eq!(a, b);
            assert_eq!(borrowed.kind(), FeatureKind::of(&borrowed.to_value()));
        }
    }

    #[test]
    fn parts_are_read_in_place_and_only_as_what_they_are() {
        let bytes = |value: ValueRef<'_>| {
            let mut bytes = Vec::new();
            value.encode(&mut bytes);
            bytes
        };
        let list = bytes(ValueRef::Dense { dtype: DType::I16, elements: &[1, 0, 255, 255, 7] });
        assert_eq!(ValueBytes(&list).elements(DType::I16), Some(&[1, 0, 255, 255, 7][..]));
        assert_eq!((ValueBytes(&list).elements(DType::U16), ValueBytes(&list).sparse(DType::I16)), (None, None));
        let mut numbers = [9i16; 3];
        assert_eq!((i16::read_le(&[1, 0, 255, 255, 7], &mut numbers), numbers), (2, [1, -1, 9]));
        assert_eq!((i16::read_le(&[1, 0, 255, 255], &mut numbers[..1]), numbers), (1, [1, -1, 9]));
        assert_eq!(ValueBytes(&bytes(ValueRef::Single(1.0))).elements(DType::F32), Some(&1f32.to_le_bytes()[..]));
        for flat in [ValueRef::Text("ab"), ValueRef::Category("ab"), ValueRef::Bytes(b"ab"), ValueRef::RawJson("ab")] {
            assert_eq!(ValueBytes(&bytes(flat)).flat(), Some(&b"ab"[..]));
        }
        let (coordinates, elements) = (&[1, -2, 3, 4], &[7, 8][..]);
        let sparse = bytes(ValueRef::Sparse { dtype: DType::U8, rank: 2, coordinates, elements });
        let coordinates = coordinates.map(i64::to_le_bytes);
        let parts = SparseBytes { rank: 2, coordinates: &coordinates, values: elements };
        assert_eq!(ValueBytes(&sparse).sparse(DType::U8), Some(parts));
        assert_eq!((ValueBytes(&sparse).sparse(DType::I8), ValueBytes(&sparse).flat()), (None, None));
        assert_eq!(ValueBytes(&sparse[..20]).sparse(DType::U8), None);
    }
}
