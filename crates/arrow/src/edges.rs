//! The edges at a moment.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::BooleanArray;
use timeweft::read::features::Owners;
use timeweft::read::{EdgeColumns, EdgeTypeId, NodeTypeId, Owner};
use timeweft::sample::AsOf;
use timeweft::{At, Deletes, Time, View};

use crate::features::{self, FeatureColumns, Selected};
use crate::table::{Columns, IdKind, Table};
use crate::{Error, Result};

pub(crate) const NAMES: [&str; 12] = [
    "edge",
    "source",
    "destination",
    "source_type",
    "source_id",
    "relation",
    "destination_type",
    "destination_id",
    "key",
    "created",
    "removed",
    "deleted",
];

/// Which edges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation<'a> {
    /// All.
    Any,
    /// Those of a relation, between nodes of whatever types.
    Named(&'a str),
    /// Those of one edge type: source type, relation, destination type.
    Triple(&'a str, &'a str, &'a str),
}

/// The edges that a moment shows, in the order of their keys' first creation.
///
/// | column | type |
/// |---|---|
/// | `edge`, `source`, `destination` | `UInt32`: dense numbers of the life of the edge and of the nodes at its ends |
/// | `source_type`, `relation`, `destination_type` | `Utf8` |
/// | `source_id`, `destination_id` | `UInt64` if every id that the types at this end ever had is a whole number, else `Utf8` |
/// | `key` | `Utf8`: what tells parallel edges apart; mostly null |
/// | `created`, `removed` | `Timestamp(unit, "UTC")`, or `Int64` in a graph that counts steps; an open end is null |
/// | `deleted` | `Boolean`, with soft deletes alone: whether the life is over |
/// | features | as [`Selected`] says, null where there is nothing |
///
/// # Errors
/// [`Error::Unknown`] if the graph has no such relation or feature.
pub fn edges(view: &View, at: At, relation: Relation<'_>, selected: &Selected) -> Result<Table> {
    let (index, schema) = (view.index(), view.schema());
    let types = edge_types(view, relation)?;
    let owners: Vec<Owner> = types.iter().map(|of_type| Owner::Edge(*of_type)).collect();
    let feature_columns = FeatureColumns::of(schema, &owners, selected)?;
    let found = found(view, at, relation, &types);
    let times = vec![at.time; found.edges.len()];
    let owners = |range: Range<usize>| {
        let owners = Owners::edges(&found.edges[range.clone()], &times[range], AsOf::At);
        Ok(owners.map_err(timeweft::Error::from)?.deletes(at.deletes))
    };
    let read = feature_columns.read(index, found.edges.len(), owners, &NAMES)?;
    features::columns(read, |columns| describe(columns, view, at, &found, &types)).finish()
}

/// What an edge is.
fn describe(columns: &mut Columns, view: &View, at: At, found: &EdgeColumns, types: &[EdgeTypeId]) {
    let (index, schema, unit) = (view.index(), view.schema(), view.unit());
    let triple = |row: usize| &schema.edge_types()[found.types[row].at()];
    let ends = |end: fn(&timeweft::read::EdgeType) -> NodeTypeId| {
        IdKind::of(view, types.iter().map(move |of_type| end(&schema.edge_types()[of_type.at()])))
    };
    columns.add_numbers("edge", found.edges.iter().map(|edge| edge.0));
    columns.add_numbers("source", found.sources.iter().map(|node| node.0));
    columns.add_numbers("destination", found.destinations.iter().map(|node| node.0));
    columns.add_texts("source_type", |row| &schema.node_types()[triple(row).source.at()].name);
    columns.add_ids("source_id", index, ends(|edge| edge.source), &found.sources);
    columns.add_texts("relation", |row| &triple(row).relation);
    columns.add_texts("destination_type", |row| &schema.node_types()[triple(row).destination.at()].name);
    columns.add_ids("destination_id", index, ends(|edge| edge.destination), &found.destinations);
    columns.add_some_texts("key", |row| index.parallel_key(found.edges[row]).map(|key| &**key));
    columns.add_times("created", unit, &found.created);
    columns.add_ends("removed", unit, &found.removed);
    if at.deletes == Deletes::Soft {
        let is_over = found.removed.iter().map(|end| Some(*end <= at.time && *end != Time::FOREVER));
        columns.add_array("deleted", Arc::new(is_over.collect::<BooleanArray>()), false);
    }
}

fn found(view: &View, at: At, relation: Relation<'_>, types: &[EdgeTypeId]) -> EdgeColumns {
    let index = view.index();
    match relation {
        Relation::Any => index.edge_columns(None, at),
        Relation::Named(name) => index.edge_columns(Some(name), at),
        Relation::Triple(_, name, _) => {
            let all = index.edge_columns(Some(name), at);
            let rows: Vec<usize> = (0..all.edges.len()).filter(|row| types.contains(&all.types[*row])).collect();
            fn picked<T: Copy>(rows: &[usize], of: &[T]) -> Vec<T> {
                rows.iter().map(|row| of[*row]).collect()
            }
            EdgeColumns {
                edges: picked(&rows, &all.edges),
                types: picked(&rows, &all.types),
                sources: picked(&rows, &all.sources),
                destinations: picked(&rows, &all.destinations),
                created: picked(&rows, &all.created),
                removed: picked(&rows, &all.removed),
            }
        }
    }
}

/// The edge types of a relation.
///
/// # Errors
/// [`Error::Unknown`] if there is none, unless any are asked for.
pub fn edge_types(view: &View, relation: Relation<'_>) -> Result<Vec<EdgeTypeId>> {
    let schema = view.schema();
    let all = (0..).map(EdgeTypeId).zip(schema.edge_types());
    let name = |of_type: NodeTypeId| &*schema.node_types()[of_type.at()].name;
    let types: Vec<EdgeTypeId> = all
        .filter(|(_, edge)| match relation {
            Relation::Any => true,
            Relation::Named(wanted) => *edge.relation == *wanted,
            Relation::Triple(source, wanted, destination) => {
                *edge.relation == *wanted && name(edge.source) == source && name(edge.destination) == destination
            }
        })
        .map(|(id, _)| id)
        .collect();
    match relation {
        Relation::Any => Ok(types),
        _ if !types.is_empty() => Ok(types),
        Relation::Named(name) => {
            let mut known: Vec<String> = schema.edge_types().iter().map(|edge| edge.relation.to_string()).collect();
            known.sort_unstable();
            known.dedup();
            Err(Error::Unknown { argument: "relation", kind: "relation", name: name.into(), known })
        }
        Relation::Triple(source, name, destination) => {
            let name = format!("{source} -{name}-> {destination}");
            let known = (0..schema.edge_types().len() as u16).map(|id| schema.owner_name(Owner::Edge(EdgeTypeId(id))));
            Err(Error::Unknown { argument: "relation", kind: "edge type", name, known: known.collect() })
        }
    }
}
