//! `timeweft neighbors`: the edges at a node as of a time.

use std::cmp::Reverse;

use clap::ValueEnum;
use serde::Serialize;
use timeweft::{Direction, EdgeState, ExternalId, GraphView, NodeKey};

use crate::context::{Context, Outcome, ReadArgs, Reading, SideArg};
use crate::lookup::{find_node, known_relation};
use crate::output::json::{EdgeJson, StateJson};
use crate::output::{Table, note, text};

const AFTER_HELP: &str = "\
Examples:
  timeweft neighbors user ann
  timeweft neighbors user ann --limit 10                (the last ten)
  timeweft neighbors term ENVO:00000015 --direction in --relation is_a --at 2016-05-17";

/// Arguments of `neighbors`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Type of the node.
    #[arg(value_name = "TYPE")]
    node_type: String,
    /// Id of the node within its type.
    id: String,
    /// Sides of the node: edges out of it, into it, or both.
    #[arg(long, value_enum, default_value_t)]
    direction: SideArg,
    /// Only edges of this relation.
    #[arg(long, value_name = "R")]
    relation: Option<String>,
    /// How many edges at most, those that come first in the order.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Order of the edges.
    #[arg(long, value_enum, default_value_t)]
    order: OrderArg,
    #[command(flatten)]
    read: ReadArgs,
}

/// In which order edges come.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
enum OrderArg {
    /// The most recently created first; of one time, by name.
    #[default]
    Newest,
    /// The first created first; of one time, by name.
    Oldest,
    /// By side and name.
    Name,
}

#[derive(Serialize)]
struct Shown<'a> {
    direction: &'a str,
    #[serde(flatten)]
    edge: StateJson<EdgeJson<'a>>,
}

/// Lists the edges.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let reading = args.read.read(context)?;
    let key = NodeKey::new(&args.node_type, ExternalId::from(args.id.as_str()));
    find_node(&reading, &key)?;
    if let Some(relation) = &args.relation {
        known_relation(&reading, relation)?;
    }
    let mut edges = edges(args, &reading, &key);
    let total = edges.len();
    edges.truncate(args.limit.map_or(total, |limit| limit as usize));
    if edges.is_empty() {
        anyhow::bail!("node {key} has no such edge {}: `timeweft history` tells when it had any", reading.moment());
    }
    context.output.objects(edges.iter().map(|(direction, edge)| Shown { direction, edge: edge.into() }))?;
    let mut table = Table::new(["side", "relation", "neighbor", "key", "created", "removed", "features"]);
    for (direction, edge) in &edges {
        table.row(cells(direction, edge, &reading));
    }
    context.output.table(&table)?;
    if edges.len() < total {
        note(&format!("{} of {} edges", text::count(edges.len() as u64), text::count(total as u64)));
    }
    Ok(Outcome::Done)
}

fn edges(args: &Args, reading: &Reading, key: &NodeKey) -> Vec<(&'static str, EdgeState)> {
    let sides: &[(&'static str, Direction)] = match args.direction {
        SideArg::Out => &[("out", Direction::Out)],
        SideArg::In => &[("in", Direction::In)],
        SideArg::Both => &[("out", Direction::Out), ("in", Direction::In)],
    };
    let at_side = |&(name, direction): &(&'static str, Direction)| {
        let edges = reading.view.neighbors(key, direction, args.relation.as_deref(), reading.at);
        edges.into_iter().map(move |edge| (name, edge))
    };
    let mut edges: Vec<_> = sides.iter().flat_map(at_side).collect();
    match args.order {
        OrderArg::Newest => edges.sort_by_key(|(_, edge)| Reverse(edge.life.created)),
        OrderArg::Oldest => edges.sort_by_key(|(_, edge)| edge.life.created),
        OrderArg::Name => {}
    }
    edges
}

fn cells(direction: &str, edge: &EdgeState, reading: &Reading) -> [String; 7] {
    let neighbor = if direction == "out" { &edge.key.destination } else { &edge.key.source };
    let unit = reading.unit();
    [
        direction.into(),
        edge.key.relation.to_string(),
        neighbor.to_string(),
        edge.key.key.as_deref().unwrap_or_default().into(),
        unit.format(edge.life.created),
        unit.format(edge.life.removed),
        text::features(&edge.features),
    ]
}
