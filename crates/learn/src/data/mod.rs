//! What a model reads of a graph: its facts, types, features and time, and the links that are predicted.

pub(crate) mod affinity;
pub(crate) mod features;
pub(crate) mod graph_context;
pub(crate) mod history;
pub(crate) mod negative_candidates;
pub(crate) mod non_finite;
pub(crate) mod schema_map;
pub(crate) mod subgraph;
pub(crate) mod task;
pub(crate) mod time_encoder;
