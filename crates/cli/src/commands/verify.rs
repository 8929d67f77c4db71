//! `timeweft verify`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `verify`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `verify`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("verify is not there yet")
}
