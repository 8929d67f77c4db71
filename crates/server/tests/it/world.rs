//! A server over a small graph, asked without a socket.
#![allow(dead_code)] // Each room uses what it needs.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value as Json;
use tempfile::TempDir;
use timeweft::load::{EventFormat, Format, LoadOptions};
use timeweft::{Graph, TimeUnit};
use timeweft_server::Options;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// A shop: people buy things, one thing becomes another, one person leaves. Times are seconds.
pub(crate) const SHOP: &str = r#"{"time":10,"action":"create","entity":"node","source":{"type":"user","id":"ann","features":{"name":"Ann","age":30}}}
{"time":10,"action":"create","entity":"node","source":{"type":"user","id":"bo","features":{"name":"Bo"}}}
{"time":20,"action":"create","entity":"node","source":{"type":"item","id":"lamp:2","features":{"title":"A lamp","price":9.5}}}
{"time":20,"action":"create","entity":"node","source":{"type":"item","id":"a/b","features":{"title":"Slash"}}}
{"time":30,"action":"create","entity":"edge","source":{"type":"user","id":"ann"},"edge":{"type":"buys","features":{"count":2}},"destination":{"type":"item","id":"lamp:2"}}
{"time":40,"action":"create","entity":"edge","source":{"type":"user","id":"bo"},"edge":{"type":"buys"},"destination":{"type":"item","id":"lamp:2"}}
{"time":50,"action":"update","entity":"node","source":{"type":"user","id":"ann","features":{"age":31}}}
{"time":60,"action":"delete","entity":"edge","source":{"type":"user","id":"bo"},"edge":{"type":"buys"},"destination":{"type":"item","id":"lamp:2"}}
{"time":70,"action":"delete","entity":"node","source":{"type":"user","id":"bo"}}
"#;

/// Events of a second commit.
pub(crate) const MORE: &str = r#"{"time":80,"action":"create","entity":"edge","source":{"type":"user","id":"ann"},"edge":{"type":"buys"},"destination":{"type":"item","id":"a/b"}}
"#;

/// A server and what it stands on.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) runtime: Runtime,
    pub(crate) service: Router,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl World {
    /// The shop with both commits, served as `shop`.
    pub(crate) fn shop() -> World {
        World::shop_with(|options, _| options)
    }

    /// The same, with other options; the folder is where the graph lies.
    pub(crate) fn shop_with(change: impl FnOnce(Options, &std::path::Path) -> Options) -> World {
        let dir = tempfile::tempdir().expect("a folder");
        let graph = make_shop(dir.path());
        World::of(dir, graph, change)
    }

    /// Any graph, served as `shop`.
    pub(crate) fn of(dir: TempDir, graph: Graph, change: impl FnOnce(Options, &std::path::Path) -> Options) -> World {
        let options = change(Options::default().graph("shop", graph), dir.path());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("threads");
        let service = runtime.block_on(async { options.service() }).expect("the graph is served");
        World { dir, runtime, service }
    }

    /// Any request.
    pub(crate) fn send(&self, request: Request<Body>) -> Answer {
        self.runtime.block_on(async {
            let response = self.service.clone().oneshot(request).await.expect("an answer");
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("a whole body");
            Answer { status: parts.status, headers: parts.headers, body }
        })
    }

    /// A request as a browser of the page would send it.
    pub(crate) fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8642");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body).expect("a request"))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[], Body::empty())
    }

    /// The JSON of a question that is answered.
    pub(crate) fn json(&self, path: &str) -> Json {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// A question in a body.
    pub(crate) fn post(&self, path: &str, body: &Json) -> Answer {
        let headers = [("content-type", "application/json"), ("origin", "http://localhost:8642")];
        self.request(Method::POST, path, &headers, Body::from(body.to_string()))
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The code of a problem; what is no problem fails the test.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        assert!(json["error"]["message"].is_string(), "{json}");
        json["error"]["code"].as_str().expect("a code").to_owned()
    }
}

/// Makes the shop below a folder.
pub(crate) fn make_shop(dir: &std::path::Path) -> Graph {
    let mut graph = Graph::create(dir.join("shop"), TimeUnit::Second).expect("a new graph");
    for (name, events) in [("shop.jsonl", SHOP), ("more.jsonl", MORE)] {
        let path = dir.join(name);
        std::fs::write(&path, events).expect("a file");
        let format = Some(Format::Events(EventFormat::Jsonl));
        let report = graph.load(&path).options(LoadOptions { format, ..LoadOptions::default() }).run();
        assert_eq!(report.expect("it loads").n_rejected, 0);
    }
    graph
}
