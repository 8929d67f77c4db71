//! Merges and deletions that a version names.
//!
//! Release files are cumulative and undated: most rows say nothing new. What a row means follows from what the graph knows
//! of its node, so the order of the rows and their number in a batch never matter.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Canonical, DeletionReport, MergeReport, SkippedMerge, WhySkipped, all, changes};
use crate::{
    Action, Element, Event, Features, ListedDeletion, ListedMerge, MergeRecord, Name, NodeKey, Place, Reason, Reject,
    Time, Value,
};

/// What the graph knows of a node just before a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Past {
    /// It was never created, and no merge leads to it.
    Never,
    /// It was never created; a merge leads to it.
    Named,
    /// It lived in the namespace of the version alone, or lives there.
    Lives,
    /// It was let go, and stands in for edges of other namespaces.
    Needed,
    /// Its latest life was one of the namespace, and is over.
    Ended,
    /// It lives in another namespace.
    LivesElsewhere,
    /// Its latest life was one of another namespace, and is over.
    EndedElsewhere,
}

/// What the merges of a version need to know of the graph before it, and of the nodes that it lists.
pub trait MergeContext {
    /// Whether the node lives in the namespace after the version: it is listed, is kept, or stands in as a stub.
    fn stays(&self, node: &NodeKey) -> bool;

    /// Whether it lives only because a record that could not be read is, or may be, its own.
    fn is_kept(&self, node: &NodeKey) -> bool;

    /// What the graph knows of a node just before the version.
    fn past(&self, node: &NodeKey) -> Past;

    /// The open merges of a node with their features, in the order of the log.
    fn open_merges(&self, from: &NodeKey) -> Vec<MergeRecord>;

    /// The targets of the open merges of a node that other namespaces made.
    fn merged_elsewhere(&self, from: &NodeKey) -> Vec<NodeKey>;
}

/// What the merges and deletions of a version come to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MergeDelta {
    /// The events, which stand after all deletes and creates of nodes.
    pub events: Vec<(Event, Place)>,
    /// Rows that contradict the version.
    pub rejects: Vec<Reject>,
    /// The merges, in numbers.
    pub merges: MergeReport,
    /// The deletions, in numbers; [`DeletionReport::omitted`] is counted as if no node had gone unnamed.
    pub deletions: DeletionReport,
    /// The nodes that went with this version and were merged or called deleted.
    pub explained: usize,
}

/// The events of the merges and deletions that a version names.
pub fn merge_delta(
    context: &dyn MergeContext,
    rows: &[ListedMerge],
    deleted: &[ListedDeletion],
    canonical: &Canonical<'_>,
    counts: &dyn Fn(&Name) -> bool,
    at: Time,
) -> MergeDelta {
    let mut rows: Vec<Row<'_>> = rows.iter().map(|row| Row::new(row, canonical, counts)).collect();
    rows.sort_by(|a, b| (&a.row.place, &a.row.from, &a.row.into).cmp(&(&b.row.place, &b.row.from, &b.row.into)));
    let mut plan = MergePlan { context, at, counts, groups: Groups::default(), out: MergeDelta::default() };
    let order = plan.group(rows);
    let (seen, unseen): (Vec<_>, Vec<_>) = order.into_iter().partition(|from| context.past(from) != Past::Never);
    for from in &seen {
        plan.from(from);
    }
    plan.unseen(unseen);
    plan.deletions(deleted);
    plan.out
}

/// A row with its features in canonical form.
struct Row<'a> {
    row: &'a ListedMerge,
    features: BTreeMap<Name, Value>,
}

impl<'a> Row<'a> {
    fn new(row: &'a ListedMerge, canonical: &Canonical<'_>, counts: &dyn Fn(&Name) -> bool) -> Row<'a> {
        let mut features = canonical.merge(&row.features);
        features.retain(|name, _| counts(name));
        Row { row, features }
    }

    /// Whether it says what the node has become, and does not only advise.
    fn leads(&self) -> bool {
        MergeRecord::resolves(self.features.get(MergeRecord::TYPE))
    }
}

fn leads(merge: &MergeRecord) -> bool {
    MergeRecord::resolves(merge.features.get(MergeRecord::TYPE))
}

/// The sound rows of each node, in the order of their places.
type Groups<'a> = FxHashMap<&'a NodeKey, Vec<Row<'a>>>;

struct MergePlan<'a> {
    context: &'a dyn MergeContext,
    at: Time,
    counts: &'a dyn Fn(&Name) -> bool,
    groups: Groups<'a>,
    out: MergeDelta,
}

impl<'a> MergePlan<'a> {
    /// Skips the rows that can mean nothing, groups the others, and gives their nodes in the order of the first rows.
    fn group(&mut self, rows: Vec<Row<'a>>) -> Vec<&'a NodeKey> {
        let mut order = Vec::new();
        for row in rows {
            let from = &row.row.from;
            let known = self.groups.get(from);
            let same = known.and_then(|rows| rows.iter().find(|known| known.row.into == row.row.into));
            let why = match same {
                Some(same) if same.features == row.features => Some(WhySkipped::Known),
                Some(_) => Some(WhySkipped::Repeated),
                None if known.is_some() => None,
                None => self.why_skipped(row.row),
            };
            match why {
                _ if row.row.from == row.row.into => self.skip(row.row, WhySkipped::IntoItself),
                Some(why) => self.skip(row.row, why),
                None => {
                    if known.is_none() {
                        order.push(from);
                    }
                    self.groups.entry(from).or_default().push(row);
                }
            }
        }
        order
    }

    fn why_skipped(&self, row: &ListedMerge) -> Option<WhySkipped> {
        if self.context.is_kept(&row.from) {
            return Some(WhySkipped::FromKept);
        }
        if self.context.stays(&row.from) {
            return Some(WhySkipped::FromListed);
        }
        match self.context.past(&row.from) {
            Past::Lives | Past::Never => None,
            Past::Ended | Past::Named => match self.context.merged_elsewhere(&row.from) {
                elsewhere if elsewhere.is_empty() => None,
                elsewhere if elsewhere.contains(&row.into) => Some(WhySkipped::Known),
                _ => Some(WhySkipped::FromForeign),
            },
            Past::Needed => Some(WhySkipped::FromNeeded),
            Past::LivesElsewhere | Past::EndedElsewhere => Some(WhySkipped::FromForeign),
        }
    }

    /// Nodes that were never seen become others where a merge leads to them, and then those that these become. Releases
    /// list every merge that ever was, so the rows of other such nodes are left out in silence.
    fn unseen(&mut self, order: Vec<&'a NodeKey>) {
        let mut left: FxHashSet<&NodeKey> = order.iter().copied().collect();
        let mut next = 0;
        while let Some((event, _)) = self.out.events.get(next) {
            next += 1;
            let (Action::Create, Element::Merge { into, .. }) = (event.action, &event.element) else { continue };
            if let Some(from) = left.take(into) {
                self.from(from);
            }
        }
        for from in order.into_iter().filter(|from| left.contains(from)) {
            let rows = self.groups.remove(from).unwrap_or_default();
            rows.iter().for_each(|row| self.skip(row.row, WhySkipped::FromUnknown));
        }
    }

    /// The rows of one node: its merges may begin, change, or take the place of others.
    fn from(&mut self, from: &'a NodeKey) {
        let rows = self.groups.remove(from).unwrap_or_default();
        let past = self.context.past(from);
        let goes = past == Past::Lives;
        let open = if goes { Vec::new() } else { self.context.open_merges(from) };
        self.out.explained += usize::from(goes);
        for leading in [true, false] {
            let begun: Vec<&Row<'_>> = rows
                .iter()
                .filter(|row| row.leads() == leading && open.iter().all(|merge| merge.into != row.row.into))
                .collect();
            let unnamed: Vec<&MergeRecord> = open
                .iter()
                .filter(|merge| leads(merge) == leading && rows.iter().all(|row| row.row.into != merge.into))
                .collect();
            self.begin(from, &begun, &unnamed, Kind { leading, past, lonely: open.is_empty() });
        }
        for row in &rows {
            if let Some(merge) = open.iter().find(|merge| merge.into == row.row.into) {
                self.change(row, merge);
            }
        }
        self.groups.insert(from, rows);
    }

    fn begin(&mut self, from: &NodeKey, begun: &[&Row<'a>], unnamed: &[&MergeRecord], kind: Kind) {
        if begun.is_empty() {
            return;
        }
        if kind.leading && !unnamed.is_empty() {
            let path = self.path(from, &unnamed[0].into);
            if begun.iter().all(|row| path.contains(&row.row.into)) {
                return begun.iter().for_each(|row| self.skip(row.row, WhySkipped::Known));
            }
        }
        let place = &begun[0].row.place;
        for merge in unnamed {
            self.event(Action::Delete, from, &merge.into, Features::new(), place);
        }
        for row in begun {
            let report = &mut self.out.merges;
            match kind.past {
                Past::Lives => report.merged += 1,
                _ if !unnamed.is_empty() => report.retargeted += 1,
                _ if !kind.lonely => report.added += 1,
                Past::Never | Past::Named => report.unseen += 1,
                _ => report.after_deletion += 1,
            }
            self.count_target(&row.row.into);
            self.event(Action::Create, from, &row.row.into, all(row.features.clone()), &row.row.place);
        }
    }

    /// The nodes that `from` becomes one after the other if its open merge into `into` stays. Releases compress paths: where A became
    /// B and B becomes C, they list A as C.
    fn path(&self, from: &NodeKey, into: &NodeKey) -> Vec<NodeKey> {
        let mut path = vec![from.clone(), into.clone()];
        while let Some(next) = self.next(&path[path.len() - 1]).filter(|next| !path.contains(next)) {
            path.push(next);
        }
        path.remove(0);
        path
    }

    /// What a node becomes with this version. Whether its row begins a merge or compresses a path, following the row
    /// leads to the same end.
    fn next(&self, node: &NodeKey) -> Option<NodeKey> {
        if self.context.stays(node) {
            return None;
        }
        let open = self.context.open_merges(node);
        let rows = self.groups.get(node).map_or(&[][..], |rows| rows);
        let rows: Vec<_> = rows.iter().filter(|row| row.leads()).collect();
        let mut open = open.iter().filter(|merge| leads(merge)).map(|merge| &merge.into);
        let kept = open.clone().find(|into| rows.iter().any(|row| row.row.into == **into));
        let next = kept.or_else(|| rows.first().map(|row| &row.row.into)).or_else(|| open.next());
        next.cloned()
    }

    fn change(&mut self, row: &Row<'a>, merge: &MergeRecord) {
        let mut changes = changes(&merge.features, row.features.clone());
        changes.retain(|(name, _)| (self.counts)(name));
        if changes.is_empty() {
            return self.skip(row.row, WhySkipped::Known);
        }
        self.out.merges.changed += 1;
        self.event(Action::Update, &row.row.from, &row.row.into, changes, &row.row.place);
    }

    fn count_target(&mut self, into: &NodeKey) {
        if self.context.stays(into) {
            return;
        }
        match self.context.past(into) {
            Past::Never | Past::Named => self.out.merges.target_outside += 1,
            Past::LivesElsewhere | Past::Needed => {}
            Past::Lives | Past::Ended | Past::EndedElsewhere => self.out.merges.target_dead += 1,
        }
    }

    fn event(&mut self, action: Action, from: &NodeKey, into: &NodeKey, features: Features, place: &Place) {
        let element = Element::Merge { from: from.clone(), into: into.clone() };
        self.out.events.push((Event { time: self.at, action, element, features }, place.clone()));
    }

    fn skip(&mut self, row: &ListedMerge, why: WhySkipped) {
        if why.is_wrong() {
            let message = format!("{} into {}: {}", row.from, row.into, why.message());
            self.out.rejects.push(Reject { place: row.place.clone(), reason: Reason::BadMerge(message) });
        }
        self.out.merges.count_skipped(SkippedMerge {
            from: row.from.to_string(),
            into: row.into.to_string(),
            place: row.place.to_string(),
            why,
        });
    }

    fn deletions(&mut self, deleted: &'a [ListedDeletion]) {
        let mut deleted: Vec<&ListedDeletion> = deleted.iter().collect();
        deleted.sort_by(|a, b| (&a.place, &a.node).cmp(&(&b.place, &b.node)));
        let mut seen = FxHashSet::default();
        for row in deleted {
            if !seen.insert(&row.node) || self.context.is_kept(&row.node) {
                self.out.deletions.ignored += 1;
            } else if self.context.stays(&row.node) {
                self.contradicts(row, "the version lists the node, so it is not gone");
            } else if self.groups.contains_key(&row.node) {
                self.contradicts(row, "the version says into which node it was merged");
            } else {
                self.deletion(row);
            }
        }
    }

    fn deletion(&mut self, row: &ListedDeletion) {
        let past = self.context.past(&row.node);
        if past == Past::Lives {
            self.out.deletions.by_name += 1;
            self.out.explained += 1;
            return;
        }
        let may_be = matches!(past, Past::Ended | Past::Named);
        let open = if may_be { self.context.open_merges(&row.node) } else { Vec::new() };
        if open.is_empty() {
            self.out.deletions.ignored += 1;
            return;
        }
        self.out.deletions.unmerged += 1;
        open.iter().for_each(|merge| {
            self.event(Action::Delete, &merge.from, &merge.into, Features::new(), &row.place);
        });
    }

    fn contradicts(&mut self, row: &ListedDeletion, why: &str) {
        self.out.deletions.rejected += 1;
        let reason = Reason::Malformed(format!("deletion of {}: {why}", row.node));
        self.out.rejects.push(Reject { place: row.place.clone(), reason });
    }
}

/// What the merges that begin at one node have in common.
#[derive(Clone, Copy)]
struct Kind {
    /// Whether they say what the node has become, and do not only advise.
    leading: bool,
    /// What the graph knows of the node.
    past: Past,
    /// Whether the node had no open merge.
    lonely: bool,
}
