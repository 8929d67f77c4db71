//! Merges of the oracle: episodes with features, in the order of the log.

use timeweft_graph::{Action, Event, Interval, Life, MergeRecord, NodeKey, Reason, Time};

use super::view::state;
use super::{Past, ReferenceGraph, end, in_order, set};

/// One episode in which `from` is `into`.
#[derive(Clone, Debug)]
pub(super) struct Episode {
    pub(super) from: NodeKey,
    pub(super) into: NodeKey,
    pub(super) life: Life,
}

impl Episode {
    /// Whether it is open and of these nodes; no `into` means any.
    fn is_open(&self, from: &NodeKey, into: Option<&NodeKey>) -> bool {
        self.life.interval.is_open() && self.from == *from && into.is_none_or(|into| self.into == *into)
    }

    /// Whether `from` has become `into` at a time.
    pub(super) fn leads(&self, time: Time) -> bool {
        self.life.interval.contains(time) && MergeRecord::resolves(state(&self.life, time).1.get(MergeRecord::TYPE))
    }

    pub(super) fn record(&self) -> MergeRecord {
        let (_, features) = state(&self.life, Time::FOREVER);
        MergeRecord { from: self.from.clone(), into: self.into.clone(), interval: self.life.interval, features }
    }
}

impl ReferenceGraph {
    pub(super) fn check_merge(&self, from: &NodeKey, into: &NodeKey, event: &Event) -> Result<(), Reason> {
        let refused = |why: &str| Err(Reason::BadMerge(format!("{from} into {into}: {why}")));
        if from == into {
            return refused("a node cannot merge into itself");
        }
        let node = self.nodes.get(from);
        // A node that never lived may become another if one became it, from then on.
        let is_named = self.named.get(from).is_some_and(|first| *first <= event.time);
        let named = self.targets.get(from).filter(|latest| is_named || **latest > Time::MIN);
        let latest = node.map(|node| &node.latest).or(named).ok_or_else(|| Reason::UnknownNode(from.clone()))?;
        let holds = self.merges.iter().any(|merge| merge.is_open(from, Some(into)));
        match event.action {
            Action::Create if node.is_some_and(Past::is_open) => {
                return refused("the first node is still alive: delete it first");
            }
            Action::Create if holds => return refused("this merge holds already"),
            Action::Update | Action::Delete if !holds => return refused("no such merge holds"),
            Action::Create | Action::Update | Action::Delete => {}
        }
        in_order(self.schema.unit(), event.time, *latest, || format!("node {from}"))
    }

    pub(super) fn change_merge(&mut self, from: NodeKey, into: NodeKey, event: &Event) {
        match self.nodes.get_mut(&from) {
            Some(node) => node.latest = event.time,
            None => _ = self.targets.insert(from.clone(), event.time),
        }
        self.targets.entry(into.clone()).or_insert(Time::MIN);
        let first = self.named.entry(into.clone()).or_insert(event.time);
        *first = (*first).min(event.time);
        if event.action == Action::Delete {
            return self.end_merges(&from, Some(&into), event.time);
        }
        if event.action == Action::Create {
            let life = Life { interval: Interval::open(event.time), features: Vec::new() };
            self.merges.push(Episode { from: from.clone(), into: into.clone(), life });
        }
        if let Some(merge) = self.merges.iter_mut().find(|merge| merge.is_open(&from, Some(&into))) {
            event.features.iter().for_each(|(name, value)| set(&mut merge.life, event.time, name, value.as_ref()));
        }
    }

    /// Ends the open merges of a node. An episode that ends when it began is dropped.
    pub(super) fn end_merges(&mut self, from: &NodeKey, into: Option<&NodeKey>, time: Time) {
        self.merges.iter_mut().filter(|merge| merge.is_open(from, into)).for_each(|merge| end(&mut merge.life, time));
        self.merges.retain(|merge| merge.life.interval.created < merge.life.interval.removed);
    }
}
