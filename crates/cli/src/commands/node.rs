//! `timeweft node`: a node as of a time.

use serde::Serialize;
use timeweft::read::GraphView;
use timeweft::{Direction, Name};

use crate::context::Context;
use crate::input::lookup::find_node;
use crate::input::node::NodeArgs;
use crate::input::reading::ReadArgs;
use crate::outcome::Outcome;
use crate::output::json::{NodeJson, StateJson};
use crate::output::text;

const AFTER_HELP: &str = "\
Examples:
  timeweft node term ENVO:00000015
  timeweft node term ENVO:00000015 --at 2016-05-17 --deletes soft --json";

/// Arguments of `node`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Serialize)]
struct NodeWithDegrees<'a> {
    #[serde(flatten)]
    state: StateJson<NodeJson<'a>>,
    degree_out: usize,
    degree_in: usize,
    /// Who holds it; the first one speaks for it.
    namespaces: &'a [Name],
}

/// Shows the node.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let reading = args.read.read(context)?;
    let key = args.node.key();
    let state = find_node(&reading, &key)?;
    let degree = |direction| reading.view.index().degree(&key, direction, None, reading.at);
    let (degree_out, degree_in) = (degree(Direction::Out), degree(Direction::In));
    let namespaces = reading.view.index().namespaces_of(&key, reading.at);
    context.output.object(&NodeWithDegrees {
        state: StateJson::from(&state),
        degree_out,
        degree_in,
        namespaces: &namespaces,
    })?;
    let mark = if state.deleted { ", deleted" } else { "" };
    context.output.say(&format!("{key}, alive {}{mark}", text::interval(reading.unit(), state.life)))?;
    context.output.say(&format!("{degree_out} edges out, {degree_in} edges in"))?;
    if let [speaks, others @ ..] = &namespaces[..]
        && !others.is_empty()
    {
        context.output.say(&format!("held by {speaks}, which speaks for it, and {}", others.join(", ")))?;
    }
    if !state.features.is_empty() {
        context.output.say("")?;
        let rows = || state.features.iter().map(|(name, value)| [name.to_string(), value.to_string()]);
        context.output.rows(["feature", "value"], rows)?;
    }
    Ok(Outcome::Done)
}
