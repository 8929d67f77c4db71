//! Progress bars, on standard error and only where it is a terminal.

use std::io::{IsTerminal, stderr};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use timeweft::model::LearnProgress;

/// A bar, a spinner, or nothing at all where standard error is no terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar over `total` steps.
    pub(crate) fn steps(total: u64, message: &str) -> Progress {
        Progress::new(Some(total), "{msg} [{bar:30}] {pos}/{len} {eta}", message)
    }

    /// A bar over bytes, or a spinner where their number is not known.
    pub(crate) fn bytes(total: Option<u64>, message: &str) -> Progress {
        let template = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        Progress::new(total, if total.is_some() { template } else { "{spinner} {msg} {bytes}" }, message)
    }

    /// A spinner that counts records.
    pub(crate) fn records(message: &str) -> Progress {
        Progress::new(None, "{spinner} {msg} {human_pos} records {elapsed}", message)
    }

    /// A bar over a number of records, or a spinner that counts them where their number is not known.
    pub(crate) fn of(total: impl FnOnce() -> Option<u64>, message: &str) -> Progress {
        // Counting takes a look at the whole file: only where the bar is seen.
        match if stderr().is_terminal() { total() } else { None } {
            total @ Some(_) => Progress::new(total, "{msg} [{bar:30}] {human_pos}/{human_len} {eta}", message),
            None => Progress::records(message),
        }
    }

    /// A spinner for work of unknown length.
    pub(crate) fn spinner(message: &str) -> Progress {
        Progress::new(None, "{spinner} {msg} {elapsed}", message)
    }

    fn new(total: Option<u64>, template: &str, message: &str) -> Progress {
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        if !stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(message.to_owned());
        // A thread moves the bar, where it is seen and a thread can be had.
        if stderr().is_terminal() && thread::Builder::new().spawn(|| ()).is_ok() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Progress { bar }
    }

    /// Moves the bar to a position.
    pub(crate) fn set(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// Changes the text beside the bar.
    pub(crate) fn message(&self, message: &str) {
        self.bar.set_message(message.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The bar of a training or a ranking.
#[derive(Default)]
pub(crate) struct LearningBar {
    bar: Option<Progress>,
    what: String,
}

impl LearningBar {
    /// Shows where things stand.
    pub(crate) fn follow(&mut self, progress: &LearnProgress) {
        match *progress {
            LearnProgress::Training { epoch, epochs, done, of, loss } => {
                self.set(&format!("epoch {epoch}/{epochs}"), done, of);
                self.message(&format!("epoch {epoch}/{epochs}, loss {loss:.3}"));
            }
            LearnProgress::Ranking { done, of } => self.set("ranking", done, of),
            _ => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&mut self) {
        self.bar = None;
        self.what.clear();
    }

    fn set(&mut self, what: &str, done: usize, of: usize) {
        if self.what != what {
            self.clear();
            self.bar = Some(Progress::steps(of as u64, what));
            self.what = what.into();
        }
        if let Some(bar) = &self.bar {
            bar.set(done as u64);
        }
    }

    fn message(&self, message: &str) {
        if let Some(bar) = &self.bar {
            bar.message(message);
        }
    }
}
