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
