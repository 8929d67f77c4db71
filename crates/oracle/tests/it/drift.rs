//! Columns whose kind drifts: what loses nothing is taken, and what loses is an error before anything is deleted.

use std::path::Path;

use timeweft_graph::{
    Action, At, Commit, DType, DeltaOptions, Element, Event, FeatureKind, GraphView, LoadId, NodeKey, Owner, Record,
    Schema, Time, Value, ValueRef,
};
use timeweft_source::{VersionOptions, version_format};
use timeweft_store::{LoadReport, LoadRequest, Store, StoreError};

use crate::releases::fresh;

/// A table of items with a number of some kind, as a mapping declares it.
fn day(kind: &str, rows: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mapping = format!(
        "[[nodes]]\nfile = \"items.csv\"\ntype = \"item\"\nid = \"id\"\nfeatures = {{ n = \"{kind}\", name = \"text\" }}\n\n\
         [[edges]]\nfile = \"items.csv\"\nrelation = \"part_of\"\nsource = {{ type = \"item\", column = \"id\" }}\n\
         destination = {{ type = \"item\", column = \"whole\" }}\nfeatures = {{ share = {{ column = \"n\", kind = \"{kind}\" }} }}\n"
    );
    std::fs::write(folder.path().join("map.toml"), mapping).unwrap();
    std::fs::write(folder.path().join("items.csv"), format!("id,n,name,whole\n{rows}")).unwrap();
    folder
}

fn load(store: &mut Store, day: &tempfile::TempDir, at: i64) -> Result<LoadReport, StoreError> {
    let path = day.path().join("map.toml");
    let request = LoadRequest::new("parts", "map.toml").version(&at.to_string(), Time(at));
    store.load_version(request, DeltaOptions::default(), |sink| {
        version_format::read(Path::new(&path), &VersionOptions::default(), sink)?;
        Ok(())
    })
}

fn number(dtype: DType) -> FeatureKind {
    FeatureKind::Dense { dtype, scalar: true }
}

fn kinds(schema: &Schema) -> [FeatureKind; 2] {
    let node = Owner::Node(schema.node_type("item").unwrap());
    let edge = Owner::Edge(timeweft_graph::EdgeTypeId(0));
    [schema.feature(node, "n").unwrap().1.kind, schema.feature(edge, "share").unwrap().1.kind]
}

/// The values of `n` that an item ever had.
fn history(view: &dyn GraphView, id: &str) -> Vec<Value> {
    let lives = view.node_history(&NodeKey::new("item", id));
    let spans = lives.into_iter().flat_map(|life| life.features);
    spans.filter(|span| &*span.name == "n").map(|span| span.value).collect()
}

const ROWS: &str = "1,5,a,\n2,6,b,1\n3,7,c,1\n";

#[test]
fn a_wider_number_is_taken_and_an_equal_one_is_no_change() {
    let wide = |number: i64, dtype: DType| ValueRef::Int(number).to_value().widened(self::number(dtype));
    for (from, to, dtype) in [
        ("i32", "int", DType::I64),
        ("u8", "i16", DType::I16),
        ("f32", "float", DType::F64),
        ("int", "float", DType::F64),
    ] {
        let (dir, mut store) = fresh();
        load(&mut store, &day(from, ROWS), 1).unwrap();
        let narrow = history(&*store.view(), "1");
        // A value changes in the old kind, so that there are spans and events beside lives.
        load(&mut store, &day(from, "1,8,a,\n2,6,b,1\n3,7,c,1\n"), 2).unwrap();
        let report = load(&mut store, &day(to, "1,9,a,\n2,6,b,1\n3,7,c,1\n"), 3).unwrap();
        let delta = report.delta.unwrap();
        assert_eq!((delta.nodes.changed, delta.nodes.unchanged, delta.nodes.gone), (1, 2, 0), "{from} {to}");
        assert_eq!((delta.edges.unchanged, delta.edges.gone, report.n_rejected), (2, 0, 0), "{from} {to}");
        let expected: Vec<Value> = [5, 8, 9].map(|n| wide(n, dtype).unwrap_or(Value::number(n as f64))).into();
        for _ in 0..2 {
            assert_eq!(kinds(store.schema()), [number(dtype); 2], "{from} {to}");
            assert_eq!(history(&*store.view(), "1"), expected, "{from} {to}");
            // A view of before has the kind of before.
            let before = store.view_at(Commit(1)).unwrap();
            assert_ne!(kinds(before.schema()), [number(dtype); 2]);
            assert_eq!(history(&*before, "1"), narrow);
            store.verify().unwrap();
            store.write_snapshot().unwrap();
            drop(store);
            store = Store::open(dir.path()).unwrap();
        }
        // The versions of before are known still, though their bytes are other ones now.
        assert!(load(&mut store, &day(from, ROWS), 1).unwrap().unchanged, "{from} {to}");
        // The narrower kind comes back: the feature stays wide, and nothing changes.
        let report = load(&mut store, &day(from, "1,9,a,\n2,6,b,1\n3,7,c,1\n"), 4).unwrap();
        assert_eq!((report.accepted, kinds(store.schema())), (0, [number(dtype); 2]), "{from} {to}");
    }
}

#[test]
fn a_snapshot_of_before_grows_wider_as_the_log_does() {
    let (dir, mut store) = fresh();
    load(&mut store, &day("i32", ROWS), 1).unwrap();
    store.write_snapshot().unwrap();
    load(&mut store, &day("float", "1,5.5,a,\n2,6,b,1\n3,7,c,1\n"), 2).unwrap();
    let there = store.view();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(there.schema(), store.schema());
    assert_eq!(there.events(), store.view().events());
    assert_eq!(history(&*store.view(), "2"), [Value::number(6.0)]);
}

#[test]
fn a_number_that_a_float_cannot_hold_refuses_the_load() {
    let (_dir, mut store) = fresh();
    load(&mut store, &day("int", "1,9007199254740993,a,\n2,6,b,1\n"), 1).unwrap();
    let told = load(&mut store, &day("float", "2,6.5,b,\n"), 2).unwrap_err().to_string();
    assert_eq!(
        told,
        "feature `n` of item would become f64, which cannot hold 9007199254740993, a value that it has: give the feature of \
         this version another name, or cast its column to the kind that it had"
    );
    assert_eq!(kinds(store.schema()), [number(DType::I64); 2]);
    assert!(store.view().node(&NodeKey::new("item", "1"), At::now()).is_some());
}

#[test]
fn a_column_of_another_kind_is_an_error_and_a_cell_is_none() {
    let (_dir, mut store) = fresh();
    load(&mut store, &day("int", ROWS), 1).unwrap();
    let told = load(&mut store, &day("int", "1,x,a,\n2,y,b,1\n"), 2).unwrap_err().to_string();
    let told = told.rsplit('/').next().unwrap();
    assert!(told.starts_with("items.csv:2: column `n`: expected a number of type i64, got `x`, and no cell"), "{told}");
    assert!(told.contains("feature `n` of item holds i64 in this graph: cast the column to i64"), "{told}");
    assert_eq!(store.view().counts(At::now()).nodes, 3);
    // One cell that fits: then the others are odd.
    let report = load(&mut store, &day("int", "1,x,a,\n2,6,b,\n3,y,c,\n"), 2).unwrap();
    assert_eq!(report.delta.unwrap().nodes.unreadable, 2);
    // A text is no number, and nothing that loses is taken by another declaration either.
    let told = load(&mut store, &day("text", ROWS), 3).unwrap_err().to_string();
    assert!(told.contains("feature `n` of item holds i64 in this graph, and text in the mapping"), "{told}");
}

#[test]
fn versions_before_and_after_a_wider_one_are_taken_back() {
    // From the log alone, and from a snapshot of before the change, of behind it and of between.
    for snapshot_of in 0..4 {
        let (_dir, mut store) = fresh();
        let days = [("i32", ROWS), ("i32", "1,8,a,\n2,6,b,1\n3,7,c,1\n"), ("float", "1,8.5,a,\n2,6,b,1\n3,7,c,1\n")];
        for (at, (kind, rows)) in (1..).zip(days) {
            load(&mut store, &day(kind, rows), at).unwrap();
            if at == snapshot_of {
                store.write_snapshot().unwrap();
            }
        }
        let wide = store.view();
        store.rollback(LoadId(2)).unwrap();
        assert_eq!(history(&*store.view(), "1"), [5.0, 8.5].map(Value::number));
        store.verify().unwrap();
        store.rollback(LoadId(3)).unwrap();
        let plain = [ValueRef::Int(5).to_value().widened(number(DType::I32)); 1].map(Option::unwrap);
        assert_eq!((history(&*store.view(), "1"), kinds(store.schema())), (plain.into(), [number(DType::I32); 2]));
        store.verify().unwrap();
        assert_eq!(history(&*wide, "1").len(), 3);
    }
}

#[test]
fn late_events_between_versions_of_which_one_is_wider() {
    for (value, is_wide) in [(7.0, false), (7.5, true)] {
        let (dir, mut store) = fresh();
        load(&mut store, &day("i32", ROWS), 10).unwrap();
        load(&mut store, &day("i32", "1,8,a,\n2,6,b,1\n3,7,c,1\n"), 20).unwrap();
        load(&mut store, &day("float", "1,8.5,a,\n2,6,b,1\n3,7,c,1\n"), 30).unwrap();
        let event = Event::new(Time(15), Action::Update, Element::Node(NodeKey::new("item", "1")));
        let event = event.with(vec![("n".into(), Some(Value::number(value)))]);
        let report = store.load_stream(LoadRequest::new("parts", "late"), false, |sink| {
            sink.file(&"late".into());
            sink.record(Record::Event(event.clone()), 1);
            Ok(())
        });
        let report = report.unwrap();
        assert_eq!((report.order.placed, report.n_rejected), (1, 0));
        let numbers = |numbers: &[f64]| numbers.iter().copied().map(Value::number).collect::<Vec<_>>();
        for _ in 0..2 {
            assert_eq!(history(&*store.view(), "1"), numbers(&[5.0, value, 8.0, 8.5]));
            assert_eq!(kinds(store.schema()), [number(DType::F64); 2]);
            store.verify().unwrap();
            store.write_snapshot().unwrap();
            drop(store);
            store = Store::open(dir.path()).unwrap();
        }
        // Without the wider version: the late event keeps its value, whatever kind that takes.
        store.rollback(LoadId(3)).unwrap();
        assert_eq!(history(&*store.view(), "1"), numbers(&[5.0, value, 8.0]), "{is_wide}");
        store.verify().unwrap();
        store.rollback(report.load).unwrap();
        assert_eq!(history(&*store.view(), "1"), numbers(&[5.0, 8.0]));
        store.verify().unwrap();
        drop(store);
        assert_eq!(history(&*Store::open(dir.path()).unwrap().view(), "1"), numbers(&[5.0, 8.0]));
    }
}

#[test]
fn what_others_say_of_a_feature_grows_wider_with_it() {
    let (_dir, mut store) = fresh();
    let request = |namespace: &str, at: i64| LoadRequest::new(namespace, "map.toml").version(&at.to_string(), Time(at));
    let mut load = |namespace: &str, kind: &str, rows: &str, at: i64| {
        let day = day(kind, rows);
        let load = store.load_version(request(namespace, at), DeltaOptions::default(), |sink| {
            version_format::read(&day.path().join("map.toml"), &VersionOptions::default(), sink)?;
            Ok(())
        });
        (load.unwrap().delta.unwrap().nodes, store.view())
    };
    load("ours", "i32", "1,5,a,\n2,6,b,1\n", 1);
    load("theirs", "i32", "1,7,c,\n", 2);
    // The kind of ours is theirs too: what they say stays the same, and may become a fraction.
    load("ours", "float", "1,5.5,a,\n2,6,b,1\n", 3);
    assert_eq!(load("theirs", "float", "1,7,c,\n", 4).0.unchanged, 1);
    assert_eq!(load("theirs", "float", "1,7.5,c,\n", 5).0.changed, 1);
    // They speak from now on, in the kind of the feature.
    let (_, view) = load("ours", "float", "2,6,b,\n", 6);
    let node = view.node(&NodeKey::new("item", "1"), At::now()).unwrap();
    assert_eq!((&node.features["n"], &node.features["name"]), (&Value::number(7.5), &Value::text("c")));
    store.verify().unwrap();
}
