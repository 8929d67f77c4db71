//! Merges and deletions that a version names.

use rustc_hash::FxHashSet;
use timeweft_graph::delta::{Canonical, DeletionReport, MergeContext, OwnerName, Past, merge_delta};
use timeweft_graph::rows::Rest;
use timeweft_graph::{ListedDeletion, MergeRecord, Name, NodeIndex, NodeKey, Reject};

use super::{Join, Step};

impl Join<'_> {
    /// Takes in what the rows come to; the absent nodes have ended by now.
    pub(super) fn merges(&mut self, rest: &Rest) {
        let canonical = Canonical::new(&self.index.schema, &rest.schema);
        let counts = |name: &Name| self.common.counts(&OwnerName::Merge, name);
        // Releases list every deletion that ever was: most are of nodes that nothing else names, and say nothing new.
        let merged_nodes: FxHashSet<&NodeKey> = rest.merges.iter().map(|merge| &merge.from).collect();
        let matters =
            |row: &&ListedDeletion| self.index.node_index(&row.node).is_some() || merged_nodes.contains(&row.node);
        let deleted: Vec<ListedDeletion> = rest.deleted.iter().filter(matters).cloned().collect();
        let mut merged = merge_delta(&*self, &rest.merges, &deleted, &canonical, &counts, self.at);
        merged.deletions.ignored += (rest.deleted.len() - deleted.len()) as u64;
        let omitted = self.report.nodes.gone.saturating_sub(merged.explained as u64);
        self.report.merges = merged.merges;
        self.report.deletions = DeletionReport { omitted, ..merged.deletions };
        self.rejects.extend(merged.rejects);
        let namespace = self.index.namespaces.get(self.speaker).cloned().unwrap_or_else(|| "".into());
        for (event, place) in merged.events {
            match self.index.apply(&event, &namespace) {
                Ok(()) => self.steps.push(Step::Event(Box::new(event))),
                Err(reason) => self.rejects.push(Reject { place, reason }),
            }
        }
    }
}

impl MergeContext for Join<'_> {
    fn stays(&self, node: &NodeKey) -> bool {
        let node = self.index.node_index(node);
        let own = |node: NodeIndex| {
            self.listed_nodes.has(node.at()) || self.stubs.has(node.at()) || (self.lives_here(node) && self.keeps(node))
        };
        node.is_some_and(|node| own(node) && self.stays(node))
    }

    fn is_kept(&self, node: &NodeKey) -> bool {
        let node = self.index.node_index(node);
        node.is_some_and(|node| !self.listed_nodes.has(node.at()) && self.lives_here(node) && self.keeps(node))
    }

    fn past(&self, node: &NodeKey) -> Past {
        let Some(node) = self.index.node_index(node) else { return Past::Never };
        let Some(life) = self.index.nodes.latest_life(node) else { return Past::Never };
        match (life.interval.is_open(), self.index.nodes.owner(node) == self.speaker) {
            _ if self.gone_nodes.has(node.at()) => Past::Lives,
            (true, true) => Past::Lives,
            (true, false) => Past::LivesElsewhere,
            (false, true) => Past::Ended,
            (false, false) => Past::EndedElsewhere,
        }
    }

    fn open_merges(&self, from: &NodeKey) -> Vec<MergeRecord> {
        self.index.node_index(from).map_or_else(Vec::new, |from| self.index.open_merges(from))
    }
}
