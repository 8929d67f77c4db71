//! `timeweft evaluate`.

use std::io;

use serde_json::json;
use timeweft::Model;
use timeweft::model::{Curves, Evaluation, Freshness, Part};

use super::predict::NamedModel;
use crate::context::Context;
use crate::input::named_values::choices;
use crate::outcome::Outcome;
use crate::output::wording::{order_in_words, warning_of_order};
use crate::output::{LearningBar, Output, Table, note};

const AFTER_HELP: &str = "\
Examples:
  timeweft evaluate                                   the default model, on the latest links
  timeweft evaluate --model small --part validation --freshness event,batch:50
  timeweft evaluate --explanations 100                and whether its explanations are true

Freshness says what an answer may know. `event`: everything strictly before the link. `batch:N`: nothing of the \
batch of N links that the link lies in, as most published figures have it. Figures of different freshness do not \
compare. Each link is asked about at its own time, so there is no --at.";

/// Arguments of `evaluate`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    of: NamedModel,
    /// The links that are ranked.
    #[arg(long, default_value = "test", value_parser = choices(PARTS))]
    part: Part,
    /// How fresh the state is that answers may use: a table for each.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "event,batch:200", value_parser = freshness)]
    freshness: Vec<Freshness>,
    /// Check explanations too, on the latest LINKS links: what is said to matter is taken away.
    #[arg(long, value_name = "LINKS")]
    explanations: Option<usize>,
}

const PARTS: [(&str, Part, &str); 2] = [
    ("validation", Part::Validation, "The links that chose the epoch"),
    ("test", Part::Test, "The latest links, which had no part in training"),
];

/// Runs `evaluate`.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let model = args.of.open(&context.open()?)?;
    let evaluations = measure(&model, args.part, &args.freshness)?;
    keep(&model, args.part, &evaluations);
    show(context.output, args.part, &evaluations)?;
    if let Some(links) = args.explanations {
        show_curves(context.output, &model.faithfulness(links)?)?;
    }
    Ok(Outcome::Done)
}

/// Prints whether explanations are true, one row an order of taking neighbors away, or one object.
pub(crate) fn show_curves(output: Output, all: &[Curves]) -> io::Result<()> {
    let Some(ours) = all.first().filter(|curves| curves.links > 0) else {
        return output.say("\nNo neighbors were read: there is nothing to check.");
    };
    output.say(&format!("\nHow far the lead of {} links moves without neighbors, in logits:", ours.links))?;
    let mut table = Table::new(["", "without them", "and never told", "with them only", "agreement"]);
    for curves in all {
        let replayed = curves.counterfactual().map_or("-".into(), |area| format!("{area:.3}"));
        let (deleted, inserted) = (format!("{:.3}", curves.deleted()), format!("{:.3}", curves.inserted()));
        table.row([
            order_in_words(curves.order).into(),
            deleted,
            replayed,
            inserted,
            format!("{:+.3}", curves.agreement),
        ]);
    }
    output.table(&table)?;
    if let Some(warning) = warning_of_order(all) {
        output.say(&warning)?;
    }
    output.objects(all.iter().map(|curves| {
        json!({
            "order": curves.order, "links": curves.links, "deletion": curves.deletion, "insertion": curves.insertion,
            "counterfactual": curves.counterfactual, "agreement": curves.agreement,
        })
    }))
}

/// Reads `event` or `batch:N`.
pub(crate) fn freshness(text: &str) -> Result<Freshness, String> {
    let size = |size: &str| size.parse().ok().filter(|&size| size > 0).map(Freshness::Batch);
    match text.split_once(':') {
        None if text == "event" => Ok(Freshness::Event),
        Some(("batch", number)) => size(number).ok_or_else(|| format!("`{number}` is no number of links")),
        _ => Err("give `event` or `batch:N`, such as batch:200".into()),
    }
}

/// Ranks with a bar.
pub(crate) fn measure(model: &Model, part: Part, freshness: &[Freshness]) -> anyhow::Result<Vec<Evaluation>> {
    let mut bar = LearningBar::default();
    Ok(model.evaluate(part, freshness, Some(&mut |progress| bar.follow(&progress)))?)
}

/// Keeps figures beside the model, for the page that shows it. They are told anyway, so that nothing fails without.
pub(crate) fn keep(model: &Model, part: Part, evaluations: &[Evaluation]) {
    if let Err(error) = model.keep_evaluations(part, evaluations) {
        note(&format!("warning: these figures are not kept beside the model: {error}"));
    }
}

/// Prints one table a freshness, or one object a row.
pub(crate) fn show(output: Output, part: Part, evaluations: &[Evaluation]) -> io::Result<()> {
    let part = match part {
        Part::Validation => "validation",
        Part::Test => "test",
    };
    for Evaluation { freshness, rows, .. } in evaluations {
        let links = rows.first().map_or(0, |(_, metrics)| metrics.events);
        output.say(&format!("\nThe {links} {part} links, freshness {freshness}:"))?;
        let mut table = Table::new(["", "MRR", "hits@1", "hits@10"]);
        for (name, metrics) in rows {
            let figures = [metrics.mrr, metrics.hits1, metrics.hits10].map(|figure| format!("{figure:.3}"));
            table.row(std::iter::once(name.clone()).chain(figures));
        }
        output.table(&table)?;
        output.objects(rows.iter().map(|(name, metrics)| {
            json!({
                "part": part, "freshness": written(*freshness), "model": name, "mrr": metrics.mrr,
                "hits1": metrics.hits1, "hits10": metrics.hits10, "links": metrics.events,
            })
        }))?;
    }
    Ok(())
}

/// As it is given on the command line.
fn written(freshness: Freshness) -> String {
    match freshness {
        Freshness::Event => "event".into(),
        Freshness::Batch(size) => format!("batch:{size}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn freshness_reads_what_it_writes() {
        for text in ["event", "batch:200"] {
            assert_eq!(written(freshness(text).unwrap()), text);
        }
        for text in ["", "batch", "batch:0", "batch:x", "Event", "event:3"] {
            assert!(freshness(text).is_err(), "{text}");
        }
    }
}
