/// Weights that are not those of the configuration.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The configuration reads a weight that is not there.
    #[error("the model has no weight `{0}`")]
    NoWeight(String),
    /// A weight has not as many axes, or not as many values, as it is read with.
    #[error("weight `{name}` has shape {shape:?} and {values} values: {expected} was expected")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many values it has.
        values: usize,
        /// What is read there.
        expected: &'static str,
    },
}
