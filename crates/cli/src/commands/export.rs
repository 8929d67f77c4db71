//! `timeweft export`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `export`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `export`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("export is not there yet")
}
