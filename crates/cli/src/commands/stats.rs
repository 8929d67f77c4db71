//! `timeweft stats`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `stats`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `stats`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("stats is not there yet")
}
