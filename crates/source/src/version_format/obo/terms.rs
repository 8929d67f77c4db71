//! The terms of a file, and what waits for the last of them.

use rustc_hash::{FxHashMap, FxHashSet};
use timeweft_graph::{FeatureDef, FeatureId, FeatureKind, ListOrder, Name, Owner, Sink};

use super::stanza::{Loss, Problem, Stanza, TagLine};
use super::{OboOptions, line, value};
use crate::text::names::Names;
use crate::version_format::ontology::{
    Definition, Edge, Edges, Ids, List, Merges, Relations, Successor, Term, Types, is_iri, json, normal, short,
};

pub(super) struct Terms {
    prefix: Option<String>,
    namespace: Option<String>,
    types: Types,
    /// Features of other names.
    others: FxHashMap<Name, FeatureId>,
    names: Names,
    seen: FxHashMap<Name, Seen>,
    relations: Relations,
    edges: Edges,
    merges: Merges,
    /// Terms whose id is an IRI: what they are called depends on all ids of the file.
    waiting: Vec<(Name, Term, u64)>,
    individuals: Option<(usize, u64)>,
}

/// What is known of a term of the file.
struct Seen {
    line: u64,
    lives: bool,
}

/// A stanza on its way into the version.
struct Draft<'a> {
    id: Name,
    at: u64,
    kind: &'static str,
    stanza: &'a mut Stanza,
}

impl Terms {
    /// Declares the types; `None` if the schema is full.
    pub(super) fn new(options: &OboOptions, header: &Stanza, sink: &mut dyn Sink) -> Option<Terms> {
        let namespace = header.tags.iter().find(|line| line.tag == "default-namespace");
        Some(Terms {
            prefix: options.id_prefix.as_ref().map(|prefix| format!("{prefix}:")),
            namespace: namespace.map(|line| line::plain(&line.value)),
            types: Types::declare(sink)?,
            others: FxHashMap::default(),
            names: Names::default(),
            seen: FxHashMap::default(),
            relations: Relations::default(),
            edges: Edges::default(),
            merges: Merges::default(),
            waiting: Vec::new(),
            individuals: None,
        })
    }

    /// Whether an id is asked for.
    fn wanted(&self, id: &str) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| short(id).starts_with(prefix.as_str()))
    }

    /// Takes note of what a Typedef calls a relation.
    pub(super) fn declare_relation(&mut self, stanza: &Stanza) {
        let text = |tag: &str| stanza.tags.iter().find(|line| line.tag == tag).map(|line| line::plain(&line.value));
        if let Some(id) = text("id") {
            self.relations.declare(&normal(&id), text("name").as_deref(), None);
        }
    }

    /// Pushes what a stanza says; `None` if the schema is full.
    pub(super) fn add(&mut self, kind: &'static str, stanza: &mut Stanza, sink: &mut dyn Sink) -> Option<()> {
        let Some(line) = stanza.tags.iter().find(|line| line.tag == "id") else {
            stanza.problems.push(Problem::new(stanza.line, "the term has no `id`", Loss::Anything));
            return Some(());
        };
        let (given, line) = (line::plain(&line.value), line.line);
        if given.is_empty() {
            stanza.problems.push(Problem::new(line, "the term has an empty `id`", Loss::Anything));
            return Some(());
        }
        let id = normal(&given);
        if !self.wanted(&id) {
            return Some(());
        }
        if let Some(known) = self.seen.get(&*id) {
            let what = format!("term {id} is there already: line {}", known.line);
            stanza.problems.push(Problem::new(line, what, Loss::Nothing));
            return Some(());
        }
        if let Some(second) = stanza.tags.iter().filter(|line| line.tag == "id").nth(1) {
            // The line that began another stanza is lost.
            stanza.problems.push(Problem::new(second.line, "a second `id` in one stanza", Loss::Anything));
        }
        let id = Name::from(&*id);
        let obsolete = stanza.tags.iter().any(|line| line.tag == "is_obsolete" && line::plain(&line.value) == "true");
        self.seen.insert(id.clone(), Seen { line, lives: !obsolete });
        let draft = Draft { id, at: line, kind, stanza };
        if obsolete {
            self.add_obsolete(draft);
            return Some(());
        }
        self.add_live(draft, sink)
    }

    /// What an obsolete term became. It is no node, and its edges are none.
    fn add_obsolete(&mut self, draft: Draft<'_>) {
        let Draft { id, stanza, .. } = draft;
        for line in &stanza.tags {
            match line.tag.as_str() {
                "replaced_by" => self.add_merge(Successor::ReplacedBy, &id, line, &mut stanza.problems),
                "consider" => self.add_merge(Successor::Consider, &id, line, &mut stanza.problems),
                "alt_id" => self.add_merge(Successor::AltId, &id, line, &mut stanza.problems),
                "is_a" | "relationship" | "instance_of" => self.edges.add_obsolete(line.line),
                _ => {}
            }
        }
    }

    /// Adds a merge of this term into the one that the line names, or of an alternative id into this term.
    fn add_merge(&mut self, kind: Successor, id: &Name, line: &TagLine, problems: &mut Vec<Problem>) {
        let other = first_word(&line.value);
        if other.is_empty() {
            let what = format!("{}: expected the id of a term", line.tag);
            return problems.push(Problem::new(line.line, what, Loss::Nothing));
        }
        let other = normal(&other);
        if kind != Successor::AltId {
            self.merges.add(kind, (id, &other), line.line);
        } else if self.wanted(&other) {
            self.merges.add(kind, (&other, id), line.line);
        }
    }

    fn add_live(&mut self, draft: Draft<'_>, sink: &mut dyn Sink) -> Option<()> {
        let Draft { id, at, kind, stanza } = draft;
        let mut term = Term::of(kind);
        let mut edges = FxHashSet::default();
        for line in &stanza.tags {
            let read = match line.tag.as_str() {
                "is_a" | "instance_of" => self.add_edge(&id, &mut edges, (&line.tag, &line.value), line),
                "relationship" => match line.value.split_once(char::is_whitespace) {
                    Some((relation, rest)) => self.add_edge(&id, &mut edges, (relation, rest), line),
                    None => Err("relationship: expected a relation and a term".into()),
                },
                "alt_id" => {
                    self.add_merge(Successor::AltId, &id, line, &mut stanza.problems);
                    term.add_text(List::AltIds, &normal(&first_word(&line.value)));
                    Ok(())
                }
                _ => self.add_feature(&id, &mut term, line, sink)?,
            };
            if let Err(problem) = read {
                let edge = matches!(line.tag.as_str(), "is_a" | "instance_of" | "relationship");
                let loss = if edge { Loss::Edge } else { Loss::Nothing };
                stanza.problems.push(Problem::new(line.line, problem, loss));
            }
        }
        if term.namespace.is_none() {
            term.namespace.clone_from(&self.namespace);
        }
        if kind == "INDIVIDUAL" {
            self.individuals.get_or_insert((0, at)).0 += 1;
        }
        if is_iri(&id) {
            self.waiting.push((id, term, at));
        } else {
            term.push(&id, &self.types, &Ids::default(), at, sink);
        }
        Some(())
    }

    /// Takes in a tag that is a feature; `None` if the schema is full.
    fn add_feature(
        &mut self,
        id: &str,
        term: &mut Term,
        line: &TagLine,
        sink: &mut dyn Sink,
    ) -> Option<Result<(), String>> {
        let text = || line::plain(&line.value);
        Some(match line.tag.as_str() {
            "id" | "is_obsolete" => Ok(()),
            "name" => set_once(&mut term.name, line, text()),
            "namespace" => set_once(&mut term.namespace, line, text()),
            "def" => value::definition(&line.value).and_then(|def| set_once::<Definition>(&mut term.def, line, def)),
            "comment" => add(term, List::Comments, Ok(json(&text()))),
            "subset" => add(term, List::Subsets, Ok(json(&text()))),
            "xref" | "xref_analog" | "xref_unk" => add(term, List::Xrefs, value::xref(&line.value)),
            "created_by" | "creation_date" => add(term, List::PropertyValues, Ok(value::property(&line.tag, &text()))),
            "property_value" => add(term, List::PropertyValues, value::property_value(&line.value)),
            "intersection_of" => add(term, List::IntersectionOf, value::intersection(&line.value)),
            tag if value::SYNONYMS.contains(&tag) => add(term, List::Synonyms, value::synonym(tag, &line.value)),
            "replaced_by" | "consider" => {
                let list = if line.tag == "consider" { List::Consider } else { List::ReplacedBy };
                self.merges.add_live(id, line.line);
                add(term, list, Ok(json(&normal(&first_word(&line.value)))))
            }
            other => {
                let feature = self.other(other, sink)?;
                term.others.entry(feature).or_default().push(json(&line.value));
                Ok(())
            }
        })
    }

    /// The feature of a tag that has no other meaning.
    fn other(&mut self, tag: &str, sink: &mut dyn Sink) -> Option<FeatureId> {
        if let Some(known) = self.others.get(tag) {
            return Some(*known);
        }
        let name = self.names.get(tag);
        let def = FeatureDef { name: name.clone(), kind: FeatureKind::Json, order: ListOrder::Set };
        let id = sink.schema().add_feature(Owner::Node(self.types.term), def)?;
        self.others.insert(name, id);
        Some(id)
    }

    /// Adds an edge to the first word of `target`; the same fact twice, as with other qualifiers, is one edge.
    fn add_edge(
        &mut self,
        source: &Name,
        known: &mut FxHashSet<(Name, String)>,
        (relation, target): (&str, &str),
        line: &TagLine,
    ) -> Result<(), String> {
        let (relation, target) = (line::plain(relation), first_word(target));
        if target.is_empty() || relation.is_empty() {
            return Err(format!("{}: expected the id of a term", line.tag));
        }
        let target = normal(&target);
        if !self.wanted(&target) {
            return Ok(());
        }
        let relation = self.names.get(&normal(&relation));
        if known.insert((relation.clone(), target.to_string())) {
            let destination = target.into();
            self.edges.all.push(Edge { relation, source: source.clone(), destination, line: line.line });
        }
        Ok(())
    }

    /// Pushes what waited for the last term; `None` if the schema is full.
    pub(super) fn finish(mut self, sink: &mut dyn Sink) -> Option<()> {
        let ids = self.ids();
        if let Some(message) = ids.warning() {
            sink.warn(0, message);
        }
        for (id, term, line) in std::mem::take(&mut self.waiting) {
            term.push(&id, &self.types, &ids, line, sink);
        }
        if let Some((n, line)) = self.individuals {
            let message =
                format!("[Instance]: nodes of type `term` whose feature `type` is INDIVIDUAL ({n} in the file)");
            sink.warn(line, message);
        }
        let seen = self.seen;
        let is_live = |id: &str| seen.get(id).is_some_and(|term| term.lives);
        self.merges.push(&self.types, &ids, &is_live, sink);
        self.edges.push(&self.types, &self.relations, &ids, sink)
    }

    /// What the ids of the file are called. Only where one of them is an IRI can there be any doubt.
    fn ids(&self) -> Ids {
        let mut ids = Ids::default();
        let all = || self.seen.keys().map(|id| &**id).chain(self.edges.ids()).chain(self.merges.ids());
        if all().any(is_iri) {
            let mut sorted: Vec<&str> = all().collect();
            sorted.sort_unstable();
            sorted.dedup();
            sorted.into_iter().for_each(|id| ids.note(id));
        }
        ids
    }
}

/// The first word of a value, without escapes.
fn first_word(value: &str) -> String {
    line::plain(value.split_whitespace().next().unwrap_or_default())
}

fn add(term: &mut Term, list: List, item: Result<String, String>) -> Result<(), String> {
    term.add(list, item?);
    Ok(())
}

/// Sets what may stand once; the first line counts.
fn set_once<T>(place: &mut Option<T>, line: &TagLine, value: T) -> Result<(), String> {
    if place.is_some() {
        return Err(format!("`{}` is there twice in one term; the first one is kept", line.tag));
    }
    *place = Some(value);
    Ok(())
}
