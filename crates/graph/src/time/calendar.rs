//! Moments of the calendar as programs print them: RFC 3339, and what pandas, PostgreSQL, MySQL, SQLite, DuckDB, Spark,
//! BigQuery and git write.
//!
//! ```text
//! 2016-05-17
//! 2016-05-17 12:00            2016-05-17T12:00:00.123456789
//! 2016-05-17 12:00:00+02      2016-05-17 12:00:00.5 +0200      2016-05-17 12:00:00 UTC
//! ```
//!
//! A moment without a zone is in UTC. What is not of this form is no moment: nothing is read in part.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// A moment since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moment {
    seconds: i64,
    /// Of the second.
    nanos: u32,
    /// Whether a fraction of a nanosecond was cut off.
    is_cut: bool,
}

impl Moment {
    /// The tick that the moment lies in, in ticks of `nanos_per_tick` nanoseconds, and whether it is that tick exactly; `None`
    /// outside of 64 bits.
    pub(super) fn tick(self, nanos_per_tick: i64) -> Option<(i64, bool)> {
        // A tick is a whole part of a second.
        let nanos = i64::from(self.nanos);
        let seconds = i128::from(self.seconds) * i128::from(SECOND / nanos_per_tick);
        let ticks = i64::try_from(seconds + i128::from(nanos / nanos_per_tick)).ok()?;
        Some((ticks, !self.is_cut && nanos % nanos_per_tick == 0))
    }
}

/// Reads a moment; `None` if the text is none.
pub(super) fn read(text: &str) -> Option<Moment> {
    let (date, rest) = date(text)?;
    let mut clock = Clock::default();
    let mut offset = 0;
    if !rest.is_empty() {
        let (read, rest) = time_of_day(rest.strip_prefix(['T', 't', ' '])?)?;
        clock = read;
        offset = zone(rest)?;
    }
    let since = date.to_datetime(jiff::civil::Time::midnight()).duration_since(epoch());
    let seconds = since.as_secs() + i64::from(clock.seconds) - i64::from(offset);
    // What an offset moves out of the years is no moment of the calendar.
    let is_within = offset == 0 || civil(seconds, clock.nanos).is_some();
    is_within.then_some(Moment { seconds, nanos: clock.nanos, is_cut: clock.is_cut })
}

/// The moment in RFC 3339; `None` outside of the years from -9999 to 9999.
pub(super) fn write(nanos: i128) -> Option<String> {
    let second = i128::from(SECOND);
    let seconds = i64::try_from(nanos.div_euclid(second)).ok()?;
    civil(seconds, nanos.rem_euclid(second) as u32).map(|moment| format!("{moment}Z"))
}

fn civil(seconds: i64, nanos: u32) -> Option<DateTime> {
    epoch().checked_add(SignedDuration::new(seconds, nanos as i32)).ok()
}

fn epoch() -> DateTime {
    jiff::civil::date(1970, 1, 1).to_datetime(jiff::civil::Time::midnight())
}

/// `2016-05-17`, or with a sign and six digits for years before 1.
fn date(text: &str) -> Option<(Date, &str)> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, 6),
        b'+' => (1, 6),
        _ => (1, 4),
    };
    let (year, rest) = number(if digits == 6 { &text[1..] } else { text }, digits)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
    let year = i16::try_from(sign * i64::from(year)).ok()?;
    Some((Date::new(year, month as i8, day as i8).ok()?, rest))
}

#[derive(Default)]
struct Clock {
    seconds: u32,
    nanos: u32,
    is_cut: bool,
}

/// `12:00`, `12:00:00` or `12:00:00.123`. A leap second has no tick of its own and is refused, and so is 24:00.
fn time_of_day(text: &str) -> Option<(Clock, &str)> {
    let (hour, rest) = number(text, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2)?;
    let Some(rest) = rest.strip_prefix(':') else {
        return in_day(hour, minute, 0).map(|seconds| (Clock { seconds, ..Clock::default() }, rest));
    };
    let (second, rest) = number(rest, 2)?;
    let seconds = in_day(hour, minute, second)?;
    let Some(fraction) = rest.strip_prefix(['.', ',']) else {
        return Some((Clock { seconds, ..Clock::default() }, rest));
    };
    let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = fraction.split_at(length);
    let nanos = (0..9).fold(0, |nanos, at| 10 * nanos + digits.as_bytes().get(at).map_or(0, |d| u32::from(d - b'0')));
    let is_cut = digits.bytes().skip(9).any(|digit| digit != b'0');
    (length > 0).then_some((Clock { seconds, nanos, is_cut }, rest))
}

fn in_day(hour: u32, minute: u32, second: u32) -> Option<u32> {
    (hour < 24 && minute < 60 && second < 60).then_some(3600 * hour + 60 * minute + second)
}

/// Seconds east of Greenwich: nothing, `Z`, `UTC`, `+02`, `+0200`, `+02:00` or `+02:00:00`, also after a space, and
/// after an offset the name of its zone in brackets.
fn zone(text: &str) -> Option<i32> {
    let text = text.strip_prefix(' ').unwrap_or(text);
    let text = match text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
        // The name of a zone alone tells no offset.
        Some(("", _)) => return None,
        Some((offset, _)) => offset,
        None => text,
    };
    match text {
        "" | "Z" | "z" | "UTC" | "GMT" => return Some(0),
        _ => {}
    }
    let (sign, rest) = match text.as_bytes()[0] {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, mut rest) = number(rest, 2)?;
    let mut parts = [hours, 0, 0];
    let colon = rest.starts_with(':');
    for part in &mut parts[1..] {
        if rest.is_empty() {
            break;
        }
        (*part, rest) = number(if colon { rest.strip_prefix(':')? } else { rest }, 2)?;
    }
    let [hours, minutes, seconds] = parts;
    rest.is_empty().then(|| in_day(hours, minutes, seconds))?.map(|offset| sign * offset as i32)
}

/// A number of exactly this many digits.
fn number(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    let number = number.bytes().try_fold(0, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then_some(10 * number + u32::from(digit))
    })?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use crate::{Time, TimeError, TimeUnit};

    #[test]
    fn naive_datetime_keeps_its_time_of_day() {
        // 2015-05-19T13:44:07Z, by Python: datetime(2015, 5, 19, 13, 44, 7, tzinfo=utc).timestamp()
        let ticks = Time(1_432_043_047);
        for text in [
            "2015-05-19 13:44:07",
            "2015-05-19T13:44:07",
            "2015-05-19t13:44:07z",
            "2015-05-19 13:44:07Z",
            "2015-05-19T13:44:07.000",
            "2015-05-19 13:44:07 UTC",
            "2015-05-19 13:44:07+00",
            "2015-05-19 15:44:07+02",
            "2015-05-19 15:44:07 +0200",
            "2015-05-19T15:44:07+02:00[Europe/Paris]",
            "2015-05-19 19:14:07+05:30",
            "2015-05-19 10:44:07-03",
            "2015-05-19 14:03:39+00:19:32",
            "1432043047",
            "1432043047.0",
            "1.432043047e9",
        ] {
            assert_eq!(TimeUnit::Second.tick(text), Ok((ticks, true)), "{text}");
        }
        assert_eq!(TimeUnit::Second.parse("2015-05-19 13:44"), Ok(Time(ticks.0 - 7)));
        assert_eq!(TimeUnit::Second.parse("2015-05-19"), Ok(Time(ticks.0 - 13 * 3600 - 44 * 60 - 7)));
    }

    #[test]
    fn what_is_no_whole_moment_is_refused() {
        for text in [
            "2015-05-19 13",
            "2015-05-19 1:44 PM",
            "2015-05-19 13:44:07 PM",
            "2015-05-19 13:44:60",
            "2015-05-19 24:00:00",
            "2015-05-19 13:44:07.",
            "2015-05-19 13:44:07 CET",
            "2015-05-19 13:44:07+2",
            "2015-05-19 13:44:07+02:00:",
            "2015-05-19 13:44:07[Europe/Paris]",
            "2015-05-19 13:44:07 ok",
            "2015-05-19  13:44:07",
            "2015-05-19-13",
            "2015-02-29",
            "2015-13-01",
            "01/02/2024",
            "19.05.2015",
            "10000-01-01",
            "9999-12-31 23:59:59-01",
            "-infinity",
            "nan",
            "1e5x",
            "9223372036854775808",
            "soon",
            "",
        ] {
            let refused = TimeUnit::Second.parse(text);
            assert!(matches!(refused, Err(TimeError::Unreadable(_))), "{text}: {refused:?}");
        }
    }

    #[test]
    fn fractions_are_whole_where_the_unit_holds_them_and_floored_where_not() {
        for (unit, text, ticks, is_exact) in [
            (TimeUnit::Second, "1970-01-01 00:00:01.9", 1, false),
            (TimeUnit::Second, "1969-12-31 23:59:59.1", -1, false),
            (TimeUnit::Milli, "1970-01-01 00:00:01.9", 1_900, true),
            (TimeUnit::Micro, "1970-01-01 00:00:01.000009", 1_000_009, true),
            (TimeUnit::Micro, "1970-01-01 00:00:01.0000099", 1_000_009, false),
            (TimeUnit::Nano, "1970-01-01 00:00:01.123456789", 1_123_456_789, true),
            (TimeUnit::Nano, "1970-01-01 00:00:01.1234567890", 1_123_456_789, true),
            (TimeUnit::Nano, "1970-01-01 00:00:01.1234567891", 1_123_456_789, false),
            (TimeUnit::Second, "1289241911.72836", 1_289_241_911, false),
            (TimeUnit::Second, "-1.5", -2, false),
            (TimeUnit::Step, "36.0", 36, true),
        ] {
            assert_eq!(unit.tick(text), Ok((Time(ticks), is_exact)), "{text} in {unit}");
        }
        assert!(TimeUnit::Second.parse("1.5").is_err() && TimeUnit::Second.parse("36.0") == Ok(Time(36)));
        assert_eq!(TimeUnit::Step.parse("1.5"), Err(TimeError::BetweenSteps("1.5".into())));
    }

    #[test]
    fn far_times_are_times() {
        // By Python: datetime(9999, 12, 31, tzinfo=utc).timestamp()
        assert_eq!(TimeUnit::Second.parse("9999-12-31"), Ok(Time(253_402_214_400)));
        assert_eq!(TimeUnit::Second.parse("9999-12-31T23:59:59.999999999"), Ok(Time(253_402_300_799)));
        assert_eq!(TimeUnit::Micro.parse("9999-12-31T23:59:59.999999"), Ok(Time(253_402_300_799_999_999)));
        assert_eq!(TimeUnit::Second.format(Time(253_402_300_799)), "9999-12-31T23:59:59Z");
        assert_eq!(TimeUnit::Second.format(Time(253_402_300_800)), "253402300800");
        assert_eq!(TimeUnit::Second.parse("0001-01-01"), Ok(Time(-62_135_596_800)));
        for year in ["-009999-01-01T00:00:00Z", "-000001-07-05T01:02:03Z", "0000-01-01T00:00:00Z"] {
            let printed = TimeUnit::Second.parse(year).map(|time| TimeUnit::Second.format(time));
            assert_eq!(printed.as_deref(), Ok(year), "what is printed can be read");
        }
        let refused = TimeUnit::Nano.parse("9999-12-31").map_err(|error| error.to_string());
        assert!(refused.is_err_and(|told| told.ends_with("2262-04-11: a graph that counts in us holds it")));
        assert_eq!(TimeUnit::Second.parse("infinity"), Ok(Time::FOREVER));
    }
}
