//! What a model reads of a graph: facts, types, features and time, and the links that are predicted.

pub(crate) mod affinity;
pub(crate) mod arrivals;
pub(crate) mod directed_relation;
pub(crate) mod edge_history;
pub(crate) mod fact_batches;
pub(crate) mod features;
pub(crate) mod freshness;
pub(crate) mod graph_context;
pub(crate) mod link;
pub(crate) mod meetings;
pub(crate) mod negative_candidates;
pub(crate) mod non_finite;
pub(crate) mod query;
pub(crate) mod relation_ids;
pub(crate) mod schema_map;
pub(crate) mod shared_history;
pub(crate) mod split;
pub(crate) mod subgraph;
pub(crate) mod take_back;
pub(crate) mod task;
pub(crate) mod time_encoder;
pub(crate) mod train_statistics;
