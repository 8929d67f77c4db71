//! `timeweft load intervals`.

use std::path::PathBuf;

use timeweft::IntervalOptions;

use super::{LoadArgs, load_into, report, show};
use crate::context::{Context, Outcome};
use crate::output::Progress;

const AFTER_HELP: &str = "\
Example:
  timeweft load intervals nodes.json --unit s

One node with its outgoing edges a line, in the format of DeepGNN, everything with a lifetime [created_at, removed_at):
  {\"node_id\":42,\"node_type\":0,\"node_weight\":1.0,\"created_at\":13,\"removed_at\":23,\"edge\":[
   {\"src_id\":42,\"dst_id\":99,\"edge_type\":0,\"weight\":2.0,\"created_at\":13,\"removed_at\":15}]}";

/// Arguments of `load intervals`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// File to load, packed (.gz) or not; `-` is standard input.
    file: PathBuf,
    /// Owner of what the load creates.
    #[arg(long, default_value = "intervals")]
    namespace: String,
    /// Refuse the load as soon as more records than this are rejected.
    #[arg(long, value_name = "N")]
    max_rejects: Option<u64>,
    #[command(flatten)]
    load: LoadArgs,
}

/// Loads the intervals.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let options = IntervalOptions {
        namespace: args.namespace.as_str().into(),
        max_rejects: args.max_rejects,
        kept_rejects: args.load.rejects.kept(context),
    };
    let result = load_into(args.load.unit, context, |graph| {
        let bar = Progress::spinner("loading");
        Ok(graph.load_intervals(&args.file, &options, &mut show(&bar))?)
    });
    report::finish(result, &args.load.rejects, context)
}
