//! Merges and deletions that versions name, and fields that a better reader brings.

use timeweft_graph::delta::{DeletionReport, MergeReport, WhySkipped};
use timeweft_graph::{
    DType, DeltaOptions, FeatureDef, FeatureKind, Format, GraphView, Interval, ListOrder, Name, Owner, Time, Value,
};
use timeweft_oracle::{ReferenceStore, Version};
use timeweft_store::{LoadReport, LoadRequest, Store};

use crate::random_versions::state;
use crate::world::{fresh, life, load_version, node, version};

fn load_with(store: &mut Store, time: i64, version: Version, options: DeltaOptions) -> LoadReport {
    let request = LoadRequest::new("ns", "test").version(&format!("v{time}"), Time(time));
    load_version(store, request, version, options).unwrap()
}

fn load(store: &mut Store, time: i64, lines: &[&str]) -> LoadReport {
    load_with(store, time, version(lines), DeltaOptions::default())
}

fn merged(report: &LoadReport) -> &MergeReport {
    &report.delta.as_ref().unwrap().merges
}

fn deletions(report: &LoadReport) -> &DeletionReport {
    &report.delta.as_ref().unwrap().deletions
}

/// `A>B [200,forever]`, sorted.
fn merges(store: &Store) -> Vec<String> {
    let text = |Interval { created, removed }| format!("[{created},{removed}]");
    let all = store.view().merges();
    all.iter().map(|merge| format!("{}>{} {}", merge.from.id, merge.into.id, text(merge.interval))).collect()
}

#[test]
fn a_row_that_compresses_a_path_adds_nothing() {
    for rows in [["m A C", "m B C"], ["m B C", "m A C"]] {
        let (_dir, mut store) = fresh();
        load(&mut store, 100, &["n A", "n B", "n C"]);
        load(&mut store, 200, &["n B", "n C", "m A B"]);
        let third = load(&mut store, 300, &["n C", rows[0], rows[1]]);
        assert_eq!(merges(&store), ["A>B [200,forever]", "B>C [300,forever]"]);
        assert_eq!((merged(&third).merged, merged(&third).retargeted), (1, 0));
        assert_eq!(merged(&third).skipped.get(&WhySkipped::Known), Some(&1));
        assert_eq!(store.view().resolve(&node("A"), Time(300)), node("C"));
    }
}

#[test]
fn a_row_that_names_another_target_moves_the_merge() {
    let (_dir, mut store) = fresh();
    load(&mut store, 100, &["n A", "n B", "n C"]);
    load(&mut store, 200, &["n B", "n C", "m A B"]);
    let third = load(&mut store, 300, &["n B", "n C", "m A C"]);
    assert_eq!(merges(&store), ["A>B [200,300]", "A>C [300,forever]"]);
    assert_eq!((merged(&third).retargeted, merged(&third).merged, third.n_rejected), (1, 0, 0));
    assert_eq!(store.view().resolve(&node("A"), Time(299)), node("B"));
    assert_eq!(store.view().resolve(&node("A"), Time(300)), node("C"));
}

#[test]
fn advice_and_replacement_do_not_take_each_others_place() {
    let (_dir, mut store) = fresh();
    load(&mut store, 100, &["n A", "n B", "n C", "n D"]);
    load(&mut store, 200, &["n B", "n C", "n D", "m A B consider"]);
    assert_eq!(store.view().resolve(&node("A"), Time(200)), node("A"));
    let third = load(&mut store, 300, &["n B", "n C", "n D", "m A C replaced_by"]);
    assert_eq!((merged(&third).added, merged(&third).retargeted), (1, 0));
    let fourth = load(&mut store, 400, &["n B", "n C", "n D", "m A D consider", "m A C replaced_by"]);
    assert_eq!((merged(&fourth).retargeted, merged(&fourth).skipped.get(&WhySkipped::Known)), (1, Some(&1)));
    assert_eq!(merges(&store), ["A>B [200,400]", "A>C [300,forever]", "A>D [400,forever]"]);
    assert_eq!(store.view().resolve(&node("A"), Time(400)), node("C"));
}

#[test]
fn a_known_merge_with_another_type_changes() {
    let (_dir, mut store) = fresh();
    load(&mut store, 100, &["n A", "n B"]);
    load(&mut store, 200, &["n B", "m A B consider"]);
    let third = load(&mut store, 300, &["n B", "m A B replaced_by"]);
    assert_eq!((merged(&third).changed, third.counts.merges.updated, third.accepted), (1, 1, 1));
    assert_eq!(store.view().resolve(&node("A"), Time(299)), node("A"));
    assert_eq!(store.view().resolve(&node("A"), Time(300)), node("B"));
}

#[test]
fn a_node_that_was_deleted_can_turn_out_to_be_merged() {
    let (_dir, mut store) = fresh();
    load(&mut store, 100, &["n A", "n B"]);
    load(&mut store, 200, &["n B"]);
    let third = load(&mut store, 300, &["n B", "m A B", "m never B"]);
    assert_eq!((merged(&third).after_deletion, merged(&third).merged, third.n_rejected), (1, 0, 0));
    assert_eq!(merged(&third).skipped.get(&WhySkipped::FromUnknown), Some(&1));
    assert_eq!(merges(&store), ["A>B [300,forever]"]);
}

#[test]
fn rows_twice_and_rows_that_disagree() {
    for swapped in [false, true] {
        let (_dir, mut store) = fresh();
        load(&mut store, 100, &["n A", "n B"]);
        let mut rows = version(&["n B", "m A B replaced_by", "m A B replaced_by", "m A B consider"]);
        if swapped {
            rows.merges.reverse();
        }
        let second = load_with(&mut store, 200, rows, DeltaOptions::default());
        assert_eq!((merged(&second).merged, second.n_rejected), (1, 1));
        assert_eq!(merged(&second).skipped.get(&WhySkipped::Known), Some(&1));
        assert_eq!(merged(&second).skipped.get(&WhySkipped::Repeated), Some(&1));
        assert_eq!(store.view().resolve(&node("A"), Time(200)), node("B"));
    }
}

#[test]
fn deletions_by_name_are_told_from_omissions() {
    let (_dir, mut store) = fresh();
    load(&mut store, 100, &["n A", "n B", "n C", "n D", "n E"]);
    let second = load(&mut store, 200, &["n E", "m A E", "d B", "d C", "d E", "d A", "d never"]);
    let expected = DeletionReport { by_name: 2, omitted: 1, unmerged: 0, ignored: 1, rejected: 2 };
    assert_eq!((deletions(&second), second.n_rejected), (&expected, 2));
    let third = load(&mut store, 300, &["n E", "d A", "d B", "d B"]);
    let expected = DeletionReport { by_name: 0, omitted: 0, unmerged: 1, ignored: 2, rejected: 0 };
    assert_eq!(deletions(&third), &expected);
    assert_eq!(merges(&store), ["A>E [200,300]"]);
    assert_eq!(store.view().resolve(&node("A"), Time(300)), node("A"));
}

/// A merge that ended, and the node never came back, can begin again.
#[test]
fn an_ended_merge_begins_again() {
    let (_dir, mut store) = fresh();
    load(&mut store, 100, &["n A", "n B"]);
    load(&mut store, 200, &["n B", "m A B"]);
    load(&mut store, 300, &["n B", "d A"]);
    load(&mut store, 400, &["n B", "m A B"]);
    assert_eq!(merges(&store), ["A>B [200,300]", "A>B [400,forever]"]);
}

/// Terms with features as numbers, by a reader that knows some fields.
fn read_by(known: &[&str], terms: &[(&str, &[(&str, f64)])]) -> Version {
    let mut version = version(&[]);
    let term = version.schema.add_node_type(&"term".into()).unwrap();
    let kind = FeatureKind::Dense { dtype: DType::F64, scalar: true };
    let fields = known.iter().map(|name| {
        let def = FeatureDef { name: Name::from(*name), kind, order: ListOrder::List };
        version.schema.add_feature(Owner::Node(term), def).unwrap()
    });
    let fields = vec![(Owner::Node(term), fields.collect())];
    version.format = Format { name: "table".into(), fields: Some(fields) };
    let lines: Vec<String> = terms.iter().map(|(id, _)| format!("n {id}")).collect();
    version.nodes = crate::world::version(&lines.iter().map(String::as_str).collect::<Vec<_>>()).nodes;
    for (record, (_, features)) in version.nodes.iter_mut().zip(terms) {
        record.features = features.iter().map(|(name, value)| (Name::from(*name), Value::number(*value))).collect();
    }
    version
}

fn spans(store: &Store, id: &str) -> Vec<(Name, Interval, f64)> {
    let lives = store.view().node_history(&node(id));
    let all = lives.into_iter().flat_map(|life| life.features);
    all.map(|span| (span.name, span.interval, span.value.to_json().as_f64().unwrap())).collect()
}

#[test]
fn a_new_field_is_no_change_until_it_is_taken_in() {
    let (dir, mut store) = fresh();
    let plain = DeltaOptions::default();
    let mut oracle = ReferenceStore::new();
    let mut load_both = |store: &mut Store, time: i64, version: Version, options: DeltaOptions| {
        let expected = oracle.load(&"ns".into(), &version, Time(time), &options).unwrap().report;
        let loaded = load_with(store, time, version, options);
        assert_eq!(loaded.delta.as_ref().unwrap(), &expected);
        assert!(state(&*store.view(), time) == state(oracle.graph(), time));
        loaded
    };
    load_both(&mut store, 100, read_by(&["a"], &[("A", &[("a", 1.0)]), ("B", &[("a", 1.0)])]), plain.clone());
    let terms: &[(&str, &[(&str, f64)])] =
        &[("A", &[("a", 1.0), ("b", 5.0)]), ("B", &[("a", 2.0), ("b", 5.0)]), ("C", &[("a", 1.0), ("b", 5.0)])];
    let second = load_both(&mut store, 200, read_by(&["a", "b"], terms), plain.clone());
    let delta = second.delta.as_ref().unwrap();
    assert_eq!(delta.new_fields, ["term.b"]);
    assert_eq!((delta.nodes.unchanged, delta.nodes.changed, delta.nodes.migrated, delta.nodes.new), (1, 1, 0, 1));
    assert!(["A", "B", "C"].iter().all(|id| spans(&store, id).iter().all(|span| &*span.0 == "a")));

    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    let add = DeltaOptions { add_fields: true, ..plain.clone() };
    let terms: &[(&str, &[(&str, f64)])] =
        &[("A", &[("a", 1.0), ("b", 5.0)]), ("B", &[("a", 3.0), ("b", 5.0)]), ("C", &[("a", 1.0)])];
    let third = load_both(&mut store, 300, read_by(&["a", "b"], terms), add);
    let delta = third.delta.as_ref().unwrap();
    assert_eq!((delta.nodes.unchanged, delta.nodes.changed, delta.nodes.migrated), (1, 1, 1));
    assert_eq!(delta.nodes.changed_features.keys().collect::<Vec<_>>(), ["term.a"]);
    assert_eq!(spans(&store, "A"), [("a".into(), life(100, None), 1.0), ("b".into(), life(300, None), 5.0)]);

    // From now on the field is one like others; a reader that forgets one leaves its values alone.
    let terms: &[(&str, &[(&str, f64)])] = &[("A", &[("b", 6.0)]), ("B", &[("b", 5.0)]), ("C", &[])];
    let fourth = load_both(&mut store, 400, read_by(&["b"], terms), plain);
    let delta = fourth.delta.as_ref().unwrap();
    assert_eq!((delta.new_fields.len(), &delta.missing_fields[..]), (0, &["term.a".to_string()][..]));
    assert_eq!((delta.nodes.unchanged, delta.nodes.changed), (2, 1));
    assert_eq!(spans(&store, "A")[0], ("a".into(), life(100, None), 1.0));
    assert_eq!(store.loads()[3].fields, store.loads()[2].fields);
    assert_eq!(store.loads()[3].format.as_deref(), Some("table"));
}

/// B was gone before the first release that was loaded: it never lives, and A becomes what B became.
#[test]
fn a_merge_leads_through_a_node_that_was_never_seen() {
    let (_dir, mut store) = fresh();
    let became = |store: &Store, id: &str, time| store.view().resolve(&node(id), Time(time)).id.to_string();
    let first = load(&mut store, 100, &["n A", "n C", "m B C"]);
    assert_eq!(merged(&first).skipped.get(&WhySkipped::FromUnknown), Some(&1));
    let second = load(&mut store, 200, &["n C", "m B C", "m A B", "m X C"]);
    assert_eq!((merged(&second).merged, merged(&second).unseen, second.n_rejected), (1, 1, 0));
    assert_eq!(merged(&second).skipped.get(&WhySkipped::FromUnknown), Some(&1));
    load(&mut store, 300, &["n D", "m A B", "m B C", "m C D"]);
    load(&mut store, 400, &["n D", "n B", "m A B", "m C D"]);
    load(&mut store, 500, &["n D", "m A B", "m B C", "m C D"]);
    assert_eq!([200, 300, 400, 500].map(|time| became(&store, "A", time)), ["C", "D", "B", "D"]);
    assert_eq!([100, 200, 400, 500].map(|time| became(&store, "B", time)), ["B", "C", "B", "D"]);
    assert!(store.view().node_history(&node("B")).len() == 1 && store.verify().is_ok());
}
