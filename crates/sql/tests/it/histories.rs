//! Random histories, asked in SQL and of the slow reference.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use timeweft::load::{LoadRequest, Place};
use timeweft::read::GraphView;
use timeweft::{At, Deletes, Direction, Event, Graph, Interval, Name, NodeKey, Time, TimeUnit, Value};
use timeweft_oracle::ReferenceGraph;
use timeweft_oracle::histories::{histories, node_keys, probe_times};
use timeweft_sql::{Session, Settings, json_rows};

/// A session about what a graph accepts of some events, and the reference with the same events.
fn both(events: &[Event]) -> (tempfile::TempDir, Session, ReferenceGraph) {
    let dir = tempfile::tempdir().unwrap();
    let mut graph = Graph::create(dir.path().join("g"), TimeUnit::Step).unwrap();
    let place = || Place { file: "test".into(), line: 1 };
    // Nothing accepted is no graph's fault.
    _ = graph.load_events(LoadRequest::new("events", "test"), events.iter().map(|event| Ok((event.clone(), place()))));
    let view = graph.view();
    let mut reference = ReferenceGraph::new(view.schema().clone());
    view.index().events().iter().for_each(|event| reference.apply(event).unwrap());
    (dir, Session::new(Arc::new(Mutex::new(graph))), reference)
}

/// A few moments at which answers differ.
fn moments(events: &[Event]) -> Vec<Time> {
    let all = probe_times(events);
    let step = all.len().div_ceil(3).max(1);
    all.iter().copied().step_by(step).chain([Time::FOREVER]).collect()
}

fn ask(session: &mut Session, query: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for batch in session.query(query).unwrap_or_else(|error| panic!("{query}: {error}")) {
        let cell = |value: serde_json::Value| match value {
            serde_json::Value::Null => "-".into(),
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        rows.extend(
            json_rows(&batch.unwrap())
                .unwrap()
                .into_iter()
                .map(|row| row.into_iter().map(cell).collect::<Vec<String>>()),
        );
    }
    rows.sort();
    rows
}

fn sorted(rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

fn json(features: &BTreeMap<Name, Value>) -> String {
    let all: serde_json::Map<_, _> = features.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect();
    serde_json::Value::Object(all).to_string()
}

fn end(life: Interval) -> String {
    if life.removed == Time::FOREVER { "-".into() } else { life.removed.0.to_string() }
}

/// A time as a constant of SQL.
fn constant(time: Time) -> String {
    if time == Time::FOREVER { "'now'".into() } else { time.0.to_string() }
}

fn check(session: &mut Session, reference: &ReferenceGraph, at: At) {
    let nodes = reference.nodes(None, at);
    let key = |key: &NodeKey| vec![key.node_type.to_string(), key.id.to_string()];
    let settings = Settings { at: at.time, deletes: at.deletes, commit: None };
    let moved = std::mem::replace(session, Session::new(Arc::new(NoViews)));
    *session = moved.with_settings(settings);
    let all = ask(session, "SELECT type, id, created, removed, features FROM nodes");
    let expected = nodes.iter().map(|node| {
        [key(&node.key), vec![node.life.created.0.to_string(), end(node.life), json(&node.features)]].concat()
    });
    assert_eq!(all, sorted(expected), "{at:?}");
    let edges = reference.edges(None, at);
    let all = ask(
        session,
        "SELECT source_type, source_id, relation, destination_type, destination_id, key, created, removed, features FROM edges",
    );
    let expected = edges.iter().map(|edge| {
        let (relation, other) = (edge.key.relation.to_string(), edge.key.key.as_deref().unwrap_or("-").to_owned());
        let life = vec![edge.life.created.0.to_string(), end(edge.life), json(&edge.features)];
        [key(&edge.key.source), vec![relation], key(&edge.key.destination), vec![other], life].concat()
    });
    assert_eq!(all, sorted(expected), "{at:?}");
    assert_eq!(ask(session, "SELECT count(*) FROM nodes"), [[nodes.len().to_string()]]);
    assert_eq!(ask(session, "SELECT count(*) FROM edges"), [[edges.len().to_string()]]);
    // Every other node is as good as all.
    for node in node_keys().into_iter().step_by(2) {
        let NodeKey { node_type, id } = &node;
        let found = ask(session, &format!("SELECT created FROM nodes WHERE type = '{node_type}' AND id = '{id}'"));
        let expected = reference.node(&node, at).map(|node| vec![node.life.created.0.to_string()]);
        assert_eq!(found, sorted(expected.into_iter()), "{node} {at:?}");
        let query =
            format!("SELECT relation, created FROM edges WHERE source_type = '{node_type}' AND source_id = '{id}'");
        let expected = reference.neighbors(&node, Direction::Out, None, at);
        let expected = expected.iter().map(|edge| vec![edge.key.relation.to_string(), edge.life.created.0.to_string()]);
        assert_eq!(ask(session, &query), sorted(expected), "{node} {at:?}");
    }
    for (low, high) in [(0, 3), (2, 2), (5, 9)] {
        let query = format!(
            "SELECT type, id FROM nodes WHERE created >= {low} AND created < {high} AND (removed > {high} OR removed IS NULL)"
        );
        let wanted = nodes.iter().filter(|node| {
            let Interval { created, removed } = node.life;
            created.0 >= low && created.0 < high && removed.0 > high
        });
        assert_eq!(ask(session, &query), sorted(wanted.map(|node| key(&node.key))), "{at:?}");
    }
}

/// No graph: stands where a session was taken out.
struct NoViews;

impl timeweft_sql::Views for NoViews {
    fn view(&self, _: Option<timeweft::Commit>) -> timeweft_sql::Result<timeweft::View> {
        Err(timeweft_sql::Error::Cancelled)
    }
    fn loads(&self, _: timeweft::Commit) -> timeweft_sql::Result<timeweft_arrow::Table> {
        Err(timeweft_sql::Error::Cancelled)
    }
}

/// Each row at its own time.
fn check_scalars(session: &mut Session, reference: &ReferenceGraph, times: &[Time]) {
    let moved = std::mem::replace(session, Session::new(Arc::new(NoViews)));
    *session = moved.with_settings(Settings::default());
    let rows = node_keys().into_iter().flat_map(|node| times.iter().map(move |time| (node.clone(), *time)));
    let rows: Vec<(NodeKey, Time)> = rows.collect();
    let values: Vec<String> =
        rows.iter().map(|(node, time)| format!("('{}', '{}', {})", node.node_type, node.id, time.0)).collect();
    let query = format!(
        "SELECT type, id, t, alive_at(type, id, t), degree_at(type, id, 'both', t), resolve_at(type, id, t) FROM (VALUES {}) AS v (type, id, t)",
        values.join(", ")
    );
    let expected = rows.iter().map(|(node, time)| {
        let at = At::time(*time);
        let sides = [Direction::Out, Direction::In].map(|side| reference.neighbors(node, side, None, at).len());
        let cells = [
            time.0.to_string(),
            reference.node(node, at).is_some().to_string(),
            sides.iter().sum::<usize>().to_string(),
            reference.resolve(node, *time).id.to_string(),
        ];
        [node.node_type.to_string(), node.id.to_string()].into_iter().chain(cells).collect()
    });
    // Whole numbers beyond 2^53 are texts in JSON, and as good.
    assert_eq!(ask(session, &query), sorted(expected));
    let schema = reference.schema();
    for feature in schema.node_types().iter().flat_map(|of_type| of_type.features.iter().map(|def| def.name.clone())) {
        let query = format!(
            "SELECT type, id, t FROM (VALUES {}) AS v (type, id, t) WHERE feature_at(type, id, '{feature}', t) IS NOT NULL",
            values.join(", ")
        );
        let has = |(node, time): &&(NodeKey, Time)| {
            reference.node(node, At::time(*time)).is_some_and(|node| node.features.contains_key(&feature))
        };
        let expected = rows
            .iter()
            .filter(has)
            .map(|(node, time)| vec![node.node_type.to_string(), node.id.to_string(), time.0.to_string()]);
        assert_eq!(ask(session, &query), sorted(expected), "{feature}");
    }
}

fn check_diff(session: &mut Session, reference: &ReferenceGraph, (from, to): (Time, Time)) {
    let query =
        format!("SELECT change, what, count(*) FROM diff({}, {}) GROUP BY change, what", constant(from), constant(to));
    let diff = reference.diff(from, to);
    let counts = [
        ("created", "node", diff.nodes_created.len()),
        ("removed", "node", diff.nodes_removed.len()),
        ("updated", "node", diff.nodes_updated.len()),
        ("created", "edge", diff.edges_created.len()),
        ("removed", "edge", diff.edges_removed.len()),
        ("updated", "edge", diff.edges_updated.len()),
        ("created", "merge", diff.merged.len()),
    ];
    let expected = counts.into_iter().filter(|(.., n)| *n > 0);
    let expected = expected.map(|(change, what, n)| vec![change.to_owned(), what.to_owned(), n.to_string()]);
    assert_eq!(ask(session, &query), sorted(expected), "{from} {to}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]
    #[test]
    fn sql_equals_the_reference(events in histories()) {
        let (_dir, mut session, reference) = both(&events);
        let times = moments(&events);
        for time in &times {
            for deletes in [Deletes::Hard, Deletes::Soft] {
                check(&mut session, &reference, At { time: *time, deletes });
            }
        }
        let finite: Vec<Time> = times.iter().copied().filter(|time| *time != Time::FOREVER && *time != Time::MIN).collect();
        if !finite.is_empty() {
            check_scalars(&mut session, &reference, &finite);
        }
        for pair in times.windows(2) {
            check_diff(&mut session, &reference, (pair[0], pair[1]));
        }
    }
}
