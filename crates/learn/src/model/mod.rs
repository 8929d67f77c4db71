//! The network: messages -> encoder -> aggregator -> memory -> gnn -> prediction.

pub(crate) mod aggregator;
pub(crate) mod batch;
pub(crate) mod counters;
pub(crate) mod encoder;
pub(crate) mod gnn;
pub(crate) mod identity;
pub(crate) mod layers;
pub(crate) mod memory;
pub(crate) mod memory_state;
pub mod pipeline;
pub(crate) mod predictor;
pub(crate) mod relations;
pub(crate) mod vector_store;
pub(crate) mod versions;
