//! What a version changed, in numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Common, Kept};
use crate::{Features, Name, OwnerName};

/// What a version changed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DeltaReport {
    /// Nodes.
    pub nodes: ElementReport,
    /// Edges.
    pub edges: ElementReport,
    /// Merges.
    pub merges: MergeReport,
    /// Namespaces whose edges need nodes that are gone, and how many of these.
    #[serde(default)]
    pub needed_by: BTreeMap<Name, u64>,
    /// Nodes that are gone, by what the version says of them.
    #[serde(default)]
    pub deletions: DeletionReport,
    /// Features, as `type.feature` (nodes), `relation.feature` (edges) or `merge.feature`, that the namespace did not have
    /// before. They are left out unless [`super::DeltaOptions::add_fields`] takes them in.
    #[serde(default)]
    pub new_fields: Vec<String>,
    /// Elements that are not listed and live on, by type, and the records that could not be read and may be theirs.
    #[serde(default)]
    pub kept: Vec<Kept>,
    /// Features of the namespace that this version's reader does not know. Their values stay as they are.
    #[serde(default)]
    pub missing_fields: Vec<String>,
}

/// Numbers of nodes that are gone, and of the rows that say so.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DeletionReport {
    /// Nodes that went with this version, and that it calls deleted.
    pub by_name: u64,
    /// Nodes that went with this version without a word: neither merged nor called deleted.
    pub omitted: u64,
    /// Nodes whose merges ended because the version calls them deleted.
    pub unmerged: u64,
    /// Rows that say nothing new: the node was deleted before, or never seen.
    pub ignored: u64,
    /// Rows that contradict the version, which are rejected records.
    pub rejected: u64,
}

/// Numbers of nodes or edges. Every listed element is new, reappeared, changed, migrated, unchanged
/// or dangling.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ElementReport {
    /// Listed by the version, each key once.
    pub listed: u64,
    /// Never lived before.
    pub new: u64,
    /// Lived before, was gone, is back.
    pub reappeared: u64,
    /// Live on with other features.
    pub changed: u64,
    /// Live on and only got features that the namespace did not have before.
    #[serde(default)]
    pub migrated: u64,
    /// Changes of each feature, by `type.feature` (nodes) or `relation.feature` (edges).
    pub changed_features: BTreeMap<String, u64>,
    /// Live on as they were.
    pub unchanged: u64,
    /// Live on as they were, because a record of theirs could not be read. They do not count as listed.
    #[serde(default)]
    pub unreadable: u64,
    /// Are not listed and live on, because a record that could not be read may be theirs.
    #[serde(default)]
    pub kept: u64,
    /// No longer listed; edges that end with their node are among them.
    pub gone: u64,
    /// Records that repeat a key; left out.
    pub duplicates: u64,
    /// Listed, and held by other namespaces as well.
    #[serde(default)]
    pub shared: u64,
    /// Of those that are gone, live on because other namespaces hold them.
    #[serde(default)]
    pub left_to_others: u64,
    /// Of those that are gone, nodes that stand in, without a value, for edges of other namespaces.
    #[serde(default)]
    pub handed_over: u64,
    /// Edges of other namespaces that ended with a node of this one, as the load asked for.
    #[serde(default)]
    pub ended_elsewhere: u64,
    /// Edges left out for a missing node.
    pub dangling: u64,
    /// Missing nodes that edges name and that stand in without being listed.
    pub stubs: u64,
    /// Of those, nodes that were listed before: all their values ended.
    #[serde(default)]
    pub emptied: u64,
}

impl ElementReport {
    /// Counts what changes in a listed element; whether there is a change.
    pub fn count_changes(&mut self, owner: &OwnerName, changes: &Features, common: &Common) -> bool {
        if changes.is_empty() {
            self.unchanged += 1;
            return false;
        }
        let mut changed = changes.iter().filter(|(name, _)| !common.is_new(owner, name)).peekable();
        if changed.peek().is_none() {
            self.migrated += 1;
        } else {
            self.changed += 1;
        }
        for (name, _) in changed {
            *self.changed_features.entry(format!("{owner}.{name}")).or_default() += 1;
        }
        true
    }

    /// Counts an element that begins to live, or that is new to the namespace.
    pub fn count_created(&mut self, lived_before: bool) {
        if lived_before {
            self.reappeared += 1;
        } else {
            self.new += 1;
        }
    }
}

/// Numbers of merges.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct MergeReport {
    /// Merges of nodes that went with this version.
    pub merged: u64,
    /// Merges of nodes that had ended before, without a merge.
    #[serde(default)]
    pub after_deletion: u64,
    /// Merges of nodes that the graph has never seen, to which other merges lead.
    #[serde(default)]
    pub unseen: u64,
    /// Merges that take the place of one into another node.
    #[serde(default)]
    pub retargeted: u64,
    /// Merges of nodes that have others, which go on.
    #[serde(default)]
    pub added: u64,
    /// Merges that go on with other features.
    #[serde(default)]
    pub changed: u64,
    /// Of those that begin, merges into a node that lived and does not live after this version.
    pub target_dead: u64,
    /// Of those that begin, merges into a node that the graph has never seen, such as one of another graph.
    pub target_outside: u64,
    /// Rows that add nothing, by reason.
    pub skipped: BTreeMap<WhySkipped, u64>,
    /// The first of the rows that were skipped for another reason than being known already.
    pub examples: Vec<SkippedMerge>,
}

/// The most skipped merges that are shown in full.
const EXAMPLES: usize = 100;

impl MergeReport {
    pub(super) fn count_skipped(&mut self, row: SkippedMerge) {
        *self.skipped.entry(row.why).or_default() += 1;
        if row.why != WhySkipped::Known && self.examples.len() < EXAMPLES {
            self.examples.push(row);
        }
    }
}

/// A merge that adds nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SkippedMerge {
    /// The node that is said to be no more.
    pub from: String,
    /// What it is said to have become.
    pub into: String,
    /// Where the row stands.
    pub place: String,
    /// Why it was skipped.
    pub why: WhySkipped,
}

/// Why a merge was skipped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhySkipped {
    /// The same merge holds already, or follows from those that do.
    Known,
    /// The node was never seen.
    FromUnknown,
    /// The version lists the node, so it is not gone.
    FromListed,
    /// A record that could not be read is, or may be, that of the node, so it is kept.
    FromKept,
    /// The node is its own target.
    IntoItself,
    /// The node belongs to another namespace.
    FromForeign,
    /// Edges of another namespace need the node, so it stands in for them.
    FromNeeded,
    /// An earlier row of the version names the same merge with other features.
    Repeated,
}

impl WhySkipped {
    /// Whether the row contradicts the version, rather than saying nothing new.
    pub fn is_wrong(self) -> bool {
        !matches!(self, WhySkipped::Known | WhySkipped::FromUnknown | WhySkipped::FromKept | WhySkipped::FromNeeded)
    }

    /// The reason in words.
    pub fn message(self) -> &'static str {
        match self {
            WhySkipped::Known => "the merge holds already",
            WhySkipped::FromUnknown => "the node was never seen",
            WhySkipped::FromKept => "a record that could not be read may list the node, so it is kept",
            WhySkipped::FromListed => "the version lists the node, so it is not gone",
            WhySkipped::IntoItself => "a node cannot become itself",
            WhySkipped::FromNeeded => "edges of another namespace need the node: it is merged once they are gone",
            WhySkipped::FromForeign => "the node belongs to another namespace",
            WhySkipped::Repeated => "an earlier row names this merge with other features",
        }
    }
}
