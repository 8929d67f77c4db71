//! Logical definitions: a class as what several others have in common.

use rustc_hash::FxHashMap;

use super::document::{GraphText, LogicalDefinition, record};
use super::properties::Properties;
use crate::version_format::ontology::{List, Term, normal};

/// The parts of the definitions, by the normal id of the class.
pub(super) struct Definitions {
    parts: FxHashMap<Box<str>, Vec<String>>,
    /// How many could not be read. They say something of a term beside its record, so the term is taken in without.
    pub(super) n_unread: usize,
}

impl Definitions {
    pub(super) fn of(graph: &GraphText<'_>, properties: &Properties) -> Definitions {
        let mut parts = FxHashMap::<Box<str>, Vec<String>>::default();
        let mut n_unread = 0;
        for raw in &graph.definitions {
            let Ok(axiom) = record::<LogicalDefinition>(raw.get()) else {
                n_unread += 1;
                continue;
            };
            let class = parts.entry((&*normal(&axiom.defined_class_id)).into()).or_default();
            class.extend(axiom.genus_ids.iter().map(|id| normal(id).into_owned()));
            for restriction in axiom.restrictions.into_iter().flatten() {
                if let (Some(property), Some(filler)) = (restriction.property_id, restriction.filler_id) {
                    let property = properties.relations.written(&normal(&property));
                    class.push(format!("{property} {}", normal(&filler)));
                }
            }
        }
        Definitions { parts, n_unread }
    }

    /// Adds the parts of the definition of a term.
    pub(super) fn add_to(&self, term: &mut Term, id: &str) {
        for part in self.parts.get(id).into_iter().flatten() {
            term.add_text(List::IntersectionOf, part);
        }
    }
}
