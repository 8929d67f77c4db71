//! What a feature map holds, by its key.

use timeweft_graph::DType;

use crate::interval_format::draft::dtype;

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
