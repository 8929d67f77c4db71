//! `timeweft explain`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `explain`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `explain`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("explain is not there yet")
}
