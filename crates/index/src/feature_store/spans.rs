//! The values of a life whose features changed, and since when each.

use std::borrow::Cow;

use bytemuck::{Pod, Zeroable};
use timeweft_graph::{FeatureId, Time};

use crate::NONE;

/// A value from `created` on, until the next span of the feature or the end of the owner's life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Span {
    pub(super) created: Time,
    /// Number of the value, or [`NONE`]: nothing from here on.
    pub(super) value: u32,
    pub(super) feature: FeatureId,
    unused: u16,
}

impl Span {
    pub(super) fn new(feature: FeatureId, created: Time, value: u32) -> Span {
        Span { created, value, feature, unused: 0 }
    }
}

/// The spans of a feature row, sorted by (feature, created).
#[derive(Clone)]
pub(crate) enum Spans {
    /// One after the other: most feature rows have a few.
    Flat(Vec<Span>),
    /// A list a feature, where there are enough that putting a new one among them would move most of them each time.
    Lists(Vec<(FeatureId, Vec<Span>)>),
}

/// Feature rows with more spans than `LONG`, and more than `DEEP` a feature, have lists.
const LONG: usize = 1024;
const DEEP: usize = 2;
/// The most sets of an event that are inserted one by one: most events have fewer.
const MAX_INSERTED: usize = 16;

impl Spans {
    /// Sorted spans.
    pub(crate) fn new(spans: Vec<Span>) -> Spans {
        let mut new = Spans::Flat(spans);
        new.grow();
        new
    }

    /// The spans of each feature.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[Span]> {
        let (flat, lists) = match self {
            Spans::Flat(spans) => (&spans[..], &[][..]),
            Spans::Lists(lists) => (&[][..], &lists[..]),
        };
        flat.chunk_by(|a, b| a.feature == b.feature).chain(lists.iter().map(|(_, spans)| &spans[..]))
    }

    /// The number of the value of a feature at a time, or [`NONE`].
    pub(super) fn at(&self, feature: FeatureId, time: Time) -> u32 {
        let spans = match self {
            Spans::Flat(spans) => spans,
            Spans::Lists(lists) => {
                lists.binary_search_by_key(&feature, |(own, _)| *own).map_or(&[][..], |at| &lists[at].1)
            }
        };
        let end = spans.partition_point(|span| (span.feature, span.created) <= (feature, time));
        end.checked_sub(1).map(|at| spans[at]).filter(|span| span.feature == feature).map_or(NONE, |span| span.value)
    }

    /// All, one after the other.
    pub(crate) fn to_flat(&self) -> Cow<'_, [Span]> {
        match self {
            Spans::Flat(spans) => spans.into(),
            Spans::Lists(_) => self.groups().collect::<Vec<_>>().concat().into(),
        }
    }

    /// Each span, by the place of its list and its place there.
    pub(super) fn places(&self) -> impl Iterator<Item = ((usize, usize), &Span)> {
        let (flat, lists) = match self {
            Spans::Flat(spans) => (Some(&spans[..]), &[][..]),
            Spans::Lists(lists) => (None, &lists[..]),
        };
        let lists = flat.into_iter().chain(lists.iter().map(|(_, spans)| &spans[..])).enumerate();
        lists.flat_map(|(list, spans)| spans.iter().enumerate().map(move |(at, span)| ((list, at), span)))
    }

    /// The number of the value of the span at a place.
    pub(super) fn number_at(&self, (list, at): (usize, usize)) -> Option<u32> {
        let spans = match self {
            Spans::Flat(spans) => spans,
            Spans::Lists(lists) => &lists.get(list)?.1,
        };
        spans.get(at).map(|span| span.value)
    }

    /// The same, to be changed.
    pub(super) fn number(&mut self, (list, at): (usize, usize)) -> Option<&mut u32> {
        let spans = match self {
            Spans::Flat(spans) => spans,
            Spans::Lists(lists) => &mut lists.get_mut(list)?.1,
        };
        spans.get_mut(at).map(|span| &mut span.value)
    }

    /// Sets features from `time` on, which is not before any earlier set of them. What was set at the same time before is
    /// undone; a value that is the `same` as the one before begins nothing.
    pub(super) fn set(&mut self, time: Time, sets: &[(FeatureId, u32)], same: impl Fn(u32, u32) -> bool) {
        match self {
            Spans::Flat(spans) if sets.len() <= MAX_INSERTED => {
                let room = spans.capacity();
                for &(feature, value) in sets {
                    let mut end = spans.partition_point(|span| span.feature <= feature);
                    if is_undone(&spans[..end], feature, time) {
                        end -= 1;
                        spans.remove(end);
                    }
                    if changes(&spans[..end], feature, value, &same) {
                        spans.insert(end, Span::new(feature, time, value));
                    }
                }
                // Looked at as often as there are twice as many: looking goes through all.
                if spans.capacity() > room {
                    self.grow();
                }
            }
            Spans::Flat(spans) => {
                *spans = merged(spans, time, sets, &same);
                self.grow();
            }
            Spans::Lists(lists) => {
                for &(feature, value) in sets {
                    let found = lists.binary_search_by_key(&feature, |(own, _)| *own);
                    let at = found.unwrap_or_else(|at| {
                        lists.insert(at, (feature, Vec::new()));
                        at
                    });
                    let spans = &mut lists[at].1;
                    if is_undone(spans, feature, time) {
                        spans.pop();
                    }
                    if changes(spans, feature, value, &same) {
                        spans.push(Span::new(feature, time, value));
                    }
                }
            }
        }
    }

    /// Makes lists, where there are many spans of few features.
    fn grow(&mut self) {
        let Spans::Flat(spans) = self else { return };
        if spans.len() <= LONG {
            return;
        }
        let groups = spans.chunk_by(|a, b| a.feature == b.feature);
        if spans.len() > DEEP * groups.clone().count() {
            *self = Spans::Lists(groups.map(|spans| (spans[0].feature, spans.to_vec())).collect());
        }
    }
}

/// The spans with many sets: each is moved once, instead of once for each set before it.
fn merged(spans: &[Span], time: Time, sets: &[(FeatureId, u32)], same: &impl Fn(u32, u32) -> bool) -> Vec<Span> {
    let mut sets: Vec<_> = sets.iter().rev().copied().collect();
    sets.sort_by_key(|(feature, _)| *feature);
    sets.dedup_by_key(|(feature, _)| *feature);
    let (mut merged, mut rest) = (Vec::with_capacity(spans.len() + sets.len()), spans);
    for (feature, value) in sets {
        let (before, after) = rest.split_at(rest.partition_point(|span| span.feature <= feature));
        rest = after;
        merged.extend_from_slice(before);
        if is_undone(&merged, feature, time) {
            merged.pop();
        }
        if changes(&merged, feature, value, same) {
            merged.push(Span::new(feature, time, value));
        }
    }
    merged.extend_from_slice(rest);
    merged
}

/// Whether a set of a feature undoes the last of these spans, which is of the same time.
fn is_undone(spans: &[Span], feature: FeatureId, time: Time) -> bool {
    spans.last().is_some_and(|span| span.feature == feature && span.created == time)
}

/// Whether a feature has another value then, behind these spans.
fn changes(spans: &[Span], feature: FeatureId, value: u32, same: &impl Fn(u32, u32) -> bool) -> bool {
    let last = spans.last().filter(|span| span.feature == feature);
    !same(last.map_or(NONE, |span| span.value), value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Numbers that look random.
    fn draw(seed: &mut u64, n: u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % n
    }

    #[test]
    fn lists_say_what_spans_in_a_row_say() {
        for seed in 0..40 {
            let (mut draws, same) = (seed, |a: u32, b: u32| a == b);
            let (mut flat, mut lists) = (Spans::Flat(Vec::new()), Spans::Lists(Vec::new()));
            for step in 0..200 {
                let time = Time(step / 2);
                let n = if step % 20 == 0 { MAX_INSERTED as u64 + 5 } else { 1 + draw(&mut draws, 3) };
                let mut set = || (FeatureId(draw(&mut draws, 9) as u16), [NONE, 1, 2, 3][draw(&mut draws, 4) as usize]);
                let sets: Vec<_> = (0..n).map(|_| set()).collect();
                flat.set(time, &sets, same);
                lists.set(time, &sets, same);
                assert!(matches!((&flat, &lists), (Spans::Flat(_), Spans::Lists(_))));
                assert_eq!(flat.to_flat(), lists.to_flat(), "{seed}, {step}");
            }
            for (feature, time) in
                (0..10).flat_map(|feature| (-1..101).map(move |time| (FeatureId(feature), Time(time))))
            {
                assert_eq!(flat.at(feature, time), lists.at(feature, time));
            }
            let of_flat: Vec<_> = flat.groups().collect();
            assert_eq!(of_flat, lists.groups().filter(|spans| !spans.is_empty()).collect::<Vec<_>>());
            for spans in [&mut flat, &mut lists] {
                let places: Vec<_> = spans.places().map(|(place, span)| (place, u32::from(span.feature.0))).collect();
                places.into_iter().for_each(|(place, value)| *spans.number(place).unwrap() = value);
                assert!(spans.to_flat().iter().all(|span| span.value == u32::from(span.feature.0)));
            }
            assert_eq!(flat.to_flat(), lists.to_flat());
        }
    }

    #[test]
    fn many_spans_of_few_features_get_lists_and_many_features_do_not() {
        let set = |spans: &mut Spans, n: u16, time| {
            let sets: Vec<_> = (0..n).map(|feature| (FeatureId(feature), time as u32 + 1)).collect();
            spans.set(Time(time), &sets, |a, b| a == b);
        };
        let (mut deep, mut wide) = (Spans::new(Vec::new()), Spans::new(Vec::new()));
        (0..2_000).for_each(|time| set(&mut deep, 2, time));
        assert!(matches!(&deep, Spans::Lists(lists) if lists.len() == 2));
        (0..2).for_each(|time| set(&mut wide, 2_000, time));
        assert!(matches!(wide, Spans::Flat(_)));
        assert!(matches!(Spans::new(deep.to_flat().into_owned()), Spans::Lists(_)), "as from a snapshot");
        assert_eq!(deep.to_flat().len(), 4_000);
    }
}
