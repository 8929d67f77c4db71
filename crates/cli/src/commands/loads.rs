//! `timeweft loads`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// Arguments of `loads`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

/// Runs `loads`.
pub(crate) fn run(_args: &Args, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("loads is not there yet")
}
