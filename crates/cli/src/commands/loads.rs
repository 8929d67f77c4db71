//! `timeweft loads`: the registry.

use timeweft::load::{LoadRecord, LoadState};
use timeweft::{Graph, Time, TimeUnit};

use crate::context::Context;
use crate::input::moment::known_namespace;
use crate::outcome::Outcome;
use crate::output::text;

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
    if let Some(namespace) = &args.namespace {
        known_namespace(&graph, namespace)?;
    }
    let loads: Vec<&LoadRecord> = graph.loads().iter().filter(wanted).collect();
    if loads.is_empty() {
        context.output.say("no loads yet: load something with `timeweft load`")?;
        return Ok(Outcome::Done);
    }
    context.output.objects(loads.iter().map(|load| Listed { load, state: state(&graph, load) }))?;
    let header =
        ["load", "commit", "namespace", "version", "timestamp", "state", "events", "rejected", "loaded", "source"];
    context.output.rows(header, || loads.iter().map(|load| cells(load, &graph)))?;
    Ok(Outcome::Done)
}

/// A record of the registry with what became of it.
#[derive(serde::Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    load: &'a LoadRecord,
    state: String,
}

fn state(graph: &Graph, load: &LoadRecord) -> String {
    match (load.undoes, graph.load_state(load.id)) {
        (Some(undone), _) => format!("rollback of {}", undone.0),
        (None, Some(LoadState::RolledBack { by })) => format!("rolled back by {}", by.0),
        (None, _) => "complete".into(),
    }
}

fn cells(load: &LoadRecord, graph: &Graph) -> [String; 10] {
    [
        load.id.0.to_string(),
        load.commit.0.to_string(),
        load.namespace.to_string(),
        load.version.as_deref().unwrap_or_default().to_owned(),
        load.timestamp.map_or_else(String::new, |time| graph.unit().format(time)),
        state(graph, load),
        text::count(load.events),
        text::count(load.rejected),
        TimeUnit::Second.format(Time(load.completed / 1000)),
        load.source.to_string(),
    ]
}
