//! Times as people write them, and as ticks.

use timeweft_graph::{Time, TimeError, TimeUnit};

/// A time of a graph: ticks as they are, or a text such as `2004-06-01` or `"2004-06-01 12:00:00"` (in UTC).
///
/// ```
/// use timeweft::{IntoTime, Time, TimeUnit};
/// assert_eq!("1970-01-02".into_time(TimeUnit::Second)?, Time(86_400));
/// assert_eq!(7.into_time(TimeUnit::Second)?, Time(7));
/// # Ok::<(), timeweft::Error>(())
/// ```
pub trait IntoTime {
    /// The time in ticks of a unit.
    ///
    /// # Errors
    /// If a text is no time, or none that this unit can hold exactly.
    fn into_time(self, unit: TimeUnit) -> Result<Time, TimeError>;
}

impl IntoTime for Time {
    fn into_time(self, _: TimeUnit) -> Result<Time, TimeError> {
        Ok(self)
    }
}

impl IntoTime for i64 {
    fn into_time(self, _: TimeUnit) -> Result<Time, TimeError> {
        Ok(Time(self))
    }
}

impl IntoTime for &str {
    fn into_time(self, unit: TimeUnit) -> Result<Time, TimeError> {
        unit.parse(self)
    }
}

/// A unit of time, or its name.
pub trait IntoUnit {
    /// The unit.
    ///
    /// # Errors
    /// If there is no such unit.
    fn into_unit(self) -> Result<TimeUnit, TimeError>;
}

impl IntoUnit for TimeUnit {
    fn into_unit(self) -> Result<TimeUnit, TimeError> {
        Ok(self)
    }
}

impl IntoUnit for &str {
    fn into_unit(self) -> Result<TimeUnit, TimeError> {
        self.parse()
    }
}
