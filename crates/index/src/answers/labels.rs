//! What people call a node.

use timeweft_graph::{FeatureId, FeatureKind, Name, NodeIndex, Owner, Value};

use crate::Index;
use crate::elements::life::{LifeRecord, chain};

/// Features that hold names for people, the first that a node ever had counts.
pub const LABELS: [&str; 3] = ["name", "label", "title"];

impl Index {
    /// The newest text of the first of the features [`LABELS`] that the node ever had. It does not depend on a time, so that what
    /// people look at is called the same while time moves.
    pub fn label(&self, node: NodeIndex) -> Option<Name> {
        self.label_features(node).find_map(|feature| self.newest_text(node, feature))
    }

    /// Whether a node was there at some time: not if it ended when it began.
    pub fn ever_lived(&self, node: NodeIndex) -> bool {
        chain(&self.nodes.lives, self.nodes.life(node)).any(|life| self.nodes.lives[life as usize].is_real())
    }

    /// The features of a node that may hold its label, in order.
    pub(crate) fn label_features(&self, node: NodeIndex) -> impl Iterator<Item = FeatureId> {
        let owner = Owner::Node(self.nodes.node_type(node));
        let known = LABELS.iter().filter_map(move |name| self.schema.feature(owner, name));
        known.filter(|(_, def)| matches!(def.kind, FeatureKind::Text | FeatureKind::Category)).map(|(id, _)| id)
    }

    fn newest_text(&self, node: NodeIndex, feature: FeatureId) -> Option<Name> {
        let lives = chain(&self.nodes.lives, self.nodes.life(node)).map(|life| &self.nodes.lives[life as usize]);
        let value = lives.filter(|life| life.is_real()).find_map(|life| {
            let held = self.feature_store.history(life.feature_row(), life.interval());
            held.filter(|(id, ..)| *id == feature).last().map(|(.., value)| value)
        })?;
        match self.feature_store.value(value)? {
            Value::Text(text) | Value::Category(text) => Some(text),
            _ => None,
        }
    }
}
