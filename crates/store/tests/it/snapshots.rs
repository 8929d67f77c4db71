use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use timeweft_graph::{Commit, DeltaOptions, Element, GraphView, Schema, Sink, Time};
use timeweft_oracle::histories::histories;
use timeweft_store::{LoadRequest, Store};

use crate::world::{assert_same, create, fresh, load, node, version};

fn snapshot_files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir.join("index")) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn load_version(store: &mut Store, name: &str, at: i64, lines: &[&str]) {
    let (request, version) = (LoadRequest::new("test", "test").version(name, Time(at)), version(lines));
    let read = move |sink: &mut dyn Sink| {
        version.send(sink);
        Ok(())
    };
    store.load_version(request, DeltaOptions::default(), read).unwrap();
}

fn three_versions() -> (tempfile::TempDir, Store) {
    let (dir, mut store) = fresh();
    load_version(&mut store, "v1", 1, &["n a 1", "n b 2", "n c 3", "e k a b 1", "e k b c 2"]);
    load_version(&mut store, "v2", 2, &["n a 1", "n b 5", "n d 4", "e k a b 1", "m c a same"]);
    load_version(&mut store, "v3", 3, &["n a 1", "n c 3", "n d [4]", "e k c d 1"]);
    (dir, store)
}

fn assert_equal(a: &Store, b: &Store) {
    let (a, b) = (a.view(), b.view());
    assert_eq!(a.events(), b.events());
    assert_eq!(a.schema(), b.schema());
    for time in [0, 1, 2, 3, 9] {
        let at = timeweft_graph::At::time(Time(time));
        assert_eq!((a.nodes(None, at), a.edges(None, at)), (b.nodes(None, at), b.edges(None, at)));
        for id in ["a", "b", "c", "d"] {
            for direction in [timeweft_graph::Direction::Out, timeweft_graph::Direction::In] {
                assert_eq!(a.neighbors(&node(id), direction, None, at), b.neighbors(&node(id), direction, None, at));
                assert_eq!(a.degree(&node(id), direction, None, at), b.degree(&node(id), direction, None, at));
            }
        }
    }
    assert_eq!(a.merges(), b.merges());
}

/// A copy of a graph without its snapshots: what the log alone makes.
fn replayed(dir: &Path) -> (tempfile::TempDir, Store) {
    let copy = tempfile::tempdir().unwrap();
    fs::create_dir(copy.path().join("log")).unwrap();
    fs::copy(dir.join("catalogue.redb"), copy.path().join("catalogue.redb")).unwrap();
    for entry in fs::read_dir(dir.join("log")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join("log").join(path.file_name().unwrap())).unwrap();
    }
    let store = Store::open(copy.path()).unwrap();
    (copy, store)
}

#[test]
fn a_graph_opened_from_a_snapshot_answers_and_loads_as_one_that_was_replayed() {
    let (dir, store) = three_versions();
    assert!(store.write_snapshot().unwrap() > 0);
    drop(store);
    let (_copy, mut other) = replayed(dir.path());
    let mut store = Store::open(dir.path()).unwrap();
    assert_equal(&store, &other);
    for store in [&mut store, &mut other] {
        load_version(store, "v4", 4, &["n a 7", "n b 2", "n e 1", "e k a e 1", "e k c d 1"]);
    }
    assert_equal(&store, &other);
    assert_eq!(store.verify().unwrap().loads, 4);
    drop(store);
    // The snapshot is of the third load now, and the fourth is replayed on top.
    let store = Store::open(dir.path()).unwrap();
    assert_equal(&store, &other);
}

#[test]
fn a_newer_snapshot_replaces_older_ones() {
    let (dir, mut store) = three_versions();
    store.write_snapshot().unwrap();
    load_version(&mut store, "v4", 4, &["n a 7"]);
    store.write_snapshot().unwrap();
    let names: Vec<_> = snapshot_files(dir.path()).iter().map(|file| file.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["0000000004.snapshot"]);
}

#[test]
fn a_snapshot_of_loads_that_were_taken_back_is_not_used() {
    let (dir, mut store) = three_versions();
    store.write_snapshot().unwrap();
    let second = store.loads()[1].id;
    store.rollback(second).unwrap();
    drop(store);
    let (_copy, other) = replayed(dir.path());
    let store = Store::open(dir.path()).unwrap();
    assert_equal(&store, &other);
    assert!(store.view_at(Commit(3)).unwrap().events() != store.view().events());
}

#[test]
fn a_damaged_or_foreign_snapshot_costs_a_replay_and_nothing_else() {
    let (dir, store) = three_versions();
    store.write_snapshot().unwrap();
    drop(store);
    let (_copy, other) = replayed(dir.path());
    let file = snapshot_files(dir.path()).remove(0);
    let whole = fs::read(&file).unwrap();
    for damage in [0, 100, whole.len() / 2, whole.len() - 70, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[damage] ^= 0x40;
        fs::write(&file, bytes).unwrap();
        assert_equal(&Store::open(dir.path()).unwrap(), &other);
        fs::write(&file, &whole[..damage]).unwrap();
        assert_equal(&Store::open(dir.path()).unwrap(), &other);
    }
    // A snapshot of the same commit of another graph.
    let (dir_b, mut b) = fresh();
    for time in 1..4 {
        load(&mut b, &[create(time, Element::Node(node(&format!("x{time}"))))]).unwrap();
    }
    b.write_snapshot().unwrap();
    fs::copy(snapshot_files(dir_b.path()).remove(0), &file).unwrap();
    assert_equal(&Store::open(dir.path()).unwrap(), &other);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_go_on_from_a_snapshot(events in histories(), cut in 0usize..100) {
        let cut = events.len() * cut / 100;
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), Schema::default()).unwrap();
        let _ = load(&mut store, &events[..cut]);
        store.write_snapshot().unwrap();
        drop(store);
        let mut store = Store::open(dir.path()).unwrap();
        let _ = load(&mut store, &events[cut..]);
        let (_copy, other) = replayed(dir.path());
        assert_same(&*store.view(), &*other.view(), &events);
        // A segment keeps the last value of a feature that an event names twice, memory all of them.
        prop_assert_eq!(store.view().events().len(), other.view().events().len());
        store.write_snapshot().unwrap();
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        assert_same(&*store.view(), &*other.view(), &events);
    }
}
