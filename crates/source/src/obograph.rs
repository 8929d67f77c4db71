//! OBO Graphs JSON documents.
//!
//! | in the document | in the version |
//! |---|---|
//! | node of type `CLASS` or `INDIVIDUAL` that is not deprecated | node of type `term` |
//! | `lbl`, `type` | the features `name`, `type` |
//! | `meta.definition` | `def`: its JSON object |
//! | `meta.comments`, `subsets`, `synonyms`, `xrefs` | features of these names: sets, JSON lists; an empty one is no value |
//! | property `has_obo_namespace`: the first one | `namespace` |
//! | properties `has_alternative_id` | `alt_ids`, a set |
//! | edge between two terms | edge of its relation |
//! | property `term replaced by`, then `consider`, of any term, deprecated or not | merge into that term with the feature `type`: `replaced_by` or `consider` |
//!
//! **Ids.** Of an IRI the fragment counts, else the last part of the path; `CL_0000001` becomes `CL:0000001`. Two
//! underscores, or something other than digits behind the one, reject the record.
//!
//! **Relations** are named by the label of their property, with `_` for spaces; where there is none, by its one comment,
//! and where there is none either, by its id, with a warning. Edges at properties are left out.
//!
//! Inside values, `meta` is left out and lists of `xrefs` are sorted. A document of before 2020 says deprecation and
//! comments by properties (`owl:deprecated`, `rdfs:comment`); both forms are read, so that an obsolete term stays obsolete.
//!
//! **Memory.** The whole document as text, and one record: ontologies have at most some hundred megabytes.

mod document;
mod iri;
mod term;

use std::io::Read;

use rustc_hash::FxHashSet;
use timeweft_graph::{
    FeatureDef, FeatureId, FeatureKind, Format, ListOrder, Name, NodeTypeId, Owner, Reason, ValueRef, VersionSink,
};

use self::document::{Document, EdgeText, GraphText, LineCount, NodeText};
use self::iri::Properties;
use crate::SourceError;
use crate::json::{excerpt, parse};

/// How to read an OBO Graphs document.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ObographOptions {
    /// Keeps only terms whose id begins with this prefix and a colon, and edges between such ids: `CL` for `CL:0000001`.
    /// A merge is kept wherever it leads.
    pub id_prefix: Option<String>,
    /// Id of the graph to read; needed where the document has several.
    pub graph: Option<String>,
}

/// Reads a graph of a document into a sink. `file` is the name for messages.
pub fn read(
    mut reader: impl Read,
    file: &Name,
    options: &ObographOptions,
    sink: &mut dyn VersionSink,
) -> Result<(), SourceError> {
    let unreadable = |line: u64, problem: String| SourceError::Document { file: file.clone(), line, problem };
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(|cause| SourceError::Read { file: file.clone(), line: 0, cause })?;
    let text = crate::byte_lines::text(&bytes).map_err(|problem| unreadable(1, problem))?;
    let document = Document::parse(text).map_err(|(line, problem)| unreadable(line, problem))?;
    let graph = document.graph(options.graph.as_deref()).map_err(|problem| unreadable(1, problem))?;
    let properties = Properties::of(&document);
    let full = || SourceError::TooManyTypes { file: file.clone(), line: 0 };
    let prefix = options.id_prefix.as_ref().map(|prefix| format!("{prefix}:"));
    let types = Types::declare(sink).ok_or_else(full)?;
    let mut push = Push { types, prefix, properties, lines: LineCount::new(text) };
    sink.format(push.types.format());
    sink.file(file);
    push.nodes(graph, sink);
    push.edges(graph, sink).ok_or_else(full)
}

/// The numbers of what a document declares.
struct Types {
    term: NodeTypeId,
    merge_type: FeatureId,
    name: FeatureId,
    kind: FeatureId,
    namespace: FeatureId,
    def: FeatureId,
    alt_ids: FeatureId,
    comments: FeatureId,
    subsets: FeatureId,
    synonyms: FeatureId,
    xrefs: FeatureId,
}

impl Types {
    /// Declares all types and features but the relations; `None` if the schema is full.
    fn declare(sink: &mut dyn VersionSink) -> Option<Types> {
        let schema = sink.schema();
        let term = schema.add_node_type(&"term".into())?;
        let mut feature = |owner: Owner, name: &str, kind: FeatureKind, order: ListOrder| {
            schema.add_feature(owner, FeatureDef { name: name.into(), kind, order })
        };
        let owner = Owner::Node(term);
        let mut set = |name: &str| feature(owner, name, FeatureKind::Json, ListOrder::Set);
        let (alt_ids, comments, subsets) = (set("alt_ids")?, set("comments")?, set("subsets")?);
        let (synonyms, xrefs) = (set("synonyms")?, set("xrefs")?);
        Some(Types {
            term,
            alt_ids,
            comments,
            subsets,
            synonyms,
            xrefs,
            name: feature(owner, "name", FeatureKind::Text, ListOrder::List)?,
            kind: feature(owner, "type", FeatureKind::Category, ListOrder::List)?,
            namespace: feature(owner, "namespace", FeatureKind::Text, ListOrder::List)?,
            def: feature(owner, "def", FeatureKind::Json, ListOrder::List)?,
            merge_type: feature(Owner::Merge, "type", FeatureKind::Category, ListOrder::List)?,
        })
    }

    fn format(&self) -> Format {
        let of_term = vec![
            self.name,
            self.kind,
            self.namespace,
            self.def,
            self.alt_ids,
            self.comments,
            self.subsets,
            self.synonyms,
            self.xrefs,
        ];
        let fields = vec![(Owner::Node(self.term), of_term), (Owner::Merge, vec![self.merge_type])];
        Format { name: "obograph".into(), fields: Some(fields) }
    }
}

struct Push<'a> {
    types: Types,
    prefix: Option<String>,
    properties: Properties,
    lines: LineCount<'a>,
}

impl Push<'_> {
    fn nodes(&mut self, graph: &GraphText<'_>, sink: &mut dyn VersionSink) {
        for raw in &graph.nodes {
            let line = self.lines.of(raw.get());
            let read = parse::<NodeText>(raw.get()).and_then(|node| self.node(node, line, sink));
            if let Err(problem) = read {
                sink.reject(line, Reason::Malformed(problem));
            }
        }
    }

    fn node(&self, node: NodeText, line: u64, sink: &mut dyn VersionSink) -> Result<(), String> {
        match node.kind.as_deref() {
            Some("CLASS" | "INDIVIDUAL") => {}
            None | Some("PROPERTY") => return Ok(()),
            Some(other) => return Err(format!("node {}: unknown node type {}", node.id, excerpt(other))),
        }
        let Some(id) = self.wanted(&node.id)? else { return Ok(()) };
        let term = term::Term::new(node, &self.properties);
        for (kind, into) in term.merges()? {
            let features = [(self.types.merge_type, ValueRef::Category(kind))];
            sink.merge((self.types.term, &id), (self.types.term, &into), &features, line);
        }
        if !term.is_deprecated() {
            term.push(&id, &self.types, line, sink);
        }
        Ok(())
    }

    /// The id of a term that is asked for.
    fn wanted(&self, given: &str) -> Result<Option<String>, String> {
        let Some(prefix) = &self.prefix else { return iri::clean(given).map(Some) };
        match iri::clean(given) {
            Ok(id) => Ok(Some(id).filter(|id| id.starts_with(prefix.as_str()))),
            // What certainly belongs to others is none of our business.
            Err(_) if !iri::last_part(given).starts_with(prefix.trim_end_matches(':')) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Pushes the edges; `None` if the schema is full.
    fn edges(&mut self, graph: &GraphText<'_>, sink: &mut dyn VersionSink) -> Option<()> {
        let mut known = FxHashSet::default();
        for raw in &graph.edges {
            let line = self.lines.of(raw.get());
            match parse::<EdgeText>(raw.get()).and_then(|edge| self.edge(&edge)) {
                Ok(Some(edge)) if !known.contains(&edge) => {
                    let (source, predicate, destination) = &edge;
                    let relation = self.properties.relation(predicate, line, sink);
                    let edge_type = sink.schema().add_edge_type(self.types.term, &relation, self.types.term)?;
                    sink.edge(edge_type, (source, destination), None, &[], line);
                    known.insert(edge);
                }
                Ok(_) => {}
                Err(problem) => sink.reject(line, Reason::Malformed(problem)),
            }
        }
        Some(())
    }

    /// Source, predicate and destination of an edge between two terms that are asked for.
    fn edge(&self, edge: &EdgeText) -> Result<Option<(String, String, String)>, String> {
        if self.properties.contains(&edge.sub) || self.properties.contains(&edge.obj) {
            return Ok(None);
        }
        let (Some(source), Some(destination)) = (self.wanted(&edge.sub)?, self.wanted(&edge.obj)?) else {
            return Ok(None);
        };
        Ok(Some((source, edge.pred.clone(), destination)))
    }
}
