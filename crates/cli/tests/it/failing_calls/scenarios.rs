//! The commands whose calls fail.

use std::fs;

use timeweft::load::StoreError;
use timeweft::read::GraphView;
use timeweft::{At, Error, Graph};

use super::{CALLS, Failure, Found, Scenario};
use crate::world::{SHOP, World};

const BOOKS: &str = "src,dst,time\nann,pen,20\nbob,ink,21\n";

/// A graph with two loads, of which the second is small.
fn books() -> World {
    let world = World::new();
    world.write("shop.jsonl", SHOP);
    world.write("books.csv", BOOKS);
    world.done("load events shop.jsonl --unit step");
    world.done("load events books.csv");
    world
}

/// There is no graph, and no catalogue that is half of one either.
fn none(world: &World, graph: &str) -> Found {
    match world.path(graph).join("catalogue.redb").exists() {
        true => Found::Broken("half a catalogue".into()),
        false => Found::Before,
    }
}

/// Whether the graph has so many loads, or one more, and is sound.
fn loads(world: &World, before: usize) -> Found {
    let mut graph = match Graph::open(world.path("g")) {
        Err(Error::Store(StoreError::Missing(_))) if before == 0 => return none(world, "g"),
        Err(error) => return Found::Broken(error.to_string()),
        Ok(graph) => graph,
    };
    if let Err(error) = graph.verify() {
        return Found::Broken(error.to_string());
    }
    let nodes = graph.view().index().counts(At::now()).nodes;
    match graph.loads().len() {
        n if n == before => Found::Before,
        n if n == before + 1 && nodes > 0 => Found::After,
        n => Found::Broken(format!("{n} loads, {nodes} nodes")),
    }
}

fn nested() -> Scenario {
    let found = |world: &World| match Graph::open(world.path("a/b/g")) {
        Ok(_) => Found::After,
        Err(Error::Store(StoreError::Missing(_))) => none(world, "a/b/g"),
        Err(error) => Found::Broken(error.to_string()),
    };
    Scenario { name: "init", line: "init a/b/g --unit s", world: World::new(), found }
}

fn first_load() -> Scenario {
    let world = World::new();
    world.write("shop.jsonl", SHOP);
    let found = |world: &World| loads(world, 0);
    Scenario { name: "first load", line: "load events shop.jsonl --unit step", world, found }
}

#[test]
fn init() {
    nested().check(CALLS);
}

#[test]
fn a_first_load_of_events() {
    first_load().check(CALLS);
}

#[test]
fn a_graph_in_the_making_is_killed_at_every_call() {
    for scenario in [nested(), first_load()] {
        scenario.check_plan(|calls| (1..=calls).map(|at| (at, Failure::Killed)).collect());
    }
}

/// Each new folder is made durable in the one that holds it.
#[test]
fn the_parents_of_a_nested_graph_are_synced() {
    let flat = Scenario { line: "init g --unit s", ..nested() };
    let syncs = |scenario: Scenario| {
        let run = scenario.run(0, Failure::Full);
        run.calls.iter().filter(|call| *call == "fsync").count()
    };
    assert_eq!(syncs(nested()), syncs(flat) + 2);
}

#[test]
fn a_load_of_events() {
    let found = |world: &World| loads(world, 2);
    let line = "load events books.csv --version again";
    Scenario { name: "load events", line, world: books(), found }.check(CALLS);
}

/// Its events are in a file of the log; some rows are late, so that what is there is taken in again.
#[test]
fn a_larger_load_with_late_events() {
    let world = books();
    let rows: String = (0..2_100).map(|at| format!("{at},{},{}\n", at + 1, at + 10)).collect();
    world.write("late.csv", &format!("src,dst,time\n{rows}ann,pen,1\n"));
    let found = |world: &World| loads(world, 2);
    Scenario { name: "late events", line: "load events late.csv", world, found }.check(CALLS);
}

#[test]
fn intervals() {
    let node = |id: u32| {
        format!(
            "{{\"node_id\":{id},\"node_type\":0,\"node_weight\":1.0,\"created_at\":5,\"removed_at\":-1,\"edge\":[]}}\n"
        )
    };
    for (first, line) in [(true, "load intervals nodes.json --unit step"), (false, "load intervals nodes.json")] {
        let world = if first { World::new() } else { books() };
        world.write("nodes.json", &(node(1) + &node(2)));
        let found = if first { |world: &World| loads(world, 0) } else { |world: &World| loads(world, 2) };
        Scenario { name: line, line, world, found }.check(CALLS / 2);
    }
}

const TERMS: &str = "format-version: 1.2\n\n[Term]\nid: X:1\nname: biome\n\n[Term]\nid: X:2\nname: lake\nis_a: X:1\n";

#[test]
fn versions() {
    for first in [true, false] {
        let world = if first { World::new() } else { books() };
        world.write("terms.obo", TERMS);
        let line = "load version terms.obo --namespace x --version v1 --timestamp 9 --unit step";
        let found = if first { |world: &World| loads(world, 0) } else { |world: &World| loads(world, 2) };
        Scenario { name: "load version", line, world, found }.check(CALLS / 2);
    }
}

#[test]
fn a_back_dated_version() {
    let world = books();
    world.write("terms.obo", TERMS);
    world.write("more.obo", &TERMS.replace("lake", "pond"));
    world.done("load version more.obo --namespace x --version v2 --timestamp 19");
    let line = "load version terms.obo --namespace x --version v1 --timestamp 9 --back-dated";
    Scenario { name: "back-dated version", line, world, found: |world| loads(world, 3) }.check(CALLS);
}

#[test]
fn a_rollback() {
    let found = |world: &World| loads(world, 2);
    Scenario { name: "rollback", line: "rollback 2", world: books(), found }.check(CALLS);
}

#[test]
fn a_snapshot() {
    let found = |world: &World| {
        let graph = match Graph::open(world.path("g")) {
            Err(error) => return Found::Broken(error.to_string()),
            Ok(graph) => graph,
        };
        match (graph.size_of_snapshots(), graph.view().index().counts(At::now()).nodes) {
            (Ok(0), 5) => Found::Before,
            (Ok(_), 5) => Found::After,
            other => Found::Broken(format!("{other:?}")),
        }
    };
    Scenario { name: "compact", line: "compact", world: books(), found }.check(CALLS);
}

/// The load is committed before its snapshot is begun: whatever becomes of that, the load is done.
#[test]
fn a_load_with_a_snapshot_behind_it() {
    let world = World::new();
    let rows: String = (0..50_001).map(|at| format!("{at},{},{at}\n", at + 1)).collect();
    world.write("edges.csv", &format!("src,dst,time\n{rows}"));
    world.done("init");
    let found = |world: &World| loads(world, 0);
    Scenario { name: "load with snapshot", line: "load events edges.csv", world, found }.check_end(CALLS / 4);
}

#[test]
fn an_export() {
    let found = |world: &World| match fs::read_to_string(world.path("state.jsonl")) {
        Err(_) => Found::Before,
        Ok(text) if text.lines().count() == 7 && text.ends_with("}\n") => Found::After,
        Ok(text) => Found::Broken(text),
    };
    Scenario { name: "export", line: "export --to state.jsonl", world: books(), found }.check(CALLS);
}

#[test]
fn documents() {
    let world = World::new();
    world.write("terms.obo", TERMS);
    world.done("load version terms.obo --namespace x --version v1 --timestamp 9 --unit step");
    let found = |world: &World| match fs::read_dir(world.path("documents")).map(Iterator::count) {
        Err(_) => Found::Before,
        Ok(3) => Found::After,
        Ok(n) => Found::Broken(format!("{n} collections")),
    };
    let line = "export --as kbase --namespace x --to documents";
    Scenario { name: "documents", line, world, found }.check(CALLS / 2);
}

const CONFIG: &str = "[model]\nwidth = 8\nchannels = 8\nstates = 2\nheads = 1\n[train]\nepochs = 1\nbatch = 100\n";

#[test]
fn a_model() {
    let world = World::new();
    let rows: String = (0..60).map(|at| format!("{},{},{at}\n", at * 7 % 8, at * 5 % 9)).collect();
    world.write("mail.csv", &format!("src,dst,time\n{rows}"));
    world.write("small.toml", CONFIG);
    world.done("load events mail.csv --unit s");
    let found = |world: &World| {
        let graph = match Graph::open(world.path("g")) {
            Err(error) => return Found::Broken(error.to_string()),
            Ok(graph) => graph,
        };
        match graph.models().unwrap().is_empty() {
            true => Found::Before,
            false => {
                graph.load_model("default").map_or_else(|error| Found::Broken(error.to_string()), |_| Found::After)
            }
        }
    };
    Scenario { name: "train", line: "train small.toml --freshness event", world, found }.check(CALLS / 4);
}

/// Whether the disk has what it failed to sync nobody knows: that is said, with the file and how to find out.
#[test]
fn an_error_of_the_last_sync_is_told_as_unknown() {
    let found = |world: &World| loads(world, 2);
    let line = "load events books.csv --version again";
    let scenario = Scenario { name: "load events", line, world: books(), found };
    let calls = scenario.run(0, Failure::Full).calls;
    let syncs = (1..=calls.len()).filter(|at| calls[at - 1] == "fdatasync");
    let mut told = 0;
    for run in syncs.map(|at| scenario.run(at, Failure::One(0))) {
        assert_eq!(scenario.problem(&run, Failure::One(0)), None, "{}", run.answer.err);
        if matches!(found(&run.world), Found::After) && run.answer.code == 1 {
            run.answer.says("g/catalogue.redb: Input/output error").says("look with `timeweft loads`");
            told += 1;
        }
    }
    assert!(told > 0, "no sync is behind the commit");
}

/// The harness itself: a command that says that it is done without being so is seen, and so is one that fails in secret.
#[test]
fn a_lie_is_seen() {
    let lies = |found: fn(&World) -> Found| Scenario { name: "lie", line: "init", world: World::new(), found };
    let never = lies(|_| Found::Before);
    let run = never.run(0, Failure::Full);
    assert_eq!(never.problem(&run, Failure::Full).unwrap(), "said done, and is not");
    let always = lies(|_| Found::After);
    let failed = (1..40).map(|at| always.run(at, Failure::One(0))).find(|run| run.answer.code == 1).unwrap();
    assert_eq!(always.problem(&failed, Failure::One(0)).unwrap(), "said failed, and is done");
}
