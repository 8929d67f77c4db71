//! Elements that records create: what chunks of records and loads of whole lives have in common.

use timeweft_graph::rows::RowRef;
use timeweft_graph::{EdgeType, FeatureId, IdRef, Interval, Name, NodeKey, NodeTypeId, Reason};

use crate::elements::edge::EdgeIdentity;
use crate::intake::lifecycle::{EdgeEnd, NewEdge, NewNode};
use crate::{Index, NONE};

/// Records on their way into an index. Types and features have the numbers of its schema.
pub(crate) struct Records<'a> {
    pub(crate) index: &'a mut Index,
    pub(crate) namespace_id: u32,
    /// Nodes whose lives have this number or a higher one may end in the same load: see [`Index::check_edge_end`].
    pub(crate) first_life: u32,
    /// The features of the record that was checked last, and the numbers of their values.
    pub(crate) sets: Vec<(FeatureId, u32)>,
}

impl<'a> Records<'a> {
    /// Records of a namespace.
    pub(crate) fn new(index: &'a mut Index, namespace: &Name, first_life: u32) -> Records<'a> {
        let namespace_id = index.namespaces.add(namespace);
        Records { index, namespace_id, first_life, sets: Vec::new() }
    }

    /// The type of an edge.
    #[inline(always)]
    pub(crate) fn edge_type(&self, row: RowRef<'_>) -> Result<&EdgeType, Reason> {
        let unknown = || Reason::Malformed("its type is not in the schema: report this".into());
        self.index.schema.edge_types().get(row.edge_type().at()).ok_or_else(unknown)
    }

    /// The node of a record that may begin a life. Its features get their numbers.
    #[inline(always)]
    pub(crate) fn new_node<'r>(&mut self, row: RowRef<'r>, life: Interval) -> Result<NewNode<'r>, Reason> {
        let (node_type, id) = (row.node_type(), row.id());
        let known = self.index.nodes.find(node_type, id);
        self.index.check_new_node(known, life.created)?;
        self.index.feature_store.values.add_row(row, &mut self.sets);
        Ok(NewNode { node_type, id, known })
    }

    /// The edge of a record that may begin a life between its ends. Its features get their numbers.
    #[inline(always)]
    pub(crate) fn new_edge(
        &mut self,
        row: RowRef<'_>,
        ends: [Option<EdgeEnd>; 2],
        life: Interval,
    ) -> Result<NewEdge, Reason> {
        let index = &*self.index;
        let end_key = |of: fn(&EdgeType) -> NodeTypeId, id: IdRef<'_>| {
            let edge_type = &index.schema.edge_types()[row.edge_type().at()];
            NodeKey { node_type: index.schema.node_type_name(of(edge_type)), id: id.to_id() }
        };
        let [source, destination] = ends;
        let source = index.check_edge_end(source, life, self.first_life, || end_key(|of| of.source, row.id()))?;
        let destination_key = || end_key(|of| of.destination, row.destination());
        let destination = index.check_edge_end(destination, life, self.first_life, destination_key)?;
        let identity = |key| EdgeIdentity { edge_type: row.edge_type(), source, destination, key };
        let key = row.key().map_or(Some(NONE), |key| index.keys.find(key));
        let latest = key.and_then(|key| index.edges.find(identity(key)));
        index.check_new_edge(latest, life.created)?;

        self.index.feature_store.values.add_row(row, &mut self.sets);
        let key = row.key().map_or(NONE, |key| self.index.keys.add_str(key));
        Ok(NewEdge { identity: identity(key), latest })
    }
}
