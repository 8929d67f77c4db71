//! `timeweft train`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `train`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `train`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("train is not there yet")
}
