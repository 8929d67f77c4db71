//! Every request passes here first: whose it is, whether it comes from another site, and whether it is allowed.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::caller::{Caller, Role};
use crate::problem::{Code, Problem};

/// The name of the cookie of a session.
pub(crate) const SESSION_COOKIE: &str = "timeweft";

/// What every answer says to browsers: nothing from elsewhere runs in it or takes it apart.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// Questions that come as a POST, by the end of their path. Any other POST changes something.
const QUESTIONS: [&str; 9] = ["predict", "explain", "score", "nearest", "query", "sample", "features", "walk", "sql"];

/// Lets through who may ask.
pub(crate) async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let mut response = match check(&app, &request) {
        Ok(caller) => {
            caller.map(|caller| request.extensions_mut().insert(caller));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// Who asks; none where that is of no account.
fn check(app: &App, request: &Request) -> Result<Option<Caller>, Problem> {
    let headers = request.headers();
    let host = host(request)?;
    let access = &app.access;
    if access.is_local && !access.needs_token() && !is_loopback(host) {
        let message = format!("Host: `{host}` is not this machine");
        let hint = "Without tokens the server answers only as localhost, 127.0.0.1 or [::1].";
        return Err(Problem::new(Code::Forbidden, message).hint(hint));
    }
    let origin = own_origin(headers, host, access.is_tls)?;
    let path = request.uri().path();
    let bearer = bearer(headers)?;
    let is_change = is_change(request.method(), path);
    if is_change && origin.is_none() && bearer.is_none() {
        let message = "what changes something needs the server's own Origin, or a token in Authorization";
        let hint = format!("curl: add -H 'Origin: {}://{host}'", if access.is_tls { "https" } else { "http" });
        return Err(Problem::new(Code::Forbidden, message).hint(hint));
    }
    if is_open(path) {
        return Ok(None);
    }
    let caller = match (access.needs_token(), bearer, cookie(headers)) {
        (false, ..) => Caller::everyone(),
        (true, Some(token), _) => access.bearer(token)?,
        (true, None, Some(cookie)) => access.session(cookie)?,
        (true, None, None) => {
            let problem = Problem::new(Code::Unauthorized, "this needs a token");
            return Err(problem.hint("Send `Authorization: Bearer TOKEN`, or sign in on the page."));
        }
    };
    let role = role(path, is_change);
    if !role.iter().any(|role| caller.has(*role)) {
        let needed: Vec<&str> = role.iter().map(|role| role.name()).collect();
        return Err(Problem::new(Code::Forbidden, format!("this needs the role {}", needed.join(" or "))));
    }
    Ok(Some(caller))
}

/// What anyone may see: the page without its data, and whether the server runs.
fn is_open(path: &str) -> bool {
    let below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    matches!(path, "/" | "/healthz" | "/readyz" | "/openapi.json" | "/v1/session")
        || ["/g", "/assets", "/docs"].into_iter().any(below)
}

fn is_change(method: &Method, path: &str) -> bool {
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => false,
        Method::POST => !path.rsplit('/').next().is_some_and(|end| QUESTIONS.contains(&end)),
        _ => true,
    }
}

/// The roles one of which is needed.
fn role(path: &str, is_change: bool) -> &'static [Role] {
    let room = path.strip_prefix("/v1/graphs/").and_then(|rest| rest.split('/').nth(1));
    match (path, is_change, room) {
        ("/metrics", ..) => &[Role::Admin],
        (_, false, _) => &[Role::Read],
        (_, true, Some("loads")) => &[Role::Load],
        (_, true, Some("models")) => &[Role::Train],
        (_, true, Some("jobs")) => &[Role::Load, Role::Train],
        _ => &[Role::Admin],
    }
}

/// The host that a request names.
fn host(request: &Request) -> Result<&str, Problem> {
    let of_uri = request.uri().authority().map(|authority| authority.as_str());
    let named = request.headers().get(HOST).map(|host| host.to_str());
    match (of_uri, named) {
        (Some(of_uri), None) => Ok(of_uri),
        (None, Some(Ok(host))) => Ok(host),
        (Some(of_uri), Some(Ok(host))) if of_uri == host => Ok(host),
        _ => Err(Problem::bad("Host: one is needed, and only one")),
    }
}

/// Whether a host is this machine by its own name: a name of somebody else may lead here too.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The origin of a request, if it names one. Any other than the server's own is refused.
fn own_origin<'a>(headers: &'a HeaderMap, host: &str, is_tls: bool) -> Result<Option<&'a str>, Problem> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(None) };
    let origin = origin.to_str().unwrap_or_default();
    // Behind what ends TLS for it, the server is asked without.
    let of_tls = origin.strip_prefix("https://");
    let own = if is_tls { of_tls } else { of_tls.or_else(|| origin.strip_prefix("http://")) };
    match own {
        Some(own) if own.eq_ignore_ascii_case(host) => Ok(Some(origin)),
        _ => Err(Problem::new(Code::Forbidden, format!("Origin: `{origin}` is another site"))),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(authorization) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let token = authorization.to_str().ok().and_then(|text| text.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Problem::new(Code::Unauthorized, "Authorization: expected `Bearer TOKEN`")),
    }
}

/// The cookie of a session.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|header| header.to_str().ok());
    let pairs = cookies.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == SESSION_COOKIE).map(|(_, value)| value).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:8642", "127.3.2.1", "[::1]:8642", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example:80", "127.0.0.1.nip.io", "10.0.0.1", "[::2]", "", "0.0.0.0"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_post_that_is_no_question_changes_something() {
        assert!(!is_change(&Method::POST, "/v1/graphs/g/predict"));
        assert!(is_change(&Method::POST, "/v1/graphs/g/loads"));
        assert!(is_change(&Method::POST, "/v1/graphs/g/models/m/absorb"));
        assert!(is_change(&Method::DELETE, "/v1/graphs/g/predict"));
        assert_eq!(role("/v1/graphs/g/loads/3", true), [Role::Load]);
        assert_eq!(role("/v1/graphs/g/loads/3", false), [Role::Read]);
        assert_eq!(role("/v1/graphs/g/models/m/absorb", true), [Role::Train]);
        assert_eq!(role("/v1/new", true), [Role::Admin]);
        assert_eq!(role("/metrics", false), [Role::Admin]);
    }
}
