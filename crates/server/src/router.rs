//! All routes, and their description.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::caller::Caller;
use crate::problem::{Problem, Refusal};

/// What the description says of all endpoints.
#[derive(OpenApi)]
#[openapi(
    info(title = "timeweft", description = "Graphs that change over time: questions as of any time, loads, models."),
    components(schemas(Refusal))
)]
struct Description;

/// The routes of all rooms.
fn rooms() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Description::openapi()).merge(crate::health::routes())
}

/// The description of all endpoints, OpenAPI 3.1.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    let (_, mut description) = rooms().split_for_parts();
    describe_problems(&mut description);
    description
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
    router.fallback(unknown).layer(axum::middleware::from_fn_with_state(app.clone(), guard)).with_state(app)
}

async fn unknown(request: Request) -> Response {
    Problem::not_found(format!("there is nothing at {}", request.uri().path())).into_response()
}

/// Lets through who may ask.
async fn guard(State(_): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Caller::everyone());
    next.run(request).await
}
