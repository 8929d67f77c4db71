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
//! | `replaced_by: X` of an obsolete term | merge of the term into X |
//! | `consider: X` of an obsolete term | a merge if it is the only one and nothing replaces the term; several are hints for curators, and the term is plainly gone |
//!
//! Comments after `!` and qualifiers in braces at the end of a line are left out. Edges to terms that the version does not
//! hold stay in the list: the delta load has a policy for them. Stanzas of other types and the header make no elements.

mod stanza;
mod tag;

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{
    EdgeKey, ExternalId, FeatureDef, FeatureKind, ListOrder, Listed, ListedMerge, Name, NodeKey, Owner, Place, Reason,
    Reject, Schema, TimeUnit, Value, Version,
};

use self::stanza::{Stanza, Stanzas, TagLine};
use crate::SourceError;
use crate::names::Names;

/// How to read an ontology.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OboOptions {
    /// Keeps only terms whose id begins with this prefix and a colon, and edges between such ids: `ENVO` for
    /// `ENVO:00000001`. A merge is kept wherever it leads, for the delta load tells of targets that it does not know.
    pub id_prefix: Option<String>,
    /// Unit of the graph's times, for the schema of the version.
    pub unit: TimeUnit,
}

/// Name of the node type.
const TERM: &str = "term";

/// Reads an ontology. `file` is the name for messages.
///
/// ```
/// use timeweft_source::{OboOptions, obo};
/// let text = "format-version: 1.2\n\n[Term]\nid: X:1\nname: root\n\n[Term]\nid: X:2\nis_a: X:1 ! root\n";
/// let version = obo::read(text.as_bytes(), &"doc".into(), &OboOptions::default())?;
/// assert_eq!((version.nodes.len(), version.edges.len()), (2, 1));
/// # Ok::<(), timeweft_source::SourceError>(())
/// ```
pub fn read(reader: impl BufRead, file: &Name, options: &OboOptions) -> Result<Version, SourceError> {
    let mut stanzas = Stanzas::new(reader, file);
    let header = stanzas.header()?;
    let default_namespace = header.tags.iter().find(|line| line.tag == "default-namespace");
    let mut builder = Builder::new(options, default_namespace.map(|line| Name::from(tag::plain(&line.value))));
    while let Some(stanza) = stanzas.advance()? {
        if stanza.name == "Term" {
            builder.add(stanza);
        }
    }
    builder.rejects.extend(stanzas.into_rejects());
    builder.finish().ok_or_else(|| SourceError::TooManyTypes { file: file.clone(), line: 0 })
}

struct Builder {
    prefix: Option<String>,
    namespace: Option<Name>,
    unit: TimeUnit,
    names: Names,
    seen: FxHashMap<String, u64>,
    nodes: Vec<Listed<NodeKey>>,
    edges: Vec<Listed<EdgeKey>>,
    merges: Vec<ListedMerge>,
    rejects: Vec<Reject>,
    list_features: BTreeSet<Name>,
}

impl Builder {
    fn new(options: &OboOptions, namespace: Option<Name>) -> Builder {
        Builder {
            prefix: options.id_prefix.as_ref().map(|prefix| format!("{prefix}:")),
            namespace,
            unit: options.unit,
            names: Names::default(),
            seen: FxHashMap::default(),
            nodes: Vec::new(),
            edges: Vec::new(),
            merges: Vec::new(),
            rejects: Vec::new(),
            list_features: BTreeSet::new(),
        }
    }

    fn refuse(&mut self, place: &Place, problem: String) {
        self.rejects.push(Reject { place: place.clone(), reason: Reason::Malformed(problem) });
    }

    fn wanted(&self, id: &str) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| id.starts_with(prefix.as_str()))
    }

    fn add(&mut self, stanza: Stanza) {
        let Some(line) = stanza.tags.iter().find(|line| line.tag == "id") else {
            return self.refuse(&stanza.place, "the term has no `id`".into());
        };
        let (id, place) = (tag::plain(&line.value), line.place.clone());
        if id.is_empty() {
            return self.refuse(&place, "the term has an empty `id`".into());
        }
        if !self.wanted(&id) {
            return;
        }
        if let Some(known) = self.seen.insert(id.clone(), place.line) {
            self.seen.insert(id.clone(), known);
            return self.refuse(&place, format!("term {id} is there already: line {known}"));
        }
        let key = NodeKey { node_type: self.names.get(TERM), id: ExternalId::from(id.as_str()) };
        if stanza.tags.iter().any(|line| line.tag == "is_obsolete" && tag::plain(&line.value) == "true") {
            self.add_merge(&key, &stanza);
        } else {
            self.add_term(key, stanza, place);
        }
    }

    /// What an obsolete term became.
    fn add_merge(&mut self, from: &NodeKey, stanza: &Stanza) {
        let named = |tag: &str| stanza.tags.iter().filter(move |line| line.tag == tag).collect::<Vec<_>>();
        let (replaced, consider) = (named("replaced_by"), named("consider"));
        let line = match (replaced.as_slice(), consider.as_slice()) {
            ([one], _) | ([], [one]) => *one,
            // Several hints for curators name no successor: the term is plainly gone.
            ([], _) => return,
            (several, _) => {
                for line in several {
                    let problem =
                        format!("obsolete term {} has {} `replaced_by`: none makes a merge", from.id, several.len());
                    self.refuse(&line.place, problem);
                }
                return;
            }
        };
        let into =
            NodeKey { node_type: from.node_type.clone(), id: ExternalId::from(tag::plain(&line.value).as_str()) };
        self.merges.push(ListedMerge { from: from.clone(), into, features: Vec::new(), place: line.place.clone() });
    }

    fn add_term(&mut self, key: NodeKey, stanza: Stanza, place: Place) {
        let mut texts = BTreeMap::<Name, String>::new();
        let mut lists = BTreeMap::<Name, Vec<String>>::new();
        let mut relations = FxHashSet::default();
        if let Some(namespace) = &self.namespace {
            texts.insert("namespace".into(), namespace.to_string());
        }
        for line in &stanza.tags {
            match line.tag.as_str() {
                "id" | "is_obsolete" => {}
                "is_a" => self.add_edge(&key, "is_a", &line.value, line, &mut relations),
                "relationship" => match line.value.split_once(char::is_whitespace) {
                    Some((relation, rest)) => {
                        self.add_edge(&key, &tag::plain(relation), rest.trim_start(), line, &mut relations);
                    }
                    None => self.refuse(&line.place, "relationship: expected a relation and a term".into()),
                },
                "def" => match tag::definition(&line.value) {
                    Some((text, sources)) => {
                        self.set_text(&mut texts, &stanza, line, text);
                        if !sources.is_empty() {
                            lists.entry("def_xref".into()).or_default().extend(sources);
                        }
                    }
                    None => self.refuse(&line.place, "def: expected a text in double quotes".into()),
                },
                "name" | "namespace" | "comment" => {
                    self.set_text(&mut texts, &stanza, line, tag::plain(&line.value));
                }
                other => lists.entry(self.names.get(other)).or_default().push(line.value.clone()),
            }
        }
        self.list_features.extend(lists.keys().cloned());
        let mut features: Vec<(Name, Value)> =
            texts.into_iter().map(|(name, text)| (name, Value::Text(text.into()))).collect();
        features
            .extend(lists.into_iter().map(|(name, items)| (name, ListOrder::Set.canonical(Value::Json(items.into())))));
        features.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.nodes.push(Listed { key, features, place });
    }

    /// Sets a tag that may stand once; the first line counts.
    fn set_text(&mut self, texts: &mut BTreeMap<Name, String>, stanza: &Stanza, line: &TagLine, text: String) {
        let first = stanza.tags.iter().find(|other| other.tag == line.tag);
        if first.is_some_and(|first| first.place == line.place) {
            texts.insert(self.names.get(&line.tag), text);
        } else {
            self.refuse(&line.place, format!("`{}` is there twice in one term; the first one is kept", line.tag));
        }
    }

    /// Adds an edge to the first word of `target`; the same fact twice, as with other qualifiers, is one edge.
    fn add_edge(
        &mut self,
        source: &NodeKey,
        relation: &str,
        target: &str,
        line: &TagLine,
        known: &mut FxHashSet<(Name, ExternalId)>,
    ) {
        let id = tag::plain(target.split_whitespace().next().unwrap_or_default());
        if id.is_empty() || relation.is_empty() {
            return self.refuse(&line.place, format!("{}: expected the id of a term", line.tag));
        }
        if !self.wanted(&id) {
            return;
        }
        let (relation, id) = (self.names.get(relation), ExternalId::from(id.as_str()));
        if known.insert((relation.clone(), id.clone())) {
            let destination = NodeKey { node_type: source.node_type.clone(), id };
            let key = EdgeKey { source: source.clone(), relation, destination, key: None };
            self.edges.push(Listed { key, features: Vec::new(), place: line.place.clone() });
        }
    }

    fn finish(mut self) -> Option<Version> {
        let mut schema = Schema::new(self.unit);
        let term = schema.add_node_type(&TERM.into())?;
        let texts =
            ["name", "def", "namespace", "comment"].map(|name| (Name::from(name), FeatureKind::Text, ListOrder::List));
        let lists = self.list_features.into_iter().map(|name| (name, FeatureKind::Json, ListOrder::Set));
        for (name, kind, order) in texts.into_iter().chain(lists) {
            schema.add_feature(Owner::Node(term), FeatureDef { name, kind, order })?;
        }
        let relations: BTreeSet<&Name> = self.edges.iter().map(|edge| &edge.key.relation).collect();
        for relation in relations {
            schema.add_edge_type(term, relation, term)?;
        }
        self.rejects.sort_by_key(|reject| reject.place.line);
        let Builder { nodes, edges, merges, rejects, .. } = self;
        let mut version = Version::new(schema);
        (version.nodes, version.edges, version.merges, version.rejects) = (nodes, edges, merges, rejects);
        Some(version)
    }
}
