//! `timeweft explain`.

use std::io;

use timeweft::model::{Explanation, HeardNeighbor, Predict, RecalledMoment};
use timeweft::read::ExternalId;
use timeweft::{NodeKey, TimeUnit};

use super::predict::{AskArgs, LinkQuestion};
use crate::context::Context;
use crate::outcome::{Outcome, UsageError};
use crate::output::wording::{End, bar, counts_in_words, duration_in_words, ends, moment_in_words, score_in_words};
use crate::output::{Output, Table};

const AFTER_HELP: &str = "\
Examples:
  timeweft explain person ada --relation edited document atlas-014   why would ada edit it?
  timeweft explain term PO:0009006 --model going                     why would the term go next?

Attention says which neighbors an end of the link listened to, one sign a head. The push is each neighbor's \
signed share of the lead over other candidates: right of the line it spoke for the link, left of it against. What \
a node remembers are the moments that its memory was made of, with the same kind of share. Of a co-operative model, \
\"shut\" says that one side would not talk.";

/// Arguments of `explain`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Type of the source, or of the node that goes.
    #[arg(value_name = "SOURCE_TYPE")]
    source_type: String,
    /// Id of the source, or of the node that goes.
    #[arg(value_name = "SOURCE_ID")]
    source_id: String,
    /// Type of the destination; left out with its id for a model of nodes that go.
    #[arg(value_name = "DEST_TYPE", requires = "destination_id")]
    destination_type: Option<String>,
    /// Id of the destination.
    #[arg(value_name = "DEST_ID")]
    destination_id: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

/// Runs `explain`.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let source = NodeKey::new(&args.source_type, ExternalId::from(args.source_id.as_str()));
    let Some((of_type, id)) = args.destination_type.as_ref().zip(args.destination_id.as_ref()) else {
        let (model, time, unit) = args.ask.of.open(context)?;
        if model.predicts() != Predict::Gone {
            return Err(UsageError("which edge? give the type and id of its destination".into()).into());
        }
        show(context.output, &model.explain_gone(&source, time)?, unit)?;
        return Ok(Outcome::Done);
    };
    let LinkQuestion { model, relation, time, unit } = args.ask.open(context)?;
    let destination = NodeKey::new(of_type, ExternalId::from(id.as_str()));
    show(context.output, &model.explain(&relation, &source, &destination, time)?, unit)?;
    Ok(Outcome::Done)
}

/// Prints an explanation.
pub(crate) fn show(output: Output, why: &Explanation, unit: TimeUnit) -> io::Result<()> {
    output.say(&format!("Why {} at {}?", asked(why), unit.format(why.time)))?;
    output.say(&score_in_words(why))?;
    let counted = counts_in_words(why, unit);
    if !counted.is_empty() {
        output.say("\nCounted before that time:")?;
    }
    for line in counted {
        output.say(&format!("  {line}"))?;
    }
    let ends = ends(why);
    for End { node, heard, .. } in ends.iter().filter(|end| !end.heard.is_empty()) {
        output.say(&format!("\nWhat {node} listened to:"))?;
        output.table(&listened(heard, why, unit))?;
    }
    for End { node, moments, .. } in ends.iter().filter(|end| !end.moments.is_empty()) {
        output.say(&format!("\nWhat {node} remembers:"))?;
        output.table(&remembered(moments, why, unit))?;
    }
    output.object(why)
}

/// What would happen, in words.
fn asked(why: &Explanation) -> String {
    let Explanation { source, destination, relation, .. } = why;
    let (Some(relation), Some(destination)) = (relation, destination) else {
        return format!("{source} is deleted or merged");
    };
    let edge = format!("{source} -{relation}-> {destination}");
    if why.predicts == Predict::Removed { format!("{edge} is removed") } else { edge }
}

fn remembered(moments: &[&RecalledMoment], why: &Explanation, unit: TimeUnit) -> Table {
    let largest = why.memory.iter().map(|moment| moment.contribution.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let mut table = Table::new(["what", "when", "push", ""]);
    for moment in moments {
        let ago = format!("{} before", duration_in_words(unit, why.time.0.saturating_sub(moment.time.0)));
        let push = push((moment.contribution / largest) as f32);
        table.row([moment_in_words(moment), ago, push, format!("{:+.3}", moment.contribution)]);
    }
    table
}

fn listened(heard: &[&HeardNeighbor], why: &Explanation, unit: TimeUnit) -> Table {
    let largest = why.neighbors.iter().map(|heard| heard.contribution.abs()).fold(f32::MIN_POSITIVE, f32::max);
    let mut table = Table::new(["neighbor", "by", "since", "attention", "push", ""]);
    for heard in heard {
        let HeardNeighbor { node, relation, created, contribution, attention, .. } = heard;
        let ago = format!("{} before", duration_in_words(unit, why.time.0.saturating_sub(created.0)));
        let push = push(contribution / largest);
        let shut = heard.actions.is_some_and(|both| both != [true, true]);
        let attention = if shut { "shut".into() } else { heads(attention) };
        table.row([node.to_string(), relation.to_string(), ago, attention, push, format!("{contribution:+.3}")]);
    }
    table
}

/// One sign a head.
fn heads(attention: &[f32]) -> String {
    const SIGNS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    attention.iter().map(|share| SIGNS[(share.clamp(0.0, 1.0) * 8.0).round() as usize]).collect()
}

/// A signed share in [-1, 1] as a bar to the left or right of a line.
fn push(share: f32) -> String {
    const HALF: usize = 10;
    let bar = bar(share.abs(), HALF);
    if share < 0.0 { format!("{bar:>HALF$}│{:HALF$}", "") } else { format!("{:HALF$}│{bar:<HALF$}", "") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_goes_to_its_side() {
        assert_eq!(push(1.0), format!("{:10}│██████████", ""));
        assert_eq!(push(-0.2), format!("{:8}██│{:10}", "", ""));
        assert_eq!(heads(&[0.0, 0.5, 1.0]), "·▄█");
    }
}
