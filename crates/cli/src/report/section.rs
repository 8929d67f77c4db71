//! The sections of a report.

use std::fmt::Write;

use timeweft::TimeUnit;
use timeweft::model::{
    Calibration, Curves, Epoch, Evaluation, Explanation, Freshness, HeardNeighbor, Metrics, Prediction, RecalledMoment,
};

use super::Question;
use super::page::{escape, section};
use super::svg::{self, Axis, Curve, EPOCHS, FIRST, SECOND, SHARES, THIRD};
use crate::output::wording::{
    End, counts_in_words, duration_in_words, ends, moment_in_words, order_in_words, score_in_words, warning_of_order,
};

/// The graph in figures.
pub(super) fn facts(facts: &[(String, String)]) -> String {
    let tiles: String = facts
        .iter()
        .map(|(what, number)| format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(what), escape(number)))
        .collect();
    section("The graph", "", &format!("<dl class=\"tiles\">\n{tiles}</dl>\n"))
}

/// Curves of loss and validation.
pub(super) fn training(epochs: &[Epoch], best: usize) -> String {
    let curve = |name, color, value: fn(&Epoch) -> f64| Curve {
        name,
        color,
        points: epochs.iter().map(|epoch| (epoch.epoch as f64, value(epoch))).collect(),
    };
    let loss = [curve("loss, mean over the training links", FIRST, |epoch| epoch.loss)];
    let ranking = [
        curve("MRR", FIRST, |epoch| epoch.validation.mrr),
        curve("hits@1", SECOND, |epoch| epoch.validation.hits1),
        curve("hits@10", THIRD, |epoch| epoch.validation.hits10),
    ];
    let figures = figure("Loss", &loss, EPOCHS, best as f64) + &figure("Validation", &ranking, EPOCHS, best as f64);
    let seconds: f64 = epochs.iter().map(|epoch| epoch.train_seconds).sum();
    let remark = format!(
        "{} epoch{}, {seconds:.1} s of training. The weights of epoch {best} were kept: the best validation MRR at event \
         freshness.",
        epochs.len(),
        if epochs.len() == 1 { "" } else { "s" }
    );
    section("Training", &remark, &format!("<div class=\"charts\">\n{figures}</div>\n"))
}

fn figure(title: &str, curves: &[Curve], axis: Axis, marked: f64) -> String {
    let Some(drawn) = svg::chart(curves, axis, marked) else { return String::new() };
    let drawn = drawn.replacen("role=\"img\"", &format!("role=\"img\" aria-label=\"{title}, by {}\"", axis.name), 1);
    let legend: String = curves
        .iter()
        .zip(["first", "second", "third"])
        .map(|(curve, class)| format!("<span class=\"key {class}\">{}</span> ", curve.name))
        .collect();
    format!("<figure><figcaption><b>{title}</b> {legend}</figcaption>\n{drawn}</figure>\n")
}

/// The model beside the rules: one table a freshness.
pub(super) fn evaluations(evaluations: &[Evaluation]) -> String {
    let tables: String = evaluations.iter().map(evaluation).collect();
    let remark = "Later links than any that was trained on, each ranked among the same candidates by the model and by \
                  rules that need no training. Every table has one freshness: what an answer may know.";
    section("The model beside simple rules", remark, &tables)
}

fn evaluation(evaluation: &Evaluation) -> String {
    let rows = &evaluation.rows;
    let best = rows.iter().map(|(_, metrics)| metrics.mrr).fold(0.0, f64::max);
    let mut body = String::new();
    for (number, (name, metrics)) in rows.iter().enumerate() {
        let class = if number == 0 { "model" } else { "rule" };
        let mark = if metrics.mrr >= best { " class=\"best\"" } else { "" };
        let width = 100.0 * metrics.mrr;
        _ = writeln!(
            body,
            "<tr class=\"{class}\"><th scope=\"row\">{}</th><td class=\"bar\"><i style=\"width:{width:.1}%\"></i></td>\
             <td{mark}>{:.3}</td><td>{:.3}</td><td>{:.3}</td></tr>",
            escape(name),
            metrics.mrr,
            metrics.hits1,
            metrics.hits10
        );
    }
    let links = rows.first().map_or(0, |(_, metrics)| metrics.events);
    let caption = format!(
        "Freshness: <b>{}</b> <span>{} &middot; {links} links</span>",
        escape(&evaluation.freshness.to_string()),
        freshness_in_words(evaluation)
    );
    let table = metrics_table(&caption, &["", "", "MRR", "hits@1", "hits@10"], &body);
    [table, parts(evaluation), kinds(evaluation), calibration(&evaluation.calibration)].concat()
}

/// A table of figures. Caption, header and body are HTML.
fn metrics_table(caption: &str, header: &[&str], body: &str) -> String {
    // A column without a name has no header to read out.
    let cell = |name: &&str| if name.is_empty() { "<td></td>".to_owned() } else { format!("<th>{name}</th>") };
    let header: String = header.iter().map(cell).collect();
    format!(
        "<table class=\"metrics\">\n<caption>{caption}</caption>\n<thead><tr>{header}</tr></thead>\n\
         <tbody>\n{body}</tbody>\n</table>\n"
    )
}

/// How well the model tells answers from wrong ones of a kind.
fn kinds(evaluation: &Evaluation) -> String {
    if evaluation.kinds.is_empty() {
        return String::new();
    }
    let row = |(name, precision, count): &(String, f64, usize)| {
        format!("<tr><th scope=\"row\">{}</th><td>{count}</td><td>{precision:.3}</td></tr>\n", escape(name))
    };
    let body: String = evaluation.kinds.iter().map(row).collect();
    let remark = "average precision, one wrong answer a link; .5 is a guess";
    let caption = format!("The model by kind of wrong answer <span>{remark}</span>");
    metrics_table(&caption, &["", "links", "precision"], &body)
}

/// The model's shares beside how often they came true.
fn calibration(calibration: &Calibration) -> String {
    let mut body = String::new();
    for (number, bin) in calibration.bins.iter().enumerate().filter(|(_, bin)| bin.candidates > 0) {
        let of = |sum: f64| 100.0 * sum / bin.candidates as f64;
        let (expected, came) = (of(bin.expected), of(bin.right as f64));
        _ = writeln!(
            body,
            "<tr><th scope=\"row\">{}&nbsp;to&nbsp;{}&nbsp;%</th><td>{}</td><td>{expected:.1} %</td><td class=\"bar\"><i style=\"width:{expected:.1}%\"></i>\
             <i class=\"true\" style=\"width:{came:.1}%\"></i></td><td>{came:.1} %</td></tr>",
            10 * number,
            10 * number + 10,
            bin.candidates
        );
    }
    let caption =
        format!("Shares and what came true <span>expected calibration error {:.4}</span>", calibration.error());
    metrics_table(&caption, &["share", "candidates", "mean share", "", "came true"], &body)
}

/// The model's figures by relation and by whether the ends are new.
fn parts(evaluation: &Evaluation) -> String {
    let row = |(name, metrics): &(String, Metrics)| {
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{:.3}</td><td>{:.3}</td><td>{:.3}</td></tr>\n",
            escape(name),
            metrics.events,
            metrics.mrr,
            metrics.hits1,
            metrics.hits10
        )
    };
    let body: String = evaluation.parts.iter().map(row).collect();
    metrics_table("The model by kind of link", &["", "links", "MRR", "hits@1", "hits@10"], &body)
}

fn freshness_in_words(evaluation: &Evaluation) -> String {
    match evaluation.freshness {
        Freshness::Event => "everything strictly before the link".into(),
        Freshness::Batch(size) => {
            format!("nothing of the batch of {size} links that the link lies in")
        }
    }
}

/// Predictions with their reasons.
pub(super) fn questions(questions: &[Question], unit: TimeUnit) -> String {
    if questions.is_empty() {
        return String::new();
    }
    let body: String = questions.iter().map(|question| self::question(question, unit)).collect();
    section("What comes next, and why", "", &body)
}

fn question(question: &Question, unit: TimeUnit) -> String {
    let answers: String = question.predictions.iter().map(answer).collect();
    let why = question.explanation.as_ref().map_or_else(String::new, |why| explanation(why, unit));
    format!(
        "<article>\n<h3>{}</h3>\n<table class=\"answers\"><tbody>\n{answers}</tbody></table>\n{why}</article>\n",
        escape(&question.text)
    )
}

fn answer(prediction: &Prediction) -> String {
    let share = 100.0 * prediction.probability;
    format!(
        "<tr><th scope=\"row\">{}</th><td class=\"bar\"><i style=\"width:{share:.1}%\"></i></td><td>{share:.1} %</td></tr>\n",
        escape(&prediction.destination.to_string())
    )
}

fn explanation(why: &Explanation, unit: TimeUnit) -> String {
    let counters: String =
        counts_in_words(why, unit).iter().map(|line| format!("<li>{}</li>\n", escape(line))).collect();
    let ends = ends(why);
    let heard = ends.iter().map(|end| heard(end, why, unit));
    let remembered = ends.iter().map(|end| moments(end, why, unit));
    let rest: String = heard.chain(remembered).collect();
    let answer = why.destination.as_ref().unwrap_or(&why.source);
    let counters = if counters.is_empty() { counters } else { format!("<ul>\n{counters}</ul>\n") };
    format!("<h4>Why {}?</h4>\n<p>{}</p>\n{counters}{rest}", escape(&answer.to_string()), escape(&score_in_words(why)))
}

/// Neighbors of one end of the link, with attention and signed contribution.
fn heard(end: &End<'_>, why: &Explanation, unit: TimeUnit) -> String {
    if end.heard.is_empty() {
        return String::new();
    }
    let largest = why.neighbors.iter().map(|heard| heard.contribution.abs()).fold(f32::MIN_POSITIVE, f32::max);
    let rows: String = end.heard.iter().map(|heard| neighbor(heard, why, largest, unit)).collect();
    format!(
        "<table class=\"heard\">\n<caption>What {} listened to</caption>\n<thead><tr><th class=\"who\">neighbor</th>\
         <th class=\"since\">since</th><th class=\"attention\">attention</th><th class=\"pushed\">push on the score</th>\
         <td></td></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
        escape(&end.node.to_string())
    )
}

fn neighbor(heard: &HeardNeighbor, why: &Explanation, largest: f32, unit: TimeUnit) -> String {
    let heads: String = heard
        .attention
        .iter()
        .map(|attention| format!("<i title=\"{attention:.3}\"><b style=\"height:{:.0}%\"></b></i>", 100.0 * attention))
        .collect();
    format!(
        "<tr><th scope=\"row\">{} <span>{}</span></th><td class=\"time\" title=\"{}\">{} before</td><td class=\"heads\">{heads}</td>\
         {}</tr>\n",
        escape(&heard.node.to_string()),
        escape(&heard.relation),
        escape(&unit.format(heard.created)),
        duration_in_words(unit, why.time.0.saturating_sub(heard.created.0)),
        push(heard.contribution.into(), largest.into())
    )
}

/// A signed share as a bar and a number.
fn push(contribution: f64, largest: f64) -> String {
    let class = if contribution < 0.0 { "minus" } else { "plus" };
    let width = 50.0 * contribution.abs() / largest;
    format!("<td class=\"push\"><i class=\"{class}\" style=\"width:{width:.1}%\"></i></td><td>{contribution:+.3}</td>")
}

/// The moments that weigh most in the memory of one end of the link.
fn moments(end: &End<'_>, why: &Explanation, unit: TimeUnit) -> String {
    let largest = why.memory.iter().map(|moment| moment.contribution.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let row = |moment: &&RecalledMoment| {
        format!(
            "<tr><th scope=\"row\">{}</th><td class=\"time\" title=\"{}\">{} before</td>{}</tr>\n",
            escape(&moment_in_words(moment)),
            escape(&unit.format(moment.time)),
            duration_in_words(unit, why.time.0.saturating_sub(moment.time.0)),
            push(moment.contribution, largest)
        )
    };
    let rows: String = end.moments.iter().map(row).collect();
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<table class=\"heard\">\n<caption>What {} remembers</caption>\n<thead><tr><th class=\"who\">what</th>\
         <th class=\"since\">when</th><th class=\"pushed\">push on the score</th><td></td></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n",
        escape(&end.node.to_string())
    )
}

/// Whether explanations are true: curves of what is lost.
pub(super) fn faithfulness(all: &[Curves]) -> String {
    let Some(ours) = all.first().filter(|curves| curves.links > 0) else { return String::new() };
    let figure = |title, of: fn(&Curves) -> &[f64]| {
        let colors = [FIRST, SECOND, THIRD];
        let curve = |(curves, color): (&Curves, _)| Curve {
            name: order_in_words(curves.order),
            color,
            points: of(curves).iter().zip(1..).map(|(value, tenth)| (10.0 * f64::from(tenth), *value)).collect(),
        };
        figure(title, &all.iter().zip(colors).map(curve).collect::<Vec<_>>(), SHARES, 0.0)
    };
    let figures = [
        figure("Without the first ones", |curves| &curves.deletion),
        figure("Without them, and memory never told", |curves| &curves.counterfactual),
        figure("With the first ones only", |curves| &curves.insertion),
    ]
    .concat();
    let remark = format!(
        "{} of the latest links. Neighbors are taken away in three orders, and the lead over other candidates moves by so much, \
         in logits. If contributions are true, taking those away first moves it most, and keeping them moves it least. {}",
        ours.links,
        warning_of_order(all).unwrap_or_default()
    );
    section("Are the explanations true?", remark.trim(), &format!("<div class=\"charts\">\n{figures}</div>\n"))
}

/// The configuration.
pub(super) fn config(toml: &str) -> String {
    let body = format!("<details><summary>Show as TOML</summary>\n<pre>{}</pre>\n</details>\n", escape(toml.trim()));
    section("Configuration", "", &body)
}
