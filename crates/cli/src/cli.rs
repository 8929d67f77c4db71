//! The command line as a whole: what all commands share, and their list.

use clap::{CommandFactory, Parser, Subcommand};

#[cfg(feature = "sql")]
use crate::commands::sql;
use crate::commands::{
    compact, completions, demo, diff, evaluate, explain, export, features, history, init, load, loads, man, nearest,
    neighbors, node, page_rank, predict, query, resolve, rollback, sample, schema, score, stats, train, verify, walk,
};
#[cfg(feature = "serve")]
use crate::commands::{serve, token};
use crate::context::{Context, Shared};
use crate::outcome::Outcome;

const AFTER_HELP: &str = "\
Example: load a stream of messages, look at it as of a time, and see what changed since
  timeweft load events messages.csv --unit s
  timeweft neighbors node 42 --at 2004-05-01
  timeweft diff --from 2004-05-01 --to now --summary

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with rejected records, 130 interrupted by Ctrl-C.";

/// A temporal heterogeneous graph engine with learning built in.
#[derive(Parser, Debug)]
#[command(name = "timeweft", version, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) shared: Shared,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be done.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make an empty graph with its unit of time.
    Init(init::Args),
    /// Show the types of nodes and edges and their features.
    Schema(schema::Args),
    /// Count elements at a time; tell the size on disk.
    Stats(stats::Args),
    /// Load events, intervals, a whole version or a git history.
    #[command(subcommand)]
    Load(load::Command),
    /// List the loads in the registry.
    Loads(loads::Args),
    /// Take a load back, as a new commit.
    Rollback(rollback::Args),
    /// Show a node as of a time.
    Node(node::Args),
    /// List the edges at a node as of a time.
    Neighbors(neighbors::Args),
    /// Ask for names, ancestors, children, search, links as of a time.
    Query(query::Args),
    /// Ask in SQL, as of any time and commit.
    #[cfg(feature = "sql")]
    Sql(sql::Args),
    /// Follow merges to what a node has become.
    Resolve(resolve::Args),
    /// Tell everything that happened to a node.
    History(history::Args),
    /// Tell what changed between two times.
    Diff(diff::Args),
    /// Write the graph at a time, or the log, as JSON lines that load again.
    Export(export::Args),
    /// Sample neighbors of many nodes, each as of its own time, for training.
    Sample(sample::Args),
    /// Walk at random from many nodes, each as of its own time.
    Walk(walk::Args),
    /// Rank nodes by their nearness to many nodes: personalised page rank, each as of its own time.
    PageRank(page_rank::Args),
    /// Read features of many nodes or edges, each as of its own time.
    Features(features::Args),
    /// Train a model of the graph's links.
    Train(train::Args),
    /// Measure a trained model against baselines.
    Evaluate(evaluate::Args),
    /// Predict links of a node as of a time.
    Predict(predict::Args),
    /// Score many links, each as of its own time.
    Score(score::Args),
    /// Nodes that a model sees alike.
    Nearest(nearest::Args),
    /// Explain a predicted edge, a removal, or why a node goes.
    Explain(explain::Args),
    /// Walk the whole path on real or made-up history.
    Demo(demo::Args),
    /// Serve graphs over HTTP, with a page.
    #[cfg(feature = "serve")]
    Serve(serve::Args),
    /// Make, list and revoke tokens: who may ask a server.
    #[cfg(feature = "serve")]
    #[command(subcommand)]
    Token(token::Command),
    /// Check every checksum, and that the log makes the graph.
    Verify(verify::Args),
    /// Write a snapshot, so that opening the graph does not replay its log.
    Compact(compact::Args),
    /// Print what a shell needs to complete command lines.
    Completions(completions::Args),
    /// Print the manual page, or write one for each command.
    Man(man::Args),
}

impl Command {
    /// Runs the command.
    pub(crate) fn run(&self, context: &Context) -> anyhow::Result<Outcome> {
        match self {
            Command::Init(args) => init::run(args, context),
            Command::Schema(args) => schema::run(args, context),
            Command::Stats(args) => stats::run(args, context),
            Command::Load(command) => load::run(command, context),
            Command::Loads(args) => loads::run(args, context),
            Command::Rollback(args) => rollback::run(args, context),
            Command::Node(args) => node::run(args, context),
            Command::Neighbors(args) => neighbors::run(args, context),
            Command::Query(args) => query::run(args, context),
            #[cfg(feature = "sql")]
            Command::Sql(args) => sql::run(args, context),
            Command::Resolve(args) => resolve::run(args, context),
            Command::History(args) => history::run(args, context),
            Command::Diff(args) => diff::run(args, context),
            Command::Export(args) => export::run(args, context),
            Command::Sample(args) => sample::run(args, context),
            Command::Walk(args) => walk::run(args, context),
            Command::PageRank(args) => page_rank::run(args, context),
            Command::Features(args) => features::run(args, context),
            Command::Train(args) => train::run(args, context),
            Command::Evaluate(args) => evaluate::run(args, context),
            Command::Predict(args) => predict::run(args, context),
            Command::Score(args) => score::run(args, context),
            Command::Nearest(args) => nearest::run(args, context),
            Command::Explain(args) => explain::run(args, context),
            Command::Demo(args) => demo::run(args, context),
            #[cfg(feature = "serve")]
            Command::Serve(args) => serve::run_server(args, context),
            #[cfg(feature = "serve")]
            Command::Token(command) => token::run(command, context),
            Command::Verify(args) => verify::run(args, context),
            Command::Compact(args) => compact::run(args, context),
            Command::Completions(args) => completions::run(args, Cli::command(), context),
            Command::Man(args) => man::run(args, Cli::command(), context),
        }
    }
}
