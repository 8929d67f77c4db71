//! Folders of graphs: half made ones, what killed processes leave, what is taken away, what nothing may be written over.

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use redb::Database;
use serde_json::json;

use crate::world::{Answer, SHOP, World, shop};

/// Each kind of catalogue that never became one, by a timeweft that made it in place.
fn half_made() -> Vec<(&'static str, World)> {
    let in_place = |name, bytes: Option<Vec<u8>>| {
        let world = World::new();
        world.write("shop.jsonl", SHOP);
        fs::create_dir_all(world.path("g/log")).unwrap();
        match bytes {
            Some(bytes) => fs::write(world.path("g/catalogue.redb"), bytes).unwrap(),
            None => drop(Database::create(world.path("g/catalogue.redb")).unwrap()),
        }
        (name, world)
    };
    let mut header = vec![0; 1_056_768];
    header[10..16].fill(7);
    vec![
        in_place("an empty file", Some(Vec::new())),
        in_place("zeros", Some(vec![0; 1_056_768])),
        in_place("a header without a mark", Some(header)),
        in_place("a database without tables", None),
    ]
}

#[test]
fn a_half_made_graph_is_as_good_as_none() {
    for command in ["init", "load events shop.jsonl --unit step"] {
        for (name, world) in half_made() {
            world.run("stats").expect(1, name).says("there is no graph here").says("timeweft init");
            world.run("load events shop.jsonl").expect(1, name).says("give --unit");
            world.run(command).expect(0, name);
            assert_eq!(world.json("stats")[0]["loads"], json!(usize::from(command != "init")), "{name}");
            world.run("init").expect(1, name).says("there is a graph already");
        }
    }
}

/// What may be a graph with a damaged catalogue is never made anew over.
#[test]
fn a_catalogue_that_lost_its_first_bytes_is_not_written_over() {
    let world = shop();
    let catalogue = world.path("g/catalogue.redb");
    let mut bytes = fs::read(&catalogue).unwrap();
    bytes[..64].fill(0);
    fs::write(&catalogue, &bytes).unwrap();
    for command in ["verify", "init", "load events shop.jsonl --unit step"] {
        world.run(command).expect(1, command).says("corrupt: Not a redb database").says("from a copy");
    }
    fs::write(world.path("g/log/p0-1-0.arrow"), "events").unwrap();
    fs::write(&catalogue, "").unwrap();
    for command in ["init", "verify", "load events shop.jsonl --unit step"] {
        world.run(command).expect(1, command).says("it is empty");
    }
    assert_eq!(fs::read_to_string(world.path("g/log/p0-1-0.arrow")).unwrap(), "events");
}

#[test]
fn a_first_load_that_fails_takes_away_only_what_it_made() {
    let world = World::new();
    fs::create_dir(world.path("a")).unwrap();
    world.write("bad.jsonl", "nonsense\n");
    world.run("load events bad.jsonl --unit step --graph a/b/c").expect(1, "nested");
    assert!(world.path("a").exists() && !world.path("a/b").exists());
    let piped = world
        .command("load events - --format jsonl --unit step --graph a/b/c")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut load = piped.unwrap();
    while !world.path("a/b/c/log").exists() {
        std::thread::yield_now();
    }
    let locked = world.run("load events bad.jsonl --graph a/b/c").expect(1, "locked");
    locked.says("open for writing in process").says("commands that only read it work meanwhile");
    assert_eq!(world.json("loads --graph a/b/c").len(), 0, "reading needs no lock");
    world.write("a/b/c/mine.txt", "mine");
    let mut input = load.stdin.take().unwrap();
    input.write_all(b"nonsense\n").unwrap();
    drop(input);
    assert_eq!(load.wait().unwrap().code(), Some(1));
    let names: Vec<_> = fs::read_dir(world.path("a/b/c")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["mine.txt"]);
}

/// Several processes that find no graph make one, and each says what became of its load.
#[test]
fn of_first_loads_at_once_none_is_lost() {
    for round in 0..4 {
        let world = World::new();
        world.write("shop.jsonl", SHOP);
        let load = |n: u32| {
            let line = format!("load events shop.jsonl --unit step --namespace n{n} --version {n} --graph a/g");
            world.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let loads: Vec<_> = (0..4).map(load).collect();
        let mut done = 0;
        for load in loads {
            let answer = Answer::from(load.wait_with_output().unwrap());
            done += usize::from(answer.code == 0);
            let is_told = ["open for writing in", "no record was accepted"].iter().any(|why| answer.err.contains(why));
            assert!(answer.code == 0 || is_told, "round {round}: {}", answer.err);
        }
        assert_eq!((done > 0, world.json("loads --graph a/g").len()), (true, done), "round {round}");
    }
}

#[test]
fn what_killed_processes_left_goes_at_the_next_opening() {
    let world = shop();
    fs::create_dir_all(world.path("g/models")).unwrap();
    fs::create_dir_all(world.path("g/index")).unwrap();
    let left = ["g/index/0000000009.tmp", "g/models/old.partial", "g/models/old.html.tmp", "g/catalogue.redb.77-0.tmp"];
    let kept = ["g/index/notes.txt", "g/models/notes.txt", "g/notes.tmp"];
    left.iter().chain(&kept).for_each(|name| fs::write(world.path(name), "x").unwrap());
    world.done("loads");
    assert!(left.iter().all(|name| world.path(name).exists()), "reading removes nothing");
    world.done("compact");
    assert!(left.iter().all(|name| !world.path(name).exists()));
    assert!(kept.iter().all(|name| world.path(name).exists()));
}

#[test]
fn a_folder_named_like_a_file_of_ours_is_left_alone() {
    let world = shop();
    let names =
        ["g/log/p0-9-0.arrow", "g/log/p0-9-0.arrow.tmp", "g/index/0000000007.snapshot", "g/index/0000000009.tmp"];
    names.iter().for_each(|name| fs::create_dir_all(world.path(name)).unwrap());
    world.done("compact");
    world.write("books.csv", "src,dst,time\nann,ink,20\n");
    world.done("load events books.csv");
    world.done("verify");
    assert!(names.iter().all(|name| world.path(name).is_dir()));
    fs::create_dir(world.path("g/log/p0-3-0.arrow")).unwrap();
    let rows: String = (0..5_000).map(|at| format!("{at},{},{at}\n", at + 1)).collect();
    world.write("edges.csv", &format!("src,dst,time\n{rows}"));
    let answer = world.run("load events edges.csv").expect(1, "in the way");
    answer.says("g/log/p0-3-0.arrow").says("nothing of it was kept");
}

#[cfg(unix)]
#[test]
fn a_planted_link_is_not_followed() {
    let world = shop();
    let outside = world.path("outside");
    let plant = |name: &str| {
        fs::write(&outside, "precious").unwrap();
        std::os::unix::fs::symlink(&outside, world.path(name)).unwrap();
    };
    let is_precious = || fs::read_to_string(&outside).unwrap() == "precious";
    fs::create_dir(world.path("g/index")).unwrap();
    // Planted while the graph is open it would be met by the writing itself, as it is by the export here.
    for (name, line) in [
        ("g/index/0000000001.tmp", "compact"),
        ("state.jsonl.partial", "export --to state.jsonl"),
        ("documents.partial", "export --as kbase --namespace events --to documents"),
        ("man1/timeweft.1.partial", "man --to man1"),
    ] {
        fs::create_dir_all(world.path(name).parent().unwrap()).unwrap();
        plant(name);
        world.done(line);
        assert!(is_precious(), "{name}");
    }
}

#[test]
fn what_is_done_is_done_whoever_reads_of_it() {
    let world = shop();
    world.write("roots.csv", "type,id\nuser,ann\n");
    let lines = ["init new", "compact", "features roots.csv --feature age --to x.jsonl --json", "rollback 1"];
    for line in lines.iter().filter(|_| cfg!(target_os = "linux")) {
        let answer = world.copy().shell(&format!("exec \"$0\" {line} > /dev/full")).expect(0, line);
        answer.says("warning: the ").says(", but: No space left on device");
    }
    for line in lines {
        let world = world.copy();
        let mut child = world.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let (mut told, code) = (String::new(), child.wait().unwrap().code());
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!((code, told.contains("warning")), (Some(0), false), "{line}: {told}");
    }
    assert_eq!(world.json("loads").len(), 1);
}

#[test]
fn an_empty_graph_lists_no_loads() {
    let world = World::new();
    world.done("init");
    assert_eq!(world.done("loads --json"), "");
    assert!(world.done("loads").contains("no loads yet"));
}

#[test]
fn snapshots_are_counted_apart() {
    let world = shop();
    let stats = |world: &World| world.json("stats")[0].clone();
    let before = stats(&world);
    assert_eq!(before["snapshot_bytes"], json!(0));
    let written = world.json("compact")[0]["bytes"].clone();
    let after = stats(&world);
    assert_eq!(after["snapshot_bytes"], written);
    assert!(after["disk_bytes"].as_u64() <= before["disk_bytes"].as_u64());
    assert!(world.done("stats").contains("more for the snapshot in `index`"));
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_no_place_for_a_file() {
    use std::os::unix::fs::FileTypeExt;
    let world = shop();
    // No device of the machine: a fault here must not cost anybody one.
    world.shell("mkfifo pipe").expect(0, "mkfifo");
    world.write("roots.csv", "type,id\nuser,ann\n");
    for line in ["export --to", "load events shop.jsonl --namespace n --version 1 --rejects"] {
        world.run(&format!("{line} pipe")).expect(1, line).says("cannot write pipe: it is a device or a pipe");
        world.run(&format!("{line} g/log/x")).expect(1, line).says("is a graph");
    }
    world.shell("ln -s pipe roots-out.jsonl").expect(0, "a link to a pipe");
    world.run("features roots.csv --feature age --to roots-out.jsonl").expect(1, "roots").says("a device or a pipe");
    assert!(fs::metadata(world.path("pipe")).unwrap().file_type().is_fifo());
    assert_eq!(world.json("loads").len(), 1, "nothing was loaded before it was refused");
}

#[test]
fn no_source_is_written_over() {
    let world = World::new();
    world.write("people.csv", "id\nann\n");
    world.write("map.toml", "[[nodes]]\nfile = \"people.csv\"\ntype = \"person\"\nid = \"id\"\n");
    let load = "load version map.toml --namespace n --version 1 --timestamp 1 --unit step --rejects";
    for source in ["people.csv", "map.toml"] {
        world.run(&format!("{load} {source}")).expect(2, source).says("that is what is loaded");
    }
    assert_eq!(fs::read_to_string(world.path("people.csv")).unwrap(), "id\nann\n");
    world.done(&format!("{load} rejects.txt"));
    world.write("my.toml", "[train]\nepochs = 1\n");
    world.run("train my.toml --report my.toml").expect(2, "report").says("that is the configuration");
    world.run("train my.toml --report g/log/x.html").expect(1, "report").says("is a graph");
    assert_eq!(fs::read_to_string(world.path("my.toml")).unwrap(), "[train]\nepochs = 1\n");
}

/// A process that is killed between a commit and its manifest: what is committed is shown.
#[test]
fn what_a_killed_process_committed_last_is_shown() {
    let world = shop();
    let copy = |from: &str, to: &str| {
        fs::create_dir_all(world.path(to)).unwrap();
        for entry in fs::read_dir(world.path(from)).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), world.path(to).join(entry.file_name())).unwrap();
        }
    };
    copy("g/manifest", "before");
    world.write("more.csv", "src,dst,time\n1,2,900\n");
    world.done("load events more.csv --unit step --namespace more");
    let loads = world.json("loads").len();
    fs::remove_dir_all(world.path("g/manifest")).unwrap();
    copy("before", "g/manifest");
    assert_eq!(world.json("loads").len(), loads - 1, "manifests alone do not know");
    fs::write(world.path("g/writer"), "process 1").unwrap();
    assert_eq!(world.json("loads").len(), loads);
    assert!(!world.path("g/writer").exists());
    assert_eq!(world.json("loads").len(), loads);
}
