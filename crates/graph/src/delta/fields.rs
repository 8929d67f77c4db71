//! The fields of a namespace: which features its readers know, so that a better reader is no change of the data.
//!
//! KBase found that one new field in a parser re-versions a whole graph, and declined to load old data again for it. Two
//! versions are therefore compared on the features that both their readers know.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::rows::Projection;
use crate::{FeatureId, Format, Name, Owner, OwnerName, Schema};

/// The features that the versions of a namespace have, by owner.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(OwnerName, BTreeSet<Name>)>", into = "Vec<(OwnerName, BTreeSet<Name>)>")]
pub struct Fields(BTreeMap<OwnerName, BTreeSet<Name>>);

impl From<Vec<(OwnerName, BTreeSet<Name>)>> for Fields {
    fn from(fields: Vec<(OwnerName, BTreeSet<Name>)>) -> Fields {
        Fields(fields.into_iter().collect())
    }
}

impl From<Fields> for Vec<(OwnerName, BTreeSet<Name>)> {
    fn from(fields: Fields) -> Self {
        fields.0.into_iter().collect()
    }
}

impl Fields {
    /// The fields that a reader knows; `None` if they follow from the data.
    pub fn of(schema: &Schema, format: &Format) -> Option<Fields> {
        let fields = format.fields.as_ref()?;
        let named = fields.iter().map(|(owner, features)| {
            let defs = schema.features(*owner);
            let names = features.iter().filter_map(|id| Some(defs.get(id.at())?.name.clone()));
            (OwnerName::of(schema, *owner), names.collect())
        });
        Some(Fields(named.collect()))
    }

    fn get(&self, owner: &OwnerName) -> Option<&BTreeSet<Name>> {
        self.0.get(owner)
    }
}

/// How the fields of a version stand to those of its namespace.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Common {
    /// What the namespace knew before, and what the version's reader knows, where both said so.
    sides: Option<(Fields, Fields)>,
    add: bool,
    /// The fields of the namespace after the version; `None` if they follow from the data.
    pub after: Option<Fields>,
}

impl Common {
    /// Compares what a namespace knows with what a version's reader knows. `add` takes new fields in.
    pub fn new(known: Option<&Fields>, version: Option<&Fields>, add: bool) -> Common {
        let (Some(known), Some(version)) = (known, version) else {
            return Common { sides: None, add, after: version.cloned() };
        };
        let mut after = known.clone();
        for (owner, names) in &version.0 {
            let known = after.0.get_mut(owner);
            match known {
                Some(known) if add => known.extend(names.iter().cloned()),
                Some(_) => {}
                // Of a type that the namespace never had there is no data that would change.
                None => _ = after.0.insert(owner.clone(), names.clone()),
            }
        }
        Common { sides: Some((known.clone(), version.clone())), add, after: Some(after) }
    }

    /// Whether a feature is compared and written. All features of a type do of which one side says nothing.
    pub fn counts(&self, owner: &OwnerName, feature: &Name) -> bool {
        let Some((known, version)) = &self.sides else { return true };
        let (Some(known), Some(version)) = (known.get(owner), version.get(owner)) else { return true };
        version.contains(feature) && (self.add || known.contains(feature))
    }

    /// Whether a feature is new to a type that the namespace had before: one of [`Common::new_fields`].
    pub fn is_new(&self, owner: &OwnerName, feature: &Name) -> bool {
        let Some((known, version)) = &self.sides else { return false };
        let has = |fields: &Fields| fields.get(owner).is_some_and(|names| names.contains(feature));
        known.get(owner).is_some() && !has(known) && has(version)
    }

    /// The new fields as `type.feature`, sorted.
    pub fn new_fields(&self) -> Vec<String> {
        let Some((known, version)) = &self.sides else { return Vec::new() };
        beyond(known, version)
    }

    /// The fields that the version's reader does not know any more; their values stay as they are.
    pub fn missing_fields(&self) -> Vec<String> {
        let Some((known, version)) = &self.sides else { return Vec::new() };
        beyond(version, known)
    }

    /// The same by the numbers of a schema, for a [`crate::rows::RowWriter`].
    pub fn projection(&self, schema: &Schema) -> Projection {
        let mut projection = FxHashMap::default();
        let Some((known, version)) = &self.sides else { return projection };
        let nodes = (0..).zip(schema.node_types()).map(|(id, _)| Owner::Node(crate::NodeTypeId(id)));
        let edges = (0..).zip(schema.edge_types()).map(|(id, _)| Owner::Edge(crate::EdgeTypeId(id)));
        for owner in nodes.chain(edges).chain([Owner::Merge]) {
            let name = OwnerName::of(schema, owner);
            if known.get(&name).is_some() && version.get(&name).is_some() {
                let features = (0..).map(FeatureId).zip(schema.features(owner));
                let counted = features.filter(|(_, def)| self.counts(&name, &def.name)).map(|(id, _)| id);
                projection.insert(owner, counted.collect());
            }
        }
        projection
    }
}

/// What `b` has beyond `a`, of the owners that both have.
fn beyond(a: &Fields, b: &Fields) -> Vec<String> {
    let both = b.0.iter().filter_map(|(owner, names)| Some((owner, names, a.get(owner)?)));
    let mut fields: Vec<_> = both
        .flat_map(|(owner, names, known)| names.difference(known).map(move |name| format!("{owner}.{name}")))
        .collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}
