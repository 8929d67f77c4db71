//! Scores of many links, each as of its own time.

use std::sync::Arc;

use arrow_array::{Float32Array, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use timeweft::load::{Frame, Stop};
use timeweft::read::RootsReader;
use timeweft::read::roots::{Root, Subject};
use timeweft::{EdgeKey, NodeKey, Time};
use timeweft_arrow::Table;
use utoipa::{IntoParams, ToSchema};

use super::asked::{NodeName, Question, Waiting};
use super::number::Number;
use crate::answer::Form;
use crate::arrow_body;
use crate::asking::{self, Asked, Clocks, Received};
use crate::problem::{Code, Problem};

/// What is asked of links that come as an Arrow stream. With a JSON body these stand there.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScoreQuery {
    /// Name of the model; of an Arrow stream.
    model: Option<String>,
    /// Time of links that have none; of an Arrow stream.
    at: Option<String>,
    /// Number of the commit; of an Arrow stream.
    commit: Option<u64>,
}

impl asking::Question for ScoreQuery {
    const CLOCKS: Clocks = Clocks::None;
}

/// Links to score. As an Arrow stream they have the columns `source_type`, `src`, `relation`, `destination_type`, `dst` and, if it is
/// not left out, `time`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScoreBody {
    /// Name of the model.
    model: String,
    links: Vec<Link>,
    /// Time of links that have none of their own: ticks, RFC 3339, or `namespace@version`; left out, the moment after everything that
    /// the model's memory has taken in.
    at: Option<String>,
    /// Number of the commit; left out, the one that the model's memory is of.
    commit: Option<u64>,
}

/// A possible edge.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Link {
    source: NodeName,
    relation: String,
    destination: NodeName,
    /// Everything strictly before is known.
    at: Option<String>,
}

/// Scores in the order of the links.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Scores {
    commit: u64,
    model: String,
    /// A logit each: it compares links of one relation, the higher the likelier. Null where an end is not alive just before, or the
    /// model was not trained for the edge.
    #[schema(value_type = Vec<Option<f32>>)]
    scores: Vec<Option<Number>>,
    warnings: Vec<String>,
}

/// The links of a request, before the graph is asked.
enum Given {
    Json(Vec<Link>),
    Arrow(axum::body::Bytes),
}

/// Scores of many possible edges, as JSON or, for who takes that, as an Arrow stream with the columns `root` (from 0) and `score`.
#[utoipa::path(
    post, path = "/v1/graphs/{graph}/score", tag = "models", params(("graph" = String, Path, description = "Name of the graph"), ScoreQuery),
    request_body(content((ScoreBody = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream"))),
    responses((status = 200, content((Scores = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream")))),
)]
pub(crate) async fn score(asked: Asked<ScoreQuery>, received: Received) -> Result<Response, Problem> {
    let ScoreQuery { model, at, commit } = asked.query.clone();
    let (model, at, commit, given) = if received.is_arrow() {
        let missing = || Problem::bad("model: which model? name it in the query beside an Arrow stream");
        (model.ok_or_else(missing)?, at, commit, Given::Arrow(received.bytes))
    } else {
        if model.is_some() || at.is_some() || commit.is_some() {
            return Err(Problem::bad("model, at, commit: they stand in the body beside its links"));
        }
        let ScoreBody { model, links, at, commit } = received.json()?;
        (model, at, commit, Given::Json(links))
    };
    let asked = asked.pin(commit, None, None).await?;
    let (_waiting, stop) = Waiting::new();
    let of = ScoredBy { model, at, is_pinned: commit.is_some(), stop };
    if asked.form == Form::Arrow {
        return asked.arrow(move |asked| of.scores(asked, given).and_then(|told| table(&told.scores))).await;
    }
    asked.answer(move |asked, _| of.scores(asked, given)).await
}

/// Which model scores, and as of when.
struct ScoredBy {
    model: String,
    at: Option<String>,
    is_pinned: bool,
    stop: Stop,
}

impl ScoredBy {
    fn scores(&self, asked: &Asked<ScoreQuery>, given: Given) -> Result<Scores, Problem> {
        let question = Question::open(asked, &self.model, self.is_pinned, &self.stop)?;
        let most = asked.app.limits.roots;
        let time = question.time(self.at.as_deref())?;
        let links = match given {
            Given::Json(links) => named(&question, links, time, most)?,
            Given::Arrow(bytes) => streamed(&question, bytes, time, most)?,
        };
        let scores = question.model.score_until(&links, &self.stop).map_err(|error| question.problem(error))?;
        let scores = scores.into_iter().map(|score| score.map(Number)).collect();
        Ok(Scores { commit: question.commit(), model: self.model.clone(), scores, warnings: question.warnings() })
    }
}

fn too_many(most: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("links: at most {most} at once")).hint("Send them in parts.")
}

fn named(question: &Question, links: Vec<Link>, time: Time, most: usize) -> Result<Vec<(EdgeKey, Time)>, Problem> {
    if links.len() > most {
        return Err(too_many(most));
    }
    let link = |link: Link| {
        let own = link.at.as_deref().map(|text| question.time(Some(text))).transpose()?;
        Ok((edge(link.source.key(), &link.relation, link.destination.key()), own.unwrap_or(time)))
    };
    links.into_iter().map(link).collect()
}

fn edge(source: NodeKey, relation: &str, destination: NodeKey) -> EdgeKey {
    EdgeKey { source, relation: relation.into(), destination, key: None }
}

/// The links of an Arrow stream.
fn streamed(
    question: &Question,
    bytes: axum::body::Bytes,
    time: Time,
    most: usize,
) -> Result<Vec<(EdgeKey, Time)>, Problem> {
    let wrong = |error: &dyn std::fmt::Display| Problem::bad(format!("the body is no Arrow stream of links: {error}"));
    let stream = arrow_body::reader(bytes).map_err(|error| wrong(&error))?;
    let unit = question.model.view().unit();
    let rows = RootsReader::of_frame(&Frame::once("links", Box::new(stream)), unit);
    let mut rows = rows.map_err(|error| wrong(&error))?;
    let mut links = Vec::new();
    while let Some(Root { place, subject, time: own }) = rows.advance().map_err(|error| wrong(&error))? {
        if links.len() == most {
            return Err(too_many(most));
        }
        let Subject::Edge { source_type, source, relation, destination_type, destination, .. } = subject else {
            return Err(Problem::bad("links have two ends: give the columns src and dst"));
        };
        let (Some(from), Some(relation), Some(to)) = (source_type, relation, destination_type) else {
            return Err(Problem::bad(format!("{place}: give source_type, relation and destination_type")));
        };
        let own = own.map(|own| if own == Time::FOREVER { question.model.next_time() } else { own });
        let (source, destination) =
            (NodeKey { node_type: from, id: source }, NodeKey { node_type: to, id: destination });
        links.push((edge(source, &relation, destination), own.unwrap_or(time)));
    }
    Ok(links)
}

/// Scores as a table.
fn table(scores: &[Option<Number>]) -> Result<Table, Problem> {
    let fields = [Field::new("root", DataType::UInt64, false), Field::new("score", DataType::Float32, true)];
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let roots = UInt64Array::from_iter_values(0..scores.len() as u64);
    let scores = Float32Array::from_iter(scores.iter().map(|score| score.map(|score| score.0)));
    let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(roots), Arc::new(scores)]);
    let batch = batch.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    Ok(Table { schema, batches: vec![batch] })
}
