//! Why an answer got its score.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::NodeKey;
use timeweft::load::Stop;
use timeweft::model::{Count, Explanation as Explained, HeardNeighbor, Predict, RecalledMoment};
use utoipa::ToSchema;

use super::asked::{NodeName, Question, Waiting};
use super::number::Number;
use crate::asking::{Asked, NoQuery, Received};
use crate::problem::Problem;
use crate::wire::{Moment, NodeRef};

/// Past messages that are told.
const MOMENTS: usize = 50;

/// A question about why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainBody {
    /// Name of the model.
    model: String,
    /// The source, or the node that goes.
    source: NodeName,
    /// The relation; left out, the only one that the model predicts.
    relation: Option<String>,
    /// The destination; left out for a model of nodes that go.
    destination: Option<NodeName>,
    /// Time: ticks, RFC 3339, or `namespace@version`; everything strictly before is known. Left out, the moment after everything
    /// that the model's memory has taken in.
    at: Option<String>,
    /// Number of the commit; left out, the one that the model's memory is of.
    commit: Option<u64>,
    /// Neighbors that neither end is to have been linked with, ever.
    #[serde(default)]
    without: Vec<NodeName>,
}

/// Why an answer got its score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explanation {
    commit: u64,
    model: String,
    at: Moment,
    source: NodeRef,
    relation: Option<String>,
    destination: Option<NodeRef>,
    #[schema(value_type = f32)]
    score: Number,
    /// The score above the mean of the others.
    #[schema(value_type = f32)]
    lead: Number,
    /// What counting added; null for a model without counters.
    #[schema(value_type = Option<f32>)]
    counting: Option<Number>,
    /// Scores of the other candidates, at most 16, always the same ones.
    #[schema(value_type = Vec<f32>)]
    others: Vec<Number>,
    counters: Vec<Counter>,
    /// Those of the source first; of each end the largest push first.
    neighbors: Vec<Heard>,
    /// Past messages, the largest push first, at most 50.
    memory: Vec<Remembered>,
    without: Option<WithoutThem>,
    warnings: Vec<String>,
}

/// How often something was, in edges of the relation before the time, and when last.
#[derive(Debug, Serialize, ToSchema)]
struct Counter {
    what: Counted,
    n: u32,
    last: Option<Moment>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Counted {
    /// From the source to the destination.
    Pair,
    /// From the destination to the source.
    Reversed,
    /// From anywhere to the destination.
    ToDestination,
    /// From the destination to anywhere.
    FromDestination,
    /// From the source to anywhere.
    FromSource,
}

/// An end of the edge, or the node.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum End {
    Source,
    Destination,
}

/// A neighbor that an end listened to.
#[derive(Debug, Serialize, ToSchema)]
struct Heard {
    at: End,
    node: NodeRef,
    relation: String,
    /// Whether the edge between them ends at the neighbor.
    outward: bool,
    created: Moment,
    /// One number a head, from 0 to 1.
    #[schema(value_type = Vec<f32>)]
    attention: Vec<Number>,
    /// Signed share of the lead that came through it.
    #[schema(value_type = f32)]
    push: Number,
}

/// A moment that memory holds.
#[derive(Debug, Serialize, ToSchema)]
struct Remembered {
    at: End,
    time: Moment,
    /// What happened, in words.
    what: String,
    /// Signed share of the lead that came through it.
    #[schema(value_type = f32)]
    push: Number,
}

/// The answer as if some neighbors had never been linked.
#[derive(Debug, Serialize, ToSchema)]
struct WithoutThem {
    nodes: Vec<NodeRef>,
    #[schema(value_type = f32)]
    score: Number,
    #[schema(value_type = f32)]
    lead: Number,
}

impl End {
    fn of(at_source: bool) -> End {
        if at_source { End::Source } else { End::Destination }
    }
}

/// Why an edge comes or goes, or a node goes: whom its ends listened to, what they remember, what was counted.
#[utoipa::path(
    post, path = "/v1/graphs/{graph}/explain", tag = "models", params(("graph" = String, Path, description = "Name of the graph")),
    request_body = ExplainBody, responses((status = 200, body = Explanation)),
)]
pub(crate) async fn explain(asked: Asked<NoQuery>, received: Received) -> Result<Response, Problem> {
    let body: ExplainBody = received.json()?;
    let asked = asked.pin(body.commit, None, None).await?;
    let (_waiting, stop) = Waiting::new();
    asked.answer(move |asked, _| explained(asked, &body, &stop)).await
}

fn explained(asked: &Asked<NoQuery>, body: &ExplainBody, stop: &Stop) -> Result<Explanation, Problem> {
    let question = Question::open(asked, &body.model, body.commit.is_some(), stop)?;
    let (model, source) = (&question.model, body.source.key());
    let time = question.time(body.at.as_deref())?;
    let why = match (&body.destination, model.predicts()) {
        (None, Predict::Gone) => model.why_gone(&source),
        (Some(_), Predict::Gone) => {
            let message = format!("destination: the model `{}` predicts which nodes go, not edges", body.model);
            return Err(Problem::bad(message).hint("Leave the destination out."));
        }
        (None, _) => return Err(Problem::bad("destination: which edge? give the type and id of its destination")),
        (Some(destination), _) => model.why(&question.relation(body.relation.as_deref())?, &source, &destination.key()),
    };
    let why = why.at(time).until(stop);
    let told = why.clone().explain().map_err(|error| question.problem(error))?;
    let without: Vec<NodeKey> = body.without.iter().map(NodeName::key).collect();
    let without = match without.is_empty() {
        true => None,
        false => {
            let left = why.without(&without).map_err(|error| question.problem(error))?;
            let nodes = without.iter().map(|key| question.node(key)).collect();
            Some(WithoutThem { nodes, score: Number(left.score), lead: Number(left.lead) })
        }
    };
    Ok(Explanation {
        commit: question.commit(),
        model: body.model.clone(),
        at: question.moment(told.time),
        source: question.node(&told.source),
        relation: told.relation.as_ref().map(ToString::to_string),
        destination: told.destination.as_ref().map(|destination| question.node(destination)),
        score: Number(told.score),
        lead: Number(told.lead),
        counting: told.counting.map(Number),
        others: told.others.iter().copied().map(Number).collect(),
        counters: counters(&question, &told),
        neighbors: told.neighbors.iter().map(|one| heard(&question, one)).collect(),
        memory: memory(&question, &told),
        without,
        warnings: question.warnings(),
    })
}

/// What was counted: nothing for a node or by a model that does not count; between other types nothing goes the other way round.
fn counters(question: &Question, told: &Explained) -> Vec<Counter> {
    let (Some(counters), Some(destination), Some(_)) = (&told.counters, &told.destination, told.counting) else {
        return Vec::new();
    };
    let is_one_type = told.source.node_type == destination.node_type;
    let all = [
        (Counted::Pair, counters.pair, true),
        (Counted::Reversed, counters.reversed, is_one_type),
        (Counted::ToDestination, counters.to_destination, true),
        (Counted::FromDestination, counters.from_destination, is_one_type),
        (Counted::FromSource, counters.from_source, true),
    ];
    let counter =
        |(what, Count { count, last }, _)| Counter { what, n: count, last: last.map(|at| question.moment(at)) };
    all.into_iter().filter(|(_, _, is_told)| *is_told).map(counter).collect()
}

fn heard(question: &Question, one: &HeardNeighbor) -> Heard {
    Heard {
        at: End::of(one.at_source),
        node: question.node(&one.node),
        relation: one.relation.to_string(),
        outward: one.outward,
        created: question.moment(one.created),
        attention: one.attention.iter().copied().map(Number).collect(),
        push: Number(one.contribution),
    }
}

fn memory(question: &Question, told: &Explained) -> Vec<Remembered> {
    let mut moments: Vec<&RecalledMoment> = told.memory.iter().filter(|moment| !moment.facts.is_empty()).collect();
    moments.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    let called = |key: &NodeKey| question.node(key).name.unwrap_or_else(|| key.id.to_string());
    let remembered = |moment: &RecalledMoment| Remembered {
        at: End::of(moment.at_source),
        time: question.moment(moment.time),
        what: moment.in_words(called),
        push: Number(moment.contribution as f32),
    };
    moments.into_iter().take(MOMENTS).map(remembered).collect()
}
