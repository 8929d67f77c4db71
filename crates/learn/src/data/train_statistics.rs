//! What is measured on the training part, and kept with the weights.

use serde::{Deserialize, Serialize};
use timeweft_graph::Schema;

use crate::{Affinity, Config, Featurizer, ModelConfig, Task, TimeEncoder};

/// Measured on the training part (law 5: statistics never see later data).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TrainStatistics {
    /// Scale and frequencies of time.
    #[serde(rename = "clock")]
    pub time_encoder: TimeEncoder,
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

impl TrainStatistics {
    /// Measures the facts before the first link that is not trained on.
    pub fn fit(task: &Task, config: &Config) -> TrainStatistics {
        let index = &task.index;
        let facts = &task.facts()[task.facts_before(task.time_of(task.split.train_end))];
        let schema = index.schema();
        let slots = if config.model.identity { (2 * index.n_nodes()).next_power_of_two().clamp(64, 4096) } else { 0 };
        TrainStatistics {
            time_encoder: TimeEncoder::fit(facts, index.n_nodes(), config.model.frequencies),
            featurizer: Featurizer::fit(index, schema, facts),
            affinity: Affinity::fit(facts, schema.edge_types().len()),
            identity_slots: slots,
            schema: schema.clone(),
            config: config.model.clone(),
        }
    }
}
