//! Loads: what a file is, what options mean, and how a load is stopped.

use std::ops::ControlFlow;
use std::path::Path;

use timeweft::load::{EventFormat, Format, LoadOptions, StoreError, VersionFormat, VersionOptions};
use timeweft::{Error, Graph, TimeUnit};

fn fresh() -> (tempfile::TempDir, Graph) {
    let dir = tempfile::tempdir().unwrap();
    let graph = Graph::create(dir.path().join("graph"), TimeUnit::Step).unwrap();
    (dir, graph)
}

#[test]
fn what_a_source_is_follows_from_its_path_and_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let kind = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        match Format::detect(&path).unwrap() {
            Format::Events(EventFormat::Jsonl) => "lines of events",
            Format::Events(_) => "a table of events",
            Format::Intervals(_) => "intervals",
            Format::Version(_) => "a version",
            Format::Git(_) => "git",
        }
    };
    assert_eq!(kind("a.csv", "src,dst,time\n"), "a table of events");
    assert_eq!(kind("a.jsonl", "{\"time\":1}"), "lines of events");
    assert_eq!(kind("b.jsonl", "{\"node_id\":1}"), "intervals");
    assert_eq!(kind("b.json", " {\n \"node_id\": 1}"), "intervals");
    assert_eq!(kind("c.json", "{\n  \"graphs\": []}"), "a version");
    assert_eq!(kind("d.json", "{\"nodes\": []}"), "lines of events");
    assert_eq!(kind("e.obo", ""), "a version");
    assert_eq!(kind("f.toml", ""), "a version");
    std::fs::create_dir(dir.path().join(".git")).unwrap();
    assert!(matches!(Format::detect(dir.path()).unwrap(), Format::Git(_)));
    assert!(Format::detect(&dir.path().join("missing.csv")).is_ok(), "by its name");
    assert!(matches!(Format::detect(Path::new("no/such.json")), Err(Error::Source(_))));
}

#[test]
fn a_load_that_is_stopped_leaves_nothing() {
    let (dir, mut graph) = fresh();
    let events: String = (0..10_000).map(|n| format!("{n},{},{n}\n", n + 1)).collect();
    let (path, mut calls) = (dir.path().join("many.csv"), 0);
    std::fs::write(&path, format!("src,dst,time\n{events}")).unwrap();
    let stopped = graph.load(&path).progress(|_| {
        calls += 1;
        ControlFlow::Break(())
    });
    assert!(matches!(stopped.run(), Err(Error::Stopped)));
    assert_eq!(calls, 1);
    let terms: String = (0..10_000).map(|n| format!("[Term]\nid: X:{n}\n\n")).collect();
    let path = dir.path().join("many.obo");
    std::fs::write(&path, format!("format-version: 1.2\n\n{terms}")).unwrap();
    let stopped = graph.load(&path).namespace("x").version("1", 1).progress(|_| ControlFlow::Break(())).run();
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
    let nodes: String =
        (0..10_000).map(|n| format!("{{\"node_id\":{n},\"node_type\":0,\"node_weight\":1.0,\"edge\":[]}}\n")).collect();
    let path = dir.path().join("many.json");
    std::fs::write(&path, nodes).unwrap();
    let stopped = graph.load(&path).progress(|_| ControlFlow::Break(())).run();
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
    assert!(graph.loads().is_empty());
    assert_eq!(graph.load(&path).run().unwrap().n_rejected, 0, "the graph is as good as before");
}

#[test]
fn a_version_says_what_it_lacks_and_what_it_would_do() {
    let (dir, mut graph) = fresh();
    let path = dir.path().join("terms.obo");
    std::fs::write(&path, "format-version: 1.2\n\n[Term]\nid: X:1\n\n[Term]\nid: X:2\nis_a: X:1\n").unwrap();
    let lacks = graph.load(&path).run();
    assert!(matches!(lacks, Err(Error::Store(StoreError::Incomplete("a namespace")))), "{lacks:?}");
    assert!(matches!(graph.load(&path).version("1", "no time").run(), Err(Error::Time(_))));
    let read =
        VersionOptions { format: Some(VersionFormat::Obo), id_prefix: Some("X".into()), ..VersionOptions::default() };
    let options = LoadOptions {
        namespace: Some("terms".into()),
        version: Some("1".into()),
        timestamp: Some(timeweft::Time(5)),
        format: Some(Format::Version(read)),
        ..LoadOptions::default()
    };
    assert_eq!(graph.plan_version(&path, &options).unwrap().accepted, 3);
    assert_eq!(graph.commit().0, 0);
    assert_eq!(graph.load(&path).options(options).run().unwrap().accepted, 3);
}

#[test]
fn a_source_that_fails_is_an_error_of_the_source_whatever_its_kind() {
    let (dir, mut graph) = fresh();
    for name in ["missing.csv", "missing.obo", "missing.json"] {
        let failed = graph.load(dir.path().join(name)).namespace("x").version("1", 1).run();
        assert!(matches!(failed, Err(Error::Source(_))), "{name}: {failed:?}");
    }
}

#[test]
fn a_graph_is_opened_or_made_in_its_unit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("graph");
    assert_eq!(Graph::open_or_create(&path, "ms").unwrap().unit(), TimeUnit::Milli);
    assert_eq!(Graph::open_or_create(&path, TimeUnit::Milli).unwrap().unit(), TimeUnit::Milli);
    assert!(matches!(Graph::open_or_create(&path, "s"), Err(Error::OtherUnit { .. })));
    assert!(matches!(Graph::open_or_create(dir.path().join("other"), "hour"), Err(Error::Time(_))));
    assert!(!dir.path().join("other").exists());
}
