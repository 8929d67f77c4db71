//! A reader stops soon once its sink is closed: a load that failed or was stopped does not read to the end of its source.

use std::fmt::Write;

use timeweft_graph::{Record, Schema, Sink};
use timeweft_source::{CsvOptions, CsvReader, JsonlReader, OboOptions, SourceError, gtdb, obo, rdp, tsv};

/// Closed after a few records.
#[derive(Default)]
struct Closing {
    schema: Schema,
    records: usize,
}

const WANTED: usize = 10;

impl Sink for Closing {
    fn schema(&mut self) -> &mut Schema {
        &mut self.schema
    }

    fn record(&mut self, record: Record<'_>, line: u64) {
        match record {
            Record::File(_) | Record::Format(_) => {}
            Record::Reject(reason) => panic!("line {line}: {reason}"),
            _ => self.records += 1,
        }
    }

    fn is_closed(&self) -> bool {
        self.records >= WANTED
    }
}

fn lines(n: usize, line: impl Fn(&mut String, usize)) -> String {
    let mut text = String::new();
    (0..n).for_each(|at| line(&mut text, at));
    text
}

#[track_caller]
fn stops(most: usize, read: impl FnOnce(&mut dyn Sink) -> Result<(), SourceError>) {
    let mut sink = Closing::default();
    read(&mut sink).unwrap();
    assert!((WANTED..=most).contains(&sink.records), "{} records", sink.records);
}

#[test]
fn readers_of_versions_stop_with_the_record_that_closes_the_sink() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let text = lines(1000, |text, at| {
        _ = writeln!(text, "G{at}\td__A;p__B;c__C;o__D;f__E;g__F;s__S{at}");
    });
    stops(WANTED + 7, |sink| gtdb::read(&[file("bac.tsv", &text)], sink));
    let text = lines(1000, |text, at| _ = writeln!(text, ">S{at} d\tLineage=A;domain;B{at};phylum\nACGT"));
    stops(WANTED + 3, |sink| rdp::read(&[(file("a.fa", &text), rdp::Molecule::S16)], sink));
    let text = lines(1000, |text, at| _ = writeln!(text, "[Term]\nid: X:{at}\nname: x\n"));
    stops(WANTED + 1, |sink| obo::read(text.as_bytes(), &"f".into(), &OboOptions::default(), sink));
}

#[test]
fn readers_of_intervals_stop_with_the_chunk_that_closes_the_sink() {
    let text = lines(500_000, |text, at| _ = writeln!(text, "{at}\t0\t0.5\t\t"));
    stops(200_000, |sink| tsv::read(text.as_bytes(), &"f".into(), sink));
}

#[test]
fn readers_of_events_stop_with_the_record_that_closes_the_sink() {
    let schema = Schema::new(timeweft_graph::TimeUnit::Step);
    let line = "{\"time\":1,\"action\":\"create\",\"entity\":\"node\",\"source\":{\"type\":\"a\",\"id\":1}}\n";
    let text = line.repeat(1000);
    stops(WANTED, |sink| JsonlReader::new(text.as_bytes(), &"f".into(), &schema).read(sink));
    let text = format!("src,dst,time\n{}", "1,2,3\n".repeat(1000));
    stops(WANTED, |sink| CsvReader::new(text.as_bytes(), &"f".into(), &schema, &CsvOptions::default())?.read(sink));
}
