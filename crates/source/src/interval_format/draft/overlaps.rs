//! Intervals of one feature, which may overlap, as values that never do.

use timeweft_graph::spans::PackedSpan;
use timeweft_graph::{FeatureKind, Interval, Time};

/// Kind and place of a value; `None` is a gap.
type Held = Option<(FeatureKind, usize, usize)>;

/// The sweep over time. At any time the interval holds that began last among those that contain it.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    spans: Vec<(Interval, Held)>,
    /// Intervals that are open, the one that began last on top.
    open: Vec<(Interval, Held)>,
}

impl Sweep {
    /// Begins another feature.
    pub(super) fn begin(&mut self) {
        self.spans.clear();
        self.open.clear();
    }

    /// Adds an interval of the feature; intervals come in any order.
    pub(super) fn add(&mut self, interval: Interval, held: Held) {
        self.spans.push((interval, held));
    }

    /// Appends the values inside `life` in order of time, and tells how many intervals were cut to fit.
    ///
    /// Two intervals that begin together contradict each other: the time is returned as an error.
    pub(super) fn finish(
        &mut self,
        feature: u32,
        life: Interval,
        bytes: &[u8],
        out: &mut Vec<PackedSpan>,
    ) -> Result<u32, Time> {
        self.spans.sort_by_key(|(interval, _)| *interval);
        if let Some(pair) = self.spans.windows(2).find(|pair| pair[0].0.created == pair[1].0.created) {
            return Err(pair[0].0.created);
        }
        let mut clipped = 0;
        let mut writer = Writer { feature, first: out.len(), out, bytes, current: None };
        for (interval, held) in &self.spans {
            let (created, removed) = (interval.created.max(life.created), interval.removed.min(life.removed));
            let cut = Interval::new(created, removed);
            clipped += u32::from(cut != Some(*interval));
            if let Some(cut) = cut {
                end_until(&mut self.open, cut.created, &mut writer);
                writer.set(cut.created, *held);
                self.open.push((cut, *held));
            }
        }
        end_until(&mut self.open, life.removed, &mut writer);
        Ok(clipped)
    }
}

/// Ends what ends up to a time; what lies below comes out again.
fn end_until(open: &mut Vec<(Interval, Held)>, time: Time, writer: &mut Writer<'_>) {
    while let Some(end) = open.last().map(|(top, _)| top.removed).filter(|end| *end <= time) {
        while open.last().is_some_and(|(top, _)| top.removed <= end) {
            open.pop();
        }
        writer.set(end, open.last().and_then(|(_, held)| *held));
    }
}

/// Writes values one after the other.
struct Writer<'a> {
    feature: u32,
    /// Where the values of the feature begin.
    first: usize,
    out: &'a mut Vec<PackedSpan>,
    bytes: &'a [u8],
    /// What holds, and since when.
    current: Option<(Time, (FeatureKind, usize, usize))>,
}

impl Writer<'_> {
    /// From a time on, another value or none holds.
    fn set(&mut self, time: Time, held: Held) {
        if let Some((since, (kind, start, end))) = self.current.take()
            && let Some(interval) = Interval::new(since, time)
        {
            self.push(PackedSpan { feature: self.feature, kind, interval, start, end });
        }
        self.current = held.map(|held| (time, held));
    }

    /// A value that goes on is one span.
    fn push(&mut self, span: PackedSpan) {
        if self.out.len() > self.first
            && let Some(last) = self.out.last_mut()
            && last.interval.removed == span.interval.created
            && self.bytes.get(last.start..last.end) == self.bytes.get(span.start..span.end)
        {
            last.interval.removed = span.interval.removed;
            return;
        }
        self.out.push(span);
    }
}
