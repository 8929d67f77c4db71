//! Values of features and when they hold.

use std::hash::{Hash, Hasher};

use bytemuck::{Pod, Zeroable};
use hashbrown::HashTable;
use rustc_hash::{FxHashMap, FxHasher};
use timeweft_graph::rows::RowRef;
use timeweft_graph::{FeatureId, Interval, Owner, Time, Value};

use crate::NONE;
use crate::array::Array;

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
    /// Its first place in [`Columns::first`]; the next track's is its end.
    start: u32,
    /// 1 if [`Columns::changed`] has its spans, because some changed later; else 0.
    changed: u32,
}

/// The features of all lives: one track a life.
#[derive(Clone, Default)]
pub(crate) struct Columns {
    pub(crate) tracks: Array<Track>,
    /// What each track was opened with, sorted by feature. It never changes.
    pub(crate) first: Array<First>,
    /// The spans of the tracks that changed, sorted by (feature, created).
    pub(crate) changed: FxHashMap<u32, Vec<Span>>,
    pub(crate) values: Values,
    /// By owner, and by number of the feature.
    pub(crate) habits: FxHashMap<Owner, Vec<Habit>>,
    pub(crate) scratch: Vec<u8>,
}

/// How often the values of a feature repeat. Looking for each value costs time and room that only repeats pay back.
#[derive(Clone, Copy)]
pub(crate) struct Habit {
    seen: u32,
    new: u32,
    /// The value met last, which often is the next one too.
    last: u32,
}

impl Default for Habit {
    fn default() -> Habit {
        Habit { seen: 0, new: 0, last: NONE }
    }
}

impl Habit {
    /// So many values tell whether they repeat.
    const TRIAL: u32 = 2048;

    fn is_distinct(self) -> bool {
        self.seen >= Habit::TRIAL && self.new > self.seen / 2
    }
}

/// A feature and its value in six bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct First([u16; 3]);

impl First {
    fn new((FeatureId(feature), value): (FeatureId, u32)) -> First {
        First([feature, value as u16, (value >> 16) as u16])
    }

    fn get(self) -> (FeatureId, u32) {
        let First([feature, low, high]) = self;
        (FeatureId(feature), u32::from(low) | u32::from(high) << 16)
    }
}

impl Columns {
    /// The bytes of the value of a number.
    pub(crate) fn bytes(&self, id: u32) -> Option<&[u8]> {
        self.values.get(id)
    }

    /// The value of a number.
    pub(crate) fn value(&self, id: u32) -> Option<Value> {
        Value::decode(self.bytes(id)?)
    }

    /// A number for a value of a feature. Equal values mostly have equal numbers; [`Columns::same`] tells. The caller
    /// bounds how many there are.
    pub(crate) fn add(&mut self, owner: Owner, feature: FeatureId, value: &Value) -> u32 {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        value.encode(&mut bytes);
        let id = self.add_bytes(owner, feature, &bytes);
        self.scratch = bytes;
        id
    }

    /// The same for the bytes of a value.
    pub(crate) fn add_bytes(&mut self, owner: Owner, feature: FeatureId, bytes: &[u8]) -> u32 {
        let habits = self.habits.entry(owner).or_default();
        add_value(habits, &mut self.values, feature, bytes)
    }

    /// Numbers for the values of a record's features, into `sets`.
    pub(crate) fn add_row(&mut self, row: RowRef<'_>, sets: &mut Vec<(FeatureId, u32)>) {
        let habits = self.habits.entry(row.owner()).or_default();
        let values = &mut self.values;
        sets.clear();
        sets.extend(row.features().map(|(feature, bytes)| (feature, add_value(habits, values, feature, bytes))));
    }

    /// Whether two numbers stand for equal values.
    pub(crate) fn same(&self, a: u32, b: u32) -> bool {
        a == b || (a != NONE && b != NONE && self.bytes(a) == self.bytes(b))
    }

    /// Makes room for lives with so many first values, of so many bytes in all.
    pub(crate) fn reserve(&mut self, lives: usize, values: usize, bytes: usize) {
        self.tracks.reserve(lives);
        self.first.reserve(values);
        self.values.bytes.reserve(bytes);
        self.values.ends.reserve(values);
    }

    /// How many numbers of values, or places of first values, are taken.
    pub(crate) fn n_values(&self) -> usize {
        self.values.ends.len().max(self.first.len())
    }

    /// A track for a life with these sets, all at one time; of several sets of one feature the last counts. [`NONE`] if
    /// nothing is set.
    pub(crate) fn open(&mut self, time: Time, sets: &[(FeatureId, u32)]) -> u32 {
        let start = self.first.len();
        self.first.own().extend(sets.iter().map(|&set| First::new(set)));
        if !sets.is_sorted_by(|a, b| a.0 < b.0) {
            let mut own = self.first.own().split_off(start);
            own.reverse();
            own.sort_by_key(|first| first.get().0);
            own.dedup_by_key(|first| first.get().0);
            self.first.own().append(&mut own);
        }
        if sets.iter().any(|(_, value)| *value == NONE) {
            let own = self.first.own().split_off(start);
            self.first.own().extend(own.into_iter().filter(|first| first.get().1 != NONE));
        }
        if self.first.len() == start {
            return NONE;
        }
        self.tracks.push(Track { created: time, start: start as u32, changed: 0 });
        (self.tracks.len() - 1) as u32
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
        self.first_of(track).iter().map(|first| first.get())
    }

    fn first_of(&self, track: u32) -> &[First] {
        let Some(own) = self.tracks.get(track as usize) else { return &[] };
        let end = self.tracks.get(track as usize + 1).map_or(self.first.len(), |next| next.start as usize);
        &self.first[own.start as usize..end]
    }

    /// Sets a feature from `time` on, which is not before any earlier set of it. What was set at the same time before is undone.
    fn set(&mut self, track: u32, feature: FeatureId, time: Time, value: u32) {
        if self.tracks[track as usize].changed == 0 {
            let created = self.tracks[track as usize].created;
            let spans = self.first(track).map(|(feature, value)| Span { created, value, feature, unused: 0 }).collect();
            self.changed.insert(track, spans);
            self.tracks[track as usize].changed = 1;
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

    /// The values that hold at a time of the life: at most one of each feature, in the order of the schema.
    pub(crate) fn at(&self, track: u32, time: Time) -> impl Iterator<Item = (FeatureId, u32)> {
        let (first, spans) = self.parts(track);
        let begun = self.tracks.get(track as usize).is_some_and(|track| track.created <= time);
        let first = if begun { first } else { &[] };
        let changed = spans.chunk_by(|a, b| a.feature == b.feature).filter_map(move |spans| {
            let end = spans.partition_point(|span| span.created <= time);
            let span = spans[..end].last()?;
            (span.value != NONE).then_some((span.feature, span.value))
        });
        first.iter().map(|first| first.get()).chain(changed)
    }

    /// Every value that held in the life and when, by (feature, created).
    pub(crate) fn history(&self, track: u32, life: Interval) -> impl Iterator<Item = (FeatureId, Interval, u32)> {
        let (first, spans) = self.parts(track);
        let created = self.tracks.get(track as usize).map_or(life.created, |track| track.created);
        let first = first.iter().filter_map(move |first| {
            let (feature, value) = first.get();
            Some((feature, Interval::new(created, life.removed)?, value))
        });
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
    fn parts(&self, track: u32) -> (&[First], &[Span]) {
        match self.tracks.get(track as usize) {
            Some(own) if own.changed != 0 => (&[], self.changed.get(&track).map_or(&[], |spans| spans)),
            _ => (self.first_of(track), &[]),
        }
    }
}

fn add_value(habits: &mut Vec<Habit>, values: &mut Values, feature: FeatureId, bytes: &[u8]) -> u32 {
    if habits.len() <= feature.at() {
        habits.resize(feature.at() + 1, Habit::default());
    }
    let habit = &mut habits[feature.at()];
    if habit.is_distinct() {
        return values.append(bytes);
    }
    habit.seen += 1;
    if values.get(habit.last) == Some(bytes) {
        return habit.last;
    }
    let before = values.ends.len();
    let id = values.intern(bytes);
    habit.new += u32::from(values.ends.len() > before);
    habit.last = id;
    id
}

/// Values as bytes; those that were looked for once each.
#[derive(Clone, Default)]
pub(crate) struct Values {
    pub(crate) bytes: Array<u8>,
    pub(crate) ends: Array<u64>,
    table: HashTable<u32>,
}

impl Values {
    fn get(&self, id: u32) -> Option<&[u8]> {
        let end = *self.ends.get(id as usize)?;
        Some(&self.bytes[start(&self.ends, id)..end as usize])
    }

    fn intern(&mut self, bytes: &[u8]) -> u32 {
        let hash = hash(bytes);
        if let Some(id) = find(&self.table, &self.ends, &self.bytes, hash, bytes) {
            return id;
        }
        let id = self.append(bytes);
        let (ends, bytes) = (&self.ends, &self.bytes);
        self.table.insert_unique(hash, id, |&at| self::hash(slice(ends, bytes, at)));
        id
    }

    /// Numbers a value without looking for it.
    fn append(&mut self, value: &[u8]) -> u32 {
        self.bytes.own().extend_from_slice(value);
        self.ends.push(self.bytes.len() as u64);
        (self.ends.len() - 1) as u32
    }
}

fn find(table: &HashTable<u32>, ends: &[u64], known: &[u8], hash: u64, bytes: &[u8]) -> Option<u32> {
    table.find(hash, |&at| slice(ends, known, at) == bytes).copied()
}

fn slice<'a>(ends: &[u64], bytes: &'a [u8], id: u32) -> &'a [u8] {
    &bytes[start(ends, id)..ends[id as usize] as usize]
}

fn start(ends: &[u64], id: u32) -> usize {
    id.checked_sub(1).map_or(0, |before| ends[before as usize] as usize)
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    bytes.hash(&mut hasher);
    hasher.finish()
}
