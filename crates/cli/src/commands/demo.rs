//! `timeweft demo`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `demo`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `demo`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("demo is not there yet")
}
