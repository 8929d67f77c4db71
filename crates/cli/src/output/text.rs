//! Values and intervals in words.

use std::borrow::Cow;
use std::collections::BTreeMap;

use timeweft::{Interval, Name, TimeUnit, Value};

/// Characters at which words of messages are cut.
const WORD: usize = 300;
/// Characters at which lines of messages are cut.
const LINE: usize = 4000;
/// Columns at which names in messages of ours are cut.
const NAME: usize = 80;

/// `name=value` of every feature, `name` first: it says what a node is.
pub(crate) fn features(features: &BTreeMap<Name, Value>) -> String {
    let (first, others): (Vec<_>, Vec<_>) = features.iter().partition(|(name, _)| &***name == "name");
    let pairs: Vec<String> = first.into_iter().chain(others).map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(", ")
}

/// A name as messages tell it: the end of a very long one is left out.
pub(crate) fn short(name: &str) -> Cow<'_, str> {
    super::table::cut(name, NAME)
}

/// The first names with commas between, and how many more there are.
pub(crate) fn listed(names: &[&str], most: usize) -> String {
    let shown: Vec<_> = names.iter().take(most).map(|name| short(name)).collect();
    let more = names.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {} more", shown.join(", "), count(more as u64)) }
}

/// A message that cannot fill a screen, whatever id or path is in it: very long words are cut, and very long lines.
pub(crate) fn message(line: &str) -> String {
    let words = line.split_inclusive(char::is_whitespace).map(|word| match word.char_indices().nth(WORD) {
        Some((end, _)) if !word[end..].trim_end().is_empty() => {
            let left = word[end..].trim_end().chars().count();
            let behind = if word.ends_with(char::is_whitespace) { " " } else { "" };
            format!("{}... ({} characters more){behind}", &word[..end], count(left as u64)).into()
        }
        _ => Cow::from(word),
    });
    let line: String = words.collect();
    match line.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_a_huge_id_stays_short() {
        let id = "x".repeat(2 << 20);
        let line = message(&format!("no node user {id} in this graph"));
        assert!(line.len() < 400 && line.ends_with("... (2,096,852 characters more) in this graph"), "{line}");
        assert!(message(&"many words ".repeat(1000)).len() < 4100);
        assert_eq!(message("an id as they are"), "an id as they are");
    }

    #[test]
    fn the_name_comes_first() {
        let named = [("age", 3.0), ("name", 1.0), ("zone", 2.0)].map(|(name, n)| (name.into(), Value::number(n)));
        assert_eq!(features(&named.into()), "name=1.0, age=3.0, zone=2.0");
    }
}
