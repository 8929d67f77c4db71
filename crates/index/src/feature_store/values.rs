//! Values of features, by number.

use std::hash::{Hash, Hasher};
use std::ops::Deref;

use hashbrown::HashTable;
use rustc_hash::{FxHashMap, FxHasher};
use timeweft_graph::rows::RowRef;
use timeweft_graph::{FeatureId, Owner, SmallValue};

use crate::NONE;
use crate::memory::array::{Array, Checked, prefetch};

/// Values by number: small ones are their number, all others lie in one array, where their number says.
#[derive(Clone, Default)]
pub(crate) struct Values {
    /// Each value begins at a multiple of [`UNIT`]: its length in groups of seven bits, the lowest first, and its bytes.
    pub(crate) bytes: Array<u8>,
    /// Numbers of values that repeat.
    table: HashTable<u32>,
    /// By owner, and by number of the feature.
    intern_stats: FxHashMap<Owner, Vec<InternStats>>,
}

/// Bytes of the units that numbers count.
const UNIT: usize = 4;
/// Numbers from this on stand for small values.
const SMALL: u32 = 1 << 31;
/// How many bytes of values can be numbered.
pub(crate) const MOST: u64 = SMALL as u64 * UNIT as u64;

/// How often the values of a feature repeat. Looking for each value costs time and memory that only repeats pay back.
#[derive(Clone, Copy)]
struct InternStats {
    seen: u32,
    new: u32,
    /// The value met last, which often is the next one too.
    last: u32,
}

impl Default for InternStats {
    fn default() -> InternStats {
        InternStats { seen: 0, new: 0, last: NONE }
    }
}

impl InternStats {
    /// How many values are seen before it is decided whether they repeat.
    const TRIAL: u32 = 2048;

    fn is_distinct(self) -> bool {
        self.seen >= InternStats::TRIAL && self.new > self.seen / 2
    }
}

/// The bytes of a value.
pub(crate) enum ValueRef<'a> {
    There(&'a [u8]),
    Small(SmallValue),
}

impl Deref for ValueRef<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            ValueRef::There(bytes) => bytes,
            ValueRef::Small(small) => small.bytes(),
        }
    }
}

impl<'a> ValueRef<'a> {
    /// The bytes of the value of a number.
    #[inline]
    pub(super) fn of(bytes: Checked<'a, u8>, number: u32) -> Option<ValueRef<'a>> {
        match number {
            NONE => None,
            SMALL.. => Some(ValueRef::Small(SmallValue::of(number - SMALL))),
            _ => Some(ValueRef::There(slice(bytes, number))),
        }
    }
}

/// Starts to bring the value of a number into the nearest cache: its first line, and the one behind.
#[inline]
pub(super) fn fetch_value(bytes: Checked<'_, u8>, number: u32) {
    if number < SMALL {
        prefetch(bytes, number as usize * UNIT);
        prefetch(bytes, number as usize * UNIT + 64);
    }
}

impl Values {
    /// The bytes of the value of a number.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<ValueRef<'_>> {
        ValueRef::of(self.bytes.checked(), number)
    }

    /// Whether two numbers stand for equal values.
    pub(crate) fn same(&self, a: u32, b: u32) -> bool {
        a == b || (a.max(b) < SMALL && slice(&self.bytes, a) == slice(&self.bytes, b))
    }

    /// A number for a value of a feature. Equal values mostly have equal numbers; [`Values::same`] compares. The caller
    /// bounds how many bytes there are.
    pub(crate) fn add(&mut self, owner: Owner, feature: FeatureId, value: &[u8]) -> u32 {
        let mut intern_stats = std::mem::take(self.intern_stats.entry(owner).or_default());
        let number = self.add_one(&mut intern_stats, feature, value);
        self.intern_stats.insert(owner, intern_stats);
        number
    }

    /// Numbers for the values of a record's features, into `sets`.
    pub(crate) fn add_row(&mut self, row: RowRef<'_>, sets: &mut Vec<(FeatureId, u32)>) {
        let mut intern_stats = std::mem::take(self.intern_stats.entry(row.owner()).or_default());
        sets.clear();
        sets.extend(row.features().map(|(feature, bytes)| (feature, self.add_one(&mut intern_stats, feature, bytes))));
        self.intern_stats.insert(row.owner(), intern_stats);
    }

    fn add_one(&mut self, intern_stats: &mut Vec<InternStats>, feature: FeatureId, value: &[u8]) -> u32 {
        if let Some(small) = SmallValue::number(value) {
            return SMALL | small;
        }
        if intern_stats.len() <= feature.at() {
            intern_stats.resize(feature.at() + 1, InternStats::default());
        }
        let stats = &mut intern_stats[feature.at()];
        if stats.is_distinct() {
            return self.append(value);
        }
        stats.seen += 1;
        if stats.last != NONE && slice(&self.bytes, stats.last) == value {
            return stats.last;
        }
        let before = self.bytes.len();
        stats.last = self.intern(value);
        stats.new += u32::from(self.bytes.len() > before);
        stats.last
    }

    fn intern(&mut self, value: &[u8]) -> u32 {
        let hash = hash(value);
        if let Some(known) = self.table.find(hash, |&at| slice(&self.bytes, at) == value) {
            return *known;
        }
        let number = self.append(value);
        let bytes = &self.bytes;
        self.table.insert_unique(hash, number, |&at| self::hash(slice(bytes, at)));
        number
    }

    /// Numbers a value without looking for it.
    fn append(&mut self, value: &[u8]) -> u32 {
        let number = (self.bytes.len() / UNIT) as u32;
        let (mut head, mut groups, mut length) = ([0; 10], 0, value.len());
        while length >= 0x80 {
            head[groups] = length as u8 | 0x80;
            (groups, length) = (groups + 1, length >> 7);
        }
        head[groups] = length as u8;
        self.bytes.extend_from_slice(&head[..=groups]);
        self.bytes.extend_from_slice(value);
        let padding = self.bytes.len().next_multiple_of(UNIT) - self.bytes.len();
        self.bytes.extend_from_slice(&[0; UNIT][..padding]);
        number
    }
}

/// The bytes of a value that lies in the array.
#[inline]
fn slice<'a>(bytes: impl Into<Checked<'a, u8>>, number: u32) -> &'a [u8] {
    let bytes = bytes.into();
    let mut at = number as usize * UNIT;
    let (mut length, mut shift) = (0, 0);
    loop {
        let group = *bytes.at(at);
        at += 1;
        length |= usize::from(group & 0x7f) << shift;
        shift += 7;
        if group < 0x80 {
            return bytes.range(at..at + length);
        }
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    bytes.hash(&mut hasher);
    hasher.finish()
}
