//! Valid time: integer ticks of the graph's declared unit.

mod calendar;
mod interval;
mod length;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use interval::Interval;

/// A point in valid time, counted in the graph's [`TimeUnit`].
///
/// Always 64-bit: no float, no narrowing (law 8).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, bytemuck::Pod, bytemuck::Zeroable,
)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Time(pub i64);

impl Time {
    /// The earliest time.
    pub const MIN: Time = Time(i64::MIN);
    /// The open end of an interval: never removed.
    pub const FOREVER: Time = Time(i64::MAX);

    /// The last tick strictly before this one: a view at `t.before()` is "before t" (law 5).
    ///
    /// ```
    /// use timeweft_graph::Time;
    /// assert_eq!(Time(5).before(), Time(4));
    /// assert_eq!(Time::MIN.before(), Time::MIN);
    /// ```
    pub fn before(self) -> Time {
        Time(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Time::FOREVER { f.write_str("forever") } else { self.0.fmt(f) }
    }
}

/// What one tick means. `Step` counts abstract steps and has no calendar.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub enum TimeUnit {
    /// Abstract steps.
    #[default]
    #[serde(rename = "step")]
    Step,
    /// Seconds since 1970-01-01T00:00:00Z.
    #[serde(rename = "s")]
    Second,
    /// Milliseconds since the epoch.
    #[serde(rename = "ms")]
    Milli,
    /// Microseconds since the epoch.
    #[serde(rename = "us")]
    Micro,
    /// Nanoseconds since the epoch.
    #[serde(rename = "ns")]
    Nano,
}

/// A time that could not be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Neither a number of ticks nor a moment of the calendar.
    #[error(
        "`{0}` is not a time: give an integer, a date (2016-05-17), or date and time (2016-05-17 12:00:00, in UTC; \
         2016-05-17T12:00:00+02:00 elsewhere), in the years to 9999"
    )]
    Unreadable(String),
    /// A calendar time in a graph that counts steps.
    #[error("`{0}` is a calendar time, but this graph counts steps: give an integer")]
    NoCalendar(String),
    /// A number between two ticks in a graph that counts steps.
    #[error("expected a whole number of ticks, got `{0}`: this graph counts steps, and has none between two")]
    BetweenSteps(String),
    /// Outside 64-bit ticks of the unit.
    #[error("`{text}` does not fit 64 bits in this graph's unit {unit}{}", reach(*unit))]
    Range {
        /// What was given.
        text: String,
        /// The unit of the graph.
        unit: TimeUnit,
    },
    /// Neither a number of ticks nor a length of time.
    #[error(
        "`{0}` is no length of time: give a whole number of ticks, or of w, d, h, min, s, ms, us or ns, such as 7d or 12h"
    )]
    NoLength(String),
    /// A length of time in which no tick lies.
    #[error("`{text}` is less than one tick of this graph, whose unit is {unit}")]
    NoTick {
        /// What was given.
        text: String,
        /// The unit of the graph.
        unit: TimeUnit,
    },
    /// Unknown unit name.
    #[error("`{0}` is not a time unit: use s, ms, us, ns or step")]
    Unit(String),
}

/// How far ticks of a unit go, where that is within the calendar.
fn reach(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Nano => ", which go from 1677-09-21 to 2262-04-11: a graph that counts in us holds it",
        _ => "",
    }
}

impl TimeUnit {
    /// Nanoseconds in a tick, or `None` for steps.
    pub fn nanos(self) -> Option<i128> {
        match self {
            TimeUnit::Step => None,
            TimeUnit::Second => Some(1_000_000_000),
            TimeUnit::Milli => Some(1_000_000),
            TimeUnit::Micro => Some(1_000),
            TimeUnit::Nano => Some(1),
        }
    }

    /// Reads an integer tick, `now`/`forever`/`infinity`, a date, or date and time; without a zone they are in UTC.
    ///
    /// A moment of the calendar between two ticks is the tick that it lies in, the earlier one. A number of ticks is whole:
    /// one with a fraction is refused, because the fraction would be lost in silence. [`TimeUnit::tick`] takes it and tells.
    ///
    /// ```
    /// use timeweft_graph::{Time, TimeUnit};
    /// assert_eq!(TimeUnit::Milli.parse("1970-01-02"), Ok(Time(86_400_000)));
    /// assert_eq!(TimeUnit::Second.parse("1970-01-01 00:01:05"), Ok(Time(65)));
    /// assert_eq!(TimeUnit::Second.parse("1970-01-01T02:00:00.9+01:00"), Ok(Time(3600)));
    /// assert_eq!(TimeUnit::Step.parse("-7"), Ok(Time(-7)));
    /// assert!(TimeUnit::Step.parse("1970-01-02").is_err());
    /// ```
    pub fn parse(self, text: &str) -> Result<Time, TimeError> {
        match self.tick(text)? {
            (_, false) if Decimal::read(text.trim()).is_some() => Err(TimeError::Unreadable(text.trim().into())),
            (time, _) => Ok(time),
        }
    }

    /// The same, and whether the text says exactly this tick: `false` where a fraction of a tick was cut off.
    ///
    /// ```
    /// use timeweft_graph::{Time, TimeUnit};
    /// assert_eq!(TimeUnit::Second.tick("1970-01-01 00:00:07.25"), Ok((Time(7), false)));
    /// assert_eq!(TimeUnit::Milli.tick("1970-01-01 00:00:07.25"), Ok((Time(7_250), true)));
    /// ```
    ///
    /// # Errors
    /// If the text is no time, or none of this unit.
    pub fn tick(self, text: &str) -> Result<(Time, bool), TimeError> {
        let text = text.trim();
        // Most times are whole numbers of ticks.
        if let Ok(ticks) = text.parse::<i64>() {
            return Ok((Time(ticks), true));
        }
        if matches!(text, "now" | "forever" | "infinity") {
            return Ok((Time::FOREVER, true));
        }
        let range = || TimeError::Range { text: text.into(), unit: self };
        if let Some(moment) = calendar::read(text) {
            let nanos = self.nanos().ok_or_else(|| TimeError::NoCalendar(text.into()))?;
            let (ticks, is_exact) = moment.tick(nanos as i64).ok_or_else(range)?;
            return Ok((Time(ticks), is_exact));
        }
        let decimal = Decimal::read(text).ok_or_else(|| TimeError::Unreadable(text.into()))?;
        if decimal.has_fraction && self == TimeUnit::Step {
            return Err(TimeError::BetweenSteps(text.into()));
        }
        decimal.floor.map(|ticks| (Time(ticks), !decimal.has_fraction)).ok_or_else(range)
    }

    /// The time for people: RFC 3339 where the unit has a calendar, ticks otherwise.
    ///
    /// ```
    /// use timeweft_graph::{Time, TimeUnit};
    /// assert_eq!(TimeUnit::Second.format(Time(0)), "1970-01-01T00:00:00Z");
    /// assert_eq!(TimeUnit::Step.format(Time(9)), "9");
    /// ```
    pub fn format(self, time: Time) -> String {
        let nanos = self.nanos().filter(|_| time != Time::FOREVER);
        let moment = nanos.and_then(|nanos| calendar::write(i128::from(time.0) * nanos));
        moment.unwrap_or_else(|| time.to_string())
    }
}

/// Ticks that are written with a point or an exponent, as programs print whole numbers that they keep as floats:
/// `1082008561.0`, `1.08e9`.
struct Decimal {
    /// The tick at or before it; `None` if that is none of 64 bits.
    floor: Option<i64>,
    has_fraction: bool,
}

impl Decimal {
    fn read(text: &str) -> Option<Decimal> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if !digits.starts_with(|first: char| first.is_ascii_digit()) || !digits.contains(['.', 'e', 'E']) {
            return None;
        }
        if let Some((whole, fraction)) = text.split_once('.')
            && fraction.bytes().all(|digit| digit.is_ascii_digit())
        {
            let has_fraction = fraction.bytes().any(|digit| digit != b'0');
            let below = i64::from(has_fraction && text.starts_with('-'));
            let floor = whole.parse::<i64>().ok().and_then(|whole| whole.checked_sub(below));
            let is_number = digits.split('.').all(|part| part.bytes().all(|digit| digit.is_ascii_digit()));
            return is_number.then_some(Decimal { floor, has_fraction });
        }
        // With an exponent, an f64 says it exactly up to 2^53.
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
        let floor = number.floor();
        Some(Decimal { floor: (floor.abs() <= EXACT).then_some(floor as i64), has_fraction: floor != number })
    }
}

/// Beyond this, neighboring integers share one `f64`.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl FromStr for TimeUnit {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        Ok(match text {
            "step" => TimeUnit::Step,
            "s" => TimeUnit::Second,
            "ms" => TimeUnit::Milli,
            "us" => TimeUnit::Micro,
            "ns" => TimeUnit::Nano,
            other => return Err(TimeError::Unit(other.into())),
        })
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimeUnit::Step => "step",
            TimeUnit::Second => "s",
            TimeUnit::Milli => "ms",
            TimeUnit::Micro => "us",
            TimeUnit::Nano => "ns",
        })
    }
}
