//! `timeweft load version`.

use std::path::PathBuf;

use serde_json::json;
use timeweft::{Dangling, Graph, VersionFormat, VersionOptions};

use super::{LoadArgs, load_into, report};
use crate::context::{Context, Outcome, parse_time};
use crate::output::Progress;

const AFTER_HELP: &str = "\
Examples:
  timeweft load version envo.obo --namespace envo --version v2016-05-17 --timestamp 2016-05-17 --unit ms --id-prefix ENVO
  timeweft load version envo.obo --namespace envo --version v2016-11-20 --timestamp 2016-11-20 --dry-run

Writing costs what changed. The same version again writes nothing; the same content under a new version is a load
without events. Versions of a namespace come in order of time.";

/// Arguments of `load version`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// File that lists the whole version, packed (.gz) or not; `-` is standard input.
    source: PathBuf,
    /// Owner of everything that the version lists: what it does not list of this namespace is deleted.
    #[arg(long)]
    namespace: String,
    /// Name of the version, once a namespace.
    #[arg(long)]
    version: String,
    /// When the version takes effect: an integer, a date or RFC 3339.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    timestamp: String,
    /// When its source released it.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    release_timestamp: Option<String>,
    /// Format; left out, the file name tells.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Keep only elements whose id begins with this prefix and a colon.
    #[arg(long, value_name = "PREFIX")]
    id_prefix: Option<String>,
    /// Edges at nodes that the version does not list: leave them out (drop), refuse the load (reject), or create the
    /// nodes (stub).
    #[arg(long, value_enum, default_value_t)]
    dangling: DanglingArg,
    /// Allow a version that lists nothing, which deletes everything of the namespace.
    #[arg(long)]
    allow_empty: bool,
    /// Tell what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    load: LoadArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// Ontology in OBO text.
    Obo,
}

/// [`Dangling`] as an option.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum DanglingArg {
    /// The edge is left out and reported.
    #[default]
    Drop,
    /// The whole load is refused.
    Reject,
    /// The missing node is created without features.
    Stub,
}

impl From<DanglingArg> for Dangling {
    fn from(dangling: DanglingArg) -> Dangling {
        match dangling {
            DanglingArg::Drop => Dangling::Drop,
            DanglingArg::Reject => Dangling::Reject,
            DanglingArg::Stub => Dangling::Stub,
        }
    }
}

/// Loads the version, or tells what loading it would change.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    if args.dry_run {
        return plan(args, context);
    }
    let result = load_into(args.load.unit, context, |graph| {
        let options = args.options(graph, context)?;
        let _bar = Progress::spinner("loading");
        Ok(graph.load_version(&args.source, &options)?)
    });
    report::finish(result, &args.load.rejects, context)
}

fn plan(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let graph = context.open()?;
    let delta = graph.plan_version(&args.source, &args.options(&graph, context)?)?;
    context.output.object(&json!({
        "dry_run": true,
        "events": delta.events.len(),
        "rejected": delta.rejects.len(),
        "delta": delta.report,
    }))?;
    context.output.say(&format!("dry run: {} events would be written\n", delta.events.len()))?;
    report::delta(&delta.report, context)?;
    args.load.rejects.list(&delta.rejects, delta.rejects.len() as u64, context)
}

impl Args {
    fn options(&self, graph: &Graph, context: &Context) -> anyhow::Result<VersionOptions> {
        let unit = graph.unit();
        let timestamp = parse_time(unit, &self.timestamp, "--timestamp")?;
        let release = self.release_timestamp.as_deref().map(|text| parse_time(unit, text, "--release-timestamp"));
        Ok(VersionOptions {
            release_timestamp: release.transpose()?,
            format: self.format.map(|Format::Obo| VersionFormat::Obo),
            id_prefix: self.id_prefix.clone(),
            dangling: self.dangling.into(),
            allow_empty: self.allow_empty,
            kept_rejects: self.load.rejects.kept(context),
            ..VersionOptions::new(&self.namespace, &self.version, timestamp)
        })
    }
}
