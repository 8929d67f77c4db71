//! Any number of processes read a graph while one writes: what they see, and what they leave alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, thread};

use proptest::prelude::*;
use timeweft_graph::{At, Commit, DeltaOptions, Event, GraphView, LoadId, Schema, Time};
use timeweft_oracle::histories::histories;
use timeweft_store::{LoadRequest, Store, StoreError};

use crate::order::stream;
use crate::random_versions::state;
use crate::world::{assert_same, create, fresh, load, load_version, node, version};

/// Every file below a folder, with its length and when it was changed.
fn files(dir: &Path) -> BTreeMap<std::path::PathBuf, (u64, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let facts = entry.metadata().unwrap();
            if facts.is_dir() {
                folders.push(entry.path());
            }
            found.insert(entry.path(), (facts.len(), facts.modified().unwrap()));
        }
    }
    found
}

fn assert_reads_alike(reader: &Store, writer: &Store, events: &[Event]) {
    assert_eq!((reader.commit(), reader.loads()), (writer.commit(), writer.loads()));
    assert_eq!(reader.schema(), writer.schema());
    for commit in (0..=writer.commit().0).map(Commit) {
        assert_same(&*reader.view_at(commit).unwrap(), &*writer.view_at(commit).unwrap(), events);
        assert_eq!(reader.types_taken_back(commit).unwrap(), writer.types_taken_back(commit).unwrap());
    }
    let log = |store: &Store| {
        let mut events = Vec::new();
        store
            .each_event(store.commit(), &mut |event| {
                events.push(event.clone());
                Ok::<(), StoreError>(())
            })
            .unwrap();
        events
    };
    assert_eq!(log(reader), log(writer));
}

/// What happens between two looks of a reader.
#[derive(Clone, Copy, Debug)]
enum Step {
    Load,
    Rollback(usize),
    Compact,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Load),
        2 => any::<usize>().prop_map(Step::Rollback),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// A reader that opens after each commit, and one that moves along, see what the writer sees, at every commit.
    #[test]
    fn readers_see_every_commit_as_the_writer_does(events in histories(), steps in steps()) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Store::create(dir.path(), Schema::default()).unwrap();
        let mut along = Store::open_read_only(dir.path(), None).unwrap();
        let mut parts = events.chunks(events.len().div_ceil(4).max(1));
        for step in steps {
            match step {
                // In the order of the history, which is not that of its times: late events too.
                Step::Load => {
                    let part = parts.next().unwrap_or(&[]);
                    match stream(&mut writer, LoadRequest::new("ns", "test"), part) {
                        Ok(_) | Err(StoreError::NothingAccepted(_)) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
                Step::Rollback(which) => {
                    let loads = writer.loads().len();
                    if loads > 0 {
                        // Some are rollbacks, or taken back already.
                        let _ = writer.rollback(LoadId(which as u64 % loads as u64 + 1));
                    }
                }
                Step::Compact => drop(writer.write_snapshot().unwrap()),
                Step::Reopen => {
                    drop(writer);
                    writer = Store::open(dir.path()).unwrap();
                }
            }
            assert_reads_alike(&Store::open_read_only(dir.path(), None).unwrap(), &writer, &events);
            prop_assert_eq!(along.refresh().unwrap(), writer.commit());
            assert_reads_alike(&along, &writer, &events);
        }
        prop_assert!(along.verify().unwrap().sound);
        prop_assert!(along.take_warnings().is_empty() && writer.take_warnings().is_empty());
    }
}

#[test]
fn a_reader_stays_at_its_commit_until_it_moves_and_may_be_pinned_to_one() {
    let (dir, mut store) = fresh();
    let lines = |n: usize| (0..n).map(|id| format!("n {id}")).collect::<Vec<_>>();
    let mut load = |n: usize, time: i64| {
        let lines = lines(n);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let request = LoadRequest::new("a", "test").version(&format!("v{time}"), Time(time));
        load_version(&mut store, request, version(&lines), DeltaOptions::default()).unwrap();
    };
    load(5, 100);
    let mut reader = Store::open_read_only(dir.path(), None).unwrap();
    let (held, before) = (reader.view(), state(&*reader.view(), 250));
    load(9_000, 200);
    assert!(state(&*reader.view(), 250) == before, "nothing changes by itself");
    assert_eq!(reader.refresh().unwrap(), Commit(2));
    assert_eq!(reader.view().counts(At::time(Time(200))).nodes, 9_000);
    assert!(state(&*held, 250) == before, "what is held stays");
    let pinned = Store::open_read_only(dir.path(), Some(Commit(1))).unwrap();
    assert_eq!((pinned.commit(), pinned.loads().len()), (Commit(1), 1));
    assert!(state(&*pinned.view(), 250) == before);
    let none = Store::open_read_only(dir.path(), Some(Commit(3)));
    assert!(matches!(none, Err(StoreError::UnknownCommit { asked: Commit(3), newest: Commit(2) })));
}

#[test]
fn reading_changes_no_file_and_refuses_to_write() {
    let (dir, mut store) = fresh();
    load(&mut store, &(0..20).map(|at| create(at, node_element(&format!("{at}")))).collect::<Vec<_>>()).unwrap();
    store.write_snapshot().unwrap();
    load(&mut store, &[create(90, node_element("late"))]).unwrap();
    for is_open in [true, false] {
        let before = files(dir.path());
        let mut reader = Store::open_read_only(dir.path(), None).unwrap();
        assert_eq!(reader.view().counts(At::now()).nodes, 21);
        assert!(reader.verify().unwrap().sound);
        reader.refresh().unwrap();
        let refused = load(&mut reader, &[create(91, node_element("x"))]).map(drop);
        let refused = [refused, reader.rollback(LoadId(1)).map(drop), reader.write_snapshot().map(drop)];
        assert!(refused.iter().all(|refused| matches!(refused, Err(StoreError::ReadOnly(of)) if of == dir.path())));
        assert_eq!(reader.view().counts(At::now()).nodes, 21, "a refused load leaves it as it is");
        drop(reader);
        assert_eq!(files(dir.path()), before, "while a writer is there: {is_open}");
        if is_open {
            drop(std::mem::replace(&mut store, fresh().1));
        }
    }
}

pub(crate) fn node_element(id: &str) -> timeweft_graph::Element {
    timeweft_graph::Element::Node(node(id))
}

#[test]
fn a_second_writer_learns_who_writes() {
    let (dir, store) = fresh();
    let error = Store::open(dir.path()).unwrap_err().to_string();
    let id = format!("open for writing in process {} (", std::process::id());
    assert!(error.contains(&id) && error.contains("Graph::open_read_only"), "{error}");
    drop(store);
    assert!(!dir.path().join("writer").exists());
    drop(Store::open(dir.path()).unwrap());
}

/// It is committed all the same, a warning says so, and the name of the writer stays as the sign of it.
#[test]
fn a_commit_that_readers_cannot_be_told_of_is_told() {
    let (dir, mut store) = fresh();
    let folder = dir.path().join("manifest");
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "no folder").unwrap();
    for at in 0..2 {
        load(&mut store, &[create(at, node_element(&format!("{at}")))]).unwrap();
        let warnings = store.take_warnings();
        assert!(warnings[0].contains(&format!("do not see commit {}: ", at + 1)), "{warnings:?}");
    }
    drop(store);
    assert!(Store::writer(dir.path()).is_some());
    fs::remove_file(&folder).unwrap();
    drop(Store::open(dir.path()).unwrap());
    assert!(Store::writer(dir.path()).is_none());
    assert_eq!(Store::open_read_only(dir.path(), None).unwrap().commit(), Commit(2));
}

#[test]
fn few_manifests_tell_many_commits() {
    let (dir, mut store) = fresh();
    for at in 0..150 {
        load(&mut store, &[create(at, node_element(&format!("{at}")))]).unwrap();
        let chain = fs::read_dir(dir.path().join("manifest")).unwrap().count();
        assert!(chain <= 10, "{chain} files at commit {at}");
        if at % 7 == 0 {
            let reader = Store::open_read_only(dir.path(), None).unwrap();
            assert_eq!((reader.commit(), reader.loads()), (store.commit(), store.loads()));
        }
        if at == 77 {
            drop(store);
            store = Store::open(dir.path()).unwrap();
        }
    }
    assert_eq!(Store::open_read_only(dir.path(), None).unwrap().view().counts(At::now()).nodes, 150);
}

/// Whatever is lost or damaged there, a writer makes it anew, and a reader says so or is right.
#[test]
fn manifests_are_a_cache_that_the_next_writer_makes_anew() {
    let (dir, mut store) = fresh();
    for at in 0..7 {
        load(&mut store, &[create(at, node_element(&format!("{at}")))]).unwrap();
    }
    drop(store);
    let folder = dir.path().join("manifest");
    let whole: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let whole: Vec<_> = whole.into_iter().map(|file| (fs::read(&file).unwrap(), file)).collect();
    assert!(whole.len() >= 4, "{}", whole.len());
    let nodes = || Store::open_read_only(dir.path(), None).map(|reader| reader.view().counts(At::now()).nodes);
    for (bytes, name) in &whole {
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(nodes().unwrap(), 7, "without manifests the catalogue is read");
        fs::create_dir(&folder).unwrap();
        whole.iter().for_each(|(bytes, file)| fs::write(file, bytes).unwrap());
        assert_eq!(nodes().unwrap(), 7);
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 40) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 4;
            fs::write(name, damaged).unwrap();
            match nodes() {
                Err(StoreError::Manifest { .. } | StoreError::Corrupt { .. }) => {}
                other => panic!("{}: byte {at}: {other:?}", name.display()),
            }
        }
        fs::write(name, &bytes[..bytes.len() / 2]).unwrap();
        assert!(nodes().is_err());
        drop(Store::open(dir.path()).unwrap());
        assert_eq!(nodes().unwrap(), 7, "{}", name.display());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "one manifest, and the small segments");
    }
    fs::remove_dir_all(&folder).unwrap();
    let writer = Store::open(dir.path()).unwrap();
    assert_eq!(nodes().unwrap(), 7, "made anew by opening");
    drop(writer);
    fs::write(folder.join("18446744073709551600.json"), "{}").unwrap();
    assert!(matches!(nodes(), Err(StoreError::Manifest { .. })), "a commit that the catalogue does not know");
    drop(Store::open(dir.path()).unwrap());
    assert_eq!(nodes().unwrap(), 7);
}

#[test]
fn readers_in_threads_see_whole_commits_while_a_writer_loads_and_takes_back() {
    let (dir, mut store) = fresh();
    let done = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::SeqCst;
    thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let (mut along, mut seen) = (Store::open_read_only(dir.path(), None).unwrap(), 0);
                    while !done.load(order) {
                        let fresh = Store::open_read_only(dir.path(), None).unwrap();
                        along.refresh().unwrap();
                        for reader in [&fresh, &along] {
                            // Each load brings ten nodes; every third takes one back.
                            let (commits, nodes) = (reader.commit().0, reader.view().counts(At::now()).nodes as u64);
                            assert_eq!(nodes, 10 * (commits - 2 * (commits / 3)), "commit {commits}");
                        }
                        seen += 1;
                    }
                    seen
                })
            })
            .collect();
        for commit in 1..=90_u64 {
            if commit % 3 == 0 {
                store.rollback(LoadId(commit - 1)).unwrap();
            } else {
                let nodes = (0..10).map(|at| create(commit as i64, node_element(&format!("{commit} {at}"))));
                load(&mut store, &nodes.collect::<Vec<_>>()).unwrap();
            }
            if commit % 20 == 0 {
                store.write_snapshot().unwrap();
            }
        }
        done.store(true, order);
        let seen: Vec<i32> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        assert!(seen.iter().all(|seen| *seen > 0), "{seen:?}");
    });
}

#[test]
fn a_handle_for_reading_stays_where_it_was_made_and_reads_alike() {
    let (dir, mut writer) = fresh();
    let add = |writer: &mut Store, at: i64| {
        load(writer, &[create(at, node_element(&format!("{at}")))]).unwrap();
    };
    add(&mut writer, 1);
    let before = writer.reader().unwrap();
    add(&mut writer, 2);
    assert_eq!((before.commit(), before.loads().len(), before.is_read_only()), (Commit(1), 1, true));
    assert_eq!(before.view().counts(At::now()).nodes, 1);
    assert_reads_alike(&writer.reader().unwrap(), &writer, &[]);
    let mut reader = Store::open_read_only(dir.path(), None).unwrap();
    add(&mut writer, 3);
    assert_reads_alike(&reader.reader().unwrap(), &reader, &[]);
    reader.refresh().unwrap();
    assert_reads_alike(&reader.reader().unwrap(), &writer, &[]);
}
