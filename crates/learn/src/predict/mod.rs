//! Answers of a trained model.

pub(crate) mod scorer;
