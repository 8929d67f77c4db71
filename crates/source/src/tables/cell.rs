//! Cells of tables, and what they become.

use std::borrow::Cow;

use serde_json::Value as Json;
use timeweft_graph::{DType, Dense, FeatureKind, ListOrder, Numbers, Time, TimeUnit, Value, ValueRef};

use super::kind::Kind;
use crate::text::delimited::is_no_value;
use crate::text::feature_text::{self, Inferred};
use crate::text::json::{excerpt, is_integer, parse};

/// A cell as its file gives it.
#[cfg_attr(not(feature = "columnar"), expect(dead_code, reason = "text tables have few types"))]
pub(crate) enum Cell<'a> {
    /// Nothing.
    Null,
    /// Text without a type: CSV.
    Text(&'a str),
    /// Typed, as JSON text.
    Json(Cow<'a, str>),
    /// A text that is one.
    String(Cow<'a, str>),
    /// A truth value.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A number that no other type holds exactly, as it is written.
    Decimal(String),
    /// Nanoseconds since 1970.
    Nanos(i128),
    /// Another number, a list of numbers, or bytes.
    Value(Value),
    /// A struct, a map, another list.
    Nested(Nested<'a>),
    /// Not readable.
    Invalid(String),
}

/// A value with cells inside.
#[cfg_attr(not(feature = "columnar"), expect(dead_code, reason = "text tables have nested values as JSON"))]
pub(crate) enum Nested<'a> {
    /// The items of a list. The entries of a map are pairs: a key may be of any type, and a map may hold it twice.
    List(Vec<Cell<'a>>),
    /// The members of a struct.
    Struct(Vec<(&'a str, Cell<'a>)>),
    /// The value of a union.
    Union(Box<Cell<'a>>),
}

impl Nested<'_> {
    /// The value as JSON: times are ticks of the unit, as they are outside of a struct.
    pub(crate) fn json(self, unit: TimeUnit) -> Result<Json, String> {
        match self {
            Nested::List(items) => items.into_iter().map(|item| item.json(unit)).collect(),
            Nested::Struct(members) => {
                members.into_iter().map(|(name, cell)| Ok((name.to_owned(), cell.json(unit)?))).collect()
            }
            Nested::Union(cell) => cell.json(unit),
        }
    }
}

/// A value made of a cell.
pub(crate) enum Made<'a> {
    Text(Cow<'a, str>),
    Category(Cow<'a, str>),
    Bool(bool),
    Int(i64),
    Value(Value),
}

impl<'a> Made<'a> {
    /// The one form in which lists that mean the same are kept.
    pub(super) fn canonical(self, order: ListOrder) -> Made<'a> {
        match self {
            Made::Value(value) if order != ListOrder::List => Made::Value(order.canonical(value)),
            other => other,
        }
    }

    pub(crate) fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Made::Text(text) => ValueRef::Text(text),
            Made::Category(name) => ValueRef::Category(name),
            Made::Bool(truth) => ValueRef::Bool(*truth),
            Made::Int(number) => ValueRef::Int(*number),
            Made::Value(value) => ValueRef::Any(value),
        }
    }
}

impl<'a> Cell<'a> {
    /// The cell as the id of a node, or the key of an edge; `None` if it is empty.
    pub(crate) fn id(self) -> Result<Option<Cow<'a, str>>, String> {
        match self {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text.into())),
            Cell::Json(raw) if raw.starts_with('"') => {
                let text = text(raw)?;
                if text.is_empty() { Err("an empty text is no id".into()) } else { Ok(Some(text)) }
            }
            Cell::Json(raw) if is_integer(&raw) => Ok(Some(raw)),
            Cell::Json(raw) => Err(format!("expected a text or a whole number as id, got {}", excerpt(&raw))),
            Cell::String(text) if text.is_empty() => Err("an empty text is no id".into()),
            Cell::String(text) => Ok(Some(text)),
            Cell::Int(number) => Ok(Some(number.to_string().into())),
            Cell::Decimal(text) if is_integer(&text) => Ok(Some(text.into())),
            Cell::Decimal(text) => Err(format!("expected a text or a whole number as id, got {}", excerpt(&text))),
            Cell::Value(value) => id_of(value).map(|text| Some(text.into())),
            Cell::Bool(_) => Err("expected a text or a whole number as id, got a truth value".into()),
            Cell::Nanos(_) => Err("expected a text or a whole number as id, got a time".into()),
            Cell::Nested(_) => Err("expected a text or a whole number as id, got a nested value".into()),
            Cell::Invalid(problem) => Err(problem),
        }
    }

    /// The cell as a value of a kind; `None` if it is empty.
    pub(crate) fn value(self, kind: Kind, unit: TimeUnit) -> Result<Option<Made<'a>>, String> {
        Ok(Some(match self {
            Cell::Null => return Ok(None),
            Cell::Text(text) if !holds_text(kind) && is_no_value(text.trim()) => return Ok(None),
            Cell::Text(text) => of_text(text, kind, unit)?,
            Cell::Json(raw) => of_json(raw, kind, unit)?,
            Cell::String(text) => of_string(text, kind, unit)?,
            Cell::Bool(truth) if kind == Kind::Bool => Made::Bool(truth),
            Cell::Bool(truth) => of_json(truth.to_string().into(), kind, unit)?,
            Cell::Int(number) if kind.feature_kind() == Kind::Time.feature_kind() => Made::Int(number),
            Cell::Int(number) => of_json(number.to_string().into(), kind, unit)?,
            Cell::Decimal(text) => of_decimal(text, kind, unit)?,
            Cell::Nanos(nanos) => of_instant(nanos, kind, unit)?,
            Cell::Value(value) if FeatureKind::of(&value) == kind.feature_kind() => Made::Value(value),
            Cell::Value(value) => of_value(&value, kind, unit)?,
            Cell::Nested(nested) => match (nested.json(unit)?, kind) {
                (Json::Null, _) => return Ok(None),
                (json, Kind::Plain(FeatureKind::Json)) => Made::Value(Value::Json(json)),
                (json, kind) => of_json(json.to_string().into(), kind, unit)?,
            },
            Cell::Invalid(problem) => return Err(problem),
        }))
    }

    /// The cell as JSON: times are ticks of the unit, or of the calendar where the unit has none.
    pub(crate) fn json(self, unit: TimeUnit) -> Result<Json, String> {
        Ok(match self {
            Cell::Null => Json::Null,
            Cell::Nested(nested) => nested.json(unit)?,
            Cell::Bool(truth) => truth.into(),
            Cell::Int(number) => number.into(),
            Cell::Text(text) => text.into(),
            Cell::String(text) => (*text).into(),
            Cell::Decimal(text) => text.into(),
            Cell::Nanos(nanos) if unit == TimeUnit::Step => calendar(nanos)?.into(),
            Cell::Nanos(nanos) => ticks(nanos, unit)?.into(),
            Cell::Json(raw) => parse(&raw)?,
            Cell::Value(value) => {
                let mut raw = String::new();
                feature_text::write(&value, &mut raw);
                parse(&raw)?
            }
            Cell::Invalid(problem) => return Err(problem),
        })
    }

    /// The kind that the cell seems to have; `None` where it does not show.
    pub(super) fn looks_like(&self) -> Result<Option<Kind>, String> {
        match self {
            // Files by columns declare what their columns hold.
            Cell::Null | Cell::Invalid(_) => Ok(None),
            Cell::Text(_) => Ok(Some(Kind::TEXT)),
            Cell::Json(raw) => match feature_text::infer(raw)? {
                Inferred::Value(value) => Ok(Some(Kind::Plain(FeatureKind::of(&value)))),
                Inferred::EmptyList => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

/// Whether any text is a value of this kind.
fn holds_text(kind: Kind) -> bool {
    matches!(kind, Kind::Plain(FeatureKind::Text | FeatureKind::Category | FeatureKind::Bytes))
}

/// The text of a JSON text.
fn text(raw: Cow<'_, str>) -> Result<Cow<'_, str>, String> {
    let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
    if raw.starts_with('"') && !inner.contains('\\') {
        return Ok(match raw {
            Cow::Borrowed(raw) => Cow::Borrowed(&raw[1..raw.len() - 1]),
            Cow::Owned(_) => Cow::Owned(inner.to_owned()),
        });
    }
    parse::<String>(&raw).map(Cow::Owned).map_err(|_| format!("expected a text, got {}", excerpt(&raw)))
}

/// The id that a number or bytes are.
fn id_of(value: Value) -> Result<String, String> {
    let no_id = |value: &Value| format!("expected a text or a whole number as id, got {}", excerpt(&value.to_string()));
    match value {
        Value::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) if text.is_empty() => Err("an empty text is no id".into()),
            Ok(text) => Ok(text),
            Err(_) => Err("expected a text or a whole number as id, got bytes that are no UTF-8 text".into()),
        },
        Value::Dense(Dense { numbers: Numbers::F64(number), scalar: true }) => float_id(number.first(), 53),
        Value::Dense(Dense { numbers: Numbers::F32(number), scalar: true }) => {
            float_id(number.first().map(|number| f64::from(*number)).as_ref(), 24)
        }
        value => {
            let text = value.to_string();
            if is_integer(&text) { Ok(text) } else { Err(no_id(&value)) }
        }
    }
}

/// The id that a float of so many binary digits is: pandas makes floats of whole numbers where one of a column is missing.
/// From 2^`digits` on a float does not tell a number from the next one.
fn float_id(number: Option<&f64>, digits: i32) -> Result<String, String> {
    let expected = "expected a text or a whole number as id, got";
    match number {
        Some(number) if number.fract() != 0.0 || !number.is_finite() => Err(format!("{expected} `{number}`")),
        Some(number) if number.abs() < 2_f64.powi(digits) => Ok((*number as i64).to_string()),
        number => Err(format!(
            "{expected} the float `{}`, which may stand for other numbers too: cast the column to integers",
            number.copied().unwrap_or_default()
        )),
    }
}

fn of_string<'a>(text: Cow<'a, str>, kind: Kind, unit: TimeUnit) -> Result<Made<'a>, String> {
    match kind {
        Kind::Plain(FeatureKind::Text) => Ok(Made::Text(text)),
        Kind::Plain(FeatureKind::Category) => Ok(Made::Category(text)),
        Kind::Time => Ok(Made::Int(time(&text, unit)?)),
        _ => {
            let mut raw = String::new();
            feature_text::write_text(&text, &mut raw);
            of_json(raw.into(), kind, unit)
        }
    }
}

fn of_value<'a>(value: &Value, kind: Kind, unit: TimeUnit) -> Result<Made<'a>, String> {
    let mut raw = String::new();
    feature_text::write(value, &mut raw);
    of_json(raw.into(), kind, unit)
}

/// An instant: ticks, or, as a text, RFC 3339.
fn of_instant<'a>(nanos: i128, kind: Kind, unit: TimeUnit) -> Result<Made<'a>, String> {
    Ok(match kind {
        Kind::Time => Made::Int(ticks(nanos, unit)?),
        Kind::Plain(FeatureKind::Text) => Made::Text(calendar(nanos)?.into()),
        Kind::Plain(FeatureKind::Category) => Made::Category(calendar(nanos)?.into()),
        _ => return Err(format!("expected {}, got a time", kind.feature_kind())),
    })
}

/// A decimal: itself as text, or a number that is exactly it; [`Kind::Rounded`] takes the nearest.
fn of_decimal<'a>(text: String, kind: Kind, unit: TimeUnit) -> Result<Made<'a>, String> {
    let number = || match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|digit| digit == b'0') => whole,
        _ => &text,
    };
    match kind {
        Kind::Plain(FeatureKind::Text) => Ok(Made::Text(text.into())),
        Kind::Plain(FeatureKind::Category) => Ok(Made::Category(text.into())),
        Kind::Rounded(dtype) => number_or_json(&text, FeatureKind::Dense { dtype, scalar: true }),
        Kind::Plain(FeatureKind::Dense { dtype: DType::F64 | DType::F32 | DType::F16, scalar: true }) => {
            let made = number_or_json(number(), kind.feature_kind())?;
            let mut back = String::new();
            feature_text::write(&made.as_ref().to_value(), &mut back);
            if same_number(&back, &text) {
                return Ok(made);
            }
            let kept = kind.feature_kind();
            Err(format!(
                "{} is no {kept} without rounding: name the kind `float` to round it, or `text`",
                excerpt(&text)
            ))
        }
        Kind::Plain(FeatureKind::Json) => of_string(text.into(), kind, unit),
        _ => of_json(number().to_owned().into(), kind, unit),
    }
}

/// Whether two numbers, the first with an exponent perhaps, are written with the same digits.
fn same_number(a: &str, b: &str) -> bool {
    digits(a).is_some_and(|a| digits(b) == Some(a))
}

/// The sign, the digits without zeros around them, and the power of ten of the last one.
fn digits(text: &str) -> Option<(bool, String, i64)> {
    let (text, exponent) = match text.split_once(['e', 'E']) {
        Some((text, exponent)) => (text, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all = format!("{whole}{fraction}");
    let kept = all.trim_end_matches('0');
    let power = exponent - fraction.len() as i64 + (all.len() - kept.len()) as i64;
    let kept = kept.trim_start_matches('0');
    if kept.is_empty() { Some((false, String::new(), 0)) } else { Some((negative, kept.to_owned(), power)) }
}

fn of_text<'a>(text: &'a str, kind: Kind, unit: TimeUnit) -> Result<Made<'a>, String> {
    Ok(match kind {
        Kind::Plain(FeatureKind::Text) => Made::Text(text.into()),
        Kind::Plain(FeatureKind::Category) => Made::Category(text.into()),
        Kind::Bool => Made::Bool(match text.trim() {
            "1" => true,
            "0" => false,
            word if word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("t") => true,
            word if word.eq_ignore_ascii_case("false") || word.eq_ignore_ascii_case("f") => false,
            _ => return Err(format!("expected true or false, t or f, 1 or 0, got {}", excerpt(text))),
        }),
        Kind::Time => Made::Int(time(text, unit)?),
        // Bytes that have no meaning as text are no cell of a text table.
        Kind::Plain(FeatureKind::Bytes) => Made::Value(Value::Bytes(text.as_bytes().to_vec())),
        Kind::Plain(_) | Kind::Rounded(_) => {
            let word = text.trim();
            number_or_json(feature_text::infinity(word).unwrap_or(word), kind.feature_kind())?
        }
    })
}

fn of_json<'a>(raw: Cow<'a, str>, kind: Kind, unit: TimeUnit) -> Result<Made<'a>, String> {
    Ok(match kind {
        Kind::Plain(FeatureKind::Text) => Made::Text(text(raw)?),
        Kind::Plain(FeatureKind::Category) => Made::Category(text(raw)?),
        Kind::Bool => Made::Bool(match &*raw {
            "true" => true,
            "false" => false,
            other => return Err(format!("expected true or false, got {}", excerpt(other))),
        }),
        Kind::Time if raw.starts_with('"') => Made::Int(time(&text(raw)?, unit)?),
        Kind::Time => Made::Int(time(&raw, unit)?),
        Kind::Plain(_) | Kind::Rounded(_) => number_or_json(&raw, kind.feature_kind())?,
    })
}

fn number_or_json<'a>(raw: &str, kind: FeatureKind) -> Result<Made<'a>, String> {
    Ok(match feature_text::read(kind, raw)? {
        Value::Dense(dense) => match (&dense.numbers, dense.scalar) {
            (Numbers::I64(numbers), true) if let [number] = numbers[..] => Made::Int(number),
            _ => Made::Value(Value::Dense(dense)),
        },
        other => Made::Value(other),
    })
}

/// Ticks, a date, or date and time.
pub(crate) fn time(text: &str, unit: TimeUnit) -> Result<i64, String> {
    let text = text.trim();
    // Words such as `now` are for people at a command line.
    if !text.starts_with(|first: char| first == '-' || first == '+' || first.is_ascii_digit()) {
        return Err(match text {
            "infinity" | "-infinity" => {
                format!("`{text}` is no moment: name it in `null` if it says that there is no end")
            }
            _ => format!("expected ticks, a date or an RFC 3339 time, got {}", excerpt(text)),
        });
    }
    unit.parse(text).map(|time| time.0).map_err(|error| error.to_string())
}

/// The tick that an instant falls into.
fn ticks(nanos: i128, unit: TimeUnit) -> Result<i64, String> {
    let per_tick = unit.nanos().ok_or("a time of the calendar has no meaning in a graph that counts steps")?;
    i64::try_from(nanos.div_euclid(per_tick)).map_err(|_| "the time does not fit 64-bit ticks".into())
}

/// An instant as RFC 3339, to the last nanosecond.
fn calendar(nanos: i128) -> Result<String, String> {
    let time = i64::try_from(nanos.div_euclid(1_000_000_000)).ok().map(Time);
    let text = time.map(|seconds| TimeUnit::Second.format(seconds)).filter(|text| text.ends_with('Z'));
    let text = text.ok_or("the time is beyond the calendar, and has no text")?;
    let fraction = nanos.rem_euclid(1_000_000_000);
    if fraction == 0 {
        return Ok(text);
    }
    let digits = format!("{fraction:09}");
    Ok(format!("{}.{}Z", text.trim_end_matches('Z'), digits.trim_end_matches('0')))
}
