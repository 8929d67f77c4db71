//! Names of tables: those that every graph has, and those of its types.

use timeweft::Schema;
use timeweft::read::{EdgeType, NodeTypeId};
use timeweft_arrow::Relation;

use crate::{Error, Result};

/// The views that have names of their own.
pub(crate) const VIEWS: [&str; 5] = ["nodes", "edges", "merges", "events", "loads"];

/// The names of all views of a graph.
pub(crate) fn names(schema: &Schema) -> Vec<String> {
    let nodes = schema.node_types().iter().map(|of_type| of_type.name.to_string());
    let edges = schema.edge_types().iter().map(|of_type| triple(schema, of_type));
    let own = VIEWS.iter().map(|name| (*name).to_owned());
    own.chain(nodes.filter(|name| !VIEWS.contains(&name.as_str()))).chain(edges).collect()
}

/// The name of the view of an edge type.
pub(crate) fn triple(schema: &Schema, edge: &EdgeType) -> String {
    let [source, _, destination] = parts(schema, edge);
    format!("{source}.{}.{destination}", edge.relation)
}

fn parts<'s>(schema: &'s Schema, edge: &'s EdgeType) -> [&'s str; 3] {
    let name = |end: NodeTypeId| &*schema.node_types()[end.at()].name;
    [name(edge.source), &edge.relation, name(edge.destination)]
}

/// A view of one type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Named<'s> {
    Node(&'s str),
    Edge(&'s str, &'s str, &'s str),
}

impl<'s> Named<'s> {
    /// The type of a name: as it is written, else the one that differs in its case alone.
    pub(crate) fn find(schema: &'s Schema, name: &str) -> Result<Option<Named<'s>>> {
        let nodes = schema.node_types().iter().map(|of_type| (of_type.name.to_string(), Named::Node(&of_type.name)));
        let edges = schema.edge_types().iter().map(|edge| {
            let [source, relation, destination] = parts(schema, edge);
            (triple(schema, edge), Named::Edge(source, relation, destination))
        });
        let all: Vec<_> = nodes.chain(edges).collect();
        let picked = |is_it: &dyn Fn(&str) -> bool| -> Result<Option<Named<'s>>> {
            let mut found = all.iter().filter(|(known, _)| is_it(known));
            match (found.next(), found.next()) {
                (Some((first, _)), Some((second, _))) => Err(Error::Question {
                    message: format!(
                        "`{name}` may be `{first}` or `{second}`: write it in double quotes, or ask nodes(...) or edges(...)"
                    ),
                }),
                (first, _) => Ok(first.map(|(_, named)| *named)),
            }
        };
        match picked(&|known| known == name)? {
            Some(found) => Ok(Some(found)),
            None => picked(&|known| known.eq_ignore_ascii_case(name)),
        }
    }
}

/// A relation by its name, or by that of its view.
pub(crate) fn relation_of<'a>(schema: &'a Schema, name: Option<&'a str>) -> Relation<'a> {
    let Some(name) = name else { return Relation::Any };
    let edges = schema.edge_types();
    if edges.iter().any(|edge| *edge.relation == *name) {
        return Relation::Named(name);
    }
    match edges.iter().find(|edge| triple(schema, edge) == name) {
        Some(edge) => {
            let [source, relation, destination] = parts(schema, edge);
            Relation::Triple(source, relation, destination)
        }
        None => Relation::Named(name),
    }
}
