//! Finding nodes by name, and saying what is there instead where nothing is found.

use anyhow::{anyhow, bail};
use timeweft::{At, Deletes, EdgeTypeId, GraphView, NodeKey, NodeState, Owner, Time};

use crate::context::Reading;
use crate::output::text;

/// So many close ids are suggested.
const SUGGESTIONS: usize = 3;

/// The node, if the view shows it; else an error that says what is known of it.
pub(crate) fn find_node(reading: &Reading, key: &NodeKey) -> anyhow::Result<NodeState> {
    known_type(reading, &key.node_type)?;
    reading.view.node(key, reading.at).ok_or_else(|| missing(reading, key))
}

/// An error unless the node lived at some time.
pub(crate) fn ever_lived(reading: &Reading, key: &NodeKey) -> anyhow::Result<()> {
    known_type(reading, &key.node_type)?;
    if reading.view.node_history(key).is_empty() {
        return Err(missing(reading, key));
    }
    Ok(())
}

/// An error unless the relation is known.
pub(crate) fn known_relation(reading: &Reading, relation: &str) -> anyhow::Result<()> {
    let edge_types = reading.view.schema().edge_types();
    if edge_types.iter().any(|edge| *edge.relation == *relation) {
        return Ok(());
    }
    let mut names: Vec<&str> = edge_types.iter().map(|edge| &*edge.relation).collect();
    names.sort_unstable();
    names.dedup();
    bail!("no relation `{relation}` in this graph: {}", it_has(&names))
}

/// The edge types of a relation, or the one of a full name as `timeweft schema` prints it; an error if there is none.
pub(crate) fn edge_types(reading: &Reading, name: &str) -> anyhow::Result<Vec<EdgeTypeId>> {
    let schema = reading.view.schema();
    let full = |id: &EdgeTypeId| schema.owner_name(Owner::Edge(*id));
    let all = || (0..).map(EdgeTypeId).take(schema.edge_types().len());
    let found: Vec<EdgeTypeId> =
        all().filter(|id| *schema.edge_types()[id.at()].relation == *name || full(id) == name).collect();
    if found.is_empty() {
        let names: Vec<String> = all().map(|id| full(&id)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        bail!("no edge type `{name}` in this graph: {}", it_has(&names));
    }
    Ok(found)
}

/// An error unless the feature is known of a node type, or of any where none is given.
pub(crate) fn known_feature(reading: &Reading, node_type: Option<&str>, feature: &str) -> anyhow::Result<()> {
    let types = reading.view.schema().node_types().iter();
    let types = types.filter(|known| node_type.is_none_or(|name| *known.name == *name));
    let mut names: Vec<&str> = types.flat_map(|known| known.features.iter().map(|def| &*def.name)).collect();
    if names.contains(&feature) {
        return Ok(());
    }
    names.sort_unstable();
    names.dedup();
    let owner = node_type.map_or_else(|| "node".to_owned(), |name| format!("node of type {name}"));
    if names.is_empty() {
        bail!("no {owner} has a feature `{feature}`, or any other");
    }
    bail!("no {owner} has a feature `{feature}`: they have {}", names.join(", "))
}

/// An error unless the node type is known.
pub(crate) fn known_type(reading: &Reading, node_type: &str) -> anyhow::Result<()> {
    let schema = reading.view.schema();
    if schema.node_type(node_type).is_some() {
        return Ok(());
    }
    let names: Vec<&str> = schema.node_types().iter().map(|known| &*known.name).collect();
    bail!("no node type `{node_type}` in this graph: {}", it_has(&names))
}

fn it_has(names: &[&str]) -> String {
    if names.is_empty() { "it is empty; load something first".into() } else { format!("it has {}", names.join(", ")) }
}

fn missing(reading: &Reading, key: &NodeKey) -> anyhow::Error {
    let unit = reading.unit();
    let lives = reading.view.node_history(key);
    if !lives.is_empty() {
        let lives: Vec<String> = lives.iter().map(|life| text::interval(unit, life.interval)).collect();
        let successor = reading.view.resolve(key, reading.at.time);
        let became = if successor == *key { String::new() } else { format!("; it became {successor}") };
        return anyhow!(
            "node {key} is not alive {}: it lived {}{became}; give a time within with --at, or --deletes soft for its last state",
            reading.moment(),
            lives.join(" and ")
        );
    }
    let close = closest(reading, key);
    if close.is_empty() {
        return anyhow!("no node {key} in this graph at commit {}", reading.view.commit().0);
    }
    anyhow!(
        "no node {key} in this graph at commit {}: the closest ids are {}",
        reading.view.commit().0,
        close.join(", ")
    )
}

/// Ids of the same type that are near in spelling.
fn closest(reading: &Reading, key: &NodeKey) -> Vec<String> {
    let wanted = key.id.to_string();
    let everything = At { time: Time::FOREVER, deletes: Deletes::Soft };
    let nodes = reading.view.nodes(Some(&key.node_type), everything);
    let mut ranked: Vec<(usize, String)> = nodes
        .iter()
        .map(|node| node.key.id.to_string())
        .map(|id| (distance(&wanted.to_lowercase(), &id.to_lowercase()), id))
        .collect();
    ranked.sort();
    ranked.into_iter().take(SUGGESTIONS).map(|(_, id)| id).collect()
}

/// Levenshtein distance over characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
