//! Kinds of features that grow wider: every value that is known becomes one of the wider kind.
//!
//! It happens once and to all values of a feature, because readers look at bytes of one kind by the million.

use rustc_hash::FxHashMap;
use timeweft_graph::{DeltaError, FeatureId, FeatureKind, Owner, Schema, Value};

use crate::elements::events::Subject;
use crate::elements::life::LifeRecord;
use crate::feature_store::FeatureStore;
use crate::{Index, NONE};

/// A value that the wider kind cannot hold exactly.
#[derive(Clone, PartialEq, Debug)]
pub struct NotExact {
    /// The owner of the feature.
    pub owner: Owner,
    /// The feature.
    pub feature: FeatureId,
    /// The kind that it should get.
    pub kind: FeatureKind,
    /// The first value found.
    pub value: Option<Value>,
}

impl Index {
    /// Brings the kinds of all features to those that another schema has for them. After an error the index is of no use.
    pub fn widen_to(&mut self, schema: &Schema) -> Result<(), NotExact> {
        // All are found first: a kind that is set is that of what other namespaces say of the feature, too.
        let mut wider = Vec::new();
        for owner in self.schema.owners() {
            let features = (0..).map(FeatureId).zip(self.schema.features(owner).iter().zip(schema.features(owner)));
            let wanted = features.filter(|(_, (def, wanted))| def.kind != wanted.kind);
            let kinds: FxHashMap<_, _> = wanted.map(|(feature, (_, wanted))| (feature, wanted.kind)).collect();
            if !kinds.is_empty() {
                wider.push((owner, kinds));
            }
        }
        wider.iter().try_for_each(|(owner, kinds)| self.widen(*owner, kinds))
    }

    /// Widens features of an owner, all in one pass.
    fn widen(&mut self, owner: Owner, kinds: &FxHashMap<FeatureId, FeatureKind>) -> Result<(), NotExact> {
        let mut widening =
            Widening { feature_store: &mut self.feature_store, owner, kinds, known: FxHashMap::default() };
        match owner {
            Owner::Node(of) => {
                let lives = self.nodes.lives.iter_mut().filter(|life| life.node_type == of);
                widening.lives(lives)?;
            }
            Owner::Edge(of) => widening.lives(self.edges.lives.iter_mut().filter(|life| life.edge_type == of))?,
            Owner::Merge => widening.lives(self.merges.all.iter_mut())?,
        }
        let (nodes, edges) = (&self.nodes.lives, &self.edges.lives);
        let owner_of = |subject: Subject| match subject {
            Subject::Node(life) => Owner::Node(nodes[life as usize].node_type),
            Subject::Edge(life) => Owner::Edge(edges[life as usize].edge_type),
            Subject::Merge(_) => Owner::Merge,
        };
        self.events.each_set(|subject, set| {
            if let Some(kind) = kinds.get(&set.feature).filter(|_| owner_of(subject) == owner) {
                set.value = widening.number((set.feature, *kind), set.value)?;
            }
            Ok(())
        })?;
        kinds.iter().for_each(|(&feature, &kind)| self.schema.set_kind(owner, feature, kind));
        self.texts.forget();
        self.weights.forget();
        self.tallies.take();
        self.finder.take();
        Ok(())
    }
}

/// Features of an owner on their way to wider kinds.
struct Widening<'a> {
    feature_store: &'a mut FeatureStore,
    owner: Owner,
    kinds: &'a FxHashMap<FeatureId, FeatureKind>,
    /// Numbers of values, by their features and those that they had.
    known: FxHashMap<(FeatureId, u32), u32>,
}

impl Widening<'_> {
    fn lives<'l, L: LifeRecord + 'l>(&mut self, lives: impl Iterator<Item = &'l mut L>) -> Result<(), NotExact> {
        for life in lives {
            let mut feature_row = life.feature_row();
            if let Some(kind) = self.kinds.get(&feature_row.only) {
                feature_row.at = self.number((feature_row.only, *kind), feature_row.at)?;
                life.set_feature_row(feature_row);
            } else {
                for (feature, place) in
                    self.feature_store.places(feature_row, |feature| self.kinds.contains_key(&feature))
                {
                    let old = self.feature_store.number_in(place);
                    let new = self.number((feature, self.kinds[&feature]), old)?;
                    self.feature_store.set_number(place, new);
                }
            }
        }
        Ok(())
    }

    /// The number of the wider value.
    fn number(&mut self, (feature, kind): (FeatureId, FeatureKind), old: u32) -> Result<u32, NotExact> {
        if old == NONE {
            return Ok(NONE);
        }
        if let Some(known) = self.known.get(&(feature, old)) {
            return Ok(*known);
        }
        let value = self.feature_store.value(old);
        let Some(wide) = value.as_ref().and_then(|value| value.widened(kind)) else {
            return Err(NotExact { owner: self.owner, feature, kind, value });
        };
        let new = self.feature_store.add(self.owner, feature, &wide);
        self.known.insert((feature, old), new);
        Ok(new)
    }
}

impl NotExact {
    /// The error of a load, with the names of a schema.
    pub fn of(self, schema: &Schema) -> DeltaError {
        let feature = schema.features(self.owner).get(self.feature.at()).map(|def| def.name.clone());
        DeltaError::NotExact {
            feature: feature.unwrap_or_else(|| "".into()),
            owner: schema.owner_name(self.owner),
            kind: self.kind.to_string(),
            value: self.value.map_or_else(String::new, |value| value.to_string()),
        }
    }
}
