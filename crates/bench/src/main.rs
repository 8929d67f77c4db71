//! Every figure of the documentation, by one command each.

mod accuracy;
mod answers;
mod build;
mod clock;
mod data;
mod envo;
mod ingest;
mod kernels;
mod online;
mod profile;
mod sampling;
mod scale;
#[cfg(feature = "sql")]
mod sql;
mod synthetic;
mod taxonomy;
mod training;
mod versions;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: profile::Counting = profile::Counting;

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
    /// Files of answers about many roots: two hops and page rank, and where the time goes.
    Answers(answers::Args),
    /// Where a build goes, after `cargo build --release --timings`.
    Build(build::Args),
    /// Delta loads of two releases of the Environment Ontology, and the second again.
    Envo,
    /// Durable ingest of generated events.
    Ingest(ingest::Args),
    /// Each kernel of learning by itself: time, and the share of what the machine can do.
    Kernels(kernels::Args),
    /// A model in service: events that are scored and taken in one by one, opening, and questions about the past.
    Online(online::Args),
    /// Where the time and the memory of a training step go, stage by stage.
    Profile(profile::Args),
    /// Interval graphs beside DeepGNN's graph engine: load, samples, counts, memory.
    Sampling(sampling::Args),
    /// Time, memory and disk of commands on large graphs.
    Scale(scale::Args),
    /// Questions in SQL beside the library's own loops and a peer (feature `sql`).
    #[cfg(feature = "sql")]
    Sql(sql::Args),
    /// Tasks with known answers: what each part of the model learns.
    Synthetic(synthetic::Args),
    /// Training speed beside a peer.
    Training(training::Args),
    /// Delta loads of a made taxonomy at full size beside a peer.
    Versions(versions::Args),
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match &cli.command {
        Command::Accuracy(args) => accuracy::run(args, &cli.data),
        Command::Answers(args) => answers::run(args),
        Command::Build(args) => build::run(args),
        Command::Envo => envo::run(&cli.data),
        Command::Ingest(args) => ingest::run(args),
        Command::Kernels(args) => kernels::run(args),
        Command::Online(args) => online::run(args, &cli.data),
        Command::Profile(args) => profile::run(args, &cli.data),
        Command::Sampling(args) => sampling::run(args, &cli.data),
        Command::Scale(args) => scale::run(args),
        #[cfg(feature = "sql")]
        Command::Sql(args) => sql::run(args),
        Command::Synthetic(args) => synthetic::run(args),
        Command::Training(args) => training::run(args, &cli.data),
        Command::Versions(args) => versions::run(args),
    }
}

/// The middle figure; NaN of none.
fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
