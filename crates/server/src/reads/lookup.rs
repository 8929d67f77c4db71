//! What the names of a question mean, and what there is instead where they mean nothing.

use timeweft::read::{EdgeTypeId, ExternalId, GraphView, NodeIndex, NodeTypeId, Owner};
use timeweft::{At, NodeKey, Time, View};

use crate::problem::{Code, Problem};
use crate::wire::{EdgeRef, NodeRef};

/// How many names a hint lists.
const LISTED: usize = 20;

/// The node type of a name.
pub(crate) fn node_type(view: &View, name: &str) -> Result<NodeTypeId, Problem> {
    view.schema().node_type(name).ok_or_else(|| {
        let known = view.schema().node_types().iter().map(|of| of.name.to_string());
        Problem::not_found(format!("no node type `{name}` at commit {}", view.commit().0)).hint(listed(known))
    })
}

pub(crate) fn node_types(view: &View, names: &[String]) -> Result<Vec<NodeTypeId>, Problem> {
    names.iter().map(|name| node_type(view, name)).collect()
}

/// Fails unless some edge type has the relation.
pub(crate) fn known_relation(view: &View, name: &str) -> Result<(), Problem> {
    let mut known: Vec<String> = view.schema().edge_types().iter().map(|of| of.relation.to_string()).collect();
    if known.iter().any(|of| of == name) {
        return Ok(());
    }
    known.sort_unstable();
    known.dedup();
    Err(Problem::not_found(format!("no relation `{name}` at commit {}", view.commit().0))
        .hint(listed(known.into_iter())))
}

/// The edge types of a relation, or the one of a full name such as `user -buys-> item`.
pub(crate) fn edge_types(view: &View, name: &str) -> Result<Vec<EdgeTypeId>, Problem> {
    let schema = view.schema();
    let full = |id: EdgeTypeId| schema.owner_name(Owner::Edge(id));
    let all = || (0..schema.edge_types().len() as u16).map(EdgeTypeId);
    let found: Vec<EdgeTypeId> =
        all().filter(|id| *schema.edge_types()[id.at()].relation == *name || full(*id) == name).collect();
    if found.is_empty() {
        return Err(Problem::not_found(format!("no edge type `{name}`")).hint(listed(all().map(full))));
    }
    Ok(found)
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    match names.len() {
        0 => "The graph is empty: load something first.".into(),
        n if n > LISTED => format!("There are {} and {} more.", names[..LISTED].join(", "), n - LISTED),
        _ => format!("There are {}.", names.join(", ")),
    }
}

/// A node that ever lived.
pub(crate) fn node(view: &View, of_type: &str, id: &str) -> Result<(NodeKey, NodeIndex), Problem> {
    node_type(view, of_type)?;
    let key = NodeKey::new(of_type, ExternalId::from(id));
    let found = view.index().node_index(&key).filter(|node| view.index().ever_lived(*node));
    found.map(|node| (key, node)).ok_or_else(|| {
        Problem::not_found(format!("no {of_type} `{id}` at commit {}", view.commit().0))
            .hint("Search for the beginning of its id, or for a word of its name.")
    })
}

/// A node that is shown at a moment.
pub(crate) fn living_node(view: &View, of_type: &str, id: &str, at: At) -> Result<(NodeKey, NodeIndex), Problem> {
    let (key, found) = node(view, of_type, id)?;
    if view.index().node(&key, at).is_some() {
        return Ok((key, found));
    }
    let unit = view.unit();
    let when =
        if at.time == Time::FOREVER { "at the end of time".into() } else { format!("at {}", unit.format(at.time)) };
    Err(Problem::new(Code::NotAlive, format!("{key} is not alive {when}"))
        .hint(format!("{} Give a time within, or deletes=soft.", lived(view, &key, at.time))))
}

/// When a node lived, and what it has become at a time.
pub(crate) fn lived(view: &View, key: &NodeKey, time: Time) -> String {
    let unit = view.unit();
    let lives = view.index().node_history(key);
    let words = lives.iter().map(|life| match life.interval.removed {
        Time::FOREVER => format!("from {} on", unit.format(life.interval.created)),
        end => format!("from {} to {}", unit.format(life.interval.created), unit.format(end)),
    });
    let words = words.collect::<Vec<_>>().join(" and ");
    let target = view.index().resolve(key, time);
    let became = if target == *key { String::new() } else { format!(" It became {target}.") };
    format!("It lived {words}.{became}")
}

/// A node as answers name it.
pub(crate) fn node_ref(view: &View, key: &NodeKey) -> NodeRef {
    NodeRef::new(key, label(view, key))
}

/// A node by number.
pub(crate) fn node_ref_of(view: &View, node: NodeIndex) -> NodeRef {
    NodeRef::new(&view.index().node_key(node), view.index().label(node).map(|name| name.to_string()))
}

pub(crate) fn edge_ref(view: &View, key: &timeweft::EdgeKey) -> EdgeRef {
    EdgeRef::new(key, |node| label(view, node))
}

fn label(view: &View, key: &NodeKey) -> Option<String> {
    let node = view.index().node_index(key)?;
    view.index().label(node).map(|name| name.to_string())
}
