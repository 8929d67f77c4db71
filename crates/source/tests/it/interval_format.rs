//! Which format of intervals a path is in.

use std::fs;
use std::path::{Path, PathBuf};

use timeweft_graph::SpanRows;
use timeweft_source::{EdgeListOptions, IntervalFormat, IntervalSource, IntervalsOptions, interval_format};

#[test]
fn a_path_tells_its_format() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        interval_format::detect(&path).map_err(|error| error.to_string())
    };
    assert_eq!(file("a.json", ""), Ok(IntervalFormat::TemporalJson));
    assert_eq!(file("a.jsonl", ""), Ok(IntervalFormat::TemporalJson));
    assert_eq!(file("a.csv", ""), Ok(IntervalFormat::EdgeList));
    assert_eq!(file("a.tsv", ""), Ok(IntervalFormat::Tsv));
    assert_eq!(file("b", "\u{feff}\n {\"node_id\":1"), Ok(IntervalFormat::TemporalJson));
    assert_eq!(file("c.txt", "0,-1,0,1.0\n"), Ok(IntervalFormat::EdgeList));
    assert_eq!(file("d.txt", "0\t1\t1.0\tb:a,b\n"), Ok(IntervalFormat::Tsv));
    assert!(file("e.txt", "id,type\n").unwrap_err().contains("as intervals: expected temporal JSON"));
    assert!(file("f.txt", "").unwrap_err().contains("or give the format"));
    assert!(interval_format::detect(folder.path()).is_err());
    assert_eq!(interval_format::detect(Path::new("-")).ok(), Some(IntervalFormat::TemporalJson));
    let meta = "{\"binary_data_version\":\"v2\",\"partitions\":{}}";
    assert!(file("meta.json", meta).unwrap_err().contains("give the folder"));
    assert_eq!(interval_format::detect(folder.path()).ok(), Some(IntervalFormat::DeepgnnBinary));
}

#[test]
fn options_of_another_format_are_refused() {
    let options = IntervalsOptions { edge_list: Some(EdgeListOptions::default()), ..Default::default() };
    let error = IntervalSource::open(Path::new("a.json"), &options).err().unwrap().to_string();
    assert!(error.contains("are for `edge-list`, and the format is `json`: leave it out"), "{error}");
    let options = IntervalsOptions { feature_types: Some("t.toml".into()), ..Default::default() };
    let error = IntervalSource::open(Path::new("a.csv"), &options).err().unwrap().to_string();
    assert!(error.contains("is for `deepgnn`"), "{error}");
}

#[test]
fn every_format_is_read_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (format, text) in [
        ("json", "{\"node_id\":1,\"node_type\":0,\"node_weight\":1,\"edge\":[]}"),
        ("edge-list", "1,-1,0,1"),
        ("tsv", "1"),
    ] {
        let path: PathBuf = folder.path().join("x");
        fs::write(&path, text).unwrap();
        let options = IntervalsOptions { format: Some(format.parse().unwrap()), ..Default::default() };
        let mut rows = SpanRows::default();
        IntervalSource::open(&path, &options).unwrap().read(&mut rows).unwrap();
        assert_eq!(rows.iter().count(), 2, "{format}: the file and a node");
    }
    assert!("x".parse::<IntervalFormat>().unwrap_err().contains("json, edge-list, tsv, deepgnn"));
}
