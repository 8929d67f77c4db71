//! `timeweft schema`: the types of a graph.

use timeweft::{EdgeTypeId, FeatureDef, NodeTypeId, Owner};

use crate::context::{Context, Outcome, pin_commit};
use crate::output::Table;

const AFTER_HELP: &str = "\
Examples:
  timeweft schema
  timeweft schema --json > schema.json        (one object; `timeweft init --schema` reads it)";

/// Arguments of `schema`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The schema as the store knew it at this commit; left out, the newest.
    #[arg(long, value_name = "N")]
    commit: Option<u64>,
}

/// Shows the types.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let view = pin_commit(&context.open()?, args.commit)?;
    let schema = view.schema();
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

fn cells(owner: String, feature: &FeatureDef) -> [String; 4] {
    let lists = match feature.order {
        timeweft::ListOrder::List => "",
        timeweft::ListOrder::Set => "set",
        timeweft::ListOrder::Multiset => "multiset",
    };
    [owner, feature.name.to_string(), feature.kind.to_string(), lists.into()]
}
