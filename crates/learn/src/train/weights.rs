//! Weights by name.

use burn::module::Module;
use burn::tensor::DType;
use burn_pack::Reader;

use crate::{LearnError, Trained};

/// A weight of a model.
#[derive(Clone, PartialEq, Debug)]
pub struct Weight {
    /// Its name, as in the checkpoint: the path of fields that leads to it.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values, row by row.
    pub values: Vec<f32>,
}

impl Trained {
    /// All weights of the chosen epoch, in the order of their names.
    ///
    /// # Errors
    /// If the tensors cannot be written out.
    pub fn weights(&self) -> Result<Vec<Weight>, LearnError> {
        let unreadable = |reason: String| LearnError::Weights(reason);
        let record = self.model.clone().into_record().into_bytes().map_err(|error| unreadable(error.to_string()))?;
        let read = Reader::from_bytes(record).and_then(Reader::into_tensors);
        let mut weights = Vec::new();
        for tensor in read.map_err(|error| unreadable(error.to_string()))? {
            let (name, dtype, shape, _, bytes) = tensor.into_parts().map_err(|error| unreadable(error.to_string()))?;
            if dtype != DType::F32 {
                return Err(unreadable(format!("{name} is of {dtype:?}")));
            }
            let values = bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect();
            weights.push(Weight { name, shape: shape.to_vec(), values });
        }
        weights.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(weights)
    }
}
