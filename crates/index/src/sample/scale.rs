//! What edges weigh as of a time.

use std::ops::Range;
use std::sync::Arc;

use timeweft_graph::{EdgeIndex, EdgeTypeId, FeatureId, FeatureKind, Name, Owner, Time, Value};

use super::scope::SampleError;
use super::weights::{WeightFeatures, Weights};
use crate::Index;
use crate::adjacency::{Entry, ListSource, Tick};
use crate::elements::life::LifeRecord;

/// Which feature is the weight of an edge. Edges that have no value of it weigh 1.0. Draws by weight never take an edge
/// whose weight is not above 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WeightBy {
    /// All weigh 1.0.
    One,
    /// The feature of this name, of all edge types that have it.
    Feature(Name),
    /// These features of these edge types; edges of the others weigh 1.0.
    PerType(Vec<(EdgeTypeId, Name)>),
}

impl WeightBy {
    /// The features, if any edge type has one.
    fn features(&self, index: &Index) -> Result<Option<WeightFeatures>, SampleError> {
        let types = index.schema.edge_types();
        let of = |at: usize, name: &Name| -> Result<Option<FeatureId>, SampleError> {
            let owner = Owner::Edge(EdgeTypeId(at as u16));
            let Some((id, def)) = index.schema.feature(owner, name) else { return Ok(None) };
            check_kind(def.kind, || index.schema.owner_name(owner), name).map(|()| Some(id))
        };
        match self {
            WeightBy::One => Ok(None),
            WeightBy::Feature(name) => {
                let features: WeightFeatures = (0..types.len()).map(|at| of(at, name)).collect::<Result<_, _>>()?;
                let unknown = || SampleError::UnknownWeight { owner: "edge type".into(), feature: name.to_string() };
                if features.iter().all(Option::is_none) { Err(unknown()) } else { Ok(Some(features)) }
            }
            WeightBy::PerType(named) => {
                let mut features = vec![None; types.len()];
                for (edge_type, name) in named {
                    let feature = if edge_type.at() < types.len() { of(edge_type.at(), name)? } else { None };
                    let owner = || format!("edge of type {}", edge_type.0);
                    let unknown = || SampleError::UnknownWeight { owner: owner(), feature: name.to_string() };
                    features[edge_type.at().min(types.len().saturating_sub(1))] = Some(feature.ok_or_else(unknown)?);
                }
                Ok(Some(features))
            }
        }
    }
}

/// Refuses a feature that is not one number.
pub(crate) fn check_kind(kind: FeatureKind, owner: impl FnOnce() -> String, feature: &Name) -> Result<(), SampleError> {
    match kind {
        FeatureKind::Dense { scalar: true, .. } => Ok(()),
        other => Err(SampleError::NotAWeight { owner: owner(), feature: feature.to_string(), kind: other.to_string() }),
    }
}

/// Weights as of a time.
#[derive(Clone, Copy)]
pub(crate) struct Scale<'a> {
    pub(crate) index: &'a Index,
    /// `None` if all edges weigh 1.0.
    weights: Option<&'a Weights>,
    /// The weights of the entries of the CSR, as a slice: draws read one for each entry that they look at.
    by_entry: &'a [f64],
    /// The last time that is seen.
    pub(crate) last: Time,
}

impl<'w> Scale<'w> {
    #[inline]
    pub(crate) fn new(index: &'w Index, weights: Option<&'w Weights>, last: Time) -> Scale<'w> {
        Scale { index, weights, by_entry: weights.map_or(&[], Weights::by_entry), last }
    }

    /// The weights, unless all edges weigh 1.0.
    #[inline]
    pub(crate) fn weights(&self) -> Option<&'w Weights> {
        self.weights
    }

    /// The weight of an entry of the CSR; with the sign set, its highest one.
    #[inline]
    pub(crate) fn highest(&self, place: usize) -> f64 {
        self.by_entry[place]
    }

    /// The weight of the entry at a place.
    #[inline]
    pub(crate) fn weigh<'a, T: Tick, P: ListSource<'a, T>>(&self, place: usize, entry: &Entry<T>) -> f64 {
        if self.weights.is_none() {
            return 1.0;
        }
        match self.by_entry.get(place) {
            Some(weight) if P::IS_CSR && weight.is_sign_positive() => *weight,
            _ => self.read(entry.edge()),
        }
    }

    /// The weights of the entries at places where they are known, else none; those with the sign set must be read.
    #[inline]
    pub(crate) fn of_places<'a, T: Tick, P: ListSource<'a, T>>(&self, places: Range<u32>) -> &'w [f64] {
        let is_known = P::IS_CSR && self.weights.is_some();
        if is_known { &self.by_entry[places.start as usize..places.end as usize] } else { &[] }
    }

    /// Reads the weight of an edge.
    #[cold]
    pub(crate) fn read(&self, edge: EdgeIndex) -> f64 {
        let Some(weights) = self.weights else { return 1.0 };
        let life = self.index.edges.get(edge);
        let Some(feature) = weights.features.get(life.edge_type.at()).copied().flatten() else { return 1.0 };
        let feature_store = &self.index.feature_store;
        let held = feature_store.bytes(feature_store.value_at(life.feature_row(), feature, life.as_of(self.last)));
        held.and_then(|held| Value::number_in(&held)).unwrap_or(1.0)
    }
}

impl Index {
    /// The weights by some features, made now if they are not there yet.
    pub(crate) fn weights(&self, by: &WeightBy) -> Result<Option<Arc<Weights>>, SampleError> {
        let Some(features) = by.features(self)? else { return Ok(None) };
        let adjacency = self.adjacency();
        self.weights.retain(|known| adjacency.is_csr(&known.id));
        let make = |features| Weights::of(adjacency, &self.edges, &self.feature_store, features);
        Ok(Some(self.weights.of(features, make)))
    }
}
