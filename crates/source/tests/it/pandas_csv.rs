//! A frame of eight kinds of columns, as pandas' `to_csv(index=False)` writes it: as an event stream, and as a mapped table.

use timeweft_graph::{Schema, TimeUnit, Value, ValueRef, Version};
use timeweft_source::{CsvOptions, CsvReader, TablesOptions, tables};

/// int64, float64 with NaN and inf, bool, string, datetime64[ns], with a zone, nullable Int64, object with leading zeros.
const FRAME: &str = "time,src,whole,real,flag,words,naive,zoned,maybe,code\n\
    2024-03-02 09:00:00,a,1,0.5,True,plain,2024-03-02 09:00:00.250,2024-03-02 09:00:00+02:00,7,007\n\
    2024-03-02 09:00:01,b,-2,,False,\"a, \"\"b\"\"\nc\",,,,012\n\
    2024-03-02 09:00:02,c,3,inf,True,,2024-03-02 10:00:00.000,2024-03-02 09:00:00.5+00:00,9,100\n";

fn features(of: &[(timeweft_graph::Name, Value)]) -> String {
    of.iter().map(|(name, value)| format!("{name}={value:?}").replace("Name", "") + ";").collect()
}

#[test]
fn a_frame_of_pandas_is_an_event_stream() {
    let schema = Schema::new(TimeUnit::Second);
    let mut reader = CsvReader::new(FRAME.as_bytes(), &"f".into(), &schema, &CsvOptions::default()).unwrap();
    let events: Vec<_> = reader.by_ref().map(|record| record.unwrap().event).collect();
    let values = |at: usize| {
        let features = events[at].features.iter().map(|(name, value)| (name.clone(), value.clone().unwrap()));
        let mut features: Vec<_> = features.collect();
        features.sort_by(|a, b| a.0.cmp(&b.0));
        features
    };
    let text = |name: &str, text: &str| (name.into(), Value::text(text));
    let number = |name: &str, number: f64| (name.into(), Value::number(number));
    let truth = |truth: bool| ("flag".into(), Value::Json(truth.into()));
    // Times that are features have no kind of their own in an event stream: they stay what they are.
    let first = [
        text("code", "007"),
        truth(true),
        number("maybe", 7.0),
        text("naive", "2024-03-02 09:00:00.250"),
        number("real", 0.5),
        number("whole", 1.0),
        text("words", "plain"),
        text("zoned", "2024-03-02 09:00:00+02:00"),
    ];
    assert_eq!(features(&values(0)), features(&first));
    assert_eq!(values(1), [text("code", "012"), truth(false), number("whole", -2.0), text("words", "a, \"b\"\nc")]);
    assert_eq!(values(2)[3..5], [text("naive", "2024-03-02 10:00:00.000"), number("real", f64::INFINITY)][..]);
    assert_eq!(events.iter().map(|event| event.time.0).collect::<Vec<_>>(), [1709370000, 1709370001, 1709370002]);
}

#[test]
fn a_frame_of_pandas_is_a_mapped_table() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("frame.csv"), FRAME).unwrap();
    let kinds = "whole = \"int\", real = \"float\", flag = \"bool\", words = \"text\", naive = \"time\", zoned = \"time\", \
                 maybe = \"int\", code = \"category\"";
    let mapping = folder.path().join("map.toml");
    let entry = format!("[[nodes]]\nfile = \"frame.csv\"\ntype = \"row\"\nid = \"src\"\nfeatures = {{ {kinds} }}\n");
    std::fs::write(&mapping, entry).unwrap();
    let mut version = Version::new(Schema::new(TimeUnit::Milli));
    tables::read(&mapping, &TablesOptions::default(), &mut version).unwrap();
    assert_eq!(version.rejects, []);
    let values = |at: usize| {
        let mut features = version.nodes[at].features.clone();
        features.sort_by(|a, b| a.0.cmp(&b.0));
        features
    };
    let int = |name: &str, number: i64| (name.into(), ValueRef::Int(number).to_value());
    let code = |code: &str| ("code".into(), Value::Category(code.into()));
    let flag = |truth: bool| ("flag".into(), Value::Json(truth.into()));
    let words = |text: &str| ("words".into(), Value::text(text));
    let first = [
        code("007"),
        flag(true),
        int("maybe", 7),
        int("naive", 1709370000250),
        ("real".into(), Value::number(0.5)),
        int("whole", 1),
        words("plain"),
        int("zoned", 1709362800000),
    ];
    assert_eq!(values(0), first);
    assert_eq!(values(1), [code("012"), flag(false), int("whole", -2), words("a, \"b\"\nc")]);
    assert_eq!(values(2)[4], ("real".into(), Value::number(f64::INFINITY)));
    assert_eq!(values(2).last(), Some(&int("zoned", 1709370000500)));
}
