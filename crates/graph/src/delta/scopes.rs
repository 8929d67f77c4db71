//! What a version may not end, by types: sections without a record, and records that do not show whose they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EdgeKey, Name, Place, Scope};

/// Elements of one type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum OfType<'a> {
    /// Nodes.
    Nodes(&'a Name),
    /// Edges, by the type of their sources, their relation, and the type of their destinations.
    Edges(&'a Name, &'a Name, &'a Name),
}

impl<'a> OfType<'a> {
    /// The type of an edge.
    pub fn of_edge(edge: &'a EdgeKey) -> OfType<'a> {
        OfType::Edges(&edge.source.node_type, &edge.relation, &edge.destination.node_type)
    }

    /// Whether a section, or a record that does not show its element, may tell of them.
    pub fn is_in(self, scope: &Scope) -> bool {
        match self {
            OfType::Nodes(name) => scope.has_nodes(name),
            OfType::Edges(source, relation, destination) => scope.has_edges((source, relation, destination)),
        }
    }

    /// Whether they are edges, and what people call the type: a node type, or a relation.
    fn name(self) -> (bool, Name) {
        match self {
            OfType::Nodes(name) => (false, name.clone()),
            OfType::Edges(_, relation, _) => (true, relation.clone()),
        }
    }
}

/// A type that a version has a section for, and no record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EmptyType {
    /// Name of the node type, or of the relation.
    pub name: Name,
    /// Whether they are edges.
    pub edges: bool,
    /// The first such section.
    pub place: Place,
    /// Elements of the namespace that live and would end.
    pub count: u64,
}

/// Why the types are refused, and what to do.
pub(super) fn empty_types(types: &[EmptyType]) -> String {
    let mut told = String::new();
    for EmptyType { name, edges, place, count } in types {
        let what = if *edges { "edges" } else { "nodes" };
        told += &format!("{place} has no record of `{name}`, and {count} {what} of it live and would end; ");
    }
    let names: Vec<&str> = types.iter().map(|of| &*of.name).collect();
    told + &format!("check the source: only if they are to end, load with `empty_types` {}", names.join(","))
}

/// The sections without a record whose elements would end, but for types that may. `ending` are the numbers of elements
/// that would, of types of which no record is listed.
pub fn refused_sections<'a>(
    sections: &[(Scope, Place)],
    ending: impl Iterator<Item = (OfType<'a>, u64)>,
    allowed: &[Name],
) -> Vec<EmptyType> {
    let mut refused = BTreeMap::<(bool, Name), EmptyType>::new();
    for (of, count) in ending {
        let (edges, name) = of.name();
        let Some((_, place)) = sections.iter().find(|(scope, _)| of.is_in(scope)) else { continue };
        if count > 0 && !allowed.contains(&name) {
            let new = || EmptyType { name: name.clone(), edges, place: place.clone(), count: 0 };
            refused.entry((edges, name.clone())).or_insert_with(new).count += count;
        }
    }
    refused.into_values().collect()
}

/// Elements of a type that live on although no record lists them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// Name of the node type, or of the relation.
    pub name: Name,
    /// Whether they are edges.
    pub edges: bool,
    /// How many they are.
    pub count: u64,
    /// How many records could not be read that may be theirs, by file.
    pub records: BTreeMap<Name, u64>,
}

/// What is kept, by type. `records` are the files and numbers of records that could not be read, by what they may tell.
pub fn kept<'a>(records: &BTreeMap<(Scope, Name), u64>, held: impl Iterator<Item = (OfType<'a>, u64)>) -> Vec<Kept> {
    let mut all = BTreeMap::<(bool, Name), Kept>::new();
    for (of, count) in held.filter(|(_, count)| *count > 0) {
        let (edges, name) = of.name();
        let new = || Kept { name: name.clone(), edges, count: 0, records: BTreeMap::new() };
        let kept = all.entry((edges, name.clone())).or_insert_with(new);
        kept.count += count;
        for ((_, file), records) in records.iter().filter(|((scope, _), _)| of.is_in(scope)) {
            let known = kept.records.entry(file.clone()).or_default();
            // Edges of one relation between several types may share their records.
            *known = (*known).max(*records);
        }
    }
    all.into_values().collect()
}
