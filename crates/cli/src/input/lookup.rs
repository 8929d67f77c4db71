//! Finding nodes by name, and saying what is there instead where nothing is found.

use std::collections::BTreeSet;

use anyhow::{anyhow, bail};
use timeweft::NodeKey;
use timeweft::read::{EdgeTypeId, GraphView, NodeIndex, NodeState, Owner};

use crate::input::reading::Reading;
use crate::output::text;

/// How many close ids are suggested.
const SUGGESTIONS: usize = 3;
/// How many nodes are looked at for them: a second or so.
const LOOKED_AT: usize = 1 << 22;
/// Letters of an id that are compared.
const LONGEST: usize = 64;
/// Letters that are worth to be looked for within ids.
const LEAST: usize = 3;

/// The node, if the view shows it; else an error that says what is known of it.
pub(crate) fn find_node(reading: &Reading, key: &NodeKey) -> anyhow::Result<NodeState> {
    if let Some(node) = reading.view.index().node(key, reading.at) {
        return Ok(node);
    }
    known_type(reading, &key.node_type)?;
    Err(missing(reading, key))
}

/// An error unless the node lived at some time.
pub(crate) fn ever_lived(reading: &Reading, key: &NodeKey) -> anyhow::Result<()> {
    if !reading.view.index().node_history(key).is_empty() {
        return Ok(());
    }
    known_type(reading, &key.node_type)?;
    Err(missing(reading, key))
}

/// An error unless the relation is known.
pub(crate) fn known_relation(reading: &Reading, relation: &str) -> anyhow::Result<()> {
    let names = reading.relations();
    if names.contains(&relation) {
        return Ok(());
    }
    bail!("no relation `{relation}` in this graph: {}", it_has(&names))
}

/// The edge types of a relation, or the one of a full name as `timeweft schema` prints it; an error if there is none.
pub(crate) fn edge_types(reading: &Reading, name: &str) -> anyhow::Result<Vec<EdgeTypeId>> {
    let schema = reading.view.schema();
    let full = |id: &EdgeTypeId| schema.owner_name(Owner::Edge(*id));
    let all = || reading.edge_types().map(|(id, _)| id);
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
    let types = reading.node_types().filter(|(_, known)| node_type.is_none_or(|name| *known.name == *name));
    let features = reading.features(types.map(|(id, _)| Owner::Node(id)));
    let mut names: Vec<&str> = features.map(|def| &*def.name).collect();
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
    let known = reading.view.schema().node_type(node_type);
    if known.is_some_and(|id| reading.has(Owner::Node(id), None)) {
        return Ok(());
    }
    let names: Vec<&str> = reading.node_types().map(|(_, known)| &*known.name).collect();
    bail!("no node type `{node_type}` in this graph: {}", it_has(&names))
}

fn it_has(names: &[&str]) -> String {
    if names.is_empty() { "it is empty; load something first".into() } else { format!("it has {}", names.join(", ")) }
}

fn missing(reading: &Reading, key: &NodeKey) -> anyhow::Error {
    let unit = reading.unit();
    let lives = reading.view.index().node_history(key);
    if !lives.is_empty() {
        let lives: Vec<String> = lives.iter().map(|life| text::interval(unit, life.interval)).collect();
        let successor = reading.view.index().resolve(key, reading.at.time);
        let became = if successor == *key { String::new() } else { format!("; it became {successor}") };
        return anyhow!(
            "node {key} is not alive {}: it lived {}{became}; give a time within with --at, or --deletes soft for its last state",
            reading.moment(),
            lives.join(" and ")
        );
    }
    let (id, commit) = (text::short(&key.id.to_string()).into_owned(), reading.view.commit().0);
    let nothing = format!("no node {} {id} in this graph at commit {commit}", text::short(&key.node_type));
    if let Some(named) = named(reading, key) {
        return anyhow!("{nothing}: that is the name of {named}");
    }
    match closest(reading, key).as_slice() {
        [] => match examples(reading, key) {
            ids if ids.is_empty() => anyhow!("{nothing}"),
            ids => anyhow!("{nothing}: none is near to it; its ids look like {}", ids.join(", ")),
        },
        close => anyhow!("{nothing}: the closest ids are {}", close.join(", ")),
    }
}

/// The ids of the nodes whose name is what was given for an id.
fn named(reading: &Reading, key: &NodeKey) -> Option<String> {
    // Names are read at the first question about them, of every node of the type.
    if reading.view.index().n_nodes() > LOOKED_AT / 4 {
        return None;
    }
    let found = reading.view.index().query(reading.at.time).by_name(&key.node_type, &key.id.to_string(), None).ok()?;
    let ids: Vec<String> =
        found.rows.iter().map(|row| text::short(&row.node.key.id.to_string()).into_owned()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    (!ids.is_empty()).then(|| format!("{} {}", key.node_type, text::listed(&ids, SUGGESTIONS)))
}

/// The first ids of the same type.
fn examples(reading: &Reading, key: &NodeKey) -> Vec<String> {
    let view = &reading.view;
    let Some(node_type) = view.schema().node_type(&key.node_type) else { return Vec::new() };
    let nodes =
        (0..view.index().n_nodes() as u32).map(NodeIndex).filter(|node| view.index().node_type(*node) == node_type);
    nodes.take(SUGGESTIONS).map(|node| text::short(&view.index().node_key(node).id.to_string()).into_owned()).collect()
}

/// Ids of the same type that are near in spelling: those that begin with what was given or have it within, and those
/// that a few letters tell apart. None if nothing is near.
fn closest(reading: &Reading, key: &NodeKey) -> Vec<String> {
    let wanted: Vec<char> = key.id.to_string().to_lowercase().chars().take(LONGEST).collect();
    let view = &reading.view;
    let Some(node_type) = view.schema().node_type(&key.node_type) else { return Vec::new() };
    let nodes = (0..view.index().n_nodes().min(LOOKED_AT) as u32).map(NodeIndex);
    let mut ranked: BTreeSet<(usize, String)> = BTreeSet::new();
    for node in nodes.filter(|node| view.index().node_type(*node) == node_type) {
        let id = view.index().node_key(node).id.to_string();
        let worst = ranked.last().filter(|_| ranked.len() == SUGGESTIONS).map_or(usize::MAX, |(rank, _)| *rank);
        if let Some(rank) = nearness(&wanted, &id).filter(|rank| *rank <= worst) {
            ranked.insert((rank, text::short(&id).into_owned()));
            if ranked.len() > SUGGESTIONS {
                ranked.pop_last();
            }
        }
    }
    ranked.into_iter().map(|(_, id)| id).collect()
}

/// How far an id is from what was wanted, in lower case; none if it is another word.
fn nearness(wanted: &[char], id: &str) -> Option<usize> {
    let id: Vec<char> = id.chars().flat_map(char::to_lowercase).take(LONGEST).collect();
    // A third of the letters may differ: more is another word.
    let most = wanted.len().div_ceil(3);
    let edits = (id.len().abs_diff(wanted.len()) <= most).then(|| distance(wanted, &id)).filter(|edits| *edits <= most);
    let is_part = |at: usize| wanted.len() >= LEAST && id[at..].starts_with(wanted);
    let part = (0..id.len()).find(|&at| is_part(at)).map(|at| most + 1 + usize::from(at > 0));
    edits.or(part)
}

/// Levenshtein distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_near_in_spelling() {
        let near = |wanted: &str, id: &str| nearness(&wanted.chars().collect::<Vec<_>>(), id);
        assert_eq!(near("anne", "Ann"), Some(1));
        assert_eq!(near("biome", "ENVO:00000428"), None, "a word is not near to a number");
        assert_eq!(near("lib.rs", "src/lib.rs"), Some(4), "an end of a path");
        assert!(near("envo:0000042", "ENVO:00000428") < near("envo:0000042", "ENVO:00000531"));
        assert_eq!(near("a", "bar"), None, "one letter is in everything");
    }
}
