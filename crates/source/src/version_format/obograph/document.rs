//! The text of a document, cut into its records.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::limits::{LONGEST_RECORD, too_long};

/// A document; records are parsed one by one, so that a bad one rejects itself only.
#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    pub(super) graphs: Vec<GraphText<'a>>,
}

/// A graph with its records as they are written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GraphText<'a> {
    pub(super) id: Option<String>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) nodes: Vec<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) edges: Vec<&'a RawValue>,
    #[serde(borrow)]
    meta: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "logicalDefinitionAxioms", deserialize_with = "or_default")]
    pub(super) definitions: Vec<&'a RawValue>,
    #[serde(default, deserialize_with = "or_default")]
    all_values_from_edges: Vec<IgnoredAny>,
    #[serde(default, deserialize_with = "or_default")]
    disjoint_class_expressions_axioms: Vec<IgnoredAny>,
    #[serde(default, deserialize_with = "or_default")]
    domain_range_axioms: Vec<IgnoredAny>,
    #[serde(default, deserialize_with = "or_default")]
    equivalent_nodes_sets: Vec<IgnoredAny>,
    #[serde(default, deserialize_with = "or_default")]
    property_chain_axioms: Vec<IgnoredAny>,
}

/// The beginning of a node, which is enough to tell what it is.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub(super) struct NodeText {
    pub(super) id: String,
    pub(super) lbl: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Meta {
    pub(super) deprecated: Value,
    pub(super) definition: Value,
    #[serde(deserialize_with = "or_default")]
    pub(super) comments: Vec<Value>,
    #[serde(deserialize_with = "or_default")]
    pub(super) subsets: Vec<Value>,
    #[serde(deserialize_with = "or_default")]
    pub(super) synonyms: Vec<Value>,
    #[serde(deserialize_with = "or_default")]
    pub(super) xrefs: Vec<Value>,
    #[serde(deserialize_with = "or_default")]
    pub(super) basic_property_values: Vec<PropertyValue>,
}

/// A property of a node. The format asks for neither part.
#[derive(Deserialize)]
pub(super) struct PropertyValue {
    pub(super) pred: Option<String>,
    #[serde(default)]
    pub(super) val: Value,
}

#[derive(Deserialize)]
pub(super) struct EdgeText<'a> {
    #[serde(borrow)]
    pub(super) sub: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) pred: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) obj: Cow<'a, str>,
}

/// A class as a genus and what is special about it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogicalDefinition {
    pub(super) defined_class_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) genus_ids: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) restrictions: Vec<Option<Restriction>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Restriction {
    pub(super) property_id: Option<String>,
    pub(super) filler_id: Option<String>,
}

/// Parses a record of a document, unless it is so long that its parts would fill the memory.
pub(super) fn record<'a, T: Deserialize<'a>>(raw: &'a str) -> Result<T, String> {
    if raw.len() > LONGEST_RECORD {
        return Err(format!("{}: leave out what is not of the term", too_long("the record", LONGEST_RECORD)));
    }
    crate::text::json::parse(raw)
}

/// `null` is the same as nothing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A scalar as text; `None` for what holds nothing.
pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

impl<'a> Document<'a> {
    /// Cuts a document up; else the line of the fault.
    pub(super) fn parse(text: &'a str) -> Result<Document<'a>, (u64, String)> {
        serde_json::from_str(text).map_err(|error| {
            let problem = format!("this is no OBO Graphs document: {}", crate::text::json::message(&error));
            (error.line() as u64, problem)
        })
    }

    /// The graph of this id, or the only one.
    pub(super) fn graph(&self, id: Option<&str>) -> Result<&GraphText<'a>, String> {
        let found = match (id, &self.graphs[..]) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(id), all) => all.iter().find(|graph| graph.id.as_deref() == Some(id)),
        };
        found.ok_or_else(|| {
            let ids: Vec<&str> = self.graphs.iter().map(|graph| graph.id.as_deref().unwrap_or("(no id)")).collect();
            let asked = id.map_or_else(String::new, |id| format!(", and none is `{id}`"));
            format!("the document has {} graphs{asked}; give the id of one: {}", ids.len(), ids.join(", "))
        })
    }
}

impl GraphText<'_> {
    /// What the document says of the graph as a whole.
    pub(super) fn meta(&self) -> Result<Option<Meta>, String> {
        self.meta.map(|raw| record(raw.get())).transpose()
    }

    /// The kinds of axioms that are not taken in, with their numbers.
    pub(super) fn left_out(&self, unread_definitions: usize) -> String {
        let kinds = [
            (self.all_values_from_edges.len(), "allValuesFromEdges"),
            (self.disjoint_class_expressions_axioms.len(), "disjointClassExpressionsAxioms"),
            (self.domain_range_axioms.len(), "domainRangeAxioms"),
            (self.equivalent_nodes_sets.len(), "equivalentNodesSets"),
            (unread_definitions, "logicalDefinitionAxioms that cannot be read"),
            (self.property_chain_axioms.len(), "propertyChainAxioms"),
        ];
        let found = kinds.iter().filter(|(n, _)| *n > 0).map(|(n, name)| format!("{n} {name}"));
        found.collect::<Vec<_>>().join(", ")
    }
}

/// Lines of records, counted on from the record before.
pub(super) struct LineCount<'a> {
    text: &'a str,
    offset: usize,
    line: u64,
}

impl<'a> LineCount<'a> {
    pub(super) fn new(text: &'a str) -> LineCount<'a> {
        LineCount { text, offset: 0, line: 1 }
    }

    /// The line on which a part of the text begins.
    pub(super) fn of(&mut self, part: &str) -> u64 {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        if offset < self.offset {
            (self.offset, self.line) = (0, 1);
        }
        let between = self.text.as_bytes().get(self.offset..offset).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', between).count() as u64;
        self.offset = offset;
        self.line
    }
}
