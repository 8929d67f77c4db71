//! OBO Graphs JSON documents.
//!
//! | in the document | in the version |
//! |---|---|
//! | node of type `CLASS` or `INDIVIDUAL` that is not deprecated | node of type `term` |
//! | `lbl`, `type` | the features `name`, `type` |
//! | `meta.definition` | `def`: its JSON object |
//! | `meta.comments`, `subsets`, `synonyms`, `xrefs` | features of these names: sets, JSON lists; an empty one is no value |
//! | property `has_obo_namespace`: the first one, else the default of the graph | `namespace` |
//! | properties `has_alternative_id` | `alt_ids`, a set; and merges of these ids into the term, of the type `alt_id` |
//! | other properties with a value | `property_values`, a set |
//! | `logicalDefinitionAxioms` | `intersection_of`, a set |
//! | edge between two terms | edge of its relation; `type` is called `instance_of` |
//! | property `term replaced by`, then `consider`, of a deprecated term | merge into that term with the feature `type`: `replaced_by` or `consider` |
//!
//! **Ids.** `http://purl.obolibrary.org/obo/CL_0000001` is `CL:0000001`. Of another IRI the fragment counts, else the last
//! part of the path, where no other id of the file ends so; else the id is the whole IRI: two IRIs never become one id.
//!
//! **Relations** are named by the label of their property, with `_` for spaces; where there is none, by its one comment,
//! and where there is none either, by its id, with a warning. Edges at properties are left out, and so are those of
//! deprecated terms, with a warning.
//!
//! Inside values, `meta` and empty lists are left out, and lists of `xrefs` are sorted. A document of before 2020 says
//! deprecation and comments by properties (`owl:deprecated`, `rdfs:comment`); both forms are read, so that an obsolete term
//! stays obsolete. What the format knows beside this is counted and told.
//!
//! **Memory.** The whole document as text, its ids and edges, and one record: ontologies have at most some hundred
//! megabytes. A document of more than 2 GiB is refused, and so is a record of more than 64 MiB.

mod axioms;
mod document;
mod properties;
mod term;

use std::io::Read;

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{Name, NodeKey, Reason, Sink, Unreadable};

use self::axioms::Definitions;
use self::document::{Document, EdgeText, GraphText, LineCount, NodeText, record};
use self::properties::Properties;
use self::term::Node;
use crate::limits::{LARGEST_DOCUMENT, too_long};
use crate::text::json::excerpt;
use crate::version_format::facts::FormatFacts;
use crate::version_format::ontology::{
    Edge, Edges, Ids, Merges, Successor, Types, any_edge, any_term, is_iri, normal, short,
};
use crate::{SourceError, open};

/// How to read an OBO Graphs document.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ObographOptions {
    /// Keeps only terms whose id begins with this prefix and a colon, and edges between such ids: `CL` for `CL:0000001`.
    /// A merge is kept wherever it leads.
    pub id_prefix: Option<String>,
    /// Id of the graph to read; needed where the document has several.
    pub graph: Option<String>,
}

/// What the format is.
pub(crate) const FACTS: FormatFacts = FormatFacts {
    options: &["id_prefix", "graph"],
    is_file: |name| name.rsplit('.').next() == Some("json"),
    ..FormatFacts::new("obograph", "a `.json` of OBO Graphs", |path, options, sink| {
        let input = open(path)?;
        let file = input.name().clone();
        let options = ObographOptions { id_prefix: options.id_prefix.clone(), graph: options.graph.clone() };
        read(input, &file, &options, sink)
    })
};

/// Reads a graph of a document into a sink. `file` is the name for messages.
pub fn read(reader: impl Read, file: &Name, options: &ObographOptions, sink: &mut dyn Sink) -> Result<(), SourceError> {
    let unreadable = |line: u64, problem: String| SourceError::Document { file: file.clone(), line, problem };
    let mut bytes = Vec::new();
    let read = reader.take(LARGEST_DOCUMENT as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|cause| SourceError::Read { file: file.clone(), line: 0, cause })?;
    if bytes.len() > LARGEST_DOCUMENT {
        let problem = too_long("the document", LARGEST_DOCUMENT);
        return Err(unreadable(0, format!("{problem}: load the release in OBO text, which is read piece by piece")));
    }
    crate::text::encoding::check(&bytes).map_err(|problem| unreadable(1, problem))?;
    let text = crate::text::encoding::utf8(&bytes).map_err(|problem| unreadable(1, problem))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document::parse(text).map_err(|(line, problem)| unreadable(line, problem))?;
    let graph = document.graph(options.graph.as_deref()).map_err(|problem| unreadable(1, problem))?;
    graph.meta().map_err(|problem| unreadable(1, format!("meta of the graph: {problem}")))?;
    let properties = Properties::of(&document);
    let full = || SourceError::TooManyTypes { file: file.clone(), line: 0 };
    let prefix = options.id_prefix.as_ref().map(|prefix| format!("{prefix}:"));
    let types = Types::declare(sink).ok_or_else(full)?;
    sink.format(types.format("obograph"));
    sink.file(file);
    let edges = graph.edges.iter().map(|raw| (raw.get(), record::<EdgeText<'_>>(raw.get()))).collect::<Vec<_>>();
    let mut push = Push::new((graph, &edges), types, prefix, properties, LineCount::new(text));
    push.nodes(graph, sink);
    push.finish((graph, &edges), sink).ok_or_else(full)
}

/// An edge, with the text from which it was read.
type EdgeRecord<'a> = (&'a str, Result<EdgeText<'a>, String>);

struct Push<'a> {
    types: Types,
    prefix: Option<String>,
    properties: Properties,
    definitions: Definitions,
    namespace: Option<String>,
    lines: LineCount<'a>,
    ids: Ids,
    /// Whether each term of the document lives.
    terms: FxHashMap<Name, bool>,
    merges: Merges,
    individuals: Option<(usize, u64)>,
    valueless: Option<(usize, u64)>,
}

impl<'a> Push<'a> {
    fn new(
        (graph, edges): (&GraphText<'a>, &[EdgeRecord<'a>]),
        types: Types,
        prefix: Option<String>,
        properties: Properties,
        lines: LineCount<'a>,
    ) -> Push<'a> {
        let definitions = Definitions::of(graph, &properties);
        let ids = ids(graph, edges, &properties);
        let namespace = properties.default_namespace(graph);
        Push {
            types,
            prefix,
            properties,
            definitions,
            namespace,
            lines,
            ids,
            terms: FxHashMap::default(),
            merges: Merges::default(),
            individuals: None,
            valueless: None,
        }
    }

    fn nodes(&mut self, graph: &GraphText<'_>, sink: &mut dyn Sink) {
        for raw in &graph.nodes {
            if sink.is_closed() {
                return;
            }
            let line = self.lines.of(raw.get());
            let read = record::<NodeText>(raw.get()).and_then(|node| self.node(node, line, sink));
            if let Err(problem) = read {
                sink.unreadable(self.unread(raw.get()), line, Reason::Malformed(problem));
            }
        }
    }

    /// What a node leaves unknown that cannot be read: the term that it names, or any if it names none.
    fn unread(&self, raw: &str) -> Vec<Unreadable> {
        match record::<document::Head<'_>>(raw) {
            Ok(head) if !head.id.is_empty() => {
                vec![Unreadable::Node(NodeKey::new("term", &*self.ids.id(&normal(&head.id))))]
            }
            _ => any_term(),
        }
    }

    fn node(&mut self, node: NodeText, line: u64, sink: &mut dyn Sink) -> Result<(), String> {
        let kind = match node.kind.as_deref() {
            Some("CLASS") => "CLASS",
            Some("INDIVIDUAL") => "INDIVIDUAL",
            None | Some("PROPERTY") => return Ok(()),
            Some(other) => return Err(format!("node {}: unknown node type {}", node.id, excerpt(other))),
        };
        let id = Name::from(&*normal(&node.id));
        if id.is_empty() {
            return Err("a node with an empty `id`".into());
        }
        if !self.wanted(&id) {
            return Ok(());
        }
        let node = Node::new(node, kind, &self.properties);
        if node.n_valueless > 0 {
            self.valueless.get_or_insert((0, line)).0 += node.n_valueless;
        }
        let lives = !node.is_deprecated();
        self.add_merges(&id, &node, line);
        self.terms.insert(id.clone(), lives);
        if !lives {
            return Ok(());
        }
        if kind == "INDIVIDUAL" {
            self.individuals.get_or_insert((0, line)).0 += 1;
        }
        let mut term = node.term(&self.properties);
        if term.namespace.is_none() {
            term.namespace.clone_from(&self.namespace);
        }
        self.definitions.add_to(&mut term, &id);
        term.push(&id, &self.types, &self.ids, line, sink);
        Ok(())
    }

    fn add_merges(&mut self, id: &str, node: &Node, line: u64) {
        for (kind, other) in node.successors() {
            if node.is_deprecated() {
                self.merges.add(kind, (id, &other), line);
            } else {
                self.merges.add_live(id, line);
            }
        }
        for old in node.alternative_ids() {
            if self.wanted(&old) {
                self.merges.add(Successor::AltId, (&old, id), line);
            }
        }
    }

    /// Whether a normal id is asked for.
    fn wanted(&self, id: &str) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| short(id).starts_with(prefix.as_str()))
    }

    /// Pushes what waits for the last node; `None` if the schema is full.
    fn finish(mut self, (graph, edges): (&GraphText<'_>, &[EdgeRecord<'_>]), sink: &mut dyn Sink) -> Option<()> {
        let edges = self.edges(edges, sink);
        self.warn(graph, sink);
        let terms = self.terms;
        let is_live = |id: &str| terms.get(id).is_some_and(|lives| *lives);
        self.merges.push(&self.types, &self.ids, &is_live, sink);
        edges.push(&self.types, &self.properties.relations, &self.ids, sink)
    }

    /// The edges between terms, each once.
    fn edges(&mut self, records: &[EdgeRecord<'_>], sink: &mut dyn Sink) -> Edges {
        let mut edges = Edges::default();
        let mut known = FxHashSet::default();
        for (raw, edge) in records {
            let line = self.lines.of(raw);
            match edge {
                Ok(edge) => {
                    let Some(ends) = self.ends(edge) else { continue };
                    if self.terms.get(&ends.0) == Some(&false) {
                        edges.add_obsolete(line);
                    } else if known.insert((ends.clone(), edge.pred.to_string())) {
                        let (source, destination) = (ends.0, ends.1.into());
                        let relation = self.properties.relation(&edge.pred, line, sink);
                        edges.all.push(Edge { relation, source, destination, line });
                    }
                }
                Err(problem) => sink.unreadable(vec![any_edge()], line, Reason::Malformed(problem.clone())),
            }
        }
        edges
    }

    /// The ends of an edge between two terms that are asked for.
    fn ends(&self, edge: &EdgeText<'_>) -> Option<(Name, String)> {
        let (source, destination) = (normal(&edge.sub), normal(&edge.obj));
        let is_term = |id: &str| !self.properties.relations.contains(id) && self.wanted(id);
        let wanted = is_term(&source) && is_term(&destination);
        wanted.then(|| (Name::from(&*source), destination.into_owned()))
    }

    /// Tells what was taken in in another way than it may seem, and what was not.
    fn warn(&self, graph: &GraphText<'_>, sink: &mut dyn Sink) {
        if let Some(message) = self.ids.warning() {
            sink.warn(0, message);
        }
        if let Some((n, line)) = self.individuals {
            sink.warn(line, format!("INDIVIDUAL: nodes of type `term` with this `type` ({n} in the file)"));
        }
        if let Some((n, line)) = self.valueless {
            sink.warn(line, format!("properties without a value say nothing and are left out ({n} in the file)"));
        }
        let left_out = graph.left_out(self.definitions.n_unread);
        if !left_out.is_empty() {
            sink.warn(0, format!("axioms of these kinds make no elements: {left_out}"));
        }
    }
}

/// What the ids of a graph are called. Only where one of them is an IRI can there be any doubt.
fn ids(graph: &GraphText<'_>, edges: &[EdgeRecord<'_>], properties: &Properties) -> Ids {
    let ends = || edges.iter().filter_map(|(_, edge)| edge.as_ref().ok()).flat_map(|edge| [&*edge.sub, &*edge.obj]);
    let is_foreign = |id: &str| is_iri(id) && is_iri(&normal(id)) && !properties.relations.contains(id);
    let mut ids = Ids::default();
    if properties.any_iri || ends().any(is_foreign) {
        let mut all: FxHashSet<Name> = ends().map(|id| Name::from(&*normal(id))).collect();
        for node in graph.nodes.iter().filter_map(|raw| record::<NodeText>(raw.get()).ok()) {
            all.insert(Name::from(&*normal(&node.id)));
            let node = Node::new(node, "CLASS", properties);
            all.extend(node.successors().into_iter().map(|(_, id)| Name::from(id)));
            all.extend(node.alternative_ids().into_iter().map(Name::from));
        }
        let mut sorted: Vec<Name> = all.into_iter().filter(|id| !properties.relations.contains(id)).collect();
        sorted.sort_unstable();
        sorted.iter().for_each(|id| ids.note(id));
    }
    ids
}
