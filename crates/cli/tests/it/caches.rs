//! A damaged cache is told, thrown away, and never answers.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use crate::world::{World, shop};

/// A graph with a snapshot of two loads and one more load behind it.
fn graph() -> World {
    let world = shop();
    let rows: String = (0..3_000).map(|at| format!("{},{},{at},{}\n", at % 70, at % 41 + 100, at % 9)).collect();
    world.write("edges.csv", &format!("src,dst,time,weight\n{rows}"));
    world.done("load events edges.csv");
    world.done("compact");
    world.write("more.csv", "src,dst,time,weight\n1,2,9000,1\n");
    world.done("load events more.csv");
    world
}

fn snapshot(world: &World) -> PathBuf {
    world.path("g/index/0000000002.snapshot")
}

/// The arrays of a snapshot, by name.
fn arrays(bytes: &[u8]) -> Vec<(String, Range<usize>)> {
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let (table, entries) = (number(bytes.len() - 40), number(bytes.len() - 32));
    let array = |at: usize| {
        let name = String::from_utf8_lossy(&bytes[at..at + 32]).trim_end_matches('\0').to_string();
        (name, number(at + 32)..number(at + 32) + number(at + 40))
    };
    (0..entries).map(|entry| array(table + entry * 64)).filter(|(_, array)| !array.is_empty()).collect()
}

/// Puts the snapshot there, damaged in every array that is chosen.
fn damage(world: &World, whole: &[u8], chosen: impl Fn(&str) -> bool) {
    let mut bytes = whole.to_vec();
    for (_, array) in arrays(whole).into_iter().filter(|(name, _)| chosen(name)) {
        bytes[array.start + array.len() / 2] ^= 4;
    }
    fs::write(snapshot(world), bytes).unwrap();
}

/// Those that opening reads itself.
fn is_read_at_opening(name: &str) -> bool {
    name == "facts"
        || ["keys", "namespaces", "edges.updated", "tracks.changed", "log.ended"].iter().any(|of| name.starts_with(of))
}

/// An answer without the size of the snapshot, which is gone afterwards.
fn without_sizes(answer: &str) -> Vec<&str> {
    answer.lines().filter(|line| !line.contains("snapshot")).collect()
}

#[test]
fn a_damaged_snapshot_is_told_and_thrown_away_and_the_answer_is_right() {
    let world = graph();
    let whole = fs::read(snapshot(&world)).unwrap();
    world.write("roots.csv", "type,id\nnode,1\nnode,2\n");
    let questions = [
        "stats",
        "neighbors node 1",
        "history node 2",
        "node user ann",
        "diff --from 0 --to 4000",
        "export",
        "query get node 1",
        "page-rank roots.csv",
        "export --commit 2",
    ];
    for question in questions {
        let right = world.run(question);
        for at_opening in [false, true] {
            damage(&world, &whole, |name| is_read_at_opening(name) == at_opening);
            let answer = world.run(question);
            assert_eq!(answer.code, right.code, "{question}: {}", answer.err);
            assert_eq!(without_sizes(&answer.out), without_sizes(&right.out), "{question}: {}", answer.err);
            let told = answer.err.contains("damaged") && answer.err.contains("it was removed");
            assert!(told && answer.err.contains("warning: "), "{question}: {}", answer.err);
            assert!(!answer.err.contains("panicked") && !answer.err.contains("restore"), "{question}: {}", answer.err);
            assert!(!snapshot(&world).exists(), "{question}");
            fs::write(snapshot(&world), &whole).unwrap();
        }
    }
}

#[test]
fn export_of_events_reads_the_log_alone() {
    let world = graph();
    let whole = fs::read(snapshot(&world)).unwrap();
    let right = world.done("export --events");
    world.done("export --events --to right.parquet");
    damage(&world, &whole, |name| !is_read_at_opening(name) && !name.starts_with("ids") && !name.starts_with("nodes"));
    // Opening takes in the last load on top of the damage, or not: the log says the same.
    assert_eq!(world.done("export --events"), right);
    fs::remove_dir_all(world.path("g/index")).unwrap();
    assert_eq!(world.done("export --events"), right);
    world.done("export --events --to again.parquet");
    let read = |name: &str| fs::read(world.path(name)).unwrap();
    assert!(read("again.parquet") == read("right.parquet"));
    let before = world.done("export --events --commit 1");
    assert!(right.starts_with(&before) && before.lines().count() < right.lines().count());
}

#[test]
fn verify_repairs_a_damaged_snapshot_and_says_so() {
    let world = graph();
    let whole = fs::read(snapshot(&world)).unwrap();
    assert!(world.done("verify").starts_with("sound: 3 loads"));
    for name in arrays(&whole).into_iter().map(|(name, _)| name) {
        damage(&world, &whole, |other| *other == name);
        let answer = world.run("verify").expect(0, &name);
        assert!(answer.out.starts_with("repaired (the log is sound): 3 loads"), "{name}: {}", answer.out);
        answer.says("warning: ").says("it was removed").says("its log, which is whole");
        assert!(world.done("verify").starts_with("sound: 3 loads"), "{name}");
        fs::remove_dir_all(world.path("g/index")).unwrap();
        fs::create_dir(world.path("g/index")).unwrap();
    }
    damage(&world, &whole, |name| name == "edges");
    let report = world.json("verify").remove(0);
    assert_eq!((report["sound"].as_bool(), report["loads"].as_u64()), (Some(false), Some(3)));
}

/// What is loaded on a damaged snapshot is what would have been loaded on a sound one.
#[test]
fn a_load_on_a_damaged_snapshot_does_not_reach_the_log() {
    let [damaged, sound] = [graph(), graph()];
    let whole = fs::read(snapshot(&damaged)).unwrap();
    for world in [&damaged, &sound] {
        world.write("last.csv", "src,dst,time,weight\n1,100,9500,1\n7,9,9501,2\n");
    }
    damage(&damaged, &whole, |name| !is_read_at_opening(name));
    damaged.run("load events last.csv").expect(0, "load").says("warning: ").says("it was removed");
    sound.done("load events last.csv");
    fs::remove_dir_all(damaged.path("g/index")).unwrap();
    assert_eq!(damaged.done("export --events"), sound.done("export --events"));
    assert!(damaged.done("verify").starts_with("sound"));
    damage(&sound, &whole, |name| !is_read_at_opening(name));
    sound.run("compact").expect(0, "compact").says("warning: ").says("it was removed");
    assert!(sound.done("verify").starts_with("sound"));
}
