//! `timeweft schema`: the types of a graph.

use timeweft::{EdgeTypeId, FeatureDef, NodeTypeId, Owner, Schema};

use crate::context::{Context, DeletesArg, Outcome, ReadArgs, Reading};
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
    #[arg(long, value_enum, default_value_t)]
    deletes: DeletesArg,
}

/// Shows the types.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let read = ReadArgs { at: args.at.clone(), commit: args.commit, deletes: Some(args.deletes) };
    let reading = read.read(context)?;
    let schema = &match args.at {
        Some(_) => at(&reading)?,
        None => reading.view.schema().clone(),
    };
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

/// The types that have an element at a moment, with all of their features.
fn at(reading: &Reading) -> anyhow::Result<Schema> {
    let all = reading.view.schema();
    let (nodes, edges) = reading.view.counts_by_type(reading.at);
    let mut schema = Schema::new(all.unit());
    let many = || anyhow::anyhow!("the schema has too many types");
    let copy = |schema: &mut Schema, from: Owner, to: Owner| {
        let mut features = all.features(from).iter();
        features.try_for_each(|def| schema.add_feature(to, def.clone()).map(drop).ok_or_else(many))
    };
    for ((id, node), _) in (0..).map(NodeTypeId).zip(all.node_types()).zip(nodes).filter(|(_, count)| *count > 0) {
        let own = schema.add_node_type(&node.name).ok_or_else(many)?;
        copy(&mut schema, Owner::Node(id), Owner::Node(own))?;
    }
    for ((id, edge), _) in (0..).map(EdgeTypeId).zip(all.edge_types()).zip(edges).filter(|(_, count)| *count > 0) {
        let mut end = |id| schema.add_node_type(&all.node_type_name(id)).ok_or_else(many);
        let (source, destination) = (end(edge.source)?, end(edge.destination)?);
        let own = schema.add_edge_type(source, &edge.relation, destination).ok_or_else(many)?;
        copy(&mut schema, Owner::Edge(id), Owner::Edge(own))?;
    }
    copy(&mut schema, Owner::Merge, Owner::Merge)?;
    if all.is_closed() {
        schema.close();
    }
    Ok(schema)
}

fn cells(owner: String, feature: &FeatureDef) -> [String; 4] {
    let lists = match feature.order {
        timeweft::ListOrder::List => "",
        timeweft::ListOrder::Set => "set",
        timeweft::ListOrder::Multiset => "multiset",
    };
    [owner, feature.name.to_string(), feature.kind.to_string(), lists.into()]
}
