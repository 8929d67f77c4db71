//! Graphs that earlier versions of the file format wrote, one of each: they open, answer as they did, take further loads,
//! and verify.
//!
//! `formats/format-N` has what the last timeweft of that format wrote: a graph of events, of two versions of an ontology,
//! from format 2 on of a load that was rolled back, from 3 on of intervals, from 4 on of late events, and of a segment of its
//! own; and what that timeweft answered. Every file is packed by gzip.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::world::World;

/// The formats, and how many loads each graph counts.
const FORMATS: [(u64, u64); 5] = [(1, 4), (2, 6), (3, 7), (4, 8), (5, 8)];

fn packed(format: u64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/formats/format-{format}"))
}

fn unpack(file: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(fs::File::open(file).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Unpacks all files below a folder to another place.
fn unpack_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            unpack_all(&path, &to.join(entry.file_name()));
        } else {
            fs::write(to.join(path.file_stem().unwrap()), unpack(&path)).unwrap();
        }
    }
}

/// A world with the graph of a format.
fn world(format: u64) -> World {
    let world = World::new();
    unpack_all(&packed(format).join("graph"), &world.path("old"));
    world
}

fn answer(format: u64, name: &str) -> String {
    String::from_utf8(unpack(&packed(format).join(format!("answers/{name}.jsonl.gz")))).unwrap()
}

/// Compares every answer that is kept with the one of today.
fn compare_answers(world: &World, format: u64) {
    for time in [5, 9, 15, 20, 60] {
        let state = world.done(&format!("export --at {time} --graph old"));
        assert_eq!(state, answer(format, &format!("state-{time}")), "format {format} at {time}");
    }
    let state = world.done("export --at 20 --commit 2 --graph old");
    assert_eq!(state, answer(format, "state-20-commit-2"), "format {format} at commit 2");
    assert_eq!(world.done("export --events --graph old"), answer(format, "events"), "format {format}");
}

#[test]
fn graphs_of_every_format_open_and_answer_as_they_did() {
    for (format, loads) in FORMATS {
        let world = world(format);
        compare_answers(&world, format);
        let verified = world.done("verify --graph old");
        assert!(verified.starts_with(&format!("sound: {loads} loads")), "format {format}: {verified}");
    }
}

#[test]
fn graphs_of_every_format_take_loads_and_undo_them() {
    for (format, loads) in FORMATS {
        let world = world(format);
        world.write(
            "more.jsonl",
            "{\"time\":70,\"action\":\"create\",\"entity\":\"node\",\"source\":{\"type\":\"user\",\"id\":\"eve\"}}\n",
        );
        world.done("load events more.jsonl --graph old");
        assert!(world.done("export --at 70 --graph old").contains("eve"), "format {format}");
        world.done(&format!("rollback {} --graph old", loads + 1));
        compare_answers(&world, format);
        let verified = world.done("verify --graph old");
        assert!(verified.starts_with(&format!("sound: {} loads", loads + 2)), "format {format}: {verified}");
    }
}
