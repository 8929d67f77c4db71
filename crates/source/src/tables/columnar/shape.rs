//! What a column holds, beyond what the types of its arrays say.

use arrow_schema::{DataType, Field};
use timeweft_graph::{DType, FeatureKind};

use super::super::kind::Kind;

/// A meaning that an Arrow type has none of its own for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Mark {
    /// What the type says.
    #[default]
    Plain,
    /// 16 bytes that are a UUID.
    Uuid,
    /// Text that is JSON.
    Json,
    /// A truth value in a byte.
    Bool8,
    /// 16 bytes, little endian, that are a whole number.
    Int128 {
        /// Whether there are negative ones.
        signed: bool,
    },
}

/// A column, or what is inside of one. A dictionary and runs are transparent: their shape is that of their values.
pub(super) struct Shape {
    pub(super) mark: Mark,
    /// The elements of a list, the members of a struct, the key and the value of a map, the types of a union.
    pub(super) children: Vec<Shape>,
    /// The kind of a feature that this makes; `None` where there are no values.
    pub(super) kind: Option<Kind>,
}

impl Shape {
    /// The shape of a field; its extension types say what its type does not.
    pub(super) fn of(field: &Field) -> Result<Shape, String> {
        Shape::new(field.data_type(), &mut |field| field.map_or(Mark::Plain, extension), Some(field))
    }

    /// The shape of a type; `mark` tells the mark of each type without children, in their order.
    pub(super) fn new(
        data_type: &DataType,
        mark: &mut dyn FnMut(Option<&Field>) -> Mark,
        field: Option<&Field>,
    ) -> Result<Shape, String> {
        let inside = |field: &Field, mark: &mut dyn FnMut(Option<&Field>) -> Mark| {
            Shape::new(field.data_type(), mark, Some(field))
        };
        let children = match data_type {
            DataType::Dictionary(_, values) => return Shape::new(values, mark, field),
            DataType::RunEndEncoded(_, values) => return inside(values, mark),
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::ListView(item)
            | DataType::LargeListView(item)
            | DataType::FixedSizeList(item, _) => vec![inside(item, mark)?],
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(members) if members.len() == 2 => {
                    members.iter().map(|member| inside(member, mark)).collect::<Result<_, _>>()?
                }
                _ => return Err("has a map whose entries are not keys with values".into()),
            },
            DataType::Struct(members) => {
                let mut names: Vec<&str> = members.iter().map(|member| member.name().as_str()).collect();
                names.sort_unstable();
                if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                    return Err(format!("has a struct with two members `{}`: give one another name", twice[0]));
                }
                members.iter().map(|member| inside(member, mark)).collect::<Result<_, _>>()?
            }
            DataType::Union(types, _) => types.iter().map(|(_, of)| inside(of, mark)).collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        let mark = if children.is_empty() { mark(field) } else { Mark::Plain };
        let kind = kind(data_type, mark, &children);
        Ok(Shape { mark, children, kind })
    }
}

/// What the extension type of a field says.
pub(super) fn extension(field: &Field) -> Mark {
    let name = field.metadata().get("ARROW:extension:name").map_or("", String::as_str);
    let about = field.metadata().get("ARROW:extension:metadata").map_or("", String::as_str);
    let is_16_bytes = field.data_type() == &DataType::FixedSizeBinary(16);
    match name {
        "arrow.uuid" if is_16_bytes => Mark::Uuid,
        "arrow.json" if is_text(field.data_type()) => Mark::Json,
        "arrow.bool8" if field.data_type() == &DataType::Int8 => Mark::Bool8,
        "arrow.opaque" if is_16_bytes && about.contains("\"uhugeint\"") => Mark::Int128 { signed: false },
        "arrow.opaque" if is_16_bytes && about.contains("\"hugeint\"") => Mark::Int128 { signed: true },
        _ => Mark::Plain,
    }
}

pub(super) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn kind(data_type: &DataType, mark: Mark, children: &[Shape]) -> Option<Kind> {
    match mark {
        Mark::Plain => {}
        Mark::Uuid | Mark::Int128 { .. } => return Some(Kind::TEXT),
        Mark::Json => return Some(Kind::Plain(FeatureKind::Json)),
        Mark::Bool8 => return Some(Kind::Bool),
    }
    Some(match data_type {
        DataType::Null => return None,
        DataType::Boolean => Kind::Bool,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Kind::Time,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            Kind::Plain(FeatureKind::Bytes)
        }
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(..) => match children.first().and_then(|child| child.kind) {
            Some(Kind::Plain(FeatureKind::Dense { dtype, scalar: true })) => {
                Kind::Plain(FeatureKind::Dense { dtype, scalar: false })
            }
            _ => Kind::Plain(FeatureKind::Json),
        },
        DataType::Struct(_) | DataType::Map(..) | DataType::Union(..) => Kind::Plain(FeatureKind::Json),
        other => match dtype(other) {
            Some(dtype) => Kind::number(dtype),
            // Texts, and what is exact as text only: decimals, times of a day, durations, intervals.
            None => Kind::TEXT,
        },
    })
}

pub(super) fn dtype(data_type: &DataType) -> Option<DType> {
    Some(match data_type {
        DataType::Int8 => DType::I8,
        DataType::Int16 => DType::I16,
        DataType::Int32 => DType::I32,
        DataType::Int64 => DType::I64,
        DataType::UInt8 => DType::U8,
        DataType::UInt16 => DType::U16,
        DataType::UInt32 => DType::U32,
        DataType::UInt64 => DType::U64,
        DataType::Float16 => DType::F16,
        DataType::Float32 => DType::F32,
        DataType::Float64 => DType::F64,
        _ => return None,
    })
}
