//! Tests of the index.
//!
//! `law`: every answer equals the oracle's on random histories. `model`: what models read equals a recount of the log.
//! `feature_law`, `link_law`: features, pairs and counters of many roots equal a look at all lives.
//! `cases`, `feature_cases`: small graphs worked out by hand, and conformance cases by their ids. `namespace`: who may touch what.

#![allow(clippy::unwrap_used)]

mod cases;
mod feature_cases;
mod feature_law;
mod law;
mod link_law;
mod model;
mod namespace;
mod query_cases;
mod query_law;
mod replay;
mod sample_cases;
mod sample_chance;
mod sample_law;
mod sample_world;
mod world;
