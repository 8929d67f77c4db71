//! Events: the only way in. All sources become events, and the log of events is the only truth (law 1).

use serde::{Deserialize, Serialize};

use crate::{EdgeKey, Name, NodeKey, Time, Value};

/// What happens to an element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// A life begins.
    Create,
    /// Features change.
    Update,
    /// The life ends.
    Delete,
}

/// What an event is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Element {
    /// A node. For a model this is a self-loop.
    Node(NodeKey),
    /// An edge between two nodes.
    Edge(EdgeKey),
    /// The record that node `from` became node `into`: `Create` merges, `Update` changes the features of the merge,
    /// `Delete` ends it. A node may have merges into several nodes at once, at most one into each.
    Merge {
        /// The node that is no more.
        from: NodeKey,
        /// The node that it became. The graph need not know it: it may live in another graph.
        into: NodeKey,
    },
}

/// Features that an event sets; `None` ends the value. Features not named stay as they are.
pub type Features = Vec<(Name, Option<Value>)>;

/// One fact of the graph's history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// When it happens in valid time.
    pub time: Time,
    /// What happens.
    pub action: Action,
    /// To what.
    pub element: Element,
    /// Features set by it (empty for deletes).
    pub features: Features,
}

impl Event {
    /// An event without features.
    pub fn new(time: Time, action: Action, element: Element) -> Event {
        Event { time, action, element, features: Vec::new() }
    }

    /// The same event with features.
    pub fn with(mut self, features: Features) -> Event {
        self.features = features;
        self
    }
}
