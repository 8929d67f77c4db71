//! What is exported makes the same graph again.

use std::fs;

use crate::world::{World, shop};

#[test]
fn a_state_loads_into_the_same_state() {
    let world = shop();
    world.done("export --at 4 --to state.jsonl");
    world.done("load events state.jsonl --graph copy --unit step");
    world.done("export --at 4 --to again.jsonl --graph copy");
    let [state, again] = ["state.jsonl", "again.jsonl"].map(|name| fs::read(world.path(name)).unwrap());
    assert_eq!(state, again);
    assert_eq!(String::from_utf8(state).unwrap().lines().count(), 3);
    assert!(!world.path("state.jsonl.partial").exists());
}

#[test]
fn the_log_loads_into_the_same_log() {
    let world = shop();
    let log = world.done("export --events");
    assert_eq!(log.lines().count(), 5);
    world.write("log.jsonl", &log);
    world.done("load events log.jsonl --graph copy --unit step");
    assert_eq!(world.done("export --events --graph copy"), log);
    assert_eq!(world.done("history user ann --graph copy"), world.done("history user ann"));
}

/// In a table as in JSON lines; other endings are JSON lines as before.
#[test]
fn a_table_loads_into_the_same_graph() {
    let world = shop();
    let (log, state) = (world.done("export --events"), world.done("export --at 4"));
    world.write("schema.json", &world.done("schema --json"));
    for ending in ["parquet", "arrow", "FEATHER"] {
        world.done(&format!("export --events --to log.{ending}"));
        world.done(&format!("export --at 4 --to state.{ending}"));
        for (file, expected) in [("log", &log), ("state", &state)] {
            let start = fs::read(world.path(&format!("{file}.{ending}"))).unwrap();
            assert!(start.starts_with(if ending == "parquet" { b"PAR1" } else { b"ARRO" }), "{ending}");
            let copy = format!("{file}-{ending}");
            world.done(&format!("init {copy} --schema schema.json"));
            world.done(&format!("load events {file}.{ending} --graph {copy}"));
            assert_eq!(&world.done(&format!("export --events --graph {copy}")), expected);
        }
    }
    world.done("export --events --to log.txt");
    assert_eq!(fs::read_to_string(world.path("log.txt")).unwrap(), log);
    world
        .run("load events log.parquet --columns a,b --graph copy --unit step")
        .expect(2, "an option of text")
        .says("--columns is for tables of text: leave it out");
    fs::copy(world.path("log.arrow"), world.path("unnamed")).unwrap();
    world.done("load events unnamed --format arrow --graph copy --unit step");
    assert_eq!(world.done("export --events --graph copy"), log);
}

#[test]
fn a_schema_carries_kinds_over() {
    let world = World::new();
    let line = r#"{"node_id":1,"node_type":0,"node_weight":1.0,"int8_feature":{"0":[1,2]},"edge":[]}"#;
    world.write("nodes.json", line);
    world.done("load intervals nodes.json --unit step");
    world.write("schema.json", &world.done("schema --json"));
    world.write("state.jsonl", &world.done("export"));
    world.done("init copy --schema schema.json");
    world.done("load events state.jsonl --graph copy");
    assert_eq!(world.done("schema --graph copy"), world.done("schema"));
    assert_eq!(world.done("export --graph copy"), world.done("export"));
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing() {
    let world = shop();
    world.run("export --to missing/state.jsonl").expect(1, "folder").says("cannot write missing/state.jsonl");
    fs::create_dir(world.path("taken")).unwrap();
    world.run("export --to taken").expect(1, "a folder in the way").says("cannot write taken");
    assert!(!world.path("taken.partial").exists());
}

#[test]
fn nothing_is_written_into_a_graph_or_over_a_source() {
    let world = shop();
    for place in ["g/catalogue.redb", "g/new.jsonl", "g/log/p0-1-0.arrow"] {
        world.run(&format!("export --to {place}")).expect(1, place).says("is a graph, whose files are its own");
    }
    world.write("roots.csv", "type,id\nuser,ann\n");
    world.run("features roots.csv --to g/x.jsonl").expect(1, "roots").says("is a graph");
    world.run("export --as kbase --namespace events --to g/documents").expect(1, "documents").says("is a graph");
    world.done("verify");
    let before = fs::read(world.path("shop.jsonl")).unwrap();
    world.run("load events shop.jsonl --rejects ./shop.jsonl").expect(2, "rejects").says("that is what is loaded");
    assert_eq!(fs::read(world.path("shop.jsonl")).unwrap(), before);
    world.run("load events shop.jsonl --rejects g/rejects.txt").expect(1, "rejects").says("is a graph");
    fs::create_dir(world.path("dump")).unwrap();
    world.write("dump/nodes.dmp", "precious");
    let folder = "load version dump --format taxdump --namespace n --version 1 --timestamp 1 --rejects dump/nodes.dmp";
    world.run(folder).expect(2, "folder").says("that is what is loaded");
    assert_eq!(fs::read_to_string(world.path("dump/nodes.dmp")).unwrap(), "precious");
}
