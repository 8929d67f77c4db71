//! Over HTTP a graph says what the library says of it, on random histories.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value as Json;
use timeweft::load::{LoadRequest, Place};
use timeweft::read::{EdgeOrder, GraphView, Incident};
use timeweft::sample::Side;
use timeweft::{At, Deletes, EdgeKey, Event, Graph, NodeKey, Time, TimeUnit, View};
use timeweft_oracle::histories::{histories, node_keys, probe_times};

use crate::world::World;

fn served(events: &[Event]) -> (World, View) {
    let dir = tempfile::tempdir().unwrap();
    let mut graph = Graph::create(dir.path().join("shop"), TimeUnit::Step).unwrap();
    let place = |line: usize| Place { file: "test".into(), line: line as u64 };
    let (first, rest) = events.split_at(events.len() / 2);
    for part in [first, rest] {
        let placed: Vec<_> = part.iter().enumerate().map(|(line, event)| Ok((event.clone(), place(line)))).collect();
        // What does not fit is refused, as it is in the oracle.
        let _ = graph.load_events(LoadRequest::new("shop", "test"), placed.into_iter());
    }
    let view = graph.view();
    (World::of(dir, graph, |options, _: &Path| options), view)
}

const G: &str = "/v1/graphs/shop";

/// The parameters of a moment.
fn clocks(at: At) -> String {
    let deletes = at.deletes.name();
    if at.time == Time::FOREVER { format!("deletes={deletes}") } else { format!("at={}&deletes={deletes}", at.time.0) }
}

/// All rows of a list, page by page.
fn walked(world: &World, path: &str, list: &str, size: usize) -> Vec<Json> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.json(&format!("{path}&limit={size}{cursor}"));
        let rows = page[list].as_array().unwrap();
        assert!(rows.len() <= size);
        all.extend(rows.iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
        assert_eq!(rows.len(), size, "a page before another one is full");
    }
}

fn edge_name(edge: &Json) -> String {
    let end = |name: &str| format!("{} {}", edge[name]["type"].as_str().unwrap(), edge[name]["id"].as_str().unwrap());
    let key = edge["key"].as_str().map_or(String::new(), |key| format!(" [{key}]"));
    format!("{} -{}-> {}{key}", end("source"), edge["relation"].as_str().unwrap(), end("destination"))
}

fn check_node(world: &World, view: &View, key: &NodeKey, at: At) {
    let path = format!("{G}/nodes/{}/{}", key.node_type, key.id);
    let index = view.index();
    if index.node_history(key).is_empty() {
        assert_eq!(world.get(&format!("{path}?{}", clocks(at))).code(), "not_found");
        return;
    }
    let answer = world.json(&format!("{path}?{}", clocks(at)));
    let state = index.node(key, at);
    let names = |features: &Json| -> Vec<String> {
        features.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let mut found = names(&answer["features"]);
    found.sort();
    let expected: Vec<String> = state.iter().flat_map(|state| state.features.keys()).map(ToString::to_string).collect();
    assert_eq!(found, expected, "{key} {at:?}");
    assert_eq!(answer["state"] == "alive", index.node(key, At::time(at.time)).is_some());
    assert_eq!(answer["deleted"], state.as_ref().is_some_and(|state| state.deleted));
    let became = index.resolve(key, at.time);
    assert_eq!(answer["resolves_to"]["id"].as_str(), (became != *key).then(|| became.id.to_string()).as_deref());
    let of = Incident { node: key, side: Side::Both, relation: None };
    if state.is_none() {
        assert_eq!(world.get(&format!("{path}/neighbors?{}", clocks(at))).code(), "not_alive");
        return;
    }
    let sum: u64 = answer["relations"].as_array().unwrap().iter().map(|row| row["n"].as_u64().unwrap()).sum();
    assert_eq!(sum as usize, index.n_incident(of, at));
    for (word, order) in [("newest", EdgeOrder::Newest), ("name", EdgeOrder::Name)] {
        let rows = walked(world, &format!("{path}/neighbors?order={word}&{}", clocks(at)), "neighbors", 2);
        let edges = index.incident_page(of, at, order, 0..usize::MAX);
        let expected: Vec<String> = edges.iter().map(|(_, edge)| index.edge_key(*edge).to_string()).collect();
        assert_eq!(rows.iter().map(edge_name).collect::<Vec<_>>(), expected, "{key} {at:?}");
        for (row, (_, edge)) in rows.iter().zip(&edges) {
            let state = index.edge_state(*edge, at.time);
            assert_eq!(
                (&row["deleted"], row["features"].as_object().unwrap().len()),
                (&state.deleted.into(), state.features.len())
            );
        }
    }
}

fn check_history(world: &World, view: &View, key: &NodeKey, time: Time) {
    if view.index().node_history(key).is_empty() {
        return;
    }
    for (word, newest) in [("oldest", false), ("newest", true)] {
        let path = format!("{G}/nodes/{}/{}/history?order={word}&{}", key.node_type, key.id, clocks(At::time(time)));
        let rows = walked(world, &path, "history", 3);
        let all = view.index().history_page(key, time, newest, 0..usize::MAX);
        let ticks = |row: &Json| row["from"]["tick"].as_str().unwrap().parse::<i64>().unwrap();
        let expected: Vec<i64> = all.iter().map(|(interval, _)| interval.created.0).collect();
        assert_eq!(rows.iter().map(ticks).collect::<Vec<_>>(), expected, "{key}");
    }
}

fn check_diff(world: &World, view: &View, from: Time, to: Time) {
    let rows = walked(world, &format!("{G}/diff?from={}&to={}", from.0, to.0), "changes", 3);
    let diff = view.index().diff(from, to);
    let word = |change: &str, names: Vec<String>| {
        names.into_iter().map(move |name| (change.to_owned(), name)).collect::<Vec<_>>()
    };
    let nodes = |keys: &[NodeKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    let edges = |keys: &[EdgeKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = [
        word("created", nodes(&diff.nodes_created)),
        word("updated", diff.nodes_updated.iter().map(|of| of.key.to_string()).collect()),
        word("removed", nodes(&diff.nodes_removed)),
        word("created", edges(&diff.edges_created)),
        word("updated", diff.edges_updated.iter().map(|of| of.key.to_string()).collect()),
        word("removed", edges(&diff.edges_removed)),
        word("merged", diff.merged.iter().map(|merge| merge.from.to_string()).collect()),
    ];
    let name = |row: &Json| match row["what"].as_str().unwrap() {
        "edge" => edge_name(&row["edge"]),
        what => {
            let node = if what == "node" { &row["node"] } else { &row["from"] };
            format!("{} {}", node["type"].as_str().unwrap(), node["id"].as_str().unwrap())
        }
    };
    let found: Vec<_> = rows.iter().map(|row| (row["change"].as_str().unwrap().to_owned(), name(row))).collect();
    assert_eq!(found, expected.concat(), "{from:?} {to:?}");
    let summary = world.json(&format!("{G}/diff?from={}&to={}&limit=0", from.0, to.0))["summary"].clone();
    assert_eq!(summary["merged"], diff.merged.len());
    for (what, field) in [("node", "nodes"), ("edge", "edges")] {
        for change in ["created", "updated", "removed"] {
            let types = summary["types"].as_array().unwrap().iter().filter(|row| row["what"] == what);
            let sum: u64 = types.map(|row| row[change].as_u64().unwrap()).sum();
            assert_eq!(summary[field][change], sum);
            let n = rows.iter().filter(|row| row["what"] == what && row["change"] == change).count();
            assert_eq!(sum as usize, n);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_histories(events in histories(), pick in 0usize..1_000) {
        let (world, view) = served(&events);
        let times = probe_times(&events);
        let times: Vec<Time> = (0..4).map(|step| times[(pick * 7 + step * 13) % times.len()]).filter(|time| *time != Time::MIN).collect();
        for time in &times {
            for deletes in [Deletes::Hard, Deletes::Soft] {
                let at = At { time: *time, deletes };
                let (info, counts) = (world.json(&format!("{G}?{}", clocks(at))), view.index().counts(at));
                prop_assert_eq!((&info["nodes"], &info["edges"], &info["merges"]), (&counts.nodes.into(), &counts.edges.into(), &counts.merges.into()));
                for key in node_keys() {
                    check_node(&world, &view, &key, at);
                }
            }
            for key in node_keys() {
                check_history(&world, &view, &key, *time);
            }
        }
        if let [first, .., last] = times[..] && first != Time::FOREVER && last != Time::FOREVER {
            check_diff(&world, &view, first.min(last), first.max(last));
        }
    }
}
