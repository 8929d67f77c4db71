//! Damage anywhere in a graph's files: it is found, or it is harmless. No answer is ever wrong, `verify` never calls damage
//! sound, and what is loaded on top of a damaged cache is what the log makes of it.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use timeweft_graph::{At, DeltaOptions, Direction, GraphView, Time};
use timeweft_index::Index;
use timeweft_index::damage::catch;
use timeweft_store::{LoadRequest, Store};

use crate::world::{create, fresh, load, load_version, node, version};

/// Nodes of the graph: so many that its arrays have several blocks.
const NODES: usize = 1_500;
const TIMES: Range<i64> = 0..6;

/// Numbers that look random and are the same in each run (SplitMix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % n as u64) as usize
    }
}

/// A graph of which all bytes are known, and what it answers.
struct Known {
    dir: tempfile::TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
    everything: Vec<String>,
    /// After one version more.
    later: Vec<String>,
}

/// The lines of a version: each is another one in each part of the terms.
fn lines(round: usize) -> Vec<String> {
    let nodes = (0..NODES).filter(|at| at % 97 != round).map(|at| {
        let note = format!("{at} is as it was in round {}, and a line of text makes it long enough", at % (round + 1));
        format!("n {at} {}", serde_json::Value::from(note))
    });
    let edges = (0..NODES * 2).filter(|at| at % 83 != round).map(|at| {
        let (source, destination) = (at % NODES, (at * 7 + at / NODES) % (NODES / 10));
        format!("e k{} {source} {destination} {}", at / NODES, at % (round + 2))
    });
    let gone = |at: usize| at % 97 == round;
    let edges = edges.filter(move |line| {
        let ends: Vec<usize> = line.split(' ').skip(2).take(2).filter_map(|id| id.parse().ok()).collect();
        !ends.into_iter().any(gone)
    });
    nodes.chain(edges).chain([format!("m {} 1 same", 97 + round)]).collect()
}

fn next(store: &mut Store, round: usize) {
    let lines = lines(round);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let request = LoadRequest::new("test", "test").version(&format!("v{round}"), Time(round as i64));
    load_version(store, request, version(&lines), DeltaOptions::default()).unwrap();
}

impl Known {
    /// Some versions, of which one is in files, a load of events, one that was taken back, and a snapshot of all but the last.
    fn new() -> Known {
        let (dir, mut store) = fresh();
        next(&mut store, 1);
        next(&mut store, 2);
        load(&mut store, &[create(2, timeweft_graph::Element::Node(node("late")))]).unwrap();
        let last = store.loads().last().unwrap().id;
        store.rollback(last).unwrap();
        next(&mut store, 3);
        store.write_snapshot().unwrap();
        load(&mut store, &[create(3, timeweft_graph::Element::Node(node("last")))]).unwrap();
        let everything = everything(&store);
        drop(store);
        let files = files(dir.path());
        assert!(files.len() >= 3, "a catalogue, a segment, a snapshot");
        let mut known = Known { dir, files, everything, later: Vec::new() };
        let mut store = Store::open(known.dir.path()).unwrap();
        next(&mut store, 4);
        known.later = self::everything(&store);
        known
    }

    fn bytes_of(&self, ending: &str) -> (&Path, &[u8]) {
        let (path, bytes) = self.files.iter().find(|(path, _)| path.to_string_lossy().ends_with(ending)).unwrap();
        (path, bytes)
    }

    /// Puts all files back as they were, but for one that is changed.
    fn damage(&self, file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut change = Some(change);
        for folder in ["index", "log"] {
            for (path, _) in files_in(&self.dir.path().join(folder)) {
                fs::remove_file(path).unwrap();
            }
        }
        for (path, bytes) in &self.files {
            let mut bytes = bytes.clone();
            if path == file {
                change.take().unwrap()(&mut bytes);
            }
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    /// Whether damage is seen. Fails if anything is wrong that is given as right.
    fn is_seen(&self, draw: &mut Draw, what: &str) -> bool {
        let Ok(mut store) = Store::open(self.dir.path()) else { return true };
        let mut seen = false;
        for _ in 0..6 {
            let question = draw.below(self.everything.len());
            let view = store.view();
            let answer = catch(|| answer(&store, &view, question)).unwrap_or_else(|damage| {
                seen = true;
                store.mend(damage).unwrap();
                self::answer(&store, &store.view(), question)
            });
            assert!(answer == self.everything[question], "{what}: answer {question} is wrong");
        }
        match store.verify() {
            Err(_) => return true,
            Ok(report) => seen |= !report.sound,
        }
        seen |= !store.take_warnings().is_empty();
        // Sound, or made anew: now all is right.
        assert!(everything(&store) == self.everything, "{what}: a wrong answer, and it is called sound");
        seen
    }
}

fn files_in(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = files_in(dir);
    files.extend(files_in(&dir.join("log")));
    files.extend(files_in(&dir.join("index")));
    files.sort();
    files
}

/// So many answers there are besides those about single nodes.
const GENERAL: usize = 6;

/// An answer, as text: first those about the whole graph, then those about each node.
fn answer(store: &Store, view: &Index, question: usize) -> String {
    let counts = || TIMES.map(|time| format!("{:?}", view.counts(At::time(Time(time))))).collect::<String>();
    match question {
        0 => format!("{:?}", store.loads()),
        1 => format!("{:?} {:?}", store.schema(), view.schema()),
        2 => counts(),
        3 => format!("{:?}", view.merges()),
        4 => format!("{:?}", view.diff(Time(1), Time(3))),
        5 => format!("{:?}", view.events()),
        at => {
            let key = node(&(at - GENERAL).to_string());
            let around = TIMES.step_by(2).flat_map(|time| {
                let at = At::time(Time(time));
                [Direction::Out, Direction::In].map(|side| format!("{:?}", view.neighbors(&key, side, None, at)))
            });
            let around: String = around.collect();
            format!("{:?} {around}", view.node_history(&key))
        }
    }
}

fn everything(store: &Store) -> Vec<String> {
    let view = store.view();
    (0..GENERAL + NODES / 10).map(|question| answer(store, &view, question)).collect()
}

/// The parts of a snapshot that have any bytes, by name.
fn parts(snapshot: &[u8]) -> Vec<(String, Range<usize>)> {
    let number = |at: usize| u64::from_le_bytes(snapshot[at..at + 8].try_into().unwrap()) as usize;
    let end = snapshot.len() - 64;
    let (table, entries) = (number(end + 24), number(end + 32));
    let part = |at: usize| {
        let name = String::from_utf8_lossy(&snapshot[at..at + 32]).trim_end_matches('\0').to_string();
        (name, number(at + 32)..number(at + 32) + number(at + 40))
    };
    let parts = (0..entries).map(|entry| part(table + entry * 64)).filter(|(_, part)| !part.is_empty());
    parts.chain([("table and hashes".to_string(), table..end)]).collect()
}

#[test]
fn a_flipped_bit_anywhere_is_found_or_harmless_and_never_called_sound() {
    let known = Known::new();
    let mut draw = Draw(1);
    for _ in 0..3 {
        known.damage(Path::new("none"), |_| ());
        assert!(!known.is_seen(&mut draw, "nothing"), "what is whole is called damaged");
    }
    // Of the file that answers, each part alike, however large it is: all of it is live.
    let (path, snapshot) = known.bytes_of(".snapshot");
    let parts = parts(snapshot);
    assert!(parts.iter().filter(|(_, part)| part.len() > 1 << 16).count() >= 5, "several blocks: {parts:?}");
    for at in 0..parts.len() * 4 {
        let (name, part) = &parts[at % parts.len()];
        let (place, bit) = (part.start + draw.below(part.len()), draw.below(8));
        known.damage(path, |bytes| bytes[place] ^= 1 << bit);
        assert!(known.is_seen(&mut draw, &format!("bit {bit} at {place} in {name}")), "{name} at {place}");
    }
    for (path, bytes) in known.files.iter().filter(|(path, _)| path.to_string_lossy().ends_with(".arrow")) {
        for _ in 0..20 {
            let (place, bit) = (draw.below(bytes.len()), draw.below(8));
            known.damage(path, |bytes| bytes[place] ^= 1 << bit);
            assert!(known.is_seen(&mut draw, &format!("bit {bit} at {place} of {}", path.display())), "at {place}");
        }
    }
    // Rows of the catalogue are live where they say what this graph says.
    let (path, catalogue) = known.bytes_of("catalogue.redb");
    let is_row = |at: &usize| catalogue[*at..].starts_with(b"{\"") || catalogue[*at..].starts_with(b"ARROW1\0\0");
    let rows: Vec<usize> = (0..catalogue.len()).filter(is_row).collect();
    let mut seen = 0;
    for at in 0..160 {
        // Every other one anywhere: much of the file is free.
        let near = rows[draw.below(rows.len())] + draw.below(300);
        let (place, bit) = (if at % 2 == 0 { near } else { draw.below(catalogue.len()) }, draw.below(8));
        known.damage(path, |bytes| bytes[place] ^= 1 << bit);
        let is_seen = known.is_seen(&mut draw, &format!("bit {bit} at {place} of the catalogue"));
        seen += usize::from(is_seen && at % 2 == 0);
    }
    assert!(seen >= 40, "only {seen} of 80 flips in rows of the catalogue were seen");
}

#[test]
fn zero_pages_swapped_blocks_and_cut_files_are_found() {
    let known = Known::new();
    let mut draw = Draw(2);
    let (path, snapshot) = known.bytes_of(".snapshot");
    for (name, part) in parts(snapshot).iter().filter(|(_, part)| part.len() > 1 << 13) {
        let page = part.start + draw.below(part.len() / 4096) * 4096;
        let page = page..page + 4096;
        if snapshot[page.clone()].iter().any(|byte| *byte != 0) {
            known.damage(path, |bytes| bytes[page].fill(0));
            assert!(known.is_seen(&mut draw, &format!("a page of zeros in {name}")), "{name}");
        }
        if part.len() > 2 << 16 {
            let (first, second) = (part.start, part.start + (1 << 16));
            known.damage(path, |bytes| (0..1 << 12).for_each(|at| bytes.swap(first + at, second + at)));
            let is_other = snapshot[first..first + (1 << 12)] != snapshot[second..second + (1 << 12)];
            assert_eq!(known.is_seen(&mut draw, &format!("swapped pages in {name}")), is_other, "{name}");
        }
    }
    for (path, bytes) in &known.files {
        for _ in 0..6 {
            let length = draw.below(bytes.len());
            known.damage(path, |bytes| bytes.truncate(length));
            assert!(known.is_seen(&mut draw, &format!("{} cut at {length}", path.display())), "cut at {length}");
        }
    }
}

/// What is loaded on top of a damaged snapshot is what would have been loaded on top of a sound one.
#[test]
fn a_flipped_bit_in_the_snapshot_does_not_reach_the_log() {
    let known = Known::new();
    let mut draw = Draw(3);
    let (path, snapshot) = known.bytes_of(".snapshot");
    for (name, part) in parts(snapshot) {
        let (place, bit) = (part.start + draw.below(part.len()), draw.below(8));
        known.damage(path, |bytes| bytes[place] ^= 1 << bit);
        let mut store = Store::open(known.dir.path()).unwrap();
        next(&mut store, 4);
        assert!(!store.take_warnings().is_empty(), "{name}");
        drop(store);
        let _ = fs::remove_dir_all(known.dir.path().join("index"));
        let mut store = Store::open(known.dir.path()).unwrap();
        store.verify().unwrap();
        let found = everything(&store);
        let differs = (1..found.len()).find(|at| found[*at] != known.later[*at]);
        assert_eq!(differs, None, "{name} at {place}");
    }
}
