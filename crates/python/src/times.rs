//! Times as ticks.

use pyo3::prelude::*;
use timeweft::{Error, TimeUnit};

use crate::errors::{self, Raised};

/// A unit by its name.
pub(crate) fn unit(name: &str) -> errors::Result<TimeUnit> {
    let known = || errors::named("TimeError", format!("unit: `{name}` is none of s, ms, us, ns, step"));
    name.parse().map_err(|_| known())
}

/// The tick that a text says, in a graph that counts in a unit.
#[pyfunction]
pub(crate) fn parse_time(text: &str, unit: &str) -> PyResult<i64> {
    let unit = self::unit(unit)?;
    let tick = unit.parse(text).map_err(|error| Raised::from(Error::from(error)))?;
    Ok(tick.0)
}

/// A tick for people: RFC 3339 where the unit has a calendar.
#[pyfunction]
pub(crate) fn format_time(tick: i64, unit: &str) -> PyResult<String> {
    Ok(self::unit(unit)?.format(timeweft::Time(tick)))
}
