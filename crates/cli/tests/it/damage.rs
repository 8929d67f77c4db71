//! Graphs that cannot be opened or written.

use std::fs;

use redb::{Database, TableDefinition};
use serde_json::json;

use crate::world::{World, shop};

#[test]
fn a_folder_of_a_newer_format_is_refused() {
    let world = shop();
    let catalogue = Database::open(world.path("g/catalogue.redb")).unwrap();
    let write = catalogue.begin_write().unwrap();
    write.open_table(TableDefinition::<&str, &str>::new("meta")).unwrap().insert("format", "99").unwrap();
    write.commit().unwrap();
    drop(catalogue);
    // What a later timeweft wrote there is unknown.
    fs::remove_dir_all(world.path("g/manifest")).unwrap();
    for command in ["stats", "load events shop.jsonl", "verify"] {
        world.run(command).expect(1, command).says("format 99 is newer than format 6").says("use a newer timeweft");
    }
}

#[test]
fn a_folder_that_is_no_graph_is_refused() {
    let world = World::new();
    fs::create_dir(world.path("g")).unwrap();
    world.run("stats").expect(1, "empty folder").says("there is no graph here");
    world.write("g/x.txt", "");
    world.run("load events x.jsonl --unit s").expect(1, "load").says("not a graph");
    fs::remove_file(world.path("g/x.txt")).unwrap();
    assert!(world.path("g").exists());
    world.done("init");
    world.run("init").expect(1, "again").says("there is a graph already");
}

#[test]
fn a_changed_byte_is_found() {
    let world = World::new();
    let lines: String = (0..60_000).map(|id| format!("{id},{},{id}\n", id + 1)).collect();
    world.write("edges.csv", &format!("src,dst,time\n{lines}"));
    world.done("load events edges.csv --unit s");
    world.done("verify");
    let segment = fs::read_dir(world.path("g/log")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    world.run("verify").expect(1, "changed").says("corrupt");
}

/// The limit is a shell's `ulimit -f`, so that no right is needed. Its signal does not end the program before it can tell.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_refuses_the_load_and_nothing_else() {
    let world = shop();
    let before = world.done("export --events");
    let lines: String = (0..60_000).map(|id| format!("{id},{},{}\n", id + 1, id + 100)).collect();
    world.write("edges.csv", &format!("src,dst,time\n{lines}"));
    let answer = world.shell("ulimit -f 2100; exec \"$0\" load events edges.csv").expect(1, "full");
    answer.says("no space left").says("nothing of it was kept");
    assert_eq!(world.done("export --events"), before);
    world.done("verify");
    world.done("load events edges.csv");
    assert_eq!(world.json("loads").len(), 2, "{}", json!(world.json("loads")));
}

/// The load is there, so the exit code and the message say so; the snapshot behind it only warns.
#[cfg(target_os = "linux")]
#[test]
fn a_committed_load_whose_snapshot_fails_is_loaded() {
    let world = World::new();
    let lines: String = (0..120_000).map(|id| format!("{id},{},{}\n", id + 1, id + 100)).collect();
    world.write("edges.csv", &format!("src,dst,time\n{lines}"));
    world.done("init");
    // A folder stands where the snapshot would be written.
    fs::create_dir_all(world.path("g/index/0000000001.tmp")).unwrap();
    let answer = world.run("load events edges.csv").expect(0, "loaded");
    answer.says("warning: everything is loaded, but no snapshot was written").says("timeweft compact");
    assert!(!answer.err.contains("nothing of it was kept"), "{}", answer.err);
    assert!(answer.out.contains("240,001 events accepted"), "{}", answer.out);
    let full = "load events edges.csv --version v --namespace again > /dev/full";
    let answer = world.shell(&format!("exec \"$0\" {full}")).expect(0, "standard output is full");
    answer.says("warning: everything is loaded, but");
    assert_eq!(world.json("loads").len(), 2);
}

#[test]
fn an_empty_folder_takes_a_first_load_and_a_failing_one_leaves_it() {
    let world = World::new();
    fs::create_dir(world.path("g")).unwrap();
    world.write("bad.csv", "src,dst,time\na,b,never\n");
    world.write("good.csv", "src,dst,time\na,b,5\n");
    world.run("load events bad.csv --unit step").expect(1, "nothing accepted");
    assert_eq!(fs::read_dir(world.path("g")).unwrap().count(), 0);
    world.done("load events good.csv --unit step");
    assert_eq!(world.json("loads").len(), 1);
}
