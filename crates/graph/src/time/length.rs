//! Lengths of time, as people write them.

use super::{TimeError, TimeUnit};

/// Units of a length, in nanoseconds.
const UNITS: [(&str, u128); 9] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl TimeUnit {
    /// Reads a length of time in ticks: a whole number of them, or of weeks, days, hours, minutes, seconds or parts of a second.
    /// A part of a tick is cut off: within so long of a tick lie the same ticks.
    ///
    /// ```
    /// use timeweft_graph::TimeUnit;
    /// assert_eq!(TimeUnit::Second.length("7d"), Ok(604_800));
    /// assert_eq!(TimeUnit::Second.length("1500ms"), Ok(1));
    /// assert_eq!(TimeUnit::Step.length("30"), Ok(30));
    /// assert!(TimeUnit::Step.length("7d").is_err());
    /// ```
    ///
    /// # Errors
    /// If the text is no length, it is shorter than a tick, or the graph counts steps and it is no number of them.
    pub fn length(self, text: &str) -> Result<u64, TimeError> {
        let text = text.trim();
        let unreadable = || TimeError::NoLength(text.into());
        let (digits, name) = text.split_at(text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len()));
        let is_number = !digits.is_empty();
        let range = || TimeError::Range { text: text.into(), unit: self };
        let length = match name.trim_start() {
            _ if !is_number => return Err(unreadable()),
            "" => digits.parse::<u64>().map_err(|_| range())?,
            name => {
                let (_, nanos) = UNITS.iter().find(|(known, _)| *known == name).ok_or_else(unreadable)?;
                let tick = self.nanos().ok_or_else(|| TimeError::NoCalendar(text.into()))?;
                let length = digits.parse::<u128>().ok().and_then(|count| count.checked_mul(*nanos));
                length.and_then(|length| u64::try_from(length / tick.unsigned_abs()).ok()).ok_or_else(range)?
            }
        };
        if length > 0 { Ok(length) } else { Err(TimeError::NoTick { text: text.into(), unit: self }) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lengths_in_ticks() {
        let ticks = |unit: TimeUnit, texts: &[&str]| texts.iter().map(|t| unit.length(t).unwrap()).collect::<Vec<_>>();
        let days = ["1w", " 7 d ", "168h", "10080min", "10080m", "604800s", "604800000ms", "604800"];
        assert_eq!(ticks(TimeUnit::Second, &days), [604_800; 8]);
        assert_eq!(ticks(TimeUnit::Milli, &["1000us", "1999us"]), [1, 1]);
        assert_eq!(ticks(TimeUnit::Nano, &["18446744073709551615", "1us", "2ns"]), [u64::MAX, 1_000, 2]);
        assert_eq!(ticks(TimeUnit::Step, &["5"]), [5]);
    }

    #[test]
    fn what_is_no_length_is_told() {
        let told = |unit: TimeUnit, text: &str| unit.length(text).unwrap_err().to_string();
        for text in ["", "d", "-3", "-3d", "1.5h", "3 months", "1d2h", "٣d", "+1"] {
            let wanted = format!(
                "`{text}` is no length of time: give a whole number of ticks, or of w, d, h, min, s, ms, us or ns, such as 7d or 12h"
            );
            assert_eq!(told(TimeUnit::Second, text), wanted);
        }
        assert_eq!(told(TimeUnit::Second, "0"), "`0` is less than one tick of this graph, whose unit is s");
        assert_eq!(told(TimeUnit::Second, "999ms"), "`999ms` is less than one tick of this graph, whose unit is s");
        assert!(matches!(TimeUnit::Step.length("1d"), Err(TimeError::NoCalendar(_))));
        for (unit, text) in [(TimeUnit::Nano, "99999999999w"), (TimeUnit::Step, "18446744073709551616")] {
            assert!(matches!(unit.length(text), Err(TimeError::Range { .. })), "{text}");
        }
        let most = "9".repeat(60) + "w";
        assert!(matches!(TimeUnit::Second.length(&most), Err(TimeError::Range { .. })));
    }
}
