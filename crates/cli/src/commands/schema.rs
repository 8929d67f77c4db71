//! `timeweft schema`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `schema`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `schema`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("schema is not there yet")
}
