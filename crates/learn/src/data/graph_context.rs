//! A graph as a model reads it: the part that the model knows, and what was measured on the training part.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use timeweft_graph::{
    Action, DType, Direction, EdgeTypeId, Event, FeatureId, FeatureKind, NodeIndex, NodeTypeId, Owner, Reason, Time,
    Value, threads,
};
use timeweft_index::{Fact, Index};

use crate::data::arrivals::Arrivals;
use crate::data::features::is_number;
use crate::data::shared_history::SharedHistory;
use crate::data::subgraph::Edges;
use crate::{
    Config, LearnError, ModelConfig, NonFiniteFeature, RelationIds, Subgraph, Task, TrainStatistics, Unknown,
    splitmix64,
};

/// A graph as a model reads it.
#[derive(Clone)]
pub struct GraphContext {
    /// The graph, pinned to a commit.
    pub index: Arc<Index>,
    /// The part of it that the model knows.
    pub(crate) known: Arc<Subgraph>,
    /// The model's relations.
    pub relations: RelationIds,
    /// Measured on the training part.
    pub statistics: TrainStatistics,
    /// The two rows of the identity table of each node.
    pub slots: Vec<[u32; 2]>,
    /// What counters read.
    pub(crate) history: SharedHistory,
    /// Events that came by themselves, without a load.
    arrivals: Arrivals,
}

impl GraphContext {
    /// Reads `index` with what was measured on its training part. Types that came to the graph later are not there for the
    /// model.
    pub fn new(index: Arc<Index>, statistics: TrainStatistics) -> GraphContext {
        let known = Subgraph::new(index.clone(), &statistics.schema);
        let history = SharedHistory::of(&index, known.facts(), statistics.config.deletes);
        GraphContext::with(index, statistics, known, history)
    }

    /// The same of a later state of the same graph, which is not laid out anew for counting where it only has more facts
    /// of later times. Both states stay as they are.
    pub fn continued(&self, index: Arc<Index>) -> GraphContext {
        let mut graph = self.clone();
        let known = Subgraph::new(index, &self.statistics.schema);
        let is_continued = self.is_begun_by(known.index()) && known.facts().starts_with(self.facts());
        graph.follow(known, is_continued);
        graph
    }

    /// Goes over to another state of the graph. `is_continued` says that all facts of this one are the first there, and its nodes
    /// have the same numbers: then only what came is taken in.
    pub(crate) fn follow(&mut self, known: Subgraph, is_continued: bool) {
        let (index, deletes) = (known.index().clone(), self.config().deletes);
        if is_continued {
            self.history.grow(&index, known.facts(), deletes);
        } else {
            self.slots.clear();
            self.history = SharedHistory::of(&index, known.facts(), deletes);
        }
        self.add_slots(&index);
        (self.index, self.known, self.arrivals) = (index, Arc::new(known), Arrivals::default());
    }

    /// Takes in events that are not before any other; those that change nothing, by their place, and why.
    pub(crate) fn take(&mut self, events: &[Event]) -> Vec<(usize, Reason)> {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        let facts = self.facts().len();
        let rejected = self.grow(|index| arrivals.take_all(index, events, facts));
        self.arrivals = arrivals;
        rejected
    }

    /// How many of its facts the loads brought that it was made of; the others came by themselves.
    pub fn n_loaded(&self) -> usize {
        self.arrivals.before(self.facts().len())
    }

    /// Changes the graph itself by events that are not before any other, and takes in what they say: it costs what is new.
    fn grow<T>(&mut self, change: impl FnOnce(&mut Index) -> T) -> T {
        // Who alone holds a graph changes it in place.
        self.index = Arc::default();
        let done = Arc::make_mut(&mut self.known).grow(&self.statistics.schema, change);
        self.index = self.known.index().clone();
        let index = self.index.clone();
        self.history.grow(&index, self.known.facts(), self.statistics.config.deletes);
        self.add_slots(&index);
        done
    }

    /// Whether a graph has the nodes of this one under the same numbers.
    pub(crate) fn is_begun_by(&self, index: &Index) -> bool {
        let n_nodes = self.index.n_nodes();
        let is_same = |node| {
            let name = |index: &Index| index.schema().node_type_name(index.node_type(node));
            name(&self.index) == name(index) && self.index.node_id(node) == index.node_id(node)
        };
        n_nodes <= index.n_nodes() && (0..n_nodes as u32).map(NodeIndex).all(is_same)
    }

    fn with(index: Arc<Index>, statistics: TrainStatistics, known: Subgraph, history: SharedHistory) -> GraphContext {
        threads::prepare();
        let relations = RelationIds::of(&statistics.schema, &statistics.config);
        let (known, slots) = (Arc::new(known), Vec::new());
        let mut graph = GraphContext {
            known,
            relations,
            slots,
            statistics,
            history,
            index: index.clone(),
            arrivals: Arrivals::default(),
        };
        graph.add_slots(&index);
        graph
    }

    /// Gives nodes that have none yet their identity slots.
    fn add_slots(&mut self, index: &Index) {
        let n_slots = self.statistics.identity_slots;
        let nodes = (self.slots.len()..index.n_nodes()).map(|node| NodeIndex(node as u32));
        self.slots.extend(nodes.map(|node| identity_slots(index, node, n_slots)));
    }

    /// The same as if some edges had never been.
    pub(crate) fn without(&self, edges: &Edges) -> GraphContext {
        let known = Arc::new(self.known.without(edges));
        let history = SharedHistory::of(&self.index, known.facts(), self.config().deletes);
        GraphContext { known, history, ..self.clone() }
    }

    /// The task of a model that is there already: its graph may have new types, and may have lost some.
    ///
    /// # Errors
    /// As [`Task::new`].
    pub fn task(&self, config: &Config) -> Result<Task, LearnError> {
        Task::over(self.known.clone(), self.index.clone(), &self.statistics.schema, config)
    }

    /// How the model reads the graph.
    pub(crate) fn config(&self) -> &ModelConfig {
        &self.statistics.config
    }

    /// What the graph has and the model does not know.
    pub fn unknown(&self) -> Unknown {
        self.known.unknown(&self.statistics.schema)
    }

    /// Whether the model knows a type of nodes of the graph.
    pub fn knows_node_type(&self, id: NodeTypeId) -> bool {
        self.known.types().knows_node(id)
    }

    /// Whether the model knows a type of edges of the graph.
    pub fn knows_edge_type(&self, id: EdgeTypeId) -> bool {
        self.known.types().knows_edge(id)
    }

    /// The edge type that questions about nodes that go are asked by: the model's first.
    pub fn stand_in(&self) -> EdgeTypeId {
        self.known.types().first_edge()
    }

    /// The two rows of the identity table of a node.
    pub(crate) fn slots(&self, node: NodeIndex) -> [u32; 2] {
        self.slots.get(node.at()).copied().unwrap_or_default()
    }

    /// The type of a node, as the model numbers it.
    pub(crate) fn node_type(&self, node: NodeIndex) -> NodeTypeId {
        self.known.types().node(self.index.node_type(node))
    }

    /// The relation of an edge seen from one of its ends.
    pub(crate) fn relation(&self, edge_type: EdgeTypeId, direction: Direction) -> u32 {
        self.relations.edge(self.known.types().edge(edge_type), direction)
    }

    /// Everything that happens to what the model knows, in order of (time, position).
    pub fn facts(&self) -> &[Fact] {
        self.known.facts()
    }

    /// Whether the facts of a batch are all of one time: no answer inside the batch sees any of them.
    pub(crate) fn is_one_time(&self, batch: &Range<usize>) -> bool {
        let facts = &self.facts()[batch.clone()];
        facts.first().map(|fact| fact.time) == facts.last().map(|fact| fact.time)
    }

    /// How many facts of another state of the graph are of types that the model knows.
    pub fn n_known(&self, index: &Arc<Index>) -> usize {
        Subgraph::new(index.clone(), &self.statistics.schema).facts().len()
    }

    /// Number of facts strictly before a time.
    pub fn n_facts_before(&self, time: Time) -> usize {
        self.facts().partition_point(|fact| fact.time < time)
    }

    /// Features of some facts whose values are read as missing because they are no numbers to the model.
    pub fn non_finite_features(&self, facts: Range<usize>) -> Vec<NonFiniteFeature> {
        let (schema, types) = (self.index.schema(), self.known.types());
        let mut found = BTreeMap::new();
        for fact in self.facts()[facts].iter().filter(|fact| fact.action != Action::Delete) {
            let owner = owner_of(self, fact);
            if !schema.features(owner).iter().any(|def| is_float(def.kind)) {
                continue;
            }
            let mut look = |(id, value): (FeatureId, Value)| {
                let Value::Dense(dense) = value else { return };
                if types.feature(owner, id).is_none() {
                    return;
                }
                let numbers = dense.numbers.to_f64();
                if numbers.iter().all(|x| is_number(*x)) {
                    return;
                }
                let seen: &mut [usize; 3] = found.entry((owner, id)).or_default();
                seen[0] += usize::from(numbers.iter().any(|x| x.is_nan()));
                seen[1] += usize::from(numbers.iter().any(|x| x.is_infinite()));
                seen[2] += usize::from(numbers.iter().any(|x| x.is_finite() && !is_number(*x)));
            };
            match fact.edge {
                None => self.index.node_features(fact.source, fact.time).for_each(&mut look),
                Some((_, edge)) => self.index.edge_features(edge, fact.time).for_each(&mut look),
            }
        }
        let features = found.into_iter().filter_map(|((owner, id), [nan, infinite, too_large])| {
            let name = &schema.features(owner).get(id.at())?.name;
            let feature = format!("`{name}` of {}", schema.owner_name(owner));
            Some(NonFiniteFeature { feature, nan, infinite, too_large })
        });
        features.collect()
    }
}

fn owner_of(graph: &GraphContext, fact: &Fact) -> Owner {
    match fact.edge {
        None => Owner::Node(graph.index.node_type(fact.source)),
        Some((edge_type, _)) => Owner::Edge(edge_type),
    }
}

fn is_float(kind: FeatureKind) -> bool {
    matches!(kind, FeatureKind::Dense { dtype: DType::F16 | DType::F32 | DType::F64, .. })
}

/// The two identity slots of a node, hashed from its external id: a renumbered graph gives the same.
fn identity_slots(index: &Index, node: NodeIndex, n_slots: usize) -> [u32; 2] {
    let n = n_slots.max(1) as u64;
    let slot = |key: u64| (splitmix64(key) % n) as u32;
    let name = index.node_key(node).to_string();
    let key = name.bytes().fold(0, |hash, byte| splitmix64(hash ^ u64::from(byte)));
    [slot(key), slot(!key)]
}
