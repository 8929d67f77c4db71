//! Binary folders of DeepGNN. `tests/data/deepgnn` was made by `make.py` beside it with deepgnn-ge 0.1.66 and numpy
//! 1.26.4; tables for its edge samplers are left out.

use std::fs;
use std::path::{Path, PathBuf};

use timeweft_graph::{Element, Event, Record, SpanRows, TimeUnit};
use timeweft_oracle::Intervals;
use timeweft_source::{FeatureTypes, SourceError, deepgnn_binary, temporal_json};

fn data(name: &str) -> PathBuf {
    Path::new("tests/data/deepgnn").join(name)
}

const TEMPORAL: &str = r#"
[node_features]
0 = "temporal float32"
2 = "uint64"
3 = "binary"
4 = "int16"
5 = "float16"
[edge_features]
0 = "sparse int32"
1 = "uint64"
"#;

const STATIC: &str = r#"
[node_features]
0 = "float64"
1 = "sparse int16"
2 = "sparse int16"
[edge_features]
0 = "int8"
"#;

fn from_folder(folder: &Path, types: &str) -> Result<Intervals, SourceError> {
    let types: FeatureTypes = types.parse().unwrap();
    Intervals::collect(TimeUnit::Step, |sink| deepgnn_binary::read(folder, &types, sink))
}

fn from_json(name: &str) -> Intervals {
    let text = fs::read(data(name)).unwrap();
    Intervals::collect(TimeUnit::Step, |sink| temporal_json::read(&text[..], &"f".into(), sink)).unwrap()
}

/// Events in an order of their own, because partitions change the order of lines.
fn events(intervals: &Intervals) -> Vec<String> {
    let told = |event: &Event| format!("{} {:?} {:?} {:?}", event.time, event.action, event.element, event.features);
    let mut told: Vec<_> = intervals.records.iter().map(|(event, _)| told(event)).collect();
    told.sort();
    told
}

#[test]
fn a_folder_is_the_graph_of_the_json_that_it_was_made_from() {
    for (name, types) in [("temporal", TEMPORAL), ("static", STATIC), ("weights", "")] {
        let (folder, json) = (from_folder(&data(name), types).unwrap(), from_json(&format!("{name}.jsonl")));
        assert_eq!(folder.rejects, []);
        assert_eq!(events(&folder), events(&json), "{name}");
    }
    let nodes = from_folder(&data("temporal"), TEMPORAL).unwrap();
    let count = nodes.records.iter().filter(|(event, _)| matches!(event.element, Element::Node(_))).count();
    assert_eq!(count, 6, "three nodes, one of them with three changes");
}

#[test]
fn undeclared_features_are_bytes_and_wrong_types_refuse_their_record() {
    let read = |types: &str| {
        let mut rows = SpanRows::default();
        deepgnn_binary::read(&data("static"), &types.parse().unwrap(), &mut rows).unwrap();
        let told = rows.iter().filter_map(|row| match row {
            (Record::NodeSpan(node, of_node), _) => Some(format!(
                "{}: {}",
                node.id,
                of_node.iter().map(|span| span.kind.to_string()).collect::<Vec<_>>().join(" ")
            )),
            (Record::Reject(reason), line) => Some(format!("{line}: {reason}")),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(read(""), ["9: bytes bytes bytes", "4: "]);
    let sixteen = "its 16 bytes do not begin with a table of times: is it `temporal`?";
    for (types, expected) in [
        ("0 = \"temporal float64\"", format!("0: node 9: feature 0: {sixteen}")),
        (
            "0 = \"sparse float64\"",
            "0: node 9: feature 0: its 16 bytes are no sparse values of type f64: name another type".into(),
        ),
        (
            "1 = \"sparse float64\"",
            "0: node 9: feature 1: its 28 bytes are no values of type f64: name another type".into(),
        ),
    ] {
        assert_eq!(read(&format!("[node_features]\n{types}")), [expected, "4: ".to_owned()]);
    }
}

#[test]
fn types_are_told_by_a_small_file() {
    let problem = |text: &str| text.parse::<FeatureTypes>().unwrap_err();
    assert!(problem("[node_features]\n0 = \"int7\"").contains("feature 0: `int7` is no type of features"));
    assert!(problem("[node_features]\nx = \"int8\"").contains("`x` is no number of a feature"));
    assert!(problem("[nodes]\n0 = \"int8\"").contains("unknown field `nodes`"));
    assert!(problem("[edge_features]\n0 = \"sparse binary\"").contains("is no type"));
}

#[test]
fn without_tables_for_sampling_nodes_have_no_weight() {
    let folder = copy();
    for name in ["node_0_0.alias", "node_2_0.alias", "node_1_1.alias"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let intervals = from_folder(folder.path(), TEMPORAL).unwrap();
    let weights = |event: &str| event.contains("Create Node(") && event.contains("weight");
    assert_eq!(events(&intervals).iter().filter(|event| weights(event)).count(), 0);
    let with_tables = from_folder(&data("temporal"), TEMPORAL).unwrap();
    assert_eq!(events(&with_tables).iter().filter(|event| weights(event)).count(), 3);
}

/// A copy of the temporal folder to damage.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(data("temporal")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

#[test]
fn every_file_that_is_cut_off_or_too_long_is_an_error_that_names_it() {
    let files: Vec<_> = fs::read_dir(data("temporal")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let files = files
        .iter()
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.contains("_0_0.") || name.contains("_1_0."));
    let mut count = 0;
    for name in files.filter(|name| !name.ends_with(".alias")) {
        let whole = fs::read(data("temporal").join(&name)).unwrap();
        let longer: Vec<u8> = whole.iter().copied().chain([0; 24]).collect();
        for bytes in [&whole[..whole.len() - 1], &whole[..whole.len() / 2], &longer[..]] {
            let folder = copy();
            fs::write(folder.path().join(&name), bytes).unwrap();
            let error = from_folder(folder.path(), TEMPORAL).unwrap_err();
            assert!(matches!(error, SourceError::Document { .. }), "{name}: {error}");
            count += u32::from(error.to_string().contains(&name));
        }
        let folder = copy();
        fs::remove_file(folder.path().join(&name)).unwrap();
        let error = from_folder(folder.path(), TEMPORAL).unwrap_err().to_string();
        assert!(error.contains(name.split('.').next().unwrap()), "{name}: {error}");
    }
    // A longer map of nodes shows in the next file.
    assert!(count >= 40, "{count}");
}

#[test]
fn what_does_not_fit_together_is_an_error() {
    let with = |name: &str, at: usize, bytes: &[u8]| {
        let folder = copy();
        let mut whole = fs::read(folder.path().join(name)).unwrap();
        whole[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(folder.path().join(name), whole).unwrap();
        match from_folder(folder.path(), TEMPORAL) {
            Err(error) => error.to_string(),
            Ok(intervals) => intervals.rejects.iter().map(ToString::to_string).collect(),
        }
    };
    assert!(with("node_0_0.map", 8, &[7]).contains("node 9 is said to be at position 7, and is at 0"));
    assert!(with("node_features_0_0.index", 8, &[255; 8]).contains("the file is cut off"));
    assert!(with("node_0_0.index", 0, &[1]).contains("a record begins at entry 1, but the one before ends at 0"));
    assert!(with("neighbors_0_0.index", 8, &[9]).contains("cut off"));
    assert!(
        with("edge_0_0.timestamp", 16, &[1, 0, 0, 0, 0, 0, 0, 0])
            .contains("edge 9 -0-> 0: removed 1 is not after created 1")
    );
    assert!(with("edge_0_0.index", 16, &[255; 4]).contains("edge 9 --1-> 0: types are whole numbers from 0 on"));
    assert!(with("node_0_0.map", 16, &[254, 255, 255, 255]).contains("node 9: its type is -2"));
    let version = fs::read_to_string(data("temporal/meta.json")).unwrap().replace("\"v2\"", "\"v1\"");
    let folder = copy();
    fs::write(folder.path().join("meta.json"), version).unwrap();
    let error = from_folder(folder.path(), "").unwrap_err().to_string();
    assert!(error.contains("version `v1` is not `v2`"), "{error}");
}

#[test]
fn nodes_and_edges_of_one_node_may_be_in_two_partitions() {
    // The record of node 9 becomes a place for its edges alone.
    let folder = copy();
    let path = folder.path().join("node_0_0.map");
    let mut map = fs::read(&path).unwrap();
    map[16..20].copy_from_slice(&(-1i32).to_le_bytes());
    fs::write(&path, map).unwrap();
    let intervals = from_folder(folder.path(), TEMPORAL).unwrap();
    assert_eq!(intervals.rejects, []);
    let edges = intervals.records.iter().filter(|(event, _)| matches!(event.element, Element::Edge(_)));
    assert_eq!(
        edges.count(),
        events(&from_json("temporal.jsonl")).iter().filter(|event| event.contains("Edge(")).count()
    );
}

/// An older conversion into more partitions may have left its files.
#[test]
fn partitions_that_meta_json_does_not_name_are_passed_over() {
    let folder = copy();
    let names: Vec<_> = fs::read_dir(data("temporal")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    for name in names.iter().map(|name| name.to_string_lossy()) {
        fs::copy(data("temporal").join(&*name), folder.path().join(name.replace("_0_0.", "_7_0."))).unwrap();
    }
    fs::write(folder.path().join("node_8_0.map"), "damaged").unwrap();
    let intervals = from_folder(folder.path(), TEMPORAL).unwrap();
    assert_eq!(intervals.rejects, []);
    assert_eq!(events(&intervals), events(&from_json("temporal.jsonl")));
}

#[test]
fn negative_times_begin_the_lives_of_nodes() {
    let folder = copy();
    let path = folder.path().join("edge_0_0.timestamp");
    let mut times = fs::read(&path).unwrap();
    times[8..16].copy_from_slice(&(-4i64).to_le_bytes());
    fs::write(&path, times).unwrap();
    let intervals = from_folder(folder.path(), TEMPORAL).unwrap();
    assert_eq!(intervals.rejects, []);
    assert_eq!(intervals.records[0].0.time.0, -4);
}
