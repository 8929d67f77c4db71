//! Real data sets, read straight into an index, each with the protocol that its published figures use.

mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use timeweft_graph::{Action, EdgeKey, Element, Event, Name, NodeKey, Schema, Time, TimeUnit, Value};
use timeweft_index::Index;
use timeweft_learn::Config;

/// A stream of links by its name in the data folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Stream {
    /// Messages between students: 59,835 events.
    Uci,
    /// E-mail: 125,235 events, 77 % ties.
    Enron,
    /// tgbl-wiki-v2: 157,474 edits.
    Wiki,
    /// Political events: 90,730 facts of 230 relations, 365 days.
    Icews14,
    /// Financial knowledge graph: 144,062 facts, 12 node types, 126 weeks.
    Findkg,
    /// Formula 1 as relational tables: which drivers a constructor enters for a race, and for whom a driver drives.
    RelF1,
    /// Plant Ontology: 823 versions with updates, deletes and merges; where the next edge of a term goes.
    PlantOntology,
}

impl Stream {
    pub(crate) fn path(self, data: &Path) -> PathBuf {
        data.join(match self {
            Stream::Uci => "uci/events.csv",
            Stream::Enron => "enron/events.csv",
            Stream::Wiki => "wikipedia/ml_wikipedia.txt",
            Stream::Icews14 => "icews14",
            Stream::Findkg => "findkg",
            Stream::RelF1 => "rel_f1",
            Stream::PlantOntology => "plant_ontology/events.tsv",
        })
    }

    /// Reads the stream, and sets its split and its candidates in a configuration.
    pub(crate) fn read(self, data: &Path, config: &mut Config) -> Result<Arc<Index>> {
        match self {
            Stream::Uci | Stream::Enron => {}
            Stream::Wiki => {
                config.train.split_times = Some([1_862_652, 2_218_288]);
                config.evaluate.candidates = 0;
                config.evaluate.batches_from_part = true;
            }
            Stream::Icews14 | Stream::Findkg => {
                config.train.both_ends = true;
                config.evaluate.candidates = 0;
                config.evaluate.all_nodes = true;
                return facts(&self.path(data), config);
            }
            Stream::RelF1 => {
                config.train.both_ends = true;
                config.train.targets = vec!["enters".into()];
                config.evaluate.candidates = 0;
                return tables::races(&self.path(data));
            }
            Stream::PlantOntology => {
                config.evaluate.candidates = 0;
                config.evaluate.all_nodes = true;
                return ontology(&self.path(data));
            }
        }
        index(self, data)
    }
}

/// Events under way into an index: a node appears with its first link.
struct Loading {
    index: Index,
    known: BTreeSet<NodeKey>,
    namespace: Name,
    rejected: usize,
}

impl Loading {
    fn new(unit: TimeUnit) -> Loading {
        Loading { index: Index::new(Schema::new(unit)), known: BTreeSet::new(), namespace: "".into(), rejected: 0 }
    }

    fn node(&mut self, key: &NodeKey, time: Time) -> Result<()> {
        if !self.known.insert(key.clone()) {
            return Ok(());
        }
        self.apply(Event::new(time, Action::Create, Element::Node(key.clone())))
    }

    /// An edge of its own for every link.
    fn link(&mut self, [source, destination]: [NodeKey; 2], relation: Name, time: Time, number: usize) -> Result<()> {
        self.node(&source, time)?;
        self.node(&destination, time)?;
        let edge = EdgeKey { source, relation, destination, key: Some(number.to_string().into()) };
        self.apply(Event::new(time, Action::Create, Element::Edge(edge)))
    }

    fn apply(&mut self, event: Event) -> Result<()> {
        self.index.apply(&event, &self.namespace).map_err(|reason| anyhow::anyhow!("{reason}"))
    }
}

/// Reads a stream of (source, destination, time).
pub(crate) fn index(stream: Stream, data: &Path) -> Result<Arc<Index>> {
    let path = stream.path(data);
    let mut loading = Loading::new(TimeUnit::Second);
    let types = if stream == Stream::Wiki { ["user", "page"] } else { ["user", "user"] };
    for (number, line) in text(&path)?.lines().enumerate() {
        let fields: Vec<&str> = line.split([',', ' ', '\t']).collect();
        let [source, destination, time] = fields[..] else {
            bail!("{}:{}: not three fields", path.display(), number + 1)
        };
        let Ok(time) = time.parse::<f64>() else { continue };
        let ends = [NodeKey::new(types[0], source), NodeKey::new(types[1], destination)];
        loading.link(ends, "link".into(), Time(time as i64), number)?;
    }
    Ok(Arc::new(loading.index))
}

/// Reads a temporal knowledge graph: `train.txt`, `valid.txt`, `test.txt` with subject, relation, object, time, and the
/// names of entities (with their types, if there are any) and relations. The files are the split.
fn facts(folder: &Path, config: &mut Config) -> Result<Arc<Index>> {
    let entities = names(&folder.join("entity2id.txt"))?;
    let relations = names(&folder.join("relation2id.txt"))?;
    let mut loading = Loading::new(TimeUnit::Step);
    let (mut last, mut number) = (Vec::new(), 0);
    let key = |id: &str| {
        let kind = entities.get(id).and_then(|fields| fields.get(2)).map_or("entity", |kind| kind);
        NodeKey::new(kind, id)
    };
    for part in ["train.txt", "valid.txt", "test.txt"] {
        let path = folder.join(part);
        let text = text(&path)?;
        let mut rows = Vec::new();
        for (line, row) in text.lines().enumerate() {
            let fields: Vec<&str> = row.split('\t').collect();
            let time = fields.get(3).and_then(|time| time.trim().parse::<i64>().ok());
            let (Some(time), [subject, relation, object, ..]) = (time, &fields[..]) else {
                bail!("{}:{}: not subject, relation, object, time", path.display(), line + 1)
            };
            rows.push((time, *subject, *relation, *object));
        }
        rows.sort_by_key(|row| row.0);
        last.push(rows.last().map_or(0, |row| row.0));
        for (time, subject, relation, object) in rows {
            let relation = relations.get(relation).map_or(relation, |fields| fields[0].as_str());
            loading.link([key(subject), key(object)], relation.into(), Time(time), number)?;
            number += 1;
        }
    }
    // Entities without a fact are candidates too: they come after everything else, where they change nothing.
    for id in entities.keys() {
        loading.node(&key(id), Time(last[2] + 1))?;
    }
    config.train.split_times = Some([last[0], last[1]]);
    Ok(Arc::new(loading.index))
}

/// Reads the changes of an ontology from version to version. A merge is an edge from what was merged to what it became.
fn ontology(path: &Path) -> Result<Arc<Index>> {
    let mut loading = Loading::new(TimeUnit::Second);
    let mut types: BTreeMap<String, NodeKey> = BTreeMap::new();
    let rows = text(path)?;
    let mut lines: Vec<(usize, Vec<&str>)> =
        rows.lines().map(|line| line.split('\t').collect()).enumerate().skip(1).collect();
    if let Some((number, _)) = lines.iter().find(|(_, fields)| fields.len() != 8) {
        bail!("{}:{}: not eight fields", path.display(), number + 1);
    }
    // A version tells of nodes first: a term goes after its edges, and new edges come after new terms.
    let stage = |action: &str, entity: &str| match (entity, action) {
        ("NODE", "CREATE" | "UPDATE") => 0,
        ("EDGE", "DELETE") => 1,
        ("NODE", _) => 2,
        _ => 3,
    };
    lines.sort_by_key(|(_, fields)| (fields[0].parse::<u32>().unwrap_or(u32::MAX), stage(fields[2], fields[3])));
    for (number, fields) in &lines {
        let [_, time, action, entity, kind, source, destination, changed] = fields[..] else { continue };
        let time = Time(time.parse().with_context(|| format!("{}:{}: time", path.display(), number + 1))?);
        let term = |id: &str| types.get(id).cloned().unwrap_or_else(|| NodeKey::new("term", id));
        let edge =
            || EdgeKey { source: term(source), relation: kind.into(), destination: term(destination), key: None };
        let (action, element) = match (action, entity) {
            ("CREATE", "NODE") => {
                let key = NodeKey::new(kind, source);
                types.insert(source.into(), key.clone());
                (Action::Create, Element::Node(key))
            }
            ("UPDATE", "NODE") => (Action::Update, Element::Node(term(source))),
            // A term that is merged goes; into which one is not asked here.
            ("DELETE" | "MERGE", "NODE") => (Action::Delete, Element::Node(term(source))),
            ("CREATE", "EDGE") => (Action::Create, Element::Edge(edge())),
            ("DELETE", "EDGE") => (Action::Delete, Element::Edge(edge())),
            _ => bail!("{}:{}: {action} {entity}", path.display(), number + 1),
        };
        let mut event = Event::new(time, action, element);
        if action == Action::Update {
            event = event.with(vec![("changed".into(), Some(Value::text(changed)))]);
        }
        // An edge at a term that is gone or was never there is not part of the graph.
        if loading.apply(event).is_err() {
            loading.rejected += 1;
        }
    }
    println!("{} of {} events rejected", loading.rejected, lines.len());
    Ok(Arc::new(loading.index))
}

/// Rows of a tab-separated file by their second field.
fn names(path: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let rows = text(path)?;
    let fields = rows.lines().map(|line| line.split('\t').map(|field| field.trim().to_string()).collect::<Vec<_>>());
    Ok(fields.filter(|fields| fields.len() > 1).map(|fields| (fields[1].clone(), fields)).collect())
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}
