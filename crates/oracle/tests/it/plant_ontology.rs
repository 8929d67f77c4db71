//! The Plant Ontology: the changes of 823 versions as a stream of events, beside 36 of these versions as whole files.
//!
//! The log was made by comparing versions of a file, and says of a file what it says: a term that is called obsolete is
//! deleted, but one that was obsolete when it first came is not told apart from any other; edges are what the file lists,
//! also at terms that it does not list; an update names the features and not their values.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::path::{Path, PathBuf};

use timeweft_graph::{
    Action, At, EdgeKey, Element, Event, Features, GraphView, Name, NodeKey, Place, Reason, Schema, Time, TimeUnit,
    Value,
};
use timeweft_oracle::world::data;
use timeweft_source::{VersionOptions, open};
use timeweft_store::{LoadRequest, Store, StoreError};

use crate::answers::{State, assert_same_state};
use crate::releases::{Release, load_all};

/// A line of the log.
struct Line {
    number: u64,
    version: u64,
    time: Time,
    action: String,
    is_node: bool,
    kind: Name,
    source: String,
    destination: String,
    changed: String,
}

fn lines(path: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(path).unwrap();
    let rows = (2..).zip(text.lines().skip(1));
    let line = |(number, row): (u64, &str)| {
        let cells: Vec<_> = row.split('\t').collect();
        Line {
            number,
            version: cells[0].parse().unwrap(),
            time: Time(cells[1].parse().unwrap()),
            action: cells[2].into(),
            is_node: cells[3] == "NODE",
            kind: cells[4].into(),
            source: cells[5].into(),
            destination: cells[6].into(),
            changed: cells[7].into(),
        }
    };
    rows.map(line).collect()
}

fn term(id: &str) -> NodeKey {
    NodeKey::new("term", id)
}

fn is_at(edge: &EdgeKey, nodes: &BTreeSet<NodeKey>) -> bool {
    nodes.contains(&edge.source) && nodes.contains(&edge.destination)
}

/// Turns the log into events that a graph can take: an edge waits while one of its ends does not live, and ends with it.
#[derive(Default)]
struct Replay {
    live: BTreeSet<NodeKey>,
    /// Terms that the log last called obsolete: the file still has them.
    obsolete: BTreeSet<NodeKey>,
    /// What the file lists.
    listed: BTreeSet<EdgeKey>,
    /// The part of it that lives in the graph.
    alive: BTreeSet<EdgeKey>,
}

impl Replay {
    /// The events of one version: edges end before nodes, nodes begin before merges and edges.
    fn version(&mut self, lines: &[Line]) -> Vec<(Event, Place)> {
        let file = Name::from("events.tsv");
        let mut stages: [Vec<(Event, Place)>; 6] = Default::default();
        let mut tell = |stage: usize, line: u64, time, action, element, features| {
            let event = Event { time, action, element, features };
            stages[stage].push((event, Place::new(&file, line)));
        };
        for line in lines.iter().filter(|line| line.is_node) {
            let node = term(&line.source);
            let element = Element::Node(node.clone());
            let features: Features = match &*line.changed {
                "" | "alt_id" | "obsolete" | "vanished" => vec![("namespace".into(), Some(Value::text(&line.kind)))],
                names => names.split(',').map(|name| (name.into(), Some(Value::number(line.version as f64)))).collect(),
            };
            match &*line.action {
                "CREATE" => {
                    self.live.insert(node.clone());
                    self.obsolete.remove(&node);
                    tell(2, line.number, line.time, Action::Create, element, features);
                }
                // An obsolete term that is updated and no longer obsolete is back.
                "UPDATE" if self.obsolete.contains(&node) && line.changed.split(',').any(|name| name == "obs") => {
                    self.live.insert(node.clone());
                    self.obsolete.remove(&node);
                    tell(2, line.number, line.time, Action::Create, element, features);
                }
                "UPDATE" => tell(4, line.number, line.time, Action::Update, element, features),
                _ => {
                    if self.live.remove(&node) {
                        tell(1, line.number, line.time, Action::Delete, element, Features::new());
                    }
                    self.obsolete.remove(&node);
                    if line.changed == "obsolete" {
                        self.obsolete.insert(node.clone());
                    }
                    if line.action == "MERGE" {
                        let into = term(&line.destination);
                        tell(
                            3,
                            line.number,
                            line.time,
                            Action::Create,
                            Element::Merge { from: node, into },
                            Features::new(),
                        );
                    }
                }
            }
        }
        for line in lines.iter().filter(|line| !line.is_node) {
            let (source, destination) = (term(&line.source), term(&line.destination));
            let edge = EdgeKey { source, relation: line.kind.clone(), destination, key: None };
            match &*line.action {
                "CREATE" => assert!(self.listed.insert(edge), "line {}", line.number),
                _ => assert!(self.listed.remove(&edge), "line {}", line.number),
            }
        }
        let (time, number) = (lines[0].time, lines[0].number);
        let before = std::mem::take(&mut self.alive);
        self.alive = self.listed.iter().filter(|edge| is_at(edge, &self.live)).cloned().collect();
        for edge in before.difference(&self.alive).filter(|edge| is_at(edge, &self.live)) {
            tell(0, number, time, Action::Delete, Element::Edge(edge.clone()), Features::new());
        }
        for edge in self.alive.difference(&before) {
            tell(5, number, time, Action::Create, Element::Edge(edge.clone()), Features::new());
        }
        stages.into_iter().flatten().collect()
    }
}

/// The snapshots, each with the number of its version.
fn snapshots(folder: &Path) -> Vec<(u64, Release)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder.join("versions")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert_eq!(paths.len(), 36);
    let release = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().trim_end_matches(".obo.gz").to_string();
        let (version, time) = name[1..].split_once('_').unwrap();
        let (version, time) = (version.parse().unwrap(), Time(time.parse().unwrap()));
        (version, Release { name, time, path, options: VersionOptions::default() })
    };
    paths.into_iter().map(release).collect()
}

/// The terms that a file calls obsolete, of which its reader tells only what they became.
fn obsolete_in(path: &Path) -> BTreeSet<NodeKey> {
    let (mut found, mut id) = (BTreeSet::new(), String::new());
    for line in open(path).unwrap().split(b'\n') {
        let line = String::from_utf8_lossy(&line.unwrap()).trim_end().to_string();
        if let Some(given) = line.strip_prefix("id: ") {
            id = given.to_string();
        } else if line == "is_obsolete: true" {
            found.insert(term(&id));
        }
    }
    found
}

/// The numbers that came with the log: version to (terms, obsolete ones, edges).
fn counts(path: &Path) -> BTreeMap<u64, [usize; 3]> {
    let text = std::fs::read_to_string(path).unwrap();
    let row = |row: &str| {
        let cells: Vec<_> = row.split('\t').collect();
        (cells[0].parse().unwrap(), [5, 6, 7].map(|at| cells[at].parse().unwrap()))
    };
    text.lines().skip(1).map(row).collect()
}

fn nodes(view: &dyn GraphView, time: Time) -> BTreeSet<NodeKey> {
    view.nodes(None, At::time(time)).into_iter().map(|node| node.key).collect()
}

fn edges(view: &dyn GraphView, time: Time) -> BTreeSet<EdgeKey> {
    view.edges(None, At::time(time)).into_iter().map(|edge| edge.key).collect()
}

fn seconds() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path(), Schema::new(TimeUnit::Second)).unwrap();
    (dir, store)
}

#[test]
fn replayed_events_equal_the_snapshots() {
    let Some(folder) = data("replayed_events_equal_the_snapshots", "plant_ontology") else { return };
    let (dir, mut store) = seconds();
    let replay = load_log(&mut store, &folder);
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    let view = store.view();
    for (version, release) in snapshots(&folder) {
        let read = release.read();
        let (live, obsolete) = (nodes(&*view, release.time), obsolete_in(&release.path));
        // The log does not tell the terms that were obsolete when they first came, so they live in the graph.
        let told: BTreeSet<_> = live.difference(&obsolete).cloned().collect();
        let listed: BTreeSet<_> = read.nodes.iter().map(|node| node.key.clone()).collect();
        assert_eq!(told, listed, "version {version}");
        assert!(
            live.len() - told.len() <= 88,
            "version {version}: {} terms were born obsolete",
            live.len() - told.len()
        );
        let listed = read.edges.iter().map(|edge| edge.key.clone());
        let expected: BTreeSet<_> = listed.filter(|edge| is_at(edge, &live)).collect();
        assert_eq!(edges(&*view, release.time), expected, "version {version}");
    }
    assert_eq!(nodes(&*view, Time::FOREVER), replay.live);
    assert_eq!(edges(&*view, Time::FOREVER), replay.alive);
}

/// Loads the log, one load a version, and checks each version against the numbers that came with the log.
fn load_log(store: &mut Store, folder: &Path) -> Replay {
    let (lines, counts) = (lines(&folder.join("events.tsv")), counts(&folder.join("versions.tsv")));
    let mut replay = Replay::default();
    let (mut n_versions, mut accepted, mut refused) = (0, 0, 0);
    for of_version in lines.chunk_by(|a, b| a.version == b.version) {
        let (version, time) = (of_version[0].version, of_version[0].time);
        let events = replay.version(of_version);
        let [terms, _, listed] = counts[&version];
        assert_eq!(
            (replay.live.len() + replay.obsolete.len(), replay.listed.len()),
            (terms, listed),
            "version {version}"
        );
        let request = LoadRequest::new("po", "events.tsv").version(&version.to_string(), time);
        let report = match store.load(request, timeweft_oracle::pushed(events.into_iter().map(Ok))) {
            Err(StoreError::NothingAccepted(report)) => *report,
            loaded => loaded.unwrap(),
        };
        // The log goes on updating terms that are obsolete; a graph refuses that.
        for reject in &report.rejects {
            assert!(matches!(&reject.reason, Reason::DeletedNode(node) if replay.obsolete.contains(node)), "{reject}");
        }
        let shown = store.view().counts(At::time(time));
        assert_eq!((shown.nodes, shown.edges), (replay.live.len(), replay.alive.len()), "version {version}");
        n_versions += 1;
        accepted += report.accepted;
        refused += report.n_rejected;
    }
    assert_eq!((n_versions, accepted, refused), (696, 26_053, 503));
    assert_eq!(store.view().merges().len(), 340);
    replay
}

#[test]
fn snapshots_as_whole_versions_are_what_they_list() {
    let Some(folder) = data("snapshots_as_whole_versions_are_what_they_list", "plant_ontology") else { return };
    let releases: Vec<_> = snapshots(&folder).into_iter().map(|(_, release)| release).collect();
    let (dir, mut store) = seconds();
    let reports = load_all(&mut store, "po", &releases);
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    for (release, report) in releases.iter().zip(&reports) {
        let read = release.read();
        let (alone, edges) = (State::of(&read), &report.delta.as_ref().unwrap().edges);
        assert_same_state(&State::at(&*store.view(), release.time), &alone, &release.name);
        assert_eq!(read.edges.len() - alone.edges.len(), edges.dangling as usize, "{}", release.name);
        assert_eq!(read.rejects.len() as u64 + edges.dangling, report.n_rejected, "{}", release.name);
    }
    store.verify().unwrap();
}
