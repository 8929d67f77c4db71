//! `timeweft neighbors`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `neighbors`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `neighbors`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("neighbors is not there yet")
}
