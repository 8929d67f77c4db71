//! Values that a model cannot read as numbers: they are read as missing, and reported.

use std::fmt;
/// A feature with values that a model cannot read as numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NonFiniteFeature {
    /// The feature, as `` `name` of owner ``.
    pub feature: String,
    /// Events that bring a NaN.
    pub nan: usize,
    /// Events that bring an infinity.
    pub infinite: usize,
    /// Events that bring a number beyond the range of `f32`, about 3.4e38.
    pub too_large: usize,
}

impl fmt::Display for NonFiniteFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [("NaN", self.nan), ("infinite", self.infinite), ("beyond 3.4e38", self.too_large)];
        let values = kinds.iter().filter(|(_, events)| *events > 0).map(|(what, events)| {
            let plural = if *events == 1 { "" } else { "s" };
            format!("{what} in {events} event{plural}")
        });
        write!(f, "{} is {}", self.feature, values.collect::<Vec<_>>().join(", "))
    }
}
