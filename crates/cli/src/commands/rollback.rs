//! `timeweft rollback`: taking a load back.

use serde_json::json;
use timeweft::load::{LoadId, RollbackReport};

use super::load::{compact_if_due, report};
use crate::context::{Context, warn};
use crate::outcome::Outcome;
use crate::output::after;

const AFTER_HELP: &str = "\
Examples:
  timeweft loads
  timeweft rollback 10

The graph is then what it would be without the load; before the load and from the next version of its namespace on,
nothing changes. A rollback is a commit like any other: earlier commits stay readable with --commit. The name of the
version is free again, so that it can be loaded again, with --back-dated if later versions are there.";

/// Arguments of `rollback`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Number of the load, as `timeweft loads` lists it.
    load: u64,
}

/// What is so, whatever fails later.
const TAKEN_BACK: &str = "the load is taken back";

/// Takes the load back.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let mut graph = context.open_to_write()?;
    let done = graph.rollback(LoadId(args.load));
    warn(&graph);
    let done = done?;
    compact_if_due(TAKEN_BACK, &graph);
    after(TAKEN_BACK, tell(&done, context));
    Ok(Outcome::Done)
}

fn tell(done: &RollbackReport, context: &Context) -> anyhow::Result<()> {
    context.output.object(&json!({
        "load": done.load,
        "commit": done.commit,
        "undone": done.undone,
        "later": report::later_json(&done.later),
    }))?;
    let (commit, undone) = (done.commit.0, done.undone.0);
    context.output.say(&format!("load {undone} was taken back by load {}, commit {commit}", done.load.0))?;
    report::later(&done.later, context)
}
