//! What a feature map holds, by its key.

use timeweft_graph::DType;

/// The form of the values of a feature map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Dense(DType),
    Sparse(DType),
    Binary,
}

impl Form {
    /// The form that a key such as `sparse_int8_feature` tells.
    pub(super) fn of(key: &str) -> Option<Form> {
        let kind = key.strip_suffix("_feature")?;
        if kind == "binary" {
            return Some(Form::Binary);
        }
        match kind.strip_prefix("sparse_") {
            Some(kind) => dtype(kind).map(Form::Sparse),
            None => dtype(kind).map(Form::Dense),
        }
    }
}

fn dtype(name: &str) -> Option<DType> {
    Some(match name {
        "double" | "float64" => DType::F64,
        "float" | "float32" => DType::F32,
        "float16" => DType::F16,
        "int64" => DType::I64,
        "int32" => DType::I32,
        "int16" => DType::I16,
        "int8" => DType::I8,
        "uint64" => DType::U64,
        "uint32" => DType::U32,
        "uint16" => DType::U16,
        "uint8" => DType::U8,
        _ => return None,
    })
}
