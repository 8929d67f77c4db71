//! One term with its features.

use std::collections::BTreeMap;

use timeweft_graph::{FeatureDef, FeatureId, FeatureKind, Format, ListOrder, NodeTypeId, Owner, Sink, ValueRef};

use super::Ids;

/// A feature that is a list in which order means nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum List {
    AltIds,
    Comments,
    Consider,
    IntersectionOf,
    PropertyValues,
    ReplacedBy,
    Subsets,
    Synonyms,
    Xrefs,
}

impl List {
    const NAMES: [(List, &str); 9] = [
        (List::AltIds, "alt_ids"),
        (List::Comments, "comments"),
        (List::Consider, "consider"),
        (List::IntersectionOf, "intersection_of"),
        (List::PropertyValues, "property_values"),
        (List::ReplacedBy, "replaced_by"),
        (List::Subsets, "subsets"),
        (List::Synonyms, "synonyms"),
        (List::Xrefs, "xrefs"),
    ];
}

/// The numbers of what every ontology declares.
pub(crate) struct Types {
    pub(crate) term: NodeTypeId,
    pub(crate) merge_type: FeatureId,
    name: FeatureId,
    kind: FeatureId,
    namespace: FeatureId,
    def: FeatureId,
    /// Where the graph holds definitions as texts, from a reader before this one, the feature of their sources. A feature
    /// keeps its kind.
    sources_of_text: Option<FeatureId>,
    lists: [FeatureId; List::NAMES.len()],
}

impl Types {
    /// Declares all types and features but the relations; `None` if the schema is full.
    pub(crate) fn declare(sink: &mut dyn Sink) -> Option<Types> {
        let schema = sink.schema();
        let term = schema.add_node_type(&"term".into())?;
        let mut feature = |owner: Owner, name: &str, kind: FeatureKind, order: ListOrder| {
            schema.add_feature(owner, FeatureDef { name: name.into(), kind, order })
        };
        let owner = Owner::Node(term);
        let mut lists = [FeatureId(0); List::NAMES.len()];
        for (id, (_, name)) in lists.iter_mut().zip(List::NAMES) {
            *id = feature(owner, name, FeatureKind::Json, ListOrder::Set)?;
        }
        let name = feature(owner, "name", FeatureKind::Text, ListOrder::List)?;
        let kind = feature(owner, "type", FeatureKind::Category, ListOrder::List)?;
        let namespace = feature(owner, "namespace", FeatureKind::Text, ListOrder::List)?;
        let def = feature(owner, "def", FeatureKind::Json, ListOrder::List)?;
        let merge_type = feature(Owner::Merge, "type", FeatureKind::Category, ListOrder::List)?;
        let mut sources_of_text = None;
        if schema.features(owner).get(usize::from(def.0)).is_some_and(|def| def.kind == FeatureKind::Text) {
            let sources = FeatureDef { name: "def_xref".into(), kind: FeatureKind::Json, order: ListOrder::Set };
            sources_of_text = Some(schema.add_feature(owner, sources)?);
        }
        Some(Types { term, merge_type, name, kind, namespace, def, sources_of_text, lists })
    }

    /// The format of this name that knows these features and no others.
    pub(crate) fn format(&self, name: &str) -> Format {
        let mut of_term = vec![self.name, self.kind, self.namespace, self.def];
        of_term.extend(self.sources_of_text);
        of_term.extend(self.lists);
        let fields = vec![(Owner::Node(self.term), of_term), (Owner::Merge, vec![self.merge_type])];
        Format { name: name.into(), fields: Some(fields) }
    }
}

/// A term, as it is taken in.
#[derive(Default)]
pub(crate) struct Term {
    /// `CLASS` or `INDIVIDUAL`.
    kind: &'static str,
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) def: Option<Definition>,
    /// Lists of other names.
    pub(crate) others: BTreeMap<FeatureId, Vec<String>>,
    /// Items as JSON.
    lists: [Vec<String>; List::NAMES.len()],
}

/// A definition.
pub(crate) struct Definition {
    /// What it says.
    pub(crate) text: String,
    /// Its sources, a JSON list in the order of a set.
    pub(crate) sources: Option<String>,
    /// All of it, a JSON object.
    pub(crate) json: String,
}

impl Term {
    /// A term of this kind without features.
    pub(crate) fn of(kind: &'static str) -> Term {
        Term { kind, ..Term::default() }
    }

    /// Adds an item, given as JSON, to a list.
    pub(crate) fn add(&mut self, list: List, item: String) {
        self.lists[list as usize].push(item);
    }

    /// Adds a text to a list.
    pub(crate) fn add_text(&mut self, list: List, text: &str) {
        self.add(list, json(text));
    }

    /// Pushes the node. `id` is a normal one.
    pub(crate) fn push(mut self, id: &str, types: &Types, ids: &Ids, line: u64, sink: &mut dyn Sink) {
        let lists = self.lists.each_mut().map(set);
        let others: Vec<_> = self.others.iter_mut().map(|(feature, items)| (*feature, set(items))).collect();
        let mut features = vec![(types.kind, ValueRef::Category(self.kind))];
        features.extend(self.name.as_deref().map(|name| (types.name, ValueRef::Text(name))));
        features.extend(self.namespace.as_deref().map(|space| (types.namespace, ValueRef::Text(space))));
        if let Some(def) = &self.def {
            let value = types.sources_of_text.map_or(ValueRef::RawJson(&def.json), |_| ValueRef::Text(&def.text));
            features.push((types.def, value));
            let sources = types.sources_of_text.zip(def.sources.as_deref());
            features.extend(sources.map(|(feature, sources)| (feature, ValueRef::RawJson(sources))));
        }
        let others = others.iter().map(|(feature, list)| (feature, list));
        let lists = types.lists.iter().zip(&lists).chain(others);
        features.extend(lists.filter_map(|(feature, list)| Some((*feature, ValueRef::RawJson(list.as_deref()?)))));
        sink.node(types.term, &ids.id(id), &features, line);
    }
}

/// A text as JSON.
pub(crate) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_json(&mut out, text);
    out
}

fn write_json(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.extend(["\"", text, "\""]);
    } else {
        // Writing a text into memory cannot fail.
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

/// A member of a JSON object.
pub(crate) enum Member<'a> {
    Text(&'a str),
    Json(&'a str),
}

/// A JSON object of members in the order of their names; those without a value are left out.
pub(crate) fn object(members: &[(&str, Option<Member<'_>>)]) -> String {
    let mut out = String::with_capacity(96);
    for (name, value) in members {
        let Some(value) = value else { continue };
        out.push(if out.is_empty() { '{' } else { ',' });
        out.extend(["\"", name, "\":"]);
        match value {
            Member::Text(text) => write_json(&mut out, text),
            Member::Json(json) => out.push_str(json),
        }
    }
    out.push('}');
    out
}

/// A JSON list in the canonical order of a set; `None` for an empty one.
pub(crate) fn set(items: &mut Vec<String>) -> Option<String> {
    items.sort_unstable();
    items.dedup();
    let mut out = String::with_capacity(items.iter().map(|item| item.len() + 1).sum::<usize>() + 1);
    for item in &*items {
        out.push(if out.is_empty() { '[' } else { ',' });
        out.push_str(item);
    }
    out.push(']');
    (!items.is_empty()).then_some(out)
}
