//! `timeweft predict`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `predict`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `predict`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("predict is not there yet")
}
