//! What a model knows of a graph besides its weights: scales and widths, measured on the training part only.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use timeweft_graph::{EdgeTypeId, NodeTypeId, Schema, Time, threads};
use timeweft_index::{Fact, Index};

use crate::data::history::History;
use crate::model::batch::{Context, identity_slots};
use crate::{Affinity, Clock, Config, Featurizer, ModelConfig, Relations, Subgraph, Task, Unknown};

/// Measured on the training part (law 5: statistics never see later data).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fitted {
    /// Scale of time.
    pub clock: Clock,
    /// Features as rows.
    pub featurizer: Featurizer,
    /// Which relation follows which.
    pub affinity: Affinity,
    /// Rows of the identity table; 0 if it is off.
    pub identity_slots: usize,
    /// The types and features that the weights were made for.
    pub schema: Schema,
    /// How the model reads the graph: the same in training and in service.
    pub config: ModelConfig,
}

impl Fitted {
    /// Measures the facts before the first link that is not trained on.
    pub fn fit(task: &Task, config: &Config) -> Fitted {
        let index = &task.index;
        let facts = &task.facts()[task.facts_before(task.time_of(task.split.train_end))];
        let schema = index.schema();
        let slots = if config.model.identity { (2 * index.n_nodes()).next_power_of_two().clamp(64, 4096) } else { 0 };
        Fitted {
            clock: Clock::fit(facts, index.n_nodes(), config.model.frequencies),
            featurizer: Featurizer::fit(index, schema, facts),
            affinity: Affinity::fit(facts, schema.edge_types().len()),
            identity_slots: slots,
            schema: schema.clone(),
            config: config.model.clone(),
        }
    }
}

/// A graph as a model reads it.
#[derive(Clone)]
pub struct World {
    /// The graph, pinned to a commit.
    pub index: Arc<Index>,
    /// The part of it that the model knows.
    pub(crate) graph: Arc<Subgraph>,
    /// The model's relations.
    pub relations: Relations,
    /// Measured on the training part.
    pub fitted: Fitted,
    slots: Vec<[u32; 2]>,
    /// What counters read.
    pub(crate) history: Arc<History>,
}

impl World {
    /// Reads `index` with what was fitted on its training part. What has come to the graph since and is of other types is
    /// not there for the model.
    pub fn new(index: Arc<Index>, fitted: Fitted) -> World {
        threads::prepare();
        let slots = identity_slots(&index, fitted.identity_slots);
        let graph = Arc::new(Subgraph::new(index.clone(), &fitted.schema));
        let history = Arc::new(History::of(&index, graph.facts()));
        let relations = Relations::of(&fitted.schema, fitted.config.typed);
        World { graph, relations, slots, fitted, history, index }
    }

    /// What the graph has and the model does not know.
    pub fn unknown(&self) -> Unknown {
        self.graph.unknown(&self.fitted.schema)
    }

    /// Whether the model knows no type of the graph.
    pub(crate) fn knows_nothing(&self) -> bool {
        self.graph.types().knows_no_type()
    }

    /// Whether the model knows a type of nodes of the graph.
    pub fn knows_node_type(&self, id: NodeTypeId) -> bool {
        self.graph.types().knows_node(id)
    }

    /// Whether the model knows a type of edges of the graph.
    pub fn knows_edge_type(&self, id: EdgeTypeId) -> bool {
        self.graph.types().knows_edge(id)
    }

    /// The edge type that questions about nodes that go are asked by: the model's first.
    pub fn stand_in(&self) -> EdgeTypeId {
        self.graph.types().first_edge()
    }

    /// What batches need.
    pub fn context(&self) -> Context<'_> {
        Context {
            index: &self.index,
            graph: &self.graph,
            relations: self.relations,
            featurizer: &self.fitted.featurizer,
            clock: &self.fitted.clock,
            slots: &self.slots,
            config: &self.fitted.config,
        }
    }

    /// Everything that happens to what the model knows, in order of (time, position).
    pub fn facts(&self) -> &[Fact] {
        self.graph.facts()
    }

    /// Whether the facts of a batch are all of one time: nothing that is asked inside the batch sees any of them.
    pub(crate) fn is_one_time(&self, batch: &Range<usize>) -> bool {
        let facts = &self.facts()[batch.clone()];
        facts.first().map(|fact| fact.time) == facts.last().map(|fact| fact.time)
    }

    /// Number of facts strictly before a time.
    pub fn n_facts_before(&self, time: Time) -> usize {
        self.facts().partition_point(|fact| fact.time < time)
    }
}
