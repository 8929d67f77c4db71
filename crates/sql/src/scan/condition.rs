//! Filters that a table of a graph applies itself.

use std::collections::BTreeSet;
use std::fmt;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use timeweft::{Interval, Time};

use crate::moment;

/// A filter of one column that is not one of a feature.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Condition {
    /// A text of these.
    Texts(String, BTreeSet<String>),
    /// A number of these.
    Numbers(String, BTreeSet<u32>),
    /// A time in a span.
    Times(String, Span),
}

/// Times from the first to the last, both included, and whether an end that is open is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// Whether null passes.
    pub(crate) open: bool,
}

/// Columns of texts, of numbers and of times.
const TEXTS: [&str; 9] =
    ["type", "id", "source_type", "source_id", "relation", "destination_type", "destination_id", "action", "entity"];
const NUMBERS: [&str; 3] = ["node", "source", "destination"];
const TIMES: [&str; 3] = ["created", "removed", "time"];

impl Condition {
    /// What a filter says, if a table with these columns can tell itself.
    pub(crate) fn of(filter: &Expr, fixed: &[&str]) -> Option<Condition> {
        let known = Condition::read(filter)?;
        fixed.contains(&known.column()).then_some(known)
    }

    pub(crate) fn column(&self) -> &str {
        match self {
            Condition::Texts(column, _) | Condition::Numbers(column, _) | Condition::Times(column, _) => column,
        }
    }

    fn read(filter: &Expr) -> Option<Condition> {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                either(Condition::read(left)?, Condition::read(right)?)
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                both(Condition::read(left)?, Condition::read(right)?)
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (&**left, &**right) {
                (Expr::Column(column), Expr::Literal(value, _)) => compared(&column.name, *op, value),
                (Expr::Literal(value, _), Expr::Column(column)) => compared(&column.name, op.swap()?, value),
                _ => None,
            },
            Expr::InList(list) if !list.negated => {
                let Expr::Column(column) = &*list.expr else { return None };
                let mut items = list.list.iter().map(|item| match item {
                    Expr::Literal(value, _) => compared(&column.name, Operator::Eq, value),
                    _ => None,
                });
                let first = items.next()??;
                items.try_fold(first, |all, item| either(all, item?))
            }
            Expr::Between(Between { expr, negated: false, low, high }) => match (&**expr, &**low, &**high) {
                (Expr::Column(column), Expr::Literal(low, _), Expr::Literal(high, _)) => {
                    both(compared(&column.name, Operator::GtEq, low)?, compared(&column.name, Operator::LtEq, high)?)
                }
                _ => None,
            },
            Expr::IsNull(inner) => ended(inner, Span { first: 0, last: -1, open: true }),
            Expr::IsNotNull(inner) => ended(inner, Span { open: false, ..Span::ALL }),
            _ => None,
        }
    }
}

/// Only an end may be null.
fn ended(column: &Expr, span: Span) -> Option<Condition> {
    match column {
        Expr::Column(column) if column.name == "removed" => Some(Condition::Times(column.name.clone(), span)),
        _ => None,
    }
}

fn compared(column: &str, op: Operator, value: &ScalarValue) -> Option<Condition> {
    let name = column.to_owned();
    if TIMES.contains(&column) {
        return Some(Condition::Times(name, Span::compared(op, ticks(value)?)?));
    }
    if op != Operator::Eq || value.is_null() {
        return None;
    }
    if TEXTS.contains(&column) {
        return match value {
            ScalarValue::Utf8(Some(text)) => Some(Condition::Texts(name, [text.clone()].into())),
            _ => None,
        };
    }
    let number = NUMBERS.contains(&column).then(|| moment::whole(value))??;
    // A number that no node has is none of them.
    let numbers = u32::try_from(number).ok().into_iter().collect();
    Some(Condition::Numbers(name, numbers))
}

/// A time as the columns have it: others are left to the engine, which casts them.
fn ticks(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int64(Some(ticks))
        | ScalarValue::TimestampSecond(Some(ticks), Some(_))
        | ScalarValue::TimestampMillisecond(Some(ticks), Some(_))
        | ScalarValue::TimestampMicrosecond(Some(ticks), Some(_))
        | ScalarValue::TimestampNanosecond(Some(ticks), Some(_)) => Some(*ticks),
        _ => None,
    }
}

fn either(one: Condition, other: Condition) -> Option<Condition> {
    match (one, other) {
        (Condition::Texts(column, mut texts), Condition::Texts(same, more)) if column == same => {
            texts.extend(more);
            Some(Condition::Texts(column, texts))
        }
        (Condition::Numbers(column, mut numbers), Condition::Numbers(same, more)) if column == same => {
            numbers.extend(more);
            Some(Condition::Numbers(column, numbers))
        }
        _ => None,
    }
}

fn both(one: Condition, other: Condition) -> Option<Condition> {
    match (one, other) {
        (Condition::Times(column, span), Condition::Times(same, more)) if column == same => {
            Some(Condition::Times(column, span.and(more)))
        }
        _ => None,
    }
}

impl Span {
    /// All times, and open ends.
    pub(crate) const ALL: Span = Span { first: i64::MIN, last: i64::MAX, open: true };

    /// Up to a time, which is included.
    pub(crate) fn until(time: Time) -> Span {
        Span { last: time.0, ..Span::ALL }
    }

    /// `[from, until)`; [`Time::FOREVER`] is no end.
    pub(crate) fn between(from: Time, until: Time) -> Span {
        match until {
            Time::FOREVER => Span { first: from.0, ..Span::ALL },
            // Before the first time there is nothing.
            Time::MIN => Span { first: 0, last: -1, open: true },
            until => Span { first: from.0, last: until.0 - 1, open: true },
        }
    }

    fn compared(op: Operator, ticks: i64) -> Option<Span> {
        let nothing = Span { first: 0, last: -1, open: false };
        let some = Span { open: false, ..Span::ALL };
        Some(match op {
            Operator::Eq => Span { first: ticks, last: ticks, open: false },
            Operator::GtEq => Span { first: ticks, ..some },
            Operator::LtEq => Span { last: ticks, ..some },
            Operator::Gt => ticks.checked_add(1).map_or(nothing, |first| Span { first, ..some }),
            Operator::Lt => ticks.checked_sub(1).map_or(nothing, |last| Span { last, ..some }),
            _ => return None,
        })
    }

    pub(crate) fn and(self, other: Span) -> Span {
        Span { first: self.first.max(other.first), last: self.last.min(other.last), open: self.open && other.open }
    }

    /// Whether a time lies in it; the end of time is an end that is open.
    #[inline]
    pub(crate) fn has(self, time: Time) -> bool {
        if time == Time::FOREVER { self.open } else { self.first <= time.0 && time.0 <= self.last }
    }

    /// Whether every time lies in it.
    pub(crate) fn is_all(self) -> bool {
        self == Span::ALL
    }
}

/// When lives begin and end that are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lives {
    pub(crate) created: Span,
    pub(crate) removed: Span,
}

impl Lives {
    pub(crate) const ALL: Lives = Lives { created: Span::ALL, removed: Span::ALL };

    #[inline]
    pub(crate) fn has(&self, life: Interval) -> bool {
        self.created.has(life.created) && self.removed.has(life.removed)
    }

    pub(crate) fn narrow(&mut self, column: &str, span: Span) {
        let own = if column == "created" { &mut self.created } else { &mut self.removed };
        *own = own.and(span);
    }

    pub(crate) fn is_all(&self) -> bool {
        self.created.is_all() && self.removed.is_all()
    }
}

/// How many of a list are shown in a plan.
const SHOWN: usize = 5;

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |all: Vec<String>| {
            let n = all.len();
            let more = if n > SHOWN { format!(", {} more", n - SHOWN) } else { String::new() };
            format!("{}{more}", all.into_iter().take(SHOWN).collect::<Vec<_>>().join(", "))
        };
        match self {
            Condition::Texts(column, texts) => {
                write!(f, "{column} in ({})", list(texts.iter().cloned().collect()))
            }
            Condition::Numbers(column, numbers) => {
                write!(f, "{column} in ({})", list(numbers.iter().map(u32::to_string).collect()))
            }
            Condition::Times(column, span) => write!(f, "{column} in {span}"),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Span { first, last, open } = *self;
        match (first, last) {
            _ if first > last => f.write_str(if open { "(null)" } else { "()" }),
            (i64::MIN, i64::MAX) => f.write_str(if open { "(any)" } else { "(not null)" }),
            (i64::MIN, last) => write!(f, "[.., {last}]"),
            (first, i64::MAX) => write!(f, "[{first}, ..]"),
            (first, last) => write!(f, "[{first}, {last}]"),
        }
    }
}
