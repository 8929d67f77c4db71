//! Values of features and when they hold.

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use timeweft_graph::{FeatureId, Interval, Numbers, Time, Value};

use crate::NONE;

/// A value from `created` on, until the next span of the feature or the end of the owner's life.
#[derive(Clone, Copy)]
struct Span {
    created: Time,
    /// Number of the value, or [`NONE`]: nothing from here on.
    value: u32,
    feature: FeatureId,
}

/// The features of all lives: one track a life, its spans sorted by (feature, created). Equal values are kept once.
#[derive(Clone, Default)]
pub(crate) struct Columns {
    tracks: Vec<Vec<Span>>,
    values: Vec<Value>,
    table: HashTable<u32>,
}

impl Columns {
    /// The value of a number.
    pub(crate) fn value(&self, id: u32) -> Option<&Value> {
        (id != NONE).then(|| self.values.get(id as usize)).flatten()
    }

    /// The number of a value, so that equal values have equal numbers. The caller bounds how many there are.
    pub(crate) fn intern(&mut self, value: &Value) -> u32 {
        let hash = hash(value);
        if let Some(&known) = self.table.find(hash, |&at| self.values[at as usize] == *value) {
            return known;
        }
        let id = self.values.len() as u32;
        self.values.push(value.clone());
        let values = &self.values;
        self.table.insert_unique(hash, id, |&at| self::hash(&values[at as usize]));
        id
    }

    /// How many distinct values there are.
    pub(crate) fn n_values(&self) -> usize {
        self.values.len()
    }

    /// A track for a new life that sets `features` features at once.
    pub(crate) fn open(&mut self, features: usize) -> u32 {
        if features == 0 {
            return NONE;
        }
        self.tracks.push(Vec::with_capacity(features));
        (self.tracks.len() - 1) as u32
    }

    /// Sets a feature from `time` on, which is not before any earlier set of it. What was set at the same time before is undone.
    pub(crate) fn set(&mut self, track: u32, feature: FeatureId, time: Time, value: u32) {
        let spans = &mut self.tracks[track as usize];
        let mut end = spans.partition_point(|span| span.feature <= feature);
        let last = |spans: &[Span], end: usize| end.checked_sub(1).map(|at| spans[at]).filter(|s| s.feature == feature);
        if last(spans, end).is_some_and(|span| span.created == time) {
            end -= 1;
            spans.remove(end);
        }
        if last(spans, end).map_or(NONE, |span| span.value) != value {
            spans.insert(end, Span { created: time, value, feature });
        }
    }

    /// The values that hold at a time of the life: at most one of each feature, in the order of the schema.
    pub(crate) fn at(&self, track: u32, time: Time) -> impl Iterator<Item = (FeatureId, u32)> {
        self.features(track).filter_map(move |spans| {
            let end = spans.partition_point(|span| span.created <= time);
            let span = spans[..end].last()?;
            (span.value != NONE).then_some((span.feature, span.value))
        })
    }

    /// Every value that held in the life and when, by (feature, created).
    pub(crate) fn history(&self, track: u32, life: Interval) -> impl Iterator<Item = (FeatureId, Interval, u32)> {
        self.features(track).flat_map(move |spans| {
            spans.iter().enumerate().filter_map(move |(at, span)| {
                let removed = spans.get(at + 1).map_or(life.removed, |next| next.created.min(life.removed));
                let interval = Interval::new(span.created, removed)?;
                (span.value != NONE).then_some((span.feature, interval, span.value))
            })
        })
    }

    /// The spans of each feature.
    fn features(&self, track: u32) -> impl Iterator<Item = &[Span]> {
        let spans: &[Span] = if track == NONE { &[] } else { &self.tracks[track as usize] };
        spans.chunk_by(|a, b| a.feature == b.feature)
    }
}

/// Equal values have equal hashes.
fn hash(value: &Value) -> u64 {
    let mut hasher = FxHasher::default();
    std::mem::discriminant(value).hash(&mut hasher);
    match value {
        Value::Dense(dense) => numbers(&dense.numbers, &mut hasher),
        Value::Sparse(sparse) => {
            sparse.coordinates.hash(&mut hasher);
            numbers(&sparse.values, &mut hasher);
        }
        Value::Text(text) | Value::Category(text) => text.hash(&mut hasher),
        Value::Bytes(bytes) => bytes.hash(&mut hasher),
        Value::Json(json) => json.hash(&mut hasher),
    }
    hasher.finish()
}

fn numbers(numbers: &Numbers, hasher: &mut FxHasher) {
    match numbers {
        // The two common kinds without a copy.
        Numbers::F32(values) => values.iter().for_each(|value| value.to_bits().hash(hasher)),
        Numbers::F64(values) => values.iter().for_each(|value| value.to_bits().hash(hasher)),
        other => other.to_le_bytes().hash(hasher),
    }
}
