//! The features of one record while it is read, and the checks that all formats of intervals share.

mod overlaps;

use std::ops::Range;

use timeweft_graph::spans::PackedSpan;
use timeweft_graph::{FeatureKind, Interval, Reason, Time, ValueRef, ValueSpans};

use self::overlaps::Sweep;

/// Times as a record gives them; what is missing is inherited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct GivenTimes {
    pub(crate) created: Option<i64>,
    /// -1 is "never".
    pub(crate) removed: Option<i64>,
}

impl GivenTimes {
    /// The interval; what is not given comes from the owner.
    pub(crate) fn within(self, owner: Interval) -> Result<Interval, Reason> {
        let created = self.created.map_or(owner.created, Time);
        let removed = match self.removed {
            None => owner.removed,
            Some(-1) => Time::FOREVER,
            Some(ticks) => Time(ticks),
        };
        Interval::new(created, removed).ok_or(Reason::EmptyInterval { created, removed })
    }
}

/// A value as it is given.
#[derive(Clone, Copy, Debug)]
struct DraftSpan {
    feature: u32,
    /// Which feature of the record, counted: the same number again is an error.
    entry: u32,
    times: GivenTimes,
    /// `None` of a gap.
    kind: Option<FeatureKind>,
    start: usize,
    end: usize,
}

/// Values of features of one or more records. The memory is used again for every record.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    given: Vec<DraftSpan>,
    bytes: Vec<u8>,
    entries: u32,
    /// What becomes of the values of a record.
    settled: Vec<PackedSpan>,
    sweep: Sweep,
}

impl Draft {
    /// Forgets all values.
    pub(crate) fn clear(&mut self) {
        self.given.clear();
        self.bytes.clear();
        self.entries = 0;
    }

    /// Number of values so far; the values of a record are the range between two of these.
    pub(crate) fn mark(&self) -> usize {
        self.given.len()
    }

    /// Begins another feature of the record.
    pub(crate) fn begin(&mut self) {
        self.entries += 1;
    }

    /// Adds a value to the feature begun last; `None` is a gap.
    pub(crate) fn add(&mut self, feature: u32, times: GivenTimes, value: Option<ValueRef<'_>>) {
        let start = self.bytes.len();
        let kind = value.map(|value| {
            value.encode(&mut self.bytes);
            value.kind()
        });
        self.given.push(DraftSpan { feature, entry: self.entries, times, kind, start, end: self.bytes.len() });
    }

    /// Adds a feature with one value for the whole life of its owner.
    pub(crate) fn add_plain(&mut self, feature: u32, value: Option<ValueRef<'_>>) {
        self.begin();
        self.add(feature, GivenTimes::default(), value);
    }

    /// Checks the values of a record and cuts them to its life.
    pub(crate) fn settle(&mut self, record: Range<usize>, life: Interval) -> Result<ValueSpans<'_>, Reason> {
        self.settled.clear();
        let mut clipped = 0;
        let given = self.given.get_mut(record).unwrap_or_default();
        // Stable: of two features with one number the first stays first.
        given.sort_by_key(|span| span.feature);
        for feature in given.chunk_by(|a, b| a.feature == b.feature) {
            let number = feature[0].feature;
            one_feature(feature)?;
            self.sweep.begin();
            for span in feature {
                let interval = span.times.within(life).map_err(|reason| of_feature(number, &reason))?;
                self.sweep.add(interval, span.kind.map(|kind| (kind, span.start, span.end)));
            }
            let cut = self.sweep.finish(number, life, &self.bytes, &mut self.settled);
            clipped += cut.map_err(|time| {
                Reason::Malformed(format!("feature {number} has two intervals that begin at {time}: which one holds?"))
            })?;
        }
        Ok(ValueSpans::new(&self.settled, &self.bytes, clipped))
    }
}

fn of_feature(number: u32, reason: &Reason) -> Reason {
    Reason::Malformed(format!("feature {number}: {reason}"))
}

/// One number names one feature of one kind.
fn one_feature(spans: &[DraftSpan]) -> Result<(), Reason> {
    let number = spans[0].feature;
    if spans.iter().any(|span| span.entry != spans[0].entry) {
        let rule = "another feature has this number; numbers are one space for all kinds";
        return Err(Reason::Malformed(format!("feature {number}: {rule}")));
    }
    let mut kinds = spans.iter().filter_map(|span| span.kind);
    let first = kinds.next();
    match kinds.find(|kind| Some(*kind) != first).zip(first) {
        None => Ok(()),
        Some((other, first)) => Err(Reason::Malformed(format!(
            "feature {number}: holds {first} and {other}: use a feature of its own for each"
        ))),
    }
}
