//! OBO ontologies (format versions 1.2 and 1.4) as whole versions of a graph.
//!
//! | in the file | in the version |
//! |---|---|
//! | `[Term]` that is not obsolete | node of type `term` |
//! | `name`, `def`, `namespace` (or the default of the file), `comment` | text features; of `def` the quoted text |
//! | sources of a `def` | the set `def_xref` |
//! | `is_a: X` | edge `is_a` to X |
//! | `relationship: R X` | edge `R` to X |
//! | every other tag: `synonym`, `xref`, `alt_id`, `subset`, `intersection_of`, ... | a set of texts, a JSON list |
//! | `replaced_by: X` of an obsolete term | merge of the term into X with the feature `type`: `replaced_by` |
//! | `consider: X` of an obsolete term | the same with the type `consider`: a hint for curators, behind all `replaced_by` of the term |
//!
//! Comments after `!` and qualifiers in braces at the end of a line are left out. Edges to terms that the version does not
//! hold stay in the list: the delta load has a policy for them. Stanzas of other types and the header make no elements.
//!
//! Terms are pushed as they are read; edges and the ids of the terms are kept until the end of the file, because nodes come
//! before edges.

mod stanza;
mod tag;

use std::collections::BTreeMap;
use std::io::BufRead;

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{
    EdgeTypeId, FeatureDef, FeatureId, FeatureKind, Format, ListOrder, Name, NodeTypeId, Owner, Reason, Value,
    ValueRef, VersionSink,
};

use self::stanza::{Problem, Stanza, Stanzas, TagLine};
use crate::SourceError;
use crate::names::Names;

/// How to read an ontology.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OboOptions {
    /// Keeps only terms whose id begins with this prefix and a colon, and edges between such ids: `ENVO` for
    /// `ENVO:00000001`. A merge is kept wherever it leads, for the delta load tells of targets that it does not know.
    pub id_prefix: Option<String>,
}

/// Name of the node type.
const TERM: &str = "term";
/// Features that are one text.
const TEXTS: [&str; 4] = ["name", "def", "namespace", "comment"];
/// What an obsolete term became, in the order in which successors count.
const SUCCESSORS: [&str; 2] = ["replaced_by", "consider"];

/// Reads an ontology into a sink. `file` is the name for messages.
///
/// ```
/// use timeweft_graph::Version;
/// use timeweft_source::{OboOptions, obo};
/// let text = "format-version: 1.2\n\n[Term]\nid: X:1\nname: root\n\n[Term]\nid: X:2\nis_a: X:1 ! root\n";
/// let mut version = Version::default();
/// obo::read(text.as_bytes(), &"doc".into(), &OboOptions::default(), &mut version)?;
/// assert_eq!((version.nodes.len(), version.edges.len()), (2, 1));
/// # Ok::<(), timeweft_source::SourceError>(())
/// ```
pub fn read(
    reader: impl BufRead,
    file: &Name,
    options: &OboOptions,
    sink: &mut dyn VersionSink,
) -> Result<(), SourceError> {
    let full = || SourceError::TooManyTypes { file: file.clone(), line: 0 };
    let mut stanzas = Stanzas::new(reader, file);
    let mut header = stanzas.header()?;
    sink.format(Format { name: "obo".into(), fields: None });
    sink.file(file);
    refuse(sink, &mut header.problems);
    let default_namespace = header.tags.iter().find(|line| line.tag == "default-namespace");
    let namespace = default_namespace.map(|line| tag::plain(&line.value));
    let mut terms = Terms::new(options, namespace, sink).ok_or_else(full)?;
    while let Some(mut stanza) = stanzas.advance()? {
        if stanza.name == "Term" {
            terms.add(&mut stanza, sink).ok_or_else(full)?;
        }
        refuse(sink, &mut stanza.problems);
    }
    terms.push_edges(sink).ok_or_else(full)
}

/// Tells the problems of a stanza in the order of lines.
fn refuse(sink: &mut dyn VersionSink, problems: &mut Vec<Problem>) {
    problems.sort_by_key(|problem| problem.0);
    for (line, problem) in problems.drain(..) {
        sink.reject(line, Reason::Malformed(problem));
    }
}

/// An edge that waits for the last node.
struct Edge {
    relation: Name,
    source: Name,
    destination: String,
    line: u64,
}

struct Terms {
    prefix: Option<String>,
    namespace: Option<String>,
    term: NodeTypeId,
    merge_type: FeatureId,
    features: FxHashMap<Name, FeatureId>,
    names: Names,
    seen: FxHashMap<Name, u64>,
    edges: Vec<Edge>,
}

/// What is wrong with one line; the edges that one term has named.
struct Draft<'a> {
    id: Name,
    problems: &'a mut Vec<Problem>,
    known: FxHashSet<(Name, String)>,
}

impl Terms {
    fn new(options: &OboOptions, namespace: Option<String>, sink: &mut dyn VersionSink) -> Option<Terms> {
        let term = sink.schema().add_node_type(&TERM.into())?;
        let kind = FeatureKind::Category;
        let def = FeatureDef { name: "type".into(), kind, order: ListOrder::List };
        let merge_type = sink.schema().add_feature(Owner::Merge, def)?;
        let mut terms = Terms {
            prefix: options.id_prefix.as_ref().map(|prefix| format!("{prefix}:")),
            namespace,
            term,
            merge_type,
            features: FxHashMap::default(),
            names: Names::default(),
            seen: FxHashMap::default(),
            edges: Vec::new(),
        };
        for name in TEXTS {
            terms.feature(&name.into(), FeatureKind::Text, sink)?;
        }
        Some(terms)
    }

    fn feature(&mut self, name: &Name, kind: FeatureKind, sink: &mut dyn VersionSink) -> Option<FeatureId> {
        if let Some(known) = self.features.get(name) {
            return Some(*known);
        }
        let order = if kind == FeatureKind::Json { ListOrder::Set } else { ListOrder::List };
        let id = sink.schema().add_feature(Owner::Node(self.term), FeatureDef { name: name.clone(), kind, order })?;
        self.features.insert(name.clone(), id);
        Some(id)
    }

    fn wanted(&self, id: &str) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| id.starts_with(prefix.as_str()))
    }

    /// Pushes what a stanza says; `None` if the schema is full.
    fn add(&mut self, stanza: &mut Stanza, sink: &mut dyn VersionSink) -> Option<()> {
        let Some(line) = stanza.tags.iter().find(|line| line.tag == "id") else {
            stanza.problems.push((stanza.line, "the term has no `id`".into()));
            return Some(());
        };
        let (id, line) = (tag::plain(&line.value), line.line);
        if id.is_empty() {
            stanza.problems.push((line, "the term has an empty `id`".into()));
            return Some(());
        }
        if !self.wanted(&id) {
            return Some(());
        }
        if let Some(known) = self.seen.get(id.as_str()) {
            stanza.problems.push((line, format!("term {id} is there already: line {known}")));
            return Some(());
        }
        let id = Name::from(id);
        self.seen.insert(id.clone(), line);
        if stanza.tags.iter().any(|line| line.tag == "is_obsolete" && tag::plain(&line.value) == "true") {
            self.add_merges(&id, stanza, sink);
            return Some(());
        }
        self.add_term(id, line, stanza, sink)
    }

    /// What an obsolete term became. The first successor is the one that counts, so certain ones come before hints, and a
    /// term that is named as both is a successor.
    fn add_merges(&self, from: &Name, stanza: &mut Stanza, sink: &mut dyn VersionSink) {
        let mut known = FxHashSet::default();
        for successor in SUCCESSORS {
            for line in stanza.tags.iter().filter(|line| line.tag == successor) {
                let into = tag::plain(line.value.split_whitespace().next().unwrap_or_default());
                if into.is_empty() {
                    stanza.problems.push((line.line, format!("{successor}: expected the id of a term")));
                } else if !known.contains(&into) {
                    let features = [(self.merge_type, ValueRef::Category(successor))];
                    sink.merge((self.term, from), (self.term, &into), &features, line.line);
                    known.insert(into);
                }
            }
        }
    }

    fn add_term(&mut self, id: Name, at: u64, stanza: &mut Stanza, sink: &mut dyn VersionSink) -> Option<()> {
        let mut texts = BTreeMap::<Name, String>::new();
        let mut lists = BTreeMap::<Name, Vec<String>>::new();
        let mut draft = Draft { id, problems: &mut stanza.problems, known: FxHashSet::default() };
        for line in &stanza.tags {
            match line.tag.as_str() {
                "id" | "is_obsolete" => {}
                "is_a" => self.add_edge(&mut draft, "is_a", &line.value, line),
                "relationship" => match line.value.split_once(char::is_whitespace) {
                    Some((relation, rest)) => {
                        self.add_edge(&mut draft, &tag::plain(relation), rest.trim_start(), line);
                    }
                    None => draft.problems.push((line.line, "relationship: expected a relation and a term".into())),
                },
                "def" => match tag::definition(&line.value) {
                    Some((text, sources)) => {
                        self.set_text(&mut draft, &mut texts, line, text);
                        if !sources.is_empty() {
                            lists.entry("def_xref".into()).or_default().extend(sources);
                        }
                    }
                    None => draft.problems.push((line.line, "def: expected a text in double quotes".into())),
                },
                "name" | "namespace" | "comment" => {
                    self.set_text(&mut draft, &mut texts, line, tag::plain(&line.value));
                }
                other => lists.entry(self.names.get(other)).or_default().push(line.value.clone()),
            }
        }
        if let Some(namespace) = &self.namespace {
            texts.entry("namespace".into()).or_insert_with(|| namespace.clone());
        }
        let lists: Vec<(Name, Value)> = lists
            .into_iter()
            .map(|(name, items)| (name, ListOrder::Set.canonical(Value::Json(items.into()))))
            .collect();
        let mut features = Vec::with_capacity(texts.len() + lists.len());
        for (name, text) in &texts {
            features.push((self.feature(name, FeatureKind::Text, sink)?, ValueRef::Text(text)));
        }
        for (name, list) in &lists {
            features.push((self.feature(name, FeatureKind::Json, sink)?, ValueRef::Any(list)));
        }
        sink.node(self.term, &draft.id, &features, at);
        Some(())
    }

    /// Sets a tag that may stand once; the first line counts.
    fn set_text(&mut self, draft: &mut Draft<'_>, texts: &mut BTreeMap<Name, String>, line: &TagLine, text: String) {
        if let std::collections::btree_map::Entry::Vacant(free) = texts.entry(self.names.get(&line.tag)) {
            free.insert(text);
        } else {
            let problem = format!("`{}` is there twice in one term; the first one is kept", line.tag);
            draft.problems.push((line.line, problem));
        }
    }

    /// Adds an edge to the first word of `target`; the same fact twice, as with other qualifiers, is one edge.
    fn add_edge(&mut self, draft: &mut Draft<'_>, relation: &str, target: &str, line: &TagLine) {
        let id = tag::plain(target.split_whitespace().next().unwrap_or_default());
        if id.is_empty() || relation.is_empty() {
            return draft.problems.push((line.line, format!("{}: expected the id of a term", line.tag)));
        }
        if !self.wanted(&id) {
            return;
        }
        let relation = self.names.get(relation);
        if draft.known.insert((relation.clone(), id.clone())) {
            self.edges.push(Edge { relation, source: draft.id.clone(), destination: id, line: line.line });
        }
    }

    fn push_edges(self, sink: &mut dyn VersionSink) -> Option<()> {
        let mut types = FxHashMap::<Name, EdgeTypeId>::default();
        for edge in self.edges {
            let edge_type = match types.get(&edge.relation) {
                Some(known) => *known,
                None => {
                    let id = sink.schema().add_edge_type(self.term, &edge.relation, self.term)?;
                    types.insert(edge.relation.clone(), id);
                    id
                }
            };
            sink.edge(edge_type, (&edge.source, &edge.destination), None, &[], edge.line);
        }
        Some(())
    }
}
