//! One term: features and successors.

use serde_json::Value;

use super::document::{Meta, NodeText, PropertyValue, text};
use super::properties::{Meaning, Properties};
use crate::version_format::ontology::{Definition, List, Member, Successor, Term, normal, object, value};

/// A node with the meaning of its properties.
pub(super) struct Node {
    name: Option<String>,
    kind: &'static str,
    meta: Meta,
    /// The values of the properties that mean something, in the order of the document.
    said: Vec<(Meaning, String)>,
    /// The other properties with their values.
    others: Vec<(String, String)>,
    /// How many properties have no value.
    pub(super) n_valueless: usize,
}

impl Node {
    pub(super) fn new(node: NodeText, kind: &'static str, properties: &Properties) -> Node {
        let mut meta = node.meta;
        let values = std::mem::take(&mut meta.basic_property_values);
        let (said, others) = (Vec::new(), Vec::new());
        let mut read = Node { name: node.lbl, kind, meta, said, others, n_valueless: 0 };
        for PropertyValue { pred, val } in values {
            match (pred, text(val)) {
                (Some(pred), Some(val)) => match properties.meaning(&pred) {
                    Some(meaning) => read.said.push((meaning, val)),
                    None => read.others.push((pred, val)),
                },
                _ => read.n_valueless += 1,
            }
        }
        read
    }

    fn said(&self, meaning: Meaning) -> impl Iterator<Item = &str> {
        self.said.iter().filter(move |(known, _)| *known == meaning).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_deprecated(&self) -> bool {
        let is_true = |value: &Value| *value == Value::Bool(true) || *value == "true";
        is_true(&self.meta.deprecated) || self.said(Meaning::Deprecated).any(|value| value == "true")
    }

    /// What the term became, by normal ids.
    pub(super) fn successors(&self) -> Vec<(Successor, String)> {
        let of = |meaning, kind| self.said(meaning).map(move |id| (kind, normal(id).into_owned()));
        of(Meaning::ReplacedBy, Successor::ReplacedBy).chain(of(Meaning::Consider, Successor::Consider)).collect()
    }

    /// What became the term, by normal ids.
    pub(super) fn alternative_ids(&self) -> Vec<String> {
        self.said(Meaning::AlternativeId).map(|id| normal(id).into_owned()).collect()
    }

    /// The term with its features.
    pub(super) fn term(mut self, properties: &Properties) -> Term {
        let mut term = Term::of(self.kind);
        term.name = self.name.take();
        term.namespace = self.said(Meaning::Namespace).next().map(str::to_owned);
        term.def = definition(std::mem::take(&mut self.meta.definition));
        for (meaning, id) in &self.said {
            match meaning {
                Meaning::AlternativeId => term.add_text(List::AltIds, &normal(id)),
                Meaning::ReplacedBy => term.add_text(List::ReplacedBy, &normal(id)),
                Meaning::Consider => term.add_text(List::Consider, &normal(id)),
                Meaning::Comment => term.add_text(List::Comments, id),
                Meaning::Namespace | Meaning::Deprecated => {}
            }
        }
        for (pred, val) in &self.others {
            let pred = properties.relations.written(&normal(pred));
            let members = [("pred", Some(Member::Text(&pred))), ("val", Some(Member::Text(&normal(val))))];
            term.add(List::PropertyValues, object(&members));
        }
        let meta = self.meta;
        meta.comments.into_iter().filter_map(text).for_each(|comment| term.add_text(List::Comments, &comment));
        add_subsets(&mut term, meta.subsets.into_iter().filter_map(text).collect());
        meta.synonyms.into_iter().filter_map(item).for_each(|synonym| term.add(List::Synonyms, synonym.to_string()));
        meta.xrefs.into_iter().filter_map(item).for_each(|xref| term.add(List::Xrefs, xref.to_string()));
        term
    }
}

/// Subsets by their names, where the term is in no two of one name.
fn add_subsets(term: &mut Term, given: Vec<String>) {
    let is_unique = |name: &str| given.iter().filter(|other| value(other) == name).count() == 1;
    for subset in &given {
        let name = value(subset);
        term.add_text(List::Subsets, if is_unique(&name) { &name } else { subset });
    }
}

fn definition(given: Value) -> Option<Definition> {
    let given = item(given)?;
    let text = given.get("val").and_then(Value::as_str).unwrap_or_default().to_owned();
    let sources = given.get("xrefs").map(Value::to_string);
    Some(Definition { text, sources, json: given.to_string() })
}

/// An object without what is said about it and without empty members, with its references in one order; `None` for
/// nothing. A text stands for an object with this value.
fn item(mut given: Value) -> Option<Value> {
    if given.is_string() {
        given = Value::Object([("val".to_owned(), given)].into_iter().collect());
    }
    let Some(members) = given.as_object_mut() else { return Some(given).filter(|given| !given.is_null()) };
    members.remove("meta");
    if let Some(xrefs) = members.get_mut("xrefs").and_then(Value::as_array_mut) {
        xrefs.sort_by_cached_key(ToString::to_string);
        xrefs.dedup();
    }
    members.retain(|_, member| !member.is_null() && !member.as_array().is_some_and(Vec::is_empty));
    if let Some(Value::String(kind)) = members.get_mut("synonymType") {
        *kind = value(kind).into_owned();
    }
    (!members.is_empty()).then_some(given)
}
