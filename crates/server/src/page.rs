//! The page: its files are part of the program.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::answer::is_known;
use crate::app::App;
use crate::problem::Problem;

/// The files by name, as `build.rs` found them.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/dist.rs"));

/// A file with what its answer says of it.
struct File {
    bytes: &'static [u8],
    tag: String,
    kind: &'static str,
}

/// The same, with their tags.
static KNOWN: LazyLock<HashMap<&str, File>> = LazyLock::new(|| {
    let file = |(name, bytes): &(&'static str, &'static [u8])| {
        let hash = blake3::hash(bytes).to_hex();
        (*name, File { bytes, tag: format!("\"{}\"", &hash[..16]), kind: kind(name) })
    };
    FILES.iter().map(file).collect()
});

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

pub(crate) fn routes() -> Router<Arc<App>> {
    let index = |headers: HeaderMap| async move { file("index.html", &headers) };
    let docs = |headers: HeaderMap| async move { file("docs/index.html", &headers) };
    Router::new()
        .route("/", get(index))
        .route("/g/{*rest}", get(index))
        .route("/docs", get(docs))
        .route("/docs/", get(docs))
        .route("/docs/{*file}", get(|name, headers| below("docs", name, headers)))
        .route("/assets/{*file}", get(|name, headers| below("assets", name, headers)))
}

async fn below(folder: &'static str, Path(name): Path<String>, headers: HeaderMap) -> Response {
    file(&format!("{folder}/{name}"), &headers)
}

/// A file of the list, and nothing else: no path leads out of it.
fn file(name: &str, headers: &HeaderMap) -> Response {
    let Some(file) = KNOWN.get(name) else {
        return Problem::not_found(format!("the page has no file /{name}")).into_response();
    };
    let is_there = headers.get(IF_NONE_MATCH).is_some_and(|known| is_known(known, &file.tag));
    let mut response = match is_there {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => file.bytes.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&file.tag) {
        headers.insert(ETAG, tag);
    }
    response
}
