//! Loads that are taken back, and versions that are loaded before others.

use proptest::prelude::*;
use timeweft_graph::{At, Commit, DeltaOptions, Element, GraphView, LoadId, NodeKey, Time, Value};
use timeweft_store::{LoadReport, LoadRequest, Store, StoreError};

use timeweft_oracle::ReferenceStore;

use crate::random_versions::{content, lines, resolved, state};
use crate::read_only::node_element;
use crate::world::{create, edge, fresh, lives, load, load_version, node, records, version};

fn options() -> DeltaOptions {
    DeltaOptions { allow_empty: true, ..DeltaOptions::default() }
}

fn try_load(
    store: &mut Store,
    namespace: &str,
    time: i64,
    lines: &[&str],
    back_dated: bool,
) -> Result<LoadReport, StoreError> {
    let request = LoadRequest::new(namespace, "test").version(&format!("v{time}"), Time(time));
    load_version(store, LoadRequest { back_dated, ..request }, version(lines), options())
}

fn at(store: &mut Store, time: i64, lines: &[&str]) -> LoadReport {
    try_load(store, "ns", time, lines, false).unwrap()
}

fn all(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law 6: the join of a version with the index equals the slow delta on the slow graph.
    #[test]
    fn versions_equal_the_slow_delta(versions in proptest::collection::vec(lines(), 1..5)) {
        let (_dir, mut store) = fresh();
        let (_dir_of_other, mut shuffled) = fresh();
        let mut oracle = ReferenceStore::new();
        for (number, lines) in (1..).zip(&versions) {
            let loaded = at(&mut store, number * 100, &all(lines));
            let mut backwards = version(&all(lines));
            backwards.nodes.reverse();
            backwards.edges.reverse();
            backwards.merges.reverse();
            backwards.deleted.reverse();
            let request = LoadRequest::new("ns", "test").version(&format!("v{number}"), Time(number * 100));
            let same = load_version(&mut shuffled, request, backwards, options()).unwrap();
            prop_assert_eq!(&same.delta, &loaded.delta);
            prop_assert_eq!(shuffled.view().merges(), store.view().merges());
            prop_assert_eq!(state(&*shuffled.view(), number * 100), state(&*store.view(), number * 100));
            let slow = oracle.load(&"ns".into(), &version(&all(lines)), Time(number * 100), &options()).unwrap();
            prop_assert_eq!(loaded.delta.as_ref().unwrap(), &slow.report);
            prop_assert_eq!(loaded.n_rejected as usize, slow.rejects.len());
            prop_assert_eq!(store.view().merges(), oracle.graph().merges());
            prop_assert_eq!(resolved(&*store.view(), number * 100), resolved(oracle.graph(), number * 100));
            for time in (1..=number).flat_map(|number| [number * 100 - 1, number * 100]) {
                prop_assert_eq!(state(&*store.view(), time), state(oracle.graph(), time), "at {}", time);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// The graph without version k is the one to which the slow delta leads without it; before k and from the next
    /// version on it is as it was; and k can be loaded again where it was.
    #[test]
    fn a_version_goes_and_comes_back(versions in proptest::collection::vec(lines(), 1..6), pick in 0..100usize) {
        let (dir, mut store) = fresh();
        for (number, lines) in (1..).zip(&versions) {
            at(&mut store, number * 100, &all(lines));
            try_load(&mut store, "other", number * 100 + 50, &["n Z1", &format!("n Z2 {number}"), "e z Z1 Z2"], false).unwrap();
        }
        let (k, newest) = (pick % versions.len() + 1, versions.len() as i64);
        let ts = k as i64 * 100;
        let original = store.view();
        let commit = store.commit();
        let log = original.events();
        store.rollback(LoadId(k as u64 * 2 - 1)).unwrap();
        prop_assert_eq!(original.events(), log, "a pinned view stays");

        let mut oracle = ReferenceStore::new();
        for (number, lines) in (1..).zip(&versions).filter(|(number, _)| *number != k as i64) {
            oracle.load(&"ns".into(), &version(&all(lines)), Time(number * 100), &options()).unwrap();
        }
        let others = |view: &dyn GraphView, time| {
            let (mut nodes, mut edges) = state(view, time);
            nodes.retain(|node| node.key.id.to_string().starts_with('Z'));
            edges.retain(|edge| edge.key.source.id.to_string().starts_with('Z'));
            (nodes, edges)
        };
        let ours = |view: &dyn GraphView, time| {
            let (mut nodes, mut edges) = state(view, time);
            nodes.retain(|node| !node.key.id.to_string().starts_with('Z'));
            edges.retain(|edge| !edge.key.source.id.to_string().starts_with('Z'));
            (nodes, edges)
        };
        let check = |store: &Store| {
            let view = store.view();
            for time in (1..=newest).flat_map(|number| [number * 100 - 1, number * 100, number * 100 + 50]) {
                assert_eq!(ours(&*view, time), state(oracle.graph(), time), "at {time} without {ts}");
                assert_eq!(others(&*view, time), others(&*original, time), "at {time} without {ts}");
                if time < ts {
                    assert_eq!(content(&*view, time), content(&*original, time), "at {time} without {ts}");
                    assert_eq!(resolved(&*view, time), resolved(&*original, time), "at {time} without {ts}");
                }
                if time >= ts + 100 {
                    assert_eq!(content(&*view, time), content(&*original, time), "at {time} without {ts}");
                    let (now, then) = (resolved(&*view, time), resolved(&*original, time));
                    // A merge of a node that only version k had cannot be kept, nor where other merges went through it.
                    let known = |id: &str| lives(&*view, id).iter().any(|life| life.created <= Time(time));
                    let lost = |id: &str| !lives(&*original, id).is_empty() && lives(&*view, id).is_empty();
                    let kept = |id: &str, into: &NodeKey| then[id] == *into || lost(&into.id.to_string());
                    assert!(now.iter().all(|(id, into)| !known(id) || kept(id, into)), "{now:?} {then:?}");
                }
            }
            assert_eq!(store.view_at(commit).unwrap().events(), original.events());
        };
        check(&store);
        drop(store);
        let mut store = Store::open(dir.path()).unwrap();
        check(&store);
        store.verify().unwrap();

        try_load(&mut store, "ns", ts, &all(&versions[k - 1]), true).unwrap();
        for time in (1..=newest).flat_map(|number| [number * 100 - 1, number * 100, number * 100 + 50]) {
            prop_assert_eq!(state(&*store.view(), time), state(&*original, time), "at {} with {} again", time, ts);
            if time < ts + 100 {
                prop_assert_eq!(resolved(&*store.view(), time), resolved(&*original, time), "at {} with {} again", time, ts);
            }
        }
        drop(store);
        let mut store = Store::open(dir.path()).unwrap();
        prop_assert_eq!(state(&*store.view(), newest * 100), state(&*original, newest * 100));
        store.verify().unwrap();
    }
}

#[test]
fn what_a_rollback_leaves_behind_is_still_checked() {
    let (dir, mut store) = fresh();
    at(&mut store, 100, &["n A"]);
    let many: Vec<String> = (0..5_000).map(|id| format!("n {id}")).collect();
    at(&mut store, 200, &all(&many));
    store.rollback(LoadId(2)).unwrap();
    store.verify().unwrap();
    assert_eq!(store.view_at(Commit(2)).unwrap().counts(At::now()).nodes, 5_000);
    let file = dir.path().join("log").join("p0-2-0.arrow");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert!(matches!(store.verify(), Err(StoreError::Corrupt { .. })));
    assert!(matches!(store.view_at(Commit(2)), Err(StoreError::Corrupt { .. })));
    drop(store);
    assert_eq!(Store::open(dir.path()).unwrap().view().counts(At::now()).nodes, 1);
}

#[test]
fn a_rollback_is_not_rolled_back() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A"]);
    store.rollback(LoadId(1)).unwrap();
    for load in [LoadId(1), LoadId(2)] {
        let refused = store.rollback(load).unwrap_err();
        assert!(matches!(refused, StoreError::NotUndoable { .. }));
        assert!(refused.to_string().ends_with("load the version again"), "{refused}");
    }
    assert!(matches!(store.rollback(LoadId(7)), Err(StoreError::UnknownLoad(LoadId(7)))));
    assert_eq!((store.commit(), store.loads().len()), (Commit(2), 2));
}

#[test]
fn events_of_a_load_are_taken_back_and_later_ones_that_need_them_are_dropped() {
    let (dir, mut store) = fresh();
    let load = |store: &mut Store, namespace: &str, events: &[timeweft_graph::Event]| {
        store.load(LoadRequest::new(namespace, "events"), records(events)).unwrap()
    };
    load(&mut store, "one", &[create(1, Element::Node(node("A")))]);
    load(&mut store, "one", &[create(2, Element::Node(node("B")))]);
    let kept = Element::Node(NodeKey::new("other", "K"));
    load(&mut store, "two", &[create(3, Element::Edge(edge("x", "A", "B"))), create(3, kept)]);
    let undone = store.rollback(LoadId(2)).unwrap();
    assert_eq!((undone.later.replaced.clone(), undone.later.n_dropped), (vec![LoadId(3)], 1));
    assert!(undone.later.dropped[0].why.contains("unknown node term B"), "{:?}", undone.later.dropped);
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    assert_eq!(store.view().events().len(), 2);
    assert!(store.view().edge_history(&edge("x", "A", "B")).is_empty());
    assert_eq!(store.view_at(Commit(3)).unwrap().events().len(), 4);
    store.verify().unwrap();
}

#[test]
fn types_that_only_an_undone_load_brought_are_unused() {
    let (dir, mut store) = fresh();
    let load = |store: &mut Store, events: &[timeweft_graph::Event]| {
        store.load(LoadRequest::new("ns", "events"), records(events)).unwrap()
    };
    let with = |event: timeweft_graph::Event, name: &str| timeweft_graph::Event {
        features: vec![(name.into(), Some(Value::text("x")))],
        ..event
    };
    let other = Element::Node(NodeKey::new("other", "K"));
    load(&mut store, &[create(1, Element::Node(node("A"))), create(1, Element::Node(node("B")))]);
    let before = store.schema().clone();
    load(
        &mut store,
        &[
            with(create(2, Element::Node(node("C"))), "label"),
            create(2, other.clone()),
            with(create(2, Element::Edge(edge("new/", "A", "B"))), "since"),
        ],
    );
    let with_all = store.schema().clone();
    assert!(store.types_taken_back(store.commit()).unwrap().is_empty());
    store.rollback(LoadId(2)).unwrap();
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    let in_effect = |store: &Store, commit: u64| {
        let view = store.view_at(Commit(commit)).unwrap();
        let unused = view.unused(&store.types_taken_back(Commit(commit)).unwrap());
        view.schema().only(|owner, feature| !unused.contains(&(owner, feature)))
    };
    // The numbers stay; what is in effect is what was before, and a commit of before shows what it showed.
    assert_eq!(*store.schema(), with_all);
    assert_eq!((in_effect(&store, 3), in_effect(&store, 2)), (before, with_all));
    // Whoever uses some of it has that again, and only that.
    load(&mut store, &[with(create(3, Element::Node(node("D"))), "label"), create(3, other)]);
    let names: Vec<String> =
        in_effect(&store, 4).node_types().iter().map(|of| format!("{} {}", of.name, of.features.len())).collect();
    assert_eq!((names, in_effect(&store, 4).edge_types().len()), (vec!["term 1".to_string(), "other 0".into()], 0));
    store.verify().unwrap();
}

#[test]
fn what_is_only_tried_says_the_same_and_leaves_nothing() {
    let (dir, mut store) = fresh();
    let add = |store: &mut Store, at: i64| load(store, &[create(at, node_element(&format!("{at}")))]);
    let first = add(&mut store, 5).unwrap();
    let files = |dir: &std::path::Path| {
        let log = std::fs::read_dir(dir.join("log")).unwrap().flatten().map(|entry| entry.path());
        log.collect::<std::collections::BTreeSet<_>>()
    };
    let (before, files_before) = (store.view(), files(dir.path()));
    let (tried, graph) = store.rehearse(|store| add(store, 9)).unwrap();
    assert_eq!((graph.counts(At::now()).nodes, store.view().counts(At::now()).nodes), (2, 1));
    let (undone, without) = store.rehearse(|store| store.rollback(first.load)).unwrap();
    assert_eq!((without.counts(At::now()).nodes, undone.undone), (0, first.load));
    // Also in the middle of time, where others are derived anew; and one that fails fails alike.
    store.rehearse(|store| add(store, 3)).unwrap();
    assert!(store.rehearse(|store| store.rollback(LoadId(7))).is_err());
    assert!(std::sync::Arc::ptr_eq(&before, &store.view()));
    assert_eq!((store.loads().len(), files(dir.path())), (1, files_before));
    assert_eq!(add(&mut store, 9).unwrap(), tried, "meant, it is what it was when it was tried");
    drop(store);
    assert_eq!(Store::open(dir.path()).unwrap().view().counts(At::now()).nodes, 2);
}

#[test]
fn a_try_that_breaks_down_leaves_loads_that_are_meant() {
    let (_dir, mut store) = fresh();
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.rehearse(|_| -> Result<(), StoreError> { panic!("on purpose") })
    }));
    assert!(broken.is_err());
    load(&mut store, &[create(1, node_element("a"))]).unwrap();
    assert_eq!(store.loads().len(), 1);
}
