//! A process that is killed while it loads and rolls back: what it leaves is a whole number of loads.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use timeweft_graph::{At, DeltaOptions, Element, Event, GraphView, LoadId, NodeKey, Schema, Time};
use timeweft_oracle::{Listed, Version};
use timeweft_store::{LoadRequest, Store};

use crate::world::{create, load, load_version, place};

/// Set in the child: the directory of the graph that it loads into until it is killed.
const DIR: &str = "TIMEWEFT_TEST_CRASH_DIR";
/// So many processes are killed in all; fewer unless it is set.
const KILLS: &str = "TIMEWEFT_KILLS";

/// So many nodes are an event load; its namespace is another one.
const EVENTS: u64 = 7;

/// Nodes of the version that commit `n` brings: two of four commits bring one, and one takes the first of them back.
fn listed(n: u64) -> Option<u64> {
    match n % 4 {
        2 => Some(5_000 + n),
        3 => Some(10 + n),
        _ => None,
    }
}

fn version(n: u64) -> Version {
    let node = |id: u64| Listed { key: NodeKey::new("v", id), features: Vec::new(), place: place(id as usize + 1) };
    let mut version = Version::default();
    version.nodes = (0..listed(n).unwrap_or(0)).map(node).collect();
    version
}

/// Makes commit `n`.
fn step(store: &mut Store, n: u64) {
    let events = || -> Vec<Event> {
        let node = |id: u64| create(1, Element::Node(NodeKey::new("n", format!("{n}-{id}").as_str())));
        (0..EVENTS).map(node).collect()
    };
    match n % 4 {
        1 => drop(load(store, &events()).unwrap()),
        0 => drop(store.rollback(LoadId(n - 2)).unwrap()),
        _ => {
            let request = LoadRequest::new("versions", "test").version(&format!("v{n}"), Time(n as i64 * 10));
            load_version(store, request, version(n), DeltaOptions::default()).unwrap();
        }
    }
}

/// Nodes that live at a time, by the arithmetic of [`step`].
fn expected(commit: u64, time: u64) -> u64 {
    let events = (1..=commit).filter(|n| n % 4 == 1).count() as u64 * EVENTS;
    let rolled_back = |n: u64| n % 4 == 2 && n + 2 <= commit;
    let newest = (1..=commit).rev().find(|&n| listed(n).is_some() && n * 10 <= time && !rolled_back(n));
    events + newest.and_then(listed).unwrap_or(0)
}

fn check(store: &Store, kill: u64) {
    check_nodes(store, kill);
    let commit = store.commit().0;
    let files = std::fs::read_dir(store.dir().join("log")).unwrap().count();
    let large = (1..=commit).filter(|n| listed(*n).is_some()).count();
    assert_eq!(files, large, "kill {kill}: commit {commit}: only referenced files are left");
}

fn check_nodes(store: &Store, kill: u64) {
    let (commit, view) = (store.commit().0, store.view());
    for n in commit.saturating_sub(4)..=commit {
        let found = view.counts(At::time(Time(n as i64 * 10 + 1))).nodes as u64;
        assert_eq!(found, expected(commit, n * 10 + 1), "kill {kill}: commit {commit} at the time of {n}");
    }
}

/// What readers see is a whole commit before a writer has put anything right, and what the catalogue says behind it.
fn check_reader(dir: &Path, (announced, kill): (u64, u64)) -> Store {
    let reader = Store::open_read_only(dir, None).unwrap();
    assert!(reader.commit().0 >= announced, "kill {kill}: readers do not see commit {announced}");
    check_nodes(&reader, kill);
    let store = Store::open(dir).unwrap();
    let told = Store::open_read_only(dir, None).unwrap();
    assert_eq!((told.commit(), told.loads()), (store.commit(), store.loads()), "kill {kill}");
    check_nodes(&told, kill);
    store
}

#[test]
fn loads_until_it_is_killed() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let mut store = Store::open(dir).unwrap();
    println!("committed {}", store.commit().0);
    loop {
        let next = store.commit().0 + 1;
        step(&mut store, next);
        println!("committed {next}");
    }
}

/// Starts the child, waits until a step of kind `wanted` (of four) is next, kills it `delay` later, and gives the last
/// commit that it announced.
fn killed_at(dir: &Path, wanted: u64, delay: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::loads_until_it_is_killed", "--exact", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut commits = lines.map_while(Result::ok).filter_map(|line| {
        // The runner may write its own words before ours.
        line.split_once("committed ")?.1.parse::<u64>().ok()
    });
    let before = commits.by_ref().find(|commit| (commit + 1) % 4 == wanted);
    let before = before.expect("the child ended before it was killed");
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    commits.last().unwrap_or(before)
}

#[test]
fn a_killed_load_or_rollback_is_there_whole_or_not_at_all() {
    let kills = std::env::var(KILLS).ok().and_then(|kills| kills.parse().ok()).unwrap_or(40);
    let mut random = 0x9e37_79b9_u64;
    let mut at_work = [0u64; 4];
    let mut dir = None;
    for kill in 0..kills {
        if kill % 5 == 0 {
            let fresh = tempfile::tempdir().unwrap();
            drop(Store::create(fresh.path(), Schema::default()).unwrap());
            dir = Some(fresh);
        }
        let Some(dir) = &dir else { continue };
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        // Some steps take a hundred times as long as others: delays of every scale meet all of them at work.
        let delay = ((random >> 33) % 60_000) >> ((random >> 60) % 8);
        let announced = killed_at(dir.path(), kill % 4, Duration::from_micros(delay));
        let mut store = check_reader(dir.path(), (announced, kill));
        let commit = store.commit().0;
        assert!(commit >= announced, "kill {kill}: commit {announced} was announced and is lost");
        check(&store, kill);
        at_work[(commit as usize + 1) % 4] += 1;
        step(&mut store, commit + 1);
        check(&store, kill);
        if kill % 5 == 4 {
            store.verify().unwrap();
        }
    }
    eprintln!("killed at events, large version, small version, rollback: {:?}", [1, 2, 3, 0].map(|at| at_work[at]));
    assert!(at_work.iter().all(|&kills| kills > 0), "{at_work:?}");
}
