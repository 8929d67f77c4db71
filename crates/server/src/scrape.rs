//! Numbers about the server, in the text format of Prometheus.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::metrics::{OfGraph, resident_bytes};
use crate::problem::{Code, Problem};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Numbers about the server, in the text format of Prometheus. Needs the role admin.
#[utoipa::path(get, path = "/metrics", tag = "server",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let mut text = String::new();
    let failed = |error: std::fmt::Error| Problem::new(Code::Internal, error.to_string());
    encode(&mut text, &registry(&app)).map_err(failed)?;
    let mut response = text.into_response();
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// What was counted, and how the graphs stand now.
fn registry(app: &App) -> Registry {
    let mut all = app.metrics.registry();
    let [commits, held, nodes, edges, log, index, jobs]: [Family<OfGraph, Gauge>; 7] = Default::default();
    for graph in app.all() {
        let (of, pinned) = (OfGraph { graph: graph.name().to_owned() }, graph.newest());
        let set = |family: &Family<OfGraph, Gauge>, value: u64| {
            family.get_or_create(&of).set(value as i64);
        };
        set(&commits, pinned.commit().0);
        set(&held, graph.held() as u64);
        set(&nodes, pinned.view().index().n_nodes() as u64);
        set(&edges, pinned.view().index().n_edges() as u64);
        set(&log, pinned.sizes().log);
        set(&index, pinned.sizes().index);
        set(&jobs, graph.jobs.load(Ordering::Relaxed) as u64);
    }
    all.register("commit", "The newest commit", commits);
    all.register("views_held", "Views that questions and caches hold", held);
    all.register("nodes_ever", "Nodes that the log ever named", nodes);
    all.register("edge_lives_ever", "Lives of edges that the log ever created", edges);
    all.register_with_unit("log", "The catalogue and the log on disk", Unit::Bytes, log);
    all.register_with_unit("snapshots", "The snapshots on disk", Unit::Bytes, index);
    all.register("jobs", "Jobs that wait or run", jobs);
    let resident = Gauge::<i64>::default();
    resident.set(resident_bytes() as i64);
    all.register_with_unit("resident", "Memory of the process", Unit::Bytes, resident);
    all
}
