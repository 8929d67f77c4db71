//! Samples, walks and features over HTTP are those of the library, from roots in JSON and in Arrow.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use axum::body::Body;
use axum::http::Method;
use serde_json::{Value as Json, json};

use crate::world::{Answer, World};

const G: &str = "/v1/graphs/shop";
const ARROW: &str = "application/vnd.apache.arrow.stream";

fn rows(answer: &Answer) -> Vec<Json> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["rows"].as_array().unwrap().clone()
}

fn ids(rows: &[Json]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

/// Roots as a table.
fn stream(types: &[&str], ids: &[&str], times: Option<&[i64]>) -> Vec<u8> {
    let mut columns: Vec<(&str, ArrayRef)> =
        vec![("type", Arc::new(StringArray::from(types.to_vec()))), ("id", Arc::new(StringArray::from(ids.to_vec())))];
    if let Some(times) = times {
        columns.push(("time", Arc::new(Int64Array::from(times.to_vec()))));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn post_stream(world: &World, path: &str, body: Vec<u8>, accept: &str) -> Answer {
    let headers = [("content-type", ARROW), ("accept", accept), ("origin", "http://localhost:8642")];
    world.request(Method::POST, path, &headers, Body::from(body))
}

#[test]
fn a_sample_sees_what_was_strictly_before() {
    let world = World::shop();
    let ask = |options: Json| rows(&world.post(&format!("{G}/sample"), &options));
    let roots = json!([{ "type": "item", "id": "lamp:2", "time": 40 }]);
    assert_eq!(ids(&ask(json!({ "roots": roots }))), ["ann"]);
    let both = ask(json!({ "roots": roots, "inclusive": true }));
    assert_eq!(ids(&both), ["bo", "ann"]);
    assert_eq!(
        both[0],
        json!({ "root": 0, "hop": 1, "slot": 0, "parent": null, "type": "user", "id": "bo", "relation": "buys", "direction": "in",
            "key": null, "created": "40", "weight": 1.0, "time": "40" })
    );
    let roots =
        json!([{ "type": "user", "id": "bo", "time": "1970-01-01T00:00:45Z" }, { "type": "user", "id": "zoe" }]);
    let two = world.post(&format!("{G}/sample"), &json!({ "roots": roots, "count": [5, 5], "feature": ["count"] }));
    let (answer, found) = (two.json(), rows(&two));
    assert_eq!((&answer["roots"], &answer["unknown"]), (&json!(2), &json!(1)));
    assert_eq!(ids(&found), ["lamp:2", "bo", "ann"]);
    assert_eq!((&found[2]["hop"], &found[2]["parent"], &found[2]["count"]), (&json!(2), &json!(0), &json!(2.0)));
    let quota = ask(json!({ "roots": [{ "type": "user", "id": "ann" }], "quota": ["buys=1"], "side": "out" }));
    assert_eq!(ids(&quota), ["a/b"]);
}

#[test]
fn roots_of_a_table_are_those_of_json() {
    let world = World::shop();
    let body = || stream(&["item", "user"], &["lamp:2", "ann"], Some(&[41, 90]));
    let texts = json!([{ "type": "item", "id": "lamp:2", "time": 41 }, { "type": "user", "id": "ann", "time": "90" }]);
    for (path, query, options) in [
        (
            "sample",
            "?count=3&count=2&seed=7&choice=uniform",
            json!({ "count": [3, 2], "seed": 7, "choice": "uniform" }),
        ),
        ("walk", "?length=4&walks=2&seed=3", json!({ "length": 4, "walks": 2, "seed": 3 })),
        ("features", "?feature=name&feature=age", json!({ "feature": ["name", "age"] })),
    ] {
        let mut question = options;
        question["roots"] = texts.clone();
        let expected = rows(&world.post(&format!("{G}/{path}"), &question));
        assert!(!expected.is_empty());
        let answer = post_stream(&world, &format!("{G}/{path}{query}"), body(), "application/json");
        assert_eq!(rows(&answer), expected, "{path}");
        let table = post_stream(&world, &format!("{G}/{path}{query}"), body(), ARROW);
        assert_eq!((table.status.as_u16(), table.header("content-type")), (200, ARROW), "{}", table.text());
        let batches: Vec<RecordBatch> =
            StreamReader::try_new(std::io::Cursor::new(table.body), None).unwrap().map(Result::unwrap).collect();
        let found: Vec<String> = batches
            .iter()
            .flat_map(|batch| {
                let ids = batch.column_by_name("id").unwrap().as_any().downcast_ref::<StringArray>().unwrap().clone();
                (0..ids.len()).map(move |row| ids.value(row).to_owned()).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(found, ids(&expected), "{path}");
    }
    let now = post_stream(
        &world,
        &format!("{G}/features?feature=age&at=45"),
        stream(&["user"], &["ann"], None),
        "application/json",
    );
    assert_eq!(rows(&now)[0]["age"], 30.0);
}

#[test]
fn features_are_read_before_the_time_of_each_root() {
    let world = World::shop();
    let root = |time: i64| json!({ "type": "user", "id": "ann", "time": time });
    let ask = |options: Json| rows(&world.post(&format!("{G}/features"), &options));
    let found = ask(json!({ "roots": [root(10), root(50), root(51)], "feature": ["age"] }));
    let told: Vec<_> = found.iter().map(|row| (row["alive"].clone(), row["age"].clone())).collect();
    assert_eq!(told, [(json!(false), Json::Null), (json!(true), json!(30.0)), (json!(true), json!(31.0))]);
    let at = ask(json!({ "roots": [root(10), root(50)], "feature": ["age"], "inclusive": true }));
    assert_eq!((&at[0]["age"], &at[1]["age"]), (&json!(30.0), &json!(31.0)));
    let gone = json!([{ "type": "user", "id": "bo" }]);
    assert_eq!(ask(json!({ "roots": gone, "feature": ["name"] }))[0]["name"], Json::Null);
    let soft = ask(json!({ "roots": gone, "feature": ["name"], "deletes": "soft" }));
    assert_eq!((&soft[0]["name"], &soft[0]["alive"]), (&json!("Bo"), &json!(false)));
    assert!(ask(json!({ "roots": gone }))[0].as_object().unwrap().contains_key("price"), "all of them, left out");
}

#[test]
fn a_walk_begins_at_its_root() {
    let world = World::shop();
    let found =
        rows(&world.post(
            &format!("{G}/walk"),
            &json!({ "roots": [{ "type": "user", "id": "ann", "time": 45 }], "length": 2 }),
        ));
    assert_eq!(ids(&found)[..2], ["ann", "lamp:2"]);
    assert_eq!(
        (&found[0]["relation"], &found[1]["relation"], &found[1]["created"]),
        (&Json::Null, &json!("buys"), &json!("30"))
    );
}

#[test]
fn what_cannot_be_asked_of_roots() {
    let world = World::shop();
    let root = json!([{ "type": "user", "id": "ann" }]);
    for (path, body, code) in [
        ("sample", json!({ "count": [3] }), "bad_request"),
        ("sample", json!({ "roots": root, "counts": [3] }), "bad_request"),
        ("sample", json!({ "roots": [{ "type": "user" }] }), "bad_request"),
        ("sample", json!({ "roots": [{ "id": "ann" }] }), "bad_request"),
        ("sample", json!({ "roots": [{ "type": "nobody", "id": "ann" }] }), "not_found"),
        ("sample", json!({ "roots": [{ "type": "user", "id": "ann", "time": "noon" }] }), "bad_request"),
        ("sample", json!({ "roots": root, "count": [0] }), "bad_request"),
        ("sample", json!({ "roots": root, "count": [100_000, 100_000] }), "too_large"),
        ("sample", json!({ "roots": root, "quota": ["buys"] }), "bad_request"),
        ("sample", json!({ "roots": root, "edge_type": ["eats"] }), "not_found"),
        ("sample", json!({ "roots": root, "within": "soon" }), "bad_request"),
        ("walk", json!({ "roots": root, "length": 0 }), "bad_request"),
        ("walk", json!({ "roots": root, "times": "later", "p": 2.0 }), "bad_request"),
        ("features", json!({ "roots": root, "feature": ["height"] }), "not_found"),
        ("features", json!({ "roots": vec![json!({ "type": "user", "id": "x" }); 100_001] }), "too_large"),
    ] {
        let answer = world.post(&format!("{G}/{path}"), &body);
        assert_eq!(answer.code(), code, "{path} {}", &body.to_string()[..body.to_string().len().min(90)]);
    }
    let answer = world.post(&format!("{G}/sample?seed=1"), &json!({ "roots": root }));
    assert_eq!(answer.code(), "bad_request", "options stand in the body");
    let broken = post_stream(&world, &format!("{G}/sample"), vec![1, 2, 3], ARROW);
    assert_eq!((broken.status.as_u16(), broken.code().as_str()), (400, "bad_request"));
    let edges = stream(&["user"], &["ann"], None);
    assert_eq!(post_stream(&world, &format!("{G}/sample?choice=best"), edges, ARROW).code(), "bad_request");
}
