//! `timeweft history`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `history`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `history`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("history is not there yet")
}
