//! The store interface of KBase's loader, its cases T1 to T64.
//!
//! That interface is one of a loader to a document database: collections, and writes in batches. Here a load is one call, so
//! that half of it has no counterpart:
//!
//! | cases | theirs | here |
//! |---|---|---|
//! | T1 to T5 | accessors of collections | names of collections in the registry's documents |
//! | T6 to T16 | collections of the wrong kind, missing indexes: errors | no collections and no indexes that someone could forget |
//! | T17, T18 | edge collection unknown: error | an unknown relation has no edges: names are data, not schema |
//! | T19 to T25 | record of a load: start, complete, roll back | one record, made with the load's commit: no load is ever in progress |
//! | T26 to T29 | listing, deleting records | listing; a rollback takes a load out of it |
//! | T30, T31 | documents at a time | the same |
//! | T32, T33 | expire what lacks a version | what a version does not list is gone |
//! | T34 to T42 | three sweeps of a rollback | their three effects in one rollback |
//! | T43 to T46, T48, T51, T53, T55, T57, T59 | batches: kinds, names, counts, wrong kinds | no batches: nothing is written before the commit |
//! | T47, T49, T50 | documents that are created | the same, derived |
//! | T52, T54 | last versions move on | derived from the registry |
//! | T56, T58 | documents that expire | the same |
//! | T60 to T63 | a factory of the above | the store itself |
//! | T64 | as T26, T27 | as T26, T27 |

use serde_json::json;
use timeweft_graph::{Action, At, Element, Event, GraphView, LoadId, Reason, Time, Value};
use timeweft_store::{LoadRequest, LoadState, Store, StoreError};

use super::versions::{document, documents, ends, registry, release, sorted};
use super::{fresh, load, load_version};
use crate::export::{DocumentOptions, OPEN, registry as registry_of};
use timeweft_oracle::world::{create, edge, node, version};

#[test]
fn to_t5_collections_are_listed_once_and_sorted() {
    for (relations, listed) in [(vec!["e1"], json!(["e1"])), (vec!["e2", "e2", "e1", "e3"], json!(["e1", "e2", "e3"]))]
    {
        for merges in [None, Some("m".into())] {
            let (_dir, mut store) = fresh();
            let edges = relations.iter().enumerate().map(|(at, relation)| format!("e {relation}/{at} a a"));
            let lines: Vec<String> = ["n a".to_string()].into_iter().chain(edges).collect();
            release(&mut store, "v1", 1, 1, &lines.iter().map(String::as_str).collect::<Vec<_>>());
            let options = DocumentOptions { merges: merges.clone(), ..DocumentOptions::default() };
            let record = &registry(&store, &options)[0];
            assert_eq!((&record["vertex_collection"], &record["edge_collections"]), (&json!("v"), &listed));
            assert_eq!(record["merge_collection"], json!(merges));
        }
    }
}

#[test]
fn an_unknown_relation_has_no_edges() {
    let (_dir, mut store) = fresh();
    release(&mut store, "v1", 1, 1, &["n a", "e e1/x a a"]);
    assert!(store.view().edges(Some("e4"), At::now()).is_empty());
    assert_eq!(store.view().edges(Some("e1"), At::now()).len(), 1);
}

#[test]
fn to_t25_the_record_of_a_load() {
    let (_dir, mut store) = fresh();
    let request = || LoadRequest {
        release_timestamp: Some(Time(800)),
        ..LoadRequest::new("GeneOntology", "test").version("09-08-07", Time(1000))
    };
    load_version(&mut store, request(), version(&["n a", "e e/x a a"]), Default::default()).unwrap();
    let records = registry_of(&store, "GeneOntology", &DocumentOptions::default());
    let record = |name: &str| records[0][name].clone();
    assert_eq!((record("_key"), record("state")), (json!("GeneOntology_09-08-07"), json!("complete")));
    assert_eq!((record("load_timestamp"), record("release_timestamp")), (json!(1000), json!(800)));
    assert_eq!((record("merge_collection"), record("edge_collections")), (json!("m"), json!(["e"])));
    // T21: the same version with other content; with the same content it is no load.
    let again = load_version(&mut store, request(), version(&["n b"]), Default::default());
    assert!(matches!(again, Err(StoreError::VersionTaken { load: LoadId(1), .. })));
    let again = load_version(&mut store, request(), version(&["n a", "e e/x a a"]), Default::default());
    assert!(again.unwrap().unchanged && store.loads().len() == 1);
    // T24, T25.
    store.rollback(LoadId(1)).unwrap();
    assert_eq!(store.load_state(LoadId(1)), Some(LoadState::RolledBack { by: LoadId(2) }));
    assert_eq!(store.loads()[0].completed, record("completion_time").as_i64().unwrap());
    assert!(matches!(store.rollback(LoadId(9)), Err(StoreError::UnknownLoad(LoadId(9)))));
}

#[test]
fn to_t29_and_t64_listing_by_namespace_newest_first() {
    let (_dir, mut store) = fresh();
    let mut bring = |namespace: &str, name: &str, time: i64, back_dated| {
        let request = LoadRequest { back_dated, ..LoadRequest::new(namespace, "test").version(name, Time(time)) };
        load_version(&mut store, request, version(&[&format!("n {namespace}{name}")]), Default::default()).unwrap();
    };
    bring("ns2", "v3", 700, false);
    bring("ns1", "v3", 700, false);
    bring("ns1", "v1", 500, true);
    bring("ns1", "v2", 600, true);
    let listed = |store: &Store, namespace: &str| -> Vec<String> {
        let records = registry_of(store, namespace, &DocumentOptions::default());
        records.iter().map(|record| record["_key"].as_str().unwrap().to_string()).collect()
    };
    assert!(listed(&store, "ns3").is_empty());
    assert_eq!(
        (listed(&store, "ns1"), listed(&store, "ns2")),
        (vec!["ns1_v3".to_string(), "ns1_v2".into(), "ns1_v1".into()], vec!["ns2_v3".to_string()],)
    );
    store.rollback(LoadId(2)).unwrap();
    assert_eq!(listed(&store, "ns1"), ["ns1_v2", "ns1_v1"]);
    assert!(matches!(store.rollback(LoadId(2)), Err(StoreError::NotUndoable { .. })));
}

fn change(time: i64, action: Action, element: &Element, data: Option<f64>) -> Event {
    let features = data.map(|data| ("data".into(), Some(Value::number(data))));
    Event::new(Time(time), action, element.clone()).with(features.into_iter().collect())
}

#[test]
fn elements_at_a_time() {
    for (foo, bar) in [
        (Element::Node(node("foo")), Element::Node(node("bar"))),
        (Element::Edge(edge("foo", "a", "a")), Element::Edge(edge("bar", "a", "a"))),
    ] {
        let (_dir, mut store) = fresh();
        load(
            &mut store,
            &[
                create(1, Element::Node(node("a"))),
                change(100, Action::Create, &foo, None),
                change(100, Action::Create, &bar, Some(1.0)),
                change(201, Action::Update, &bar, Some(2.0)),
                change(301, Action::Update, &bar, Some(3.0)),
                change(401, Action::Delete, &bar, None),
                change(601, Action::Delete, &foo, None),
            ],
        )
        .unwrap();
        let view = store.view();
        let data = |element: &Element, time| {
            let at = At::time(Time(time));
            let features = match element {
                Element::Node(key) => view.node(key, at).map(|node| node.features),
                Element::Edge(key) => view.edge(key, at).map(|edge| edge.features),
                Element::Merge { .. } => None,
            };
            features.map(|features| features.get("data").map(|data| data.to_json()))
        };
        assert_eq!([99, 401].map(|time| data(&bar, time)), [None, None]);
        assert_eq!([201, 300].map(|time| data(&bar, time)), [Some(Some(json!(2.0))), Some(Some(json!(2.0)))]);
        assert_eq!((data(&foo, 250), data(&bar, 250)), (Some(None), Some(Some(json!(2.0)))));
        assert_eq!([100, 600, 601].map(|time| data(&foo, time).is_some()), [true, true, false]);
        // Two documents at one time, which theirs only finds when it reads them, cannot come into being.
        let twice =
            load(&mut store, &[change(700, Action::Create, &foo, None), change(700, Action::Create, &foo, None)]);
        let reason = &twice.unwrap().rejects[0].reason;
        assert!(matches!(reason, Reason::NodeExists(_) | Reason::EdgeExists(_)), "{reason}");
    }
}

/// Over by then, not begun by then, listed: none of these is touched.
#[test]
fn what_a_version_does_not_list_ends() {
    let (_dir, mut store) = fresh();
    let all = ["n over", "n gone", "n kept", "e e/over kept kept", "e e/gone kept kept", "e e/kept kept kept"];
    release(&mut store, "1", 100, 99, &all);
    let then = ["n gone", "n kept", "e e/gone kept kept", "e e/kept kept kept"];
    release(&mut store, "2", 200, 199, &then);
    release(&mut store, "3", 300, 299, &["n kept", "n later", "e e/kept kept kept", "e e/later kept kept"]);
    for (collection, fields) in [("v", json!({})), ("e", ends("kept_1", "kept_1", json!(null)))] {
        assert_eq!(
            documents(&store, collection),
            sorted(vec![
                document("over_1", [100, 199], ["1", "1"], [99, 198], fields.clone()),
                document("gone_1", [100, 299], ["1", "2"], [99, 298], fields.clone()),
                document("kept_1", [100, OPEN], ["1", "3"], [99, OPEN], fields.clone()),
                document("later_3", [300, OPEN], ["3", "3"], [299, OPEN], fields),
            ])
        );
    }
}

/// What a version created is no more, what it expired lives on, and last versions are those before it.
#[test]
fn to_t42_what_a_rollback_does_to_documents() {
    let (_dir, mut store) = fresh();
    release(&mut store, "0", 50, 50, &["n old", "n kept", "n gone", "e e/x kept gone"]);
    release(&mut store, "1", 100, 99, &["n kept", "n gone", "e e/x kept gone", "m old kept"]);
    let before = ["v", "e", "m"].map(|collection| documents(&store, collection));
    assert_eq!(before[2].len(), 1);
    release(&mut store, "2", 300, 297, &["n kept", "n new", "e e/y kept new", "m gone kept"]);
    let during = ["v", "e", "m"].map(|collection| documents(&store, collection));
    assert!((0..3).all(|at| during[at].len() == before[at].len() + 1));
    let find = |key: &str| during[0].iter().find(|found| found["_key"] == key).unwrap().clone();
    assert_eq!((&find("gone_0")["expired"], &find("kept_0")["last_version"]), (&json!(299), &json!("2")));
    store.rollback(LoadId(3)).unwrap();
    assert_eq!(["v", "e", "m"].map(|collection| documents(&store, collection)), before);
}

#[test]
fn documents_that_are_created() {
    let (_dir, mut store) = fresh();
    let nothing = documents(&store, "v");
    release(
        &mut store,
        "ver1",
        800,
        700,
        &[r#"n id1 "bar""#, "n id2", "n out", "e e/id1 id1 id2", r#"e e/id2 id2 id1 "bar1""#],
    );
    let new = |key: &str, fields| document(key, [800, OPEN], ["ver1", "ver1"], [700, OPEN], fields);
    assert!(nothing.is_empty());
    let nodes = [new("id1_ver1", json!({"data": "bar"})), new("id2_ver1", json!({})), new("out_ver1", json!({}))];
    assert_eq!(documents(&store, "v"), nodes);
    assert_eq!(
        documents(&store, "e"),
        [
            new("id1_ver1", ends("id1_ver1", "id2_ver1", json!(null))),
            new("id2_ver1", ends("id2_ver1", "id1_ver1", json!("bar1"))),
        ]
    );
    release(&mut store, "ver2", 900, 850, &["n id1", "n id2", "m out id1"]);
    let merge = ends("out_ver1", "id1_ver2", json!(null));
    let merge = document("out::id1::merge_ver2", [900, OPEN], ["ver2", "ver2"], [850, OPEN], merge);
    assert_eq!(documents(&store, "m"), [merge]);
}

#[test]
fn the_last_version_of_a_merge_is_the_last_in_which_it_holds() {
    let (_dir, mut store) = fresh();
    release(&mut store, "ver1", 100, 100, &["n out", "n in"]);
    release(&mut store, "ver2", 200, 200, &["n in", "m out in"]);
    release(&mut store, "ver3", 300, 300, &["n in"]);
    let versions = |store: &Store| {
        let [merge] = &documents(store, "m")[..] else { panic!("one merge") };
        (merge["first_version"].clone(), merge["last_version"].clone())
    };
    assert_eq!(versions(&store), (json!("ver2"), json!("ver3")));
    // The node is listed again, which ends the merge.
    release(&mut store, "ver4", 400, 400, &["n out", "n in"]);
    assert_eq!(versions(&store), (json!("ver2"), json!("ver3")));
}

#[test]
fn only_the_named_change() {
    let (_dir, mut store) = fresh();
    let all = ["n 1", "n 2", "n 3", "n end", "e e/1 end end", "e e/2 end end", "e e/3 end end"];
    release(&mut store, "1", 100, 100, &all);
    release(&mut store, "2", 501, 401, &["n 1", "n 2", "n end", "e e/1 end end", "e e/2 end end"]);
    for collection in ["v", "e"] {
        let found = documents(&store, collection);
        let told: Vec<_> =
            found.iter().map(|one| (&one["last_version"], &one["expired"], &one["release_expired"])).collect();
        let (one, two) = (json!("1"), json!("2"));
        let (open, expired, release_expired) = (json!(OPEN), json!(500), json!(400));
        let kept = (&two, &open, &open);
        assert_eq!(told[..3], [kept, kept, (&one, &expired, &release_expired)], "{collection}");
    }
}
