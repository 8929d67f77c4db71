//! Values of features and when they hold.

mod spans;
pub(crate) mod values;

use rustc_hash::FxHashMap;
use timeweft_graph::{FeatureId, Interval, Owner, Time, Value};

pub(crate) use self::spans::{Span, Spans};
use crate::NONE;
use crate::feature_store::values::{ValueRef, Values};
use crate::memory::array::{Array, Checked, prefetch};

/// The features of one life: where they are, and when it began.
#[derive(Clone, Copy)]
pub(crate) struct FeatureRow {
    /// Where it begins in [`FeatureStore::rows`], or [`NONE`]; with an `only` feature the number of its value.
    pub(crate) at: u32,
    /// The feature that the life was given at its begin, if it never had another one and this never changed, so that nothing
    /// else has to be read; or [`MANY`].
    pub(crate) only: FeatureId,
    pub(crate) begun: Time,
}

/// Not just one feature.
pub(crate) const MANY: FeatureId = FeatureId(u16::MAX);

impl FeatureRow {
    /// That of a life without features.
    pub(crate) fn none(begun: Time) -> FeatureRow {
        FeatureRow { at: NONE, only: MANY, begun }
    }
}

/// The features of all lives.
#[derive(Clone, Default)]
pub(crate) struct FeatureStore {
    /// What lives were given at once, most often the only features that they ever have. Side by side, so that one line of
    /// memory has it all: the number of the layout with [`CHANGED`] and [`LATE`]; if it is late, the time in two halves, the
    /// lower first; the number of each value, in the order of the layout.
    pub(crate) rows: Array<u32>,
    pub(crate) layouts: RowLayouts,
    /// The spans of the feature rows that changed, sorted by (feature, created).
    pub(crate) changed: FxHashMap<u32, Spans>,
    pub(crate) values: Values,
    pub(crate) scratch: Vec<u8>,
}

/// Marks a feature row whose spans are in [`FeatureStore::changed`], because some changed after it was opened.
const CHANGED: u32 = 1 << 31;
/// Marks a feature row that was opened after its life began.
const LATE: u32 = 1 << 30;
/// The words of a feature row besides its values, at most.
pub(crate) const HEAD: usize = 3;

/// Where the number of a value lies.
#[derive(Clone, Copy)]
pub(crate) enum ValuePlace {
    /// Among what a feature row was opened with.
    First(usize),
    /// In a span of a feature row that changed.
    Span(u32, (usize, usize)),
}

/// What a feature row begins with.
#[derive(Clone, Copy)]
struct RowHeader {
    /// The number of its layout.
    layout: u32,
    is_changed: bool,
    since: Time,
    /// Where its values begin.
    start: usize,
}

impl RowHeader {
    /// Of a feature row that is not of one feature alone.
    #[inline]
    fn of(rows: Checked<'_, u32>, feature_row: FeatureRow) -> Option<RowHeader> {
        let at = feature_row.at as usize;
        let head = *rows.get(at).filter(|_| feature_row.only == MANY)?;
        let (since, start) = match head & LATE {
            0 => (feature_row.begun, at + 1),
            _ => (Time(i64::from(*rows.at(at + 1)) | i64::from(*rows.at(at + 2)) << 32), at + HEAD),
        };
        Some(RowHeader { layout: head & !(CHANGED | LATE), is_changed: head & CHANGED != 0, since, start })
    }
}

/// Which features lives are given: most lives of a type are given the same ones.
#[derive(Clone, Default)]
pub(crate) struct RowLayouts {
    /// Fewer than [`LATE`].
    pub(crate) all: Vec<Box<[FeatureId]>>,
    numbers: FxHashMap<Box<[FeatureId]>, u32>,
    last: usize,
}

impl RowLayouts {
    /// How many layouts are kept as they are.
    const MOST: usize = 1 << 12;
    /// Beyond them, places for values that are not there cost less than a layout while there are so few of them.
    const GAPS: usize = 16;

    /// The number of these features, in their order; none if there are too many layouts for another one.
    fn find(&mut self, sets: &[(FeatureId, u32)]) -> Option<u32> {
        let features = sets.iter().map(|(feature, _)| *feature);
        if self.all.get(self.last).is_some_and(|last| last.iter().copied().eq(features.clone())) {
            return Some(self.last as u32);
        }
        let last = sets.last().map_or(0, |(feature, _)| usize::from(feature.0));
        let is_scattered = last > RowLayouts::GAPS * sets.len() && self.all.len() < LATE as usize - (1 << 16);
        if self.all.len() < RowLayouts::MOST || is_scattered {
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

impl FeatureStore {
    /// The bytes of the value of a number.
    #[inline]
    pub(crate) fn bytes(&self, number: u32) -> Option<ValueRef<'_>> {
        self.values.get(number)
    }

    /// The value of a number.
    pub(crate) fn value(&self, number: u32) -> Option<Value> {
        Value::decode(&self.bytes(number)?)
    }

    /// A number for a value of a feature. Equal values mostly have equal numbers; [`FeatureStore::same`] compares. The caller
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

    /// Reserves memory for lives with first values: how many lives, values, and bytes of values.
    pub(crate) fn reserve(&mut self, lives: usize, values: usize, bytes: usize) {
        self.rows.reserve(lives.saturating_add(values));
        self.values.bytes.reserve(bytes);
    }

    /// The feature row of a life that begins with these sets; of several sets of one feature the last counts.
    pub(crate) fn open(&mut self, begun: Time, sets: &[(FeatureId, u32)]) -> FeatureRow {
        match *sets {
            [(only, at)] if only != MANY && at != NONE => FeatureRow { at, only, begun },
            _ => FeatureRow { at: self.open_many(None, sets), ..FeatureRow::none(begun) },
        }
    }

    /// Where the feature row of a life with these sets begins, which are made late if there is a time; [`NONE`] if nothing is set.
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
        let feature_row = self.rows.len() as u32;
        let layout = self.layouts.find(sets);
        let wide = if layout.is_none() { widened(sets) } else { Vec::new() };
        let sets = if layout.is_none() { &wide } else { sets };
        let layout = layout.unwrap_or_else(|| self.layouts.add(sets.iter().map(|(feature, _)| *feature).collect()));
        match late {
            None => self.rows.push(layout),
            Some(Time(time)) => self.rows.extend_from_slice(&[layout | LATE, time as u32, (time >> 32) as u32]),
        }
        self.rows.extend(sets.iter().map(|(_, value)| *value));
        feature_row
    }

    /// Whether a life's features at its begin are those that its feature row was opened with.
    pub(crate) fn is_opened_at_begin(&self, feature_row: FeatureRow) -> bool {
        feature_row.only != MANY || self.rows.get(feature_row.at as usize).is_some_and(|head| head & LATE == 0)
    }

    /// Whether a life has the features that it began with as long as it lives.
    pub(crate) fn never_changes(&self, feature_row: FeatureRow) -> bool {
        self.head(feature_row).is_none_or(|head| !head.is_changed && head.since == feature_row.begun)
    }

    /// The feature row of a life once features are set from `time` on.
    pub(crate) fn update(&mut self, mut feature_row: FeatureRow, time: Time, sets: &[(FeatureId, u32)]) -> FeatureRow {
        if feature_row.at == NONE {
            feature_row.at = self.open_many((time != feature_row.begun).then_some(time), sets);
        } else if !sets.is_empty() {
            if feature_row.only != MANY {
                feature_row = FeatureRow {
                    at: self.open_many(None, &[(feature_row.only, feature_row.at)]),
                    only: MANY,
                    ..feature_row
                };
            }
            self.set(feature_row, time, sets);
        }
        feature_row
    }

    /// What a feature row that is not of one feature alone begins with.
    #[inline]
    fn head(&self, feature_row: FeatureRow) -> Option<RowHeader> {
        RowHeader::of(self.rows.checked(), feature_row)
    }

    /// For readers of many feature rows.
    #[inline]
    pub(crate) fn reader(&self) -> FeatureReader<'_> {
        FeatureReader { feature_store: self, rows: self.rows.checked(), values: self.values.bytes.checked() }
    }

    /// Since when what a feature row was opened with holds.
    fn since(&self, feature_row: FeatureRow) -> Time {
        self.head(feature_row).map_or(feature_row.begun, |head| head.since)
    }

    /// What a feature row was opened with, sorted by feature.
    pub(crate) fn first(&self, feature_row: FeatureRow) -> impl Iterator<Item = (FeatureId, u32)> {
        let only = (feature_row.only != MANY).then_some((feature_row.only, feature_row.at));
        let own = self.head(feature_row);
        let features = own.map_or(&[][..], |own| self.layouts.get(own.layout));
        let values = own.map_or(&[][..], |own| &self.rows[own.start..own.start + features.len()]);
        let many = features.iter().copied().zip(values.iter().copied()).filter(|(_, value)| *value != NONE);
        only.into_iter().chain(many)
    }

    /// Sets features from `time` on, which is not before any earlier set of them. What was set at the same time before is undone.
    fn set(&mut self, feature_row: FeatureRow, time: Time, sets: &[(FeatureId, u32)]) {
        let Some(head) = self.head(feature_row) else { return };
        if !head.is_changed {
            let spans = self.first(feature_row).map(|(feature, value)| Span::new(feature, head.since, value)).collect();
            self.changed.insert(feature_row.at, Spans::new(spans));
            self.rows[feature_row.at as usize] |= CHANGED;
        }
        let Some(mut spans) = self.changed.remove(&feature_row.at) else { return };
        spans.set(time, sets, |a, b| self.same(a, b));
        self.changed.insert(feature_row.at, spans);
    }

    /// The number of the value of a feature that holds at a time of the life, or [`NONE`].
    #[inline]
    pub(crate) fn value_at(&self, feature_row: FeatureRow, feature: FeatureId, time: Time) -> u32 {
        self.reader().value_at(feature_row, feature, time)
    }

    /// Where the numbers of some features' values lie in a feature row of several features.
    pub(crate) fn places(
        &self,
        feature_row: FeatureRow,
        is_meant: impl Fn(FeatureId) -> bool,
    ) -> Vec<(FeatureId, ValuePlace)> {
        let Some(head) = self.head(feature_row) else { return Vec::new() };
        let first = self.layouts.get(head.layout).iter().zip(head.start..);
        let first = first.map(|(feature, at)| (*feature, ValuePlace::First(at)));
        let spans = self.changed.get(&feature_row.at).filter(|_| head.is_changed);
        let spans = spans.into_iter().flat_map(Spans::places);
        let spans = spans.map(|(place, span)| (span.feature, ValuePlace::Span(feature_row.at, place)));
        first.chain(spans).filter(|(feature, _)| is_meant(*feature)).collect()
    }

    /// The number at a place.
    pub(crate) fn number_in(&self, place: ValuePlace) -> u32 {
        match place {
            ValuePlace::First(at) => self.rows[at],
            ValuePlace::Span(feature_row, at) => {
                self.changed.get(&feature_row).and_then(|spans| spans.number_at(at)).unwrap_or(NONE)
            }
        }
    }

    /// Puts another number to a place.
    pub(crate) fn set_number(&mut self, place: ValuePlace, number: u32) {
        match place {
            ValuePlace::First(at) => self.rows[at] = number,
            ValuePlace::Span(feature_row, at) => {
                if let Some(known) = self.changed.get_mut(&feature_row).and_then(|spans| spans.number(at)) {
                    *known = number;
                }
            }
        }
    }

    fn changed_at(&self, feature_row: u32, feature: FeatureId, time: Time) -> u32 {
        self.changed.get(&feature_row).map_or(NONE, |spans| spans.at(feature, time))
    }

    /// The values that hold at a time of the life: at most one of each feature, in the order of the schema.
    pub(crate) fn at(&self, feature_row: FeatureRow, time: Time) -> impl Iterator<Item = (FeatureId, u32)> {
        let begun = self.since(feature_row) <= time;
        let (first, spans) = self.parts(feature_row);
        let first = first.filter(move |_| begun);
        let changed = spans.into_iter().flat_map(Spans::groups).filter_map(move |spans| {
            let end = spans.partition_point(|span| span.created <= time);
            let span = spans[..end].last()?;
            (span.value != NONE).then_some((span.feature, span.value))
        });
        first.chain(changed)
    }

    /// Every value that held in the life and when, by (feature, created).
    pub(crate) fn history(
        &self,
        feature_row: FeatureRow,
        life: Interval,
    ) -> impl Iterator<Item = (FeatureId, Interval, u32)> {
        let (first, spans) = self.parts(feature_row);
        let created = self.since(feature_row);
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

    /// When features of a life changed after it began, in order, each time once.
    pub(crate) fn changes(&self, feature_row: FeatureRow, life: Interval) -> Vec<Time> {
        if self.never_changes(feature_row) {
            return Vec::new();
        }
        let (first, spans) = self.parts(feature_row);
        let opened = first.map(|_| self.since(feature_row)).take(1);
        let spans = spans.into_iter().flat_map(Spans::groups).flatten().map(|span| span.created);
        let within = |time: &Time| *time > life.created && *time < life.removed;
        let mut times: Vec<Time> = opened.chain(spans).filter(within).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// What a feature row was opened with, or, once something changed, its spans.
    fn parts(&self, feature_row: FeatureRow) -> (impl Iterator<Item = (FeatureId, u32)>, Option<&Spans>) {
        let changed = self.head(feature_row).is_some_and(|head| head.is_changed);
        let spans = self.changed.get(&feature_row.at).filter(|_| changed);
        (self.first(if changed { FeatureRow::none(feature_row.begun) } else { feature_row }), spans)
    }
}

/// Reads feature rows and values of many owners: what it takes to check them is looked up once.
#[derive(Clone, Copy)]
pub(crate) struct FeatureReader<'a> {
    feature_store: &'a FeatureStore,
    rows: Checked<'a, u32>,
    values: Checked<'a, u8>,
}

impl<'a> FeatureReader<'a> {
    /// The number of the value of a feature that holds at a time of the life, or [`NONE`].
    #[inline]
    pub(crate) fn value_at(self, feature_row: FeatureRow, feature: FeatureId, time: Time) -> u32 {
        if feature_row.only != MANY {
            return if feature_row.only == feature && feature_row.begun <= time { feature_row.at } else { NONE };
        }
        match RowHeader::of(self.rows, feature_row) {
            Some(head) if head.is_changed => self.feature_store.changed_at(feature_row.at, feature, time),
            Some(head) if head.since <= time => {
                let place = self.feature_store.layouts.get(head.layout).binary_search(&feature);
                place.map_or(NONE, |at| *self.rows.at(head.start + at))
            }
            _ => NONE,
        }
    }

    /// Starts to bring a feature row into the nearest cache, where it is not known already.
    #[inline]
    pub(crate) fn prefetch(self, feature_row: FeatureRow) {
        if feature_row.only == MANY {
            prefetch(self.rows, feature_row.at as usize);
        }
    }

    /// The same for the value of a number: its first line, and the one behind.
    #[inline]
    pub(crate) fn fetch_value(self, number: u32) {
        values::fetch_value(self.values, number);
    }

    /// The bytes of the value of a number.
    #[inline]
    pub(crate) fn bytes(self, number: u32) -> Option<ValueRef<'a>> {
        ValueRef::of(self.values, number)
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

    /// More layouts than are kept, in two ways: what a life was given comes back.
    #[test]
    fn lives_with_features_of_their_own_keep_them() {
        let mut feature_store = FeatureStore::default();
        let sets = |life: u32| -> Vec<(FeatureId, u32)> {
            (0..14).filter(|bit| life >> bit & 1 == 1).map(|bit| (FeatureId(bit), life + u32::from(bit))).collect()
        };
        let rows: Vec<FeatureRow> = (0..1 << 14).map(|life| feature_store.open(Time(1), &sets(life))).collect();
        for (life, &feature_row) in (0..).zip(&rows) {
            assert_eq!(feature_store.at(feature_row, Time(1)).collect::<Vec<_>>(), sets(life));
            let one = |bit| feature_store.value_at(feature_row, FeatureId(bit), Time(1));
            let ones = (0..20).map(|bit| (FeatureId(bit), one(bit))).filter(|(_, value)| *value != NONE);
            assert_eq!(ones.collect::<Vec<_>>(), sets(life));
            assert_eq!(feature_store.value_at(feature_row, FeatureId(0), Time(0)), NONE);
            assert_eq!(feature_store.at(feature_row, Time(0)).count(), 0);
        }
        assert_eq!(feature_store.layouts.all.len(), RowLayouts::MOST + 14 - 12);
    }

    /// A life without features, with one, and with two: what is set later holds from then on, whatever the time.
    #[test]
    fn what_is_set_late_holds_from_then_on() {
        let begun = Time(i64::MIN + 1);
        for late in [-1 << 40, -1, 0, (1 << 32) - 1, i64::MAX - 1].map(Time) {
            for given in [&[][..], &[(FeatureId(3), 7)], &[(FeatureId(1), 6), (FeatureId(3), 7)]] {
                let mut feature_store = FeatureStore::default();
                let opened = feature_store.open(begun, given);
                let feature_row = feature_store.update(opened, late, &[(FeatureId(2), 8)]);
                let before: Vec<_> = feature_store.at(feature_row, late.before()).collect();
                assert_eq!(before, given, "{late:?}");
                let mut after = given.to_vec();
                after.push((FeatureId(2), 8));
                after.sort_unstable();
                assert_eq!(feature_store.at(feature_row, late).collect::<Vec<_>>(), after, "{late:?}");
                assert_eq!(feature_store.value_at(feature_row, FeatureId(2), late.before()), NONE);
                assert_eq!(feature_store.value_at(feature_row, FeatureId(2), late), 8);
                // What the life began with is still known, for the event that began it.
                let first: Vec<_> = feature_store.first(feature_row).collect();
                assert_eq!(feature_store.is_opened_at_begin(feature_row), !given.is_empty());
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
        let (mut at_once, mut one_by_one) = (FeatureStore::default(), FeatureStore::default());
        let mut number = |value: f64| {
            let added = [&mut at_once, &mut one_by_one]
                .map(|feature_store| feature_store.add(Owner::Merge, FeatureId(0), &Value::number(value)));
            assert_eq!(added[0], added[1]);
            added[0]
        };
        let numbers = [NONE, number(1.0), number(2.0), number(3.0)];
        let given: Vec<_> = (0..20).map(|at| (FeatureId(at * 2), numbers[1])).collect();
        let mut rows = [at_once.open(life.created, &given), one_by_one.open(life.created, &given)];
        for step in 0..60 {
            let sets: Vec<_> = (0..40).map(|_| (FeatureId(draw(50) as u16), numbers[draw(4) as usize])).collect();
            // Several events at one time undo each other.
            let time = Time(step / 3);
            rows[0] = at_once.update(rows[0], time, &sets);
            for set in sets {
                rows[1] = one_by_one.update(rows[1], time, &[set]);
            }
            let histories =
                [at_once.history(rows[0], life).collect::<Vec<_>>(), one_by_one.history(rows[1], life).collect()];
            assert_eq!(histories[0], histories[1], "step {step}");
        }
    }

    /// Lives with features of their own among thousands have no places for those that they lack.
    #[test]
    fn lives_of_few_features_among_many_stay_small() {
        let mut feature_store = FeatureStore::default();
        for life in 0..20_000u16 {
            let sets = [(FeatureId(life), 1), (FeatureId(life + 1), 2)];
            let feature_row = feature_store.open(Time(1), &sets);
            assert_eq!(feature_store.at(feature_row, Time(1)).collect::<Vec<_>>(), sets);
        }
        assert!(feature_store.rows.len() < 20_000 * 40, "{} words", feature_store.rows.len());
    }
}
