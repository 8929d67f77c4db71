//! `timeweft diff`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `diff`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `diff`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("diff is not there yet")
}
