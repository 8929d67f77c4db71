//! Rollback, conformance cases R1 to R3: whole documents.
//!
//! KBase writes the documents before the rollback by hand; here two versions are loaded, and the documents compared
//! before the rollback too. KBase's hand-written state has a changed document with the same data; a load would not make
//! one, so `k` differs there.

use serde_json::json;
use timeweft_graph::LoadId;
use timeweft_store::{LoadState, Store};

use super::fresh;
use super::versions::{document, documents, ends, registry, release, sorted};
use crate::export::{DocumentOptions, OPEN};

/// The seed refuses to roll back the only load, for it cannot tell what was before. Here the graph is empty then (X15).
#[test]
fn the_only_load_can_be_rolled_back() {
    let (_dir, mut store) = fresh();
    release(&mut store, "v1", 100, 100, &["n 1"]);
    store.rollback(LoadId(1)).unwrap();
    assert!(documents(&store, "v").is_empty() && registry(&store, &DocumentOptions::default()).is_empty());
    assert_eq!(store.load_state(LoadId(1)), Some(LoadState::RolledBack { by: LoadId(2) }));
}

#[test]
fn rollback_of_several_collections_and_merges() {
    let (dir, mut store) = fresh();
    let first = ["n 1 1", "n 3 3", "n 4 4", "e def_e/1 1 1 1", "e e1/1 1 3 1", "e e2/1 1 4 1"];
    release(&mut store, "v1", 0, 0, &first);
    let second =
        ["n 1 1", "n 2 2", "n 3 33", "e def_e/1 1 1 1", "e def_e/2 2 2 2", "e e1/1 1 3 1", "m 4 1 replaced_by"];
    release(&mut store, "v2", 300, 299, &second);
    let only_v1 = |key: &str, fields| document(key, [0, 299], ["v1", "v1"], [0, 298], fields);
    let both = |key: &str, fields| document(key, [0, OPEN], ["v1", "v2"], [0, OPEN], fields);
    let only_v2 = |key: &str, fields| document(key, [300, OPEN], ["v2", "v2"], [299, OPEN], fields);
    let data = |data: i64| json!({ "data": data });
    assert_eq!(
        documents(&store, "v"),
        sorted(vec![
            both("1_v1", data(1)),
            only_v2("2_v2", data(2)),
            only_v1("3_v1", data(3)),
            only_v2("3_v2", data(33)),
            only_v1("4_v1", data(4)),
        ])
    );
    let of_edge = |from: &str, to: &str, data: i64| ends(from, to, json!(data));
    assert_eq!(
        documents(&store, "def_e"),
        sorted(vec![both("1_v1", of_edge("1_v1", "1_v1", 1)), only_v2("2_v2", of_edge("2_v2", "2_v2", 2)),])
    );
    assert_eq!(
        documents(&store, "e1"),
        sorted(vec![only_v1("1_v1", of_edge("1_v1", "3_v1", 1)), only_v2("1_v2", of_edge("1_v1", "3_v2", 1)),])
    );
    assert_eq!(documents(&store, "e2"), [only_v1("1_v1", of_edge("1_v1", "4_v1", 1))]);
    let merge = &documents(&store, "m")[0];
    assert_eq!(
        (&merge["_key"], &merge["_from"], &merge["_to"]),
        (&json!("4::1::replaced_by_v2"), &json!("v/4_v1"), &json!("v/1_v1"))
    );

    store.rollback(LoadId(2)).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let open = |key: &str, fields| document(key, [0, OPEN], ["v1", "v1"], [0, OPEN], fields);
    let nodes = vec![open("1_v1", data(1)), open("3_v1", data(3)), open("4_v1", data(4))];
    assert_eq!(documents(&store, "v"), sorted(nodes));
    assert_eq!(documents(&store, "def_e"), [open("1_v1", of_edge("1_v1", "1_v1", 1))]);
    assert_eq!(documents(&store, "e1"), [open("1_v1", of_edge("1_v1", "3_v1", 1))]);
    assert_eq!(documents(&store, "e2"), [open("1_v1", of_edge("1_v1", "4_v1", 1))]);
    assert!(documents(&store, "m").is_empty());
    let left = registry(&store, &DocumentOptions::default());
    assert_eq!((left.len(), &left[0]["_key"], &left[0]["state"]), (1, &json!("ns_v1"), &json!("complete")));
}

#[test]
fn rollback_without_merges() {
    let (_dir, mut store) = fresh();
    release(&mut store, "v1", 0, 0, &["n 1 1", "n 3 3", "n 4 4", "e e/1 1 1", "e e/3 3 3", "e e/4 4 4"]);
    let before = [documents(&store, "v"), documents(&store, "e")];
    release(&mut store, "v2", 300, 250, &["n 1 1", "n 2 2", "n 3 33", "e e/1 1 1", "e e/2 2 2", "e e/3 3 3"]);
    let keys = |collection: &str| -> Vec<String> {
        documents(&store, collection).iter().map(|document| document["_key"].to_string()).collect()
    };
    assert_eq!(keys("v"), [r#""1_v1""#, r#""2_v2""#, r#""3_v1""#, r#""3_v2""#, r#""4_v1""#]);
    assert_eq!(keys("e"), keys("v"));
    store.rollback(LoadId(2)).unwrap();
    assert_eq!([documents(&store, "v"), documents(&store, "e")], before);
    assert_eq!(before[0].len(), 3);
    let options = DocumentOptions { merges: None, ..DocumentOptions::default() };
    let left = registry(&store, &options);
    assert_eq!(
        (left.len(), &left[0]["merge_collection"], &left[0]["edge_collections"]),
        (1, &json!(null), &json!(["e"]))
    );
}
