//! Loads that are stopped, of every kind and at several moments: the folder holds the bytes that it held before.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use timeweft::load::tables::{Table, TableSet, VersionTables};
use timeweft::load::{Load, Stop, TableMapping};
use timeweft::{Error, Graph, TimeUnit};

const ROWS: usize = 9_000;

/// All files below a folder with their bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

/// Sources of all kinds, and a graph that holds something of each.
struct Sources {
    dir: tempfile::TempDir,
    graph: Graph,
}

type Begin = for<'g> fn(&'g mut Graph, &Path) -> Load<'g>;

const KINDS: [(&str, Begin); 9] = [
    ("events", |graph, dir| graph.load(dir.join("later.csv"))),
    ("events out of order", |graph, dir| graph.load(dir.join("disordered.csv"))),
    ("late events", |graph, dir| graph.load(dir.join("late.csv"))),
    ("a version that is there", |graph, dir| graph.load(dir.join("terms.obo")).namespace("terms").version("1", 1)),
    ("intervals", |graph, dir| graph.load(dir.join("nodes.json"))),
    ("tables of lives", |graph, dir| graph.load_changes(lives(dir), intervals())),
    ("a version", |graph, dir| graph.load(dir.join("more.obo")).namespace("terms").version("2", 2)),
    ("a taxonomy", |graph, dir| graph.load(dir.join("dump")).namespace("taxa").version("1", 1)),
    ("tables of a version", |graph, dir| {
        let mapping = r#"{"nodes": [{"file": "lives", "type": "n", "id": "id"}]}"#;
        let tables = VersionTables::new(lives(dir), mapping).unwrap();
        graph.load_version_tables(tables).namespace("tables").version("1", 1)
    }),
];

fn lives(dir: &Path) -> TableSet {
    TableSet::new([("lives", Table::File(dir.join("lives.csv")))])
}

fn intervals() -> TableMapping {
    let mapping = r#"{"changes": {"format": "intervals"}, "nodes": [{"file": "lives", "type": "n", "id": "id"}]}"#;
    TableMapping::of_json(mapping).unwrap()
}

fn text(head: &str, line: impl Fn(&mut String, usize)) -> String {
    let mut text = head.to_owned();
    (0..ROWS).for_each(|at| line(&mut text, at));
    text
}

impl Sources {
    fn new() -> Sources {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).unwrap();
        let events = |time: fn(usize) -> usize| {
            text("src,dst,time\n", |text, at| _ = writeln!(text, "{},{},{}", at % 500, at % 300, time(at)))
        };
        write("first.csv", events(|at| 50_000 + at));
        write("later.csv", events(|at| 100_000 + at));
        write("disordered.csv", events(|at| 100_000 + at * 7 % 1_000));
        write("late.csv", events(|at| at));
        let terms = |extra: &str| {
            text("format-version: 1.2\n", |text, at| _ = write!(text, "\n[Term]\nid: X:{at}\nname: {extra}{at}\n"))
        };
        write("terms.obo", terms("a"));
        write("more.obo", terms("b"));
        write(
            "nodes.json",
            text("", |text, at| {
                _ = writeln!(text, "{{\"node_id\":{at},\"node_type\":0,\"node_weight\":1.0,\"edge\":[]}}");
            }),
        );
        write("lives.csv", text("id,created,removed\n", |text, at| _ = writeln!(text, "{at},{at},")));
        std::fs::create_dir(dir.path().join("dump")).unwrap();
        write("dump/nodes.dmp", text("", |text, at| _ = writeln!(text, "{}\t|\t1\t|\tno rank\t|", at + 1)));
        write(
            "dump/names.dmp",
            text("", |text, at| _ = writeln!(text, "{}\t|\tn{at}\t|\t\t|\tscientific name\t|", at + 1)),
        );
        let mut graph = Graph::create(dir.path().join("graph"), TimeUnit::Second).unwrap();
        graph.load(dir.path().join("first.csv")).run().unwrap();
        graph.load(dir.path().join("terms.obo")).namespace("terms").version("1", 1).run().unwrap();
        Sources { dir, graph }
    }

    /// Begins a load, has it stopped, and compares the folder.
    fn stopped(&mut self, what: &str, begin: Begin, stop: impl FnOnce(Load<'_>) -> Load<'_>) -> bool {
        let folder = self.dir.path().join("graph");
        let before = files(&folder);
        let loads = self.graph.loads().len();
        let ended = stop(begin(&mut self.graph, self.dir.path())).run();
        match ended {
            Err(Error::Stopped) => {
                let after = files(&folder);
                let differ = |path: &&PathBuf| before.get(*path) != after.get(*path);
                let changed: Vec<&PathBuf> = before.keys().chain(after.keys()).filter(differ).collect();
                assert_eq!(changed, Vec::<&PathBuf>::new(), "{what}");
                assert_eq!(self.graph.loads().len(), loads, "{what}");
                true
            }
            Ok(_) => false,
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

#[test]
fn a_load_of_any_kind_that_its_progress_stops_leaves_every_byte_as_it_was() {
    let mut sources = Sources::new();
    for (what, begin) in KINDS {
        for wanted in 1..4 {
            let mut calls = 0;
            let stopped = sources.stopped(what, begin, |load| {
                load.progress(move |_| {
                    calls += 1;
                    if calls == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                })
            });
            if wanted == 1 {
                assert!(stopped, "{what}: it reports its progress before it is there");
            }
            if !stopped {
                // It was there before it could be stopped, and the next kind begins anew.
                break;
            }
            if wanted == 3 {
                // What was stopped can be loaded.
                begin(&mut sources.graph, sources.dir.path()).run().unwrap();
            }
        }
        sources = Sources::new();
    }
}

#[test]
fn a_load_of_any_kind_can_be_stopped_from_another_thread_at_any_moment() {
    let mut sources = Sources::new();
    for (what, begin) in KINDS {
        let mut stopped = 0;
        for micros in [0, 300, 1_000, 3_000, 10_000, 30_000, 100_000] {
            let stop = Stop::default();
            let asks = stop.clone();
            let asking = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_micros(micros));
                asks.ask();
            });
            let is_stopped = sources.stopped(what, begin, |load| load.stopped_by(&stop));
            asking.join().unwrap();
            stopped += usize::from(is_stopped);
            if !is_stopped {
                break;
            }
        }
        assert!(stopped > 0, "{what}");
        sources = Sources::new();
    }
}

#[test]
fn what_takes_long_before_the_first_record_is_stopped_there() {
    let mut sources = Sources::new();
    // The whole tree of taxa is read before the first one is known.
    let dump = sources.dir.path().join("dump/nodes.dmp");
    let long: String = (0..200_000).fold(String::new(), |mut text, at| {
        _ = writeln!(text, "{}\t|\t1\t|\tno rank\t|", at + 1);
        text
    });
    let size = long.len() as u64;
    std::fs::write(dump, long).unwrap();
    let mut heard = Vec::new();
    let begin: Begin = |graph, dir| graph.load(dir.join("dump")).namespace("taxa").version("1", 1);
    let stopped = begin(&mut sources.graph, sources.dir.path()).progress(|progress| {
        heard.push(progress);
        ControlFlow::Break(())
    });
    assert!(matches!(stopped.run(), Err(Error::Stopped)));
    let [first] = heard[..] else { panic!("{} calls", heard.len()) };
    assert!(first.records == 0 && first.bytes < size / 2, "{first:?}");
}

#[test]
fn a_dry_run_is_stopped_as_well() {
    let mut sources = Sources::new();
    let plan: Begin = |graph, dir| graph.load(dir.join("more.obo")).namespace("terms").version("2", 2);
    let planned = plan(&mut sources.graph, sources.dir.path()).plan().unwrap();
    assert!(planned.delta.is_some_and(|delta| delta.nodes.changed == ROWS as u64));
    let stopped = plan(&mut sources.graph, sources.dir.path()).progress(|_| ControlFlow::Break(())).plan();
    assert!(matches!(stopped, Err(Error::Stopped)));
    assert!(sources.graph.load(sources.dir.path().join("later.csv")).plan().is_err());
}

#[test]
fn a_git_history_is_stopped_while_it_is_read() {
    let git = |folder: &Path, words: &[&str], input: &str| {
        use std::io::Write;
        let mut command = Command::new("git");
        command.current_dir(folder).args(words).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        let mut child = command.stderr(std::process::Stdio::null()).spawn().ok()?;
        child.stdin.take()?.write_all(input.as_bytes()).ok()?;
        child.wait().ok().filter(std::process::ExitStatus::success)
    };
    let dir = tempfile::tempdir().unwrap();
    let repository = dir.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    let mut history = String::new();
    for at in 0..300 {
        let message = format!("commit {at}");
        _ = write!(history, "commit refs/heads/main\ncommitter A <a@x> {} +0000\ndata {}\n", at + 1, message.len());
        _ = write!(history, "{message}\nM 100644 inline f{at}\ndata 2\n{}\n\n", at % 10);
    }
    let made = git(&repository, &["init", "-q", "-b", "main"], "")
        .and_then(|_| git(&repository, &["fast-import", "--quiet"], &history));
    if made.is_none() {
        std::io::Write::write_all(&mut std::io::stderr(), b"left out: a stopped git history (no git)\n").unwrap();
        return;
    }
    let folder = dir.path().join("graph");
    let mut graph = Graph::create(&folder, TimeUnit::Second).unwrap();
    let before = files(&folder);
    for wanted in [1, 2, 5] {
        let mut heard = Vec::new();
        let stopped = graph.load(&repository).progress(|progress| {
            heard.push(progress.records);
            if heard.len() == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(stopped.run(), Err(Error::Stopped)));
        assert_eq!((heard.len(), heard[0]), (wanted, 64));
        assert_eq!(files(&folder), before);
    }
    assert_eq!(graph.load(&repository).run().unwrap().n_rejected, 0);
}
