//! Cells that are features.

use std::io::Read;

use timeweft_graph::{DType, FeatureKind, Reason, TimeUnit, Value, ValueRef};

use super::columns::{Columns, FeatureColumn, Look};
use crate::text::delimited::{Records, is_no_value};
use crate::text::feature_text;
use crate::text::json::excerpt;

const NUMBER: FeatureKind = FeatureKind::Dense { dtype: DType::F64, scalar: true };

/// Whether a cell is one of the words that the caller named as no value. A quoted cell is the text that it quotes.
pub(super) fn is_named<R: Read>(records: &Records<R>, at: usize, null: &[String]) -> bool {
    !null.is_empty()
        && records
            .bytes(at)
            .is_some_and(|(cell, is_quoted)| !is_quoted && null.iter().any(|word| word.as_bytes() == cell))
}

/// What the first rows show of the columns.
pub(super) fn look<R: Read>(records: &mut Records<R>, columns: &mut Columns, null: &[String], texts: &[String]) {
    let mut tallies: Vec<Tally> = columns.features().map(|_| Tally::default()).collect();
    if tallies.is_empty() {
        return;
    }
    records.look_ahead(|row| {
        for ((at, _), tally) in columns.features().zip(&mut tallies) {
            if let Ok(cell) = row.text(at)
                && !is_named(row, at, null)
            {
                tally.add(cell, row.line());
            }
        }
        true
    });
    for ((_, column), tally) in columns.features().zip(tallies) {
        let is_text = texts.iter().any(|name| **name == *column.name);
        column.look = if is_text { Look::Text } else { tally.look() };
        column.note = tally.note(&column.name).filter(|_| !is_text);
    }
}

/// Cells of a column, by their looks.
#[derive(Default)]
struct Tally {
    numbers: u64,
    truths: u64,
    texts: u64,
    first_text: Option<(u64, String)>,
}

impl Tally {
    fn add(&mut self, cell: &str, line: u64) {
        match look_of(cell) {
            Look::Open => {}
            Look::Number => self.numbers += 1,
            Look::Truth => self.truths += 1,
            Look::Text => {
                self.texts += 1;
                self.first_text.get_or_insert_with(|| (line, excerpt(cell)));
            }
        }
    }

    fn look(&self) -> Look {
        match (self.numbers, self.truths, self.texts) {
            (0, 0, 0) => Look::Open,
            (_, 0, 0) => Look::Number,
            (0, _, 0) => Look::Truth,
            _ => Look::Text,
        }
    }

    /// Where most cells are numbers and the column is text nevertheless, a user may miss the numbers.
    fn note(&self, name: &str) -> Option<String> {
        let (line, text) = self.first_text.as_ref()?;
        (self.numbers >= self.texts).then(|| {
            format!("`{name}` is read as text, for line {line} holds {text}: --null takes a word as no value; --text {name} says that it is text")
        })
    }
}

fn look_of(cell: &str) -> Look {
    let cell = cell.trim();
    if plain_number(cell).is_some() || feature_text::infinity(cell).is_some() {
        Look::Number
    } else if truth(cell).is_some() {
        Look::Truth
    } else if is_no_value(cell) {
        Look::Open
    } else {
        Look::Text
    }
}

/// The number that a text is, as programs write them, if an `f64` holds it. With leading zeros, a plus or more digits it
/// is a code, which a number would change.
fn plain_number(cell: &str) -> Option<f64> {
    let digits = cell.strip_prefix('-').unwrap_or(cell).as_bytes();
    let is_code = matches!(digits, [b'0', b'0'..=b'9', ..]);
    if is_code || !matches!(digits, [b'0'..=b'9' | b'.', ..]) {
        return None;
    }
    let number = cell.parse::<f64>().ok().filter(|number| number.is_finite())?;
    (digits.len() <= EXACT_DIGITS || feature_text::exact(cell).is_ok()).then_some(number)
}

/// Whole numbers with up to this number of digits are exact in an `f64`.
const EXACT_DIGITS: usize = 15;

fn truth(cell: &str) -> Option<bool> {
    match cell {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn number(kind: FeatureKind, word: &str) -> Result<Option<Value>, String> {
    feature_text::read(kind, word).map(Some).or_else(|problem| match feature_text::infinity(word) {
        Some(name) => feature_text::read(kind, name).map(Some),
        None if is_no_value(word) => Ok(None),
        None if plain_number(word).is_some() => {
            let given = if word.parse::<i64>().is_ok() { DType::I64 } else { DType::F64 };
            Err(format!("{problem}: {}", Reason::way_out(&kind.to_string(), given.name())))
        }
        None => Err(problem),
    })
}

/// The value of a cell that the schema does not declare.
pub(super) fn undeclared(cell: &str, column: &mut FeatureColumn) -> Result<Option<Value>, String> {
    let word = cell.trim();
    if column.look == Look::Open {
        // The first value shows it.
        column.look = look_of(cell);
    }
    column.is_used = true;
    match column.look {
        Look::Open => Ok(None),
        Look::Text => Ok(Some(Value::text(cell))),
        Look::Truth if is_no_value(word) => Ok(None),
        Look::Truth => match truth(word) {
            Some(truth) => Ok(Some(Value::Json(truth.into()))),
            None => Err(misfit("true or false", cell, column)),
        },
        Look::Number => match plain_number(word) {
            Some(number) => Ok(Some(Value::number(number))),
            None => special(word).map_err(|problem| problem.unwrap_or_else(|| misfit("numbers", cell, column))),
        },
    }
}

/// What is no plain number in a column of numbers; the problem is open where it has no name of its own.
fn special(word: &str) -> Result<Option<Value>, Option<String>> {
    match feature_text::infinity(word) {
        Some(name) => feature_text::read(NUMBER, name).map(Some).map_err(Some),
        None if is_no_value(word) => Ok(None),
        None => Err(feature_text::exact(word).err()),
    }
}

fn misfit(what: &str, cell: &str, column: &FeatureColumn) -> String {
    format!(
        "the first rows hold {what}, and this is {}: name it with --null if it is no value, or load the column as text \
         with --text {}",
        excerpt(cell),
        column.name
    )
}

const WHOLE: FeatureKind = FeatureKind::Dense { dtype: DType::I64, scalar: true };

/// Whether a word begins as a date does.
fn is_date(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_digit) && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-')
}

/// The value of a cell of a declared kind.
pub(super) fn declared(kind: FeatureKind, cell: &str, unit: TimeUnit) -> Result<Option<Value>, String> {
    let word = cell.trim();
    match kind {
        // A time that is a feature is kept as its tick.
        WHOLE if is_date(word) => {
            let (time, _) = unit.tick(word).map_err(|error| error.to_string())?;
            Ok(Some(ValueRef::Int(time.0).to_value()))
        }
        FeatureKind::Text => Ok(Some(Value::text(cell))),
        FeatureKind::Category => Ok(Some(Value::Category(cell.into()))),
        FeatureKind::Bytes => Ok(Some(Value::Bytes(cell.as_bytes().to_vec()))),
        FeatureKind::Json if truth(word).is_some() => Ok(truth(word).map(|truth| Value::Json(truth.into()))),
        FeatureKind::Dense { scalar: true, .. } => number(kind, word),
        _ if is_no_value(word) => Ok(None),
        _ => feature_text::read(kind, word).map(Some),
    }
}

/// The cells from one on as a list of numbers; `None` without any.
pub(super) fn list<R: Read>(
    records: &Records<R>,
    first: usize,
    kind: Option<FeatureKind>,
) -> Result<Option<Value>, String> {
    if records.n_cells() <= first {
        return Ok(None);
    }
    let mut list = String::from("[");
    for at in first..records.n_cells() {
        let cell = records.text(at)?.trim();
        let special = feature_text::infinity(cell);
        if special.is_none() && plain_number(cell).is_none() {
            return Err(format!("expected a number in cell {}, got {}", at + 1, excerpt(cell)));
        }
        list.push_str(if at == first { "" } else { "," });
        list.push_str(special.unwrap_or(cell));
    }
    list.push(']');
    feature_text::read(kind.unwrap_or(FeatureKind::Dense { dtype: DType::F64, scalar: false }), &list).map(Some)
}
