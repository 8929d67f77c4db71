//! Printing: tables for people, JSON lines for programs, progress on standard error.

mod file;
mod hints;
pub(crate) mod json;
mod progress;
mod stdout;
mod table;
pub(crate) mod text;
pub(crate) mod wording;

use std::io::{self, BufWriter, Write};

use serde::Serialize;

pub(crate) use file::{check_graph, check_place, is_same_file, replace, write_whole};
pub(crate) use hints::in_flags;
pub(crate) use progress::{LearningBar, Progress};
pub(crate) use stdout::{Stdout, has_printed, stdout};
pub(crate) use table::Table;

/// Where and how results are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// JSON lines instead of tables and sentences.
    pub(crate) json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Output {
        Output { json }
    }

    /// Prints a sentence for people; nothing with `--json`.
    pub(crate) fn say(&self, line: &str) -> io::Result<()> {
        if self.json { Ok(()) } else { writeln!(stdout(), "{line}") }
    }

    /// Prints a table for people; nothing with `--json`.
    pub(crate) fn table(&self, table: &Table) -> io::Result<()> {
        self.for_people(|width, out| table.write(width, out))
    }

    /// The same for a table with as many rows as a graph has elements: they are made twice, one by one, and never kept.
    pub(crate) fn rows<const N: usize, I: Iterator<Item = [String; N]>>(
        &self,
        header: [&str; N],
        rows: impl Fn() -> I,
    ) -> io::Result<()> {
        self.for_people(|width, out| table::write_rows(&header.map(str::to_owned), rows, width, out))
    }

    fn for_people(
        &self,
        write: impl FnOnce(Option<usize>, &mut BufWriter<Stdout>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.json {
            return Ok(());
        }
        // Only a person before a terminal is spared: what goes on to a program is whole.
        let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        let mut out = BufWriter::new(stdout());
        write(width, &mut out)?;
        out.flush()
    }

    /// Prints an object as one line with `--json`; nothing without.
    pub(crate) fn object(&self, object: &impl Serialize) -> io::Result<()> {
        self.objects(std::iter::once(object))
    }

    /// Prints objects, one a line, with `--json`; nothing without.
    pub(crate) fn objects(&self, objects: impl Iterator<Item = impl Serialize>) -> io::Result<()> {
        if !self.json {
            return Ok(());
        }
        let mut out = BufWriter::new(stdout());
        for object in objects {
            serde_json::to_writer(&mut out, &object)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}

/// Prints an error as `error: what`. Library errors say what, where and what to do.
pub(crate) fn error(error: &anyhow::Error) {
    // Some errors name their cause themselves: no cause is printed twice.
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !line.contains(&cause) {
            line += if line.is_empty() { "" } else { ": " };
            line += &cause;
        }
    }
    // Where standard error is closed, nothing can be printed.
    let _ = writeln!(io::stderr().lock(), "error: {}", text::message(&in_flags(&line)));
}

/// Prints a note on standard error, beside the results.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text::message(&in_flags(line)));
}

/// What goes wrong once something is done, such as telling it, only warns: the exit code says what is there. A reader that has
/// gone, as `head` does, is no news.
pub(crate) fn after<E: Into<anyhow::Error>>(done: &str, later: Result<(), E>) {
    if let Err(error) = later.map_err(Into::into)
        && !is_broken_pipe(&error)
    {
        note(&format!("warning: {done}, but: {error:#}"));
    }
}

/// Whether the reader of our output has gone, as `head` does.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
