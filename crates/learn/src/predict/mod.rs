//! Answers of a trained model.

pub(crate) mod prediction;
pub(crate) mod scorer;
