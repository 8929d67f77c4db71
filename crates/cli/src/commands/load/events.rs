//! `timeweft load events`.

mod table;

use std::path::PathBuf;

use timeweft::load::{Dangling, EventFormat, Format, Late, LoadOptions, Repeats, TableMapping};
use timeweft::{Name, TimeUnit};

use self::table::TableArgs;

use super::{LoadArgs, load_into, report, show};
use crate::context::Context;
use crate::input::named_values::{DANGLING, choices};
use crate::outcome::Outcome;
use crate::output::Progress;

const AFTER_HELP: &str = "\
Examples:
  timeweft load events messages.csv --unit s                  (a table with the header src,dst,time)
  timeweft load events log.jsonl.gz --graph shop
  generate | timeweft load events - --graph shop
  timeweft load events ml_wikipedia.txt --unit s --format columns --columns src,dst,time \\
      --source-type user --relation edits --destination-type page
  timeweft load events out.ucsocial --unit s                  (a network of KONECT; also SNAP and JODIE)
  timeweft load events orders.jsonl --unit ms --mapping orders.toml   (change rows of Debezium)
  timeweft load events warehouse/ --unit ms --mapping scd2.toml       (snapshots of dbt, SCD2 tables)

A mapping (orders.toml); format is debezium, dbt or scd2:
  [changes]
  format = \"debezium\"
  [[nodes]]
  type = \"order\"
  id = \"id\"
  features = { total = \"float\" }
  [[edges]]
  relation = \"placed_by\"
  source = { type = \"order\", column = \"id\" }
  destination = { type = \"customer\", column = \"customer_id\" }

A JSON line:
  {\"time\":5,\"action\":\"create\",\"entity\":\"edge\",\"source\":{\"type\":\"user\",\"id\":\"u1\"},
   \"edge\":{\"type\":\"buys\",\"features\":{\"price\":9.5}},\"destination\":{\"type\":\"item\",\"id\":\"i9\"}}

Columns of a table by name: time, src, dst, and if there are any action, entity, source_type, relation,
destination_type, key; `_` leaves a column out, every other is a feature. Other common names are known (source and
target, from and to, user and item, timestamp), and the load says what it took. A table without the column `action` is a
stream of interactions: missing nodes are created, repeats are parallel edges. Rows may stand in any order of time.";

/// Arguments of `load events`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// File to load, packed (.gz, .bz2, .zst) or not; `-` is standard input. With --mapping also a folder.
    file: PathBuf,
    /// Mapping of tables whose rows are changes: of Debezium, of dbt snapshots, of SCD2 tables.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "columns", "delimiter", "quote", "escape", "comment", "header", "null", "text", "time", "source_type", "relation", "destination_type"])]
    mapping: Option<PathBuf>,
    #[command(flatten)]
    table: TableArgs,
    /// Edges at missing nodes: leave them out (drop), refuse the load (reject), or create the nodes (stub).
    #[arg(long, value_parser = choices(DANGLING))]
    dangling: Option<Dangling>,
    /// Edges that are created again while they live: leave them out, or take them as parallel edges.
    #[arg(long, value_parser = choices(REPEATS))]
    repeats: Option<Repeats>,
    /// Events earlier than the latest one of their element: put them where they belong, or refuse them.
    #[arg(long, default_value = "place", value_parser = choices(LATE))]
    late: Late,
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

const REPEATS: [(&str, Repeats, &str); 2] = [
    ("reject", Repeats::Reject, "They are rejected records"),
    ("parallel", Repeats::Parallel, "They are parallel edges"),
];

const LATE: [(&str, Late, &str); 2] = [
    ("place", Late::Place, "They are put where they belong in time"),
    ("reject", Late::Reject, "They are rejected records"),
];

/// Loads the stream.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    args.load.rejects.check(&args.file)?;
    let result = load_into(args.load.unit, context, |graph| {
        let options = args.options(graph.unit(), context)?;
        // How much of the tables of a mapping was read is not known.
        let is_one = args.mapping.is_none();
        let size = std::fs::metadata(&args.file).ok().filter(|_| is_one).map(|facts| facts.len());
        let bar = Progress::bytes(size, "loading");
        Ok(graph.load(&args.file).options(options).progress(show(&bar)).run()?)
    });
    report::finish(result, &args.load.rejects, context)
}

impl Args {
    fn format(&self, unit: TimeUnit) -> anyhow::Result<EventFormat> {
        match &self.mapping {
            Some(mapping) => Ok(EventFormat::Changes(TableMapping::open(mapping)?)),
            None => self.table.format(&self.file, unit),
        }
    }

    fn options(&self, unit: TimeUnit, context: &Context) -> anyhow::Result<LoadOptions> {
        Ok(LoadOptions {
            namespace: Some(self.namespace.as_str().into()),
            version: self.version.as_deref().map(Name::from),
            format: Some(Format::Events(self.format(unit)?)),
            dangling: self.dangling,
            repeats: self.repeats,
            late: self.late,
            max_rejects: self.max_rejects,
            kept_rejects: self.load.rejects.kept(context),
            ..LoadOptions::default()
        })
    }
}
