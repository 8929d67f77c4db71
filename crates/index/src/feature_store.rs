//! Values of features and when they hold.

mod spans;
pub(crate) mod values;

use rustc_hash::FxHashMap;
use timeweft_graph::{FeatureId, Interval, Owner, Time, Value};

pub(crate) use self::spans::{Span, Spans};
use crate::NONE;
use crate::feature_store::values::{Held, Values};
use crate::memory::array::{Array, Checked, fetch};

/// The features of one life: where they are, and when it began.
#[derive(Clone, Copy)]
pub(crate) struct Track {
    /// Where it begins in [`Columns::tracks`], or [`NONE`]; with an `only` feature the number of its value.
    pub(crate) at: u32,
    /// The feature that the life was given at its begin, if it never had another one and this never changed, so that nothing
    /// else has to be read; or [`MANY`].
    pub(crate) only: FeatureId,
    pub(crate) begun: Time,
}

/// Not just one feature.
pub(crate) const MANY: FeatureId = FeatureId(u16::MAX);

impl Track {
    /// That of a life without features.
    pub(crate) fn none(begun: Time) -> Track {
        Track { at: NONE, only: MANY, begun }
    }
}

/// The features of all lives.
#[derive(Clone, Default)]
pub(crate) struct Columns {
    /// What lives were given at once, most often the only features that they ever have. Side by side, so that one line of
    /// memory has it all: the number of the shape with [`CHANGED`] and [`LATE`]; if it is late, the time in two halves, the
    /// lower first; the number of each value, in the order of the shape.
    pub(crate) tracks: Array<u32>,
    pub(crate) shapes: Shapes,
    /// The spans of the tracks that changed, sorted by (feature, created).
    pub(crate) changed: FxHashMap<u32, Spans>,
    pub(crate) values: Values,
    pub(crate) scratch: Vec<u8>,
}

/// Marks a track whose spans are in [`Columns::changed`], because some changed after it was opened.
const CHANGED: u32 = 1 << 31;
/// Marks a track that was opened after its life began.
const LATE: u32 = 1 << 30;
/// The words of a track besides its values, at most.
pub(crate) const HEAD: usize = 3;

/// Where the number of a value lies.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// Among what a track was opened with.
    First(usize),
    /// In a span of a track that changed.
    Span(u32, (usize, usize)),
}

/// What a track begins with.
#[derive(Clone, Copy)]
struct Head {
    /// The number of its shape.
    shape: u32,
    is_changed: bool,
    since: Time,
    /// Where its values begin.
    start: usize,
}

impl Head {
    /// Of a track that is not of one feature alone.
    #[inline]
    fn of(tracks: Checked<'_, u32>, track: Track) -> Option<Head> {
        let at = track.at as usize;
        let head = *tracks.get(at).filter(|_| track.only == MANY)?;
        let (since, start) = match head & LATE {
            0 => (track.begun, at + 1),
            _ => (Time(i64::from(*tracks.at(at + 1)) | i64::from(*tracks.at(at + 2)) << 32), at + HEAD),
        };
        Some(Head { shape: head & !(CHANGED | LATE), is_changed: head & CHANGED != 0, since, start })
    }
}

/// Which features lives are given: most lives of a type are given the same ones.
#[derive(Clone, Default)]
pub(crate) struct Shapes {
    /// Fewer than [`LATE`].
    pub(crate) all: Vec<Box<[FeatureId]>>,
    numbers: FxHashMap<Box<[FeatureId]>, u32>,
    last: usize,
}

impl Shapes {
    /// So many shapes are kept as they are.
    const MOST: usize = 1 << 12;
    /// Beyond them, places for values that are not there cost less than a shape while there are so few of them.
    const GAPS: usize = 16;

    /// The number of these features, in their order; none if there are too many shapes for another one.
    fn find(&mut self, sets: &[(FeatureId, u32)]) -> Option<u32> {
        let features = sets.iter().map(|(feature, _)| *feature);
        if self.all.get(self.last).is_some_and(|last| last.iter().copied().eq(features.clone())) {
            return Some(self.last as u32);
        }
        let last = sets.last().map_or(0, |(feature, _)| usize::from(feature.0));
        let is_scattered = last > Shapes::GAPS * sets.len() && self.all.len() < LATE as usize - (1 << 16);
        if self.all.len() < Shapes::MOST || is_scattered {
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
        self.all.get(number as usize).map_or(&[], |features| features)
    }
}

impl Columns {
    /// The bytes of the value of a number.
    #[inline]
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
        self.tracks.reserve(lives.saturating_add(values));
        self.values.bytes.reserve(bytes);
    }

    /// The track of a life that begins with these sets; of several sets of one feature the last counts.
    pub(crate) fn open(&mut self, begun: Time, sets: &[(FeatureId, u32)]) -> Track {
        match *sets {
            [(only, at)] if only != MANY && at != NONE => Track { at, only, begun },
            _ => Track { at: self.open_many(None, sets), ..Track::none(begun) },
        }
    }

    /// Where the track of a life with these sets begins, which are made late if there is a time; [`NONE`] if nothing is set.
    fn open_many(&mut self, late: Option<Time>, sets: &[(FeatureId, u32)]) -> u32 {
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
        let track = self.tracks.len() as u32;
        let shape = self.shapes.find(sets);
        let wide = if shape.is_none() { widened(sets) } else { Vec::new() };
        let sets = if shape.is_none() { &wide } else { sets };
        let shape = shape.unwrap_or_else(|| self.shapes.add(sets.iter().map(|(feature, _)| *feature).collect()));
        match late {
            None => self.tracks.push(shape),
            Some(Time(time)) => self.tracks.extend_from_slice(&[shape | LATE, time as u32, (time >> 32) as u32]),
        }
        self.tracks.extend(sets.iter().map(|(_, value)| *value));
        track
    }

    /// Whether a life's features at its begin are those that its track was opened with.
    pub(crate) fn is_opened_at_begin(&self, track: Track) -> bool {
        track.only != MANY || self.tracks.get(track.at as usize).is_some_and(|head| head & LATE == 0)
    }

    /// Whether a life has the features that it began with as long as it lives.
    pub(crate) fn never_changes(&self, track: Track) -> bool {
        self.head(track).is_none_or(|head| !head.is_changed && head.since == track.begun)
    }

    /// The track of a life once features are set from `time` on.
    pub(crate) fn update(&mut self, mut track: Track, time: Time, sets: &[(FeatureId, u32)]) -> Track {
        if track.at == NONE {
            track.at = self.open_many((time != track.begun).then_some(time), sets);
        } else if !sets.is_empty() {
            if track.only != MANY {
                track = Track { at: self.open_many(None, &[(track.only, track.at)]), only: MANY, ..track };
            }
            self.set(track, time, sets);
        }
        track
    }

    /// What a track that is not of one feature alone begins with.
    #[inline]
    fn head(&self, track: Track) -> Option<Head> {
        Head::of(self.tracks.checked(), track)
    }

    /// For readers of many tracks.
    #[inline]
    pub(crate) fn reader(&self) -> FeatureReader<'_> {
        FeatureReader { columns: self, tracks: self.tracks.checked(), values: self.values.bytes.checked() }
    }

    /// Since when what a track was opened with holds.
    fn since(&self, track: Track) -> Time {
        self.head(track).map_or(track.begun, |head| head.since)
    }

    /// What a track was opened with, sorted by feature.
    pub(crate) fn first(&self, track: Track) -> impl Iterator<Item = (FeatureId, u32)> {
        let only = (track.only != MANY).then_some((track.only, track.at));
        let own = self.head(track);
        let features = own.map_or(&[][..], |own| self.shapes.get(own.shape));
        let values = own.map_or(&[][..], |own| &self.tracks[own.start..own.start + features.len()]);
        let many = features.iter().copied().zip(values.iter().copied()).filter(|(_, value)| *value != NONE);
        only.into_iter().chain(many)
    }

    /// Sets features from `time` on, which is not before any earlier set of them. What was set at the same time before is undone.
    fn set(&mut self, track: Track, time: Time, sets: &[(FeatureId, u32)]) {
        let Some(head) = self.head(track) else { return };
        if !head.is_changed {
            let spans = self.first(track).map(|(feature, value)| Span::new(feature, head.since, value)).collect();
            self.changed.insert(track.at, Spans::new(spans));
            self.tracks[track.at as usize] |= CHANGED;
        }
        let Some(mut spans) = self.changed.remove(&track.at) else { return };
        spans.set(time, sets, |a, b| self.same(a, b));
        self.changed.insert(track.at, spans);
    }

    /// The number of the value of a feature that holds at a time of the life, or [`NONE`].
    #[inline]
    pub(crate) fn value_at(&self, track: Track, feature: FeatureId, time: Time) -> u32 {
        self.reader().value_at(track, feature, time)
    }

    /// Where the numbers of some features' values lie in a track of several features.
    pub(crate) fn places(&self, track: Track, is_meant: impl Fn(FeatureId) -> bool) -> Vec<(FeatureId, Place)> {
        let Some(head) = self.head(track) else { return Vec::new() };
        let first = self.shapes.get(head.shape).iter().zip(head.start..);
        let first = first.map(|(feature, at)| (*feature, Place::First(at)));
        let spans = self.changed.get(&track.at).filter(|_| head.is_changed);
        let spans = spans.into_iter().flat_map(Spans::places);
        let spans = spans.map(|(place, span)| (span.feature, Place::Span(track.at, place)));
        first.chain(spans).filter(|(feature, _)| is_meant(*feature)).collect()
    }

    /// The number at a place.
    pub(crate) fn number_in(&self, place: Place) -> u32 {
        match place {
            Place::First(at) => self.tracks[at],
            Place::Span(track, at) => self.changed.get(&track).and_then(|spans| spans.number_at(at)).unwrap_or(NONE),
        }
    }

    /// Puts another number to a place.
    pub(crate) fn set_number(&mut self, place: Place, number: u32) {
        match place {
            Place::First(at) => self.tracks[at] = number,
            Place::Span(track, at) => {
                if let Some(known) = self.changed.get_mut(&track).and_then(|spans| spans.number(at)) {
                    *known = number;
                }
            }
        }
    }

    fn changed_at(&self, track: u32, feature: FeatureId, time: Time) -> u32 {
        self.changed.get(&track).map_or(NONE, |spans| spans.at(feature, time))
    }

    /// The values that hold at a time of the life: at most one of each feature, in the order of the schema.
    pub(crate) fn at(&self, track: Track, time: Time) -> impl Iterator<Item = (FeatureId, u32)> {
        let begun = self.since(track) <= time;
        let (first, spans) = self.parts(track);
        let first = first.filter(move |_| begun);
        let changed = spans.into_iter().flat_map(Spans::groups).filter_map(move |spans| {
            let end = spans.partition_point(|span| span.created <= time);
            let span = spans[..end].last()?;
            (span.value != NONE).then_some((span.feature, span.value))
        });
        first.chain(changed)
    }

    /// Every value that held in the life and when, by (feature, created).
    pub(crate) fn history(&self, track: Track, life: Interval) -> impl Iterator<Item = (FeatureId, Interval, u32)> {
        let (first, spans) = self.parts(track);
        let created = self.since(track);
        let first =
            first.filter_map(move |(feature, value)| Some((feature, Interval::new(created, life.removed)?, value)));
        let changed = spans.into_iter().flat_map(Spans::groups).flat_map(move |spans| {
            spans.iter().enumerate().filter_map(move |(at, span)| {
                let removed = spans.get(at + 1).map_or(life.removed, |next| next.created.min(life.removed));
                let interval = Interval::new(span.created, removed)?;
                (span.value != NONE).then_some((span.feature, interval, span.value))
            })
        });
        first.chain(changed)
    }

    /// What a track was opened with, or, once something changed, its spans.
    fn parts(&self, track: Track) -> (impl Iterator<Item = (FeatureId, u32)>, Option<&Spans>) {
        let changed = self.head(track).is_some_and(|head| head.is_changed);
        let spans = self.changed.get(&track.at).filter(|_| changed);
        (self.first(if changed { Track::none(track.begun) } else { track }), spans)
    }
}

/// Reads tracks and values of many owners: what it takes to check them is looked up once.
#[derive(Clone, Copy)]
pub(crate) struct FeatureReader<'a> {
    columns: &'a Columns,
    tracks: Checked<'a, u32>,
    values: Checked<'a, u8>,
}

impl<'a> FeatureReader<'a> {
    /// The number of the value of a feature that holds at a time of the life, or [`NONE`].
    #[inline]
    pub(crate) fn value_at(self, track: Track, feature: FeatureId, time: Time) -> u32 {
        if track.only != MANY {
            return if track.only == feature && track.begun <= time { track.at } else { NONE };
        }
        match Head::of(self.tracks, track) {
            Some(head) if head.is_changed => self.columns.changed_at(track.at, feature, time),
            Some(head) if head.since <= time => {
                let place = self.columns.shapes.get(head.shape).binary_search(&feature);
                place.map_or(NONE, |at| *self.tracks.at(head.start + at))
            }
            _ => NONE,
        }
    }

    /// Starts to bring a track into the nearest cache, where it is not known already.
    #[inline]
    pub(crate) fn fetch(self, track: Track) {
        if track.only == MANY {
            fetch(self.tracks, track.at as usize);
        }
    }

    /// The same for the value of a number: its first line, and the one behind.
    #[inline]
    pub(crate) fn fetch_value(self, number: u32) {
        values::fetch_value(self.values, number);
    }

    /// The bytes of the value of a number.
    #[inline]
    pub(crate) fn bytes(self, number: u32) -> Option<Held<'a>> {
        Held::of(self.values, number)
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

/// A place for each feature up to the last, where every life has features of its own.
fn widened(sets: &[(FeatureId, u32)]) -> Vec<(FeatureId, u32)> {
    let last = sets.last().map_or(0, |(feature, _)| feature.0);
    let mut sets = sets.iter().copied().peekable();
    let mut place = |feature| sets.next_if(|(known, _)| *known == feature).unwrap_or((feature, NONE));
    (0..=last).map(FeatureId).map(&mut place).collect()
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
        let tracks: Vec<Track> = (0..1 << 14).map(|life| columns.open(Time(1), &sets(life))).collect();
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

    /// A life without features, with one, and with two: what is set later holds from then on, whatever the time.
    #[test]
    fn what_is_set_late_holds_from_then_on() {
        let begun = Time(i64::MIN + 1);
        for late in [-1 << 40, -1, 0, (1 << 32) - 1, i64::MAX - 1].map(Time) {
            for given in [&[][..], &[(FeatureId(3), 7)], &[(FeatureId(1), 6), (FeatureId(3), 7)]] {
                let mut columns = Columns::default();
                let opened = columns.open(begun, given);
                let track = columns.update(opened, late, &[(FeatureId(2), 8)]);
                let before: Vec<_> = columns.at(track, late.before()).collect();
                assert_eq!(before, given, "{late:?}");
                let mut after = given.to_vec();
                after.push((FeatureId(2), 8));
                after.sort_unstable();
                assert_eq!(columns.at(track, late).collect::<Vec<_>>(), after, "{late:?}");
                assert_eq!(columns.value_at(track, FeatureId(2), late.before()), NONE);
                assert_eq!(columns.value_at(track, FeatureId(2), late), 8);
                // What the life began with is still known, for the event that began it.
                let first: Vec<_> = columns.first(track).collect();
                assert_eq!(columns.is_opened_at_begin(track), !given.is_empty());
                assert_eq!(first, if given.is_empty() { &[(FeatureId(2), 8)] } else { given });
            }
        }
    }

    /// Sets of one event are put in their places at once where they are many: as if they came one by one.
    #[test]
    fn many_sets_at_once_are_as_one_by_one() {
        let mut seed = 7u64;
        let mut draw = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let life = Interval::open(Time(0));
        let (mut at_once, mut one_by_one) = (Columns::default(), Columns::default());
        let mut number = |value: f64| {
            let added = [&mut at_once, &mut one_by_one]
                .map(|columns| columns.add(Owner::Merge, FeatureId(0), &Value::number(value)));
            assert_eq!(added[0], added[1]);
            added[0]
        };
        let numbers = [NONE, number(1.0), number(2.0), number(3.0)];
        let given: Vec<_> = (0..20).map(|at| (FeatureId(at * 2), numbers[1])).collect();
        let mut tracks = [at_once.open(life.created, &given), one_by_one.open(life.created, &given)];
        for step in 0..60 {
            let sets: Vec<_> = (0..40).map(|_| (FeatureId(draw(50) as u16), numbers[draw(4) as usize])).collect();
            // Several events at one time undo each other.
            let time = Time(step / 3);
            tracks[0] = at_once.update(tracks[0], time, &sets);
            for set in sets {
                tracks[1] = one_by_one.update(tracks[1], time, &[set]);
            }
            let histories =
                [at_once.history(tracks[0], life).collect::<Vec<_>>(), one_by_one.history(tracks[1], life).collect()];
            assert_eq!(histories[0], histories[1], "step {step}");
        }
    }

    /// Lives with features of their own among thousands have no places for those that they lack.
    #[test]
    fn lives_of_few_features_among_many_stay_small() {
        let mut columns = Columns::default();
        for life in 0..20_000u16 {
            let sets = [(FeatureId(life), 1), (FeatureId(life + 1), 2)];
            let track = columns.open(Time(1), &sets);
            assert_eq!(columns.at(track, Time(1)).collect::<Vec<_>>(), sets);
        }
        assert!(columns.tracks.len() < 20_000 * 40, "{} words", columns.tracks.len());
    }
}
