//! The `timeweft` binary: one file a command, and what the commands share.

mod cli;
mod commands;
mod context;
mod interrupt;
mod lookup;
mod moment;
mod output;
mod report;
mod roots;
mod synthetic;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::context::{Context, Outcome};

/// Tensors come and go at every step; this allocator keeps their pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    interrupt::survive_limit_of_files();
    let cli = Cli::parse();
    let context = Context::new(&cli.shared);
    match cli.command.run(&context) {
        Ok(outcome) => outcome.into(),
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            Outcome::of_error(&error)
        }
    }
}
