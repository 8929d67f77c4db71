//! Jobs over HTTP: how far one is, its progress as it goes, and the wish that it ends.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer;
use crate::app::App;
use crate::caller::{Caller, Role};
use crate::jobs::{Job, JobKind, JobStatus};
use crate::problem::{Code, Problem};

/// The shortest time between two events.
const OFTEN: Duration = Duration::from_millis(100);

/// Streams end by themselves before the server does: it stops all jobs.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(look, stop)).routes(routes!(events))
}

/// A job that was started.
#[derive(Serialize, ToSchema)]
pub(crate) struct Started {
    job: JobStatus,
}

/// The answer to what became a job: 202, and where to look.
pub(crate) fn started(graph: &str, job: &Job) -> Result<Response, Problem> {
    let mut response = answer::unkept(StatusCode::ACCEPTED, &Started { job: job.status() })?;
    let place = format!("/v1/graphs/{}/jobs/{}", answer::encoded(graph), job.id());
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

fn find(app: &App, caller: &Caller, graph: &str, job: &str) -> Result<Arc<Job>, Problem> {
    app.jobs.find(app.graph(graph, caller)?.name(), job)
}

/// How far a job is.
#[utoipa::path(get, path = "/v1/graphs/{graph}/jobs/{job}", tag = "loads",
    params(("graph" = String, Path), ("job" = String, Path)), responses((status = 200, body = JobStatus)))]
async fn look(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((graph, job)): Path<(String, String)>,
) -> Result<Response, Problem> {
    answer::unkept(StatusCode::OK, &find(&app, &caller, &graph, &job)?.status())
}

/// Asks a job to end; it ends as `stopped`, and nothing of it is visible.
#[utoipa::path(delete, path = "/v1/graphs/{graph}/jobs/{job}", tag = "loads",
    params(("graph" = String, Path), ("job" = String, Path)), responses((status = 202, body = Started)))]
async fn stop(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((graph, job)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let job = find(&app, &caller, &graph, &job)?;
    let role = match job.kind() {
        JobKind::Load | JobKind::Rollback => Role::Load,
        JobKind::Train | JobKind::Absorb => Role::Train,
    };
    if !caller.has(role) {
        return Err(Problem::new(Code::Forbidden, format!("this needs the role {}", role.name())));
    }
    job.stop().ask();
    started(&graph, &job)
}

/// Progress as server-sent events: `progress` with a job at most ten times a second, at last `done` with the job.
#[utoipa::path(get, path = "/v1/graphs/{graph}/jobs/{job}/events", tag = "loads",
    params(("graph" = String, Path), ("job" = String, Path)),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((graph, job)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let job = find(&app, &caller, &graph, &job)?;
    let (to, from) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut changes = job.subscribe();
        loop {
            let status = job.status();
            let is_over = status.state.is_over();
            let event = Event::default().event(if is_over { "done" } else { "progress" });
            // A client that does not read is left alone until it does.
            let sent = match event.json_data(&status) {
                Ok(event) => to.send(Ok::<Event, Infallible>(event)).await.is_ok(),
                Err(_) => false,
            };
            if is_over || !sent {
                return;
            }
            tokio::time::sleep(OFTEN).await;
            let changed = tokio::select! {
                changed = changes.changed() => changed.is_ok(),
                () = to.closed() => false,
            };
            if !changed {
                return;
            }
        }
    });
    let mut response = Sse::new(ReceiverStream::new(from)).keep_alive(KeepAlive::default()).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
