//! Whether the server runs, and whether it answers questions.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer;
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::served::State as GraphState;

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz))
}

/// The state of the server.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
    version: &'static str,
}

/// Whether the server runs.
#[utoipa::path(get, path = "/healthz", tag = "server", responses((status = 200, body = Health)))]
async fn healthz() -> Result<Response, Problem> {
    answer::unkept(StatusCode::OK, &Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Whether every graph answers; 503 where one is stuck at an old commit.
#[utoipa::path(get, path = "/readyz", tag = "server", responses((status = 200, body = Health)))]
async fn readyz(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let stuck = app.all().find(|graph| graph.state().0 == GraphState::Failed);
    match stuck {
        None => healthz().await,
        Some(graph) => {
            let message = graph.state().1.unwrap_or_default();
            Err(Problem::new(Code::Unavailable, format!("graph `{}`: {message}", graph.name())))
        }
    }
}
