//! Reading a graph: what can be asked of any view, and what the answers look like.
//!
//! [`GraphView`] is implemented twice: by the reference graph (naive, obviously right) and by the index (fast). Answers
//! are in canonical order, so that two implementations can be compared by `==`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EdgeKey, Event, Interval, Name, NodeKey, Schema, Time, Value};

/// What a view does with deleted elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deletes {
    /// Deleted elements are gone.
    #[default]
    Hard,
    /// Deleted elements stay visible with their last values, marked deleted.
    Soft,
}

impl Deletes {
    /// As it stands in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Deletes::Hard => "hard",
            Deletes::Soft => "soft",
        }
    }
}

/// The moment of a view in valid time, and its way with deletes. The commit is pinned by the view itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct At {
    /// Elements with `created <= time < removed` are alive.
    pub time: Time,
    /// Hard or soft deletes.
    pub deletes: Deletes,
}

impl At {
    /// Hard view at a time.
    pub fn time(time: Time) -> At {
        At { time, deletes: Deletes::Hard }
    }

    /// Hard view at the end of time: everything that was never removed.
    pub fn now() -> At {
        At::time(Time::FOREVER)
    }
}

/// Side of an edge seen from a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    /// The node is the source.
    Out,
    /// The node is the destination.
    In,
}

/// A node as a view shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeState {
    /// Which node.
    pub key: NodeKey,
    /// The life that the view shows: the latest one begun by then.
    pub life: Interval,
    /// Whether that life is over (soft views only).
    pub deleted: bool,
    /// Features at the view's time, or at the moment of deletion.
    pub features: BTreeMap<Name, Value>,
}

/// An edge as a view shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct EdgeState {
    /// Which edge.
    pub key: EdgeKey,
    /// The life that the view shows: the latest one begun by then.
    pub life: Interval,
    /// Whether that life is over (soft views only).
    pub deleted: bool,
    /// Features at the view's time, or at the moment of deletion.
    pub features: BTreeMap<Name, Value>,
}

/// One value of a feature and the interval in which it held.
#[derive(Clone, PartialEq, Debug)]
pub struct FeatureSpan {
    /// Feature name.
    pub name: Name,
    /// When it held, inside the owner's life.
    pub interval: Interval,
    /// The value.
    pub value: Value,
}

/// One life of a node or edge: its interval and every value its features took.
#[derive(Clone, PartialEq, Debug)]
pub struct Life {
    /// When it lived.
    pub interval: Interval,
    /// Sorted by (name, created).
    pub features: Vec<FeatureSpan>,
}

/// Everything that ever happened to a node or edge: its lives in order of time.
pub type ElementHistory = Vec<Life>;

/// The record that a node became another.
#[derive(Clone, PartialEq, Debug)]
pub struct MergeRecord {
    /// The node that is no more.
    pub from: NodeKey,
    /// The node that it became.
    pub into: NodeKey,
    /// When the merge holds.
    pub interval: Interval,
    /// Features of the merge now, or at its last moment.
    pub features: BTreeMap<Name, Value>,
}

impl MergeRecord {
    /// The feature that says what kind of merge it is.
    pub const TYPE: &str = "type";

    /// Whether a merge of this [`MergeRecord::TYPE`] says what a node has become. Ontologies name a node to `consider`
    /// instead of one that is gone: that is advice, and nothing resolves through it.
    pub fn resolves(merge_type: Option<&Value>) -> bool {
        !matches!(merge_type, Some(Value::Text(name) | Value::Category(name)) if **name == *"consider")
    }

    /// Merges stand in the order of their nodes, and of time.
    pub fn canonical_order(&self, other: &MergeRecord) -> Ordering {
        (&self.from, &self.into, self.interval).cmp(&(&other.from, &other.into, other.interval))
    }
}

/// What differs between two states of the graph; each list sorted by key.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Diff {
    /// Nodes alive at `to` and not at `from`.
    pub nodes_created: Vec<NodeKey>,
    /// Nodes alive at `from` and not at `to`.
    pub nodes_removed: Vec<NodeKey>,
    /// Nodes alive at both whose features differ, with the names of those features.
    pub nodes_updated: Vec<Updated<NodeKey>>,
    /// Edges alive at `to` and not at `from`.
    pub edges_created: Vec<EdgeKey>,
    /// Edges alive at `from` and not at `to`.
    pub edges_removed: Vec<EdgeKey>,
    /// Edges alive at both whose features differ.
    pub edges_updated: Vec<Updated<EdgeKey>>,
    /// Merges that hold at `to` and did not at `from`.
    pub merged: Vec<MergeRecord>,
}

/// An element whose features differ.
#[derive(Clone, PartialEq, Debug)]
pub struct Updated<K> {
    /// Which element.
    pub key: K,
    /// Names of the features that differ, sorted.
    pub features: Vec<Name>,
}

/// Numbers of elements shown by a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Nodes.
    pub nodes: usize,
    /// Edges.
    pub edges: usize,
    /// Merges that hold.
    pub merges: usize,
}

/// A graph pinned to one commit. Nothing it answers changes while it is held (law 2).
///
/// An unknown name is no error: it has no node, no edge, no history.
pub trait GraphView {
    /// The types known at this commit.
    fn schema(&self) -> &Schema;

    /// The node, if the view shows it.
    fn node(&self, key: &NodeKey, at: At) -> Option<NodeState>;

    /// The edge, if the view shows it.
    fn edge(&self, key: &EdgeKey, at: At) -> Option<EdgeState>;

    /// All nodes, of one type or of all, sorted by key, one after the other: a large graph has more than memory takes.
    fn iter_nodes(&self, node_type: Option<&str>, at: At) -> Box<dyn Iterator<Item = NodeState> + '_>;

    /// All edges, of one relation or of all, sorted by key, one after the other.
    fn iter_edges(&self, relation: Option<&str>, at: At) -> Box<dyn Iterator<Item = EdgeState> + '_>;

    /// All that [`GraphView::iter_nodes`] gives.
    fn nodes(&self, node_type: Option<&str>, at: At) -> Vec<NodeState> {
        self.iter_nodes(node_type, at).collect()
    }

    /// All that [`GraphView::iter_edges`] gives.
    fn edges(&self, relation: Option<&str>, at: At) -> Vec<EdgeState> {
        self.iter_edges(relation, at).collect()
    }

    /// Edges at a node on one side, of one relation or of all, sorted by key. A self-loop is on both sides.
    fn neighbors(&self, key: &NodeKey, direction: Direction, relation: Option<&str>, at: At) -> Vec<EdgeState>;

    /// Number of edges that [`GraphView::neighbors`] would give.
    fn degree(&self, key: &NodeKey, direction: Direction, relation: Option<&str>, at: At) -> usize {
        self.neighbors(key, direction, relation, at).len()
    }

    /// All lives of a node.
    fn node_history(&self, key: &NodeKey) -> ElementHistory;

    /// All lives of an edge.
    fn edge_history(&self, key: &EdgeKey) -> ElementHistory;

    /// All merges that ever held, in [`MergeRecord::canonical_order`].
    fn merges(&self) -> Vec<MergeRecord>;

    /// The node that `key` has become at a time, through all merges that hold then and say so
    /// ([`MergeRecord::resolves`]); `key` itself if none does. Of several merges of a node the one counts that the log
    /// made first.
    fn resolve(&self, key: &NodeKey, time: Time) -> NodeKey;

    /// What changed between two times (hard deletes).
    fn diff(&self, from: Time, to: Time) -> Diff;

    /// Numbers of elements shown.
    fn counts(&self, at: At) -> Counts;

    /// The log up to this commit, in log order: replaying it into an empty graph gives this view.
    fn events(&self) -> Vec<Event>;
}
