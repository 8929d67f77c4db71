//! `timeweft evaluate`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `evaluate`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `evaluate`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("evaluate is not there yet")
}
