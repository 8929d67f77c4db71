//! Names of types and features as numbers; an unknown one is an error that says which there are.

use timeweft::Name;
use timeweft::read::{EdgeTypeId, FeatureKind, NodeTypeId, Owner};
use timeweft::sample::WeightBy;

use crate::errors::{self, Raised, Result};

type Schema = timeweft::Schema;

/// The edge types of a relation, or the one of a full name (`user -buys-> item`).
pub(crate) fn edge_types(schema: &Schema, name: &str) -> Result<Vec<EdgeTypeId>> {
    let all = || (0..schema.edge_types().len() as u16).map(EdgeTypeId);
    let full = |id: EdgeTypeId| schema.owner_name(Owner::Edge(id));
    let found: Vec<_> =
        all().filter(|id| *schema.edge_types()[id.at()].relation == *name || full(*id) == name).collect();
    if found.is_empty() {
        return Err(unknown(&format!("no edge type `{name}`"), all().map(full)));
    }
    Ok(found)
}

/// The one edge type of a name.
pub(crate) fn edge_type(schema: &Schema, argument: &str, name: &str) -> Result<EdgeTypeId> {
    match edge_types(schema, name)?.as_slice() {
        [only] => Ok(*only),
        several => {
            let names: Vec<String> = several.iter().map(|id| schema.owner_name(Owner::Edge(*id))).collect();
            let names = names.join(", ");
            Err(errors::named(
                "SampleError",
                format!("{argument}: `{name}` is of several edge types: name one of {names}"),
            ))
        }
    }
}

/// The node type of a name.
pub(crate) fn node_type(schema: &Schema, name: &str) -> Result<NodeTypeId> {
    let names = || schema.node_types().iter().map(|of| of.name.to_string());
    schema.node_type(name).ok_or_else(|| unknown(&format!("no node type `{name}`"), names()))
}

/// The feature that is the weight of edges.
pub(crate) fn edge_weight(schema: &Schema, name: Option<&str>) -> Result<WeightBy> {
    let Some(name) = name else { return Ok(WeightBy::One) };
    features(schema, true, &[name.into()])?;
    Ok(WeightBy::Feature(name.into()))
}

/// Features that some type of nodes, or of edges, has; all its kinds for each.
pub(crate) fn features(schema: &Schema, of_edges: bool, names: &[Name]) -> Result<Vec<Vec<FeatureKind>>> {
    let defs = || owners(schema, of_edges).flat_map(|owner| schema.features(owner));
    let kinds = |name: &Name| {
        let kinds: Vec<_> = defs().filter(|def| def.name == *name).map(|def| def.kind).collect();
        let of = if of_edges { "edge" } else { "node" };
        let mut known: Vec<String> = defs().map(|def| def.name.to_string()).collect();
        known.sort_unstable();
        known.dedup();
        if kinds.is_empty() {
            Err(unknown(&format!("no {of} has a feature `{name}`"), known.into_iter()))
        } else {
            Ok(kinds)
        }
    };
    names.iter().map(kinds).collect()
}

/// All types of edges, or of nodes.
pub(crate) fn owners(schema: &Schema, of_edges: bool) -> impl Iterator<Item = Owner> {
    let n = if of_edges { schema.edge_types().len() } else { schema.node_types().len() };
    (0..n as u16).map(move |id| if of_edges { Owner::Edge(EdgeTypeId(id)) } else { Owner::Node(NodeTypeId(id)) })
}

fn unknown(problem: &str, known: impl Iterator<Item = String>) -> Raised {
    let known: Vec<String> = known.collect();
    let known =
        if known.is_empty() { "there is none at all".to_owned() } else { format!("there is {}", known.join(", ")) };
    errors::named("UnknownError", format!("{problem}: {known}"))
}
