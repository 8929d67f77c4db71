//! What all answers share.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use timeweft::Graph;
use timeweft_server::{Limits, Options};

use crate::world::{MORE, World, make_shop};

#[test]
fn it_runs_and_answers() {
    let world = World::shop();
    assert_eq!(world.json("/healthz")["status"], "ok");
    assert_eq!(world.json("/readyz")["status"], "ok");
    assert_eq!(world.get("/healthz").header("cache-control"), "no-store");
}

#[test]
fn what_is_not_there_is_a_problem() {
    let world = World::shop();
    let answer = world.get("/v1/nothing");
    assert_eq!((answer.status.as_u16(), answer.code()), (404, "not_found".to_owned()));
}

#[test]
fn a_commit_whose_files_are_gone_is_410_and_the_newest_goes_on() {
    let world = World::shop();
    assert_eq!(world.json("/v1/graphs/shop?commit=1")["commit"], 1);
    let world = World::shop();
    std::fs::remove_file(world.dir.path().join("shop/manifest/small-segments.bin")).expect("where small loads lie");
    let gone = world.get("/v1/graphs/shop?commit=1");
    assert_eq!((gone.status.as_u16(), gone.code()), (410, "commit_gone".into()), "{}", gone.text());
    assert_eq!(world.json("/v1/graphs/shop")["commit"], 2);
}

#[test]
fn jobs_beyond_the_limit_are_429_and_say_when_to_come_again() {
    let world = World::shop_with(|options, _| Options { limits: Limits { jobs: 0, ..Limits::default() }, ..options });
    let origin = [("origin", "http://localhost:8642")];
    let refused = world.request(Method::DELETE, "/v1/graphs/shop/loads/2", &origin, Body::empty());
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "too_many".into()), "{}", refused.text());
    assert_eq!(refused.header("retry-after"), "1");
}

#[test]
fn a_reader_says_how_many_commits_it_is_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut writer = make_shop(dir.path());
    let reader = Graph::open_read_only(dir.path().join("shop")).expect("a reader");
    let later = dir.path().join("later.jsonl");
    std::fs::write(&later, MORE.replace("buys", "likes")).expect("a file");
    let world = World::of(dir, reader, |options, _| options);
    assert_eq!(world.json("/v1/graphs/shop")["freshness"]["behind"], 0);
    writer.load(&later).run().expect("it loads");
    let info = world.json("/v1/graphs/shop");
    assert_eq!((&info["commit"], &info["freshness"]["behind"]), (&json!(2), &json!(1)));
}
