//! The text of a document, cut into its records.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A document; records are parsed one by one, so that a bad one rejects itself only.
#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    pub(super) graphs: Vec<GraphText<'a>>,
}

/// A graph with its records as they are written.
#[derive(Deserialize)]
pub(super) struct GraphText<'a> {
    pub(super) id: Option<String>,
    #[serde(borrow, default)]
    pub(super) nodes: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) edges: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct NodeText {
    pub(super) id: String,
    pub(super) lbl: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) meta: Option<Meta>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Meta {
    pub(super) deprecated: bool,
    pub(super) definition: Option<serde_json::Value>,
    pub(super) comments: Vec<String>,
    pub(super) subsets: Vec<String>,
    pub(super) synonyms: Vec<serde_json::Value>,
    pub(super) xrefs: Vec<serde_json::Value>,
    pub(super) basic_property_values: Vec<PropertyValue>,
}

#[derive(Deserialize)]
pub(super) struct PropertyValue {
    pub(super) pred: String,
    pub(super) val: String,
}

#[derive(Deserialize)]
pub(super) struct EdgeText {
    pub(super) sub: String,
    pub(super) pred: String,
    pub(super) obj: String,
}

impl<'a> Document<'a> {
    /// Cuts a document up; else the line of the fault.
    pub(super) fn parse(text: &'a str) -> Result<Document<'a>, (u64, String)> {
        serde_json::from_str(text).map_err(|error| {
            let problem = format!("this is no OBO Graphs document: {}", crate::json::message(&error));
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
