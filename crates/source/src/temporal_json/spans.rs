//! Intervals of one feature, which may overlap, as the changes that a reader of events sees.

use timeweft_graph::{Interval, Time, Value};

/// A value (`None`: a gap) and when it is said to hold.
pub(super) struct Span {
    pub(super) interval: Interval,
    pub(super) value: Option<Value>,
}

/// A feature takes a value, or loses it.
pub(super) type Change = (Time, Option<Value>);

/// The changes of a feature inside `life` in order of time, and how many intervals were cut to fit.
///
/// At any time the span holds that began last among those that contain it. Two that begin together contradict each
/// other: the time is returned as an error.
pub(super) fn resolve(spans: Vec<Span>, life: Interval) -> Result<(Vec<Change>, u64), Time> {
    let mut spans = spans;
    spans.sort_by_key(|span| span.interval);
    if let Some(pair) = spans.windows(2).find(|pair| pair[0].interval.created == pair[1].interval.created) {
        return Err(pair[0].interval.created);
    }
    let mut clipped = 0;
    let mut changes = Changes::default();
    for span in spans {
        let created = span.interval.created.max(life.created);
        let removed = span.interval.removed.min(life.removed);
        clipped += u64::from((created, removed) != (span.interval.created, span.interval.removed));
        if let Some(interval) = Interval::new(created, removed) {
            changes.end_until(interval.created);
            changes.set(interval.created, span.value.clone());
            changes.open.push(Span { interval, value: span.value });
        }
    }
    changes.end_until(life.removed.before());
    Ok((changes.list, clipped))
}

/// The sweep over time: spans that are open, the one that began last on top.
#[derive(Default)]
struct Changes {
    open: Vec<Span>,
    list: Vec<Change>,
}

impl Changes {
    /// Ends what ends up to a time; what lies below comes out again.
    fn end_until(&mut self, time: Time) {
        while let Some(end) = self.open.last().map(|top| top.interval.removed).filter(|end| *end <= time) {
            while self.open.last().is_some_and(|top| top.interval.removed <= end) {
                self.open.pop();
            }
            let value = self.open.last().and_then(|top| top.value.clone());
            self.set(end, value);
        }
    }

    fn set(&mut self, time: Time, value: Option<Value>) {
        if self.list.last().is_some_and(|(last, _)| *last == time) {
            self.list.pop();
        }
        let current = self.list.last().and_then(|(_, value)| value.as_ref());
        if current != value.as_ref() {
            self.list.push((time, value));
        }
    }
}
