//! Files that are not what was written, directories that are no graphs, and disks that are full.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use redb::ReadableTable;
use timeweft_graph::{At, Commit, Element, Event, GraphView, NodeKey, Schema};
use timeweft_store::{FORMAT, Store, StoreError};

use crate::world::{create, fresh, load};

fn nodes(from: u64, to: u64) -> Vec<Event> {
    (from..to).map(|n| create(1, Element::Node(NodeKey::new("n", n)))).collect()
}

/// A graph with one load in a file and one in the catalogue.
fn graph() -> (tempfile::TempDir, PathBuf) {
    let (dir, mut store) = fresh();
    load(&mut store, &nodes(0, 5_000)).unwrap();
    load(&mut store, &nodes(5_000, 5_010)).unwrap();
    let segment = dir.path().join("log/p0-1-0.arrow");
    (dir, segment)
}

fn assert_corrupt(dir: &Path, expected: &Path, problem: &str) {
    let Err(StoreError::Corrupt { file, problem: found }) = Store::open(dir) else { panic!("{problem} was not seen") };
    assert_eq!(file, expected);
    assert!(found.contains(problem), "{found}");
}

#[test]
fn a_changed_byte_anywhere_in_a_segment_is_found() {
    let (dir, segment) = graph();
    let whole = fs::read(&segment).unwrap();
    for position in [0, 9, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[position] ^= 1;
        fs::write(&segment, changed).unwrap();
        assert_corrupt(dir.path(), &segment, "checksum");
    }
    fs::write(&segment, &whole).unwrap();
    assert_eq!(Store::open(dir.path()).unwrap().view().counts(At::now()).nodes, 5_010);
}

#[test]
fn a_short_or_missing_segment_is_found() {
    let (dir, segment) = graph();
    let whole = fs::read(&segment).unwrap();
    fs::write(&segment, &whole[..whole.len() - 1]).unwrap();
    assert_corrupt(dir.path(), &segment, "bytes instead of");
    fs::remove_file(&segment).unwrap();
    assert_corrupt(dir.path(), &segment, "missing");
}

#[test]
fn a_segment_that_changes_under_an_open_store_is_found_by_verify() {
    let (dir, segment) = graph();
    let mut store = Store::open(dir.path()).unwrap();
    let found = store.verify().unwrap();
    assert_eq!((found.loads, found.segments, found.events), (2, 2, 5_010));
    let mut changed = fs::read(&segment).unwrap();
    changed[100] ^= 1;
    fs::write(&segment, changed).unwrap();
    assert!(matches!(store.verify(), Err(StoreError::Corrupt { file, .. }) if file == segment));
}

#[test]
fn a_changed_byte_in_a_small_load_is_found() {
    let (dir, _) = graph();
    let catalogue = dir.path().join("catalogue.redb");
    let mut bytes = fs::read(&catalogue).unwrap();
    let starts: Vec<usize> =
        bytes.windows(8).enumerate().filter(|(_, w)| *w == b"ARROW1\0\0").map(|(at, _)| at).collect();
    assert!(!starts.is_empty());
    starts.iter().for_each(|at| bytes[at + 40] ^= 1);
    fs::write(&catalogue, bytes).unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Corrupt { file, .. }) if file == catalogue));
}

#[test]
fn files_that_nothing_refers_to_are_removed_and_others_are_left_alone() {
    let (dir, segment) = graph();
    let log = dir.path().join("log");
    for name in ["p0-3-0.arrow", "p0-3-1.arrow.tmp", "notes.txt"] {
        fs::write(log.join(name), "left over").unwrap();
    }
    let mut store = Store::open(dir.path()).unwrap();
    assert!(segment.exists() && log.join("notes.txt").exists());
    assert!(!log.join("p0-3-0.arrow").exists() && !log.join("p0-3-1.arrow.tmp").exists());
    load(&mut store, &nodes(6_000, 12_000)).unwrap();
    drop(store);
    assert_eq!(Store::open(dir.path()).unwrap().commit(), Commit(3));
}

#[test]
fn a_newer_format_is_refused() {
    let (dir, _) = graph();
    let meta: redb::TableDefinition<&str, &str> = redb::TableDefinition::new("meta");
    let database = redb::Database::open(dir.path().join("catalogue.redb")).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(meta).unwrap().insert("format", (FORMAT + 1).to_string().as_str()).unwrap();
    write.commit().unwrap();
    drop(database);
    let Err(error) = Store::open(dir.path()) else { panic!("opened") };
    assert!(matches!(error, StoreError::NewerFormat { found, known: FORMAT, .. } if found == FORMAT + 1));
    assert!(error.to_string().contains("use a newer timeweft"), "{error}");
}

#[test]
fn what_is_no_graph_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open(dir.path().join("none")), Err(StoreError::Missing(_))));
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Missing(_))));
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::NotAGraph(_))));
    let store = Store::create(dir.path().join("a/b"), Schema::default()).unwrap();
    assert!(matches!(Store::open(dir.path().join("a/b")), Err(StoreError::Locked { .. })));
    drop(store);
    assert!(matches!(Store::create(dir.path().join("a/b"), Schema::default()), Err(StoreError::Exists(_))));
    assert!(Store::open(dir.path().join("a/b")).is_ok());
}

/// A catalogue that was never committed to is what a crash inside `create` of an earlier timeweft left.
#[test]
fn an_interrupted_create_can_be_repeated() {
    let dir = tempfile::tempdir().unwrap();
    drop(redb::Database::create(dir.path().join("catalogue.redb")).unwrap());
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Missing(_))));
    assert!(Store::create(dir.path(), Schema::default()).is_ok());
    let other = tempfile::tempdir().unwrap();
    let database = redb::Database::create(other.path().join("catalogue.redb")).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(redb::TableDefinition::<u64, u64>::new("of somebody else")).unwrap();
    write.commit().unwrap();
    drop(database);
    assert!(matches!(Store::create(other.path(), Schema::default()), Err(StoreError::NotAGraph(_))));
}

/// The lock is held until the graph is gone, and who waited for it finds none: nothing is loaded into what is no more.
#[test]
fn a_graph_that_is_taken_away_is_opened_by_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("a/g");
    for round in 0..30 {
        let store = Store::create(&place, Schema::default()).unwrap();
        let waiting = std::thread::spawn({
            let place = place.clone();
            move || loop {
                match Store::open(&place) {
                    Err(StoreError::Locked { .. }) => {}
                    other => return other.map(drop),
                }
            }
        });
        store.made().unwrap().remove().unwrap();
        drop(store);
        let found = waiting.join().unwrap();
        assert!(matches!(found, Err(StoreError::Missing(_) | StoreError::Io { .. })), "round {round}: {found:?}");
        assert!(!dir.path().join("a").exists(), "round {round}");
    }
}

/// Of several that make a graph at once one does, and no other harms it.
#[test]
fn a_graph_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let place = dir.path().join(round.to_string());
        let makers: Vec<_> = (0..4)
            .map(|_| {
                let place = place.clone();
                std::thread::spawn(move || Store::create(&place, Schema::default()))
            })
            .collect();
        let made: Vec<_> = makers.into_iter().map(|maker| maker.join().unwrap()).collect();
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "round {round}: {made:?}");
        drop(made);
        let mut store = Store::open(&place).unwrap();
        load(&mut store, &nodes(0, 5_000)).unwrap();
        let names = ["catalogue.redb", "log", "manifest", "writer"];
        let mut found: Vec<_> = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        found.sort();
        assert_eq!(found, names, "round {round}: nothing else");
    }
}

/// Loads until there is no space, and checks what a full disk may do: refuse the load, keep the graph, and stop.
fn fill(dir: &Path, per_load: u64) {
    let mut store = Store::open(dir).unwrap();
    let before = store.view().counts(At::now()).nodes as u64;
    let reader = store.view();
    let mut held = before;
    let error = loop {
        match load(&mut store, &nodes(held, held + per_load)) {
            Ok(_) => held += per_load,
            Err(error) => break error,
        }
        assert!(held < before + 5_000_000, "the disk never gets full");
    };
    let StoreError::Unwritten { cause, kept: false } = error else { panic!("{error:?}") };
    assert!(matches!(*cause, StoreError::DiskFull(_)), "{cause:?}");
    assert_eq!(store.view().counts(At::now()).nodes as u64, held, "the graph is that before the failed load");
    assert_eq!(reader.counts(At::now()).nodes as u64, before);
    assert!(matches!(load(&mut store, &nodes(held, held + 1)), Err(StoreError::Poisoned)));
}

/// Set in the child: the graph that it fills under a limit of file sizes.
const DIR: &str = "TIMEWEFT_TEST_FULL_DIR";

#[test]
fn fills_a_limited_disk() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let per_load = std::env::var("TIMEWEFT_TEST_FULL_LOAD").unwrap().parse().unwrap();
    fill(dir.as_ref(), per_load);
}

/// The limit is a shell's `ulimit -f`, so that no right is needed: large loads meet it in a segment, small ones in the
/// catalogue.
#[cfg(unix)]
#[test]
fn a_full_disk_refuses_the_load_and_nothing_else() {
    for per_load in [70_000, 3_000] {
        let (dir, mut store) = fresh();
        load(&mut store, &nodes(0, 10)).unwrap();
        drop(store);
        let blocks = fs::metadata(dir.path().join("catalogue.redb")).unwrap().len() / 512 + 1_000;
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" damage::fills_a_limited_disk --exact");
        let status = Command::new("sh")
            .args(["-c", &script])
            .arg(std::env::current_exe().unwrap())
            .env(DIR, dir.path())
            .env("TIMEWEFT_TEST_FULL_LOAD", per_load.to_string())
            // What this one prints into may be longer than the limit already.
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{per_load} events a load: {status}");
        let mut store = Store::open(dir.path()).unwrap();
        let held = store.view().counts(At::now()).nodes as u64;
        assert_eq!((held - 10) % per_load, 0);
        load(&mut store, &nodes(held, held + per_load)).unwrap();
        store.verify().unwrap();
    }
}

#[test]
fn a_full_file_system_refuses_the_load_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(dir.path()).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        // Not by a macro: the runner keeps back what macros print in a test that passes.
        let line = "left out: a_full_file_system_refuses_the_load_and_nothing_else (mount is not permitted)\n";
        std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
        return;
    }
    let result = std::panic::catch_unwind(|| {
        for (name, per_load) in [("large", 70_000), ("small", 3_000)] {
            let graph = dir.path().join(name);
            drop(Store::create(&graph, Schema::default()).unwrap());
            fill(&graph, per_load);
            assert!(Store::open(&graph).is_ok());
            fs::remove_dir_all(&graph).unwrap();
        }
    });
    assert!(Command::new("umount").arg(dir.path()).status().unwrap().success());
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

/// Changes the catalogue beside the store.
fn change(dir: &Path, change: impl FnOnce(&redb::WriteTransaction)) {
    let catalogue = redb::Database::open(dir.join("catalogue.redb")).unwrap();
    let write = catalogue.begin_write().unwrap();
    change(&write);
    write.commit().unwrap();
}

const LOADS: redb::TableDefinition<u64, &[u8]> = redb::TableDefinition::new("loads");
const META: redb::TableDefinition<&str, &str> = redb::TableDefinition::new("meta");
const SUMS: redb::TableDefinition<(&str, u64, u32), u32> = redb::TableDefinition::new("sums");

/// Writes another number of rejected records into the row of the first load: good JSON, with good checksums of its page.
fn falsify(dir: &Path) {
    change(dir, |write| {
        let mut table = write.open_table(LOADS).unwrap();
        let row = String::from_utf8(table.get(1).unwrap().unwrap().value().to_vec()).unwrap();
        let other = row.replace("\"rejected\":0", "\"rejected\":7");
        assert_ne!(row, other);
        table.insert(1, other.as_bytes()).unwrap();
    });
}

#[test]
fn a_row_of_the_catalogue_that_changed_went_or_changed_places_is_found() {
    type Fault = (&'static str, fn(&Path));
    let faults: [Fault; 5] = [
        ("row 1 of table `loads`", falsify),
        ("the number of rows of table `loads`", |dir| {
            change(dir, |write| drop(write.open_table(LOADS).unwrap().remove(2).unwrap()));
        }),
        ("of table `loads`", |dir| {
            change(dir, |write| {
                let mut table = write.open_table(LOADS).unwrap();
                let rows = [1, 2].map(|load| table.get(load).unwrap().unwrap().value().to_vec());
                table.insert(1, rows[1].as_slice()).unwrap();
                table.insert(2, rows[0].as_slice()).unwrap();
            });
        }),
        ("a schema is missing", |dir| {
            let schemas: redb::TableDefinition<u64, &[u8]> = redb::TableDefinition::new("schemas");
            change(dir, |write| drop(write.open_table(schemas).unwrap().remove(1).unwrap()));
        }),
        ("the checksums of its rows are missing", |dir| {
            change(dir, |write| assert!(write.delete_table(SUMS).unwrap()));
        }),
    ];
    for (problem, fault) in faults {
        let (dir, _) = graph();
        Store::open(dir.path()).unwrap();
        fault(dir.path());
        assert_corrupt(dir.path(), &dir.path().join("catalogue.redb"), problem);
    }
}

#[test]
fn a_graph_without_sums_is_read_and_gets_them_with_the_next_load() {
    let (dir, _) = graph();
    change(dir.path(), |write| {
        assert!(write.delete_table(SUMS).unwrap());
        write.open_table(META).unwrap().insert("format", "4").unwrap();
    });
    falsify(dir.path());
    let mut store = Store::open(dir.path()).unwrap();
    assert_eq!(store.loads()[0].rejected, 7, "nothing tells that it was changed");
    assert!(store.verify().unwrap().sound);
    load(&mut store, &nodes(6_000, 6_010)).unwrap();
    assert!(store.verify().unwrap().sound);
    drop(store);
    assert_eq!(Store::open(dir.path()).unwrap().loads().len(), 3);
    change(dir.path(), |write| {
        let mut table = write.open_table(LOADS).unwrap();
        let row = String::from_utf8(table.get(1).unwrap().unwrap().value().to_vec()).unwrap();
        table.insert(1, row.replace("\"rejected\":7", "\"rejected\":8").as_bytes()).unwrap();
    });
    assert_corrupt(dir.path(), &dir.path().join("catalogue.redb"), "row 1 of table `loads`");
}
