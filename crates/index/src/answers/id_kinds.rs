//! Whether ids are numbers: then a column of them holds numbers, and texts otherwise.

use std::sync::Arc;

use timeweft_graph::NodeTypeId;

use crate::Index;

impl Index {
    /// Whether every id that nodes of a type ever had is a whole number; so it is of a type without nodes.
    ///
    /// The first question looks at the types of all nodes, unless all ids of the graph are numbers.
    pub fn has_number_ids(&self, node_type: NodeTypeId) -> bool {
        self.known_id_kinds().1.get(node_type.at()).is_none_or(|all| *all)
    }

    fn known_id_kinds(&self) -> Arc<(usize, Vec<bool>)> {
        let n_nodes = self.n_nodes();
        self.id_kinds.retain(|(of, _)| *of == n_nodes);
        self.id_kinds.of(n_nodes, |n_nodes| {
            let types = &self.nodes.ids.types;
            let numbers: usize = types.iter().map(|of_type| of_type.numbers).sum();
            if numbers == n_nodes {
                return (n_nodes, vec![true; types.len()]);
            }
            let mut totals = vec![0; types.len()];
            (0..n_nodes as u32).for_each(|node| totals[self.nodes.ids.node_type(node).at()] += 1);
            (n_nodes, types.iter().zip(totals).map(|(of_type, total)| of_type.numbers == total).collect())
        })
    }
}
