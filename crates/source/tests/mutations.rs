//! Files of every format, changed at random, read in one process: each ends in a result or an error, in bounded memory.
//!
//! The changes come from a seed, so a failure comes again. What allocates more than a reader may hold is refused by the
//! allocator, which ends the test.
#![allow(clippy::unwrap_used, missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::io::{Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use timeweft_graph::{FeatureKind, IdRef, Schema, TimeUnit, Value};
use timeweft_oracle::{Intervals, Version};
use timeweft_source::table_writer::{Cell, CellKind, Column, TableFormat, TableWriter};
use timeweft_source::{
    ColumnarReader, CsvOptions, CsvReader, FeatureTypes, IntervalFormat, IntervalSource, IntervalsOptions, JsonlReader,
    RootsReader, SourceError, VersionFormat, VersionOptions, open, version_format,
};

/// Bytes at once: what the readers hold of files this small is a small part of it.
const MOST: usize = 1 << 30;

struct Bounded;

static HELD: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code, reason = "the system's allocator, which counts")]
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size() > MOST {
            return std::ptr::null_mut();
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Bounded = Bounded;

/// Random numbers from a seed (SplitMix64).
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }

    /// Changes a file in one to three places.
    fn change(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        for _ in 0..=self.below(3) {
            let (at, until) = (self.below(changed.len()), self.below(changed.len() + 1));
            let (start, end) = (at.min(until), (at.min(until) + self.below(40)).min(changed.len()));
            match self.below(8) {
                0 | 1 if !changed.is_empty() => changed[at] ^= 1 << self.below(8),
                2 => changed.truncate(at),
                3 => drop(changed.drain(start..end)),
                4 => changed.extend_from_within(start..end),
                5 => drop(changed.splice(start..start, [0xff; 9])),
                // Numbers that claim a lot, as texts and as bytes.
                6 => drop(changed.splice(start..end, *b"18446744073709551615")),
                _ => drop(
                    changed
                        .splice(start..(start + 8).min(changed.len()), (1u64 << (30 + self.below(33))).to_le_bytes()),
                ),
            }
        }
        changed
    }
}

/// How files of one kind are read to their end.
type ReadFile = fn(&Path);

fn version(path: &Path) {
    let _ = version_format::read(path, &VersionOptions::default(), &mut Version::default());
}

fn intervals(path: &Path, format: IntervalFormat) {
    let options = IntervalsOptions { format: Some(format), ..IntervalsOptions::default() };
    let Ok(source) = IntervalSource::open(path, &options) else { return };
    let _ = Intervals::collect(TimeUnit::Step, |sink| source.read(sink));
}

fn events(path: &Path) {
    let schema = Schema::new(TimeUnit::Step);
    if ColumnarReader::reads(path) {
        let Ok(mut reader) = ColumnarReader::open(path, &schema, &Default::default()) else { return };
        _ = timeweft_oracle::events(|sink| reader.read(sink));
    } else if path.extension().is_some_and(|end| end == "jsonl") {
        let mut reader = JsonlReader::new(open(path).unwrap(), &"f".into(), &schema);
        _ = timeweft_oracle::events(|sink| reader.read(sink));
    } else {
        let reader = CsvReader::new(open(path).unwrap(), &"f".into(), &schema, &CsvOptions::default());
        let Ok(mut reader) = reader else { return };
        _ = timeweft_oracle::events(|sink| reader.read(sink));
    }
}

fn roots(path: &Path) {
    let Ok(mut reader) = RootsReader::open(path, TimeUnit::Step) else { return };
    while let Ok(Some(_)) = reader.advance() {}
}

const OBO: &str = "format-version: 1.2\ndefault-namespace: n\n\n[Term]\nid: X:1\nname: one \\\n more\ndef: \"a \\\"b\\\"\" [X:2, PMID:3]\nsynonym: \"s\" EXACT []\nxref: A:1 \"t\"\nis_a: X:2 {a=\"b\"} ! two\nrelationship: part_of X:3\nalt_id: X:9\n\n[Term]\nid: X:2\nis_obsolete: true\nreplaced_by: X:1\n\n[Typedef]\nid: part_of\nname: part of\n";
const OBOGRAPH: &str = r#"{"graphs":[{"id":"g","meta":{"basicPropertyValues":[{"pred":"default-namespace","val":"n"}]},"nodes":[{"id":"http://purl.obolibrary.org/obo/X_1","lbl":"one","type":"CLASS","meta":{"definition":{"val":"d","xrefs":["b","a"]},"synonyms":[{"pred":"hasExactSynonym","val":"s"}]}},{"id":"http://purl.obolibrary.org/obo/X_2","type":"CLASS","meta":{"deprecated":true,"basicPropertyValues":[{"pred":"http://purl.obolibrary.org/obo/IAO_0100001","val":"http://purl.obolibrary.org/obo/X_1"}]}}],"edges":[{"sub":"http://purl.obolibrary.org/obo/X_1","pred":"is_a","obj":"http://purl.obolibrary.org/obo/X_2"}],"logicalDefinitionAxioms":[{"definedClassId":"http://purl.obolibrary.org/obo/X_1","genusIds":["http://purl.obolibrary.org/obo/X_2"]}]}]}"#;
const JSONL: &str = "{\"time\":1,\"action\":\"create\",\"entity\":\"node\",\"source\":{\"type\":\"u\",\"id\":\"a\",\"features\":{\"x\":31,\"l\":[1,2.5],\"t\":\"text\",\"s\":{\"coordinates\":[[1]],\"values\":[2.0],\"dtype\":\"f32\"}}}}\n{\"time\":\"2020-01-01\",\"action\":\"update\",\"entity\":\"edge\",\"source\":{\"type\":\"u\",\"id\":7},\"edge\":{\"type\":\"r\",\"key\":\"k\",\"features\":{}},\"destination\":{\"type\":\"u\",\"id\":8}}\n";
const CSV: &str = "src,relation,dst,time,weight,note\na,r,b,1,0.5,\"q \"\"x\"\"\"\nb,r,c,2020-01-01T00:00:00Z,,plain\nc,r,d,3,nan,\\\"\n";
const TEMPORAL: &str = "{\"node_id\":42,\"node_type\":0,\"node_weight\":1.0,\"created_at\":13,\"removed_at\":23,\"binary_feature\":{\"0\":[{\"values\":[\"a\"],\"created_at\":13,\"removed_at\":20}]},\"sparse_float_feature\":{\"1\":{\"coordinates\":[[1]],\"values\":[2.5]}},\"edge\":[{\"src_id\":42,\"dst_id\":9,\"edge_type\":0,\"weight\":2.0,\"removed_at\":19,\"float_feature\":{\"0\":[1.0,2.0]}}]}\n";
const GTDB: &str = "RS_GCF_1.1\td__Bacteria;p__P;c__C;o__O;f__F;g__G;s__G one\nGB_GCA_2.1\td__Bacteria;p__P;c__C;o__O;f__F;g__G;s__G two\n";
const RDP: &str = ">S1 Bug; strain\tLineage=Root;rootrank;Bacteria;domain;Genus;genus\nacgt\nacgt\n>S2 Bug\tLineage=Root;rootrank\nac\n";
const NODES: &str =
    "1\t|\t1\t|\tno rank\t|\t\t|\t8\t|\t0\t|\t1\t|\t0\t|\n2\t|\t1\t|\tspecies\t|\t\t|\t8\t|\t0\t|\t1\t|\t0\t|\n";
const NAMES: &str = "1\t|\troot\t|\t\t|\tscientific name\t|\n2\t|\tBug\t|\t\t|\tscientific name\t|\n2\t|\tBug two\t|\t\t|\tsynonym\t|\n";
const MAPPING: &str = "[[nodes]]\nfile = \"t.csv\"\ntype = \"n\"\nid = \"src\"\nfeatures = [\"weight\", { name = \"note\", kind = \"text\" }]\n\n[[edges]]\nfile = \"t.csv\"\nrelation = \"r\"\nsource = { type = \"n\", id = \"src\" }\ndestination = { type = \"n\", id = \"dst\" }\n";

/// The files, each with a name that tells its format.
fn files(folder: &Path) -> Vec<(PathBuf, ReadFile)> {
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    };
    fs::create_dir(folder.join("dump")).unwrap();
    write("t.csv", CSV);
    let mut files: Vec<(PathBuf, ReadFile)> = vec![
        (write("a.obo", OBO), version),
        (write("b.json", OBOGRAPH), version),
        (write("c.toml", MAPPING), version),
        (write("bac120_taxonomy.tsv", GTDB), version),
        (write("d.fa", RDP), version),
        (write("dump/nodes.dmp", NODES), |path| version(path.parent().unwrap())),
        (write("dump/names.dmp", NAMES), |path| version(path.parent().unwrap())),
        (write("e.jsonl", JSONL), events),
        (write("f.csv", CSV), events),
        (write("r.csv", "type,id,time\nu,a,1\nu,b,2\n"), roots),
        (write("i.json", &TEMPORAL.repeat(3)), |path| intervals(path, IntervalFormat::TemporalJson)),
        (write("l.csv", "0,-1,0,1.0,1,9\n0,1,2,1.0,1,9\n"), |path| intervals(path, IntervalFormat::EdgeList)),
        (write("t.tsv", "1\t0\t1.0\t0:f32:1,2\t9,0,1.0\n"), |path| intervals(path, IntervalFormat::Tsv)),
        (write("k.toml", "[node_features]\n0 = \"float32\"\n"), |path| _ = FeatureTypes::open(path)),
    ];
    for (name, format) in [("p.parquet", TableFormat::Parquet), ("q.arrow", TableFormat::Arrow)] {
        let kinds = [CellKind::Id, CellKind::Id, CellKind::Int, CellKind::Value(FeatureKind::Text), CellKind::Float];
        let columns = ["src", "dst", "time", "note", "weight"].into_iter().zip(kinds);
        let columns = columns.map(|(name, kind)| Column::nullable(name, kind)).collect();
        let out = fs::File::create(folder.join(name)).unwrap();
        let mut writer = TableWriter::new(format, columns, &[("fact", "f".to_owned())], out).unwrap();
        for row in 0..300 {
            let note = Value::text(&format!("note {}", row % 7));
            let id = |text| Cell::Id(IdRef::Text(text));
            let cells = [id("a"), id("b"), Cell::Int(row), note.into(), Cell::Float(0.5)];
            writer.row(cells).unwrap();
        }
        writer.finish().unwrap();
        files.push((folder.join(name), events));
    }
    files
}

/// Changed files of each kind.
const CHANGED: u64 = 150;

#[test]
fn changed_files_of_every_format_end_in_a_result_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    // What a reader panics with is told once, below.
    std::panic::set_hook(Box::new(|_| ()));
    let mut broken = Vec::new();
    for (path, read) in files(folder.path()) {
        let whole = fs::read(&path).unwrap();
        read(&path);
        for seed in 0..CHANGED {
            fs::write(&path, Draws(seed).change(&whole)).unwrap();
            if catch_unwind(AssertUnwindSafe(|| read(&path))).is_err() {
                broken.push((path.file_name().unwrap().to_owned(), seed));
            }
        }
        fs::write(&path, whole).unwrap();
    }
    assert!(broken.is_empty(), "readers panicked at these files and seeds: {broken:?}");
}

/// What is packed may unpack to any size: it is read to an error, or past it, and never held whole.
#[test]
fn what_unpacks_to_more_than_is_held_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pack = |name: &str, begin: &str, filler: &str| {
        let out = fs::File::create(folder.path().join(name)).unwrap();
        let mut packed = zstd::Encoder::new(out, 1).unwrap();
        packed.write_all(begin.as_bytes()).unwrap();
        let block = filler.repeat((1 << 20) / filler.len());
        (0..70).for_each(|_| packed.write_all(block.as_bytes()).unwrap());
        packed.finish().unwrap();
        folder.path().join(name)
    };
    let out = fs::File::create(folder.path().join("w.csv.zst")).unwrap();
    let mut packed = zstd::Encoder::new(out, 1).unwrap();
    packed.window_log(28).unwrap();
    packed.write_all(CSV.as_bytes()).unwrap();
    packed.finish().unwrap();
    let mut text = String::new();
    let error = open(&folder.path().join("w.csv.zst")).unwrap().read_to_string(&mut text).unwrap_err();
    assert!(error.to_string().contains("a window of more than 128 MiB: unpack it with `zstd -d --long=31`"), "{error}");

    let before = HELD.load(Ordering::Relaxed);
    let told = |result: Result<(), SourceError>| result.err().map(|error| error.to_string()).unwrap_or_default();
    let read = |path: &Path, format| {
        let options = VersionOptions { format: Some(format), ..VersionOptions::default() };
        let mut version = Version::default();
        (told(version_format::read(path, &options, &mut version)), version)
    };
    let (error, _) =
        read(&pack("a.obo.zst", "format-version: 1.2\n\n[Term]\nid: X:1\n", "comment: a\n"), VersionFormat::Obo);
    assert!(error.contains("the stanza [Term] of line 3 is longer than 64 MiB"), "{error}");
    let (error, _) = read(&pack("b.obo.zst", "format-version: ", "x"), VersionFormat::Obo);
    assert!(error.is_empty() || error.contains("longer than 64 MiB"), "{error}");
    let record = "{\"graphs\":[{\"nodes\":[{\"id\":\"http://purl.obolibrary.org/obo/X_1\",\"lbl\":\"";
    let (error, _) = read(&pack("c.json.zst", record, "x"), VersionFormat::Obograph);
    assert!(error.contains("EOF") || error.contains("longer"), "{error}");

    let schema = Schema::new(TimeUnit::Step);
    let path = pack("d.jsonl.zst", "{\"time\":1}\n", "x");
    let (records, _) =
        timeweft_oracle::events(|sink| JsonlReader::new(open(&path).unwrap(), &"d".into(), &schema).read(sink));
    let rejects: Vec<_> = records.into_iter().filter_map(Result::err).collect();
    assert!(
        rejects.iter().any(|reject| reject.to_string().contains("d:2: the line is longer than 64 MiB")),
        "{rejects:?}"
    );
    let path = pack("e.csv.zst", "src,dst,time\na,b,1\n", "x");
    let read = || CsvReader::new(open(&path).unwrap(), &"e".into(), &schema, &CsvOptions::default()).unwrap();
    let (records, _) = timeweft_oracle::events(|sink| read().read(sink));
    let rejects: Vec<_> = records.into_iter().filter_map(Result::err).collect();
    assert!(rejects[0].to_string().contains("e:3: the line is longer than 64 MiB"), "{rejects:?}");
    assert!(HELD.load(Ordering::Relaxed) < before + (1 << 20), "nothing of it stays");
}

/// What a compressed buffer says of its size is no reason to make room for it.
#[test]
fn a_buffer_of_arrow_that_claims_a_petabyte_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let all = files(folder.path());
    let (path, _) = all.iter().find(|(path, _)| path.ends_with("q.arrow")).unwrap();
    let mut bytes = fs::read(path).unwrap();
    // 300 times of 8 bytes each, and the mark of a compressed frame behind them.
    let frames = [[0x04, 0x22, 0x4d, 0x18], [0x28, 0xb5, 0x2f, 0xfd]];
    let size = 2400i64.to_le_bytes();
    let is_size =
        |at: &usize| bytes[*at..].starts_with(&size) && frames.iter().any(|frame| bytes[at + 8..].starts_with(frame));
    let found: Vec<usize> = (0..bytes.len() - 12).filter(is_size).collect();
    assert!(!found.is_empty(), "the times are compressed");
    for at in found {
        bytes[at..at + 8].copy_from_slice(&(1i64 << 50).to_le_bytes());
    }
    fs::write(path, bytes).unwrap();
    let schema = Schema::new(TimeUnit::Step);
    let mut reader = ColumnarReader::open(path, &schema, &Default::default()).unwrap();
    let (records, end) = timeweft_oracle::events(|sink| reader.read(sink));
    assert_eq!(records.len(), 0);
    let told = end.unwrap_err().to_string();
    assert!(told.contains("is larger than 4 GiB: write batches of fewer rows"), "{told}");
}
