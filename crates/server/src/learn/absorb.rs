//! Memory takes in what was loaded since; the weights stay.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use axum::response::Response;
use timeweft::load::LoadProgress;
use timeweft::model::LearnProgress;

use super::asked::standing;
use super::shelf::{problem, summary, turn};
use crate::asking::{Asked, NoQuery};
use crate::job_routes::{Started, started};
use crate::jobs::{Job, JobKind};
use crate::problem::Problem;
use crate::queue::Writes;
use crate::report::Report;
use crate::served::Served;

/// Has the memory of a model take in what was loaded since; its weights stay. Questions go on meanwhile, and loads do, too.
#[utoipa::path(
    post, path = "/v1/graphs/{graph}/models/{model}/absorb", tag = "models",
    params(("graph" = String, Path, description = "Name of the graph"), ("model" = String, Path, description = "Name of the model")),
    responses((status = 202, body = Started, headers(("Location" = String, description = "Where the job is")))),
)]
pub(crate) async fn absorb(asked: Asked<NoQuery>) -> Result<Response, Problem> {
    let (graph, name) = (asked.graph.clone(), asked.part("model").to_owned());
    // What is not there is said at once.
    let (pinned, wanted) = (asked.pinned.clone(), name.clone());
    asked.app.work(&graph, move |_| summary(&pinned, &wanted).map(drop)).await?;
    let shelved = graph.clone();
    let job = asked.app.start(&graph, JobKind::Absorb, Writes::No, move |job, _| taken_in(job, &shelved, &name))?;
    started(graph.name(), &job)
}

fn taken_in(job: &Job, graph: &Arc<Served>, name: &str) -> Result<Option<Report>, Problem> {
    let began = Instant::now();
    let _turn = turn(&graph.models.absorbing, job.stop())?;
    job.step("loads the model");
    let model = standing(graph, name, job.stop())?;
    let newest = graph.newest();
    let file = newest.graph().model_file(name, newest.view()).map_err(|error| problem(&newest, error))?;
    let mut first = None;
    let newer = file.catch_up_with(&model, |at| {
        if let LearnProgress::Absorbing { done, of } = at {
            let taken_in = done - *first.get_or_insert(done);
            job.step(format!("takes in facts: {done} of {of}"));
            job.progress(LoadProgress { records: taken_in as u64, bytes: 0, size: None });
        }
        if job.stop().is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let (newer, facts) = newer.map_err(|error| problem(&newest, error))?;
    if !graph.is_read_only() {
        newer.keep_memory().map_err(|error| problem(&newest, error))?;
    }
    graph.models.replace(&newest, Arc::new(newer))?;
    job.progress(LoadProgress { records: facts as u64, bytes: 0, size: None });
    let seconds = began.elapsed().as_secs_f64();
    Ok(Some(Report { events: facts as u64, seconds, ..Report::default() }))
}
