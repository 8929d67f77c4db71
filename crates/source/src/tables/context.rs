//! What all entries of a mapping share, and how they declare features.

use std::cell::RefCell;

use timeweft_graph::{FeatureDef, FeatureId, Name, Owner, Sink, TimeUnit};

use super::drift::Drift;
use super::kind::Kind;
use super::mapping::FeatureSpec;
use super::table_set::Place;
use crate::SourceError;
use crate::text::floored::Floored;

/// What all entries of a mapping share while they are read.
pub(crate) struct Context<'a> {
    pub(crate) mapping: Name,
    pub(crate) place: Place<'a>,
    pub(crate) null: Option<&'a [String]>,
    pub(crate) unit: TimeUnit,
    pub(crate) drift: Drift,
    /// Times of the present table.
    pub(crate) floored: RefCell<Floored>,
}

impl Context<'_> {
    pub(crate) fn fail(&self, problem: String) -> SourceError {
        SourceError::Document { file: self.mapping.clone(), line: 0, problem }
    }

    pub(crate) fn full(&self) -> SourceError {
        SourceError::TooManyTypes { file: self.mapping.clone(), line: 0 }
    }

    /// Declares a feature, and refuses another kind than the graph has; a narrower one is read as what the graph has.
    pub(crate) fn declare(
        &self,
        owner: Owner,
        spec: &FeatureSpec,
        kind: Kind,
        sink: &mut dyn Sink,
    ) -> Result<(FeatureId, Kind), SourceError> {
        let def = FeatureDef { name: spec.name.clone(), kind: kind.feature_kind(), order: spec.order };
        let known = sink.schema().feature(owner, &spec.name).map(|(_, def)| def.kind);
        let kind = match known {
            None => kind,
            Some(known) if known == kind.feature_kind() => kind,
            // What could be widened was, before the first record.
            Some(known) if known.wider(kind.feature_kind()).is_some() => Kind::Plain(known),
            Some(known) => {
                let (name, owner) = (&spec.name, sink.schema().owner_name(owner));
                return Err(self.fail(format!(
                    "feature `{name}` of {owner} holds {known} in this graph, and {} in the mapping: give it another name, \
                     or the kind that it has",
                    kind.feature_kind()
                )));
            }
        };
        sink.schema().add_feature(owner, def).map(|id| (id, kind)).ok_or_else(|| self.full())
    }
}
