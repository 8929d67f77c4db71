//! What changes the middle of a log begins from a snapshot before it, if there is one: as if all had been replayed.

use proptest::prelude::*;
use timeweft_graph::{At, DeltaOptions, Element, Event, GraphView, LoadId, Name, Time, Value};
use timeweft_store::{LoadRequest, Store};

use crate::order::stream;
use crate::random_versions::{lines, state};
use crate::world::{answers, create, fresh, load_version, node, version};

fn load_as(store: &mut Store, namespace: &str, time: i64, lines: &[String], back_dated: bool) {
    let request = LoadRequest::new(namespace, "test").version(&format!("v{time}"), Time(time));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let options = DeltaOptions { allow_empty: true, ..DeltaOptions::default() };
    load_version(store, LoadRequest { back_dated, ..request }, version(&lines), options).unwrap();
}

/// Closes a store and opens it again, from its snapshot if it has one.
fn reopened(dir: &tempfile::TempDir, store: Store) -> Store {
    drop(store);
    Store::open(dir.path()).unwrap()
}

fn assert_equal(with: &Store, without: &Store, newest: i64) {
    let (a, b) = (with.view(), without.view());
    assert_eq!(a.events(), b.events());
    assert_eq!(a.schema(), b.schema());
    assert_eq!(a.merges(), b.merges());
    for time in (0..=newest + 1).flat_map(|number| [number * 100 - 1, number * 100]) {
        assert_eq!(state(&*a, time), state(&*b, time), "at {time}");
    }
    assert_eq!(answers(&*a, &a.events()), answers(&*b, &b.events()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Two graphs of the same loads, one of which wrote a snapshot somewhere between them: a version that is taken back, one
    /// that is loaded before others, and late events lead to the same graph.
    #[test]
    fn a_splice_from_a_snapshot_is_that_of_a_replay(
        versions in proptest::collection::vec(lines(), 2..7),
        cut in 0..100usize,
        pick in 0..100usize,
    ) {
        let (dir, mut with) = fresh();
        let (_other, mut without) = fresh();
        let (newest, cut) = (versions.len() as i64, versions.len() * cut / 100 + 1);
        for (number, lines) in (1..).zip(&versions) {
            let namespace = ["one", "two"][number as usize / 2 % 2];
            for store in [&mut with, &mut without] {
                load_as(store, namespace, number * 100, lines, false);
            }
            if number as usize == cut {
                with.write_snapshot().unwrap();
                with = reopened(&dir, with);
            }
        }
        let undone = pick % versions.len() + 1;
        let reports = [&mut with, &mut without].map(|store| store.rollback(LoadId(undone as u64)).unwrap());
        prop_assert_eq!(&reports[0], &reports[1]);
        assert_equal(&with, &without, newest);
        with = reopened(&dir, with);
        if undone < versions.len() {
            let namespace = ["one", "two"][undone / 2 % 2];
            // Only where the namespace has a later version, this is one before others.
            let later = (undone + 1..=versions.len()).any(|number| number / 2 % 2 == undone / 2 % 2);
            for store in [&mut with, &mut without] {
                load_as(store, namespace, undone as i64 * 100, &versions[undone - 1], later);
            }
            assert_equal(&with, &without, newest);
        }
        let late = [create(undone as i64 * 100 - 50, Element::Node(node("late")))];
        for store in [&mut with, &mut without] {
            stream(store, LoadRequest::new("three", "events"), &late).unwrap();
        }
        assert_equal(&with, &without, newest);
        with = reopened(&dir, with);
        assert_equal(&with, &without, newest);
        with.verify().unwrap();
    }
}

fn load(store: &mut Store, time: i64, value: Option<Value>, nodes: std::ops::Range<usize>) {
    let features =
        |value: &Option<Value>| value.iter().map(|value| (Name::from("size"), Some(value.clone()))).collect();
    let event = |id: usize| create(time, Element::Node(node(&id.to_string())));
    let events: Vec<Event> = nodes.map(|id| Event { features: features(&value), ..event(id) }).collect();
    stream(store, LoadRequest::new("ns", "events"), &events).unwrap();
}

/// The loads before the snapshot lie in a file that cannot be read any more: nobody has to.
#[test]
fn a_rollback_of_the_last_load_reads_nothing_that_the_snapshot_has() {
    let (dir, mut store) = fresh();
    load(&mut store, 1, Some(Value::number(1.0)), 0..5_000);
    store.write_snapshot().unwrap();
    let before = store.view().events();
    load(&mut store, 2, Some(Value::number(2.0)), 5_000..5_005);
    let mut store = reopened(&dir, store);
    let file = dir.path().join("log").join("p0-1-0.arrow");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, vec![0; whole.len()]).unwrap();
    store.rollback(LoadId(2)).unwrap();
    assert_eq!(store.view().events(), before);
    let mut store = reopened(&dir, store);
    assert_eq!(store.view().counts(At::now()).nodes, 5_000);
    std::fs::write(&file, whole).unwrap();
    store.verify().unwrap();
}
