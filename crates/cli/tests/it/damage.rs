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
    for command in ["stats", "load events shop.jsonl", "verify"] {
        world.run(command).expect(1, command).says("format 99 is newer than format 3").says("use a newer timeweft");
    }
}

#[test]
fn a_folder_that_is_no_graph_is_refused() {
    let world = World::new();
    fs::create_dir(world.path("g")).unwrap();
    world.run("stats").expect(1, "empty folder").says("not a graph");
    world.run("load events x.jsonl --unit s").expect(1, "load").says("not a graph");
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

/// The limit is a shell's `ulimit -f`, so that no right is needed.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_refuses_the_load_and_nothing_else() {
    let world = shop();
    let before = world.done("export --events");
    let lines: String = (0..60_000).map(|id| format!("{id},{},{}\n", id + 1, id + 100)).collect();
    world.write("edges.csv", &format!("src,dst,time\n{lines}"));
    let answer = world.shell("trap '' XFSZ; ulimit -f 2100; exec \"$0\" load events edges.csv").expect(1, "full");
    answer.says("no space left").says("nothing of this load was kept");
    assert_eq!(world.done("export --events"), before);
    world.done("verify");
    world.done("load events edges.csv");
    assert_eq!(world.json("loads").len(), 2, "{}", json!(world.json("loads")));
}
