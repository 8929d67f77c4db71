//! Values of features and when they hold.

use bytemuck::{Pod, Zeroable};
use rustc_hash::FxHashMap;
use timeweft_graph::{FeatureId, Interval, Owner, Time, Value};

use crate::NONE;
use crate::array::{Array, fetch};
use crate::values::{Held, Values};

/// A value from `created` on, until the next span of the feature or the end of the owner's life.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Span {
    created: Time,
    /// Number of the value, or [`NONE`]: nothing from here on.
    value: u32,
    feature: FeatureId,
    unused: u16,
}

/// The features that a life was given at once, most often the only ones it ever has.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Track {
    created: Time,
    /// Where its values begin in [`Columns::first`].
    start: u32,
    /// Number of its shape; and [`CHANGED`] if [`Columns::changed`] has its spans, because some changed later.
    shape: u32,
}

/// The features of all lives: one track a life.
#[derive(Clone, Default)]
pub(crate) struct Columns {
    pub(crate) tracks: Array<Track>,
    /// Numbers of the values that each track was opened with, in the order of its shape. They never change.
    pub(crate) first: Array<u32>,
    pub(crate) shapes: Shapes,
    /// The spans of the tracks that changed, sorted by (feature, created).
    pub(crate) changed: FxHashMap<u32, Vec<Span>>,
    pub(crate) values: Values,
    pub(crate) scratch: Vec<u8>,
}

/// Marks a track that changed, in its shape.
const CHANGED: u32 = 1 << 31;

impl Track {
    fn is_changed(self) -> bool {
        self.shape & CHANGED != 0
    }
}

/// Which features lives are given: most lives of a type are given the same ones.
#[derive(Clone, Default)]
pub(crate) struct Shapes {
    pub(crate) all: Vec<Box<[FeatureId]>>,
    numbers: FxHashMap<Box<[FeatureId]>, u32>,
    last: usize,
}

impl Shapes {
    /// So many shapes are kept as they are.
    const MOST: usize = 1 << 12;

    /// The number of these features, in their order; none if there are too many shapes for another one.
    fn find(&mut self, sets: &[(FeatureId, u32)]) -> Option<u32> {
        let features = sets.iter().map(|(feature, _)| *feature);
        if self.all.get(self.last).is_some_and(|last| last.iter().copied().eq(features.clone())) {
            return Some(self.last as u32);
        }
        if self.all.len() < Shapes::MOST {
            return Some(self.add(features.collect()));
        }
        self.numbers.get(&features.collect::<Box<[_]>>()).copied()
    }

    /// The number of these features, added if they are new.
    pub(crate) fn add(&mut self, features: Box<[FeatureId]>) -> u32 {
        let next = self.all.len() as u32;
        let number = *self.numbers.entry(features.clone()).or_insert(next);
        if number == next {
            self.all.push(features);
        }
        self.last = number as usize;
        number
    }

    fn get(&self, number: u32) -> &[FeatureId] {
        self.all.get((number & !CHANGED) as usize).map_or(&[], |features| features)
    }
}

impl Columns {
    /// The bytes of the value of a number.
    pub(crate) fn bytes(&self, number: u32) -> Option<Held<'_>> {
        self.values.get(number)
    }

    /// The value of a number.
    pub(crate) fn value(&self, number: u32) -> Option<Value> {
        Value::decode(&self.bytes(number)?)
    }

    /// A number for a value of a feature. Equal values mostly have equal numbers; [`Columns::same`] tells. The caller
    /// bounds how many there are.
    pub(crate) fn add(&mut self, owner: Owner, feature: FeatureId, value: &Value) -> u32 {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        value.encode(&mut bytes);
        let number = self.values.add(owner, feature, &bytes);
        self.scratch = bytes;
        number
    }

    /// Whether two numbers stand for equal values.
    pub(crate) fn same(&self, a: u32, b: u32) -> bool {
        self.values.same(a, b)
    }

    /// Makes room for lives with so many first values, of so many bytes in all.
    pub(crate) fn reserve(&mut self, lives: usize, values: usize, bytes: usize) {
        self.tracks.reserve(lives);
        self.first.reserve(values);
        self.values.bytes.reserve(bytes);
    }

    /// How many places of first values are taken.
    pub(crate) fn n_first(&self) -> usize {
        self.first.len()
    }

    /// A track for a life with these sets, all at one time; of several sets of one feature the last counts. [`NONE`] if
    /// nothing is set.
    pub(crate) fn open(&mut self, time: Time, sets: &[(FeatureId, u32)]) -> u32 {
        let plain = sets.is_sorted_by(|a, b| a.0 < b.0) && sets.iter().all(|(_, value)| *value != NONE);
        let settled;
        let sets = if plain {
            sets
        } else {
            settled = settle(sets);
            &settled
        };
        if sets.is_empty() {
            return NONE;
        }
        let start = self.first.len() as u32;
        let shape = match self.shapes.find(sets) {
            Some(shape) => {
                self.first.extend(sets.iter().map(|(_, value)| *value));
                shape
            }
            None => self.open_widely(sets),
        };
        self.tracks.push(Track { created: time, start, shape });
        (self.tracks.len() - 1) as u32
    }

    /// Where every life has features of its own: a place for each feature up to the last.
    fn open_widely(&mut self, sets: &[(FeatureId, u32)]) -> u32 {
        let last = sets.last().map_or(0, |(feature, _)| feature.0);
        let mut sets = sets.iter().copied().peekable();
        for feature in (0..=last).map(FeatureId) {
            let set = sets.next_if(|(known, _)| *known == feature);
            self.first.push(set.map_or(NONE, |(_, value)| value));
        }
        self.shapes.add((0..=last).map(FeatureId).collect())
    }

    /// Whether a life's features at its begin are those that its track was opened with.
    pub(crate) fn opened_at(&self, track: u32, life: Interval) -> bool {
        self.tracks.get(track as usize).is_some_and(|track| track.created == life.created)
    }

    /// Sets features from `time` on; a life without a track gets one.
    pub(crate) fn update(&mut self, track: &mut u32, time: Time, sets: &[(FeatureId, u32)]) {
        if *track == NONE {
            *track = self.open(time, sets);
        } else {
            sets.iter().for_each(|&(feature, value)| self.set(*track, feature, time, value));
        }
    }

    /// What a track was opened with, sorted by feature.
    pub(crate) fn first(&self, track: u32) -> impl Iterator<Item = (FeatureId, u32)> {
        let own = self.tracks.get(track as usize);
        let features = own.map_or(&[][..], |own| self.shapes.get(own.shape));
        let values = own.map_or(&[][..], |own| &self.first[own.start as usize..][..features.len()]);
        features.iter().copied().zip(values.iter().copied()).filter(|(_, value)| *value != NONE)
    }

    /// Sets a feature from `time` on, which is not before any earlier set of it. What was set at the same time before is undone.
    fn set(&mut self, track: u32, feature: FeatureId, time: Time, value: u32) {
        if !self.tracks[track as usize].is_changed() {
            let created = self.tracks[track as usize].created;
            let spans = self.first(track).map(|(feature, value)| Span { created, value, feature, unused: 0 }).collect();
            self.changed.insert(track, spans);
            self.tracks[track as usize].shape |= CHANGED;
        }
        let Some(mut spans) = self.changed.remove(&track) else { return };
        let mut end = spans.partition_point(|span| span.feature <= feature);
        let last = |spans: &[Span], end: usize| end.checked_sub(1).map(|at| spans[at]).filter(|s| s.feature == feature);
        if last(&spans, end).is_some_and(|span| span.created == time) {
            end -= 1;
            spans.remove(end);
        }
        if !self.same(last(&spans, end).map_or(NONE, |span| span.value), value) {
            spans.insert(end, Span { created: time, value, feature, unused: 0 });
        }
        self.changed.insert(track, spans);
    }

    /// The number of the value of a feature that holds at a time of the life, or [`NONE`].
    #[inline]
    pub(crate) fn value_at(&self, track: u32, feature: FeatureId, time: Time) -> u32 {
        match self.tracks.get(track as usize) {
            Some(own) if own.is_changed() => self.changed_at(track, feature, time),
            Some(own) if own.created <= time => {
                let place = self.shapes.get(own.shape).binary_search(&feature);
                place.map_or(NONE, |at| self.first[own.start as usize + at])
            }
            _ => NONE,
        }
    }

    fn changed_at(&self, track: u32, feature: FeatureId, time: Time) -> u32 {
        let spans = self.changed.get(&track).map_or(&[][..], |spans| spans);
        let end = spans.partition_point(|span| (span.feature, span.created) <= (feature, time));
        end.checked_sub(1).map(|at| spans[at]).filter(|span| span.feature == feature).map_or(NONE, |span| span.value)
    }

    /// Starts to bring into the nearest cache what a track was opened with.
    #[inline]
    pub(crate) fn fetch_first(&self, track: u32) {
        if let Some(own) = self.tracks.get(track as usize) {
            fetch(&self.first, own.start as usize);
        }
    }

    /// The values that hold at a time of the life: at most one of each feature, in the order of the schema.
    pub(crate) fn at(&self, track: u32, time: Time) -> impl Iterator<Item = (FeatureId, u32)> {
        let begun = self.tracks.get(track as usize).is_some_and(|track| track.created <= time);
        let (first, spans) = self.parts(track);
        let first = first.filter(move |_| begun);
        let changed = spans.chunk_by(|a, b| a.feature == b.feature).filter_map(move |spans| {
            let end = spans.partition_point(|span| span.created <= time);
            let span = spans[..end].last()?;
            (span.value != NONE).then_some((span.feature, span.value))
        });
        first.chain(changed)
    }

    /// Every value that held in the life and when, by (feature, created).
    pub(crate) fn history(&self, track: u32, life: Interval) -> impl Iterator<Item = (FeatureId, Interval, u32)> {
        let (first, spans) = self.parts(track);
        let created = self.tracks.get(track as usize).map_or(life.created, |track| track.created);
        let first =
            first.filter_map(move |(feature, value)| Some((feature, Interval::new(created, life.removed)?, value)));
        let changed = spans.chunk_by(|a, b| a.feature == b.feature).flat_map(move |spans| {
            spans.iter().enumerate().filter_map(move |(at, span)| {
                let removed = spans.get(at + 1).map_or(life.removed, |next| next.created.min(life.removed));
                let interval = Interval::new(span.created, removed)?;
                (span.value != NONE).then_some((span.feature, interval, span.value))
            })
        });
        first.chain(changed)
    }

    /// What a track was opened with, or, once something changed, its spans.
    fn parts(&self, track: u32) -> (impl Iterator<Item = (FeatureId, u32)>, &[Span]) {
        let changed = self.tracks.get(track as usize).is_some_and(|own| own.is_changed());
        let spans = if changed { self.changed.get(&track).map_or(&[][..], |spans| spans) } else { &[] };
        (self.first(if changed { NONE } else { track }), spans)
    }
}

/// One value for each feature that has one in the end, in order.
fn settle(sets: &[(FeatureId, u32)]) -> Vec<(FeatureId, u32)> {
    let mut own = sets.to_vec();
    own.reverse();
    own.sort_by_key(|(feature, _)| *feature);
    own.dedup_by_key(|(feature, _)| *feature);
    own.retain(|(_, value)| *value != NONE);
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More shapes than are kept, in two ways: what a life was given comes back.
    #[test]
    fn lives_with_features_of_their_own_keep_them() {
        let mut columns = Columns::default();
        let sets = |life: u32| -> Vec<(FeatureId, u32)> {
            (0..14).filter(|bit| life >> bit & 1 == 1).map(|bit| (FeatureId(bit), life + u32::from(bit))).collect()
        };
        let tracks: Vec<u32> = (0..1 << 14).map(|life| columns.open(Time(1), &sets(life))).collect();
        for (life, &track) in (0..).zip(&tracks) {
            assert_eq!(columns.at(track, Time(1)).collect::<Vec<_>>(), sets(life));
            let one = |bit| columns.value_at(track, FeatureId(bit), Time(1));
            let ones = (0..20).map(|bit| (FeatureId(bit), one(bit))).filter(|(_, value)| *value != NONE);
            assert_eq!(ones.collect::<Vec<_>>(), sets(life));
            assert_eq!(columns.value_at(track, FeatureId(0), Time(0)), NONE);
            assert_eq!(columns.at(track, Time(0)).count(), 0);
        }
        assert_eq!(columns.shapes.all.len(), Shapes::MOST + 14 - 12);
    }
}
