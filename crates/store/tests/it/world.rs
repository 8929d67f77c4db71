//! What the tests share: short ways to say events, versions and answers.

use timeweft_graph::{
    Action, At, Deletes, DeltaOptions, Direction, EdgeKey, Element, Event, GraphView, Interval, ListedDeletion,
    ListedMerge, Name, NodeKey, Place, Reject, Schema, Time, TimeUnit, Value,
};
use timeweft_oracle::histories::{node_keys, probe_times};
use timeweft_oracle::{Listed, Version};
use timeweft_store::{LoadReport, LoadRequest, Store, StoreError};

pub(crate) fn node(id: &str) -> NodeKey {
    NodeKey::new("term", id)
}

/// An `is_a` edge with a key, or one of another relation by `relation/key`; an empty key is none.
pub(crate) fn edge(key: &str, source: &str, destination: &str) -> EdgeKey {
    let (relation, key) = key.split_once('/').unwrap_or(("is_a", key));
    let key = (!key.is_empty()).then(|| Name::from(key));
    EdgeKey { source: node(source), relation: relation.into(), destination: node(destination), key }
}

pub(crate) fn create(time: i64, element: Element) -> Event {
    Event::new(Time(time), Action::Create, element)
}

pub(crate) fn place(line: usize) -> Place {
    Place { file: "test".into(), line: line as u64 }
}

/// Events as a source gives them.
pub(crate) fn records(events: &[Event]) -> impl Iterator<Item = Result<(Event, Place), Reject>> {
    let events = events.to_vec();
    events.into_iter().enumerate().map(|(line, event)| Ok((event, place(line + 1))))
}

pub(crate) fn load(store: &mut Store, events: &[Event]) -> Result<LoadReport, StoreError> {
    store.load(LoadRequest::new("test", "test"), records(events))
}

/// A store in a fresh directory.
pub(crate) fn fresh() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path(), Schema::new(TimeUnit::Milli)).unwrap();
    (dir, store)
}

/// A version, line by line: `n a data`, `e key a b data`, `m a b type`, `d a`; `data` is JSON and may be absent.
pub(crate) fn version(lines: &[&str]) -> Version {
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

pub(crate) fn load_version(
    store: &mut Store,
    request: LoadRequest,
    version: Version,
    options: DeltaOptions,
) -> Result<LoadReport, StoreError> {
    store.load_version(request, options, |sink| {
        version.send(sink);
        Ok(())
    })
}

pub(crate) fn life(created: i64, removed: Option<i64>) -> Interval {
    Interval { created: Time(created), removed: removed.map_or(Time::FOREVER, Time) }
}

/// Lives of a node, without their features.
pub(crate) fn lives(view: &impl GraphView, id: &str) -> Vec<Interval> {
    view.node_history(&node(id)).iter().map(|life| life.interval).collect()
}

/// Lives of an edge, without their features.
pub(crate) fn edge_lives(view: &impl GraphView, key: &EdgeKey) -> Vec<Interval> {
    view.edge_history(key).iter().map(|life| life.interval).collect()
}

/// Panics with the first answer that differs.
pub(crate) fn assert_same(left: &dyn GraphView, right: &dyn GraphView, events: &[Event]) {
    let (left, right) = (answers(left, events), answers(right, events));
    assert_eq!(left.len(), right.len());
    if let Some((left, right)) = left.iter().zip(&right).find(|(left, right)| left != right) {
        let at = left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count();
        let near = |text: &str| text.chars().skip(at.saturating_sub(200)).take(400).collect::<String>();
        panic!("answers differ:\n{}\n{}", near(left), near(right));
    }
}

/// The log keeps the last of several values that an event gives to one feature.
fn log(view: &dyn GraphView) -> Vec<Event> {
    let mut events = view.events();
    for event in &mut events {
        let all = std::mem::take(&mut event.features);
        for (at, feature) in all.iter().enumerate() {
            if !all[at + 1..].iter().any(|later| later.0 == feature.0) {
                event.features.push(feature.clone());
            }
        }
    }
    events
}

/// Every answer that a view gives about the world of `histories`, as text.
pub(crate) fn answers(view: &dyn GraphView, events: &[Event]) -> Vec<String> {
    let times = probe_times(events);
    let keys = node_keys();
    let mut edges: Vec<&EdgeKey> = events
        .iter()
        .filter_map(|event| match &event.element {
            Element::Edge(key) => Some(key),
            _ => None,
        })
        .collect();
    edges.sort();
    edges.dedup();
    let mut all = vec![
        format!(
            "{:?} {:?} {:?} {:?}",
            log(view),
            view.schema().node_types(),
            view.schema().edge_types(),
            view.merges()
        ),
        format!("{:?}", keys.iter().map(|key| view.node_history(key)).collect::<Vec<_>>()),
        format!("{:?}", edges.iter().map(|key| view.edge_history(key)).collect::<Vec<_>>()),
    ];
    for &time in &times {
        for deletes in [Deletes::Hard, Deletes::Soft] {
            let at = At { time, deletes };
            all.push(format!("{at:?} {:?} {:?} {:?}", view.counts(at), view.nodes(None, at), view.edges(None, at)));
            all.push(format!("{:?}", edges.iter().map(|key| view.edge(key, at)).collect::<Vec<_>>()));
            all.extend(keys.iter().map(|key| {
                let sides = [Direction::Out, Direction::In]
                    .map(|side| (view.neighbors(key, side, None, at), view.degree(key, side, Some("likes"), at)));
                format!("{at:?} {:?} {:?} {sides:?}", view.node(key, at), view.resolve(key, time))
            }));
        }
        all.extend(times.iter().step_by(4).map(|&to| format!("{time} {to} {:?}", view.diff(time, to))));
    }
    all
}
