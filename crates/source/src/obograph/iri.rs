//! Ids of terms, and properties by their IRIs.

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{Name, VersionSink};

use super::document::{Document, NodeText};
use crate::json::parse;

/// The fragment of an IRI, else the last part of its path; other ids as they are.
pub(super) fn last_part(id: &str) -> &str {
    if !(id.starts_with("http://") || id.starts_with("https://")) {
        return id;
    }
    match id.split_once('#') {
        Some((_, fragment)) => fragment,
        None => id.rsplit('/').next().unwrap_or(id),
    }
}

/// The id of a term in its short form.
pub(super) fn clean(id: &str) -> Result<String, String> {
    let part = last_part(id);
    if part.is_empty() {
        return Err(format!("id `{id}` names nothing"));
    }
    let is_iri = part.len() < id.len();
    match part.split_once('_').filter(|_| is_iri) {
        None => Ok(part.to_owned()),
        Some((prefix, digits))
            if !prefix.is_empty() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Ok(format!("{prefix}:{digits}"))
        }
        Some(_) => Err(format!("id `{id}`: expected a name, or a prefix, one underscore and digits")),
    }
}

/// What a property of a term says, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Namespace,
    AlternativeId,
    ReplacedBy,
    Consider,
    Deprecated,
    Comment,
}

/// The properties of all graphs of a document.
pub(super) struct Properties {
    labels: FxHashMap<String, Option<String>>,
    unlabelled: FxHashSet<String>,
}

impl Properties {
    /// Collects nodes of type `PROPERTY` or without a type.
    pub(super) fn of(document: &Document<'_>) -> Properties {
        let mut labels = FxHashMap::default();
        let nodes = document.graphs.iter().flat_map(|graph| &graph.nodes);
        // What cannot be read is rejected when the nodes are pushed.
        for node in nodes.filter_map(|raw| parse::<NodeText>(raw.get()).ok()) {
            if node.kind.as_deref().is_none_or(|kind| kind == "PROPERTY") {
                let comments = node.meta.map(|meta| meta.comments).unwrap_or_default();
                let label = node.lbl.or_else(|| <[String; 1]>::try_from(comments).ok().map(|[comment]| comment));
                labels.insert(node.id, label);
            }
        }
        Properties { labels, unlabelled: FxHashSet::default() }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.labels.contains_key(id)
    }

    fn label(&self, predicate: &str) -> Option<&str> {
        self.labels.get(predicate)?.as_deref()
    }

    /// What a property says: by its label, or by its id where files leave out the label.
    pub(super) fn meaning(&self, predicate: &str) -> Option<Meaning> {
        match self.label(predicate) {
            Some("has_obo_namespace") => return Some(Meaning::Namespace),
            Some("has_alternative_id") => return Some(Meaning::AlternativeId),
            Some("term replaced by") => return Some(Meaning::ReplacedBy),
            Some("consider") => return Some(Meaning::Consider),
            _ => {}
        }
        Some(match predicate {
            "http://www.geneontology.org/formats/oboInOwl#hasOBONamespace" => Meaning::Namespace,
            "http://www.geneontology.org/formats/oboInOwl#hasAlternativeId" => Meaning::AlternativeId,
            "http://purl.obolibrary.org/obo/IAO_0100001" => Meaning::ReplacedBy,
            "http://www.geneontology.org/formats/oboInOwl#consider" => Meaning::Consider,
            "http://www.w3.org/2002/07/owl#deprecated" => Meaning::Deprecated,
            "http://www.w3.org/2000/01/rdf-schema#comment" => Meaning::Comment,
            _ => return None,
        })
    }

    /// The name of a relation. One that has only an id is told, the first time.
    pub(super) fn relation(&mut self, predicate: &str, line: u64, sink: &mut dyn VersionSink) -> Name {
        if let Some(label) = self.label(predicate).filter(|label| !label.trim().is_empty()) {
            return label.trim().replace(' ', "_").into();
        }
        let name = clean(predicate).unwrap_or_else(|_| last_part(predicate).to_owned());
        if name != predicate && self.unlabelled.insert(predicate.to_owned()) {
            sink.warn(line, format!("property {predicate} has no label: its edges are named `{name}`"));
        }
        if name.is_empty() { predicate.into() } else { name.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn ids_are_cleaned_by_the_rules_of_the_specification() {
        for (id, cleaned) in [
            ("http://purl.obolibrary.org/obo/CL_0000001", "CL:0000001"),
            ("https://a.org/b#GO_7", "GO:7"),
            ("http://a.org/b/part", "part"),
            ("CL:0000001", "CL:0000001"),
            ("is_a", "is_a"),
        ] {
            assert_eq!(clean(id), Ok(cleaned.to_owned()));
        }
        for id in ["http://a.org/CL_1_2", "http://a.org/CL_x", "http://a.org/_1", "http://a.org/CL_", "http://a.org/"] {
            assert!(clean(id).is_err(), "{id}");
        }
    }
}
