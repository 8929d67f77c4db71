//! Which types and features something ever was of.

use std::collections::BTreeSet;

use timeweft_graph::{FeatureId, NodeIndex, Owner};

use crate::Index;
use crate::elements::life::LifeRecord;

/// Types, and features of types.
pub type TypeSet = BTreeSet<(Owner, Option<FeatureId>)>;

impl Index {
    /// Which of some types and features there never was an element or a value of. Looks through all lives, if any are asked
    /// for.
    pub fn unused(&self, types: &TypeSet) -> TypeSet {
        let mut unused = types.clone();
        if unused.is_empty() {
            return unused;
        }
        for node in (0..self.n_nodes() as u32).map(NodeIndex) {
            unused.remove(&(Owner::Node(self.node_type(node)), None));
        }
        for life in self.nodes.lives.iter() {
            self.remove_features(&mut unused, Owner::Node(life.node_type), life);
        }
        for life in self.edges.lives.iter() {
            unused.remove(&(Owner::Edge(life.edge_type), None));
            self.remove_features(&mut unused, Owner::Edge(life.edge_type), life);
        }
        for merge in self.merges.all.iter() {
            self.remove_features(&mut unused, Owner::Merge, merge);
        }
        unused
    }

    fn remove_features(&self, types: &mut TypeSet, owner: Owner, life: &impl LifeRecord) {
        for (feature, ..) in self.feature_store.history(life.feature_row(), life.interval()) {
            types.remove(&(owner, Some(feature)));
        }
    }
}
