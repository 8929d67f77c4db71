//! Training a model.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};
use timeweft::load::LoadProgress;
use timeweft::model::{Freshness, LearnProgress, Part};
use timeweft::{Config, TrainOptions};
use utoipa::ToSchema;

use super::shelf::problem;
use crate::asking::{Asked, NoQuery, Received};
use crate::job_routes::{Started, started};
use crate::jobs::{Job, JobKind};
use crate::pinned::Pinned;
use crate::problem::{Code, Problem};
use crate::queue::Writes;
use crate::report::Report;

/// What is trained, and how.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainBody {
    /// Name that the model is kept under; a model of this name is replaced once the new one is whole.
    name: String,
    /// Sections of the configuration, as `timeweft train --print-config` explains them; left out, the defaults.
    #[schema(value_type = Option<std::collections::BTreeMap<String, std::collections::BTreeMap<String, Value>>>)]
    config: Option<Map<String, Value>>,
    /// Relations whose edges are predicted, or types of nodes that go; left out, those of the configuration.
    targets: Option<Vec<String>>,
    /// Passes over the training part; left out, those of the configuration.
    epochs: Option<usize>,
    /// Number of the commit that it is trained on; left out, the newest.
    commit: Option<u64>,
}

/// How fresh the figures are that a training ends with.
const FRESHNESS: [Freshness; 2] = [Freshness::Event, Freshness::Batch(200)];

/// Trains a model and ranks it beside rules that learn nothing. The job tells epoch and loss; once it is stopped, nothing is kept.
#[utoipa::path(
    post, path = "/v1/graphs/{graph}/models", tag = "models", params(("graph" = String, Path, description = "Name of the graph")),
    request_body = TrainBody,
    responses((status = 202, body = Started, headers(("Location" = String, description = "Where the job is")))),
)]
pub(crate) async fn train(asked: Asked<NoQuery>, received: Received) -> Result<Response, Problem> {
    let body: TrainBody = received.json()?;
    if asked.graph.is_read_only() {
        let message =
            format!("graph `{}` is served for reading only: a model cannot be kept beside it", asked.graph.name());
        return Err(Problem::new(Code::Conflict, message).hint("Start the server without `--read-only`."));
    }
    let config = body.config()?;
    let asked = asked.pin(body.commit, None, None).await?;
    let (graph, pinned) = (asked.graph.clone(), asked.pinned.clone());
    // What is wrong with the name is said at once.
    pinned.graph().model_path(&body.name).map_err(|error| Problem::bad(error.to_string()))?;
    let start = move |job: &Job, _: &_| trained(job, &pinned, &body.name, config);
    let job = asked.app.start(&graph, JobKind::Train, Writes::No, start)?;
    started(graph.name(), &job)
}

impl TrainBody {
    fn config(&self) -> Result<Config, Problem> {
        let given = Value::Object(self.config.clone().unwrap_or_default());
        let mut config = Config::from_json(&given).map_err(|error| Problem::bad(format!("config: {error}")))?;
        if let Some(targets) = &self.targets {
            config.train.targets.clone_from(targets);
        }
        config.train.epochs = self.epochs.unwrap_or(config.train.epochs);
        config.check().map_err(|error| Problem::bad(format!("config: {error}")))?;
        Ok(config)
    }
}

fn trained(job: &Job, pinned: &Arc<Pinned>, name: &str, config: Config) -> Result<Option<Report>, Problem> {
    let wrong = |error| problem(pinned, error);
    let goes_on = || if job.stop().is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let options = TrainOptions::new(config).or_nothing().progress(|at| {
        tell(job, at);
        goes_on()
    });
    let model = pinned.graph().model_file(name, pinned.view()).map_err(wrong)?.train(options).map_err(wrong)?;
    let evaluations = model.evaluate(Part::Test, &FRESHNESS, Some(&mut |at| tell(job, at))).map_err(wrong)?;
    model.keep_evaluations(Part::Test, &evaluations).map_err(wrong)?;
    Ok(None)
}

/// Tells how far a training is.
fn tell(job: &Job, at: LearnProgress) {
    let records = match at {
        LearnProgress::Training { epoch, epochs, done, loss, .. } => {
            job.step(format!("epoch {epoch} of {epochs}, loss {loss:.3}"));
            done
        }
        LearnProgress::Ranking { done, of } => {
            job.step(format!("ranks links: {done} of {of}"));
            done
        }
        LearnProgress::Epoch(epoch) => {
            let mrr = epoch.validation.mrr;
            job.step(format!("epoch {} is over, loss {:.3}, validation MRR {mrr:.3}", epoch.epoch, epoch.loss));
            return;
        }
        _ => return,
    };
    job.progress(LoadProgress { records: records as u64, bytes: 0, size: None });
}
