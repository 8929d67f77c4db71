//! What the values of a feature are, by the names of C and numpy.

use timeweft_graph::DType;

/// The form of the values of a feature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    Bytes,
    Dense(DType),
    Sparse(DType),
}

impl Form {
    /// The form of a name such as `binary` or `int8`; `sparse` is what the names of sparse ones begin with.
    pub(crate) fn of(name: &str, sparse: &str) -> Option<Form> {
        match name.strip_prefix(sparse) {
            Some(name) => dtype(name).map(Form::Sparse),
            None if name == "binary" => Some(Form::Bytes),
            None => dtype(name).map(Form::Dense),
        }
    }
}

/// The element type of a name in C or numpy: `float` has 32 bits, `double` 64.
pub(crate) fn dtype(name: &str) -> Option<DType> {
    Some(match name {
        "float64" | "double" => DType::F64,
        "float32" | "float" => DType::F32,
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
