//! `timeweft train`.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;
use timeweft::load::read_text;
use timeweft::model::{Epoch, Evaluation, Freshness, LearnProgress, Part, Predict};
use timeweft::read::GraphView;
use timeweft::{Config, Deletes, Graph, Model, NodeKey, TimeUnit, TrainOptions, View};

use super::{evaluate, predict};
use crate::context::{Context, pin_commit};
use crate::input::named_values::{DELETES, choices};
use crate::interrupt::Interrupt;
use crate::outcome::{Outcome, UsageError};
use crate::output::{LearningBar, Output, after, check_place, is_same_file, note};
use crate::report::{Drawing, Question, Report, explained};

const AFTER_HELP: &str = "\
Examples:
  timeweft train --target edited                      with the default configuration
  timeweft train --print-config > my.toml             all fields, explained
  timeweft train my.toml --name small --epochs 3
  timeweft train --name small --resume --epochs 6     three epochs more

The latest links are never trained on. After the last epoch the model is ranked on them beside four rules that \
need no training; a model that does not beat them is not worth its name. The checkpoint lies in the graph's folder \
`models`, beside a report to open in a browser.

Ctrl-C ends the training after the batch at hand: the best epoch so far is kept and ranked, the exit code is 130, \
and --resume goes on later. Ctrl-C again leaves at once.";

/// Arguments of `train`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Configuration; left out, the defaults.
    #[arg(value_name = "CONFIG.toml")]
    config: Option<PathBuf>,
    /// Print the default configuration, explained, and do nothing else.
    #[arg(long)]
    print_config: bool,
    /// Name that the model is kept under. A model of this name is replaced.
    #[arg(long, default_value = "default")]
    name: String,
    /// Relation whose edges are predicted, or type of nodes that go; may be given several times.
    #[arg(long = "target", value_name = "RELATION")]
    targets: Vec<String>,
    /// Passes over the training part.
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Width of the model.
    #[arg(long, value_name = "N")]
    width: Option<usize>,
    /// Seed of everything that is drawn.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Train on the graph as the store knew it at this commit; left out, the newest.
    #[arg(long, value_name = "N")]
    commit: Option<u64>,
    /// Whether what is deleted is gone for the model (hard, the default) or still read (soft).
    #[arg(long, value_parser = choices(DELETES))]
    deletes: Option<Deletes>,
    /// Train the model of this name on from where it stood, to --epochs in all, with the configuration and the types that it has.
    #[arg(long, requires = "epochs", conflicts_with_all = ["config", "targets", "width", "seed", "deletes"])]
    resume: bool,
    /// How fresh the state is that test answers may use.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "event,batch:200", value_parser = evaluate::freshness)]
    freshness: Vec<Freshness>,
    /// Where the report goes; left out, beside the checkpoint.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// What is so, whatever fails later.
const KEPT: &str = "the model is kept";

/// Runs `train`.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    if args.print_config {
        write!(io::stdout().lock(), "{}", explained(&Config::default()))?;
        return Ok(Outcome::Done);
    }
    let config = args.config()?;
    let output = context.output;
    let graph = context.open()?;
    let report = args.report_place(&graph)?;
    let view = pin_commit(&graph, args.commit)?;
    let (model, outcome) = match args.epochs.filter(|_| args.resume) {
        Some(epochs) => {
            follow(output, TrainOptions::default().view(&view), |options| graph.resume(&args.name, epochs, options))?
        }
        None => fit(&graph, &view, &args.name, &config, output)?,
    };
    let of = TrainedOn { graph: &graph, view: &view, model: &model };
    after(KEPT, args.conclude(&of, &report, outcome, output));
    Ok(outcome)
}

impl Args {
    /// Measures the model, writes its report and prints what came of it.
    fn conclude(&self, of: &TrainedOn<'_>, report: &Path, outcome: Outcome, output: Output) -> anyhow::Result<()> {
        let TrainedOn { graph, view, model } = *of;
        let evaluations = evaluate::measure(model, Part::Test, &self.freshness)?;
        evaluate::keep(model, Part::Test, &evaluations);
        // The page is written even if the reader of the output has gone.
        let printed = evaluate::show(output, Part::Test, &evaluations);
        let path = graph.model_path(&self.name)?;
        let questions = predict::questions(model, view, 3, 5);
        self::report(of, evaluations, questions).write(report)?;
        printed?;
        output.say(&format!("\nModel:  {}\nReport: {}", path.display(), report.display()))?;
        let interrupted = outcome == Outcome::Interrupted;
        output.object(&json!({
            "model": self.name, "path": path, "report": report, "best_epoch": model.best_epoch(), "interrupted": interrupted,
        }))?;
        Ok(())
    }

    /// Where the report goes, checked before anything is trained.
    fn report_place(&self, graph: &Graph) -> anyhow::Result<PathBuf> {
        let own = graph.model_path(&self.name)?.with_extension("html");
        let Some(path) = self.report.as_ref().filter(|path| !is_same_file(path, &own)) else { return Ok(own) };
        if self.config.as_ref().is_some_and(|config| is_same_file(config, path)) {
            let problem = format!("--report {}: that is the configuration: give another name", path.display());
            return Err(UsageError(problem).into());
        }
        check_place(path)?;
        // What a link leads to is written, not the link.
        Ok(path.canonicalize().unwrap_or_else(|_| path.clone()))
    }

    fn config(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(path) => {
                let text = read_text(path).context("the configuration")?;
                Config::from_toml(&text).with_context(|| path.display().to_string())?
            }
            None => Config::default(),
        };
        if !self.targets.is_empty() {
            config.train.targets.clone_from(&self.targets);
        }
        config.train.epochs = self.epochs.unwrap_or(config.train.epochs);
        config.train.seed = self.seed.unwrap_or(config.train.seed);
        config.model.width = self.width.unwrap_or(config.model.width);
        config.model.deletes = self.deletes.unwrap_or(config.model.deletes);
        Ok(config)
    }
}

/// Trains a model and prints every epoch as soon as it is over; also says whether it was interrupted.
pub(crate) fn fit(
    graph: &Graph,
    view: &View,
    name: &str,
    config: &Config,
    output: Output,
) -> anyhow::Result<(Model, Outcome)> {
    follow(output, TrainOptions::new(config.clone()).view(view), |options| graph.train(name, options))
}

/// What is said at the first Ctrl-C.
const STOPPING: &str = "interrupted: training ends with the best epoch so far; Ctrl-C again leaves at once";

/// Runs a training on a view and shows where it stands. Ctrl-C ends it early.
fn follow<'a>(
    output: Output,
    options: TrainOptions<'a>,
    train: impl FnOnce(TrainOptions<'_>) -> timeweft::Result<Model>,
) -> anyhow::Result<(Model, Outcome)> {
    let interrupt = Interrupt::watch().context("watching for Ctrl-C")?;
    let (mut printed, mut epochs, mut is_stopping) = (Ok(()), 0, false);
    let mut bar = LearningBar::default();
    let model = train(options.progress(|progress| {
        if let (LearnProgress::Epoch(epoch), Ok(())) = (&progress, &printed) {
            bar.clear();
            printed = if epochs == 0 { output.say(EPOCH_HEADER) } else { Ok(()) }.and_then(|()| print(epoch, output));
            epochs += 1;
        }
        if !is_stopping && interrupt.is_asked() {
            is_stopping = true;
            bar.clear();
            note(STOPPING);
        }
        bar.follow(&progress);
        if interrupt.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }))?;
    drop(bar);
    let outcome = if interrupt.is_asked() { Outcome::Interrupted } else { Outcome::Done };
    let printed = printed.and_then(|()| match epochs {
        0 => output.say("No epoch more was trained."),
        _ => Ok(()),
    });
    let best = || format!("\nThe weights of epoch {} were kept: the best validation MRR.", model.best_epoch());
    after(KEPT, printed.and_then(|()| output.say(&best())));
    predict::warn(&model);
    Ok((model, outcome))
}

const EPOCH_HEADER: &str = "epoch    loss  validation MRR  hits@1  hits@10  links/s";

/// Times stay out of the JSON: equal seeds give equal output.
fn print(epoch: &Epoch, output: Output) -> io::Result<()> {
    let Epoch { epoch: number, loss, validation, links_per_second, .. } = epoch;
    output.say(&format!(
        "{number:>5}  {loss:>6.3}  {:>14.3}  {:>6.3}  {:>7.3}  {links_per_second:>7.0}",
        validation.mrr, validation.hits1, validation.hits10
    ))?;
    output.object(&json!({ "epoch": number, "loss": loss, "validation": validation }))
}

/// Links whose explanations a report checks.
const CHECKED: usize = 25;

/// A model, and the graph that it was trained on.
pub(crate) struct TrainedOn<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) view: &'a View,
    pub(crate) model: &'a Model,
}

/// What there is to say about a trained model.
pub(crate) fn report(of: &TrainedOn<'_>, evaluations: Vec<Evaluation>, questions: Vec<Question>) -> Report {
    let TrainedOn { graph, view, model } = *of;
    let targets = model.config().train.targets.join(", ");
    let what = match (model.predicts(), targets.is_empty()) {
        (Predict::Created, true) => "every relation".into(),
        (Predict::Created, false) => targets,
        (Predict::Removed, true) => "edges that are removed".into(),
        (Predict::Removed, false) => format!("{targets} that is removed"),
        (Predict::Gone, true) => "nodes that go".into(),
        (Predict::Gone, false) => format!("{targets} that goes"),
    };
    Report {
        title: format!("What comes next: {what}"),
        lead: format!(
            "The model \u{201c}{}\u{201d}, trained on the history of {}. It knows nothing but what was before each link.",
            model.name(),
            graph.dir().display()
        ),
        facts: facts(graph, view).into_iter().chain(traffic(model)).collect(),
        types: view.schema().node_types().iter().map(|node| node.name.to_string()).collect(),
        drawings: drawings(view, &questions),
        unit: graph.unit(),
        epochs: model.epochs().to_vec(),
        best: model.best_epoch(),
        evaluations,
        faithfulness: model.faithfulness(CHECKED).unwrap_or_default(),
        questions,
        config: model.config().clone(),
    }
}

/// What is near the nodes that the questions are about, each once.
fn drawings(view: &View, questions: &[Question]) -> Vec<Drawing> {
    let mut nodes: Vec<&NodeKey> = Vec::new();
    for why in questions.iter().filter_map(|question| question.explanation.as_ref()) {
        if !nodes.contains(&&why.source) {
            nodes.push(&why.source);
        }
    }
    nodes.into_iter().filter_map(|node| Drawing::around(view, node)).collect()
}

/// The graph in figures.
fn facts(graph: &Graph, view: &View) -> Vec<(String, String)> {
    let counts = view.index().counts(timeweft::At::now());
    let facts = view.index().facts();
    let mut figures = vec![
        ("events".into(), graph.loads().iter().map(|load| load.events).sum::<u64>().to_string()),
        ("nodes now".into(), counts.nodes.to_string()),
        ("edges now".into(), counts.edges.to_string()),
        ("relations".into(), view.schema().edge_types().len().to_string()),
    ];
    if let (Some(first), Some(last)) = (facts.first(), facts.last()) {
        figures.push(("first event".into(), day(graph.unit(), first.time)));
        figures.push(("last event".into(), day(graph.unit(), last.time)));
    }
    figures
}

/// What meets in the batches of training; nothing if the model cannot be read any more.
fn traffic(model: &Model) -> Vec<(String, String)> {
    let Ok(traffic) = model.traffic() else { return Vec::new() };
    let share = |part: usize, whole: usize| format!("{:.0} %", 100.0 * part as f64 / whole.max(1) as f64);
    vec![
        ("messages in training".into(), traffic.messages.to_string()),
        ("overtaken in their batch".into(), share(traffic.overtaken, traffic.messages)),
        ("links with an end newer than their batch".into(), share(traffic.stale, traffic.edges)),
        ("messages in the largest set".into(), traffic.largest_set.to_string()),
    ]
}

/// The day of a time; the time itself in a graph that counts steps.
pub(crate) fn day(unit: TimeUnit, time: timeweft::Time) -> String {
    let text = unit.format(time);
    text.split_once('T').map_or(text.clone(), |(day, _)| day.to_string())
}
