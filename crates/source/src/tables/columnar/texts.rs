//! Values that are exact as text only.

use std::fmt::Write as _;

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;

/// A UUID in its usual form: `550e8400-e29b-41d4-a716-446655440000`.
pub(super) fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A time of a day: `12:34:56.789`, without zeros at its end.
pub(super) fn time_of_day(nanos: i128) -> String {
    let (sign, nanos) = if nanos < 0 { ("-", -nanos) } else { ("", nanos) };
    let seconds = nanos / SECOND;
    let mut text = format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    fraction(nanos % SECOND, &mut text);
    text
}

/// A duration by ISO 8601: `PT90.5S`.
pub(super) fn duration(nanos: i128) -> String {
    interval(0, 0, nanos)
}

/// An interval by ISO 8601: `P14M3DT4.5S`. Months, days and seconds are kept apart, for none is a number of another.
pub(super) fn interval(months: i64, days: i64, nanos: i128) -> String {
    let mut text = String::from("P");
    if months != 0 {
        let _ = write!(text, "{months}M");
    }
    if days != 0 {
        let _ = write!(text, "{days}D");
    }
    if nanos != 0 || (months == 0 && days == 0) {
        let (sign, nanos) = if nanos < 0 { ("-", -nanos) } else { ("", nanos) };
        let _ = write!(text, "T{sign}{}", nanos / SECOND);
        fraction(nanos % SECOND, &mut text);
        text.push('S');
    }
    text
}

fn fraction(nanos: i128, text: &mut String) {
    if nanos != 0 {
        let digits = format!("{nanos:09}");
        let _ = write!(text, ".{}", digits.trim_end_matches('0'));
    }
}

/// A decimal of which `digits` are the digits, with a sign, and `scale` how many of them stand after the point; all of
/// these are written, also zeros.
pub(super) fn decimal(digits: &str, scale: i8) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let places = usize::from(scale.unsigned_abs());
    match scale {
        0 => format!("{sign}{digits}"),
        ..0 if digits == "0" => "0".into(),
        ..0 => format!("{sign}{digits}{}", "0".repeat(places)),
        _ => {
            let whole = digits.len().checked_sub(places).filter(|whole| *whole > 0);
            match whole {
                Some(whole) => format!("{sign}{}.{}", &digits[..whole], &digits[whole..]),
                None => format!("{sign}0.{digits:0>places$}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_is_written() {
        assert_eq!(
            uuid(&[0x55, 0x0e, 0x84, 0, 0xe2, 0x9b, 0x41, 0xd4, 0xa7, 0x16, 0x44, 0x66, 0x55, 0x44, 0, 1]),
            "550e8400-e29b-41d4-a716-446655440001"
        );
        assert_eq!(time_of_day(0), "00:00:00");
        assert_eq!(time_of_day(86_399_999_999_999), "23:59:59.999999999");
        assert_eq!(time_of_day(45_296_500_000_000), "12:34:56.5");
        assert_eq!(duration(-1_500_000_000), "PT-1.5S");
        assert_eq!(duration(0), "PT0S");
        assert_eq!(interval(14, 3, 1), "P14M3DT0.000000001S");
        assert_eq!(interval(-1, 0, 0), "P-1M");
        for (digits, scale, text) in [
            ("123", 2, "1.23"),
            ("-5", 3, "-0.005"),
            ("0", 2, "0.00"),
            ("12", 0, "12"),
            ("12", -2, "1200"),
            ("0", -2, "0"),
            ("123", 3, "0.123"),
        ] {
            assert_eq!(decimal(digits, scale), text);
        }
    }
}
