//! `timeweft diff`: what changed between two times.

use serde_json::{Value as Json, json};
use timeweft::{Diff, EdgeKey, Graph, GraphView, LoadRecord, LoadState, Name, NodeKey, Time, View};

use crate::context::{Context, Outcome, parse_time, pin_commit};
use crate::output::json::{EdgeJson, MergeJson, NodeJson};
use crate::output::{Table, text};

const AFTER_HELP: &str = "\
Examples:
  timeweft diff --from 2016-05-17 --to 2016-11-20 --summary
  timeweft diff --namespace envo --from v2016-05-17 --to v2016-11-20
  timeweft diff --from 100 --json | jq 'select(.change == \"removed\")'";

/// Arguments of `diff`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Only elements of this namespace; then --from and --to may be names of its versions.
    #[arg(long, value_name = "N")]
    namespace: Option<String>,
    /// The earlier time: an integer, a date or RFC 3339.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: String,
    /// The later time.
    #[arg(long, value_name = "TIME", default_value = "now", allow_hyphen_values = true)]
    to: String,
    /// Only the numbers.
    #[arg(long)]
    summary: bool,
    /// Read the graph as the store knew it at this commit; left out, the newest.
    #[arg(long, value_name = "N")]
    commit: Option<u64>,
}

/// Tells what changed.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let graph = context.open()?;
    let view = pin_commit(&graph, args.commit)?;
    let moment = |text: &str, option: &str| match args.namespace.as_deref().and_then(|name| version(&graph, name, text))
    {
        Some(time) => Ok(time),
        None => parse_time(graph.unit(), text, option),
    };
    let (from, to) = (moment(&args.from, "--from")?, moment(&args.to, "--to")?);
    let mut diff = view.diff(from, to);
    if let Some(namespace) = &args.namespace {
        restrict(&mut diff, &view, namespace);
    }
    if args.summary {
        summary(context, &diff, from, to)?;
    } else if context.output.json {
        changes_json(context, &diff)?;
    } else {
        changes(context, &diff)?;
    }
    Ok(Outcome::Done)
}

/// When a version of a namespace that is in effect took effect.
fn version(graph: &Graph, namespace: &str, version: &str) -> Option<Time> {
    let in_effect = |load: &&LoadRecord| graph.load_state(load.id) == Some(LoadState::Complete);
    let named = |load: &&LoadRecord| *load.namespace == *namespace && load.version.as_deref() == Some(version);
    graph.loads().iter().filter(in_effect).find(named)?.timestamp
}

/// Keeps the elements whose latest life belongs to a namespace.
fn restrict(diff: &mut Diff, view: &View, namespace: &str) {
    let node = |key: &NodeKey| view.namespace_of(key).is_some_and(|owner| **owner == *namespace);
    let edge = |key: &EdgeKey| view.namespace_of_edge(key).is_some_and(|owner| **owner == *namespace);
    diff.nodes_created.retain(node);
    diff.nodes_removed.retain(node);
    diff.nodes_updated.retain(|updated| node(&updated.key));
    diff.edges_created.retain(edge);
    diff.edges_removed.retain(edge);
    diff.edges_updated.retain(|updated| edge(&updated.key));
    diff.merged.retain(|merge| node(&merge.from));
}

fn summary(context: &Context, diff: &Diff, from: Time, to: Time) -> anyhow::Result<()> {
    let nodes = [diff.nodes_created.len(), diff.nodes_updated.len(), diff.nodes_removed.len()];
    let edges = [diff.edges_created.len(), diff.edges_updated.len(), diff.edges_removed.len()];
    let numbers =
        |[created, updated, removed]: [usize; 3]| json!({ "created": created, "updated": updated, "removed": removed });
    context.output.object(&json!({
        "from": from.0,
        "to": (to != Time::FOREVER).then_some(to.0),
        "nodes": numbers(nodes),
        "edges": numbers(edges),
        "merged": diff.merged.len(),
    }))?;
    let mut table = Table::new(["", "created", "updated", "removed", "merged"]);
    let cell = |number: usize| text::count(number as u64);
    table.row(["nodes".to_owned(), cell(nodes[0]), cell(nodes[1]), cell(nodes[2]), cell(diff.merged.len())]);
    table.row(["edges".to_owned(), cell(edges[0]), cell(edges[1]), cell(edges[2]), String::new()]);
    context.output.table(&table)?;
    Ok(())
}

fn changes(context: &Context, diff: &Diff) -> anyhow::Result<()> {
    let mut table = Table::new(["change", "what", "element", "features"]);
    let mut add = |change: &str, what: &str, element: String, features: &[Name]| {
        table.row([change.to_owned(), what.to_owned(), element, text::cell(&features.join(", "))]);
    };
    diff.nodes_created.iter().for_each(|key| add("created", "node", key.to_string(), &[]));
    diff.nodes_updated.iter().for_each(|node| add("updated", "node", node.key.to_string(), &node.features));
    diff.nodes_removed.iter().for_each(|key| add("removed", "node", key.to_string(), &[]));
    diff.edges_created.iter().for_each(|key| add("created", "edge", key.to_string(), &[]));
    diff.edges_updated.iter().for_each(|edge| add("updated", "edge", edge.key.to_string(), &edge.features));
    diff.edges_removed.iter().for_each(|key| add("removed", "edge", key.to_string(), &[]));
    diff.merged.iter().for_each(|m| add("merged", "node", format!("{} became {}", m.from, m.into), &[]));
    if *diff == Diff::default() {
        context.output.say("nothing changed")?;
        return Ok(());
    }
    context.output.table(&table)?;
    Ok(())
}

fn changes_json(context: &Context, diff: &Diff) -> anyhow::Result<()> {
    let node = |change: &str, key: &NodeKey, features: &[Name]| json!({ "change": change, "entity": "node", "node": NodeJson::from(key), "features": texts(features) });
    let edge = |change: &str, key: &EdgeKey, features: &[Name]| json!({ "change": change, "entity": "edge", "edge": EdgeJson::from(key), "features": texts(features) });
    context.output.objects(diff.nodes_created.iter().map(|key| node("created", key, &[])))?;
    context.output.objects(diff.nodes_updated.iter().map(|of| node("updated", &of.key, &of.features)))?;
    context.output.objects(diff.nodes_removed.iter().map(|key| node("removed", key, &[])))?;
    context.output.objects(diff.edges_created.iter().map(|key| edge("created", key, &[])))?;
    context.output.objects(diff.edges_updated.iter().map(|of| edge("updated", &of.key, &of.features)))?;
    context.output.objects(diff.edges_removed.iter().map(|key| edge("removed", key, &[])))?;
    let merged = |merge| json!({ "change": "merged", "entity": "merge", "merge": MergeJson::from(merge) });
    context.output.objects(diff.merged.iter().map(merged))?;
    Ok(())
}

fn texts(names: &[Name]) -> Vec<Json> {
    names.iter().map(|name| Json::from(&**name)).collect()
}
