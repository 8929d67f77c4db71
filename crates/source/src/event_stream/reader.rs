//! Features as the schema declares them, or as they look.

use rustc_hash::FxHashMap;
use timeweft_graph::{FeatureKind, Features, Name, Owner, OwnerName, Schema, Value};

use crate::text::feature_text::{self, Inferred};
use crate::text::json::Members;
use crate::text::names::Names;

/// Reads features; remembers what lists and JSON showed, so that an empty list can be told.
pub(crate) struct FeatureReader {
    schema: Schema,
    /// By the first value of each feature that is not declared.
    shown: FxHashMap<OwnerName, FxHashMap<Name, FeatureKind>>,
    /// Whether numbers and texts are remembered too.
    remembers_all: bool,
    /// The features of the empty lists that nothing has told.
    untold: Vec<(OwnerName, Name)>,
}

impl FeatureReader {
    pub(crate) fn new(schema: &Schema) -> FeatureReader {
        FeatureReader { schema: schema.clone(), shown: FxHashMap::default(), remembers_all: false, untold: Vec::new() }
    }

    /// One that only finds out what values show.
    pub(crate) fn scout(&self) -> FeatureReader {
        FeatureReader { remembers_all: true, ..FeatureReader::new(&self.schema) }
    }

    /// The features of the empty lists that nothing had told when they were read: these are JSON for the time being.
    /// Each is told once.
    pub(crate) fn take_untold(&mut self) -> Vec<(OwnerName, Name)> {
        std::mem::take(&mut self.untold)
    }

    /// The kind that the values of a feature showed.
    pub(crate) fn shown(&self, subject: &OwnerName, name: &str) -> Option<FeatureKind> {
        self.shown.get(subject)?.get(name).copied()
    }

    /// Remembers the kind of a feature, unless it is known.
    pub(crate) fn show(&mut self, subject: &OwnerName, name: &Name, kind: FeatureKind) {
        if !self.shown.contains_key(subject) {
            self.shown.insert(subject.clone(), FxHashMap::default());
        }
        if let Some(kinds) = self.shown.get_mut(subject).filter(|kinds| !kinds.contains_key(name)) {
            kinds.insert(name.clone(), kind);
        }
    }

    /// The schema that was given.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Reads the `features` object of an element.
    pub(crate) fn read(
        &mut self,
        subject: &OwnerName,
        members: Members<'_>,
        names: &mut Names,
    ) -> Result<Features, String> {
        let owner = subject.find(&self.schema);
        let mut features = Features::with_capacity(members.0.len());
        for (name, raw) in members.0 {
            let name = names.get(&name);
            let value = match raw.get() {
                "null" => None,
                raw => Some(
                    self.value(subject, owner, &name, raw).map_err(|problem| format!("feature `{name}`: {problem}"))?,
                ),
            };
            features.push((name, value));
        }
        Ok(features)
    }

    /// The kind that the schema declares.
    pub(crate) fn declared(&self, subject: &OwnerName, name: &str) -> Option<FeatureKind> {
        let owner = subject.find(&self.schema)?;
        self.schema.feature(owner, name).map(|(_, def)| def.kind)
    }

    fn value(&mut self, subject: &OwnerName, owner: Option<Owner>, name: &Name, raw: &str) -> Result<Value, String> {
        let declared = owner.and_then(|owner| self.schema.feature(owner, name)).map(|(_, def)| def.kind);
        if let Some(kind) = declared {
            return feature_text::read(kind, raw);
        }
        match feature_text::infer(raw)? {
            Inferred::Value(value) => {
                let kind = FeatureKind::of(&value);
                if self.remembers_all || raw.starts_with('[') || kind == FeatureKind::Json {
                    self.show(subject, name, kind);
                }
                Ok(value)
            }
            Inferred::EmptyList => match self.shown(subject, name) {
                Some(kind) => feature_text::read(kind, raw),
                None => {
                    self.untold.push((subject.clone(), name.clone()));
                    feature_text::read(FeatureKind::Json, raw)
                }
            },
        }
    }
}
