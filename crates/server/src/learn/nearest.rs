//! Nodes that a model sees alike.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::load::Stop;
use timeweft::model::Space;
use utoipa::ToSchema;

use super::asked::{Question, Waiting, key};
use super::number::Number;
use crate::asking::{Asked, NoQuery, Received};
use crate::problem::Problem;
use crate::wire::{Moment, NodeRef};

/// Vectors that are compared.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum By {
    /// What the predictor reads: memory, features and neighbors.
    #[default]
    Embedding,
    /// What past messages have left.
    Memory,
}

/// A question about which nodes are like one.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NearestBody {
    /// Name of the model.
    model: String,
    #[serde(rename = "type")]
    node_type: String,
    id: String,
    #[serde(default)]
    by: By,
    /// Time: ticks, RFC 3339, or `namespace@version`; left out, the moment after everything that the model's memory has taken in.
    at: Option<String>,
    /// Number of the commit; left out, the one that the model's memory is of.
    commit: Option<u64>,
    /// How many nodes, at most 1,000; left out, 10.
    top: Option<usize>,
}

/// Nodes of the same type that are alive just before the time, the most alike first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Nearest {
    commit: u64,
    model: String,
    at: Moment,
    node: NodeRef,
    by: By,
    nearest: Vec<Near>,
    warnings: Vec<String>,
}

/// A node that is like one.
#[derive(Debug, Serialize, ToSchema)]
struct Near {
    node: NodeRef,
    /// Of the vectors of both, from -1 to 1.
    #[schema(value_type = f32)]
    cosine: Number,
}

/// The nodes that a model sees as it sees one.
#[utoipa::path(
    post, path = "/v1/graphs/{graph}/nearest", tag = "models", params(("graph" = String, Path, description = "Name of the graph")),
    request_body = NearestBody, responses((status = 200, body = Nearest)),
)]
pub(crate) async fn nearest(asked: Asked<NoQuery>, received: Received) -> Result<Response, Problem> {
    let body: NearestBody = received.json()?;
    let asked = asked.pin(body.commit, None, None).await?;
    let (_waiting, stop) = Waiting::new();
    asked.answer(move |asked, _| found(asked, &body, &stop)).await
}

fn found(asked: &Asked<NoQuery>, body: &NearestBody, stop: &Stop) -> Result<Nearest, Problem> {
    let top = body.top.unwrap_or(10);
    if top > asked.app.limits.rows {
        return Err(Problem::bad(format!("top: at most {} nodes", asked.app.limits.rows)));
    }
    let question = Question::open(asked, &body.model, body.commit.is_some(), stop)?;
    let time = question.time(body.at.as_deref())?;
    let space = match body.by {
        By::Embedding => Space::Embedding,
        By::Memory => Space::Memory,
    };
    let node = key(&body.node_type, &body.id);
    let found = question.model.nearest_until(&node, time, space, top, stop);
    let found = found.map_err(|error| question.problem(error))?;
    let near = |(node, cosine): &(_, f32)| Near { node: question.node(node), cosine: Number(*cosine) };
    Ok(Nearest {
        commit: question.commit(),
        model: body.model.clone(),
        at: question.moment(time),
        node: question.node(&node),
        by: body.by,
        nearest: found.iter().map(near).collect(),
        warnings: question.warnings(),
    })
}
