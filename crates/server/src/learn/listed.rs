//! The models of a graph.

use axum::response::Response;
use serde::Serialize;
use timeweft::model::{ModelSummary, Predict};
use timeweft::{Commit, Time, TimeUnit};
use utoipa::ToSchema;

use super::shelf::{self, problem};
use crate::asking::{Asked, NoQuery};
use crate::pinned::Pinned;
use crate::problem::Problem;
use crate::served::Served;
use crate::wire::Moment;

/// The models of a graph, in order of name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Models {
    models: Vec<ModelInfo>,
    /// Files among them that are no models, or not any more.
    unreadable: Vec<Unreadable>,
}

/// A file that cannot be read as a model.
#[derive(Debug, Serialize, ToSchema)]
struct Unreadable {
    name: String,
    /// What is wrong with it.
    message: String,
}

/// A model in figures.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ModelInfo {
    name: String,
    predicts: Predicts,
    /// The commit that it was trained on.
    commit: u64,
    /// Wall clock, RFC 3339.
    trained: String,
    /// The last time of the training part.
    trained_until: Moment,
    /// The moment after everything that its memory has taken in: the time of a question that names none.
    next_time: Moment,
    absorbed: Absorbed,
    /// The edges that it predicts.
    relations: Vec<Relation>,
    /// The types whose nodes it sees go.
    node_types: Vec<String>,
    /// How many numbers its weights are.
    parameters: usize,
    epochs: usize,
    /// Mean reciprocal rank of the validation links in the epoch that was kept; null where there were none.
    mrr: Option<f64>,
    /// Types and features that came after the training.
    unknown: Vec<String>,
}

/// What a model predicts.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Predicts {
    Created,
    Removed,
    Gone,
}

/// What memory holds.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
struct Absorbed {
    /// Facts up to this commit.
    commit: u64,
    /// Facts of the newest commit that are not taken in.
    behind: usize,
}

/// A type of edges.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Relation {
    source: String,
    relation: String,
    destination: String,
}

/// All models of a graph.
#[utoipa::path(
    get, path = "/v1/graphs/{graph}/models", tag = "models", params(("graph" = String, Path, description = "Name of the graph")),
    responses((status = 200, body = Models)),
)]
pub(crate) async fn models(asked: Asked<NoQuery>) -> Result<Response, Problem> {
    asked
        .answer(|asked, deadline| {
            let pinned = &asked.pinned;
            let names = pinned.graph().models().map_err(|error| problem(pinned, error))?;
            let (mut models, mut unreadable) = (Vec::with_capacity(names.len()), Vec::new());
            for name in names {
                deadline.check()?;
                match shelf::summary(pinned, &name) {
                    Ok(summary) => models.push(info(&asked.graph, pinned, &summary)),
                    Err(problem) => unreadable.push(Unreadable { name, message: problem.message }),
                }
            }
            Ok(Models { models, unreadable })
        })
        .await
}

pub(crate) fn info(graph: &Served, pinned: &Pinned, summary: &ModelSummary) -> ModelInfo {
    let unit = pinned.view().unit();
    let Memory { commit, behind, next_time } = memory(graph, pinned, summary);
    let unknown = &summary.unknown;
    let all = [&unknown.node_types, &unknown.edge_types, &unknown.features, &unknown.changed];
    ModelInfo {
        name: summary.name.clone(),
        predicts: match summary.config.train.predict {
            Predict::Created => Predicts::Created,
            Predict::Removed => Predicts::Removed,
            Predict::Gone => Predicts::Gone,
        },
        commit: summary.commit.0,
        trained: summary.trained.map(|millis| TimeUnit::Milli.format(Time(millis))).unwrap_or_default(),
        trained_until: Moment::of(unit, summary.trained_until),
        next_time: Moment::of(unit, next_time),
        absorbed: Absorbed { commit: commit.0, behind },
        relations: summary.edge_types.iter().map(Relation::of).collect(),
        node_types: summary.node_types.clone(),
        parameters: summary.n_weights,
        epochs: summary.epochs.len(),
        mrr: summary.mrr(),
        unknown: all.into_iter().flatten().cloned().collect(),
    }
}

/// What the memory of a model holds.
struct Memory {
    commit: Commit,
    behind: usize,
    next_time: Time,
}

/// That of the model that answers; a server that only reads cannot keep in the file what memory took in.
fn memory(graph: &Served, pinned: &Pinned, summary: &ModelSummary) -> Memory {
    let known = graph.models.known(pinned, &summary.name);
    let file = pinned.graph().model_file(&summary.name, pinned.view());
    match (known, file) {
        (Some(model), Ok(file)) => {
            Memory { commit: model.view().commit(), behind: file.behind(&model), next_time: model.next_time() }
        }
        _ => Memory { commit: summary.absorbed, behind: summary.behind, next_time: summary.next_time },
    }
}

impl Relation {
    fn of([source, relation, destination]: &[String; 3]) -> Relation {
        Relation { source: source.clone(), relation: relation.clone(), destination: destination.clone() }
    }
}
