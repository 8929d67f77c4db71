//! One term: features and successors.

use timeweft_graph::{ListOrder, Value, ValueRef, VersionSink};

use super::Types;
use super::document::{Meta, NodeText};
use super::iri::{Meaning, Properties, clean};

/// A node with the meaning of its properties.
pub(super) struct Term {
    name: Option<String>,
    kind: String,
    meta: Meta,
    /// The values of the properties that mean something, in the order of the document.
    said: Vec<(Meaning, String)>,
}

impl Term {
    pub(super) fn new(node: NodeText, properties: &Properties) -> Term {
        let mut meta = node.meta.unwrap_or_default();
        let values = std::mem::take(&mut meta.basic_property_values);
        let meaning = |value: super::document::PropertyValue| Some((properties.meaning(&value.pred)?, value.val));
        let said = values.into_iter().filter_map(meaning).collect();
        Term { name: node.lbl, kind: node.kind.unwrap_or_default(), meta, said }
    }

    fn said(&self, meaning: Meaning) -> impl Iterator<Item = &str> {
        self.said.iter().filter(move |(known, _)| *known == meaning).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_deprecated(&self) -> bool {
        self.meta.deprecated || self.said(Meaning::Deprecated).any(|value| value == "true")
    }

    /// What the term became. The first successor is the one that counts, so certain ones come before hints, and a term
    /// that is named as both is a successor.
    pub(super) fn merges(&self) -> Result<Vec<(&'static str, String)>, String> {
        let mut merges: Vec<(&'static str, String)> = Vec::new();
        for (meaning, kind) in [(Meaning::ReplacedBy, "replaced_by"), (Meaning::Consider, "consider")] {
            for value in self.said(meaning) {
                let into = clean(value).map_err(|problem| format!("{kind}: {problem}"))?;
                if !merges.iter().any(|(_, known)| *known == into) {
                    merges.push((kind, into));
                }
            }
        }
        Ok(merges)
    }

    pub(super) fn push(mut self, id: &str, types: &Types, line: u64, sink: &mut dyn VersionSink) {
        let texts = |items: Vec<String>| items.into_iter().map(serde_json::Value::from).collect();
        let alt_ids: Vec<String> = self.said(Meaning::AlternativeId).map(str::to_owned).collect();
        let mut comments = std::mem::take(&mut self.meta.comments);
        comments.extend(self.said(Meaning::Comment).map(str::to_owned));
        let lists = [
            (types.alt_ids, texts(alt_ids)),
            (types.comments, texts(comments)),
            (types.subsets, texts(std::mem::take(&mut self.meta.subsets))),
            (types.synonyms, objects(std::mem::take(&mut self.meta.synonyms))),
            (types.xrefs, objects(std::mem::take(&mut self.meta.xrefs))),
        ];
        let lists = lists.map(|(feature, items)| (feature, set(items)));
        let def = self.meta.definition.take().map(|def| Value::Json(object(def)));
        let mut features = vec![(types.kind, ValueRef::Category(&self.kind))];
        features.extend(self.name.as_deref().map(|name| (types.name, ValueRef::Text(name))));
        features.extend(self.said(Meaning::Namespace).next().map(|space| (types.namespace, ValueRef::Text(space))));
        features.extend(def.as_ref().map(|def| (types.def, ValueRef::Any(def))));
        features.extend(lists.iter().filter_map(|(feature, list)| Some((*feature, ValueRef::Any(list.as_ref()?)))));
        sink.node(types.term, id, &features, line);
    }
}

/// A list without order; `None` for an empty one.
fn set(items: Vec<serde_json::Value>) -> Option<Value> {
    (!items.is_empty()).then(|| ListOrder::Set.canonical(Value::Json(items.into())))
}

fn objects(items: Vec<serde_json::Value>) -> Vec<serde_json::Value> {
    items.into_iter().map(object).collect()
}

/// An object without what is said about it, and with its references in one order.
fn object(mut value: serde_json::Value) -> serde_json::Value {
    if let Some(members) = value.as_object_mut() {
        members.remove("meta");
        if let Some(xrefs) = members.get_mut("xrefs").and_then(serde_json::Value::as_array_mut) {
            xrefs.sort_by_cached_key(ToString::to_string);
            xrefs.dedup();
        }
    }
    value
}
