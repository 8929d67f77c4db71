//! A process that is killed at a random moment while it makes a graph: the folder is as good as new, or has the graph.
//!
//! Every single call of the same commands is a moment of a kill in `failing_calls`; loads and rollbacks into a graph that is
//! there are killed in the tests of the store.

use std::process::Stdio;
use std::time::{Duration, Instant};

use timeweft::load::StoreError;
use timeweft::{Error, Graph};

use crate::world::{SHOP, World};

/// So many processes are killed in all; fewer unless it is set.
const KILLS: &str = "TIMEWEFT_KILLS";

fn world() -> World {
    let world = World::new();
    world.write("shop.jsonl", SHOP);
    world
}

#[test]
fn a_graph_whose_making_was_killed_is_made_again() {
    let kills: u64 = std::env::var(KILLS).ok().and_then(|kills| kills.parse().ok()).unwrap_or(40);
    let load = "load events shop.jsonl --unit step --version v";
    let mut random = 0x9e37_79b9_u64;
    // None yet, an empty graph, a graph with the load, ended before the kill.
    let mut found = [0u64; 4];
    let mut kill = 0;
    while found[..3].iter().sum::<u64>() < kills {
        kill += 1;
        let line = if kill % 2 == 0 { "init g" } else { load };
        let (begun, probe) = (Instant::now(), world());
        probe.done(line);
        let whole = begun.elapsed();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let delay = whole.mul_f64((random >> 33) as f64 / (1u64 << 31) as f64);
        let world = world();
        let mut child = world.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(delay.min(Duration::from_secs(5)));
        let has_ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        let state = match Graph::open(world.path("g")) {
            Err(Error::Store(StoreError::Missing(_))) => 0,
            Ok(graph) => 1 + graph.loads().len(),
            Err(error) => panic!("kill {kill} after {delay:?}: {error}"),
        };
        found[if has_ended { 3 } else { state }] += 1;
        world.done(load);
        assert_eq!(world.json("loads").len(), 1, "kill {kill}");
        let names = std::fs::read_dir(world.path("g")).unwrap().map(|entry| entry.unwrap().file_name());
        let drafts = names.filter(|name| name.to_string_lossy().ends_with(".tmp")).count();
        assert_eq!(drafts, 0, "kill {kill}");
    }
    // Not by a macro: the runner keeps back what macros print in a test that passes.
    let line = format!("{kills} kills of a graph in the making: none, empty, loaded, too late: {found:?}\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
    assert!(found[0] > 0, "{found:?}");
}
