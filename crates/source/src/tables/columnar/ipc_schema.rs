//! The schema of Arrow IPC, which Parquet files may carry too, with types that the library has no name for.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_ipc::{self as ipc, Type};
use arrow_schema::{DataType, Field, FieldRef};

/// The fields of a schema. Whole numbers of 128 bits, which Polars writes, are 16 bytes with a mark, that lie as they do.
pub(super) fn fields(schema: ipc::Schema<'_>) -> Result<Vec<Field>, String> {
    if schema.endianness() != ipc::Endianness::Little {
        return Err("the file is big-endian: write it on another machine".into());
    }
    Ok(schema.fields().into_iter().flatten().map(field).collect())
}

fn field(given: ipc::Field<'_>) -> Field {
    if !has_128_bits(given) {
        return Field::from(given);
    }
    let children: Vec<FieldRef> = given.children().into_iter().flatten().map(field).map(Arc::new).collect();
    let first = children.first().cloned();
    let data_type = match (given.type_type(), first) {
        (Type::List, Some(item)) => DataType::List(item),
        (Type::LargeList, Some(item)) => DataType::LargeList(item),
        (Type::FixedSizeList, Some(item)) => {
            let length = given.type_as_fixed_size_list().map_or(0, |list| list.listSize());
            DataType::FixedSizeList(item, length)
        }
        (Type::Struct_, _) => DataType::Struct(children.into()),
        _ => DataType::FixedSizeBinary(16),
    };
    let signed = given.type_as_int().is_none_or(|int| int.is_signed());
    let is_number = data_type == DataType::FixedSizeBinary(16);
    let field = Field::new(given.name().unwrap_or_default(), data_type, given.nullable());
    if !is_number {
        return field;
    }
    let name = if signed { "hugeint" } else { "uhugeint" };
    field.with_metadata(HashMap::from([
        ("ARROW:extension:name".to_owned(), "arrow.opaque".to_owned()),
        ("ARROW:extension:metadata".to_owned(), format!("{{\"type_name\":\"{name}\"}}")),
    ]))
}

fn has_128_bits(field: ipc::Field<'_>) -> bool {
    field.type_as_int().is_some_and(|int| int.bitWidth() == 128)
        || field.children().into_iter().flatten().any(has_128_bits)
}
