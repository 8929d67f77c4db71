//! Who is let in, and who is not.

use std::path::Path;

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use timeweft_server::{NewToken, Options, Role, Tokens};

use crate::world::{Answer, World};

/// Makes a file of tokens and gives their texts.
fn tokens(dir: &Path, new: &[NewToken]) -> (std::path::PathBuf, Vec<String>) {
    let path = dir.join("tokens.toml");
    let mut tokens = Tokens::default();
    let secrets = new.iter().map(|new| tokens.create(new.clone()).expect("a token").1).collect();
    tokens.save(&path).expect("a file");
    (path, secrets)
}

fn token(roles: &[Role]) -> NewToken {
    NewToken { roles: roles.to_vec(), ..NewToken::default() }
}

/// The shop behind tokens.
fn guarded(new: &[NewToken]) -> (World, Vec<String>) {
    let mut secrets = Vec::new();
    let world = World::shop_with(|options, dir| {
        let (path, made) = tokens(dir, new);
        secrets = made;
        Options { tokens: Some(path), ..options }
    });
    (world, secrets)
}

fn ask(world: &World, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    world.request(method, path, headers, Body::empty())
}

fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

const JOB: &str = "/v1/graphs/shop/jobs/1";

#[test]
fn without_a_token_only_the_empty_page_is_shown() {
    let (world, _) = guarded(&[token(&[Role::Read])]);
    for path in [JOB, "/metrics", "/v1/graphs/shop", "/v1/graphs", "/v1/nothing"] {
        assert_eq!(refusal(&world.get(path)), (401, "unauthorized".into()), "{path}");
    }
    assert_eq!(world.get(JOB).header("www-authenticate"), "Bearer");
    for path in ["/", "/g/shop/explore", "/assets/app.js", "/docs", "/healthz", "/readyz", "/openapi.json"] {
        assert_eq!(world.get(path).status, 200, "{path}");
    }
    assert_eq!(refusal(&world.get("/v1/session")), (401, "unauthorized".into()));
}

#[test]
fn a_token_counts_for_its_roles_its_graphs_and_its_time() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs() as i64;
    let new = [
        token(&[Role::Read]),
        NewToken { graphs: Some(vec!["other".into()]), ..token(&[Role::Admin]) },
        NewToken { not_before: Some(now + 1000), ..token(&[Role::Admin]) },
        NewToken { not_before: Some(now - 1000), expires: Some(now - 10), ..token(&[Role::Admin]) },
        token(&[Role::Load]),
        token(&[Role::Admin]),
    ];
    let (world, secrets) = guarded(&new);
    let with =
        |token: &str, method, path: &str| ask(&world, method, path, &[("authorization", &format!("Bearer {token}"))]);
    assert_eq!(refusal(&with(&secrets[0], Method::GET, JOB)), (404, "not_found".into()), "it is let in");
    assert_eq!(refusal(&with(&secrets[0], Method::DELETE, "/v1/graphs/shop/loads/1")), (403, "forbidden".into()));
    assert_eq!(refusal(&with(&secrets[0], Method::GET, "/metrics")), (403, "forbidden".into()));
    assert_eq!(refusal(&with(&secrets[1], Method::GET, JOB)), (403, "forbidden".into()), "another graph");
    assert_eq!(refusal(&with(&secrets[2], Method::GET, JOB)), (401, "unauthorized".into()));
    assert!(with(&secrets[2], Method::GET, JOB).text().contains("only from"), "not yet");
    assert_eq!(refusal(&with(&secrets[3], Method::GET, JOB)), (401, "unauthorized".into()));
    assert!(with(&secrets[3], Method::GET, JOB).text().contains("expired"));
    assert_eq!(refusal(&with(&secrets[4], Method::GET, JOB)), (403, "forbidden".into()), "to load is not to read");
    assert_eq!(refusal(&with(&secrets[4], Method::DELETE, "/v1/graphs/shop/loads/9")), (404, "not_found".into()));
    assert_eq!(refusal(&with(&secrets[4], Method::POST, "/v1/graphs/shop/models/m/absorb")), (403, "forbidden".into()));
    assert_eq!(with(&secrets[5], Method::GET, "/metrics").status, 200);
    for wrong in ["timeweft_0", "", &secrets[0][..70]] {
        assert_eq!(refusal(&with(wrong, Method::GET, JOB)), (401, "unauthorized".into()), "{wrong}");
    }
    let basic = ask(&world, Method::GET, JOB, &[("authorization", "Basic YTpi")]);
    assert_eq!(refusal(&basic), (401, "unauthorized".into()));
}

/// Signs in and gives the header `Set-Cookie`.
fn sign_in(world: &World, token: &str) -> String {
    let answer = world.post("/v1/session", &json!({ "token": token }));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.header("set-cookie").to_owned()
}

#[test]
fn a_session_is_a_cookie_that_is_no_token_and_ends_with_it() {
    let (world, secrets) = guarded(&[token(&[Role::Read, Role::Load])]);
    let set = sign_in(&world, &secrets[0]);
    assert!(set.ends_with("HttpOnly; SameSite=Strict; Path=/; Max-Age=43200"), "{set}");
    let cookie = set.split(';').next().expect("a cookie").to_owned();
    assert!(!set.contains(&secrets[0][9..]), "the cookie is not the token");
    let with = |cookie: &str, path: &str| ask(&world, Method::GET, path, &[("cookie", cookie)]);
    let session = with(&cookie, "/v1/session").json();
    assert_eq!((&session["roles"], &session["needs_token"]), (&json!(["read", "load"]), &json!(true)));
    assert_eq!(refusal(&with(&cookie, JOB)), (404, "not_found".into()), "it is let in");
    // A change needs the server's own origin beside the cookie, which other sites cannot send.
    let load = "/v1/graphs/shop/loads/9";
    let bare = ask(&world, Method::DELETE, load, &[("cookie", &cookie)]);
    assert_eq!(refusal(&bare), (403, "forbidden".into()));
    let own = [("cookie", cookie.as_str()), ("origin", "http://localhost:8642")];
    assert_eq!(refusal(&ask(&world, Method::DELETE, load, &own)), (404, "not_found".into()));
    // Logged out, the same cookie counts no more.
    assert_eq!(ask(&world, Method::DELETE, "/v1/session", &own).status, 204);
    assert_eq!(refusal(&with(&cookie, JOB)), (401, "unauthorized".into()), "replayed");
    for wrong in ["timeweft=", "timeweft=00", &format!("timeweft={}", secrets[0])] {
        assert_eq!(refusal(&with(wrong, JOB)), (401, "unauthorized".into()), "{wrong}");
    }
    let wrong = world.post("/v1/session", &json!({ "token": "timeweft_00" }));
    assert_eq!((refusal(&wrong), wrong.header("set-cookie")), ((401, "unauthorized".into()), ""));
}

#[test]
fn a_session_ends_when_its_token_does() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs() as i64;
    let (world, secrets) = guarded(&[NewToken { expires: Some(now + 2), ..token(&[Role::Read]) }]);
    let set = sign_in(&world, &secrets[0]);
    let seconds: u32 = set.rsplit('=').next().and_then(|text| text.parse().ok()).expect("an age");
    assert!(seconds <= 2, "{set}");
    let cookie = set.split(';').next().expect("a cookie").to_owned();
    assert_eq!(ask(&world, Method::GET, JOB, &[("cookie", &cookie)]).status, 404);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    assert_eq!(refusal(&ask(&world, Method::GET, JOB, &[("cookie", &cookie)])), (401, "unauthorized".into()));
}

#[test]
fn a_name_that_somebody_else_leads_here_is_refused() {
    let world = World::shop();
    let with = |host: &str| {
        let request = axum::http::Request::builder().uri("/v1/session").header("host", host);
        world.send(request.body(Body::empty()).expect("a request"))
    };
    for host in
        ["evil.example", "evil.example:8642", "127.0.0.1.evil.example", "10.0.0.7:8642", "localhost.evil.example"]
    {
        assert_eq!(refusal(&with(host)), (403, "forbidden".into()), "{host}");
    }
    for host in ["localhost:8642", "127.0.0.1:8642", "[::1]:8642", "localhost"] {
        assert_eq!(with(host).status, 200, "{host}");
    }
    let none = axum::http::Request::builder().uri("/healthz").body(Body::empty()).expect("a request");
    assert_eq!(refusal(&world.send(none)), (400, "bad_request".into()));
}

#[test]
fn what_comes_from_another_site_is_refused() {
    let world = World::shop();
    let body = json!({ "kind": "events", "source": "x" }).to_string();
    let send = |origin: Option<&str>, path: &str| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(origin.map(|origin| ("origin", origin)));
        world.request(Method::POST, path, &headers, Body::from(body.clone()))
    };
    let loads = "/v1/graphs/shop/loads";
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost:1",
        "http://localhost:8642.evil.example",
        "http://evil@localhost:8642",
    ] {
        for path in [loads, "/v1/session", "/v1/graphs/shop/query"] {
            assert_eq!(refusal(&send(Some(origin), path)), (403, "forbidden".into()), "{origin} {path}");
        }
    }
    let none = send(None, loads);
    assert_eq!(refusal(&none), (403, "forbidden".into()));
    assert!(none.text().contains("Origin: http://localhost:8642"), "it says what to do: {}", none.text());
    let own = send(Some("http://localhost:8642"), loads);
    assert!(own.text().contains("this server takes no paths"), "{}", own.text());
    let read = ask(&world, Method::GET, "/v1/session", &[("origin", "https://evil.example")]);
    assert_eq!(refusal(&read), (403, "forbidden".into()));
}

#[test]
fn every_answer_tells_browsers_to_keep_apart() {
    let world = World::shop();
    for path in ["/", "/healthz", "/v1/nothing", "/assets/app.css", "/docs", "/openapi.json"] {
        let answer = world.get(path);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self'; img-src 'self' blob: data:; object-src 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
    }
}

#[test]
fn no_path_leads_out_of_the_page_or_to_another_graph() {
    let world = World::shop();
    let paths = [
        "/assets/../Cargo.toml",
        "/assets/..%2f..%2fCargo.toml",
        "/assets/%2e%2e/index.html",
        "/assets/%2fetc%2fpasswd",
        "/docs/..%2findex.html",
        "/docs/../sizes.json",
        "/assets/..\\..\\x",
        "/sizes.json",
        "/assets/",
        "/assets/%00",
    ];
    for path in paths {
        assert_eq!(refusal(&world.get(path)), (404, "not_found".into()), "{path}");
    }
    for graph in ["..", "%2e%2e", "..%2fshop", ".%2fshop", "shop%2f", "shop%00", "%2ftmp%2fshop"] {
        let answer = world.get(&format!("/v1/graphs/{graph}/loads/1/undo"));
        assert_eq!(answer.status, 404, "{graph}: {}", answer.text());
    }
    let latin = world.get("/v1/graphs/%ff/loads/1/undo");
    assert_eq!(refusal(&latin), (400, "bad_request".into()));
}

#[test]
fn an_open_address_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let refused = |tokens: bool, insecure: bool| {
        let graph = timeweft::Graph::open_or_create(dir.path().join("g"), "s").expect("a graph");
        let (path, _) = self::tokens(dir.path(), &[token(&[Role::Read])]);
        let options = Options {
            bind: "0.0.0.0:0".parse().expect("an address"),
            tokens: tokens.then_some(path),
            insecure,
            ..Options::default()
        };
        options.graph("g", graph).listen().err().map(|error| error.to_string())
    };
    let neither = refused(false, false).expect("it is refused");
    assert!(neither.contains("neither tokens nor TLS") && neither.contains("--insecure"), "{neither}");
    assert!(refused(true, false).expect("it is refused").contains("without TLS"));
    assert_eq!(refused(false, true), None);
}

#[test]
fn names_of_graphs_are_names() {
    let dir = tempfile::tempdir().expect("a folder");
    for name in ["", "a/b"] {
        let graph = timeweft::Graph::open_or_create(dir.path().join("g"), "s").expect("a graph");
        assert!(Options::default().graph(name, graph).service().is_err(), "{name}");
    }
    assert!(Options::default().service().is_err(), "no graph");
}
