//! `timeweft neighbors`: the edges at a node as of a time.

use clap::ValueEnum;
use serde::{Serialize, Serializer};
use timeweft::Direction;
use timeweft::read::{EdgeIndex, EdgeOrder, EdgeState, Incident};
use timeweft::sample::Side;

use crate::context::Context;
use crate::input::lookup::{find_node, known_relation};
use crate::input::named_values::{SIDES, choices};
use crate::input::node::NodeArgs;
use crate::input::reading::{ReadArgs, Reading};
use crate::outcome::Outcome;
use crate::output::json::{EdgeJson, StateJson};
use crate::output::{note, text};

const AFTER_HELP: &str = "\
Examples:
  timeweft neighbors user ann
  timeweft neighbors user ann --limit 10                (the last ten)
  timeweft neighbors term ENVO:00000015 --direction in --relation is_a --at 2016-05-17";

/// Arguments of `neighbors`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
    /// Sides of the node: edges out of it, into it, or both.
    #[arg(long, default_value = "both", value_parser = choices(SIDES))]
    direction: Side,
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

impl From<OrderArg> for EdgeOrder {
    fn from(order: OrderArg) -> EdgeOrder {
        match order {
            OrderArg::Newest => EdgeOrder::Newest,
            OrderArg::Oldest => EdgeOrder::Oldest,
            OrderArg::Name => EdgeOrder::Name,
        }
    }
}

/// An edge at the node, seen from there.
type SidedEdge = (Direction, EdgeIndex);

/// An edge as JSON has it.
struct IncidentEdge {
    direction: Direction,
    edge: EdgeState,
}

impl Serialize for IncidentEdge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            direction: &'a str,
            #[serde(flatten)]
            edge: StateJson<EdgeJson<'a>>,
        }
        Line { direction: side(self.direction), edge: (&self.edge).into() }.serialize(serializer)
    }
}

fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::Out => "out",
        Direction::In => "in",
    }
}

/// Lists the edges.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let reading = args.read.read(context)?;
    let key = args.node.key();
    find_node(&reading, &key)?;
    if let Some(relation) = &args.relation {
        known_relation(&reading, relation)?;
    }
    let of = Incident { node: &key, side: args.direction, relation: args.relation.as_deref() };
    let (index, limit) = (reading.view.index(), args.limit.map_or(usize::MAX, |limit| limit as usize));
    let (total, edges) =
        (index.n_incident(of, reading.at), index.incident_page(of, reading.at, args.order.into(), 0..limit));
    if edges.is_empty() {
        anyhow::bail!("node {key} has no such edge {}: `timeweft history` tells when it had any", reading.moment());
    }
    // A hub has millions: each is made when it is printed.
    let state = |&(direction, edge): &SidedEdge| IncidentEdge {
        direction,
        edge: reading.view.index().edge_state(edge, reading.at.time),
    };
    context.output.objects(edges.iter().map(state))?;
    let header = ["side", "relation", "neighbor", "key", "created", "removed", "features"];
    context.output.rows(header, || edges.iter().map(|edge| cells(&state(edge), &reading)))?;
    if edges.len() < total {
        note(&format!("{} of {} edges", text::count(edges.len() as u64), text::count(total as u64)));
    }
    Ok(Outcome::Done)
}

fn cells(IncidentEdge { direction, edge }: &IncidentEdge, reading: &Reading) -> [String; 7] {
    let neighbor = if *direction == Direction::Out { &edge.key.destination } else { &edge.key.source };
    let unit = reading.unit();
    [
        side(*direction).into(),
        edge.key.relation.to_string(),
        neighbor.to_string(),
        edge.key.key.as_deref().unwrap_or_default().into(),
        unit.format(edge.life.created),
        unit.format(edge.life.removed),
        text::features(&edge.features),
    ]
}
