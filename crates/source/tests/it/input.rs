//! Opening files, and what is wrong with whole files.

use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use timeweft_graph::{Dense, Numbers, Schema, TimeUnit, Value};
use timeweft_oracle::events;
use timeweft_source::{Input, JsonlReader, SourceError, open, plain_name};

const NODE: &str = "{\"time\":1,\"action\":\"create\",\"entity\":\"node\",\"source\":{\"type\":\"a\",\"id\":1}}\n";

#[test]
fn a_missing_file_names_its_path() {
    let error = open(Path::new("no/such/file.jsonl")).err().unwrap();
    assert!(matches!(error, SourceError::Open { .. }));
    assert!(error.to_string().contains("`no/such/file.jsonl`"), "{error}");
}

#[test]
fn a_folder_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(folder.path()).err().unwrap();
    assert!(error.to_string().contains("it is a folder"), "{error}");
}

/// How many records there are, and what ended the reading before the end.
fn count(reader: &mut JsonlReader<Input>) -> (usize, Option<String>) {
    let (records, end) = events(|sink| reader.read(sink));
    (records.len(), end.err().map(|error| error.to_string()))
}

#[test]
fn bytes_read_counts_to_the_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    std::fs::write(&path, NODE.repeat(3)).unwrap();
    let input = open(&path).unwrap();
    let (size, bytes_read, name) = (input.size().unwrap(), input.bytes_read(), input.name().clone());
    assert_eq!(bytes_read.get(), 0);
    assert_eq!(count(&mut JsonlReader::new(input, &name, &Schema::new(TimeUnit::Step))), (3, None));
    assert_eq!((bytes_read.get(), size), (3 * NODE.len() as u64, 3 * NODE.len() as u64));
}

#[test]
fn a_packed_file_is_unpacked_and_counted_packed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl.gz");
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(NODE.repeat(100).as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    std::fs::write(&path, &packed).unwrap();
    let input = open(&path).unwrap();
    let (bytes_read, name) = (input.bytes_read(), input.name().clone());
    assert_eq!(count(&mut JsonlReader::new(input, &name, &Schema::new(TimeUnit::Step))), (100, None));
    assert_eq!(bytes_read.get(), packed.len() as u64);

    std::fs::write(&path, &packed[..packed.len() - 9]).unwrap();
    let mut reader = JsonlReader::new(open(&path).unwrap(), &name, &Schema::new(TimeUnit::Step));
    let (read, end) = events(|sink| reader.read(sink));
    assert!(read.len() <= 100, "{}", read.len());
    assert!(matches!(end, Err(SourceError::Read { .. })), "a cut file is no whole file");
}

#[test]
fn every_packing_is_unpacked_whatever_the_letters_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let text = NODE.repeat(1000);
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    bzip2.write_all(text.as_bytes()).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = [
        ("a.jsonl.GZ", gzip.finish().unwrap()),
        ("a.JSONL.bz2", bzip2.finish().unwrap()),
        ("a.jsonl.Zst", zstd::encode_all(text.as_bytes(), 1).unwrap()),
    ];
    for (name, bytes) in packed {
        let path = folder.path().join(name);
        assert_eq!(plain_name(&path), "a.jsonl");
        let read = || JsonlReader::new(open(&path).unwrap(), &name.into(), &Schema::new(TimeUnit::Step));
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(count(&mut read()), (1000, None), "{name}");
        // One packed file behind another is one file, as `cat` makes it.
        std::fs::write(&path, [&bytes[..], &bytes[..]].concat()).unwrap();
        assert_eq!(count(&mut read()), (2000, None), "{name}");
        std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
        let (records, end) = events(|sink| read().read(sink));
        assert!(records.len() <= 1000 && matches!(end, Err(SourceError::Read { .. })), "{name}: a cut file");
    }
}

#[test]
fn an_empty_list_of_a_packed_file_is_told_by_what_follows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl.gz");
    let line = |list: &str| NODE.replace("\"id\":1", &format!("\"id\":1,\"features\":{{\"x\":{list}}}"));
    let text = line("[]") + &NODE.repeat(3000) + &line("[1]");
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        JsonlReader::new(open(&path).unwrap(), &"a".into(), &Schema::new(TimeUnit::Step))
    };
    let (records, end) = events(|sink| read(&packed).read(sink));
    let records: Vec<_> = records.into_iter().map(Result::unwrap).collect();
    let list = Value::Dense(Dense { numbers: Numbers::F64(vec![]), scalar: false });
    assert_eq!((records.len(), records[3001].1.line), (3002, 3002));
    assert_eq!(records[0].0.features[0].1, Some(list));
    assert!(end.is_ok());
    let (records, end) = events(|sink| read(&packed[..packed.len() - 9]).read(sink));
    assert!(records.len() <= 3002 && matches!(end, Err(SourceError::Read { .. })), "a cut file");
}

#[test]
fn a_packing_that_is_not_read_says_how_to_unpack_it() {
    let folder = tempfile::tempdir().unwrap();
    for (name, how) in [
        ("a.csv.xz", "xz -dc "),
        ("a.csv.ZIP", "unzip -p "),
        ("a.csv.lz4", "lz4 -dc "),
        ("a.tar.gz", "tar -xzOf "),
        ("a.csv.7z", "7z x -so "),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, "x").unwrap();
        let problem = open(&path).err().unwrap().to_string();
        assert!(problem.contains(how) && problem.contains("unpack it first"), "{problem}");
    }
}

/// Gives one good line, then fails.
struct Failing(bool);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if std::mem::replace(&mut self.0, true) {
            return Err(io::Error::other("the disk is gone"));
        }
        buffer[..NODE.len()].copy_from_slice(NODE.as_bytes());
        Ok(NODE.len())
    }
}

#[test]
fn a_failing_disk_is_told_with_the_line() {
    let mut reader = JsonlReader::new(BufReader::new(Failing(false)), &"f".into(), &Schema::new(TimeUnit::Step));
    let (records, end) = events(|sink| reader.read(sink));
    assert!(records.len() == 1 && records[0].is_ok());
    assert_eq!(end.unwrap_err().to_string(), "f:2: reading stopped: the disk is gone");
}
