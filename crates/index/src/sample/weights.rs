//! Weights of edges beside the lists that they lie in, made on first use.
//!
//! A weight is a feature, so it may change during an edge's life. The array has the highest that each edge ever has,
//! and marks those that have to be read as of a time by their sign. Draws propose by the array and accept by what holds
//! at the time, which is exact.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashMap;
use timeweft_graph::{EdgeIndex, EdgeTypeId, FeatureId, FeatureKind, Name, Owner, Time, Value};

use super::scope::SampleError;
use crate::Index;
use crate::adjacency::{BLOCK, Entry, FlatId, Layout, Lists, Part, Parts, Tick};
use crate::elements::life::Life;
use crate::memory::array::Array;

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

/// The weight feature of each edge type.
type Features = Vec<Option<FeatureId>>;

impl WeightBy {
    /// The features, if any edge type has one.
    fn features(&self, index: &Index) -> Result<Option<Features>, SampleError> {
        let types = index.schema.edge_types();
        let of = |at: usize, name: &Name| -> Result<Option<FeatureId>, SampleError> {
            let owner = Owner::Edge(EdgeTypeId(at as u16));
            let Some((id, def)) = index.schema.feature(owner, name) else { return Ok(None) };
            check_kind(def.kind, || index.schema.owner_name(owner), name).map(|()| Some(id))
        };
        match self {
            WeightBy::One => Ok(None),
            WeightBy::Feature(name) => {
                let features: Features = (0..types.len()).map(|at| of(at, name)).collect::<Result<_, _>>()?;
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

/// Heavier edges count as this heavy, so that sums of weights stay finite.
const HEAVIEST: f64 = 1e290;

/// A weight as draws take it: 0 if it is not a number above 0.
pub(crate) fn clean(weight: f64) -> f64 {
    if weight > 0.0 { weight.min(HEAVIEST) } else { 0.0 }
}

/// The weights of all entries of the flat lists.
pub(crate) struct Weights {
    features: Features,
    id: FlatId,
    /// For each entry its weight; with the sign set, its highest one, and it must be read.
    flat: Array<f64>,
    /// Sums up to and with each entry of the long lists, of the highest weights.
    sums: Array<f64>,
    /// Highest weight of each block of the long lists.
    tops: Vec<f64>,
    /// Where the sums and highest weights of a long list begin.
    long: FxHashMap<u32, (u32, u32)>,
}

impl Weights {
    fn of(index: &Index, features: Features) -> Weights {
        let adjacency = index.adjacency();
        let id = adjacency.flat_id();
        let (flat, sums) = Default::default();
        let mut weights = Weights { features, id, flat, sums, tops: Vec::new(), long: FxHashMap::default() };
        let edges = (0..index.n_edges() as u32).map(EdgeIndex);
        let by_edge: Vec<f64> = edges.map(|edge| weights.highest(index, edge)).collect();
        match adjacency.layout() {
            Layout::Narrow(lists) => weights.lay_out(lists, &by_edge),
            Layout::Wide(lists) => weights.lay_out(lists, &by_edge),
        }
        weights
    }

    fn lay_out<T: Tick>(&mut self, lists: Lists<'_, T>, by_edge: &[f64]) {
        self.flat = Array::zeros_read_everywhere(lists.entries.len());
        self.flat.iter_mut().zip(lists.entries.iter()).for_each(|(weight, entry)| *weight = by_edge[entry.edge().at()]);
        let long = || lists.all().filter(|part| part.len() > BLOCK);
        self.sums = Array::zeros_read_everywhere(long().map(|part| part.len()).sum());
        let mut start = 0;
        for part in long() {
            self.long.insert(part.list, (start as u32, self.tops.len() as u32));
            let own = &self.flat[part.start as usize..part.end as usize];
            let mut sum = 0.0;
            for (total, weight) in self.sums[start..].iter_mut().zip(own) {
                sum += clean(weight.abs());
                *total = sum;
            }
            start += own.len();
            self.tops.extend(own.chunks(BLOCK).map(|block| block.iter().fold(0.0, |top: f64, w| top.max(w.abs()))));
        }
    }

    /// The highest weight that an edge ever has, marked if it has others too.
    fn highest(&self, index: &Index, edge: EdgeIndex) -> f64 {
        let life = index.edges.get(edge);
        let Some(feature) = self.features.get(life.edge_type.at()).copied().flatten() else { return 1.0 };
        let held = index.columns.history(life.track(), life.interval).filter(|(id, ..)| *id == feature);
        let (mut top, mut always, mut n) = (f64::NEG_INFINITY, true, 0);
        for (_, interval, value) in held {
            let weight = index.columns.bytes(value).and_then(|held| Value::number_in(&held)).unwrap_or(1.0);
            always &= interval == life.interval && (0.0..=HEAVIEST).contains(&weight) && weight.is_sign_positive();
            (top, n) = (top.max(weight), n + 1);
        }
        match n {
            0 => 1.0,
            _ if always => top,
            // Where it has no value it weighs 1.0.
            _ => -top.max(1.0),
        }
    }

    /// The weights of the entries of the flat lists.
    #[inline]
    pub(crate) fn flat(&self) -> &[f64] {
        self.flat.all()
    }

    /// Sums of highest weights up to and with each entry of a long flat list.
    pub(crate) fn sums(&self, part: &Part) -> &[f64] {
        let start = self.long.get(&part.list).map_or(self.sums.len(), |(start, _)| *start as usize);
        self.sums.get_range(start..start + part.len()).unwrap_or_default()
    }

    /// Highest weight of each block of a long flat list.
    pub(crate) fn tops(&self, part: &Part) -> &[f64] {
        let start = self.long.get(&part.list).map_or(self.tops.len(), |(_, start)| *start as usize);
        self.tops.get(start..start + part.len().div_ceil(BLOCK)).unwrap_or_default()
    }
}

/// Weights as of a time.
#[derive(Clone, Copy)]
pub(crate) struct Scale<'a> {
    pub(crate) index: &'a Index,
    /// `None` if all edges weigh 1.0.
    weights: Option<&'a Weights>,
    /// The weights of the entries of the flat lists, as a slice: draws read one for each entry that they look at.
    flat: &'a [f64],
    /// The last time that is seen.
    pub(crate) last: Time,
}

impl<'w> Scale<'w> {
    #[inline]
    pub(crate) fn new(index: &'w Index, weights: Option<&'w Weights>, last: Time) -> Scale<'w> {
        Scale { index, weights, flat: weights.map_or(&[], Weights::flat), last }
    }

    /// The weights, unless all edges weigh 1.0.
    #[inline]
    pub(crate) fn weights(&self) -> Option<&'w Weights> {
        self.weights
    }

    /// The weight of an entry of the flat lists; with the sign set, its highest one.
    #[inline]
    pub(crate) fn highest(&self, place: usize) -> f64 {
        self.flat[place]
    }

    /// The weight of the entry at a place.
    #[inline]
    pub(crate) fn weigh<'a, T: Tick, P: Parts<'a, T>>(&self, place: usize, entry: &Entry<T>) -> f64 {
        if self.weights.is_none() {
            return 1.0;
        }
        match self.flat.get(place) {
            Some(weight) if P::FLAT && weight.is_sign_positive() => *weight,
            _ => self.read(entry.edge()),
        }
    }

    /// The weights of the entries at places where they are known, else none; those with the sign set must be read.
    #[inline]
    pub(crate) fn of_places<'a, T: Tick, P: Parts<'a, T>>(&self, places: Range<u32>) -> &'w [f64] {
        if P::FLAT && self.weights.is_some() { &self.flat[places.start as usize..places.end as usize] } else { &[] }
    }

    /// Reads the weight of an edge.
    #[cold]
    pub(crate) fn read(&self, edge: EdgeIndex) -> f64 {
        let Some(weights) = self.weights else { return 1.0 };
        let life = self.index.edges.get(edge);
        let Some(feature) = weights.features.get(life.edge_type.at()).copied().flatten() else { return 1.0 };
        let columns = &self.index.columns;
        let held = columns.bytes(columns.value_at(life.track(), feature, life.as_of(self.last)));
        held.and_then(|held| Value::number_in(&held)).unwrap_or(1.0)
    }
}

/// The weights that were asked for so far, each made on first use.
#[derive(Default)]
pub(crate) struct WeightCache(Mutex<Vec<(Features, Cell)>>);

/// Made once, while others can be asked for.
type Cell = Arc<OnceLock<Arc<Weights>>>;

impl WeightCache {
    /// Drops them: the weight of an edge that has one is about to change.
    pub(crate) fn forget(&mut self) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Clone for WeightCache {
    fn clone(&self) -> WeightCache {
        WeightCache(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}

impl Index {
    /// The weights by some features, made now if they are not there yet.
    pub(crate) fn weights(&self, by: &WeightBy) -> Result<Option<Arc<Weights>>, SampleError> {
        let Some(features) = by.features(self)? else { return Ok(None) };
        let adjacency = self.adjacency();
        let mut known = self.weights.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, cell)| cell.get().is_none_or(|weights| adjacency.is_flat(&weights.id)));
        let cell = match known.iter().find(|(of, _)| *of == features) {
            Some((_, cell)) => cell.clone(),
            None => {
                known.push((features.clone(), Cell::default()));
                known.last().map(|(_, cell)| cell.clone()).unwrap_or_default()
            }
        };
        drop(known);
        Ok(Some(cell.get_or_init(|| Arc::new(Weights::of(self, features))).clone()))
    }
}
