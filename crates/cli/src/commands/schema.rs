//! `timeweft schema`: the types of a graph.

use timeweft::read::{EdgeTypeId, FeatureDef, NodeTypeId, Owner};
use timeweft::{Deletes, Schema};

use crate::context::Context;
use crate::input::named_values::{DELETES, choices};
use crate::input::reading::{ReadArgs, Reading};
use crate::outcome::Outcome;
use crate::output::Table;

const AFTER_HELP: &str = "\
Examples:
  timeweft schema
  timeweft schema --at 2016-05-17             (types that have an element then)
  timeweft schema --json > schema.json        (one object; `timeweft init --schema` reads it)";

/// Arguments of `schema`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Only types that have an element at this time: an integer, a date, RFC 3339, or a version (envo@2016-05-17); left out, all types.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// The schema as the store knew it at this commit; left out, the newest.
    #[arg(long, value_name = "N")]
    commit: Option<u64>,
    /// With --at: whether deleted elements count (soft) or not (hard).
    #[arg(long, default_value = "hard", value_parser = choices(DELETES))]
    deletes: Deletes,
}

/// Shows the types.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let read = ReadArgs { at: args.at.clone(), commit: args.commit, deletes: Some(args.deletes) };
    let reading = read.read(context)?;
    let schema = &types(&reading, args.at.is_some());
    context.output.object(schema)?;
    let mut table = Table::new(["type", "feature", "kind", "lists"]);
    let nodes = (0..).map(NodeTypeId).map(Owner::Node).zip(schema.node_types()).map(|(owner, _)| owner);
    let edges = (0..).map(EdgeTypeId).map(Owner::Edge).zip(schema.edge_types()).map(|(owner, _)| owner);
    let merges = Some(Owner::Merge).filter(|&owner| !schema.features(owner).is_empty());
    for owner in nodes.chain(edges).chain(merges) {
        let features = schema.features(owner);
        if features.is_empty() {
            table.row([schema.owner_name(owner).as_str(), "", "", ""]);
        }
        for (at, feature) in features.iter().enumerate() {
            table.row(cells(if at == 0 { schema.owner_name(owner) } else { String::new() }, feature));
        }
    }
    let closed = if schema.is_closed() { "closed" } else { "open" };
    context.output.say(&format!("times count in {}; the schema is {closed}\n", schema.unit()))?;
    context.output.table(&table)?;
    Ok(Outcome::Done)
}

/// The types in effect, with all of their features; only those that have an element at a moment if `living`.
fn types(reading: &Reading, living: bool) -> Schema {
    let (nodes, edges) = if living { reading.view.index().counts_by_type(reading.at) } else { Default::default() };
    let lives = |owner| match owner {
        Owner::Node(id) => nodes[id.at()] > 0,
        Owner::Edge(id) => edges[id.at()] > 0,
        Owner::Merge => true,
    };
    let wanted = |owner, feature: Option<_>| feature.is_some() || !living || lives(owner);
    reading.view.schema().only(|owner, feature| wanted(owner, feature) && reading.has(owner, feature))
}

fn cells(owner: String, feature: &FeatureDef) -> [String; 4] {
    let lists = match feature.order {
        timeweft::read::ListOrder::List => "",
        timeweft::read::ListOrder::Set => "set",
        timeweft::read::ListOrder::Multiset => "multiset",
    };
    [owner, feature.name.to_string(), feature.kind.to_string(), lists.into()]
}
