//! Properties by their IRIs.

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{Name, Sink};

use super::document::{Document, GraphText, Head, Meta, NodeText, record, text};
use crate::version_format::ontology::{Relations, is_iri, normal, short};

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
    /// What a label tells, by the id as it is written.
    meanings: FxHashMap<String, Meaning>,
    pub(super) relations: Relations,
    /// Whether the id of any other node is an IRI.
    pub(super) any_iri: bool,
    unlabelled: FxHashSet<Name>,
}

/// The property that holds the id of a property in OBO text.
const SHORTHAND: &str = "http://www.geneontology.org/formats/oboInOwl#shorthand";

impl Properties {
    /// Collects nodes of type `PROPERTY` or without a type.
    pub(super) fn of(document: &Document<'_>) -> Properties {
        let mut properties = Properties {
            meanings: FxHashMap::default(),
            relations: Relations::default(),
            any_iri: false,
            unlabelled: FxHashSet::default(),
        };
        for raw in document.graphs.iter().flat_map(|graph| &graph.nodes) {
            // What cannot be read is rejected when the nodes are pushed.
            let Ok(head) = record::<Head<'_>>(raw.get()) else { continue };
            if head.kind.is_some_and(|kind| kind != "PROPERTY") {
                properties.any_iri |= is_iri(&normal(&head.id));
            } else if let Ok(node) = record::<NodeText>(raw.get()) {
                properties.add(node);
            }
        }
        properties
    }

    fn add(&mut self, node: NodeText) {
        let comments: Vec<String> = node.meta.comments.into_iter().filter_map(text).collect();
        let label = node.lbl.or_else(|| <[String; 1]>::try_from(comments).ok().map(|[comment]| comment));
        let mut values = node.meta.basic_property_values.into_iter();
        let shorthand = values.find(|value| value.pred.as_deref() == Some(SHORTHAND)).and_then(|value| text(value.val));
        if let Some(meaning) = label.as_deref().and_then(meaning_of_label) {
            self.meanings.insert(node.id.clone(), meaning);
        }
        self.relations.declare(&normal(&node.id), label.as_deref(), shorthand.as_deref());
    }

    /// What a property says: by its label, or by its id where files leave out the label.
    pub(super) fn meaning(&self, predicate: &str) -> Option<Meaning> {
        if let Some(known) = self.meanings.get(predicate) {
            return Some(*known);
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

    /// The namespace of all terms of a graph that name none.
    pub(super) fn default_namespace(&self, graph: &GraphText<'_>) -> Option<String> {
        const DEFAULTS: [&str; 2] = ["default-namespace", "hasDefaultNamespace"];
        let meta: Option<Meta> = graph.meta().ok()?;
        let values = meta?.basic_property_values;
        let is_default = |pred: &str| DEFAULTS.iter().any(|name| pred.rsplit(['#', '/']).next() == Some(name));
        let found = values.iter().find(|value| value.pred.as_deref().is_some_and(is_default))?;
        text(found.val.clone())
    }

    /// The relation of an edge. One that has only an id is told, the first time.
    pub(super) fn relation(&mut self, predicate: &str, line: u64, sink: &mut dyn Sink) -> Name {
        if predicate == "type" {
            return "instance_of".into();
        }
        let id = normal(predicate);
        let name = short(&id);
        if name != predicate && !self.relations.is_named(&id) && !self.unlabelled.contains(&*id) {
            self.unlabelled.insert(Name::from(&*id));
            sink.warn(line, format!("property {predicate} has no label: its edges are named `{name}`"));
        }
        Name::from(&*id)
    }
}

fn meaning_of_label(label: &str) -> Option<Meaning> {
    Some(match label {
        "has_obo_namespace" => Meaning::Namespace,
        "has_alternative_id" => Meaning::AlternativeId,
        "term replaced by" => Meaning::ReplacedBy,
        "consider" => Meaning::Consider,
        _ => return None,
    })
}
