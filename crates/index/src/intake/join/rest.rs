//! Merges and deletions that a version names.

use rustc_hash::FxHashSet;
use timeweft_graph::delta::{Canonical, DeletionReport, MergeContext, Past, merge_delta};
use timeweft_graph::rows::Rest;
use timeweft_graph::{ListedDeletion, MergeRecord, Name, NodeIndex, NodeKey, OwnerName, Reject};

use super::{LogStep, VersionLoader};

impl VersionLoader<'_> {
    /// Takes in what the rows come to; the absent nodes have ended by now.
    pub(super) fn merges(&mut self, rest: &Rest) {
        let canonical = Canonical::new(&self.index.schema, &rest.schema);
        let counts = |name: &Name| self.common.counts(&OwnerName::Merge, name);
        let context = Context { join: self };
        // Releases list every deletion that ever was: most are of nodes that nothing else names, and say nothing new.
        let merged_nodes: FxHashSet<&NodeKey> = rest.merges.iter().map(|merge| &merge.from).collect();
        let matters =
            |row: &&ListedDeletion| self.index.named_node(&row.node).is_some() || merged_nodes.contains(&row.node);
        let deleted: Vec<ListedDeletion> = rest.deleted.iter().filter(matters).cloned().collect();
        let mut merged = merge_delta(&context, &rest.merges, &deleted, &canonical, &counts, self.at);
        merged.deletions.ignored += (rest.deleted.len() - deleted.len()) as u64;
        let omitted = self.ended_nodes.saturating_sub(merged.explained as u64);
        self.report.merges = merged.merges;
        self.report.deletions = DeletionReport { omitted, ..merged.deletions };
        self.rejects.extend(merged.rejects);
        for (event, place) in merged.events {
            match self.index.apply(&event, &self.namespace) {
                Ok(()) => self.steps.push(LogStep::Event(Box::new(event))),
                Err(reason) => self.rejects.push(Reject { place, reason }),
            }
        }
    }
}

/// The version while what it says beside nodes and edges is made sense of.
struct Context<'j, 'a> {
    join: &'j VersionLoader<'a>,
}

impl MergeContext for Context<'_, '_> {
    fn stays(&self, node: &NodeKey) -> bool {
        let join = self.join;
        let node = join.index.node_index(node);
        let own = |node: NodeIndex| {
            join.listed_nodes.has(node.at()) || join.stubs.has(node.at()) || (join.lives_here(node) && join.keeps(node))
        };
        node.is_some_and(|node| own(node) && join.stays(node))
    }

    fn is_kept(&self, node: &NodeKey) -> bool {
        let join = self.join;
        let node = join.index.node_index(node);
        node.is_some_and(|node| !join.listed_nodes.has(node.at()) && join.lives_here(node) && join.keeps(node))
    }

    fn past(&self, node: &NodeKey) -> Past {
        let join = self.join;
        let Some(node) = join.index.named_node(node) else { return Past::Never };
        let Some(life) = join.index.nodes.latest_life(node) else {
            return if join.unborn_targets.contains(&node) { Past::Named } else { Past::Never };
        };
        if join.gone_nodes.has(node.at()) {
            return Past::Lives;
        }
        if join.shared.needed.contains(&node.0) {
            return Past::Needed;
        }
        let listed = join.listed_nodes.has(node.at()) || join.stubs.has(node.at());
        let own = join.node_held_by(node);
        if !life.interval.is_open() {
            return if join.index.was_held_by(node, &join.namespace) { Past::Ended } else { Past::EndedElsewhere };
        }
        let lives = listed || own.own && (!own.others || join.keeps(node));
        if lives { Past::Lives } else { Past::LivesElsewhere }
    }

    fn open_merges(&self, from: &NodeKey) -> Vec<MergeRecord> {
        let VersionLoader { index, namespace_id: own, .. } = self.join;
        index.named_node(from).map_or_else(Vec::new, |from| index.open_merges(from, |by| by == *own))
    }

    fn merged_elsewhere(&self, from: &NodeKey) -> Vec<NodeKey> {
        let VersionLoader { index, namespace_id: own, .. } = self.join;
        let merges = index.named_node(from).map(|from| index.open_merges(from, |by| by != *own));
        merges.into_iter().flatten().map(|merge| merge.into).collect()
    }
}
