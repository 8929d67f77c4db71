//! What came of a load.

use serde::{Deserialize, Serialize};
use timeweft_graph::{Action, Commit, DeltaReport, Element, LoadId, Place, Reject};

/// Numbers of accepted events of one kind of element.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ActionCounts {
    /// Creates.
    pub created: u64,
    /// Updates.
    pub updated: u64,
    /// Deletes.
    pub deleted: u64,
}

/// Numbers of accepted events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct EventCounts {
    /// Of nodes.
    pub nodes: ActionCounts,
    /// Of edges.
    pub edges: ActionCounts,
    /// Of merges.
    pub merges: ActionCounts,
    /// Nodes created in place of missing ones; they count among the nodes created.
    pub stubs: u64,
    /// Edges that got a key because they repeat one that lives; they count among the edges created.
    pub parallel: u64,
}

impl EventCounts {
    /// All of them.
    pub fn total(&self) -> u64 {
        [self.nodes, self.edges, self.merges].iter().map(|of| of.created + of.updated + of.deleted).sum()
    }

    pub(crate) fn count_created(&mut self, edges: bool, count: u64) {
        let of = if edges { &mut self.edges } else { &mut self.nodes };
        of.created += count;
    }

    pub(crate) fn count(&mut self, action: Action, element: &Element) {
        let of = match element {
            Element::Node(_) => &mut self.nodes,
            Element::Edge(_) => &mut self.edges,
            Element::Merge { .. } => &mut self.merges,
        };
        match action {
            Action::Create => of.created += 1,
            Action::Update => of.updated += 1,
            Action::Delete => of.deleted += 1,
        }
    }
}

/// What came of a load.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LoadReport {
    /// Its number in the registry; of the earlier load where this one is `unchanged`.
    pub load: LoadId,
    /// The commit that made it visible.
    pub commit: Commit,
    /// Events accepted.
    pub accepted: u64,
    /// The same by action and kind of element.
    pub counts: EventCounts,
    /// The first rejected records, as many as the request keeps, in the order of the source.
    pub rejects: Vec<Reject>,
    /// All rejected records.
    pub n_rejected: u64,
    /// What a whole version changed.
    pub delta: Option<DeltaReport>,
    /// What was taken in although it looks odd, with its place.
    pub warnings: Vec<(Place, String)>,
    /// How the source was read where it leaves that open, for people. The store adds nothing to it.
    pub notes: Vec<String>,
    /// The namespace has this version with the same content already: nothing was written.
    pub unchanged: bool,
    /// What a back-dated version, or late events, changed in other loads.
    pub later: SpliceReport,
    /// How the events stood in time.
    pub order: OrderReport,
    /// What was cut in a source of intervals.
    pub clipped: ClippedCounts,
    /// Rows of tables that changed nothing.
    pub rows: RowCounts,
}

impl LoadReport {
    /// Nothing was written, for an earlier load brought it all.
    pub fn unchanged(load: LoadId, commit: Commit) -> LoadReport {
        LoadReport { load, commit, unchanged: true, ..LoadReport::default() }
    }
}

/// How the events of a load stood in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OrderReport {
    /// The source was not in order of time, and was sorted.
    pub sorted: bool,
    /// Late events that were put where they belong.
    pub placed: u64,
    /// Late events that were refused.
    pub refused: u64,
}

/// What rows of tables say that changed nothing. A row that a load repeats is no error: change data capture delivers at least once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RowCounts {
    /// Nodes and edges that were already what their row says, but for deletes.
    pub unchanged: u64,
    /// Deletes of what was not there.
    pub absent: u64,
}

/// What lasted longer than something it belongs to, and was cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClippedCounts {
    /// Edges, to the life of an end.
    pub edges: u64,
    /// Intervals of values, to the life of their owner.
    pub features: u64,
}

/// What a splice changed in other loads.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SpliceReport {
    /// Other loads whose events differ now.
    pub replaced: Vec<LoadId>,
    /// The first events that are refused now.
    pub dropped: Vec<Dropped>,
    /// All events that are refused now.
    pub n_dropped: u64,
}

/// An event that the graph refuses after a rollback, a back-dated load or one with late events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dropped {
    /// The load that brought it.
    pub load: LoadId,
    /// Why it is refused now.
    pub why: String,
}
