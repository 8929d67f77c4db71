//! `timeweft verify`: the health of a graph.

use serde_json::json;

use crate::context::{Context, Outcome};
use crate::output::text;

const AFTER_HELP: &str = "\
Example:
  timeweft verify --graph shop

Compares every checksum and replays the log. The first thing that is wrong is the error, with exit code 1.";

/// Arguments of `verify`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {}

/// Checks the graph.
pub(crate) fn run(_args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let report = context.open()?.verify()?;
    context.output.object(&json!({
        "sound": true,
        "loads": report.loads,
        "segments": report.segments,
        "bytes": report.bytes,
        "events": report.events,
    }))?;
    context.output.say(&format!(
        "sound: {} loads, {} segments with {}, {} events replayed",
        report.loads,
        report.segments,
        text::bytes(report.bytes),
        text::count(report.events)
    ))?;
    Ok(Outcome::Done)
}
