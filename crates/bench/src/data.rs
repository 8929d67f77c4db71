//! Real event streams, read straight into an index.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use timeweft_graph::{Action, EdgeKey, Element, Event, Name, NodeKey, Schema, Time, TimeUnit};
use timeweft_index::Index;

/// A stream of links by its name in the data folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Stream {
    /// Messages between students: 59,835 events.
    Uci,
    /// E-mail: 125,235 events, 77 % ties.
    Enron,
    /// tgbl-wiki-v2: 157,474 edits.
    Wiki,
}

impl Stream {
    pub(crate) fn path(self, data: &Path) -> PathBuf {
        data.join(match self {
            Stream::Uci => "uci/events.csv",
            Stream::Enron => "enron/events.csv",
            Stream::Wiki => "wikipedia/ml_wikipedia.txt",
        })
    }
}

/// Reads a stream: nodes appear with their first link, each link is an edge of its own.
pub(crate) fn index(stream: Stream, data: &Path) -> Result<Arc<Index>> {
    let path = stream.path(data);
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut index = Index::new(Schema::new(TimeUnit::Second));
    let none: Name = "".into();
    let mut known = std::collections::BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line.split([',', ' ', '\t']).collect();
        let [source, destination, time] = fields[..] else {
            bail!("{}:{}: not three fields", path.display(), number + 1)
        };
        let Ok(time) = time.parse::<f64>() else { continue };
        let types = if stream == Stream::Wiki { ["user", "page"] } else { ["user", "user"] };
        let ends = [NodeKey::new(types[0], source), NodeKey::new(types[1], destination)];
        let time = Time(time as i64);
        for end in &ends {
            if known.insert(end.clone()) {
                apply(&mut index, Event::new(time, Action::Create, Element::Node(end.clone())), &none)?;
            }
        }
        let [source, destination] = ends;
        let edge = EdgeKey { source, relation: "link".into(), destination, key: Some(number.to_string().into()) };
        apply(&mut index, Event::new(time, Action::Create, Element::Edge(edge)), &none)?;
    }
    Ok(Arc::new(index))
}

fn apply(index: &mut Index, event: Event, namespace: &Name) -> Result<()> {
    index.apply(&event, namespace).map_err(|reason| anyhow::anyhow!("{reason}"))
}
