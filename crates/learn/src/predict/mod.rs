//! Answers of a trained model.

pub(crate) mod asker;
pub(crate) mod prediction;
pub(crate) mod scorer;
