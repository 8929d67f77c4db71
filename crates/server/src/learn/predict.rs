//! What comes next.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::load::Stop;
use timeweft::model::Predict;
use utoipa::ToSchema;

use super::asked::{Question, Waiting, key};
use super::number::Number;
use crate::asking::{Asked, NoQuery, Received};
use crate::problem::Problem;
use crate::wire::{Moment, NodeRef};

/// A question about what comes next.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PredictBody {
    /// Name of the model.
    model: String,
    /// Type of the source; of a model of nodes that go, of the nodes.
    #[serde(rename = "type")]
    node_type: String,
    /// Id of the source; left out for a model of nodes that go.
    id: Option<String>,
    /// The relation; left out, the only one that the model predicts.
    relation: Option<String>,
    /// The type of destinations; needed where the relation ends at several.
    destination_type: Option<String>,
    /// Time: ticks, RFC 3339, or `namespace@version`; everything strictly before is known. Left out, the moment after everything
    /// that the model's memory has taken in.
    at: Option<String>,
    /// Number of the commit; left out, the one that the model's memory is of.
    commit: Option<u64>,
    /// How many answers, at most 1,000; left out, 10.
    top: Option<usize>,
}

/// Candidates, best first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Prediction {
    commit: u64,
    model: String,
    at: Moment,
    question: PredictedOf,
    /// How many candidates there are.
    candidates: usize,
    answers: Vec<Candidate>,
    warnings: Vec<String>,
}

/// What was asked.
#[derive(Debug, Serialize, ToSchema)]
struct PredictedOf {
    source: Option<NodeRef>,
    relation: Option<String>,
    destination_type: Option<String>,
}

/// A candidate.
#[derive(Debug, Serialize, ToSchema)]
struct Candidate {
    destination: NodeRef,
    /// A logit: larger is likelier.
    #[schema(value_type = f32)]
    score: Number,
    /// Softmax over all candidates, from 0 to 1.
    #[schema(value_type = f32)]
    share: Number,
    /// How often the source had such an edge to it before, and when last; null for nodes that go.
    seen: Option<Seen>,
}

/// How often something was, and when last.
#[derive(Debug, Serialize, ToSchema)]
struct Seen {
    n: u32,
    last: Option<Moment>,
}

/// The likeliest destinations of a node's next edges, or the nodes that go next.
#[utoipa::path(
    post, path = "/v1/graphs/{graph}/predict", tag = "models", params(("graph" = String, Path, description = "Name of the graph")),
    request_body = PredictBody, responses((status = 200, body = Prediction)),
)]
pub(crate) async fn predict(asked: Asked<NoQuery>, received: Received) -> Result<Response, Problem> {
    let body: PredictBody = received.json()?;
    let asked = asked.pin(body.commit, None, None).await?;
    let (_waiting, stop) = Waiting::new();
    asked.answer(move |asked, _| predicted(asked, &body, &stop)).await
}

fn predicted(asked: &Asked<NoQuery>, body: &PredictBody, stop: &Stop) -> Result<Prediction, Problem> {
    let top = body.top.unwrap_or(10);
    if top > asked.app.limits.rows {
        return Err(Problem::bad(format!("top: at most {} answers", asked.app.limits.rows)));
    }
    let question = Question::open(asked, &body.model, body.commit.is_some(), stop)?;
    let (model, time) = (&question.model, question.time(body.at.as_deref())?);
    let answer = match &body.id {
        None if model.predicts() != Predict::Gone => {
            return Err(Problem::bad(format!("id: whose edges? give the id of a node of type {}", body.node_type)));
        }
        None => model.answer_gone(&body.node_type, time, top, stop),
        Some(_) if model.predicts() == Predict::Gone => {
            let message = format!("id: the model `{}` predicts which nodes go, of all nodes of a type", body.model);
            return Err(Problem::bad(message).hint("Leave the id out."));
        }
        Some(id) => {
            let relation = question.relation(body.relation.as_deref())?;
            let ask = model.predict(&relation, &key(&body.node_type, id)).at(time).until(stop);
            let ask = body.destination_type.as_deref().map_or(ask.clone(), |name| ask.destination_type(name));
            ask.answer(top)
        }
    };
    let answer = answer.map_err(|error| question.problem(error))?;
    let mut seen = answer.seen.iter();
    let candidates = answer.predictions.iter().map(|one| Candidate {
        destination: question.node(&one.destination),
        score: Number(one.score),
        share: Number(one.probability),
        seen: seen.next().map(|count| Seen { n: count.count, last: count.last.map(|time| question.moment(time)) }),
    });
    Ok(Prediction {
        commit: question.commit(),
        model: body.model.clone(),
        at: question.moment(answer.time),
        question: PredictedOf {
            source: answer.source.as_ref().map(|source| question.node(source)),
            relation: answer.relation.as_ref().map(ToString::to_string),
            destination_type: Some(answer.destination_type.to_string()),
        },
        candidates: answer.candidates,
        answers: candidates.collect(),
        warnings: question.warnings(),
    })
}
