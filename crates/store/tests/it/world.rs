//! What the tests share: stores, and everything that a view says.

use timeweft_graph::{
    At, Deletes, DeltaOptions, Direction, EdgeKey, Element, Event, GraphView, Interval, Schema, Time, TimeUnit,
};
use timeweft_oracle::Version;
use timeweft_oracle::histories::{node_keys, probe_times};
pub(crate) use timeweft_oracle::world::{create, edge, node, place, records, version};
use timeweft_store::{LoadReport, LoadRequest, Store, StoreError};

pub(crate) fn load(store: &mut Store, events: &[Event]) -> Result<LoadReport, StoreError> {
    store.load(LoadRequest::new("test", "test"), records(events))
}

/// A store in a fresh directory.
pub(crate) fn fresh() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path(), Schema::new(TimeUnit::Milli)).unwrap();
    (dir, store)
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
