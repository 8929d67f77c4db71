//! `timeweft demo`.

mod story;
mod synthetic;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use timeweft::load::{Format, GitOptions, LoadReport, LoadRequest, Place};
use timeweft::model::{Freshness, ModelConfig, Part, TrainConfig};
use timeweft::{Action, Config, Graph, TimeUnit, View};

use super::train::{self, TrainedOn};
use super::{evaluate, explain, predict};
use crate::context::Context;
use crate::outcome::Outcome;
use crate::output::Progress;

const AFTER_HELP: &str = "\
Examples:
  timeweft demo                                       the git history of the current folder, or else a made-up one
  timeweft demo --data messages.csv --graph messages  your own events (JSON lines or CSV)

A graph that is there already is never touched: the demo then takes the next free name.";

/// Arguments of `demo`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Events to use in place of the git history: JSON lines or CSV.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// What one tick of the times in FILE means: s, ms, us, ns or step.
    #[arg(long, value_name = "UNIT", default_value = "s", requires = "data")]
    unit: TimeUnit,
    /// Passes over the training part; left out, by the number of links.
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Days of the made-up history.
    #[arg(long, value_name = "N", hide = true)]
    days: Option<usize>,
}

/// Fewer edits leave fewer than about 200 links to test on: too few to tell a model from a rule.
const ENOUGH: usize = 1500;
/// Of a history by fewer people it hardly matters who edits: there is nothing to tell them apart by.
const PEOPLE: usize = 3;
/// Commits of a git history that are read: enough to learn from in minutes.
const COMMITS: usize = 4000;
/// Links that are trained on in all epochs together: about a minute on two cores.
const LINKS: usize = 240_000;
/// Name of the demo's model.
const MODEL: &str = "demo";

/// Runs `demo`.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let (started, output) = (Instant::now(), context.output);
    let dir = free(&context.dir);
    story::opening(output, &context.dir, &dir)?;
    let Loaded { graph, report, target, why } = load(args, &dir)?;
    let view = graph.view();
    story::loaded(output, &view, &report, &why)?;
    let Some(moments) = story::Moments::of(&view, &target) else {
        anyhow::bail!("no node that lives has a new `{target}` edge of late: nothing to learn from");
    };
    story::time_travel(output, &view, &moments)?;
    story::changes(output, &view, &moments)?;

    let links = view.index().facts().iter().filter(|fact| is_link(&view, fact, &target)).count();
    let config = config(&target, links, args.epochs);
    story::step(output, 4, &format!("Learn from the past which `{target}` edges come next"))?;
    story::training(output, links, &config)?;
    let (model, outcome) = train::fit(&graph, &view, MODEL, &config, output)?;

    story::step(output, 5, "Is it any good? The model beside rules that need no training")?;
    output.say("Ranked on the latest links, which it has never seen, each among 100 others.")?;
    let evaluations = evaluate::measure(&model, Part::Test, &[Freshness::Event, Freshness::Batch(200)])?;
    evaluate::keep(&model, Part::Test, &evaluations);
    evaluate::show(output, Part::Test, &evaluations)?;
    story::verdict(output, &evaluations)?;

    story::step(output, 6, "What comes next, and why")?;
    let questions = predict::questions(&model, &view, 3, 5);
    for question in &questions {
        output.say(&format!("\n{}", question.text))?;
        predict::show(output, &question.predictions)?;
    }
    if let Some(why) = questions.first().and_then(|question| question.explanation.as_ref()) {
        output.say("")?;
        explain::show(output, why, graph.unit())?;
    }

    let path = dir.join("report.html");
    let first = questions.first().and_then(|question| question.explanation.clone());
    let of = TrainedOn { graph: &graph, view: &view, model: &model };
    train::report(&of, evaluations, questions).write(&path)?;
    story::step(output, 7, "All of this as a page")?;
    output.say(&format!("{}", path.display()))?;
    story::closing(output, &graph, &moments, first.as_ref(), started.elapsed())?;
    Ok(outcome)
}

/// The directory itself if it is free, else the next one that is.
fn free(dir: &Path) -> PathBuf {
    let is_free = |dir: &Path| std::fs::read_dir(dir).map_or(!dir.exists(), |mut entries| entries.next().is_none());
    let numbered = (2u32..).map(|number| suffixed(dir, &format!("-{number}")));
    std::iter::once(dir.to_owned()).chain(numbered).find(|dir| is_free(dir)).unwrap_or_else(|| dir.into())
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A history in a graph.
struct Loaded {
    graph: Graph,
    report: LoadReport,
    /// The relation whose new edges are predicted.
    target: String,
    /// Which history, and why this one.
    why: String,
}

fn load(args: &Args, dir: &Path) -> anyhow::Result<Loaded> {
    if let Some(data) = &args.data {
        return from_file(data, args.unit, dir);
    }
    match args.days.is_none().then(|| from_git(dir)) {
        Some(Ok(loaded)) => Ok(loaded),
        Some(Err(why)) => made_up(dir, synthetic::World::default(), &why),
        None => {
            let world = synthetic::World { days: args.days.unwrap_or_default(), ..synthetic::World::default() };
            made_up(dir, world, "its days were given.")
        }
    }
}

fn from_file(data: &Path, unit: TimeUnit, dir: &Path) -> anyhow::Result<Loaded> {
    let mut graph = Graph::create(dir, unit)?;
    let bar = Progress::spinner("loading");
    let report = graph.load(data).progress(super::load::show(&bar)).run()?;
    let view = graph.view();
    let names: Vec<&str> = view.schema().edge_types().iter().map(|edge| &*edge.relation).collect();
    let count = |relation: &&&str| view.index().facts().iter().filter(|fact| is_link(&view, fact, relation)).count();
    let target = names.iter().max_by_key(count).context("the file has no edge: nothing to predict")?.to_string();
    let why = format!("The events of {}. Most of its edges are `{target}`.", data.display());
    Ok(Loaded { graph, report, target, why })
}

/// The git history of the current folder, or why it does not serve.
fn from_git(dir: &Path) -> Result<Loaded, String> {
    let scratch = free(&suffixed(dir, ".loading"));
    let bar = Progress::spinner("reading the git history");
    let git = GitOptions { newest: Some(COMMITS), ..GitOptions::default() };
    let attempt = || -> anyhow::Result<(LoadReport, usize, usize)> {
        let mut graph = Graph::create(&scratch, TimeUnit::Second)?;
        let report = graph.load(".").format(Format::Git(git)).progress(super::load::show(&bar)).run()?;
        let view = graph.view();
        let edits: Vec<_> = view
            .index()
            .facts()
            .iter()
            .filter(|fact| is_link(&view, fact, synthetic::RELATION))
            .map(|edit| edit.source)
            .collect();
        let people = edits.iter().collect::<std::collections::HashSet<_>>().len();
        Ok((report, edits.len(), people))
    };
    let outcome = attempt();
    drop(bar);
    match outcome {
        Ok((report, edits, people)) if edits >= ENOUGH && people >= PEOPLE => {
            std::fs::rename(&scratch, dir).map_err(|error| format!("{}: {error}", dir.display()))?;
            let graph = Graph::open(dir).map_err(|error| error.to_string())?;
            let why = format!(
                "The git history of this folder: authors, commits, files (its newest {COMMITS} commits at most)."
            );
            Ok(Loaded { graph, report, target: synthetic::RELATION.into(), why })
        }
        outcome => {
            // Only what was made a moment ago is removed.
            let _ = std::fs::remove_dir_all(&scratch);
            Err(match outcome {
                Ok((_, edits, _)) if edits < ENOUGH => {
                    format!("the git history of this folder has only {edits} edits of files.")
                }
                Ok((_, _, 1)) => "the git history of this folder is by one person only.".into(),
                Ok((_, _, people)) => format!("the git history of this folder is by {people} people only."),
                Err(_) => "this folder has no git history that could be read.".into(),
            })
        }
    }
}

fn made_up(dir: &Path, world: synthetic::World, reason: &str) -> anyhow::Result<Loaded> {
    let mut graph = Graph::create(dir, TimeUnit::Second)?;
    let place = |line: usize| Place { file: "made-up history".into(), line: line as u64 };
    let events = synthetic::events(world);
    let records = (1..).zip(events).map(|(line, event)| Ok((event, place(line))));
    let report = graph.load_events(LoadRequest::new("office", "made-up history"), records)?;
    let why = format!("A made-up history of an office whose people edit documents (seed {}), for {reason}", world.seed);
    Ok(Loaded { graph, report, target: synthetic::RELATION.into(), why })
}

fn is_link(view: &View, fact: &timeweft::read::Fact, relation: &str) -> bool {
    let edge_types = view.schema().edge_types();
    fact.action == Action::Create && fact.edge.is_some_and(|(kind, _)| *edge_types[kind.at()].relation == *relation)
}

/// A small model, and as many epochs as the time allows.
fn config(target: &str, links: usize, epochs: Option<usize>) -> Config {
    let epochs = epochs.unwrap_or_else(|| (LINKS / links.max(1)).clamp(1, 8));
    Config {
        model: ModelConfig { width: 32, channels: 32, states: 8, heads: 2, ..ModelConfig::default() },
        train: TrainConfig { targets: vec![target.into()], epochs, batch: 100, ..TrainConfig::default() },
        ..Config::default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_graph_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("g");
        assert_eq!(free(&dir), dir);
        std::fs::create_dir(&dir).unwrap();
        assert_eq!(free(&dir), dir, "an empty folder is free");
        std::fs::write(dir.join("x"), "").unwrap();
        assert_eq!(free(&dir), folder.path().join("g-2"));
    }

    #[test]
    fn epochs_follow_the_number_of_links() {
        assert_eq!([1, 60_000, 1_000_000].map(|links| config("r", links, None).train.epochs), [8, 4, 1]);
        assert_eq!(config("r", 1, Some(1)).train.epochs, 1);
    }
}
