//! `timeweft nearest`: nodes that a model sees alike.

use serde_json::json;
use timeweft::NodeKey;
use timeweft::model::Space;

use super::predict::ModelArgs;
use crate::context::Context;
use crate::input::named_values::choices;
use crate::input::node::NodeArgs;
use crate::outcome::Outcome;
use crate::output::json::NodeJson;

const AFTER_HELP: &str = "\
Examples:
  timeweft nearest person ada                         whom the model reads as it reads ada
  timeweft nearest person ada --by memory --at 2025-03-03 --top 3

Nodes of the same type that are alive just before the time, by the cosine of their vectors: an embedding is what \
the predictor reads (memory, features and neighbors), the memory what past messages have left.";

/// Arguments of `nearest`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
    /// Vectors that are compared.
    #[arg(long, default_value = "embedding", value_parser = choices(SPACES))]
    by: Space,
    /// How many nodes.
    #[arg(long, value_name = "K", default_value_t = 10)]
    top: usize,
    #[command(flatten)]
    of: ModelArgs,
}

const SPACES: [(&str, Space, &str); 2] = [
    ("embedding", Space::Embedding, "What the predictor reads"),
    ("memory", Space::Memory, "What past messages have left"),
];

/// Runs `nearest`.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let (model, time, unit) = args.of.open(context)?;
    let node = args.node.key();
    let found = model.nearest(&node, time, args.by, args.top)?;
    context.output.say(&format!("Most like {node} at {}:", unit.format(time)))?;
    let row =
        |(place, (node, cosine)): (u32, &(NodeKey, f32))| [place.to_string(), node.to_string(), format!("{cosine:.3}")];
    context.output.rows(["", "node", "cosine"], || (1..).zip(&found).map(row))?;
    let object = |(node, cosine): &(NodeKey, f32)| json!({ "node": NodeJson::from(node), "cosine": cosine });
    context.output.objects(found.iter().map(object))?;
    Ok(Outcome::Done)
}
