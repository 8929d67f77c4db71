//! Constants of a query as times and commits.

use std::sync::Arc;

use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use timeweft::{Commit, Time, TimeUnit};

use crate::settings::both_clocks;

/// The value of an expression without columns.
///
/// # Errors
/// Why it is no constant.
pub(crate) fn constant(expression: Expr) -> Result<ScalarValue, String> {
    let told = expression.to_string();
    let schema = Arc::new(DFSchema::empty());
    let context = SimplifyContext::builder().with_schema(schema.clone()).with_current_time().build();
    let simplifier = ExprSimplifier::new(context);
    let simple = simplifier.coerce(expression, &schema).and_then(|expression| simplifier.simplify(expression));
    match simple.map_err(|error| error.strip_backtrace())? {
        Expr::Literal(value, _) => Ok(value),
        _ => Err(format!("`{told}` is no constant")),
    }
}

/// A constant as a time; `None` for null.
///
/// # Errors
/// Why it is no time of this unit.
pub(crate) fn time(value: &ScalarValue, unit: TimeUnit) -> Result<Option<Time>, String> {
    use ScalarValue as Is;
    let nanos = match value {
        _ if value.is_null() => return Ok(None),
        Is::Utf8(Some(text)) | Is::LargeUtf8(Some(text)) | Is::Utf8View(Some(text)) => {
            return unit.parse(text).map(Some).map_err(|error| error.to_string());
        }
        Is::TimestampSecond(Some(ticks), _) => i128::from(*ticks) * 1_000_000_000,
        Is::TimestampMillisecond(Some(ticks), _) => i128::from(*ticks) * 1_000_000,
        Is::TimestampMicrosecond(Some(ticks), _) => i128::from(*ticks) * 1_000,
        Is::TimestampNanosecond(Some(ticks), _) => i128::from(*ticks),
        Is::Date32(Some(days)) => i128::from(*days) * 86_400_000_000_000,
        Is::Date64(Some(millis)) => i128::from(*millis) * 1_000_000,
        other => match whole(other) {
            Some(ticks) => return Ok(Some(Time(ticks))),
            None => return Err(format!("`{value}` is no time: give a text, a timestamp, or a whole number of ticks")),
        },
    };
    tick(nanos, unit).map(Some)
}

/// The tick in which a moment of the calendar lies.
///
/// # Errors
/// If the graph counts steps, or the moment is out of its reach.
pub(crate) fn tick(nanos: i128, unit: TimeUnit) -> Result<Time, String> {
    let Some(length) = unit.nanos() else {
        return Err("this graph counts steps, and a step is no moment of the calendar: give a whole number".into());
    };
    let ticks = i64::try_from(nanos.div_euclid(length));
    ticks.map(Time).map_err(|_| format!("the time does not fit 64 bits in this graph's unit {unit}"))
}

/// A constant as a commit; `None` for null.
///
/// # Errors
/// Why it is none, with both clocks.
pub(crate) fn commit(value: &ScalarValue) -> Result<Option<Commit>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let number = whole(value).and_then(|number| u64::try_from(number).ok());
    number.map(|number| Some(Commit(number))).ok_or_else(|| both_clocks(&text(value)))
}

/// A whole number.
pub(crate) fn whole(value: &ScalarValue) -> Option<i64> {
    use ScalarValue as Is;
    match value {
        Is::Int8(Some(number)) => Some((*number).into()),
        Is::Int16(Some(number)) => Some((*number).into()),
        Is::Int32(Some(number)) => Some((*number).into()),
        Is::Int64(Some(number)) => Some(*number),
        Is::UInt8(Some(number)) => Some((*number).into()),
        Is::UInt16(Some(number)) => Some((*number).into()),
        Is::UInt32(Some(number)) => Some((*number).into()),
        Is::UInt64(Some(number)) => i64::try_from(*number).ok(),
        _ => None,
    }
}

/// A text, or a whole number as one; `None` for others.
pub(crate) fn word(value: &ScalarValue) -> Option<String> {
    use ScalarValue as Is;
    match value {
        Is::Utf8(Some(text)) | Is::LargeUtf8(Some(text)) | Is::Utf8View(Some(text)) => Some(text.clone()),
        Is::UInt64(Some(number)) => Some(number.to_string()),
        other => whole(other).map(|number| number.to_string()),
    }
}

fn text(value: &ScalarValue) -> String {
    word(value).unwrap_or_else(|| value.to_string())
}
