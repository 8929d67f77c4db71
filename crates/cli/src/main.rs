//! The `timeweft` binary: one file a command, and what the commands share.

mod cli;
mod commands;
mod context;
mod input;
mod interrupt;
mod outcome;
mod output;
mod report;

use std::process::ExitCode;

use anyhow::bail;
use clap::Parser;
use timeweft::read::damage::catch;

use crate::cli::Cli;
use crate::context::Context;
use crate::outcome::Outcome;

/// Tensors come and go at every step; this allocator keeps their pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    interrupt::survive_limit_of_files();
    let cli = Cli::parse();
    let context = Context::new(&cli.shared);
    match run(&cli, &context) {
        Ok(outcome) => outcome.into(),
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            Outcome::of_error(&error)
        }
    }
}

/// Runs the command. If it meets damage in the snapshot that it reads, the file is removed and the command is run again, on what
/// the log makes; if something was printed by then, that is right, but it cannot be printed again.
fn run(cli: &Cli, context: &Context) -> anyhow::Result<Outcome> {
    let damage = match catch(|| cli.command.run(context)) {
        Ok(result) => return result,
        Err(damage) => damage,
    };
    if let Err(error) = std::fs::remove_file(&damage.file) {
        bail!("{damage}, and it cannot be removed: {error}: delete it: it is a cache, and the log makes it again");
    }
    if output::has_printed() {
        bail!("{damage}: it was removed: what was printed is right but not all: run this again");
    }
    output::note(&format!(
        "warning: {damage}: it was removed, and the graph is made anew from its log: `timeweft compact` writes another \
         snapshot"
    ));
    cli.command.run(context)
}
