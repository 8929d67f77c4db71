//! Tests of the index.
//!
//! `law`: every answer equals the oracle's on random histories. `model`: what models read equals a recount of the log.
//! `feature_law`, `link_law`, `sample_law`, `walk_law`, `rank_law`, `element_law`, `hub_law`: what is asked of many roots equals
//! a look at all lives.
//! `many_features`: elements with tens of thousands of features. `widening`: kinds that grow wider. `cases`, `feature_cases`: small graphs worked out by hand, and conformance cases by their ids. `namespace`: who may touch what.

#![allow(clippy::unwrap_used)]

mod cases;
mod element_law;
mod feature_cases;
mod feature_law;
mod hub_law;
mod law;
mod link_law;
mod many_features;
mod model;
mod namespace;
mod order_law;
mod query_cases;
mod query_law;
mod rank_law;
mod replay;
mod sample_cases;
mod sample_chance;
mod sample_law;
mod sample_world;
mod walk_law;
mod widening;
mod world;
