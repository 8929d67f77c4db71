//! Weights of edges beside the lists that they lie in, made on first use.
//!
//! A weight is a feature, so it may change during an edge's life. The array has the highest that each edge ever has,
//! and marks those that have to be read as of a time by their sign. Draws propose by the array and accept by what holds
//! at the time, which is exact.

use rustc_hash::FxHashMap;
use timeweft_graph::{FeatureId, Value};

use crate::adjacency::{Adjacency, BLOCK, CsrId, CsrLists, ListPart, Tick, of_csr};
use crate::elements::edge::{EdgeLife, Edges};
use crate::elements::life::LifeRecord;
use crate::feature_store::FeatureStore;
use crate::memory::array::Array;

/// The weight feature of each edge type.
pub(crate) type WeightFeatures = Vec<Option<FeatureId>>;

/// Heavier edges count as this heavy, so that sums of weights stay finite.
const HEAVIEST: f64 = 1e290;

/// A weight as draws take it: 0 if it is not a number above 0.
pub(crate) fn clean(weight: f64) -> f64 {
    if weight > 0.0 { weight.min(HEAVIEST) } else { 0.0 }
}

/// The weights of all entries of the CSR.
pub(crate) struct Weights {
    pub(crate) features: WeightFeatures,
    pub(crate) id: CsrId,
    /// For each entry its weight; with the sign set, its highest one, and it must be read.
    by_entry: Array<f64>,
    /// Sums up to and with each entry of the long lists, of the highest weights.
    sums: Array<f64>,
    /// Highest weight of each block of the long lists.
    tops: Vec<f64>,
    /// Where the sums and highest weights of a long list begin.
    long: FxHashMap<u32, (u32, u32)>,
}

impl Weights {
    pub(crate) fn of(adjacency: &Adjacency, edges: &Edges, store: &FeatureStore, features: WeightFeatures) -> Weights {
        let id = adjacency.csr_id();
        let (by_entry, sums) = Default::default();
        let mut weights = Weights { features, id, by_entry, sums, tops: Vec::new(), long: FxHashMap::default() };
        let by_edge: Vec<f64> = edges.lives.iter().map(|life| weights.highest(store, life)).collect();
        of_csr!(adjacency, lists => weights.lay_out(lists, &by_edge));
        weights
    }

    fn lay_out<T: Tick>(&mut self, lists: CsrLists<'_, T>, by_edge: &[f64]) {
        self.by_entry = Array::zeros_read_everywhere(lists.entries.len());
        self.by_entry
            .iter_mut()
            .zip(lists.entries.iter())
            .for_each(|(weight, entry)| *weight = by_edge[entry.edge().at()]);
        let long = || lists.all().filter(|part| part.len() > BLOCK);
        self.sums = Array::zeros_read_everywhere(long().map(|part| part.len()).sum());
        let mut start = 0;
        for part in long() {
            self.long.insert(part.list, (start as u32, self.tops.len() as u32));
            let own = &self.by_entry[part.start as usize..part.end as usize];
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
    fn highest(&self, store: &FeatureStore, life: &EdgeLife) -> f64 {
        let Some(feature) = self.features.get(life.edge_type.at()).copied().flatten() else { return 1.0 };
        let held = store.history(life.feature_row(), life.interval).filter(|(id, ..)| *id == feature);
        let (mut top, mut always, mut n) = (f64::NEG_INFINITY, true, 0);
        for (_, interval, value) in held {
            let weight = store.bytes(value).and_then(|held| Value::number_in(&held)).unwrap_or(1.0);
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

    /// The weights of the entries of the CSR.
    #[inline]
    pub(crate) fn by_entry(&self) -> &[f64] {
        self.by_entry.all()
    }

    /// Sums of highest weights up to and with each of the first `n` entries of a part of a long list of the CSR, of which so
    /// many entries were skipped; and the sum of these.
    pub(crate) fn sums(&self, part: &ListPart, skipped: usize, n: usize) -> (f64, &[f64]) {
        let start = self.long.get(&part.list).map_or(self.sums.len(), |(start, _)| *start as usize);
        let sums = self.sums.get_range(start..start + skipped + n).unwrap_or_default();
        let (before, sums) = sums.split_at(skipped.min(sums.len()));
        (before.last().copied().unwrap_or(0.0), sums)
    }

    /// Highest weight of each of the first `n` blocks of a part of a long list of the CSR, of which so many entries were skipped.
    pub(crate) fn tops(&self, part: &ListPart, skipped: usize, n: usize) -> &[f64] {
        let start = self.long.get(&part.list).map_or(self.tops.len(), |(_, start)| *start as usize);
        let start = start + skipped / BLOCK;
        self.tops.get(start..start + n).unwrap_or_default()
    }
}
