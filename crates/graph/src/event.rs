//! Events: the only way in. All sources become events, and the log of events is the only truth (law 1).

use rustc_hash::FxHashSet;
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

impl Action {
    /// All, in their order.
    pub const ALL: [Action; 3] = [Action::Create, Action::Update, Action::Delete];

    /// Its name: `create`, `update` or `delete`.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
        }
    }
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

impl std::fmt::Display for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Element::Node(node) => node.fmt(f),
            Element::Edge(edge) => edge.fmt(f),
            Element::Merge { from, into } => write!(f, "{from} into {into}"),
        }
    }
}

/// The kinds of elements.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum ElementKind {
    Node,
    Edge,
    Merge,
}

impl ElementKind {
    /// All, in their order.
    pub const ALL: [ElementKind; 3] = [ElementKind::Node, ElementKind::Edge, ElementKind::Merge];

    /// Its name: `node`, `edge` or `merge`.
    pub const fn name(self) -> &'static str {
        match self {
            ElementKind::Node => "node",
            ElementKind::Edge => "edge",
            ElementKind::Merge => "merge",
        }
    }

    /// The place of an event among those of the same time, in a log that is sorted: what ends comes before what begins, an
    /// edge ends before its nodes and begins after them.
    pub const fn rank(self, action: Action) -> u8 {
        match (self, action) {
            (ElementKind::Edge, Action::Delete) => 0,
            (ElementKind::Node, Action::Delete) => 1,
            (ElementKind::Node, Action::Create) => 2,
            (ElementKind::Node, Action::Update) => 3,
            (ElementKind::Edge, Action::Create) => 4,
            (ElementKind::Edge, Action::Update) => 5,
            (ElementKind::Merge, _) => 6,
        }
    }
}

impl Element {
    /// Its kind.
    pub fn kind(&self) -> ElementKind {
        match self {
            Element::Node(_) => ElementKind::Node,
            Element::Edge(_) => ElementKind::Edge,
            Element::Merge { .. } => ElementKind::Merge,
        }
    }
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

    /// Its place in a log that is sorted: by time, and at one time by [`ElementKind::rank`].
    pub fn order(&self) -> (Time, u8) {
        (self.time, self.element.kind().rank(self.action))
    }

    /// Sorts the features by name, so that equal events have equal bytes. Repeated names keep their order: the last one counts.
    pub fn sort_features(&mut self) {
        if !self.features.is_sorted_by(|a, b| a.0 <= b.0) {
            self.features.sort_by(|a, b| a.0.cmp(&b.0));
        }
    }

    /// The same event with features.
    pub fn with(mut self, features: Features) -> Event {
        self.features = features;
        self
    }
}

/// The features in their order, each name once: what an event sets last is what holds.
pub fn last_values(features: &[(Name, Option<Value>)]) -> impl Iterator<Item = (&Name, Option<&Value>)> {
    // A few names are compared as fast as they are hashed.
    let many = features.len() > 16;
    let mut later = FxHashSet::default();
    let mut last = vec![true; if many { features.len() } else { 0 }];
    for at in (0..last.len()).rev() {
        last[at] = later.insert(&features[at].0);
    }
    features.iter().enumerate().filter_map(move |(at, (name, value))| {
        let is_last = match many {
            true => last[at],
            false => features[at + 1..].iter().all(|(other, _)| other != name),
        };
        is_last.then_some((name, value.as_ref()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_a_name_holds_among_few_and_among_many() {
        for n in [3, 40] {
            let mut features: Features = (0..n).map(|at| (format!("f{at}").into(), Some(Value::number(0.0)))).collect();
            features.push(("f1".into(), None));
            let found: Vec<_> =
                last_values(&features).map(|(name, value)| (name.to_string(), value.is_some())).collect();
            let expected = (0..n).filter(|at| *at != 1).map(|at| (format!("f{at}"), true));
            assert_eq!(found, expected.chain([("f1".to_owned(), false)]).collect::<Vec<_>>());
        }
    }
}
