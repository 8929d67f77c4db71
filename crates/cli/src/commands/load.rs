//! `timeweft load`.

use anyhow::bail;

use crate::context::{Context, Outcome};

/// What can be loaded.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// A stream of events.
    Events,
}

/// Runs `load`.
pub(crate) fn run(_command: &Command, _context: &Context) -> anyhow::Result<Outcome> {
    bail!("load is not there yet")
}
