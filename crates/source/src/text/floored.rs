//! Times that are finer than the ticks of a graph.

use timeweft_graph::{Time, TimeUnit};

use crate::tables::Cell;

/// Counts times between two ticks: each counts as the tick that it lies in, and the load says so.
#[derive(Default)]
pub(crate) struct Floored {
    count: u64,
    first_line: u64,
}

impl Floored {
    /// Reads the time of a line.
    pub(crate) fn read(&mut self, text: &str, unit: TimeUnit, line: u64) -> Result<Time, String> {
        let (time, is_exact) = unit.tick(text).map_err(|error| format!("time: {error}"))?;
        if !is_exact {
            self.add(line);
        }
        Ok(time)
    }

    /// Reads a time that is given in nanoseconds since 1970.
    pub(crate) fn instant(&mut self, nanos: i128, unit: TimeUnit, line: u64) -> Result<Time, String> {
        let per_tick = unit.nanos().ok_or("a time of the calendar has no meaning in a graph that counts steps")?;
        if nanos.rem_euclid(per_tick) != 0 {
            self.add(line);
        }
        i64::try_from(nanos.div_euclid(per_tick)).map(Time).map_err(|_| "the time does not fit 64-bit ticks".into())
    }

    /// Counts the time of a cell, if it is one between two ticks.
    pub(crate) fn look(&mut self, cell: &Cell<'_>, unit: TimeUnit, line: u64) {
        let text = match cell {
            Cell::Text(text) => text,
            Cell::Json(text) | Cell::String(text) => text.trim_matches('"'),
            Cell::Nanos(nanos) if unit.nanos().is_some_and(|per_tick| nanos.rem_euclid(per_tick) != 0) => {
                return self.add(line);
            }
            _ => return,
        };
        // Without a point there is no part of a tick.
        if text.contains('.') && unit.tick(text.trim()).is_ok_and(|(_, is_exact)| !is_exact) {
            self.add(line);
        }
    }

    fn add(&mut self, line: u64) {
        self.count += 1;
        if self.first_line == 0 {
            self.first_line = line;
        }
    }

    /// The same for people.
    pub(crate) fn note(&self, unit: TimeUnit) -> Option<String> {
        let times = if self.count == 1 { "time is" } else { "times are" };
        (self.count > 0).then(|| {
            format!(
                "{} {times} finer than the unit {unit} (the first on line {}): each counts as the tick that it lies in",
                self.count, self.first_line
            )
        })
    }
}
