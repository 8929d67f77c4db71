//! `timeweft load intervals`.

use std::path::PathBuf;

use timeweft::load::{EdgeListDefaults, EdgeListOptions, Format, IntervalFormat, IntervalsOptions, LoadOptions};

use super::{LoadArgs, load_into, report, show};
use crate::context::Context;
use crate::outcome::{Outcome, UsageError};
use crate::output::Progress;

const AFTER_HELP: &str = "\
Examples:
  timeweft load intervals nodes.json --unit s
  timeweft load intervals edges.csv --unit ms --temporal
  timeweft load intervals converted/ --unit s --feature-types types.toml

Formats of DeepGNN: json (one node with its outgoing edges a line, everything with a lifetime [created_at, removed_at)),
edge-list, tsv, and deepgnn: a folder that its converter wrote.
  {\"node_id\":42,\"node_type\":0,\"node_weight\":1.0,\"created_at\":13,\"removed_at\":23,\"edge\":[
   {\"src_id\":42,\"dst_id\":99,\"edge_type\":0,\"weight\":2.0,\"created_at\":13,\"removed_at\":15}]}";

/// Arguments of `load intervals`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// File to load, packed (.gz, .bz2, .zst) or not; `-` is standard input; or a folder.
    file: PathBuf,
    /// Format: json, edge-list, tsv or deepgnn; left out, the source tells.
    #[arg(long)]
    format: Option<IntervalFormat>,
    #[command(flatten)]
    edge_list: EdgeListArgs,
    /// Of deepgnn: TOML file that tells what the bytes of each feature are.
    #[arg(long, value_name = "FILE")]
    feature_types: Option<PathBuf>,
    /// Owner of what the load creates.
    #[arg(long, default_value = "intervals")]
    namespace: String,
    /// Refuse the load as soon as more records than this are rejected.
    #[arg(long, value_name = "N")]
    max_rejects: Option<u64>,
    #[command(flatten)]
    load: LoadArgs,
}

/// How an edge list is written.
#[derive(clap::Args, Debug)]
struct EdgeListArgs {
    /// Of edge-list: lines have the columns created_at and removed_at.
    #[arg(long)]
    temporal: bool,
    /// Of edge-list: when everything begins; the column is not there.
    #[arg(long, value_name = "TICKS", allow_hyphen_values = true)]
    created_at: Option<i64>,
    /// Of edge-list: when everything ends, -1 for never; the column is not there.
    #[arg(long, value_name = "TICKS", allow_hyphen_values = true)]
    removed_at: Option<i64>,
    /// Of edge-list: character between cells, a comma if it is not given; `\t` is a tab.
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<String>,
    /// Of edge-list: character between the numbers of values and of dimensions, `/` if it is not given.
    #[arg(long, value_name = "CHAR")]
    length_delimiter: Option<String>,
    /// Of edge-list: character before a delimiter that belongs to a text, `\` if it is not given.
    #[arg(long, value_name = "CHAR")]
    binary_escape: Option<String>,
    /// Of edge-list: type of all nodes; the column is not there.
    #[arg(long, value_name = "N")]
    node_type: Option<u32>,
    /// Of edge-list: weight of all nodes; the column is not there.
    #[arg(long, value_name = "W")]
    node_weight: Option<f32>,
    /// Of edge-list: types and lengths that node lines leave out, as in `float32:3,uint8:2/4,binary:1`.
    #[arg(long, value_name = "FEATURES")]
    node_features: Option<String>,
    /// Of edge-list: type of all edges; the column is not there.
    #[arg(long, value_name = "N")]
    edge_type: Option<u32>,
    /// Of edge-list: weight of all edges; the column is not there.
    #[arg(long, value_name = "W")]
    edge_weight: Option<f32>,
    /// Of edge-list: types and lengths that edge lines leave out.
    #[arg(long, value_name = "FEATURES")]
    edge_features: Option<String>,
}

/// Loads the intervals.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    args.load.rejects.check(&args.file)?;
    args.feature_types.as_deref().map_or(Ok(()), |file| args.load.rejects.check(file))?;
    let read = IntervalsOptions {
        format: args.format,
        edge_list: args.edge_list.options()?,
        feature_types: args.feature_types.clone(),
    };
    let options = LoadOptions {
        namespace: Some(args.namespace.as_str().into()),
        format: Some(Format::Intervals(read)),
        max_rejects: args.max_rejects,
        kept_rejects: args.load.rejects.kept(context),
        ..LoadOptions::default()
    };
    let result = load_into(args.load.unit, context, |graph| {
        let bar = Progress::spinner("loading");
        Ok(graph.load(&args.file).options(options).progress(show(&bar)).run()?)
    });
    report::finish(result, &args.load.rejects, context)
}

impl EdgeListArgs {
    /// The options; `None` if none was given, so that other formats need not refuse them.
    fn options(&self) -> Result<Option<EdgeListOptions>, UsageError> {
        let natural = EdgeListOptions::default();
        let defaults = |name: &str, element_type, weight, features: &Option<String>| {
            let defaults = EdgeListDefaults { element_type, weight, ..EdgeListDefaults::default() };
            match features {
                None => Ok(defaults),
                Some(text) => defaults.with_features(text).map_err(|problem| UsageError(format!("{name}: {problem}"))),
            }
        };
        let options = EdgeListOptions {
            delimiter: character("--delimiter", &self.delimiter, natural.delimiter)?,
            length_delimiter: character("--length-delimiter", &self.length_delimiter, natural.length_delimiter)?,
            binary_escape: character("--binary-escape", &self.binary_escape, natural.binary_escape)?,
            is_temporal: self.temporal,
            created_at: self.created_at,
            removed_at: self.removed_at,
            nodes: defaults("--node-features", self.node_type, self.node_weight, &self.node_features)?,
            edges: defaults("--edge-features", self.edge_type, self.edge_weight, &self.edge_features)?,
        };
        Ok((options != natural).then_some(options))
    }
}

fn character(name: &str, text: &Option<String>, natural: char) -> Result<char, UsageError> {
    let Some(text) = text else { return Ok(natural) };
    if text == "\\t" {
        return Ok('\t');
    }
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(character),
        _ => Err(UsageError(format!("{name}: give one character, or \\t"))),
    }
}
