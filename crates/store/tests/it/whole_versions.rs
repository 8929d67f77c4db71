//! Whole versions, case by case: what is listed, what is not, what merges, and what comes of it.

use serde_json::json;
use timeweft_graph::delta::WhySkipped;
use timeweft_graph::{
    At, Commit, Dangling, Deletes, DeltaError, DeltaOptions, DeltaReport, FeatureDef, FeatureKind, GraphView, Interval,
    ListOrder, ListedMerge, LoadId, Name, NodeKey, Owner, Reason, Time, Value,
};
use timeweft_oracle::Version;
use timeweft_store::{LoadReport, LoadRequest, LoadState, Store, StoreError};

use crate::world::{create, edge, edge_lives, fresh, life, lives, load_version, node, place, records, version};

/// Namespace `ns`, versions named `v<timestamp>`.
fn at(store: &mut Store, time: i64, lines: &[&str]) -> LoadReport {
    at_with(store, time, version(lines), DeltaOptions::default()).unwrap()
}

fn at_with(store: &mut Store, time: i64, version: Version, options: DeltaOptions) -> Result<LoadReport, StoreError> {
    load_version(store, LoadRequest::new("ns", "test").version(&format!("v{time}"), Time(time)), version, options)
}

/// The same for a version that may come before others.
fn at_or_before(store: &mut Store, time: i64, lines: &[&str], back_dated: bool) -> Result<LoadReport, StoreError> {
    let request = LoadRequest::new("ns", "test").version(&format!("v{time}"), Time(time));
    load_version(store, LoadRequest { back_dated, ..request }, version(lines), DeltaOptions::default())
}

fn report(report: &LoadReport) -> &DeltaReport {
    report.delta.as_ref().unwrap()
}

fn open(created: i64) -> Interval {
    life(created, None)
}

fn closed(created: i64, removed: i64) -> Interval {
    life(created, Some(removed))
}

/// Values of the one feature and when they held.
fn spans(history: timeweft_graph::ElementHistory) -> Vec<(Interval, serde_json::Value)> {
    let all = history.into_iter().flat_map(|life| life.features);
    all.map(|span| (span.interval, span.value.to_json())).collect()
}

fn merges(store: &Store) -> Vec<(String, String, Interval)> {
    let text = |id: &timeweft_graph::NodeKey| id.id.to_string();
    store.view().merges().iter().map(|merge| (text(&merge.from), text(&merge.into), merge.interval)).collect()
}

fn merge(from: &str, into: &str, interval: Interval) -> (String, String, Interval) {
    (from.into(), into.into(), interval)
}

/// What the store says after it was closed and opened again.
fn reopened(dir: &tempfile::TempDir, store: Store) -> Store {
    drop(store);
    Store::open(dir.path()).unwrap()
}

#[test]
fn chains_of_merges_resolve_in_any_order() {
    for rows in [["m A B", "m B C"], ["m B C", "m A B"]] {
        let (dir, mut store) = fresh();
        at(&mut store, 100, &["n A", "n B", "n C"]);
        at(&mut store, 200, &["n C", rows[0], rows[1]]);
        let store = reopened(&dir, store);
        assert_eq!(merges(&store), [merge("A", "B", open(200)), merge("B", "C", open(200))]);
        assert_eq!(store.view().resolve(&node("A"), Time(200)), node("C"));
        assert_eq!(store.view().resolve(&node("A"), Time(199)), node("A"));
        assert_eq!(lives(&*store.view(), "B"), [closed(100, 200)]);
    }
}

#[test]
fn a_node_can_become_one_that_is_new() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A"]);
    let loaded = at(&mut store, 200, &["n N", "m A N"]);
    assert_eq!((loaded.n_rejected, report(&loaded).merges.merged), (0, 1));
    assert_eq!((lives(&*store.view(), "A"), lives(&*store.view(), "N")), (vec![closed(100, 200)], vec![open(200)]));
    assert_eq!(merges(&store), [merge("A", "N", open(200))]);
}

#[test]
fn a_merge_into_a_dead_node_is_kept_and_counted() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B", "n C"]);
    let loaded = at(&mut store, 200, &["n C", "m A B"]);
    assert_eq!(merges(&store), [merge("A", "B", open(200))]);
    let counted = &report(&loaded).merges;
    assert_eq!((counted.merged, counted.target_dead, counted.target_outside), (1, 1, 0));
    assert_eq!(lives(&*store.view(), "B"), [closed(100, 200)]);
}

/// Releases merge terms into terms of other ontologies, which they do not list: the history is true all the same.
#[test]
fn x4b_target_outside_the_graph_is_kept() {
    let (dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B", "n C"]);
    let mut next = version(&["n C", "m A OUT:1"]);
    let into = NodeKey::new("other", "OUT:2");
    next.merges.push(ListedMerge { from: node("B"), into: into.clone(), features: Vec::new(), place: place(3) });
    let loaded = at_with(&mut store, 200, next, DeltaOptions::default()).unwrap();
    let counted = &report(&loaded).merges;
    assert_eq!((counted.merged, counted.target_outside, counted.target_dead), (2, 2, 0));
    assert_eq!((counted.skipped.len(), loaded.n_rejected, loaded.counts.merges.created), (0, 0, 2));

    let mut store = reopened(&dir, store);
    assert_eq!(merges(&store), [merge("A", "OUT:1", open(200)), merge("B", "OUT:2", open(200))]);
    let view = store.view();
    assert_eq!((view.resolve(&node("B"), Time(200)), view.resolve(&node("B"), Time(199))), (into.clone(), node("B")));
    let soft = At { time: Time(200), deletes: Deletes::Soft };
    assert_eq!((view.counts(At::time(Time(200))).nodes, view.counts(soft).nodes), (1, 3));
    assert!(view.node(&into, soft).is_none() && view.node_history(&into).is_empty());
    assert!(view.schema().node_type("other").is_some());
    assert!(store.view_at(Commit(1)).unwrap().schema().node_type("other").is_none());

    // A later release names the same merges again and, once, lists a target as its own.
    let later = at(&mut store, 300, &["n C", "n OUT:1", "m A OUT:1"]);
    assert_eq!(report(&later).merges.skipped.get(&WhySkipped::Known), Some(&1));
    assert_eq!((report(&later).nodes.new, report(&later).nodes.reappeared), (1, 0));
    let store = reopened(&dir, store);
    assert_eq!(lives(&*store.view(), "OUT:1"), [open(300)]);
    assert_eq!(merges(&store), [merge("A", "OUT:1", open(200)), merge("B", "OUT:2", open(200))]);
}

#[test]
fn a_node_that_comes_back_ends_its_merge_and_can_merge_again() {
    let (dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B", "e x A B"]);
    at(&mut store, 200, &["n B", "m A B"]);
    let cumulative = at(&mut store, 300, &["n B 1", "m A B"]);
    assert_eq!(report(&cumulative).merges.skipped.get(&WhySkipped::Known), Some(&1));
    let back = at(&mut store, 400, &["n A", "n B 1"]);
    assert_eq!((report(&back).nodes.reappeared, report(&back).nodes.new), (1, 0));
    at(&mut store, 500, &["n B 1", "m A B"]);
    let store = reopened(&dir, store);
    let view = store.view();
    assert_eq!(lives(&*view, "A"), [closed(100, 200), closed(400, 500)]);
    assert_eq!(lives(&*view, "B"), [open(100)]);
    assert_eq!(merges(&store), [merge("A", "B", closed(200, 400)), merge("A", "B", open(500))]);
    assert_eq!(edge_lives(&*view, &edge("x", "A", "B")), [closed(100, 200)]);
}

#[test]
fn a_merge_of_a_listed_node_is_rejected_with_its_place() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B"]);
    let loaded = at(&mut store, 200, &["n A", "n B", "e y A B", "m A B", "m A A"]);
    let [first, second] = &loaded.rejects[..] else { panic!("{:?}", loaded.rejects) };
    assert!(matches!(first.reason, Reason::BadMerge(_)) && matches!(second.reason, Reason::BadMerge(_)));
    assert_eq!((&first.place, &second.place), (&place(4), &place(5)));
    assert_eq!(report(&loaded).merges.skipped.get(&WhySkipped::FromListed), Some(&1));
    assert_eq!((merges(&store), lives(&*store.view(), "A")), (vec![], vec![open(100)]));
    assert_eq!(edge_lives(&*store.view(), &edge("y", "A", "B")), [open(200)]);
}

#[test]
fn an_edge_at_a_missing_node_follows_the_policy_and_an_abort_shows_nothing() {
    let next = || version(&["n A 1", "e e A B"]);
    for dangling in [Dangling::Drop, Dangling::Reject, Dangling::Stub] {
        let (dir, mut store) = fresh();
        at(&mut store, 100, &["n A", "n B 7", "e e A B"]);
        let loaded = at_with(&mut store, 200, next(), DeltaOptions { dangling, ..DeltaOptions::default() });
        let mut store = reopened(&dir, store);
        let view = store.view();
        let (b, e) = (lives(&*view, "B"), edge_lives(&*view, &edge("e", "A", "B")));
        match dangling {
            Dangling::Drop => {
                let loaded = loaded.unwrap();
                assert_eq!((report(&loaded).edges.dangling, loaded.n_rejected), (1, 1));
                assert_eq!(loaded.rejects[0].place, place(2));
                assert_eq!((b, e), (vec![closed(100, 200)], vec![closed(100, 200)]));
            }
            Dangling::Reject => {
                let Err(StoreError::Delta(DeltaError::Dangling { place: at, missing, count, .. })) = loaded else {
                    panic!("{loaded:?}")
                };
                assert_eq!((at, missing, count), (place(2), node("B"), 1));
                assert_eq!((b, e, store.commit()), (vec![open(100)], vec![open(100)], Commit(1)));
                assert_eq!(spans(view.node_history(&node("A"))), []);
                let again = at_with(&mut store, 200, next(), DeltaOptions::default()).unwrap();
                assert_eq!(again.commit, Commit(2));
            }
            Dangling::Stub => {
                assert_eq!(report(&loaded.unwrap()).nodes.stubs, 1);
                assert_eq!((b, e), (vec![open(100)], vec![open(100)]));
                assert_eq!(spans(view.node_history(&node("B"))), [(closed(100, 200), json!(7))]);
            }
        }
    }
}

#[test]
fn a_stub_is_made_for_a_node_that_was_never_there() {
    let (_dir, mut store) = fresh();
    let options = DeltaOptions { dangling: Dangling::Stub, ..DeltaOptions::default() };
    let loaded = at_with(&mut store, 100, version(&["n A", "e e A B"]), options).unwrap();
    assert_eq!((report(&loaded).nodes.stubs, loaded.accepted), (1, 3));
    assert_eq!(lives(&*store.view(), "B"), [open(100)]);
}

/// Another namespace makes a stub of B at the very time at which B became Y: the merge never held, but Y was named.
#[test]
fn a_stub_that_ends_a_merge_of_its_time_leaves_the_target_named() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B"]);
    at(&mut store, 101, &["n A", "m B Y replaced_by"]);
    let theirs = LoadRequest::new("theirs", "test").version("v1", Time(101));
    let options = DeltaOptions { dangling: Dangling::Stub, ..DeltaOptions::default() };
    let loaded = load_version(&mut store, theirs, version(&["e e A B", "m Y A replaced_by"]), options).unwrap();
    assert_eq!((report(&loaded).nodes.stubs, report(&loaded).merges.unseen), (1, 1));
    assert_eq!(store.view().resolve(&node("Y"), Time(101)), node("A"));
}

#[test]
fn a_first_load_that_breaks_off_leaves_nothing_and_can_run_again() {
    let (dir, mut store) = fresh();
    let request = || LoadRequest::new("ns", "test").version("v1", Time(100));
    let broken = store.load_version(request(), DeltaOptions::default(), |sink| {
        version(&["n A", "n B", "e x A B"]).send(sink);
        Err("the line breaks off".into())
    });
    assert!(matches!(broken, Err(StoreError::Source(_))));
    assert_eq!((store.commit(), store.loads().len(), store.view().events().len()), (Commit(0), 0, 0));
    let mut store = reopened(&dir, store);
    let again = load_version(&mut store, request(), version(&["n A", "n B", "e x A B"]), DeltaOptions::default());
    assert_eq!((again.unwrap().commit, store.view().events().len()), (Commit(1), 3));
}

#[test]
fn a_rollback_after_an_abort_leads_to_the_last_good_version() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B 7", "e e A B"]);
    let first = store.view();
    let options = DeltaOptions { dangling: Dangling::Reject, ..DeltaOptions::default() };
    assert!(at_with(&mut store, 200, version(&["n A 1", "e e A B"]), options).is_err());
    at(&mut store, 300, &["n A 2", "n B 7"]);
    store.rollback(LoadId(2)).unwrap();
    assert_eq!(store.view().events(), first.events());
    assert_eq!((lives(&*store.view(), "A"), lives(&*store.view(), "B")), (vec![open(100)], vec![open(100)]));
}

#[test]
fn timestamps_of_a_namespace_increase() {
    let (_dir, mut store) = fresh();
    at(&mut store, 200, &["n A", "n B", "n G"]);
    for earlier in [200, 100] {
        let request = LoadRequest::new("ns", "test").version("other", Time(earlier));
        let refused = load_version(&mut store, request, version(&["n A 1", "n B"]), DeltaOptions::default());
        assert!(matches!(refused, Err(StoreError::TimestampTaken { .. } | StoreError::TooEarly { .. })), "{refused:?}");
    }
    assert_eq!((store.commit(), lives(&*store.view(), "G")), (Commit(1), vec![open(200)]));
    let request = LoadRequest::new("elsewhere", "test").version("v1", Time(100));
    assert!(load_version(&mut store, request, version(&["n Z"]), DeltaOptions::default()).is_ok());
}

#[test]
fn x10b_x11b_a_version_before_another_must_be_said_to_be_one() {
    let (dir, mut store) = fresh();
    at(&mut store, 200, &["n A", "n B"]);
    for back_dated in [true, false] {
        let refused = at_or_before(&mut store, 200, &["n A 1"], back_dated);
        assert!(matches!(refused, Ok(LoadReport { .. }) | Err(StoreError::VersionTaken { .. })), "{refused:?}");
        let request = LoadRequest::new("ns", "test").version("same time", Time(200));
        let refused = load_version(
            &mut store,
            LoadRequest { back_dated, ..request },
            version(&["n A 1"]),
            DeltaOptions::default(),
        );
        assert!(matches!(refused, Err(StoreError::TimestampTaken { .. })), "{refused:?}");
    }
    let refused = at_or_before(&mut store, 100, &["n A", "n C"], false);
    assert!(matches!(refused, Err(StoreError::TooEarly { .. })), "{refused:?}");
    let loaded = at_or_before(&mut store, 100, &["n A", "n C"], true).unwrap();
    assert_eq!((loaded.later.replaced.clone(), store.loads()[1].before), (vec![LoadId(1)], Some(LoadId(1))));
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let view = store.view();
    assert_eq!((lives(&*view, "A"), lives(&*view, "B")), (vec![life(100, None)], vec![life(200, None)]));
    assert_eq!(lives(&*view, "C"), [life(100, Some(200))]);
}

#[test]
fn a_repeated_id_is_rejected_and_the_first_record_counts() {
    for order in [[0, 1], [1, 0]] {
        let (_dir, mut store) = fresh();
        let mut twice = version(&[r#"n A {"d":1}"#, r#"n A {"z":2}"#]);
        twice.nodes = order.map(|at| twice.nodes[at].clone()).to_vec();
        let loaded = at_with(&mut store, 100, twice, DeltaOptions::default()).unwrap();
        assert_eq!((report(&loaded).nodes.duplicates, report(&loaded).nodes.listed, loaded.n_rejected), (1, 1, 1));
        assert_eq!(loaded.rejects[0].place, place(2));
        assert_eq!(spans(store.view().node_history(&node("A"))), [(open(100), json!({"d": 1}))]);
    }
}

#[test]
fn one_of_two_parallel_edges_goes() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B", "e x A B", "e y A B"]);
    at(&mut store, 200, &["n A", "n B", "e y A B"]);
    assert_eq!(edge_lives(&*store.view(), &edge("x", "A", "B")), [closed(100, 200)]);
    assert_eq!(edge_lives(&*store.view(), &edge("y", "A", "B")), [open(100)]);
}

#[test]
fn an_edge_that_moves_ends_and_begins() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B", "n C", "e x A B", "e e/z A B"]);
    at(&mut store, 200, &["n A", "n B", "n C", "e x A C", "e f/z A B"]);
    let view = store.view();
    assert_eq!(edge_lives(&*view, &edge("x", "A", "B")), [closed(100, 200)]);
    assert_eq!(edge_lives(&*view, &edge("x", "A", "C")), [open(200)]);
    assert_eq!(edge_lives(&*view, &edge("e/z", "A", "B")), [closed(100, 200)]);
    assert_eq!(edge_lives(&*view, &edge("f/z", "A", "B")), [open(200)]);
}

#[test]
fn every_version_can_be_taken_back_and_the_first_leaves_an_empty_graph() {
    let (dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B"]);
    at(&mut store, 200, &["n A"]);
    at(&mut store, 300, &["n A 1"]);
    let undone = store.rollback(LoadId(3)).unwrap();
    assert_eq!((undone.load, undone.commit, undone.undone), (LoadId(4), Commit(4), LoadId(3)));
    assert_eq!(
        (lives(&*store.view(), "A"), lives(&*store.view(), "B")),
        (vec![life(100, None)], vec![life(100, Some(200))])
    );
    store.rollback(LoadId(2)).unwrap();
    assert_eq!(
        (lives(&*store.view(), "A"), lives(&*store.view(), "B")),
        (vec![life(100, None)], vec![life(100, None)])
    );
    store.rollback(LoadId(1)).unwrap();
    assert_eq!(store.view().events().len(), 0);
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    assert_eq!((store.view().events().len(), store.commit()), (0, Commit(6)));
    assert_eq!(store.load_state(LoadId(2)), Some(LoadState::RolledBack { by: LoadId(5) }));
    assert_eq!((store.load_state(LoadId(5)), store.load_state(LoadId(9))), (Some(LoadState::Complete), None));
    // The names of the versions are free again.
    assert!(!at(&mut store, 100, &["n C"]).unchanged);
    assert_eq!(lives(&*store.view(), "C"), [life(100, None)]);
}

#[test]
fn a_version_touches_only_what_its_namespace_says() {
    for same_name in [true, false] {
        let (dir, mut store) = fresh();
        at(&mut store, 100, &["n A 1"]);
        let name = if same_name { "v100" } else { "w1" };
        let request = || LoadRequest::new("ns2", "test").version(name, Time(200));
        let other = version(&["n B", "n A 2", "e x B A"]);
        let loaded = load_version(&mut store, request(), other, DeltaOptions::default()).unwrap();
        assert_eq!((report(&loaded).nodes.shared, loaded.n_rejected), (1, 0));
        let mut store = reopened(&dir, store);
        assert_eq!((lives(&*store.view(), "A"), lives(&*store.view(), "B")), (vec![open(100)], vec![open(200)]));
        let says = |store: &Store, namespace: &str| store.view().node_says(&node("A"), namespace, Time(200)).unwrap();
        assert_eq!(says(&store, "ns")["data"].to_json(), json!(1));
        assert_eq!(says(&store, "ns2")["data"].to_json(), json!(2));
        assert_eq!(edge_lives(&*store.view(), &edge("x", "B", "A")), [open(200)]);
        let third = at(&mut store, 300, &["n C"]);
        assert_eq!((report(&third).nodes.gone, report(&third).nodes.left_to_others, third.n_rejected), (1, 1, 0));
        assert_eq!((lives(&*store.view(), "A"), lives(&*store.view(), "B")), (vec![open(100)], vec![open(200)]));
        assert_eq!(edge_lives(&*store.view(), &edge("x", "B", "A")), [open(200)]);
    }
}

#[test]
fn namespace_and_version_are_a_pair() {
    let (_dir, mut store) = fresh();
    for (namespace, name, id) in [("a_b", "c", "A"), ("a", "b_c", "B")] {
        let request = LoadRequest::new(namespace, "test").version(name, Time(100));
        let loaded =
            load_version(&mut store, request, version(&[&format!("n {id}")]), DeltaOptions::default()).unwrap();
        assert!(!loaded.unchanged);
    }
    assert_eq!(store.loads().len(), 2);
}

#[test]
fn values_compare_typed_and_canonical() {
    let (_dir, mut store) = fresh();
    let declared = |order, lines: &[&str]| {
        let mut version = version(lines);
        let term = version.schema.add_node_type(&"term".into()).unwrap();
        let def = FeatureDef { name: "data".into(), kind: FeatureKind::Json, order };
        version.schema.add_feature(Owner::Node(term), def).unwrap();
        version
    };
    let first = declared(ListOrder::Set, &["n A [1,2,2]", "n B 1", "n C 1", "n D null", "n E [[1,2]]"]);
    at_with(&mut store, 100, first, DeltaOptions::default()).unwrap();
    let next = declared(ListOrder::Set, &["n A [2,1]", "n B 1.0", "n C true", "n D", "n E [[2,1]]"]);
    let loaded = at_with(&mut store, 200, next, DeltaOptions::default()).unwrap();
    let delta = report(&loaded);
    assert_eq!((delta.nodes.unchanged, delta.nodes.changed), (2, 3), "A and D mean the same, B, C and E do not");
    assert_eq!(spans(store.view().node_history(&node("A"))), [(open(100), json!([1, 2]))]);
    assert_eq!(spans(store.view().node_history(&node("D"))), []);

    let (_dir, mut store) = fresh();
    at_with(&mut store, 100, declared(ListOrder::List, &["n A [1,2]"]), DeltaOptions::default()).unwrap();
    let next = declared(ListOrder::List, &["n A [2,1]"]);
    let loaded = at_with(&mut store, 200, next, DeltaOptions::default()).unwrap();
    assert_eq!(report(&loaded).nodes.changed, 1, "the order of a list matters");
}

#[test]
fn a_node_that_reappears_has_two_lives() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A 1", "n B"]);
    at(&mut store, 200, &["n B"]);
    at(&mut store, 300, &["n A 1", "n B"]);
    let same = at(&mut store, 400, &["n A 1", "n B"]);
    assert_eq!(lives(&*store.view(), "A"), [closed(100, 200), open(300)]);
    assert_eq!(same.accepted, 0);
}

/// KBase overwrites the first of these and stores the last; here such a source is refused.
#[test]
fn reserved_names_of_features_are_refused() {
    let (_dir, mut store) = fresh();
    for name in timeweft_graph::delta::RESERVED {
        let mut strange = version(&["n A", "n B", "e x A B"]);
        strange.nodes[1].features = vec![("fine".into(), Value::number(7.0)), (name.into(), Value::number(7.0))];
        let refused = at_with(&mut store, 100, strange, DeltaOptions::default());
        let Err(StoreError::Delta(DeltaError::Reserved(names))) = &refused else { panic!("{refused:?}") };
        assert_eq!(names, &[Name::from(name)]);
        let mut strange = version(&["n A", "n B", "e x A B"]);
        strange.edges[0].features = vec![(name.into(), Value::number(7.0))];
        assert!(at_with(&mut store, 100, strange, DeltaOptions::default()).is_err());
    }
    assert_eq!((store.commit(), store.loads().len()), (Commit(0), 0));
}

/// A node was replaced by one, and another may be considered: both are kept, with their types.
#[test]
fn two_targets_of_one_node_are_kept_with_their_types() {
    for swapped in [false, true] {
        let (dir, mut store) = fresh();
        at(&mut store, 100, &["n A", "n B", "n C"]);
        let mut two = version(&["n B", "n C", "m A C consider", "m A B replaced_by"]);
        if swapped {
            two.merges.reverse();
        }
        let loaded = at_with(&mut store, 200, two, DeltaOptions::default()).unwrap();
        assert_eq!((loaded.n_rejected, report(&loaded).merges.merged), (0, 2));
        let store = reopened(&dir, store);
        assert_eq!(merges(&store), [merge("A", "B", open(200)), merge("A", "C", open(200))]);
        let types: Vec<_> = store.view().merges().iter().map(|merge| merge.features["type"].to_string()).collect();
        assert_eq!(types, ["replaced_by", "consider"]);
        assert_eq!(store.view().resolve(&node("A"), Time(200)), node("B"));
        assert_eq!(lives(&*store.view(), "A"), [closed(100, 200)]);
    }
}

#[test]
fn an_empty_version_needs_consent() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B", "e x A B"]);
    let refused = at_with(&mut store, 200, version(&[]), DeltaOptions::default());
    assert!(matches!(refused, Err(StoreError::Delta(DeltaError::Empty { nodes: 2, edges: 1 }))));
    assert_eq!(lives(&*store.view(), "A"), [open(100)]);
    let options = DeltaOptions { allow_empty: true, ..DeltaOptions::default() };
    let loaded = at_with(&mut store, 200, version(&[]), options).unwrap();
    assert_eq!((report(&loaded).nodes.gone, report(&loaded).edges.gone, loaded.accepted), (2, 1, 2));
    assert_eq!(edge_lives(&*store.view(), &edge("x", "A", "B")), [closed(100, 200)]);
}

#[test]
fn edges_do_not_follow_the_versions_of_their_nodes() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A 1", "n B", "e l A A", "e x A B"]);
    let loaded = at(&mut store, 200, &["n A 2", "n B", "e l A A", "e x A B"]);
    assert_eq!((loaded.accepted, report(&loaded).edges.unchanged), (1, 2));
    assert_eq!(edge_lives(&*store.view(), &edge("l", "A", "A")), [open(100)]);
    assert_eq!(edge_lives(&*store.view(), &edge("x", "A", "B")), [open(100)]);
}

#[test]
fn identical_content_writes_no_element() {
    let (dir, mut store) = fresh();
    let lines = ["n A 1", "n B [1]", "e x A B 2", "m Z A"];
    let first = at(&mut store, 100, &lines);
    for time in [200, 300] {
        let again = at(&mut store, time, &lines);
        assert_eq!((again.accepted, again.unchanged), (0, false));
        assert_eq!((report(&again).nodes.unchanged, report(&again).edges.unchanged), (2, 1));
    }
    let mut shuffled = version(&lines);
    shuffled.nodes.reverse();
    let twice = at_with(&mut store, 300, shuffled, DeltaOptions::default()).unwrap();
    assert!(twice.unchanged, "the same version again is no load");
    assert!(matches!(
        at_with(&mut store, 300, version(&["n A 2"]), DeltaOptions::default()),
        Err(StoreError::VersionTaken { .. })
    ));
    let mut store = reopened(&dir, store);
    assert_eq!((store.commit(), store.loads().len()), (Commit(3), 3));
    assert_eq!(store.loads()[0].content_hash, store.loads()[2].content_hash);
    assert_eq!(store.view().events().len() as u64, first.accepted);
    let found = store.verify().unwrap();
    assert_eq!((found.segments, found.events), (1, first.accepted));
}

#[test]
fn lives_may_be_one_tick_apart() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A 1"]);
    at(&mut store, 101, &["n A 1"]);
    at(&mut store, 102, &["n A 2"]);
    let spans = spans(store.view().node_history(&node("A")));
    assert_eq!(spans, [(closed(100, 102), json!(1)), (open(102), json!(2))]);
}

#[test]
fn an_edge_gains_a_feature() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B", "e x A B"]);
    let loaded = at(&mut store, 200, &["n A", "n B", "e x A B 5"]);
    assert_eq!(report(&loaded).edges.changed_features.get("is_a.data"), Some(&1));
    assert_eq!(edge_lives(&*store.view(), &edge("x", "A", "B")), [open(100)]);
    assert_eq!(spans(store.view().edge_history(&edge("x", "A", "B"))), [(open(200), json!(5))]);
    let lost = at(&mut store, 300, &["n A", "n B", "e x A B"]);
    assert_eq!(lost.counts.edges.updated, 1);
    assert_eq!(spans(store.view().edge_history(&edge("x", "A", "B"))), [(closed(200, 300), json!(5))]);
}

#[test]
fn merge_then_rollback() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A", "n B", "e x A B"]);
    let first = store.view();
    at(&mut store, 200, &["n B", "m A B"]);
    store.rollback(LoadId(2)).unwrap();
    assert_eq!(store.view().events(), first.events());
    assert_eq!(edge_lives(&*store.view(), &edge("x", "A", "B")), [life(100, None)]);
    assert!(store.view().merges().is_empty());
}

#[test]
fn a_dry_run_writes_nothing() {
    let (_dir, mut store) = fresh();
    at(&mut store, 100, &["n A"]);
    let request = LoadRequest::new("ns", "test").version("v2", Time(200));
    let plan = store
        .plan_version(&request, DeltaOptions::default(), |sink| {
            version(&["n B"]).send(sink);
            Ok(())
        })
        .unwrap();
    assert_eq!((plan.accepted, store.commit()), (2, Commit(1)));
    assert_eq!((report(&plan).nodes.new, report(&plan).nodes.gone), (1, 1));
    assert_eq!(lives(&*store.view(), "A"), [open(100)]);
}

/// The delta and events of other sources share one graph and one law.
#[test]
fn a_version_follows_events_of_its_namespace() {
    let (_dir, mut store) = fresh();
    let events = ["A", "B"].map(|id| create(50, timeweft_graph::Element::Node(node(id))));
    store.load(LoadRequest::new("ns", "events"), records(&events)).unwrap();
    let loaded = at(&mut store, 100, &["n A", "n C"]);
    assert_eq!((report(&loaded).nodes.unchanged, report(&loaded).nodes.gone, report(&loaded).nodes.new), (1, 1, 1));
    assert_eq!(lives(&*store.view(), "B"), [closed(50, 100)]);
}
