//! What ontologies in OBO text and in OBO Graphs have in common, so that a release is the same graph in both forms.
//!
//! Readers hand over [`Term`]s, [`Edges`] and [`Merges`]; ids go through [`normal`] and [`Ids`].

mod edges;
mod ids;
mod merges;
mod relations;
mod term;

use timeweft_graph::{Scope, Unreadable};

pub(crate) use self::edges::{Edge, Edges};
pub(crate) use self::ids::{Ids, is_iri, normal, short, value};
pub(crate) use self::merges::{Merges, Successor};
pub(crate) use self::relations::Relations;
pub(crate) use self::term::{Definition, List, Member, Term, Types, json, object, set};

/// What a record leaves unknown that does not show which term it is about: any term, and any edge.
pub(crate) fn any_term() -> Vec<Unreadable> {
    vec![Unreadable::OneOf(Scope::Nodes(Some("term".into()))), any_edge()]
}

/// What a record leaves unknown that does not show which edge it is.
pub(crate) fn any_edge() -> Unreadable {
    let term = || Some("term".into());
    Unreadable::OneOf(Scope::Edges { source: term(), relation: None, destination: term() })
}

/// `1 edge`, `2 edges`.
fn count(n: usize, one: &str, several: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { several })
}
