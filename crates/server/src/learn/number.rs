//! Numbers that JSON may not be able to write.

use serde::{Serialize, Serializer};

/// A number as JSON, in as few digits as tell it apart; one that JSON cannot write is text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Number(pub(crate) f32);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            number if number.is_finite() => serializer.serialize_f32(number),
            number if number.is_nan() => serializer.serialize_str("NaN"),
            number if number > 0.0 => serializer.serialize_str("Infinity"),
            _ => serializer.serialize_str("-Infinity"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_cannot_write_is_text() {
        let written = [0.1, f32::NAN, f32::INFINITY, f32::NEG_INFINITY].map(Number);
        let text = serde_json::to_string(&written).unwrap_or_default();
        assert_eq!(text, r#"[0.1,"NaN","Infinity","-Infinity"]"#);
    }
}
