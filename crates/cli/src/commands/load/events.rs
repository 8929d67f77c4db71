//! `timeweft load events`.

use std::path::{Path, PathBuf};

use anyhow::bail;
use timeweft::{CsvDefaults, CsvOptions, Delimiter, EventFormat, EventOptions, Name, Repeats};

use super::version::DanglingArg;
use super::{LoadArgs, load_into, report, show};
use crate::context::{Context, Outcome, UsageError};
use crate::output::Progress;

const AFTER_HELP: &str = "\
Examples:
  timeweft load events messages.csv --unit s                  (a table with the header src,dst,time)
  timeweft load events log.jsonl.gz --graph shop
  generate | timeweft load events - --graph shop
  timeweft load events ml_wikipedia.txt --unit s --format columns --columns src,dst,time \\
      --source-type user --relation edits --destination-type page

A JSON line:
  {\"time\":5,\"action\":\"create\",\"entity\":\"edge\",\"source\":{\"type\":\"user\",\"id\":\"u1\"},
   \"edge\":{\"type\":\"buys\",\"features\":{\"price\":9.5}},\"destination\":{\"type\":\"item\",\"id\":\"i9\"}}

Columns of a table by name: time, src, dst, and if there are any action, entity, source_type, relation,
destination_type, key; `_` leaves a column out, every other is a feature. A table without the column `action` is a
stream of interactions: missing nodes are created, repeats are parallel edges.";

/// Arguments of `load events`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// File to load, packed (.gz) or not; `-` is standard input.
    file: PathBuf,
    /// Format; left out, the file name tells: .csv and .tsv are tables, all else is JSON lines.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Names of the columns of a table without a header, with commas; `_` leaves one out.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    columns: Option<Vec<String>>,
    /// Character between the cells of a table; `\t` is a tab.
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<String>,
    /// Type of the sources where the table does not tell it.
    #[arg(long, default_value = "node", value_name = "TYPE")]
    source_type: String,
    /// Relation of the edges where the table does not tell it.
    #[arg(long, default_value = "link", value_name = "R")]
    relation: String,
    /// Type of the destinations where the table does not tell it.
    #[arg(long, default_value = "node", value_name = "TYPE")]
    destination_type: String,
    /// Edges at missing nodes: leave them out (drop), refuse the load (reject), or create the nodes (stub).
    #[arg(long, value_enum)]
    dangling: Option<DanglingArg>,
    /// Edges that are created again while they live: leave them out, or take them as parallel edges.
    #[arg(long, value_enum)]
    repeats: Option<RepeatsArg>,
    /// Owner of what the load creates.
    #[arg(long, default_value = "events")]
    namespace: String,
    /// Name of this load; with it, the same load again is no load.
    #[arg(long)]
    version: Option<String>,
    /// Refuse the load as soon as more records than this are rejected.
    #[arg(long, value_name = "N")]
    max_rejects: Option<u64>,
    #[command(flatten)]
    load: LoadArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// One JSON object a line.
    Jsonl,
    /// A table with a delimiter.
    Csv,
    /// Words between spaces, without a header: needs --columns.
    Columns,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum RepeatsArg {
    /// They are rejected records.
    Reject,
    /// They are parallel edges.
    Parallel,
}

/// Loads the stream.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    args.load.rejects.check(&args.file)?;
    let options = args.options(context)?;
    let result = load_into(args.load.unit, context, |graph| {
        let size = std::fs::metadata(&args.file).ok().map(|facts| facts.len());
        let bar = Progress::bytes(size, "loading");
        Ok(graph.load_events(&args.file, &options, &mut show(&bar))?)
    });
    report::finish(result, &args.load.rejects, context)
}

impl Args {
    fn options(&self, context: &Context) -> anyhow::Result<EventOptions> {
        Ok(EventOptions {
            namespace: self.namespace.as_str().into(),
            version: self.version.as_deref().map(Name::from),
            format: Some(self.event_format(&self.file)?),
            dangling: self.dangling.map(Into::into),
            repeats: self.repeats.map(|repeats| match repeats {
                RepeatsArg::Reject => Repeats::Reject,
                RepeatsArg::Parallel => Repeats::Parallel,
            }),
            max_rejects: self.max_rejects,
            kept_rejects: self.load.rejects.kept(context),
        })
    }

    fn event_format(&self, path: &Path) -> anyhow::Result<EventFormat> {
        let natural = match (self.format, EventFormat::of(path)) {
            (Some(Format::Jsonl), _) => EventFormat::Jsonl,
            (Some(Format::Csv), table @ EventFormat::Table(_)) => table,
            (Some(Format::Csv), EventFormat::Jsonl) => EventFormat::Table(CsvOptions::default()),
            (Some(Format::Columns), _) if self.columns.is_none() => {
                bail!(UsageError(
                    "--format columns: give the names of the columns, such as --columns src,dst,time".into()
                ))
            }
            (Some(Format::Columns), _) => {
                EventFormat::Table(CsvOptions { delimiter: Delimiter::Whitespace, ..CsvOptions::default() })
            }
            (None, natural) => natural,
        };
        match natural {
            EventFormat::Jsonl if self.columns.is_some() || self.delimiter.is_some() => {
                bail!(UsageError("--columns and --delimiter are for tables: give --format csv or columns".into()))
            }
            EventFormat::Jsonl => Ok(EventFormat::Jsonl),
            EventFormat::Table(table) => Ok(EventFormat::Table(CsvOptions {
                delimiter: self.delimiter()?.unwrap_or(table.delimiter),
                columns: self.columns.clone(),
                defaults: CsvDefaults {
                    source_type: self.source_type.as_str().into(),
                    relation: self.relation.as_str().into(),
                    destination_type: self.destination_type.as_str().into(),
                },
            })),
        }
    }

    fn delimiter(&self) -> Result<Option<Delimiter>, UsageError> {
        match self.delimiter.as_deref().map(str::as_bytes) {
            None => Ok(None),
            Some(b"\\t") => Ok(Some(Delimiter::Byte(b'\t'))),
            Some(&[byte]) => Ok(Some(Delimiter::Byte(byte))),
            Some(_) => Err(UsageError("--delimiter: give one ASCII character, or \\t".into())),
        }
    }
}
