//! `timeweft predict`.

use std::collections::BTreeMap;
use std::io;

use anyhow::bail;
use timeweft::model::{Predict, Prediction};
use timeweft::read::{ExternalId, Moments};
use timeweft::{Action, Commit, Deletes, Graph, Model, NodeKey, Time, TimeUnit, View};

use crate::context::{Context, pin_commit};
use crate::input::named_values::{DELETES, choices};
use crate::outcome::{Outcome, UsageError};
use crate::output::wording::bar;
use crate::output::{Output, note};
use crate::report::Question;

const AFTER_HELP: &str = "\
Examples:
  timeweft predict person ada --relation edited       what ada edits next
  timeweft predict person ada --relation edited --at 2025-03-03 --top 3
  timeweft predict term --model going                 which terms are deleted or merged next

The answer knows everything strictly before the time, and nothing else. The share is a softmax over all \
candidates: the nodes of the relation's destination type that are alive just before, without the source itself \
unless it had such an edge to itself; of a model that was trained with predict = \"removed\" those that the \
source has an edge to, with predict = \"gone\" the nodes of the type. Types and features that came after the \
training are not there for the model; a warning names them.";

/// Arguments of `predict`.
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Type of the source, or of the nodes that go.
    #[arg(value_name = "TYPE")]
    source_type: String,
    /// Id of the source; left out for a model of nodes that go.
    #[arg(value_name = "ID")]
    source_id: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
    /// Type of the destination, where the relation ends at several.
    #[arg(long, value_name = "TYPE")]
    to: Option<String>,
    /// How many answers.
    #[arg(long, value_name = "K", default_value_t = 10)]
    top: usize,
}

/// Options of every question to a model.
#[derive(clap::Args, Debug)]
pub(crate) struct AskArgs {
    /// Relation that is asked about; left out, the one that the model was trained for.
    #[arg(long, value_name = "RELATION")]
    relation: Option<String>,
    #[command(flatten)]
    pub(crate) of: ModelArgs,
}

/// Which model is asked, and as of when.
#[derive(clap::Args, Debug)]
pub(crate) struct ModelArgs {
    /// Time of the question: an integer, a date (2016-05-17), or date and time; left out, the moment after the last event.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    #[command(flatten)]
    named: NamedModel,
}

/// Which model is asked, over which graph.
#[derive(clap::Args, Debug)]
pub(crate) struct NamedModel {
    /// Name of the model.
    #[arg(long, value_name = "NAME", default_value = "default")]
    model: String,
    /// Read the graph as the store knew it at this commit; left out, the newest.
    #[arg(long, value_name = "N")]
    commit: Option<u64>,
    /// How deleted things must be read, gone (hard) or still there (soft): an error if the model was trained otherwise.
    #[arg(long, value_parser = choices(DELETES))]
    deletes: Option<Deletes>,
}

impl NamedModel {
    /// Opens the model.
    pub(crate) fn open(&self, graph: &Graph) -> anyhow::Result<Model> {
        open_model(graph, &self.model, &pin_commit(graph, self.commit)?, self.deletes)
    }
}

/// Opens a model of a graph at a commit, if it reads deletes as it is asked to, and warns of what it does not know.
pub(crate) fn open_model(graph: &Graph, name: &str, view: &View, deletes: Option<Deletes>) -> anyhow::Result<Model> {
    let model = graph.load_model_at(name, view)?;
    deletes.map_or(Ok(()), |rule| model.expect_deletes(rule))?;
    warn(&model);
    Ok(model)
}

/// Warns on standard error of what a model leaves out of its graph.
pub(crate) fn warn(model: &Model) {
    let unknown = model.unknown();
    if !unknown.is_empty() {
        note(&format!(
            "warning: the model `{}` does not know {unknown}: it answers as if they were not there; `timeweft train` takes them in",
            model.name()
        ));
    }
    for feature in model.non_finite_features() {
        note(&format!("warning: {feature}: the model reads it as missing there"));
    }
}

/// A model and what it is asked.
pub(crate) struct LinkQuestion {
    pub(crate) model: Model,
    pub(crate) relation: String,
    pub(crate) time: Time,
    pub(crate) unit: TimeUnit,
}

/// Runs `predict`.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let Some(id) = &args.source_id else { return gone(args, context) };
    let LinkQuestion { model, relation, time, unit } = args.ask.open(context)?;
    let source = NodeKey::new(&args.source_type, ExternalId::from(id.as_str()));
    let mut asked = model.predict(&relation, &source).at(time);
    if let Some(name) = &args.to {
        asked = asked.destination_type(name);
    }
    let predictions = asked.top(args.top)?;
    context.output.say(&format!("{source} -{relation}-> ... at {}:", unit.format(time)))?;
    show(context.output, &predictions)?;
    Ok(Outcome::Done)
}

/// Which nodes of a type go next.
fn gone(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let (model, time, unit) = args.ask.of.open(context)?;
    if model.predicts() != Predict::Gone {
        return Err(UsageError(format!("whose edges? give the ID of a node of type {}", args.source_type)).into());
    }
    let predictions = model.predict_gone(&args.source_type, time, args.top)?;
    context.output.say(&format!("{} that goes at {}:", args.source_type, unit.format(time)))?;
    show(context.output, &predictions)?;
    Ok(Outcome::Done)
}

impl ModelArgs {
    /// Opens the model and reads the time.
    pub(crate) fn open(&self, context: &Context) -> anyhow::Result<(Model, Time, TimeUnit)> {
        let graph = context.open()?;
        let unit = graph.unit();
        let moments = Moments::new(&graph, self.named.commit.map_or(graph.commit(), Commit));
        let time = self.at.as_deref().map(|text| moments.read("--at", text, None)).transpose();
        let time = time.map_err(UsageError::from)?;
        let model = self.named.open(&graph)?;
        // The end of time is no moment that anything could happen at.
        let time = time.filter(|&time| time != Time::FOREVER).unwrap_or_else(|| model.next_time());
        Ok((model, time, unit))
    }
}

impl AskArgs {
    /// Opens the model and reads the question.
    pub(crate) fn open(&self, context: &Context) -> anyhow::Result<LinkQuestion> {
        let (model, time, unit) = self.of.open(context)?;
        let relations = model.relations();
        let relation = match (&self.relation, relations.as_slice()) {
            (Some(relation), _) => relation.clone(),
            (None, [only]) => only.clone(),
            (None, []) => bail!("the graph has none of the relations that the model predicts"),
            (None, several) => bail!("the model predicts {}: say which with --relation", several.join(", ")),
        };
        Ok(LinkQuestion { model, relation, time, unit })
    }
}

/// Prints predictions, best first.
pub(crate) fn show(output: Output, predictions: &[Prediction]) -> io::Result<()> {
    let row = |(place, prediction): (u32, &Prediction)| {
        let Prediction { destination, score, probability } = prediction;
        let share = format!("{:.1} %", 100.0 * probability);
        [place.to_string(), destination.to_string(), format!("{score:.2}"), share, bar(*probability, 20)]
    };
    output.rows(["", "destination", "score", "share", ""], || (1..).zip(predictions).map(row))?;
    output.objects(predictions.iter())
}

/// What the busiest sources of late do next, as far as the model can say, each with the reason of the first answer.
pub(crate) fn questions(model: &Model, view: &View, sources: usize, top: usize) -> Vec<Question> {
    let time = model.next_time();
    if model.predicts() == Predict::Gone {
        return going(model, time, sources, top);
    }
    let ask = |busy: &Busy| {
        let (source, relation) = (&busy.source, &*busy.relation);
        let asked = model.predict(relation, source).destination_type(&busy.destination_type).at(time);
        let predictions = asked.top(top).ok()?;
        let first = predictions.first()?;
        let explanation = model.explain(relation, source, &first.destination, time).ok();
        Some(Question { text: format!("{source} -{relation}-> ?"), predictions, explanation })
    };
    busiest(view, &model.config().train.targets).iter().filter_map(ask).take(sources).collect()
}

/// Which nodes of each type go next, with the reason of the first.
fn going(model: &Model, time: Time, types: usize, top: usize) -> Vec<Question> {
    let ask = |node_type: String| {
        let predictions = model.predict_gone(&node_type, time, top).ok()?;
        let explanation = model.explain_gone(&predictions.first()?.destination, time).ok();
        Some(Question { text: format!("Which {node_type} is deleted or merged?"), predictions, explanation })
    };
    model.node_types().into_iter().filter_map(ask).take(types).collect()
}

/// A node with many new edges of one relation.
pub(crate) struct Busy {
    pub(crate) source: NodeKey,
    pub(crate) relation: String,
    pub(crate) destination_type: String,
}

/// Sources of the newest tenth of the target edges that still live, the busiest first.
pub(crate) fn busiest(view: &View, targets: &[String]) -> Vec<Busy> {
    let schema = view.schema();
    let wanted = |relation: &str| targets.is_empty() || targets.iter().any(|target| target == relation);
    let created: Vec<_> = view.index().facts().iter().filter(|fact| fact.action == Action::Create).collect();
    let links: Vec<_> = created
        .iter()
        .filter_map(|fact| Some((fact.edge?.0, fact.source)))
        .filter(|(edge_type, _)| wanted(&schema.edge_types()[edge_type.at()].relation))
        .collect();
    let mut counts = BTreeMap::new();
    for &(edge_type, source) in &links[links.len() - links.len().div_ceil(10)..] {
        *counts.entry((edge_type, source)).or_insert(0usize) += 1;
    }
    let mut counts: Vec<_> =
        counts.into_iter().filter(|((_, source), _)| view.index().alive(*source, Time::FOREVER)).collect();
    counts.sort_by_key(|&(key, count)| (std::cmp::Reverse(count), key));
    let mut busy = Vec::with_capacity(counts.len());
    for ((edge_type, source), _) in counts {
        let edge = &schema.edge_types()[edge_type.at()];
        busy.push(Busy {
            source: view.index().node_key(source),
            relation: edge.relation.to_string(),
            destination_type: schema.node_type_name(edge.destination).to_string(),
        });
    }
    busy
}
