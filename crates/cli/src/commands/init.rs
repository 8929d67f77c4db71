//! `timeweft init`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `init`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `init`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("init is not there yet")
}
