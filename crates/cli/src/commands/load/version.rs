//! `timeweft load version`.

use std::path::PathBuf;

use serde_json::json;
use timeweft::load::{Dangling, DeltaOptions, Format, LoadOptions, VersionFormat, VersionOptions, tables};
use timeweft::{Name, TimeUnit};

use super::{LoadArgs, load_into, report, show};
use crate::context::Context;
use crate::input::moment::parse_time;
use crate::input::named_values::{DANGLING, choices};
use crate::outcome::{Outcome, UsageError};
use crate::output::{Progress, text};

const AFTER_HELP: &str = "\
Examples:
  timeweft load version envo.obo --namespace envo --version v2016-05-17 --timestamp 2016-05-17 --unit ms --id-prefix ENVO
  timeweft load version envo.obo --namespace envo --version v2016-11-20 --timestamp 2016-11-20 --dry-run
  timeweft load version taxdump/ --namespace ncbi --version 2022-07 --timestamp 2022-07-01
  timeweft load version warehouse.toml --root snapshots/2024-05-01 --version 2024-05-01 --timestamp 2024-05-01

Formats: obo, obograph (OBO Graphs JSON), taxdump (a folder of an NCBI dump), gtdb, silva, rdp, and tables: a TOML file
that maps CSV, TSV, JSONL or Parquet files to nodes, edges and merges.

Writing costs what changed. The same version again writes nothing; the same content under a new version is a load
without events. Versions of a namespace come in order of time; --back-dated puts one before later ones. Every load can be
undone: timeweft rollback LOAD.";

/// Arguments of `load version`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// File or folder that lists the whole version, packed (.gz, .bz2, .zst) or not.
    source: PathBuf,
    /// Owner of everything that the version lists: what it does not list of this namespace is deleted.
    #[arg(long)]
    namespace: Option<String>,
    /// Name of the version, once a namespace.
    #[arg(long)]
    version: Option<String>,
    /// When the version takes effect: an integer, a date, or date and time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    timestamp: Option<String>,
    /// When its source released it.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    release_timestamp: Option<String>,
    #[arg(long, help = formats())]
    format: Option<VersionFormat>,
    /// Of ontologies: keep only terms whose id begins with this prefix and a colon.
    #[arg(long, value_name = "PREFIX")]
    id_prefix: Option<String>,
    /// Of obograph: id of the graph to read, where the file has several.
    #[arg(long, value_name = "ID")]
    graph_id: Option<String>,
    /// Of tables: folder in which the files are looked up, so that one mapping serves many snapshots.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Edges at nodes that the version does not list: leave them out (drop), refuse the load (reject), or create the
    /// nodes (stub).
    #[arg(long, default_value = "drop", value_parser = choices(DANGLING))]
    dangling: Dangling,
    /// Alone: allow a version that lists nothing, which deletes everything of the namespace. With names of node types or
    /// relations, between commas: allow that the version has a section for them, such as a table with a header, and no
    /// record, which deletes all of them.
    #[arg(long, value_name = "TYPE", num_args = 0..=1, require_equals = true, value_delimiter = ',')]
    allow_empty: Option<Vec<String>>,
    /// Take in features that the namespace did not have before; left out, they are only reported. A mapping with features = "*" takes all.
    #[arg(long)]
    add_fields: bool,
    /// End edges of other namespaces at nodes that no version lists any more; left out, such a node stands in for them, without
    /// a value.
    #[arg(long)]
    end_foreign_edges: bool,
    /// Allow a version before others of its namespace that are there already.
    #[arg(long)]
    back_dated: bool,
    /// Refuse the load if more records than this are rejected.
    #[arg(long, value_name = "N")]
    max_rejects: Option<u64>,
    /// Tell what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    load: LoadArgs,
}

/// The help of the option of formats.
fn formats() -> String {
    let names: Vec<_> = VersionFormat::ALL.iter().map(|format| format.name()).collect();
    format!("Format: one of {}; left out, the source tells", names.join(", "))
}

/// Loads the version, or tells what loading it would change.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    args.load.rejects.check(&args.source)?;
    args.root.as_deref().map_or(Ok(()), |root| args.load.rejects.check(root))?;
    args.mapped().iter().try_for_each(|file| args.load.rejects.check(file))?;
    if args.dry_run {
        return plan(args, context);
    }
    let result = load_into(args.load.unit, context, |graph| {
        let options = args.options(graph.unit(), context)?;
        let bar = Progress::records("loading");
        Ok(graph.load(&args.source).options(options).progress(show(&bar)).run()?)
    });
    report::finish(result, &args.load.rejects, context)
}

fn plan(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let graph = context.open()?;
    let planned = graph.plan_version(&args.source, &args.options(graph.unit(), context)?)?;
    context.output.object(&json!({
        "dry_run": true,
        "events": planned.accepted,
        "rejected": planned.n_rejected,
        "delta": planned.delta,
        "warnings": report::warnings_json(&planned),
    }))?;
    context.output.say(&format!("dry run: {} events would be written\n", text::count(planned.accepted)))?;
    if let Some(delta) = &planned.delta {
        report::delta(delta, context)?;
    }
    report::warn(&planned, context);
    args.load.rejects.list(&planned.rejects, planned.n_rejected, context)
}

impl Args {
    /// The files of a mapping; none if the source is none, or cannot be read, as the load tells.
    fn mapped(&self) -> Vec<PathBuf> {
        match self.source.extension().is_some_and(|extension| extension == "toml") {
            true => tables::files(&self.source, &tables::TablesOptions { root: self.root.clone() }).unwrap_or_default(),
            false => Vec::new(),
        }
    }

    /// What is not on the command line may stand in the `[version]` of a mapping.
    fn options(&self, unit: TimeUnit, context: &Context) -> anyhow::Result<LoadOptions> {
        let mapped = match self.source.extension().is_some_and(|extension| extension == "toml") {
            true => tables::facts(&self.source)?,
            false => None,
        };
        let named = |given: &Option<String>, mapped: Option<&Name>, option: &str| {
            let given = given.clone().or_else(|| mapped.map(ToString::to_string));
            given.ok_or_else(|| UsageError(format!("{option} is missing: give it, or load a mapping that names it")))
        };
        let namespace = named(&self.namespace, mapped.as_ref().map(|facts| &facts.namespace), "--namespace")?;
        let version = named(&self.version, mapped.as_ref().map(|facts| &facts.load_version), "--version")?;
        let given = self.timestamp.as_deref().map(|text| parse_time(unit, text, "--timestamp")).transpose()?;
        let timestamp = given.or(mapped.as_ref().map(|facts| facts.load_timestamp));
        let timestamp = timestamp
            .ok_or_else(|| UsageError("--timestamp is missing: give it, or load a mapping that names it".into()))?;
        let release = self.release_timestamp.as_deref().map(|text| parse_time(unit, text, "--release-timestamp"));
        let read = VersionOptions {
            format: self.format,
            id_prefix: self.id_prefix.clone(),
            graph: self.graph_id.clone(),
            root: self.root.clone(),
        };
        let delta = DeltaOptions {
            allow_empty: self.allow_empty.as_ref().is_some_and(Vec::is_empty),
            empty_types: self.allow_empty.iter().flatten().map(|name| name.trim().into()).collect(),
            add_fields: self.add_fields,
            end_foreign_edges: self.end_foreign_edges,
            ..DeltaOptions::default()
        };
        Ok(LoadOptions {
            namespace: Some(namespace.as_str().into()),
            version: Some(version.as_str().into()),
            timestamp: Some(timestamp),
            release_timestamp: release.transpose()?.or(mapped.and_then(|facts| facts.release_timestamp)),
            format: Some(Format::Version(read)),
            dangling: Some(self.dangling),
            delta,
            back_dated: self.back_dated,
            max_rejects: self.max_rejects,
            kept_rejects: self.load.rejects.kept(context),
            ..LoadOptions::default()
        })
    }
}
