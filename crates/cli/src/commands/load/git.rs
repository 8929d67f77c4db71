//! `timeweft load git`.

use std::path::PathBuf;

use timeweft::TimeUnit;
use timeweft::load::{Format, GitOptions, LoadOptions};

use super::report::Rejects;
use super::{load_into, report, show};
use crate::context::Context;
use crate::outcome::Outcome;
use crate::output::Progress;

const AFTER_HELP: &str = "\
Examples:
  timeweft load git . --graph history
  timeweft load git . --graph history              (again: only commits that are new)
  timeweft load git . --graph recent --newest 5000
  timeweft neighbors file src/main.rs --graph history --at 2024-01-01

Nodes: author, commit, file. Edges: authored, parent, touched, edited. Renames are merges of the old path into the new.
The files at the end are those of the tree of HEAD. The graph is made if it is not there; its times count in seconds.";

/// Arguments of `load git`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// A folder in the repository.
    #[arg(default_value = ".")]
    repository: PathBuf,
    /// Stop after this many new commits, counted from the oldest one.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Begin before the newest commits, this many, with the files as they were then.
    #[arg(long, value_name = "N", conflicts_with = "limit")]
    newest: Option<usize>,
    /// Owner of what the load creates.
    #[arg(long, default_value = "git")]
    namespace: String,
    #[command(flatten)]
    rejects: Rejects,
}

/// Loads the history.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    args.rejects.check(&args.repository.join(".git"))?;
    let options = LoadOptions {
        namespace: Some(args.namespace.as_str().into()),
        format: Some(Format::Git(GitOptions { limit: args.limit, newest: args.newest })),
        kept_rejects: args.rejects.kept(context),
        ..LoadOptions::default()
    };
    let result = load_into(Some(TimeUnit::Second), context, |graph| {
        let bar = Progress::spinner("reading the history");
        Ok(graph.load(&args.repository).options(options).progress(show(&bar)).run()?)
    });
    report::finish(result, &args.rejects, context)
}
