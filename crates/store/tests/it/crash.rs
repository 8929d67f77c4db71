//! A process that is killed while it loads: what it leaves is a whole number of loads.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use timeweft_graph::{At, Element, Event, GraphView, NodeKey, Schema};
use timeweft_store::Store;

use crate::world::{create, load};

/// Set in the child: the directory of the graph that it loads into until it is killed.
const DIR: &str = "TIMEWEFT_TEST_CRASH_DIR";

/// Every third load is large enough for a file of its own.
fn size(load: u64) -> u64 {
    if load.is_multiple_of(3) { 5_000 } else { 7 }
}

fn nodes(load: u64) -> Vec<Event> {
    (0..size(load)).map(|n| create(1, Element::Node(NodeKey::new("n", format!("{load}-{n}").as_str())))).collect()
}

#[test]
fn loads_until_it_is_killed() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let mut store = Store::open(dir).unwrap();
    println!("ready");
    loop {
        let next = store.commit().0 + 1;
        load(&mut store, &nodes(next)).unwrap();
        println!("committed {next}");
    }
}

/// Starts the child, kills it after `delay`, and gives the last commit that it announced.
fn killed_after(dir: &Path, delay: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::loads_until_it_is_killed", "--exact", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.by_ref().any(|line| line.unwrap().ends_with("ready")), "the child could not open the graph");
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    let announced = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("committed ")?.parse().ok());
    announced.last().unwrap_or(0)
}

#[test]
fn a_killed_load_is_there_whole_or_not_at_all() {
    let mut random = 0x9e37_79b9_u64;
    for _ in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        drop(Store::create(dir.path(), Schema::default()).unwrap());
        for kill in 0..4 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let announced = killed_after(dir.path(), Duration::from_micros((random >> 33) % 100_000));
            let mut store = Store::open(dir.path()).unwrap();
            let commit = store.commit().0;
            assert!(commit >= announced, "kill {kill}: commit {announced} was announced and is lost");
            let expected: u64 = (1..=commit).map(size).sum();
            assert_eq!(store.view().counts(At::now()).nodes as u64, expected, "kill {kill}");
            let files = std::fs::read_dir(dir.path().join("log")).unwrap().count() as u64;
            assert_eq!(files, commit / 3, "kill {kill}: only referenced files are left");
            load(&mut store, &nodes(commit + 1)).unwrap();
            if kill == 3 {
                store.verify().unwrap();
            }
        }
    }
}
