//! SQL over HTTP.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value as Json, json};

use crate::world::{Answer, World};

const SQL: &str = "/v1/graphs/shop/sql";

fn ask(world: &World, query: &str) -> Answer {
    world.post(SQL, &json!({ "query": query }))
}

#[test]
fn rows_come_with_their_columns_and_clocks() {
    let world = World::shop();
    let answer = ask(&world, "SELECT id, age, created FROM \"user\" ORDER BY id");
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{}", answer.text());
    let json = answer.json();
    assert_eq!((&json["commit"], &json["at"], &json["deletes"]), (&json!(2), &Json::Null, &json!("hard")));
    let types: Vec<&str> =
        json["columns"].as_array().expect("columns").iter().filter_map(|of| of["type"].as_str()).collect();
    assert_eq!(types, ["text", "float", "time"]);
    assert_eq!(json["rows"], json!([["ann", 31.0, "1970-01-01T00:00:10Z"]]), "Bo has left");
    let then = world
        .post(SQL, &json!({ "query": "SELECT id, age FROM \"user\" ORDER BY id", "at": "1970-01-01T00:00:45Z" }))
        .json();
    assert_eq!((&then["rows"], &then["at"]["tick"]), (&json!([["ann", 30.0], ["bo", null]]), &json!("45")));
    let before = world.post(SQL, &json!({ "query": "SELECT count(*) FROM edges", "commit": 1 })).json();
    assert_eq!((&before["rows"], &before["commit"]), (&json!([[1]]), &json!(1)));
    let other = ask(&world, "SELECT count(*) FROM edges VERSION AS OF 1").json();
    assert_eq!(other["rows"], json!([[1]]));
    let cut = world.post(SQL, &json!({ "query": "SELECT id FROM nodes", "limit": 1 })).json();
    assert_eq!((cut["rows"].as_array().map(Vec::len), &cut["truncated"]), (Some(1), &json!(true)));
}

#[test]
fn what_does_not_run_names_its_clause() {
    let world = World::shop();
    for (query, what) in [
        ("SELECT * FROM nodes TABLESAMPLE (10)", "TABLESAMPLE"),
        ("DELETE FROM nodes", "DELETE"),
        ("SELECT * FROM nobody", "nobody"),
        ("SELEC", "SELEC"),
        ("SELECT * FROM nodes VERSION AS OF 9", "commit 9"),
    ] {
        let answer = ask(&world, query);
        assert_eq!(answer.code(), "bad_request", "{}", answer.text());
        assert!(answer.text().contains(what), "{query}: {}", answer.text());
    }
    let too_many = world.post(SQL, &json!({ "query": "SELECT 1", "limit": 100_001 }));
    assert!(too_many.text().contains("limit:"), "{}", too_many.text());
    assert_eq!(world.post(SQL, &json!({ "query": "SELECT 1", "rows": 1 })).code(), "bad_request");
    assert_eq!(world.post(SQL, &json!({ "query": "SELECT 1", "commit": 9 })).code(), "not_found");
}

#[test]
fn arrow_says_the_same() {
    let world = World::shop();
    let headers = [("content-type", "application/json"), ("accept", "application/vnd.apache.arrow.stream")];
    let body = json!({ "query": "SELECT id FROM nodes ORDER BY id" }).to_string();
    let answer = world.request(Method::POST, SQL, &headers, Body::from(body));
    assert_eq!(answer.header("content-type"), "application/vnd.apache.arrow.stream", "{}", answer.text());
    let stream = arrow_ipc::reader::StreamReader::try_new(std::io::Cursor::new(&answer.body), None).expect("a stream");
    let rows: usize = stream.map(|batch| batch.expect("a batch").num_rows()).sum();
    assert_eq!(rows, 3);
    let wrong = world.request(Method::POST, SQL, &headers, Body::from(json!({ "query": "SELECT" }).to_string()));
    assert_eq!(wrong.code(), "bad_request", "an error before the first row is a problem");
}

#[test]
fn tables_are_listed() {
    let world = World::shop();
    let tables = world.json("/v1/graphs/shop/sql/tables")["tables"].clone();
    let named = |name: &str| tables.as_array().expect("a list").iter().find(|of| of["name"] == name).cloned();
    assert_eq!(named("nodes").expect("a view")["kind"], "view");
    let neighbors = named("neighbors").expect("a function");
    assert_eq!(neighbors["kind"], "function");
    assert!(neighbors["signature"].as_str().expect("text").starts_with("neighbors("), "{neighbors}");
    assert!(!world.get("/v1/graphs/shop/sql/tables").header("etag").is_empty());
}
