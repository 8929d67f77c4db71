//! A small world that tests share: terms, edges between them, and versions in a few words.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use timeweft_graph::{
    Action, EdgeKey, Element, Event, ListedDeletion, ListedMerge, Name, NodeKey, Place, Sink, Time, Value,
};

use crate::{Listed, Version, pushed};

/// A file of the real data, or `None` with one line that says which test was left out. Tests run in the folder of their
/// crate.
pub fn data(test: &str, path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TIMEWEFT_DATA").map_or_else(|| "../../../shared/data".into(), PathBuf::from);
    let found = folder.join(path);
    if !found.exists() {
        // Not by a macro: the runner keeps back what macros print in a test that passes.
        let _ = writeln!(std::io::stderr().lock(), "left out: {test} (no data folder)");
        return None;
    }
    Some(found)
}

/// A term.
pub fn node(id: &str) -> NodeKey {
    NodeKey::new("term", id)
}

/// An `is_a` edge with a key, or one of another relation by `relation/key`; an empty key is none.
pub fn edge(key: &str, source: &str, destination: &str) -> EdgeKey {
    let (relation, key) = key.split_once('/').unwrap_or(("is_a", key));
    let key = (!key.is_empty()).then(|| Name::from(key));
    EdgeKey { source: node(source), relation: relation.into(), destination: node(destination), key }
}

/// The creation of an element.
pub fn create(time: i64, element: Element) -> Event {
    Event::new(Time(time), Action::Create, element)
}

/// A line of the file `test`.
pub fn place(line: usize) -> Place {
    Place { file: "test".into(), line: line as u64 }
}

/// A reader of events.
pub fn records(events: &[Event]) -> impl FnOnce(&mut dyn Sink) -> Result<(), Box<dyn Error + Send + Sync>> {
    let events = events.to_vec();
    pushed(events.into_iter().enumerate().map(|(line, event)| Ok((event, place(line + 1)))))
}

/// A version, line by line: `n a data`, `e key a b data`, `m a b type`, `d a`; `data` is JSON and may be absent.
///
/// # Panics
///
/// If a line is none of these.
pub fn version(lines: &[&str]) -> Version {
    let mut version = Version::default();
    for (at, line) in lines.iter().enumerate() {
        let words: Vec<&str> = line.splitn(5, ' ').collect();
        let features = |text: Option<&&str>| match text {
            Some(text) => vec![(Name::from("data"), Value::Json(serde_json::from_str(text).unwrap()))],
            None => Vec::new(),
        };
        let place = place(at + 1);
        match words[0] {
            "n" => {
                let words: Vec<&str> = line.splitn(3, ' ').collect();
                version.nodes.push(Listed { key: node(words[1]), features: features(words.get(2)), place });
            }
            "e" => {
                let key = edge(words[1], words[2], words[3]);
                version.edges.push(Listed { key, features: features(words.get(4)), place });
            }
            "m" => version.merges.push(ListedMerge {
                from: node(words[1]),
                into: node(words[2]),
                features: words
                    .get(3)
                    .map(|name| ("type".into(), Some(Value::Category((*name).into()))))
                    .into_iter()
                    .collect(),
                place,
            }),
            "d" => version.deleted.push(ListedDeletion { node: node(words[1]), place }),
            other => panic!("{other}"),
        }
    }
    version
}
