//! Values of features as answers have them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use timeweft::{Name, Value};
use utoipa::ToSchema;

/// A value of a feature.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(as = Value, value_type = Value)]
pub(crate) struct Held(pub(crate) Json);

/// Values by the names of their features.
pub(crate) type Features = BTreeMap<String, Held>;

/// Beyond it whole numbers are text: a JSON number would lose digits.
const EXACT: u64 = 1 << 53;

/// A value as JSON: what is no number as `"NaN"`, `"Infinity"` or `"-Infinity"`, whole numbers beyond 2^53 as text.
pub(crate) fn value(value: &Value) -> Held {
    let json = value.to_json();
    Held(match value {
        Value::Dense(_) | Value::Sparse(_) => number(json),
        Value::Json(_) => exact(json),
        _ => json,
    })
}

/// Features by name.
pub(crate) fn features(features: &BTreeMap<Name, Value>) -> Features {
    features.iter().map(|(name, held)| (name.to_string(), value(held))).collect()
}

/// The same for numbers, of which some are spelled.
fn number(json: Json) -> Json {
    match json {
        Json::String(text) => Json::from(match text.as_str() {
            "nan" => "NaN",
            "inf" => "Infinity",
            "-inf" => "-Infinity",
            other => other,
        }),
        Json::Array(items) => items.into_iter().map(number).collect(),
        Json::Object(fields) => fields.into_iter().map(|(name, item)| (name, number(item))).collect(),
        other => exact(other),
    }
}

/// Whole numbers that JavaScript would round as text.
pub(crate) fn exact(json: Json) -> Json {
    match json {
        Json::Number(of) => {
            let size = of.as_u64().or_else(|| of.as_i64().map(i64::unsigned_abs));
            if size.is_some_and(|size| size > EXACT) { Json::String(of.to_string()) } else { Json::Number(of) }
        }
        Json::Array(items) => items.into_iter().map(exact).collect(),
        Json::Object(fields) => fields.into_iter().map(|(name, item)| (name, exact(item))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use timeweft::read::{Dense, Numbers};

    use super::*;

    fn dense(numbers: Numbers, scalar: bool) -> Json {
        value(&Value::Dense(Dense { numbers, scalar })).0
    }

    #[test]
    fn numbers_lose_nothing() {
        assert_eq!(dense(Numbers::F64(vec![f64::NAN]), true), json!("NaN"));
        let list = vec![f32::INFINITY, 0.1, f32::NEG_INFINITY];
        assert_eq!(dense(Numbers::F32(list), false), json!(["Infinity", 0.1, "-Infinity"]));
        assert_eq!(dense(Numbers::I64(vec![1 << 53, -(1 << 53) - 1]), false), json!([1i64 << 53, "-9007199254740993"]));
        assert_eq!(dense(Numbers::U64(vec![u64::MAX]), true), json!("18446744073709551615"));
        assert_eq!(dense(Numbers::F64(vec![1e300]), true), json!(1e300));
        let nested = json!({ "a": [9_007_199_254_740_993u64, "nan"], "b": null });
        assert_eq!(value(&Value::Json(nested)).0, json!({ "a": ["9007199254740993", "nan"], "b": null }));
        assert_eq!(value(&Value::text("nan")).0, json!("nan"));
    }
}
