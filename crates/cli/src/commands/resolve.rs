//! `timeweft resolve`: what a node has become, step by step.

use std::io;

use serde::Serialize;
use serde_json::json;
use timeweft::TimeUnit;
use timeweft::read::MergeRecord;

use crate::context::Context;
use crate::input::lookup::ever_lived;
use crate::input::node::NodeArgs;
use crate::input::reading::ReadArgs;
use crate::outcome::Outcome;
use crate::output::json::{MergeJson, NodeJson};
use crate::output::{Output, text};

const AFTER_HELP: &str = "\
Examples:
  timeweft resolve term ENVO:00000458
  timeweft resolve term ENVO:00000458 --at 2016-05-17 --json
  timeweft resolve term ENVO:00000458 --deletes soft       (merges that ended later count too)";

/// Arguments of `resolve`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    read: ReadArgs,
}

/// A merge on its own line.
#[derive(Serialize)]
pub(crate) struct MergeLine<'a> {
    kind: &'a str,
    #[serde(flatten)]
    merge: MergeJson<'a>,
}

impl<'a> MergeLine<'a> {
    pub(crate) fn new(merge: &'a MergeRecord) -> MergeLine<'a> {
        MergeLine { kind: "merge", merge: merge.into() }
    }
}

/// Prints a table of merges.
pub(crate) fn print_merges(output: Output, unit: TimeUnit, merges: &[MergeRecord]) -> io::Result<()> {
    let cells = |merge: &MergeRecord| {
        [
            merge.from.to_string(),
            merge.into.to_string(),
            unit.format(merge.interval.created),
            unit.format(merge.interval.removed),
            text::features(&merge.features),
        ]
    };
    output.rows(["from", "into", "created", "removed", "features"], || merges.iter().map(cells))
}

/// Follows the merges.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let reading = args.read.read(context)?;
    let key = args.node.key();
    let way = reading.view.index().query(reading.at.time).deletes(reading.at.deletes).resolve(&key);
    if way.steps.is_empty() {
        ever_lived(&reading, &key)?;
    }
    context.output.objects(way.steps.iter().map(MergeLine::new))?;
    let target = NodeJson::from(&way.target);
    context.output.object(
        &json!({ "kind": "target", "node": target, "steps": way.steps.len(), "alive": way.alive, "circular": way.circular }),
    )?;
    if !way.steps.is_empty() {
        print_merges(context.output, reading.unit(), &way.steps)?;
    }
    let became = if way.steps.is_empty() { "has become no other node" } else { "has become" };
    let target = if way.steps.is_empty() { String::new() } else { format!(" {}", way.target) };
    let alive = if way.alive { "alive" } else { "not alive" };
    let circle = if way.circular { "; the merges go round in a circle" } else { "" };
    context.output.say(&format!("{key} {became}{target}, {alive} {}{circle}", reading.moment()))?;
    Ok(Outcome::Done)
}
