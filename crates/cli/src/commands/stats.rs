//! `timeweft stats`: what a graph holds and what it costs.

use serde_json::json;
use timeweft::read::{Stats, TypeCount};

use crate::context::Context;
use crate::input::reading::{ReadArgs, Reading};
use crate::outcome::Outcome;
use crate::output::{Table, text};

const AFTER_HELP: &str = "\
Examples:
  timeweft stats
  timeweft stats --at 2016-05-17 --json";

/// Arguments of `stats`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    read: ReadArgs,
}

/// Counts the elements.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let graph = context.open()?;
    let reading = args.read.pin(&graph)?;
    let stats = graph.stats(&reading.view, reading.at)?;
    if context.output.json {
        print_json(context, &stats)?;
    } else {
        print(context, &stats, &reading)?;
    }
    Ok(Outcome::Done)
}

fn print_json(context: &Context, stats: &Stats) -> anyhow::Result<()> {
    context.output.object(&json!({
        "kind": "graph",
        "commit": stats.commit,
        "loads": stats.loads,
        "events": stats.events,
        "nodes": stats.counts.nodes,
        "edges": stats.counts.edges,
        "merges": stats.counts.merges,
        "nodes_ever": stats.nodes_ever,
        "edge_lives_ever": stats.edge_lives_ever,
        "disk_bytes": stats.disk_bytes,
        "disk_bytes_per_element": per_element(stats),
        "snapshot_bytes": stats.snapshot_bytes,
    }))?;
    let kinds = [("node_type", &stats.node_types), ("edge_type", &stats.edge_types)];
    for (kind, types) in kinds {
        context.output.objects(types.iter().map(|of| json!({ "kind": kind, "type": of.name, "count": of.count })))?;
    }
    Ok(())
}

fn print(context: &Context, stats: &Stats, reading: &Reading) -> anyhow::Result<()> {
    let counts = &stats.counts;
    let number = |value: usize| text::count(value as u64);
    let mut table = Table::new(["what", "number"]);
    table.row(["nodes".to_owned(), number(counts.nodes)]);
    for TypeCount { name, count } in &stats.node_types {
        table.row([format!("  {name}"), number(*count)]);
    }
    table.row(["edges".to_owned(), number(counts.edges)]);
    for TypeCount { name, count } in &stats.edge_types {
        table.row([format!("  {name}"), number(*count)]);
    }
    table.row(["merges".to_owned(), number(counts.merges)]);
    table.row(["nodes ever".to_owned(), number(stats.nodes_ever)]);
    table.row(["edge lives ever".to_owned(), number(stats.edge_lives_ever)]);
    table.row(["events in the log".to_owned(), text::count(stats.events)]);
    table.row(["loads".to_owned(), number(stats.loads)]);
    context.output.say(&format!("{}, commit {}\n", reading.moment(), stats.commit.0))?;
    context.output.table(&table)?;
    let each = per_element(stats).map_or_else(String::new, |each| format!(", {each:.1} bytes an element"));
    context.output.say(&format!("\n{} on disk{each}", text::bytes(stats.disk_bytes)))?;
    if stats.snapshot_bytes > 0 {
        context.output.say(&format!("{} more for the snapshot in `index`", text::bytes(stats.snapshot_bytes)))?;
    }
    Ok(())
}

/// Bytes on disk for each node and each life of an edge that there ever was.
fn per_element(stats: &Stats) -> Option<f64> {
    let elements = stats.nodes_ever + stats.edge_lives_ever;
    (elements > 0).then(|| stats.disk_bytes as f64 / elements as f64)
}
