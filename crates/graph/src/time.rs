//! Valid time: integer ticks of the graph's declared unit.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// Neither an integer nor RFC 3339.
    #[error("`{0}` is not a time: give an integer, a date (2016-05-17) or RFC 3339 (2016-05-17T12:00:00Z)")]
    Unreadable(String),
    /// A calendar time in a graph that counts steps.
    #[error("`{0}` is a calendar time, but this graph counts steps: give an integer")]
    NoCalendar(String),
    /// Outside 64-bit ticks of the unit.
    #[error("`{0}` does not fit 64-bit ticks of this graph's unit")]
    Range(String),
    /// Unknown unit name.
    #[error("`{0}` is not a time unit: use s, ms, us, ns or step")]
    Unit(String),
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

    /// Reads an integer tick, `now`/`forever`, a date or an RFC 3339 time.
    ///
    /// ```
    /// use timeweft_graph::{Time, TimeUnit};
    /// assert_eq!(TimeUnit::Milli.parse("1970-01-02"), Ok(Time(86_400_000)));
    /// assert_eq!(TimeUnit::Step.parse("-7"), Ok(Time(-7)));
    /// assert!(TimeUnit::Step.parse("1970-01-02").is_err());
    /// ```
    pub fn parse(self, text: &str) -> Result<Time, TimeError> {
        let text = text.trim();
        if text == "now" || text == "forever" {
            return Ok(Time::FOREVER);
        }
        if let Ok(ticks) = text.parse::<i64>() {
            return Ok(Time(ticks));
        }
        let stamp = calendar(text).ok_or_else(|| TimeError::Unreadable(text.into()))?;
        let nanos = self.nanos().ok_or_else(|| TimeError::NoCalendar(text.into()))?;
        let ticks = stamp.as_nanosecond().div_euclid(nanos);
        i64::try_from(ticks).map(Time).map_err(|_| TimeError::Range(text.into()))
    }

    /// The tick of a count of whole seconds since the epoch; steps take the seconds as they are.
    pub fn from_seconds(self, seconds: i64) -> Option<Time> {
        let per_second = self.nanos().map_or(1, |nanos| 1_000_000_000 / nanos);
        i64::try_from(i128::from(seconds) * per_second).ok().map(Time)
    }

    /// The time for people: RFC 3339 where the unit has a calendar, ticks otherwise.
    ///
    /// ```
    /// use timeweft_graph::{Time, TimeUnit};
    /// assert_eq!(TimeUnit::Second.format(Time(0)), "1970-01-01T00:00:00Z");
    /// assert_eq!(TimeUnit::Step.format(Time(9)), "9");
    /// ```
    pub fn format(self, time: Time) -> String {
        let stamp = self
            .nanos()
            .filter(|_| time != Time::FOREVER)
            .and_then(|nanos| Timestamp::from_nanosecond(i128::from(time.0) * nanos).ok());
        stamp.map_or_else(|| time.to_string(), |stamp| stamp.to_string())
    }
}

fn calendar(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().or_else(|| {
        let date = text.parse::<jiff::civil::Date>().ok()?;
        Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })
}

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
