//! Times that are finer than the ticks of a graph.

use timeweft_graph::{Time, TimeUnit};

/// Counts times between two ticks: each counts as the tick that it lies in, and the load says so.
#[derive(Default)]
pub(super) struct Floored {
    count: u64,
    first_line: u64,
}

impl Floored {
    /// Reads the time of a line.
    pub(super) fn read(&mut self, text: &str, unit: TimeUnit, line: u64) -> Result<Time, String> {
        let (time, is_exact) = unit.tick(text).map_err(|error| format!("time: {error}"))?;
        if !is_exact {
            self.count += 1;
            if self.first_line == 0 {
                self.first_line = line;
            }
        }
        Ok(time)
    }

    /// Reads a time that is given in nanoseconds since 1970.
    #[cfg(feature = "columnar")]
    pub(super) fn instant(&mut self, nanos: i128, unit: TimeUnit, line: u64) -> Result<Time, String> {
        let per_tick = unit.nanos().ok_or("a time of the calendar has no meaning in a graph that counts steps")?;
        if nanos.rem_euclid(per_tick) != 0 {
            self.count += 1;
            if self.first_line == 0 {
                self.first_line = line;
            }
        }
        i64::try_from(nanos.div_euclid(per_tick)).map(Time).map_err(|_| "the time does not fit 64-bit ticks".into())
    }

    /// The same for people.
    pub(super) fn note(&self, unit: TimeUnit) -> Option<String> {
        let times = if self.count == 1 { "time is" } else { "times are" };
        (self.count > 0).then(|| {
            format!(
                "{} {times} finer than the unit {unit} (the first on line {}): each counts as the tick that it lies in",
                self.count, self.first_line
            )
        })
    }
}
