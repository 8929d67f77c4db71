//! Cells of tables, and what they become.

use std::borrow::Cow;

use timeweft_graph::{FeatureKind, ListOrder, Numbers, TimeUnit, Value, ValueRef};

use super::kind::Kind;
use crate::feature_text::{self, Inferred};
use crate::json::{excerpt, is_integer, parse};

/// A cell as its file gives it.
pub(crate) enum Cell<'a> {
    /// Nothing.
    Null,
    /// Text without a type: CSV.
    Text(&'a str),
    /// Typed, as JSON text.
    Json(Cow<'a, str>),
    /// Nanoseconds since 1970.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet has typed times"))]
    Nanos(i128),
    /// Not readable.
    Invalid(String),
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

    pub(super) fn as_ref(&self) -> ValueRef<'_> {
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
            Cell::Nanos(_) => Err("expected a text or a whole number as id, got a time".into()),
            Cell::Invalid(problem) => Err(problem),
        }
    }

    /// The cell as a value of a kind; `None` if it is empty.
    pub(crate) fn value(self, kind: Kind, unit: TimeUnit) -> Result<Option<Made<'a>>, String> {
        Ok(Some(match self {
            Cell::Null => return Ok(None),
            Cell::Text(text) => of_text(text, kind, unit)?,
            Cell::Json(raw) => of_json(raw, kind, unit)?,
            Cell::Nanos(nanos) if kind == Kind::Time => Made::Int(ticks(nanos, unit)?),
            Cell::Nanos(_) => return Err(format!("expected {}, got a time", kind.feature_kind())),
            Cell::Invalid(problem) => return Err(problem),
        }))
    }

    /// The kind that the cell seems to have; `None` where it does not tell.
    pub(super) fn looks_like(&self) -> Result<Option<Kind>, String> {
        match self {
            Cell::Null | Cell::Invalid(_) => Ok(None),
            Cell::Text(_) => Ok(Some(Kind::TEXT)),
            Cell::Nanos(_) => Ok(Some(Kind::Time)),
            Cell::Json(raw) => match feature_text::infer(raw)? {
                Inferred::Value(value) => Ok(Some(Kind::Plain(FeatureKind::of(&value)))),
                Inferred::EmptyList => Ok(None),
            },
        }
    }
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
        Kind::Plain(kind) => number_or_json(text.trim(), kind)?,
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
        Kind::Plain(kind) => number_or_json(&raw, kind)?,
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

/// Ticks, a date or an RFC 3339 time.
fn time(text: &str, unit: TimeUnit) -> Result<i64, String> {
    let text = text.trim();
    // Words such as `now` are for people at a command line.
    if !text.starts_with(|first: char| first == '-' || first == '+' || first.is_ascii_digit()) {
        return Err(format!("expected ticks, a date or an RFC 3339 time, got {}", excerpt(text)));
    }
    unit.parse(text).map(|time| time.0).map_err(|error| error.to_string())
}

fn ticks(nanos: i128, unit: TimeUnit) -> Result<i64, String> {
    let per_tick = unit.nanos().ok_or("a time of the calendar has no meaning in a graph that counts steps")?;
    i64::try_from(nanos.div_euclid(per_tick)).map_err(|_| "the time does not fit 64-bit ticks".into())
}
