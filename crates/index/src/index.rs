//! The index itself, and its answers by dense numbers.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use timeweft_graph::{
    At, EdgeIndex, EdgeKey, EdgeTypeId, FeatureDef, FeatureId, IdRef, Interval, Name, NodeIndex, NodeKey, NodeTypeId,
    Owner, Schema, Time, Value,
};

use crate::adjacency::Adjacency;
use crate::adjacency::pairs::Pairs;
use crate::elements::edge::{EdgeEnds, EdgeLife, Edges};
use crate::elements::events::Events;
use crate::elements::fact::Fact;
use crate::elements::life::{LifeRecord, shown};
use crate::elements::merge::Merges;
use crate::elements::names::Names;
use crate::elements::node::Nodes;
use crate::elements::tally::Tallies;
use crate::feature_store::{FeatureRow, FeatureStore};
use crate::memory::cache::Cache;
use crate::query::finder::Finder;
use crate::query::text_index::TextIndex;
use crate::sample::weights::{WeightFeatures, Weights};

/// A graph laid out for reading. Events go in through [`Index::apply`]; questions are asked through
/// [`timeweft_graph::GraphView`] by name, or through the methods here by dense number, without a string in sight.
///
/// Numbers ([`NodeIndex`], [`EdgeIndex`]) are those of this index; methods that take one panic on a number of another.
#[derive(Clone, Default)]
pub struct Index {
    pub(crate) schema: Schema,
    pub(crate) nodes: Nodes,
    pub(crate) edges: Edges,
    pub(crate) merges: Merges,
    pub(crate) feature_store: FeatureStore,
    pub(crate) adjacency: OnceLock<Adjacency>,
    pub(crate) keys: Names,
    pub(crate) namespaces: Names,
    pub(crate) events: Events,
    pub(crate) pairs: OnceLock<Pairs>,
    pub(crate) facts: OnceLock<Vec<Fact>>,
    pub(crate) texts: Cache<(NodeTypeId, Option<FeatureId>), TextIndex>,
    pub(crate) weights: Cache<WeightFeatures, Weights>,
    pub(crate) tallies: OnceLock<Arc<Tallies>>,
    pub(crate) finder: OnceLock<Arc<Finder>>,
    /// By the number of nodes: it again, and whether all ids of each node type are whole numbers.
    pub(crate) id_kinds: Cache<usize, (usize, Vec<bool>)>,
}

impl Index {
    /// An empty graph with these types.
    pub fn new(schema: Schema) -> Index {
        Index { schema, ..Index::default() }
    }

    /// The types known so far.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Adds the types and features that `declared` has and this schema has not; what is there stays as it is. Works on
    /// a closed schema too.
    pub fn declare(&mut self, declared: &Schema) {
        let add = |schema: &mut Schema, owner: Owner, features: &[FeatureDef]| {
            features.iter().for_each(|def| _ = schema.add_feature(owner, def.clone()));
        };
        add(&mut self.schema, Owner::Merge, declared.features(Owner::Merge));
        for node in declared.node_types() {
            if let Some(id) = self.schema.add_node_type(&node.name) {
                add(&mut self.schema, Owner::Node(id), &node.features);
            }
        }
        for edge in declared.edge_types() {
            let end = |id: NodeTypeId| self.schema.node_type(&declared.node_type_name(id));
            let Some((source, destination)) = end(edge.source).zip(end(edge.destination)) else { continue };
            if let Some(id) = self.schema.add_edge_type(source, &edge.relation, destination) {
                add(&mut self.schema, Owner::Edge(id), &edge.features);
            }
        }
    }

    /// Reserves memory for more nodes and edges.
    pub fn reserve(&mut self, nodes: usize, edges: usize) {
        self.nodes.reserve(nodes);
        self.edges.reserve(edges);
        self.events.reserve(nodes + edges);
    }

    /// Has the system clear most of the memory for more nodes and edges now, while there is nothing else to do: later each
    /// first write to a page would wait for that.
    pub(crate) fn touch_room(&mut self, nodes: usize, edges: usize) {
        // Expected numbers are rather too high than too low.
        let (nodes, edges) = (nodes / 9 * 8, edges / 9 * 8);
        let features = self.schema.node_types().iter().map(|of_type| of_type.features.len()).max().unwrap_or(0);
        self.feature_store.reserve(nodes, nodes * features, 0);
        self.nodes.latest.touch(nodes);
        self.nodes.life.touch(nodes);
        self.nodes.merge.touch(nodes);
        self.nodes.lives.touch(nodes);
        self.nodes.owners.touch(nodes);
        self.nodes.ids.ids.touch(nodes);
        self.edges.lives.touch(edges);
        self.feature_store.rows.touch(nodes + nodes * features);
        self.events.kinds.touch(nodes + edges);
        self.events.subjects.touch(nodes + edges);
    }

    /// How many nodes the log ever named, be it as the target of a merge alone; their numbers are below it.
    pub fn n_nodes(&self) -> usize {
        self.nodes.life.len()
    }

    /// How many lives of edges the log ever created; their numbers are below it.
    pub fn n_edges(&self) -> usize {
        self.edges.lives.len()
    }

    /// The number of a node; `None` if it was never created.
    pub fn node_index(&self, key: &NodeKey) -> Option<NodeIndex> {
        self.nodes.created(self.schema.node_type(&key.node_type)?, key.id.as_ref())
    }

    /// The number of a node that the log ever named, be it as the target of a merge alone.
    pub(crate) fn named_node(&self, key: &NodeKey) -> Option<NodeIndex> {
        self.nodes.find(self.schema.node_type(&key.node_type)?, key.id.as_ref())
    }

    /// The key of a node.
    pub fn node_key(&self, node: NodeIndex) -> NodeKey {
        NodeKey { node_type: self.schema.node_type_name(self.nodes.node_type(node)), id: self.nodes.id(node).to_id() }
    }

    /// The id of a node, without a copy.
    pub fn node_id(&self, node: NodeIndex) -> IdRef<'_> {
        self.nodes.id(node)
    }

    /// The order of two nodes by their keys, which takes no copy of them.
    pub fn compare_nodes(&self, a: NodeIndex, b: NodeIndex) -> Ordering {
        let name = |node| &self.schema.node_types()[self.nodes.node_type(node).at()].name;
        name(a).cmp(name(b)).then_with(|| self.nodes.id(a).cmp(&self.nodes.id(b)))
    }

    /// The type of a node.
    pub fn node_type(&self, node: NodeIndex) -> NodeTypeId {
        self.nodes.node_type(node)
    }

    /// Whether a node is alive at a time.
    pub fn alive(&self, node: NodeIndex, time: Time) -> bool {
        self.node_life(node, time).is_some()
    }

    /// The features of a node at a time, in the order of the schema; none if it is not alive.
    pub fn node_features(&self, node: NodeIndex, time: Time) -> impl Iterator<Item = (FeatureId, Value)> {
        let life = self.node_life(node, time).map(|life| &self.nodes.lives[life as usize]);
        self.values_at(life, time)
    }

    /// The features of a life of an edge at a time, in the order of the schema; none if it is not alive.
    pub fn edge_features(&self, edge: EdgeIndex, time: Time) -> impl Iterator<Item = (FeatureId, Value)> {
        let life = self.edge_alive(edge, time).then(|| self.edges.get(edge));
        self.values_at(life, time)
    }

    /// Type, source and destination of a life of an edge.
    pub fn edge_ends(&self, edge: EdgeIndex) -> (EdgeTypeId, NodeIndex, NodeIndex) {
        let life = self.edges.get(edge);
        (life.edge_type, life.source, life.destination)
    }

    /// When a life of an edge holds.
    pub fn edge_interval(&self, edge: EdgeIndex) -> Interval {
        self.edges.get(edge).interval
    }

    /// Whether a life of an edge holds at a time.
    pub fn edge_alive(&self, edge: EdgeIndex, time: Time) -> bool {
        let life = self.edges.get(edge);
        life.is_real() && life.interval.contains(time)
    }

    /// The key of a life of an edge.
    pub fn edge_key(&self, edge: EdgeIndex) -> EdgeKey {
        self.key_of(self.edges.get(edge))
    }

    /// What distinguishes a life of an edge from parallel ones: the last part of its key.
    pub fn parallel_key(&self, edge: EdgeIndex) -> Option<&Name> {
        self.keys.get(self.edges.get(edge).key)
    }

    /// The latest life of an edge, open or over.
    pub fn edge_index(&self, key: &EdgeKey) -> Option<EdgeIndex> {
        self.find_edge(&self.ends(key)?, key)
    }

    /// The life of an edge that a view shows: the one that runs at the time, or, with soft deletes, the latest begun by then.
    pub fn edge_index_at(&self, key: &EdgeKey, at: At) -> Option<EdgeIndex> {
        shown(&self.edges.lives, self.edge_index(key)?.0, at).map(EdgeIndex)
    }

    /// Makes the lists of edges that a first question would make, if an earlier state of the graph had them: who asks that
    /// one should not wait for them in the midst of questions.
    pub fn prepare_like(&self, earlier: &Index) {
        if earlier.adjacency.get().is_some() {
            self.adjacency();
        }
    }

    pub(crate) fn adjacency(&self) -> &Adjacency {
        self.adjacency.get_or_init(|| Adjacency::of(&self.edges, self.n_nodes()))
    }

    pub(crate) fn key_of(&self, life: &EdgeLife) -> EdgeKey {
        EdgeKey {
            source: self.node_key(life.source),
            relation: self.relation(life.edge_type).clone(),
            destination: self.node_key(life.destination),
            key: self.keys.get(life.key).cloned(),
        }
    }

    pub(crate) fn relation(&self, edge_type: EdgeTypeId) -> &Name {
        &self.schema.edge_types()[edge_type.at()].relation
    }

    /// The ends and type of an edge, if all are known.
    pub(crate) fn ends(&self, key: &EdgeKey) -> Option<EdgeEnds> {
        let (source, destination) = (self.node_index(&key.source)?, self.node_index(&key.destination)?);
        let edge_type = self.schema.edge_type(self.node_type(source), &key.relation, self.node_type(destination));
        Some(EdgeEnds { source: Some(source), destination: Some(destination), edge_type })
    }

    fn node_life(&self, node: NodeIndex, time: Time) -> Option<u32> {
        shown(&self.nodes.lives, self.nodes.life(node), At::time(time))
    }

    /// The features that a life has at a time, by name.
    pub(crate) fn named_values(
        &self,
        (owner, feature_row): (Owner, FeatureRow),
        time: Time,
    ) -> impl Iterator<Item = (Name, Value)> {
        let (defs, held) = (self.schema.features(owner), self.feature_store.at(feature_row, time));
        held.filter_map(|(id, value)| Some((defs.get(id.at())?.name.clone(), self.feature_store.value(value)?)))
    }

    /// The name of the namespace of a number.
    pub(crate) fn namespace(&self, number: u32) -> Name {
        self.namespaces.get(number).cloned().unwrap_or_else(|| "".into())
    }

    fn values_at<L: LifeRecord>(
        &self,
        life: Option<&L>,
        time: Time,
    ) -> impl Iterator<Item = (FeatureId, Value)> + use<'_, L> {
        let held = life.map(|life| self.feature_store.at(life.feature_row(), time)).into_iter().flatten();
        held.filter_map(|(id, value)| Some((id, self.feature_store.value(value)?)))
    }
}
