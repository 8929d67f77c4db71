//! What a model knows of a graph besides its weights: scales and widths, measured on the training part only.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use timeweft_graph::Time;
use timeweft_index::{Fact, Index};

use crate::batch::{Context, identity_slots};
use crate::history::History;
use crate::{Affinity, Clock, Config, Featurizer, ModelConfig, Relations, Task};

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
    /// Edge types and node types that the weights were made for.
    pub types: [usize; 2],
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
            types: Fitted::types(index),
            config: config.model.clone(),
        }
    }

    /// Numbers of edge types and node types of a graph.
    pub fn types(index: &Index) -> [usize; 2] {
        [index.schema().edge_types().len(), index.schema().node_types().len()]
    }
}

/// A graph as a model reads it.
#[derive(Clone)]
pub struct World {
    /// The graph, pinned to a commit.
    pub index: Arc<Index>,
    /// Its relations.
    pub relations: Relations,
    /// Measured on the training part.
    pub fitted: Fitted,
    slots: Vec<[u32; 2]>,
    /// What counters read.
    pub(crate) history: Arc<History>,
}

impl World {
    /// Reads `index` with what was fitted on its training part.
    pub fn new(index: Arc<Index>, fitted: Fitted) -> World {
        let slots = identity_slots(&index, fitted.identity_slots);
        let history = Arc::new(History::of(&index));
        let relations = Relations::of(index.schema(), fitted.config.typed);
        World { relations, slots, fitted, history, index }
    }

    /// What batches need.
    pub fn context(&self) -> Context<'_> {
        Context {
            index: &self.index,
            relations: self.relations,
            featurizer: &self.fitted.featurizer,
            clock: &self.fitted.clock,
            slots: &self.slots,
            config: &self.fitted.config,
        }
    }

    /// Everything that happens, in order of (time, position).
    pub fn facts(&self) -> &[Fact] {
        self.index.facts()
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
