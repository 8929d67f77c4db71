//! `timeweft compact`: what makes opening fast.

use std::io;

use anyhow::Context as _;
use serde_json::json;

use crate::context::{Context, warn};
use crate::outcome::Outcome;
use crate::output::{after, text};

const AFTER_HELP: &str = "\
Example:
  timeweft compact --graph shop

Writes a snapshot of the newest commit, so that opening the graph does not replay its log. Loads do this by themselves
when there is much to replay. The snapshot is a cache: deleting the folder `index` loses nothing but time.";

/// Arguments of `compact`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {}

/// Writes a snapshot.
pub(crate) fn run(_args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let graph = context.open_to_write()?;
    let bytes = graph.compact();
    warn(&graph);
    let bytes = bytes.context("no snapshot was written, and the graph is what it was")?;
    after("the snapshot is written", tell(graph.commit().0, bytes, context));
    Ok(Outcome::Done)
}

fn tell(commit: u64, bytes: u64, context: &Context) -> io::Result<()> {
    context.output.object(&json!({ "commit": commit, "bytes": bytes }))?;
    context.output.say(&format!("wrote a snapshot of commit {commit} with {}", text::bytes(bytes)))
}
