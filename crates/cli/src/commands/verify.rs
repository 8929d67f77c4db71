//! `timeweft verify`: the health of a graph.

use serde_json::json;
use timeweft::load::StoreError;
use timeweft::{Error, Graph};

use crate::context::{Context, warn};
use crate::outcome::Outcome;
use crate::output::text;

const AFTER_HELP: &str = "\
Example:
  timeweft verify --graph shop

Compares every checksum, replays the log, and compares the graph in memory with what the log makes. The first thing that
is wrong with the log or the catalogue is the error, with exit code 1. A snapshot that is damaged is only a cache: it is made
anew from the log, and the answer begins with \"repaired\" instead of \"sound\".";

/// Arguments of `verify`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {}

/// Checks the graph.
pub(crate) fn run(_args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let mut graph = match Graph::open(&context.dir) {
        // Whatever is wrong is told; only a process that writes can mend it.
        Err(Error::Store(StoreError::Locked { .. })) => Graph::open_read_only(&context.dir),
        opened => opened,
    }?;
    let report = graph.verify()?;
    warn(&graph);
    if !report.sound && !graph.is_read_only() {
        graph.compact()?;
    }
    context.output.object(&json!({
        "sound": report.sound,
        "loads": report.loads,
        "segments": report.segments,
        "bytes": report.bytes,
        "events": report.events,
    }))?;
    context.output.say(&format!(
        "{}: {} loads, {} segments with {}, {} events replayed",
        if report.sound { "sound" } else { "repaired (the log is sound)" },
        report.loads,
        report.segments,
        text::bytes(report.bytes),
        text::count(report.events)
    ))?;
    Ok(Outcome::Done)
}
