//! `timeweft loads`: the registry.

use timeweft::{LoadRecord, Time, TimeUnit};

use crate::context::{Context, Outcome};
use crate::output::{Table, text};

const AFTER_HELP: &str = "\
Examples:
  timeweft loads
  timeweft loads --json | jq .content_hash";

/// Arguments of `loads`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Only loads of this namespace.
    #[arg(long, value_name = "N")]
    namespace: Option<String>,
}

/// Lists the loads.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let graph = context.open()?;
    let wanted = |load: &&LoadRecord| args.namespace.as_ref().is_none_or(|name| *load.namespace == **name);
    let loads: Vec<&LoadRecord> = graph.loads().iter().filter(wanted).collect();
    if loads.is_empty() {
        anyhow::bail!("no loads: load something with `timeweft load`");
    }
    context.output.objects(loads.iter())?;
    let header = ["load", "commit", "namespace", "version", "timestamp", "events", "rejected", "loaded", "source"];
    let mut table = Table::new(header);
    for load in loads {
        table.row(cells(load, graph.unit()));
    }
    context.output.table(&table)?;
    Ok(Outcome::Done)
}

fn cells(load: &LoadRecord, unit: TimeUnit) -> [String; 9] {
    [
        load.id.0.to_string(),
        load.commit.0.to_string(),
        load.namespace.to_string(),
        load.version.as_deref().unwrap_or_default().to_owned(),
        load.timestamp.map_or_else(String::new, |time| unit.format(time)),
        text::count(load.events),
        text::count(load.rejected),
        TimeUnit::Second.format(Time(load.completed / 1000)),
        load.source.to_string(),
    ]
}
