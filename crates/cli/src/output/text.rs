//! Values and intervals in words.

use std::collections::BTreeMap;

use timeweft::{Interval, Name, TimeUnit, Value};

/// Cells are cut at so many characters.
const WIDEST: usize = 72;

/// A text cut to the width of a cell, on one line.
pub(crate) fn cell(text: &str) -> String {
    let line: String = text.chars().take(WIDEST + 1).map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// `name=value` of every feature, cut to the width of a cell.
pub(crate) fn features(features: &BTreeMap<Name, Value>) -> String {
    let pairs: Vec<String> = features.iter().map(|(name, value)| format!("{name}={value}")).collect();
    cell(&pairs.join(", "))
}

/// `[created, removed)` in the unit of the graph.
pub(crate) fn interval(unit: TimeUnit, interval: Interval) -> String {
    format!("[{}, {})", unit.format(interval.created), unit.format(interval.removed))
}

/// A number with commas between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes with a unit that fits.
pub(crate) fn bytes(number: u64) -> String {
    indicatif::HumanBytes(number).to_string()
}
