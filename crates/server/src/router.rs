//! All routes, and their description.

use std::any::Any;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, ResponseBuilder, Schema};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::guard::{SESSION_COOKIE, guard};
use crate::problem::{Code, Problem, Refusal};
use crate::{health, job_routes, loading, page, reads, scrape, session};

/// What the description says of all endpoints.
#[derive(OpenApi)]
#[openapi(
    info(title = "timeweft", description = "Graphs that change over time: questions as of any time, loads, models."),
    components(schemas(Refusal))
)]
struct Description;

/// The routes of all rooms.
fn rooms() -> OpenApiRouter<Arc<App>> {
    let rooms = OpenApiRouter::with_openapi(Description::openapi())
        .merge(health::routes())
        .merge(scrape::routes())
        .merge(session::routes())
        .merge(job_routes::routes())
        .merge(loading::routes())
        .merge(reads::routes())
        .merge(crate::learn::routes());
    #[cfg(feature = "sql")]
    let rooms = rooms.merge(crate::sql::routes());
    rooms
}

/// The description of all endpoints, OpenAPI 3.1.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    let (_, mut description) = rooms().split_for_parts();
    describe_problems(&mut description);
    describe_security(&mut description);
    open_parts(&mut description);
    description
}

/// What is put together of parts has the properties of all: no part forbids those of the others.
fn open_parts(description: &mut utoipa::openapi::OpenApi) {
    let schemas = description.components.iter_mut().flat_map(|components| components.schemas.values_mut());
    for schema in schemas {
        let RefOr::T(Schema::AllOf(whole)) = schema else { continue };
        for part in &mut whole.items {
            if let RefOr::T(Schema::Object(object)) = part {
                object.additional_properties = None;
            }
        }
    }
}

/// Tokens and sessions.
fn describe_security(description: &mut utoipa::openapi::OpenApi) {
    let components = description.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)));
    components.add_security_scheme("token", bearer);
    components.add_security_scheme("session", cookie);
    let needs = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    description.security = Some(vec![needs("token"), needs("session"), SecurityRequirement::default()]);
}

/// Every endpoint may answer with a problem.
fn describe_problems(description: &mut utoipa::openapi::OpenApi) {
    let body = || -> Content { ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build() };
    for item in description.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.delete, &mut item.put];
        for operation in operations.into_iter().flatten() {
            let response = ResponseBuilder::new().description("What is wrong").content("application/json", body());
            operation.responses.responses.insert("default".into(), RefOr::T(response.build()));
        }
    }
}

/// The service that answers.
pub(crate) fn service(app: Arc<App>) -> Router {
    let (router, _) = rooms().split_for_parts();
    let is_large = SizeAbove::new(COMPRESSED_FROM).and(NotForContentType::const_new("text/event-stream"));
    router
        .merge(page::routes())
        .route("/openapi.json", get(openapi))
        .fallback(unknown)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(app.clone(), guard))
        .layer(CompressionLayer::new().compress_when(is_large))
        .layer(CatchPanicLayer::custom(broken_down))
        .layer(from_fn_with_state(app.clone(), count))
        .with_state(app)
}

/// Bytes from which on an answer is compressed: less fits into a few packets anyway.
const COMPRESSED_FROM: u64 = 8_192;

async fn openapi() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(description_text);
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], TEXT.as_str()).into_response()
}

/// The description as it is committed.
pub(crate) fn description_text() -> String {
    description().to_pretty_json().unwrap_or_default() + "\n"
}

async fn unknown(request: Request) -> Response {
    let path = request.uri().path();
    let problem = Problem::not_found(format!("there is nothing at {path}"));
    let asks_in_sql = path.starts_with("/v1/graphs/") && (path.ends_with("/sql") || path.ends_with("/sql/tables"));
    let hint = "This program has no SQL: cargo build --release -p timeweft-cli --features serve,sql";
    if !cfg!(feature = "sql") && asks_in_sql { problem.hint(hint) } else { problem }.into_response()
}

async fn other_method(request: Request) -> Response {
    let message = format!("{} has no {}", request.uri().path(), request.method());
    let mut response = Problem::bad(message).into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}

/// Counts requests, and how long they take until the head of their answer.
async fn count(State(app): State<Arc<App>>, route: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let (began, method) = (Instant::now(), name_of(request.method()));
    let response = next.run(request).await;
    let route = route.as_ref().map_or("other", |route| route.as_str());
    app.metrics.count(method, route, response.status().as_u16(), began.elapsed());
    response
}

fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

/// A bug is told to the client as any other problem.
fn broken_down(_: Box<dyn Any + Send>) -> Response {
    let problem = Problem::new(Code::Internal, "the server broke down over this request");
    problem.hint("This is a bug: please report it.").into_response()
}
