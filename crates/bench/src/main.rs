//! Every figure of the documentation, by one command each.

mod accuracy;
mod data;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Reproduces every figure of the documentation.
#[derive(Parser)]
struct Cli {
    /// Folder of the real data sets.
    #[arg(long, env = "TIMEWEFT_DATA", default_value = "../shared/data", global = true)]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Link ranking on public streams, by the protocol.
    Accuracy(accuracy::Args),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match &cli.command {
        Command::Accuracy(args) => accuracy::run(args, &cli.data),
    }
}
