//! `timeweft node`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `node`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `node`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("node is not there yet")
}
