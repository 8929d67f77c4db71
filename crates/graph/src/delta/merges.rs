//! Merges of a version. Release files are cumulative and undated, so most rows say nothing new and are skipped, with the reason.

use rustc_hash::FxHashMap;

use super::{Plan, SkippedMerge, Stays, WhySkipped};
use crate::{Action, At, Deletes, Element, Event, ListedMerge, NodeKey, Reason, Time};

impl<'a> Plan<'a> {
    /// Chains need no order: every node of a chain that lived before and is not listed gets its own record.
    pub(super) fn merges(&mut self, stays: &Stays<'a>) {
        let merged: FxHashMap<_, _> = (self.before.graph().merges().into_iter())
            .filter(|merge| merge.interval.is_open())
            .map(|merge| (merge.from, merge.into))
            .collect();
        let mut rows: Vec<&ListedMerge> = self.version.merges.iter().collect();
        rows.sort_by(|a, b| (&a.place, &a.from, &a.into).cmp(&(&b.place, &b.from, &b.into)));
        let mut taken: FxHashMap<&NodeKey, &NodeKey> = FxHashMap::default();
        for row in rows {
            let why = match taken.get(&row.from) {
                Some(&into) if *into == row.into => Some(WhySkipped::Known),
                Some(_) => Some(WhySkipped::OtherTarget),
                None => self.why_skipped(row, stays, merged.get(&row.from)),
            };
            match why {
                Some(why) => self.skip(row, why),
                None => {
                    taken.insert(&row.from, &row.into);
                    self.merge(row, stays);
                }
            }
        }
    }

    fn why_skipped(&self, row: &ListedMerge, stays: &Stays<'a>, merged: Option<&NodeKey>) -> Option<WhySkipped> {
        if row.from == row.into {
            return Some(WhySkipped::IntoItself);
        }
        if stays.contains(&row.from) {
            return Some(WhySkipped::FromListed);
        }
        if !self.own_nodes.contains(&row.from) {
            return Some(match merged {
                Some(into) if *into == row.into => WhySkipped::Known,
                _ if self.is_known(&row.from) => WhySkipped::FromNotAlive,
                _ => WhySkipped::FromUnknown,
            });
        }
        None
    }

    fn is_known(&self, node: &NodeKey) -> bool {
        self.before.graph().node(node, At { time: Time::FOREVER, deletes: Deletes::Soft }).is_some()
    }

    fn merge(&mut self, row: &ListedMerge, stays: &Stays<'a>) {
        let (from, into) = (row.from.clone(), row.into.clone());
        self.report.merges.merged += 1;
        if !self.is_known(&into) && !stays.contains(&into) {
            self.report.merges.target_outside += 1;
        } else if !stays.contains(&into) && !self.is_foreign(&into) {
            self.report.merges.target_dead += 1;
        }
        let features = self.canonical.merge(&row.features).into_iter().map(|(name, value)| (name, Some(value)));
        let event = Event::new(self.at, Action::Create, Element::Merge { from, into }).with(features.collect());
        self.stages.merges.push((event, row.place.clone()));
    }

    fn skip(&mut self, row: &ListedMerge, why: WhySkipped) {
        if why.is_wrong() {
            let message = format!("{} into {}: {}", row.from, row.into, why.message());
            self.reject(&row.place, Reason::BadMerge(message));
        }
        self.report.merges.count_skipped(SkippedMerge {
            from: row.from.to_string(),
            into: row.into.to_string(),
            place: row.place.to_string(),
            why,
        });
    }
}
