//! Unknown is not gone: what a version cannot say of an element leaves the element as it was.

use std::path::Path;

use timeweft_graph::{
    At, DeltaError, DeltaOptions, Direction, EdgeKey, EdgeState, GraphView, Name, NodeKey, Reject, Time, Value,
    delta::Kept,
};
use timeweft_source::{VersionOptions, version_format};
use timeweft_store::{LoadReport, LoadRequest, Store, StoreError};

use crate::releases::fresh;

const MAPPING: &str = r#"
[[nodes]]
file = "customers.csv"
type = "customer"
id = "id"
features = { name = "text", age = "int" }

[[nodes]]
file = "orders.csv"
type = "order"
id = "order"

[[edges]]
file = "orders.csv"
relation = "placed_by"
source = { type = "order", column = "order" }
destination = { type = "customer", column = "customer" }
features = { total = "float" }
"#;

/// A day of a warehouse with two tables.
fn day(customers: &str, orders: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("map.toml", MAPPING);
    write("customers.csv", &format!("id,name,age\n{customers}"));
    write("orders.csv", &format!("order,customer,total\n{orders}"));
    folder
}

fn load_with(store: &mut Store, path: &Path, at: i64, options: DeltaOptions) -> Result<LoadReport, StoreError> {
    let request = LoadRequest::new("shop", "map.toml").version(&at.to_string(), Time(at));
    store.load_version(request, options, |sink| {
        version_format::read(path, &VersionOptions::default(), sink)?;
        Ok(())
    })
}

fn load(store: &mut Store, day: &tempfile::TempDir, at: i64) -> Result<LoadReport, StoreError> {
    load_with(store, &day.path().join("map.toml"), at, DeltaOptions::default())
}

const CUSTOMERS: &str = "1,Ada,30\n2,Bob,40\n3,Eve,50\n";
const ORDERS: &str = "a,1,1.5\nb,2,2.5\nc,3,3.5\n";

fn store() -> (tempfile::TempDir, Store) {
    let (dir, mut store) = fresh();
    load(&mut store, &day(CUSTOMERS, ORDERS), 1).unwrap();
    (dir, store)
}

fn customer(id: &str) -> NodeKey {
    NodeKey::new("customer", id)
}

fn orders_of(store: &Store, id: &str) -> Vec<EdgeState> {
    store.view().neighbors(&customer(id), Direction::In, None, At::now())
}

fn lines(report: &LoadReport) -> Vec<String> {
    let line = |reject: &Reject| {
        let file = Path::new(&*reject.place.file).file_name().unwrap().to_string_lossy();
        format!("{file}:{}: {}", reject.place.line, reject.reason)
    };
    report.rejects.iter().map(line).collect()
}

fn kept(name: &str, edges: bool, count: u64, records: u64, report: &LoadReport) -> Kept {
    let file: Name = report.rejects[0].place.file.clone();
    Kept { name: name.into(), edges, count, records: [(file, records)].into() }
}

#[test]
fn an_odd_cell_ends_no_customer() {
    let (_dir, mut store) = store();
    let before = store.view().node(&customer("2"), At::now());
    let report = load(&mut store, &day("1,Ada,31\n2,Bob,many\n", ORDERS), 2).unwrap();
    assert_eq!(
        lines(&report),
        [
            "customers.csv:3: column `age`: expected a number of type i64, got `many`".to_string(),
            "orders.csv:4: this version does not list node customer 3, which is no more: the edge is left out with it"
                .into()
        ]
    );
    let nodes = report.delta.unwrap().nodes;
    assert_eq!((nodes.unreadable, nodes.kept, nodes.gone, nodes.changed), (1, 0, 1, 1));
    // Its state is what it was, its edge stays, and what the version certainly does not list is gone.
    assert_eq!(store.view().node(&customer("2"), At::now()), before);
    assert_eq!(store.view().node_history(&customer("2")).len(), 1);
    assert_eq!(orders_of(&store, "2").len(), 1);
    assert!(store.view().node(&customer("3"), At::now()).is_none());
    // The next day goes on with the life.
    load(&mut store, &day("1,Ada,31\n2,Bob,41\n", "a,1,1.5\nb,2,2.5\n"), 3).unwrap();
    let history = store.view().node_history(&customer("2"));
    assert_eq!((history.len(), history[0].features.len()), (1, 3));
    store.verify().unwrap();
}

#[test]
fn an_odd_cell_ends_no_edge() {
    let (_dir, mut store) = store();
    let report = load(&mut store, &day(CUSTOMERS, "a,1,1.5\nb,2,much\n"), 2).unwrap();
    let edges = report.delta.unwrap().edges;
    assert_eq!((edges.unreadable, edges.unchanged, edges.gone), (1, 1, 1));
    let [edge] = &orders_of(&store, "2")[..] else { panic!() };
    assert_eq!(edge.features["total"], Value::number(2.5));
    assert_eq!(orders_of(&store, "3"), []);
}

#[test]
fn an_unreadable_row_of_nobody_is_only_rejected() {
    let (_dir, mut store) = store();
    let report = load(&mut store, &day(&format!("{CUSTOMERS}4,Zoe,many\n"), ORDERS), 2).unwrap();
    assert_eq!((report.accepted, report.n_rejected), (0, 1));
    assert!(store.view().node(&customer("4"), At::now()).is_none());
}

#[test]
fn a_row_without_an_id_proves_nothing_about_the_others() {
    for broken in ["2,Bob\n", ",Bob,40\n", "2,Bob,40,extra\n"] {
        let (_dir, mut store) = store();
        let report = load(&mut store, &day(&format!("1,Ada,31\n{broken}"), "a,1,1.5\nb,2,2.5\nc,3,3.5\n"), 2).unwrap();
        assert_eq!(report.n_rejected, 1, "{broken}");
        let delta = report.delta.as_ref().unwrap();
        assert_eq!((delta.nodes.kept, delta.nodes.gone, delta.nodes.changed), (2, 0, 1), "{broken}");
        assert_eq!(delta.kept, [kept("customer", false, 2, 1, &report)], "{broken}");
        // Edges at nodes that are kept are not dangling.
        assert_eq!((delta.edges.unchanged, delta.edges.dangling), (3, 0), "{broken}");
        assert_eq!(orders_of(&store, "3").len(), 1, "{broken}");
    }
}

#[test]
fn a_broken_row_of_a_foreign_key_keeps_nodes_and_edges() {
    let (_dir, mut store) = store();
    let report = load(&mut store, &day(CUSTOMERS, "a,1,1.5\nb,2\n"), 2).unwrap();
    let delta = report.delta.as_ref().unwrap();
    assert_eq!(delta.kept, [kept("order", false, 2, 1, &report), kept("placed_by", true, 2, 1, &report)]);
    assert_eq!((delta.nodes.gone, delta.edges.gone, report.accepted), (0, 0, 0));
}

#[test]
fn a_header_alone_ends_a_type_only_if_told_so() {
    let (_dir, mut store) = store();
    let emptied = day(CUSTOMERS, "");
    let Err(StoreError::Delta(error @ DeltaError::EmptyTypes(_))) = load(&mut store, &emptied, 2) else { panic!() };
    let told = error.to_string();
    let (path, told) = told.rsplit_once("orders.csv").unwrap();
    assert!(!path.contains(' '), "{path}");
    assert_eq!(
        told,
        " has no record of `order`, and 3 nodes of it live and would end; check the source: only if they are to end, load \
         with `empty_types` order"
    );
    let options = DeltaOptions { empty_types: vec!["customer".into()], ..DeltaOptions::default() };
    assert!(load_with(&mut store, &emptied.path().join("map.toml"), 2, options).is_err());
    let options = DeltaOptions { empty_types: vec!["order".into()], ..DeltaOptions::default() };
    let report = load_with(&mut store, &emptied.path().join("map.toml"), 2, options).unwrap();
    assert_eq!(report.delta.unwrap().nodes.gone, 3);
    // Where nothing of it lives, nothing ends.
    assert!(load(&mut store, &day("1,Ada,30\n", ""), 3).is_ok());
}

#[test]
fn a_version_without_a_record_says_what_would_end() {
    let (_dir, mut store) = store();
    let told = load(&mut store, &day("", ""), 2).unwrap_err().to_string();
    assert_eq!(
        told,
        "the version lists no node and no edge, and 6 nodes and 3 edges of the namespace live: check the source; only if all \
         of them are to end, load with `allow_empty`"
    );
    let options = DeltaOptions { allow_empty: true, ..DeltaOptions::default() };
    let report = load_with(&mut store, &day("", "").path().join("map.toml"), 2, options).unwrap();
    assert_eq!(report.delta.unwrap().nodes.gone, 6);
}

#[test]
fn where_all_is_rejected_the_reasons_are_told() {
    let (_dir, mut store) = fresh();
    let Err(error @ StoreError::NothingAccepted(_)) = load(&mut store, &day("1,Ada,x\n2,Bob,y\n", ""), 1) else {
        panic!()
    };
    let told = error.to_string();
    assert!(told.starts_with("no record was accepted, 2 were rejected, the first at "), "{told}");
    assert!(told.ends_with("column `age`: expected a number of type i64, got `x`: nothing was loaded"), "{told}");
}

#[test]
fn an_unreadable_edge_is_not_brought_back() {
    let (_dir, mut store) = store();
    load(&mut store, &day(CUSTOMERS, "a,1,1.5\nb,2,2.5\n"), 2).unwrap();
    let report = load(&mut store, &day(CUSTOMERS, "a,1,1.5\nb,2,2.5\nc,3,much\n"), 3).unwrap();
    assert_eq!(report.n_rejected, 1);
    let edge = EdgeKey {
        source: NodeKey::new("order", "c"),
        relation: "placed_by".into(),
        destination: customer("3"),
        key: None,
    };
    assert!(store.view().edge(&edge, At::now()).is_none());
}
