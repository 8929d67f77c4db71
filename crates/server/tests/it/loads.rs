//! Loads, dry runs, rollbacks, and their jobs.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value as Json, json};
use timeweft_server::{Limits, Options};

use crate::world::{Answer, World};

const BOUNDARY: &str = "----part";

/// A form with options and files.
pub(crate) fn form(options: &Json, files: &[(&str, &str)]) -> String {
    let mut text = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"options\"\r\nContent-Type: application/json\r\n\r\n{options}\r\n"
    );
    for (name, content) in files {
        text += &format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{content}\r\n"
        );
    }
    text + &format!("--{BOUNDARY}--\r\n")
}

pub(crate) fn upload(world: &World, body: String) -> Answer {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [("content-type", kind.as_str()), ("origin", "http://localhost:8642")];
    world.request(Method::POST, "/v1/graphs/shop/loads", &headers, Body::from(body))
}

/// Waits until a job is over.
fn finish(world: &World, started: &Answer) -> Json {
    assert_eq!(started.status, 202, "{}", started.text());
    let place = started.header("location").to_owned();
    assert_eq!(place, format!("/v1/graphs/shop/jobs/{}", started.json()["job"]["id"].as_str().expect("an id")));
    for _ in 0..500 {
        let job = world.json(&place);
        if !["queued", "running"].contains(&job["state"].as_str().expect("a state")) {
            return job;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("the job does not end");
}

fn delete(world: &World, path: &str) -> Answer {
    world.request(Method::DELETE, path, &[("origin", "http://localhost:8642")], Body::empty())
}

const MAIL: &str = "src,dst,time\n1,2,100\n1,3,105\n";

/// Folders of uploads that lie about.
fn uploads() -> usize {
    let entries = std::fs::read_dir(std::env::temp_dir()).expect("a folder").flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("timeweft-upload-")).count()
}

/// The commit of the graph, through the directory: whatever the server says.
fn commit(world: &World) -> u64 {
    timeweft::Graph::open_read_only(world.dir.path().join("shop")).expect("a graph").commit().0
}

#[test]
fn an_upload_is_tried_loaded_and_taken_back() {
    let world = World::shop();
    let options = |dry_run: bool| json!({ "kind": "events", "namespace": "mail", "dry_run": dry_run });
    let tried = finish(&world, &upload(&world, form(&options(true), &[("mail.csv", MAIL)])));
    assert_eq!((&tried["state"], &tried["report"]["commit"]), (&json!("done"), &Json::Null), "{tried}");
    assert_eq!(tried["report"]["counts"]["edges"], json!({ "created": 2, "updated": 0, "removed": 0 }));
    assert_eq!(commit(&world), 2, "nothing is loaded");
    let loaded = finish(&world, &upload(&world, form(&options(false), &[("mail.csv", MAIL)])));
    assert_eq!((&loaded["state"], &loaded["report"]["commit"]), (&json!("done"), &json!(3)), "{loaded}");
    assert_eq!(loaded["report"]["counts"], tried["report"]["counts"]);
    assert_eq!(commit(&world), 3);
    let source =
        timeweft::Graph::open_read_only(world.dir.path().join("shop")).expect("a graph").loads()[2].source.clone();
    assert_eq!(&*source, "mail.csv", "the registry has the name that it was sent under");

    let undo = world.json("/v1/graphs/shop/loads/3/undo");
    assert_eq!((&undo["undoes"], &undo["counts"]["edges"]["removed"]), (&json!(3), &json!(2)), "{undo}");
    assert_eq!(commit(&world), 3, "nothing is undone");
    let undone = finish(&world, &delete(&world, "/v1/graphs/shop/loads/3"));
    assert_eq!((&undone["kind"], &undone["state"]), (&json!("rollback"), &json!("done")), "{undone}");
    assert_eq!(undone["report"]["counts"], undo["counts"], "it does what it said");
    for again in [
        delete(&world, "/v1/graphs/shop/loads/3"),
        delete(&world, "/v1/graphs/shop/loads/4"),
        world.get("/v1/graphs/shop/loads/3/undo"),
    ] {
        assert_eq!((again.status.as_u16(), again.code()), (409, "conflict".into()));
    }
    assert_eq!(delete(&world, "/v1/graphs/shop/loads/99").code(), "not_found");
    assert_eq!(delete(&world, "/v1/graphs/shop/loads/x").code(), "bad_request");
}

#[test]
fn rejected_records_are_told_also_where_nothing_was_accepted() {
    let world = World::shop();
    let options = json!({ "kind": "events", "format": "jsonl" });
    let good = r#"{"time":200,"action":"create","entity":"node","source":{"type":"user","id":"cy"}}"#;
    let lines = format!("{good}\nnonsense\n");
    let job = finish(&world, &upload(&world, form(&options, &[("new.jsonl", &lines)])));
    let report = &job["report"];
    assert_eq!(
        (&report["rejected"], &report["rejects"][0]["file"], &report["rejects"][0]["line"]),
        (&json!(1), &json!("new.jsonl"), &json!(2)),
        "{job}"
    );
    assert_eq!(report["reasons"][0]["n"], 1);
    let job = finish(&world, &upload(&world, form(&options, &[("bad.jsonl", "nonsense\n")])));
    assert_eq!(
        (&job["state"], &job["error"]["code"], &job["report"]["rejected"]),
        (&json!("failed"), &json!("bad_request"), &json!(1)),
        "{job}"
    );
    assert!(!job.to_string().contains("timeweft-upload-"), "where it lay is of no account: {job}");
}

#[test]
fn a_version_needs_its_name_and_its_time_and_is_there_once() {
    let world = World::shop();
    let obo = "format-version: 1.2\n\n[Term]\nid: A:1\nname: one\n\n[Term]\nid: A:2\nname: two\nis_a: A:1\n";
    let options = |version: Option<&str>| json!({ "kind": "version", "namespace": "a", "version": version, "timestamp": "1970-01-02", "format": "obo" });
    let job = finish(&world, &upload(&world, form(&options(None), &[("a.obo", obo)])));
    assert!(job["error"]["message"].as_str().expect("text").starts_with("version:"), "{job}");
    let job = finish(&world, &upload(&world, form(&options(Some("1")), &[("a.obo", obo)])));
    assert_eq!(job["report"]["counts"]["nodes"]["created"], 2, "{job}");
    let other = obo.replace("two", "zwei");
    let job = finish(&world, &upload(&world, form(&options(Some("1")), &[("a.obo", &other)])));
    assert_eq!(job["error"]["code"], "conflict", "{job}");
    let again = finish(&world, &upload(&world, form(&options(Some("1")), &[("a.obo", obo)])));
    assert_eq!((&again["state"], &again["report"]["commit"]), (&json!("done"), &Json::Null), "nothing is new");
}

#[test]
fn forms_that_are_none_are_refused_and_leave_nothing() {
    let world =
        World::shop_with(|options, _| Options { limits: Limits { upload: 1000, ..Limits::default() }, ..options });
    let events = json!({ "kind": "events" });
    let large = "x".repeat(2000);
    let mapping = form(&events, &[("map.toml", "[version]"), ("a.csv", MAIL)]);
    let cases = [
        (form(&events, &[]), "bad_request", "no part `file`"),
        (form(&events, &[("a.csv", MAIL), ("../a.csv", MAIL)]), "bad_request", "a name of its own"),
        (form(&events, &[("..", MAIL)]), "bad_request", "a name of its own"),
        (form(&json!({ "kind": "all" }), &[("a.csv", MAIL)]), "bad_request", "options: unknown variant"),
        (form(&json!({ "kind": "events", "x": 1 }), &[("a.csv", MAIL)]), "bad_request", "unknown field `x`"),
        (form(&json!({ "kind": "events", "source": "a" }), &[("a.csv", MAIL)]), "bad_request", "source:"),
        (form(&events, &[("a.csv", &large)]), "too_large", "1000 bytes"),
        (mapping, "bad_request", "a mapping cannot be uploaded"),
        ("no form".into(), "bad_request", "the form cannot be read"),
        (
            form(&events, &[("a.csv", MAIL)]).replace("name=\"file\"", "name=\"data\""),
            "bad_request",
            "unknown part `data`",
        ),
    ];
    for (body, code, what) in cases {
        let answer = upload(&world, body);
        assert_eq!(answer.code(), code, "{what}: {}", answer.text());
        assert!(answer.text().contains(what), "{what}: {}", answer.text());
    }
    assert_eq!(commit(&world), 2);
}

#[test]
fn sources_lie_below_their_folder() {
    let world = World::shop_with(|options, dir| {
        let sources = dir.join("sources");
        std::fs::create_dir(&sources).expect("a folder");
        std::fs::write(sources.join("mail.csv"), MAIL).expect("a file");
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.join("shop.jsonl"), sources.join("link.jsonl")).expect("a link");
        Options { sources: Some(sources), ..options }
    });
    let load = |source: &str| world.post("/v1/graphs/shop/loads", &json!({ "kind": "events", "source": source }));
    for outside in ["../shop.jsonl", "/etc/passwd", "link.jsonl", "none.csv", ""] {
        let answer = load(outside);
        assert!([403, 404].contains(&answer.status.as_u16()) || outside.is_empty(), "{outside}: {}", answer.text());
    }
    let job = finish(&world, &load("mail.csv"));
    assert_eq!((&job["state"], &job["report"]["events"]), (&json!("done"), &json!(5)), "{job}");
    let nothing = world.post("/v1/graphs/shop/loads", &json!({ "kind": "events" }));
    assert!(nothing.text().contains("source: name one"), "{}", nothing.text());
}

#[test]
fn progress_comes_as_events_and_ends_with_the_job() {
    let world = World::shop();
    let started = upload(&world, form(&json!({ "kind": "events" }), &[("mail.csv", MAIL)]));
    let place = started.header("location").to_owned();
    let events = world.get(&format!("{place}/events"));
    assert_eq!((events.header("content-type"), events.header("cache-control")), ("text/event-stream", "no-store"));
    let text = events.text();
    let last = text.trim().rsplit("\n\n").next().expect("an event");
    let data = last.strip_prefix("event: done\ndata: ").expect("the last event is `done`");
    let job: Json = serde_json::from_str(data).expect("a job");
    assert_eq!((&job["state"], &job["report"]["events"]), (&json!("done"), &json!(5)), "{text}");
}

/// A load that takes much longer than a question of these tests waits for its turn.
fn long() -> String {
    let mut rows = "src,dst,time\n".to_owned();
    let n = if cfg!(debug_assertions) { 400_000 } else { 4_000_000 };
    (0..n).for_each(|row| rows += &format!("{},{},{row}\n", row % 5000, row % 4999));
    rows
}

#[test]
fn a_job_that_is_stopped_leaves_nothing() {
    let read = Duration::from_millis(400);
    let world = World::shop_with(|options, _| Options { limits: Limits { read, ..Limits::default() }, ..options });
    let started = upload(&world, form(&json!({ "kind": "events" }), &[("long.csv", &long())]));
    let waiting = upload(&world, form(&json!({ "kind": "events" }), &[("mail.csv", MAIL)]));
    let busy = world.get("/v1/graphs/shop/loads/1/undo");
    assert_eq!((busy.status.as_u16(), busy.code()), (503, "unavailable".into()), "{}", busy.text());
    for job in [&waiting, &started] {
        let stopped = delete(&world, job.header("location"));
        assert_eq!(stopped.status, 202);
    }
    for job in [&started, &waiting] {
        let job = finish(&world, job);
        assert_eq!((&job["state"], &job["error"]), (&json!("stopped"), &Json::Null), "{job}");
    }
    assert_eq!(commit(&world), 2);
    let next = finish(&world, &upload(&world, form(&json!({ "kind": "events" }), &[("mail.csv", MAIL)])));
    assert_eq!(next["report"]["commit"], 3, "the next load runs: {next}");
    assert_eq!(delete(&world, "/v1/graphs/shop/jobs/77").code(), "not_found");
}

#[test]
fn a_graph_for_reading_takes_no_load_and_follows_its_writer() {
    let dir = tempfile::tempdir().expect("a folder");
    let writer = crate::world::make_shop(dir.path());
    let reader = timeweft::Graph::open_read_only(dir.path().join("shop")).expect("a reader");
    let world = World::of(dir, reader, |options, _| options);
    let refused = upload(&world, form(&json!({ "kind": "events" }), &[("mail.csv", MAIL)]));
    assert_eq!(refused.code(), "conflict", "{}", refused.text());
    assert_eq!(delete(&world, "/v1/graphs/shop/loads/1").code(), "conflict");
    drop(writer);
}

#[test]
fn nothing_of_any_upload_is_left() {
    let before = uploads();
    let world = World::shop();
    finish(&world, &upload(&world, form(&json!({ "kind": "events" }), &[("mail.csv", MAIL)])));
    upload(&world, "broken".into());
    // Others of these tests may have theirs meanwhile.
    for _ in 0..200 {
        if uploads() <= before {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{} folders of uploads are left", uploads());
}
