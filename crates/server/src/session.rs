//! Sessions of browsers: a token buys a cookie that scripts cannot read.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer;
use crate::app::App;
use crate::asking::Received;
use crate::caller::{Caller, Role};
use crate::guard::{SESSION_COOKIE, cookie};
use crate::problem::{Code, Problem};

pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(look, begin, end))
}

/// Who asks, and what the server can do.
#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    /// The name of the token; null where none is needed.
    name: Option<String>,
    roles: Vec<Role>,
    needs_token: bool,
    version: &'static str,
    features: Vec<Feature>,
}

/// What a server has beside graphs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Feature {
    #[cfg_attr(not(feature = "sql"), allow(dead_code))]
    Sql,
    Learn,
}

/// A token that buys a session.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    token: String,
}

impl Session {
    fn new(app: &App, caller: Caller) -> Session {
        let features = vec![
            #[cfg(feature = "sql")]
            Feature::Sql,
            Feature::Learn,
        ];
        let needs_token = app.access.needs_token();
        Session { name: caller.name, roles: caller.roles, needs_token, version: env!("CARGO_PKG_VERSION"), features }
    }
}

/// Who the session is of; 401 where a token is needed and none came.
#[utoipa::path(get, path = "/v1/session", tag = "session", responses((status = 200, body = Session)))]
async fn look(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let caller = match (app.access.needs_token(), bearer(&headers), cookie(&headers)) {
        (false, ..) => Caller::everyone(),
        (true, Some(token), _) => app.access.bearer(token)?,
        (true, None, Some(cookie)) => app.access.session(cookie)?,
        (true, None, None) => {
            return Err(Problem::new(Code::Unauthorized, "this server needs a token").hint("Sign in with a token."));
        }
    };
    answer::unkept(StatusCode::OK, &Session::new(&app, caller))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(axum::http::header::AUTHORIZATION)?.to_str().ok()?;
    text.split_once(' ').map(|(_, token)| token.trim())
}

/// Begins a session.
#[utoipa::path(post, path = "/v1/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = Session, headers(("set-cookie" = String, description = "The session")))))]
async fn begin(State(app): State<Arc<App>>, body: Received) -> Result<Response, Problem> {
    let SignIn { token } = body.json()?;
    if !app.access.needs_token() {
        return answer::unkept(StatusCode::OK, &Session::new(&app, Caller::everyone()));
    }
    let begun = app.access.begin(token.trim())?;
    let mut response = answer::unkept(StatusCode::OK, &Session::new(&app, begun.caller))?;
    set_cookie(&mut response, &app, &begun.cookie, begun.seconds)?;
    Ok(response)
}

/// Ends the session; its cookie counts no more.
#[utoipa::path(delete, path = "/v1/session", tag = "session", responses((status = 204)))]
async fn end(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(cookie) = cookie(&headers) {
        app.access.end(cookie);
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, &app, "", 0)?;
    Ok(response)
}

fn set_cookie(response: &mut Response, app: &App, value: &str, seconds: i64) -> Result<(), Problem> {
    let secure = if app.access.is_tls { "; Secure" } else { "" };
    let text = format!("{SESSION_COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
    let text = HeaderValue::from_str(&text).map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    response.headers_mut().insert(SET_COOKIE, text);
    Ok(())
}
